// What a restart finds, and what becomes of a file that is not as we left it.
#include "store/sqlite_store.hpp"

#include "base/clock.hpp"
#include "store/sqlite_schema.hpp"
#include "store/store_test_world.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/stat.h>

namespace ccbt::store {
namespace {

using namespace test;
namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using kind = open_failure::kind;

std::string contents(fs::path const& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}
void write_file(fs::path const& file, std::string const& bytes) {
    std::ofstream{file, std::ios::binary | std::ios::trunc}.write(
        bytes.data(), static_cast<std::streamsize>(bytes.size()));
}
unsigned mode_of(fs::path const& file) {
    struct stat is {};
    return ::stat(file.c_str(), &is) == 0 ? is.st_mode & 0777U : 0;
}

struct sqlite_store_files : testing::Test {
    temporary_folder folder;
    loop_thread on;
    std::mt19937_64 random{77};
    fs::path const file = folder / "ccbt.db";

    sqlite_store::opened try_open(std::int64_t now = 0) {
        return sqlite_store::open({.on = on.get(), .directory = folder.path(), .now = now});
    }
    std::unique_ptr<sqlite_store> open(std::int64_t now = 0) {
        auto made = try_open(now);
        if (!made) throw std::runtime_error{made.error().message};
        return std::move(*made);
    }
    void close(std::unique_ptr<sqlite_store> store) {
        ASSERT_EQ(on.ask<outcome>([&](auto done) { store->close(std::move(done)); }), outcome::committed);
    }
    /// Makes a store of `n` torrents with metainfo and resume data, cleanly closed.
    std::vector<torrent_asked> fill(int n) {
        auto store = open();
        std::vector<torrent_asked> made;
        for (int i = 0; i < n; ++i) {
            auto t = some_torrent(random);
            t.queue_order = i;
            made.push_back(t);
            EXPECT_EQ(
                commit_now(on, *store, {put_torrent{shared(t)}, put_metainfo{t.id, text("m")}}),
                outcome::committed);
            EXPECT_EQ(keep_now(on, *store, {{{.id = t.id, .downloaded = i}, text("r")}}), outcome::committed);
        }
        close(std::move(store));
        return made;
    }
    void change_file(std::string const& sql) {
        connection by;
        ASSERT_EQ(by.open(file.string(), false), SQLITE_OK);
        by.checkpoint_at_close(true);
        ASSERT_EQ(by.run(sql.c_str()), SQLITE_OK) << by.message();
    }
};

TEST_F(sqlite_store_files, a_thousand_random_torrents_come_back_equal) {
    std::vector<std::shared_ptr<torrent_asked const>> made;
    auto store = open();
    EXPECT_TRUE(store->loaded().clean);
    EXPECT_THAT(store->loaded().torrents, IsEmpty());
    std::vector<change> changes;
    for (int i = 0; i < 1000; ++i) {
        auto t = some_torrent(random);
        t.queue_order = i;
        made.push_back(shared(t));
        changes.emplace_back(put_torrent{made.back()});
    }
    ASSERT_EQ(commit_now(on, *store, changes), outcome::committed);
    for (int round = 0; round < 2; ++round) { // after a clean stop, after an unclean one
        if (round == 0) close(std::move(store));
        store.reset();
        store = open();
        EXPECT_EQ(store->loaded().clean, round == 0);
        EXPECT_THAT(store->loaded().quarantined, IsEmpty());
        ASSERT_EQ(store->loaded().torrents.size(), made.size());
        for (std::size_t i = 0; i < made.size(); ++i) ASSERT_EQ(*store->loaded().torrents[i], *made[i]) << i;
    }
    EXPECT_EQ(store->take_snapshot().torrents.size(), 1000U);
    EXPECT_THAT(store->loaded().torrents, IsEmpty());
}

TEST_F(sqlite_store_files, the_file_and_its_log_are_private_and_the_folder_is_made) {
    auto const below = folder / "state";
    auto made = sqlite_store::open({.on = on.get(), .directory = below});
    ASSERT_TRUE(made) << made.error().message;
    ASSERT_EQ(commit_now(on, **made, {put_setting{"a", "1"}}), outcome::committed);
    EXPECT_EQ(mode_of(below), 0700U);
    EXPECT_EQ(mode_of(below / "ccbt.db"), 0600U);
    EXPECT_EQ(mode_of(below / "ccbt.db-wal"), 0600U);
    for (auto const& entry : fs::directory_iterator{below})
        EXPECT_EQ(mode_of(entry.path()), 0600U) << entry.path();
}

TEST_F(sqlite_store_files, a_close_of_what_is_not_whole_leaves_it_marked_as_not_closed) {
    for (bool const whole : {true, false}) {
        auto store = open();
        auto const closed = on.ask<outcome>([&](auto done) { store->close(std::move(done), whole); });
        EXPECT_EQ(closed, outcome::committed);
        store.reset();
        EXPECT_EQ(open()->loaded().clean, whole);
    }
}

TEST_F(sqlite_store_files, a_clean_stop_leaves_one_file_that_answers_unavailable_from_then_on) {
    auto store = open();
    std::vector<outcome> answers;
    on.on_loop([&] {
        store->commit_change({{}, {put_setting{"a", "1"}}}, [&](outcome o) { answers.push_back(o); });
        store->close([&](outcome o) { answers.push_back(o); });
        store->commit_change({{}, {put_setting{"a", "2"}}}, [&](outcome o) { answers.push_back(o); });
    });
    store.reset();
    on.on_loop([] {});
    on.on_loop([] {});
    EXPECT_THAT(
        answers, testing::UnorderedElementsAre(outcome::committed, outcome::committed, outcome::unavailable));
    EXPECT_FALSE(fs::exists(folder / "ccbt.db-wal"));
    auto const again = open();
    EXPECT_TRUE(again->loaded().clean);
    EXPECT_EQ(again->loaded().settings.at(0).second, "1");
}

TEST_F(sqlite_store_files, what_waits_when_the_store_goes_is_still_committed) {
    auto store = open();
    on.on_loop([&] {
        for (int i = 0; i < 100; ++i)
            store->commit_change({{}, {put_setting{std::to_string(i), "1"}}}, [](outcome) {});
    });
    store.reset();
    EXPECT_EQ(open()->loaded().settings.size(), 100U);
}

TEST_F(sqlite_store_files, a_second_opener_is_refused_and_the_first_goes_on) {
    auto const first = open();
    auto const second = try_open();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().why, kind::locked);
    EXPECT_EQ(second.error().exit_code(), 75);
    EXPECT_EQ(commit_now(on, *first, {put_setting{"a", "1"}}), outcome::committed);
}

TEST_F(sqlite_store_files, a_damaged_row_is_named_left_alone_and_hides_no_other) {
    auto const made = fill(5);
    change_file("UPDATE torrents SET name='flipped' WHERE row=3");
    auto store = open();
    auto const& loaded = store->loaded();
    ASSERT_EQ(loaded.torrents.size(), 4U);
    for (std::size_t i = 0; i < 5; ++i) {
        auto const* const t = find(loaded, made[i].id);
        if (i == 2)
            EXPECT_EQ(t, nullptr);
        else
            EXPECT_TRUE(t && *t == made[i]) << i;
    }
    ASSERT_EQ(loaded.quarantined.size(), 1U);
    EXPECT_EQ(loaded.quarantined[0], "torrents row 3: its checksum does not match");
    EXPECT_EQ(store->journal_loaded().torrents.size(), 4U);

    EXPECT_EQ(commit_now(on, *store, {forget_torrent{made[2].id}}), outcome::committed);
    auto again = made[2];
    EXPECT_EQ(commit_now(on, *store, {put_torrent{shared(again)}}), outcome::conflict)
        << "it would be written over";
    again.id = {1, 1};
    EXPECT_EQ(commit_now(on, *store, {put_torrent{shared(again)}}), outcome::committed)
        << "its user can add it again";
    close(std::move(store));

    connection by;
    ASSERT_EQ(by.open(file.string(), false), SQLITE_OK);
    std::int64_t there = 0;
    ASSERT_EQ(
        by.query_integer("SELECT count(*) FROM torrents WHERE row=3 AND name='flipped'", there), SQLITE_OK);
    EXPECT_EQ(there, 1);
    by.close();
    EXPECT_EQ(open()->loaded().torrents.size(), 5U);
}

TEST_F(sqlite_store_files, a_value_of_a_wrong_type_after_an_unclean_stop_is_one_rows_damage) {
    fill(3);
    // A damaged record as SQLite reads it: a NULL where none may be. The schema would refuse to write it.
    change_file(
        "PRAGMA writable_schema=ON;"
        "UPDATE sqlite_schema SET sql=replace(sql,'name TEXT NOT NULL','name TEXT') WHERE name='torrents'");
    change_file("UPDATE torrents SET name=NULL WHERE row=2; UPDATE meta SET value='0' WHERE key='clean'");
    change_file(
        "PRAGMA writable_schema=ON;"
        "UPDATE sqlite_schema SET sql=replace(sql,'name TEXT','name TEXT NOT NULL') WHERE name='torrents'");
    auto const store = open();
    EXPECT_FALSE(store->loaded().clean);
    EXPECT_EQ(store->loaded().torrents.size(), 2U);
    EXPECT_THAT(store->loaded().quarantined, testing::Contains(HasSubstr("torrents row 2")));
}

TEST_F(sqlite_store_files, damaged_metainfo_and_resume_data_are_null_and_stay) {
    auto const made = fill(2);
    change_file(
        "UPDATE metainfo SET bytes=x'00' WHERE row=1; UPDATE resume SET bytes=x'00' WHERE row=1;"
        "UPDATE journal SET downloaded=99 WHERE row=1; UPDATE metainfo SET id=zeroblob(16) WHERE row=2");
    auto store = open();
    EXPECT_EQ(store->loaded().torrents.size(), 2U);
    EXPECT_THAT(
        store->loaded().quarantined, testing::ElementsAre("journal row 1: its checksum does not match"));
    EXPECT_EQ(metainfo_now(on, *store, made[0].id), nullptr);
    EXPECT_EQ(resume_now(on, *store, made[0].id), nullptr);
    EXPECT_EQ(metainfo_now(on, *store, made[1].id), nullptr);
    EXPECT_EQ(*resume_now(on, *store, made[1].id), "r");
    close(std::move(store));
    connection by;
    ASSERT_EQ(by.open(file.string(), false), SQLITE_OK);
    std::int64_t there = 0;
    ASSERT_EQ(by.query_integer("SELECT count(*) FROM metainfo WHERE bytes=x'00'", there), SQLITE_OK);
    EXPECT_EQ(there, 1);
}

TEST_F(sqlite_store_files, damage_to_the_small_tables_is_named_row_by_row) {
    auto store = open();
    auto const one = shared(some_torrent(random)), two = shared(some_torrent(random));
    ASSERT_EQ(
        commit_now(
            on, *store,
            {put_torrent{one}, put_torrent{two}, put_setting{"a", "1"}, put_setting{"b", "2"},
             put_root{{{1, 1}, "/a"}}, put_root{{{2, 2}, "/b"}}, intend_deletion{{3, 3}, "/a", {"x"}},
             intend_deletion{{4, 4}, "/b", {}}}),
        outcome::committed);
    ASSERT_EQ(
        keep_now(
            on, *store,
            {{{.id = one->id, .downloaded = 5}, nullptr}, {{.id = two->id, .downloaded = 6}, nullptr}}),
        outcome::committed);
    ASSERT_EQ(commit_now(on, *store, {forget_torrent{one->id}}), outcome::committed);
    auto const lineage = store->loaded().lineage;
    close(std::move(store));
    change_file("UPDATE settings SET json='9' WHERE row=1; UPDATE roots SET path='/z' WHERE row=2;"
                "UPDATE deletions SET files=x'07000000' WHERE row=1; UPDATE totals SET downloaded=1000;"
                "UPDATE meta SET value='0' WHERE key='lineage'");
    store = open();
    EXPECT_THAT(
        store->loaded().quarantined,
        testing::UnorderedElementsAre(
            HasSubstr("settings row 1"), HasSubstr("roots row 2"), HasSubstr("deletions row 1"),
            HasSubstr("totals row 1"), HasSubstr("meta row lineage")));
    EXPECT_EQ(store->loaded().settings.size(), 1U);
    EXPECT_EQ(store->loaded().roots.size(), 1U);
    EXPECT_EQ(store->loaded().deletions.size(), 1U);
    EXPECT_EQ(store->journal_loaded().removed_downloaded, 0);
    EXPECT_EQ(store->loaded().lineage.size(), 32U);
    EXPECT_NE(store->loaded().lineage, lineage);
    ASSERT_EQ(commit_now(on, *store, {forget_torrent{two->id}}), outcome::committed);
    close(std::move(store));
    store = open();
    EXPECT_EQ(store->journal_loaded().removed_downloaded, 6) << "counted beside the damaged row, not over it";
}

TEST_F(sqlite_store_files, a_newer_version_is_refused_untouched) {
    fill(2);
    change_file("PRAGMA user_version=99");
    auto const before = contents(file);
    auto const refused = try_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().why, kind::newer);
    EXPECT_EQ(refused.error().exit_code(), 65);
    EXPECT_THAT(refused.error().message, HasSubstr("newer ccbtd"));
    EXPECT_EQ(contents(file), before);
}

TEST_F(sqlite_store_files, a_newer_version_that_only_its_log_tells_of_is_refused_untouched) {
    fill(2);
    auto const wal = folder / "ccbt.db-wal";
    {
        connection by;
        ASSERT_EQ(by.open(file.string(), false), SQLITE_OK);
        ASSERT_EQ(by.run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA user_version=99"), SQLITE_OK);
    }
    auto const before = contents(file), log_before = contents(wal);
    ASSERT_FALSE(log_before.empty());
    auto const refused = try_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().why, kind::newer);
    EXPECT_EQ(contents(file), before);
    EXPECT_EQ(contents(wal), log_before);
}

TEST_F(sqlite_store_files, a_file_that_is_no_store_is_damage_and_stays_as_it_is) {
    fill(300);
    auto const whole = contents(file);
    auto garbage = some_bytes(random, 20'000);
    auto no_tables = whole;
    std::fill(no_tables.begin() + 4096, no_tables.end(), '\x5a');
    for (auto const& bytes :
         {std::string{}, whole.substr(0, 50), whole.substr(0, 4096), whole.substr(0, whole.size() / 2),
          whole.substr(0, whole.size() - 4096), garbage, no_tables}) {
        write_file(file, bytes);
        auto const refused = try_open();
        ASSERT_FALSE(refused) << bytes.size();
        EXPECT_EQ(refused.error().why, kind::damaged) << refused.error().message;
        EXPECT_EQ(refused.error().exit_code(), 65);
        EXPECT_THAT(refused.error().message, HasSubstr("ccbt.db"));
        EXPECT_TRUE(contents(file) == bytes) << bytes.size();
    }
    write_file(file, whole);
    EXPECT_EQ(open()->loaded().torrents.size(), 300U);
}

TEST_F(sqlite_store_files, another_programs_database_is_refused) {
    {
        connection by;
        ASSERT_EQ(by.open(file.string(), true), SQLITE_OK);
        ASSERT_EQ(by.run("CREATE TABLE theirs(x)"), SQLITE_OK);
    }
    auto const before = contents(file);
    auto const refused = try_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().why, kind::damaged);
    EXPECT_EQ(contents(file), before);
}

TEST_F(sqlite_store_files, a_log_whose_file_is_gone_is_damage_and_stays) {
    write_file(folder / "ccbt.db-wal", "what was acknowledged");
    auto const refused = try_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().why, kind::damaged);
    EXPECT_EQ(contents(folder / "ccbt.db-wal"), "what was acknowledged");
    EXPECT_FALSE(fs::exists(file));
}

TEST_F(sqlite_store_files, a_folder_that_cannot_be_made_is_told_apart) {
    write_file(folder / "plain", "");
    auto const refused = sqlite_store::open({.on = on.get(), .directory = folder / "plain" / "state"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().why, kind::unwritable);
    EXPECT_EQ(refused.error().exit_code(), 73);
}

TEST_F(sqlite_store_files, what_a_creation_that_was_cut_short_left_is_no_hindrance) {
    write_file(folder / "ccbt.db.new", "half a store");
    EXPECT_TRUE(try_open());
    EXPECT_FALSE(fs::exists(folder / "ccbt.db.new"));
}

TEST_F(sqlite_store_files, first_seq_grows_strictly_over_restarts_clocks_and_restored_backups) {
    constexpr std::int64_t now = 1'800'000'000;
    std::vector<std::int64_t> seen;
    auto const run = [&](std::int64_t at) {
        auto store = open(at);
        seen.push_back(store->journal_loaded().first_seq);
        close(std::move(store));
    };
    run(now);
    EXPECT_EQ(seen[0], now << 20);
    auto const backup = contents(file);
    run(now);        // in the same second
    run(now - 5000); // the clock was set back
    open(now);       // and a run that was killed
    run(now);
    run(now + 60);
    write_file(file, backup);
    run(now + 61);
    for (std::size_t i = 1; i < seen.size(); ++i)
        EXPECT_GE(seen[i] - seen[i - 1], std::int64_t{1} << 20) << i;
    EXPECT_EQ(seen[3] - seen[2], std::int64_t{2} << 20) << "the killed run's numbers were reserved too";
    EXPECT_LT(seen.back(), std::int64_t{1} << 53);
}

TEST_F(sqlite_store_files, an_answer_is_kept_for_a_day) {
    auto const now = static_cast<std::int64_t>(unix_now());
    auto store = open(now);
    ASSERT_EQ(commit_now(on, *store, {}, "the operation", "the answer"), outcome::committed);
    close(std::move(store));
    store = open(now + 23 * 3600);
    auto const kept = answer_now(on, *store, "the operation");
    ASSERT_NE(kept, nullptr);
    EXPECT_EQ(*kept, "the answer");
    close(std::move(store));
    store = open(now + 25 * 3600);
    EXPECT_EQ(answer_now(on, *store, "the operation"), nullptr);
    close(std::move(store));
    store = open(now);
    EXPECT_EQ(answer_now(on, *store, "the operation"), nullptr) << "it is gone, not hidden";
    close(std::move(store));
}

TEST_F(sqlite_store_files, a_damaged_answer_is_none) {
    {
        auto store = open();
        ASSERT_EQ(commit_now(on, *store, {}, "the operation", "the answer"), outcome::committed);
        close(std::move(store));
    }
    change_file("UPDATE operations SET answer=x'00'");
    auto store = open();
    EXPECT_EQ(answer_now(on, *store, "the operation"), nullptr);
    close(std::move(store));
}

TEST_F(sqlite_store_files, a_store_of_version_3_gets_its_answers) {
    fill(2);
    change_file("DROP TABLE operations; "
                "CREATE TABLE operations(id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID; "
                "CREATE INDEX operations_at ON operations(at); INSERT INTO operations VALUES('old',1); "
                "PRAGMA user_version=3");
    auto store = open();
    EXPECT_EQ(store->loaded().torrents.size(), 2U);
    ASSERT_EQ(commit_now(on, *store, {}, "the operation", "the answer"), outcome::committed);
    EXPECT_EQ(*answer_now(on, *store, "the operation"), "the answer");
    EXPECT_EQ(answer_now(on, *store, "old"), nullptr);
    close(std::move(store));
    EXPECT_TRUE(fs::exists(folder / "ccbt.db.version-3.backup"));
}

constexpr char const* made_up_0 = "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT); CREATE TABLE old(x);"
                                  "INSERT INTO old VALUES(42)";

TEST_F(sqlite_store_files, an_older_version_is_brought_up_with_a_backup) {
    ASSERT_FALSE(create_database(file, {97, made_up_0, {}}));
    migration const steps[] = {{97, "ALTER TABLE old RENAME TO fresh"}, {98, "UPDATE fresh SET x=x+1"}};
    bool clean = true;
    std::int64_t value = 0;
    {
        connection up;
        auto const refused = open_database(up, file, {99, "", steps}, clean);
        ASSERT_FALSE(refused) << refused->message;
        ASSERT_EQ(up.query_integer("SELECT x FROM fresh", value), SQLITE_OK);
        EXPECT_EQ(value, 43);
        ASSERT_EQ(up.query_integer("PRAGMA user_version", value), SQLITE_OK);
        EXPECT_EQ(value, 99);
    }
    auto const kept = folder / "ccbt.db.version-97.backup";
    EXPECT_EQ(mode_of(kept), 0600U);
    connection old;
    auto const refused = open_database(old, kept, {97, "", {}}, clean);
    ASSERT_FALSE(refused) << refused->message;
    ASSERT_EQ(old.query_integer("SELECT x FROM old", value), SQLITE_OK);
    EXPECT_EQ(value, 42);
    EXPECT_EQ(try_open().error().why, kind::newer) << "version 99 is not ours yet";
}

TEST_F(sqlite_store_files, a_store_of_version_1_gets_its_lists) {
    fill(2);
    change_file("DROP TABLE lists; DROP TABLE keys; PRAGMA user_version=1");
    auto const range = *ip_range::parse("10.0.0.0/8");
    {
        auto store = open();
        EXPECT_EQ(store->loaded().torrents.size(), 2U);
        put_list_entry const entry{model::address_list::whitelist, {range, "ours", 5}};
        ASSERT_EQ(commit_now(on, *store, {entry}), outcome::committed);
        close(std::move(store));
    }
    auto const lists = open()->loaded().lists;
    ASSERT_EQ(lists.size(), 1U);
    EXPECT_EQ(lists[0].entry, (model::list_entry{range, "ours", 5}));
    EXPECT_TRUE(fs::exists(folder / "ccbt.db.version-1.backup"));
}

TEST_F(sqlite_store_files, a_store_of_version_2_gets_its_keys) {
    fill(2);
    change_file("DROP TABLE keys; PRAGMA user_version=2");
    contract::access_key const key{.name = "phone", .id = {1}, .scopes = {contract::scope::read}};
    {
        auto store = open();
        EXPECT_EQ(store->loaded().torrents.size(), 2U);
        ASSERT_EQ(commit_now(on, *store, {put_key{key}}), outcome::committed);
        close(std::move(store));
    }
    EXPECT_EQ(open()->loaded().keys, (std::vector{key}));
    EXPECT_TRUE(fs::exists(folder / "ccbt.db.version-2.backup"));
}

TEST_F(sqlite_store_files, a_migration_that_fails_changes_nothing_and_keeps_earlier_backups) {
    ASSERT_FALSE(create_database(file, {0, made_up_0, {}}));
    migration const steps[] = {{0, "UPDATE old SET x=1; SELECT nothing FROM nowhere"}};
    bool clean = true;
    std::int64_t value = 0;
    for (int round = 0; round < 2; ++round) {
        connection up;
        EXPECT_TRUE(open_database(up, file, {1, "", steps}, clean));
    }
    connection old;
    ASSERT_FALSE(open_database(old, file, {0, "", {}}, clean));
    ASSERT_EQ(old.query_integer("SELECT x FROM old", value), SQLITE_OK);
    EXPECT_EQ(value, 42);
    EXPECT_TRUE(fs::exists(folder / "ccbt.db.version-0.backup"));
    EXPECT_TRUE(fs::exists(folder / "ccbt.db.version-0.backup-1"));
}

} // namespace
} // namespace ccbt::store
