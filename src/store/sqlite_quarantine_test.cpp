// What becomes of damaged rows when their names are used again, of indexes that are not their tables', and of a log
// that is damaged in its middle.
#include "store/sqlite_recover.hpp"
#include "store/sqlite_rows.hpp"
#include "store/sqlite_schema.hpp"
#include "store/sqlite_store.hpp"
#include "store/store_test_world.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>

namespace ccbt::store {
namespace {

using namespace test;
namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

std::string contents(fs::path const& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void put(fs::path const& file, std::string const& bytes) {
    std::ofstream{file, std::ios::binary}.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

struct sqlite_quarantine : testing::Test {
    temporary_folder folder;
    loop_thread on;
    std::mt19937_64 random{31};
    fs::path const file = folder / "ccbt.db", log = folder / "ccbt.db-wal";

    sqlite_store::opened try_open() {
        return sqlite_store::open({.on = on.get(), .directory = folder.path()});
    }
    std::unique_ptr<sqlite_store> open() {
        auto made = try_open();
        if (!made) throw std::runtime_error{made.error().message};
        return std::move(*made);
    }
    void close(std::unique_ptr<sqlite_store> store) {
        ASSERT_EQ(on.ask<outcome>([&](auto done) { store->close(std::move(done)); }), outcome::committed);
    }
    void change_file(std::string const& sql) {
        connection by;
        ASSERT_EQ(by.open(file.string(), false), SQLITE_OK);
        by.checkpoint_at_close(true);
        ASSERT_EQ(by.run(sql.c_str()), SQLITE_OK) << by.message();
    }
    std::vector<std::string> ask_file(char const* sql) {
        connection by;
        std::vector<std::string> out;
        EXPECT_EQ(by.open(file.string(), false), SQLITE_OK);
        EXPECT_EQ(by.query_lines(sql, out), SQLITE_OK) << by.message();
        return out;
    }
};

TEST_F(sqlite_quarantine, what_is_put_under_the_name_of_a_damaged_row_does_not_end_it) {
    auto store = open();
    contract::access_key key;
    key.name = "phone";
    auto const blocked = *ip_range::parse("10.0.0.0/8");
    put_list_entry const entry{model::address_list::blacklist, {blocked, "noise", 5.0}};
    intend_deletion const deletion{{3, 3}, "/a", {"x"}};
    ASSERT_EQ(
        commit_now(
            on, *store,
            {put_setting{"limits.global_down_kib", "7"}, put_setting{"gone", "8"}, put_root{{{1, 1}, "/a"}},
             put_key{key}, entry, deletion}),
        outcome::committed);
    close(std::move(store));
    change_file(
        "UPDATE settings SET json='lost'; UPDATE roots SET path='/lost'; UPDATE keys SET scopes='lost';"
        "UPDATE lists SET reason='lost'; UPDATE deletions SET root_path='/lost';"
        "UPDATE meta SET value='lost' WHERE key='seq_reserved'");
    store = open();
    EXPECT_THAT(store->loaded().quarantined, testing::SizeIs(7));
    EXPECT_EQ(store->counters().quarantined, 7);
    EXPECT_THAT(store->loaded().settings, IsEmpty());
    ASSERT_EQ(
        commit_now(
            on, *store,
            {put_setting{"limits.global_down_kib", "9"}, put_setting{"gone", ""}, put_root{{{1, 1}, "/b"}},
             put_key{key}, entry, deletion}),
        outcome::committed);
    close(std::move(store));

    EXPECT_THAT(
        ask_file("SELECT source||' '||name FROM damaged ORDER BY 1"),
        testing::ElementsAre(
            "deletions 1", "keys 1", "lists 1", "meta seq_reserved", "roots 1", "settings 1", "settings 2"));
    // 'limits.global_down_kib' and 'lost' in hexadecimal digits: SQL that makes the row anew.
    EXPECT_THAT(
        ask_file("SELECT content FROM damaged WHERE source='settings' AND name='1'"),
        testing::ElementsAre(testing::StartsWith(
            "1,CAST(X'6C696D6974732E676C6F62616C5F646F776E5F6B6962' AS TEXT),CAST(X'6C6F7374' AS TEXT),")));
    EXPECT_THAT(ask_file("SELECT json FROM settings"), testing::ElementsAre("9"));

    store = open();
    EXPECT_THAT(store->loaded().quarantined, IsEmpty());
    EXPECT_EQ(store->loaded().settings.size(), 1U);
    EXPECT_EQ(store->loaded().lists.size(), 1U);
    EXPECT_EQ(store->loaded().keys.size(), 1U);
}

TEST_F(sqlite_quarantine, damaged_metainfo_and_resume_data_are_kept_when_new_ones_come) {
    auto store = open();
    auto const t = shared(some_torrent(random));
    model::info_hash const of = some_hash(random, 20);
    ASSERT_EQ(
        commit_now(
            on, *store, {put_torrent{t}, put_metainfo{t->id, text("m")}, keep_checkpoint{of, text("c")}}),
        outcome::committed);
    ASSERT_EQ(keep_now(on, *store, {{{.id = t->id}, text("r")}}), outcome::committed);
    close(std::move(store));
    change_file(
        "UPDATE metainfo SET bytes=x'AA'; UPDATE resume SET bytes=x'BB'; UPDATE checkpoints SET bytes=x'CC'");
    store = open();
    EXPECT_EQ(store->counters().quarantined, 0);
    EXPECT_EQ(metainfo_now(on, *store, t->id), nullptr);
    EXPECT_EQ(resume_now(on, *store, t->id), nullptr);
    EXPECT_EQ(store->counters().quarantined, 2) << "told once they were met";
    ASSERT_EQ(keep_now(on, *store, {{{.id = t->id}, text("r2")}}), outcome::committed);
    ASSERT_EQ(
        commit_now(on, *store, {put_metainfo{t->id, text("m2")}, keep_checkpoint{of, text("c2")}}),
        outcome::committed);
    EXPECT_EQ(*metainfo_now(on, *store, t->id), "m2");
    EXPECT_EQ(*resume_now(on, *store, t->id), "r2");
    close(std::move(store));
    EXPECT_THAT(
        ask_file("SELECT source FROM damaged WHERE content LIKE '%X''AA''%' OR content LIKE '%X''BB''%' "
                 "OR content LIKE '%X''CC''%' ORDER BY 1"),
        testing::ElementsAre("checkpoints", "metainfo", "resume"));
}

TEST_F(sqlite_quarantine, recover_names_what_is_lost_and_saves_its_metainfo_beside) {
    auto store = open();
    auto one = some_torrent(random), two = some_torrent(random);
    one.name = "lost";
    ASSERT_EQ(
        commit_now(
            on, *store,
            {put_torrent{shared(two)}, put_metainfo{two.id, text("kept")}, put_torrent{shared(one)},
             put_metainfo{one.id, text("d4:infode")}, put_setting{"a", "1"}, put_setting{"b", "2"}}),
        outcome::committed);
    ASSERT_EQ(
        keep_now(on, *store, {{{.id = one.id}, text("r")}, {{.id = two.id}, text("r")}}), outcome::committed);
    auto const lineage = store->loaded().lineage;
    close(std::move(store));
    change_file(
        "UPDATE torrents SET up_kib=up_kib+1 WHERE row=2; UPDATE settings SET json='5' WHERE key='a'");
    auto const before = contents(file);

    auto const done = recover(file, [](std::string const&) {});
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_TRUE(done->needed);
    EXPECT_EQ(done->lost, 2U);
    EXPECT_THAT(done->report, testing::Contains(testing::StartsWith("lost: torrents row 2 \"lost\"")));
    EXPECT_THAT(done->report, testing::Contains("lost: settings row 1"));
    EXPECT_THAT(done->report, testing::Contains("torrents: 1 read, 1 lost"));
    EXPECT_THAT(done->report, testing::Contains(HasSubstr("Of 1 lost torrents the metainfo is whole")));
    EXPECT_EQ(contents(done->kept), before);
    EXPECT_EQ(contents(done->kept.string() + ".torrents/2.torrent"), "d4:infode");
    EXPECT_THAT(contents(done->kept.string() + ".txt"), HasSubstr("lost: settings row 1\n"));

    store = open();
    EXPECT_FALSE(store->loaded().clean) << "all is to be looked at";
    EXPECT_THAT(store->loaded().quarantined, IsEmpty());
    EXPECT_EQ(store->loaded().lineage, lineage);
    ASSERT_EQ(store->loaded().torrents.size(), 1U);
    EXPECT_EQ(*store->loaded().torrents[0], two);
    EXPECT_EQ(*metainfo_now(on, *store, two.id), "kept");
    EXPECT_EQ(store->loaded().settings.size(), 1U);
    // The lost one's number is free again, with nothing of it left.
    ASSERT_EQ(commit_now(on, *store, {put_torrent{shared(one)}}), outcome::committed);
    EXPECT_EQ(metainfo_now(on, *store, one.id), nullptr);
    close(std::move(store));

    auto const again = recover(file, [](std::string const&) {});
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->needed);
}

TEST_F(sqlite_quarantine, an_index_that_is_not_its_tables_is_made_anew) {
    auto store = open();
    auto const one = shared(some_torrent(random)), two = shared(some_torrent(random));
    ASSERT_EQ(commit_now(on, *store, {put_torrent{one}, put_torrent{two}}), outcome::committed);
    close(std::move(store));
    // The index of ids loses its entries: a torrent that is there would be put in a second time.
    auto bytes = contents(file);
    auto const page = static_cast<std::size_t>(std::stoi(
        ask_file("SELECT rootpage FROM sqlite_schema WHERE name='sqlite_autoindex_torrents_1'").at(0)));
    auto const id = to_bytes(one->id);
    auto const at = bytes.find(std::string{id.begin(), id.end()}, (page - 1) * 4096);
    ASSERT_LT(at, page * 4096);
    bytes[at + 3] = static_cast<char>(bytes[at + 3] ^ 1);
    put(file, bytes);

    store = open();
    EXPECT_THAT(store->loaded().quarantined, IsEmpty());
    EXPECT_EQ(store->loaded().torrents.size(), 2U);
    ASSERT_EQ(commit_now(on, *store, {put_torrent{one}}), outcome::committed);
    close(std::move(store));
    EXPECT_EQ(open()->loaded().torrents.size(), 2U);
}

TEST_F(sqlite_quarantine, rows_that_a_damaged_page_hides_are_missed_after_a_clean_stop_too) {
    auto store = open();
    for (int i = 0; i < 100; ++i)
        ASSERT_EQ(commit_now(on, *store, {put_torrent{shared(some_torrent(random))}}), outcome::committed);
    close(std::move(store));
    auto bytes = contents(file);
    // A leaf of the table says that it has a row less.
    std::size_t leaf = 0;
    for (std::size_t page = 1; page < bytes.size() / 4096; ++page)
        if (bytes[page * 4096] == 13 && bytes[page * 4096 + 4] > 1) leaf = page * 4096;
    ASSERT_NE(leaf, 0U);
    bytes[leaf + 4] = static_cast<char>(bytes[leaf + 4] - 1);
    put(file, bytes);
    auto const refused = try_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().exit_code(), 65);
    EXPECT_EQ(contents(file), bytes);
}

// What a kill leaves: the store's files are copied away under it.
struct sqlite_log : sqlite_quarantine {
    std::string base, written;

    void write_some(int changes) {
        auto store = open();
        for (int i = 0; i < changes; ++i)
            ASSERT_EQ(commit_now(on, *store, {put_setting{std::to_string(i), "1"}}), outcome::committed);
        base = contents(file);
        written = contents(log);
        store.reset();
    }
    void lay(std::string const& as_log) {
        put(file, base);
        put(log, as_log);
    }
};

TEST_F(sqlite_log, a_damaged_frame_before_acknowledged_ones_is_told_and_not_passed_over) {
    write_some(20);
    ASSERT_GT(written.size(), 20U * 4120);
    for (auto const at : {5U, 20U, 32U + 6 * 4120 + 3, 32U + 6 * 4120 + 17, 32U + 6 * 4120 + 1000}) {
        auto bad = written;
        bad[at] = static_cast<char>(bad[at] ^ 0x40);
        lay(bad);
        auto const refused = try_open();
        ASSERT_FALSE(refused) << at;
        EXPECT_EQ(refused.error().exit_code(), 65);
        EXPECT_THAT(refused.error().message, HasSubstr("of its log is damaged")) << at;
        EXPECT_EQ(contents(file), base);
        EXPECT_EQ(contents(log), bad);
    }
    lay(written);
    EXPECT_EQ(open()->loaded().settings.size(), 20U);
}

TEST_F(sqlite_log, an_end_that_was_cut_off_is_no_damage) {
    write_some(20);
    for (auto const cut : {1U, 4000U, 4110U}) {
        lay(written.substr(0, written.size() - cut));
        auto const store = open();
        EXPECT_GE(store->loaded().settings.size(), 18U);
        EXPECT_THAT(store->loaded().quarantined, IsEmpty());
    }
    auto torn = written; // the last frame half written
    torn.replace(torn.size() - 2000, 2000, 2000, '\0');
    lay(torn);
    EXPECT_GE(open()->loaded().settings.size(), 18U);
    lay(written.substr(0, 20));
    EXPECT_TRUE(try_open()) << "a log that was not begun";
}

} // namespace
} // namespace ccbt::store
