// One suite for every store there is: what is promised by truth.hpp and journal.hpp, whatever stands behind
// them.
#include "store/memory_store.hpp"
#include "store/sqlite_store.hpp"
#include "store/store_test_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::store {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;

struct memory_world {
    loop_thread on;
    memory_store kept{on.get()};

    truth& asks() { return kept; }
    journal& notes() { return kept; }
    std::pair<snapshot, journal_snapshot> restart() {
        std::pair<snapshot, journal_snapshot> out;
        on.on_loop([&] { out = {kept.asked_now(), kept.done_now()}; });
        return out;
    }
};

struct sqlite_world {
    temporary_folder folder;
    loop_thread on;
    std::unique_ptr<sqlite_store> kept = open();

    std::unique_ptr<sqlite_store> open() {
        auto made = sqlite_store::open({.on = on.get(), .directory = folder.path()});
        if (!made) throw std::runtime_error{made.error().message};
        return std::move(*made);
    }
    truth& asks() { return *kept; }
    journal& notes() { return *kept; }
    std::pair<snapshot, journal_snapshot> restart() {
        EXPECT_EQ(on.ask<outcome>([&](auto done) { kept->close(std::move(done)); }), outcome::committed);
        kept.reset();
        kept = open();
        return {kept->take_snapshot(), kept->take_journal_snapshot()};
    }
};

template <class World> struct store_conformance : testing::Test {
    World world;
    std::mt19937_64 random{20250};

    outcome commit_these(std::vector<change> changes, std::string operation = {}) {
        return commit_now(world.on, world.asks(), std::move(changes), std::move(operation));
    }
    std::shared_ptr<torrent_asked const> add() {
        auto made = shared(some_torrent(random));
        EXPECT_EQ(commit_these({put_torrent{made}}), outcome::committed);
        return made;
    }
};

using worlds = testing::Types<memory_world, sqlite_world>;
TYPED_TEST_SUITE(store_conformance, worlds);

TYPED_TEST(store_conformance, a_torrent_put_comes_back_as_it_was) {
    auto const one = this->add();
    auto const [asked, done] = this->world.restart();
    ASSERT_EQ(asked.torrents.size(), 1U);
    EXPECT_EQ(*asked.torrents[0], *one);
    EXPECT_THAT(done.torrents, IsEmpty());
}

TYPED_TEST(store_conformance, a_second_put_of_an_id_replaces_the_first) {
    auto changed = *this->add();
    changed.paused = !changed.paused;
    changed.labels = {"linux", ""};
    changed.hashes = {some_hash(this->random, 20), some_hash(this->random, 32)};
    ASSERT_EQ(this->commit_these({put_torrent{shared(changed)}}), outcome::committed);
    auto const asked = this->world.restart().first;
    ASSERT_EQ(asked.torrents.size(), 1U);
    EXPECT_EQ(*asked.torrents[0], changed);
}

TYPED_TEST(store_conformance, a_hash_that_was_given_up_is_free_again) {
    auto const one = this->add();
    auto moved = *one;
    moved.hashes = {some_hash(this->random, 20), {}};
    auto other = some_torrent(this->random);
    other.hashes = one->hashes;
    EXPECT_EQ(
        this->commit_these({put_torrent{shared(moved)}, put_torrent{shared(other)}}), outcome::committed);
}

TYPED_TEST(store_conformance, a_forgotten_torrent_is_gone_with_its_metainfo_and_resume_data) {
    auto const one = this->add();
    ASSERT_EQ(this->commit_these({put_metainfo{one->id, text("d4:infoe")}}), outcome::committed);
    ASSERT_EQ(
        keep_now(this->world.on, this->world.notes(), {{{.id = one->id}, text("resume")}}),
        outcome::committed);
    ASSERT_EQ(this->commit_these({forget_torrent{one->id}}), outcome::committed);
    EXPECT_EQ(metainfo_now(this->world.on, this->world.asks(), one->id), nullptr);
    EXPECT_EQ(resume_now(this->world.on, this->world.notes(), one->id), nullptr);
    auto const [asked, done] = this->world.restart();
    EXPECT_THAT(asked.torrents, IsEmpty());
    EXPECT_THAT(done.torrents, IsEmpty());
    EXPECT_EQ(this->commit_these({put_torrent{one}}), outcome::committed) << "its hashes are free again";
    EXPECT_EQ(metainfo_now(this->world.on, this->world.asks(), one->id), nullptr);
}

TYPED_TEST(store_conformance, a_checkpoint_outlives_its_torrent_until_it_is_taken_away) {
    auto const one = this->add();
    auto const hash = one->hashes.canonical();
    auto const kept = [&] {
        return this->world.on.template ask<std::shared_ptr<std::string const>>(
            [&](auto done) { this->world.asks().load_checkpoint(hash, std::move(done)); });
    };
    EXPECT_EQ(kept(), nullptr);
    ASSERT_EQ(
        this->commit_these({keep_checkpoint{hash, text("first")}, forget_torrent{one->id}}),
        outcome::committed);
    ASSERT_EQ(this->commit_these({keep_checkpoint{hash, text("second")}}), outcome::committed);
    ASSERT_TRUE(kept());
    EXPECT_EQ(*kept(), "second");
    ASSERT_EQ(this->commit_these({keep_checkpoint{hash, nullptr}}), outcome::committed);
    EXPECT_EQ(kept(), nullptr);
}

TYPED_TEST(store_conformance, forgetting_what_is_not_there_is_no_error) {
    EXPECT_EQ(this->commit_these({forget_torrent{{1, 2}}}), outcome::committed);
}

TYPED_TEST(store_conformance, a_v1_hash_of_another_torrent_is_a_conflict) {
    auto one = some_torrent(this->random), two = some_torrent(this->random);
    one.hashes = {some_hash(this->random, 20), some_hash(this->random, 32)};
    two.hashes = {one.hashes.v1, {}};
    ASSERT_EQ(this->commit_these({put_torrent{shared(one)}}), outcome::committed);
    EXPECT_EQ(this->commit_these({put_torrent{shared(two)}}), outcome::conflict);
    EXPECT_EQ(this->world.restart().first.torrents.size(), 1U);
}

TYPED_TEST(store_conformance, a_v2_hash_of_another_torrent_is_a_conflict) {
    auto one = some_torrent(this->random), two = some_torrent(this->random);
    one.hashes = {{}, some_hash(this->random, 32)};
    two.hashes = {some_hash(this->random, 20), one.hashes.v2};
    ASSERT_EQ(this->commit_these({put_torrent{shared(one)}}), outcome::committed);
    EXPECT_EQ(this->commit_these({put_torrent{shared(two)}}), outcome::conflict);
    auto const asked = this->world.restart().first;
    ASSERT_EQ(asked.torrents.size(), 1U);
    EXPECT_EQ(*asked.torrents[0], one);
}

TYPED_TEST(store_conformance, a_commit_with_a_conflict_applies_nothing_of_it) {
    auto const one = this->add();
    ASSERT_EQ(
        keep_now(this->world.on, this->world.notes(), {{{.id = one->id, .downloaded = 7}, nullptr}}),
        outcome::committed);
    ASSERT_EQ(
        this->commit_these(
            {put_metainfo{one->id, text("first")}, put_setting{"limits.global_up_kib", "10"},
             intend_deletion{{9, 9}, "/srv", {"a"}}, put_root{{{5, 5}, "/srv"}}}),
        outcome::committed);
    auto fresh = some_torrent(this->random), twin = some_torrent(this->random);
    twin.hashes = fresh.hashes;
    EXPECT_EQ(
        this->commit_these(
            {put_torrent{shared(fresh)}, put_metainfo{fresh.id, text("x")},
             put_metainfo{one->id, text("second")}, forget_torrent{one->id},
             put_setting{"limits.global_up_kib", ""}, put_setting{"queue.max", "1"}, deletion_done{{9, 9}},
             put_root{{{5, 5}, "/mnt"}}, put_torrent{shared(twin)}},
            "an operation"),
        outcome::conflict);
    EXPECT_EQ(*metainfo_now(this->world.on, this->world.asks(), one->id), "first");
    auto const [asked, done] = this->world.restart();
    ASSERT_EQ(asked.torrents.size(), 1U);
    EXPECT_EQ(*asked.torrents[0], *one);
    EXPECT_THAT(
        asked.settings, ElementsAre(std::pair<std::string, std::string>{"limits.global_up_kib", "10"}));
    ASSERT_EQ(asked.deletions.size(), 1U);
    EXPECT_THAT(asked.roots, ElementsAre(model::storage_root{{5, 5}, "/srv"}));
    EXPECT_THAT(done.torrents, ElementsAre(model::torrent_done{.id = one->id, .downloaded = 7}));
    EXPECT_EQ(done.removed_downloaded, 0);
    EXPECT_EQ(answer_now(this->world.on, this->world.asks(), "an operation"), nullptr)
        << "what was not done has no answer";
}

TYPED_TEST(store_conformance, the_changes_of_a_commit_apply_in_their_order) {
    auto const one = this->add();
    auto twin = some_torrent(this->random);
    twin.hashes = one->hashes;
    ASSERT_EQ(
        this->commit_these(
            {forget_torrent{one->id}, put_torrent{shared(twin)}, put_setting{"queue.max", "1"},
             put_setting{"queue.max", "2"}}),
        outcome::committed);
    auto const asked = this->world.restart().first;
    ASSERT_EQ(asked.torrents.size(), 1U);
    EXPECT_EQ(*asked.torrents[0], twin);
    EXPECT_THAT(asked.settings, ElementsAre(std::pair<std::string, std::string>{"queue.max", "2"}));
}

TYPED_TEST(store_conformance, an_answer_is_kept_with_its_commit_and_the_last_one_counts) {
    auto& on = this->world.on;
    EXPECT_EQ(answer_now(on, this->world.asks(), "0123456789abcdef"), nullptr);
    std::string const bytes{"an answer\0of any bytes", 22};
    EXPECT_EQ(
        commit_now(on, this->world.asks(), {put_setting{"a", "1"}}, "0123456789abcdef", "first"),
        outcome::committed);
    EXPECT_EQ(commit_now(on, this->world.asks(), {}, "0123456789abcdef", bytes), outcome::committed);
    EXPECT_EQ(this->world.restart().first.settings.size(), 1U);
    auto const kept = answer_now(on, this->world.asks(), "0123456789abcdef");
    ASSERT_NE(kept, nullptr);
    EXPECT_EQ(*kept, bytes);
    EXPECT_EQ(answer_now(on, this->world.asks(), "0123456789abcdeg"), nullptr);
}

TYPED_TEST(store_conformance, commits_without_an_operation_are_all_applied) {
    EXPECT_EQ(this->commit_these({put_setting{"a", "1"}}), outcome::committed);
    EXPECT_EQ(this->commit_these({put_setting{"b", "2"}}), outcome::committed);
    EXPECT_EQ(this->world.restart().first.settings.size(), 2U);
}

TYPED_TEST(store_conformance, metainfo_and_resume_data_come_back_byte_for_byte) {
    auto const one = this->add(), two = this->add();
    auto const metainfo = some_bytes(this->random, 3'000'000), resume = some_bytes(this->random, 5'000);
    ASSERT_EQ(
        this->commit_these({put_metainfo{one->id, text(metainfo)}, put_metainfo{two->id, text("")}}),
        outcome::committed);
    model::torrent_done const done{
        .id = one->id, .progress = 0.25, .downloaded = 1, .uploaded = 2, .completed_at = 3.5};
    ASSERT_EQ(
        keep_now(this->world.on, this->world.notes(), {{done, text(resume)}, {{.id = two->id}, nullptr}}),
        outcome::committed);
    auto const kept = this->world.restart().second;
    EXPECT_THAT(kept.torrents, testing::UnorderedElementsAre(done, model::torrent_done{.id = two->id}));
    EXPECT_EQ(*metainfo_now(this->world.on, this->world.asks(), one->id), metainfo);
    EXPECT_EQ(*metainfo_now(this->world.on, this->world.asks(), two->id), "");
    EXPECT_EQ(*resume_now(this->world.on, this->world.notes(), one->id), resume);
    EXPECT_EQ(resume_now(this->world.on, this->world.notes(), two->id), nullptr);
    EXPECT_EQ(metainfo_now(this->world.on, this->world.asks(), {4, 4}), nullptr);
}

TYPED_TEST(store_conformance, a_null_resume_leaves_the_stored_one_and_a_new_one_replaces_it) {
    auto const one = this->add();
    auto& notes = this->world.notes();
    ASSERT_EQ(
        keep_now(this->world.on, notes, {{{.id = one->id, .progress = 0.1}, text("old")}}),
        outcome::committed);
    ASSERT_EQ(
        keep_now(this->world.on, notes, {{{.id = one->id, .progress = 0.2}, nullptr}}), outcome::committed);
    EXPECT_EQ(*resume_now(this->world.on, notes, one->id), "old");
    ASSERT_EQ(
        keep_now(this->world.on, notes, {{{.id = one->id, .progress = 0.3}, text("new")}}),
        outcome::committed);
    EXPECT_EQ(*resume_now(this->world.on, notes, one->id), "new");
    EXPECT_THAT(
        this->world.restart().second.torrents,
        ElementsAre(model::torrent_done{.id = one->id, .progress = 0.3}));
}

TYPED_TEST(store_conformance, what_is_kept_of_a_torrent_that_is_gone_is_dropped) {
    auto const one = this->add();
    ASSERT_EQ(
        this->commit_these({forget_torrent{one->id}, put_metainfo{one->id, text("late")}}),
        outcome::committed);
    EXPECT_EQ(
        keep_now(this->world.on, this->world.notes(), {{{.id = one->id}, text("late")}}), outcome::committed);
    EXPECT_EQ(resume_now(this->world.on, this->world.notes(), one->id), nullptr);
    EXPECT_EQ(metainfo_now(this->world.on, this->world.asks(), one->id), nullptr);
    EXPECT_THAT(this->world.restart().second.torrents, IsEmpty());
}

TYPED_TEST(store_conformance, many_are_loaded_in_the_order_asked) {
    std::vector<torrent_id> ids;
    for (int i = 0; i < 20; ++i) {
        ids.push_back(this->add()->id);
        ASSERT_EQ(
            this->commit_these({put_metainfo{ids.back(), text("m" + std::to_string(i))}}),
            outcome::committed);
    }
    ASSERT_EQ(
        keep_now(this->world.on, this->world.notes(), {{{.id = ids[3]}, text("r3")}}), outcome::committed);
    std::vector<torrent_id> const wanted{ids[7], {1, 1}, ids[3], ids[7]};
    using many = std::vector<journal::stored>;
    auto const got = this->world.on.template ask<many>(
        [&](auto done) { this->world.notes().load_many(wanted, std::move(done)); });
    ASSERT_EQ(got.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(got[i].id, wanted[i]);
    EXPECT_EQ(*got[0].metainfo, "m7");
    EXPECT_EQ(got[0].resume, nullptr);
    EXPECT_EQ(got[1].metainfo, nullptr);
    EXPECT_EQ(*got[2].metainfo, "m3");
    EXPECT_EQ(*got[2].resume, "r3");
    EXPECT_EQ(*got[3].metainfo, "m7");
}

TYPED_TEST(store_conformance, torrents_come_back_by_queue_order_then_by_time) {
    std::vector<std::pair<std::int64_t, double>> const places{{5, 1}, {-1, 9}, {5, 0.5}, {2, 3}};
    for (auto const& [order, at] : places) {
        auto t = some_torrent(this->random);
        t.queue_order = order;
        t.added_at = at;
        ASSERT_EQ(this->commit_these({put_torrent{shared(t)}}), outcome::committed);
    }
    std::vector<std::pair<std::int64_t, double>> seen;
    for (auto const& t : this->world.restart().first.torrents) seen.emplace_back(t->queue_order, t->added_at);
    EXPECT_THAT(
        seen, ElementsAre(std::pair{-1L, 9.0}, std::pair{2L, 3.0}, std::pair{5L, 0.5}, std::pair{5L, 1.0}));
}

TYPED_TEST(store_conformance, settings_are_laid_over_and_taken_away) {
    ASSERT_EQ(
        this->commit_these({put_setting{"b", "[1]"}, put_setting{"a", "\"x\""}, put_setting{"c", "1"}}),
        outcome::committed);
    ASSERT_EQ(
        this->commit_these({put_setting{"c", ""}, put_setting{"never", ""}, put_setting{"b", "[2]"}}),
        outcome::committed);
    using entry = std::pair<std::string, std::string>;
    EXPECT_THAT(this->world.restart().first.settings, ElementsAre(entry{"a", "\"x\""}, entry{"b", "[2]"}));
}

TYPED_TEST(store_conformance, roots_come_back_and_may_move) {
    ASSERT_EQ(
        this->commit_these({put_root{{{1, 1}, "/srv/a"}}, put_root{{{2, 2}, "/srv/b"}}}), outcome::committed);
    ASSERT_EQ(this->commit_these({put_root{{{1, 1}, "/mnt/a"}}}), outcome::committed);
    EXPECT_THAT(
        this->world.restart().first.roots,
        ElementsAre(model::storage_root{{1, 1}, "/mnt/a"}, model::storage_root{{2, 2}, "/srv/b"}));
}

TYPED_TEST(store_conformance, a_deletion_is_known_until_it_is_done) {
    auto const one = this->add();
    intend_deletion const intent{one->id, "/srv/\xff root", {"a/b", "", std::string("nul\0 byte", 9)}};
    ASSERT_EQ(
        this->commit_these({forget_torrent{one->id}, intent, intend_deletion{{8, 8}, "/x", {}}}),
        outcome::committed);
    ASSERT_EQ(this->commit_these({deletion_done{{8, 8}}, deletion_done{{7, 7}}}), outcome::committed);
    auto const begun = this->world.restart().first.deletions;
    ASSERT_EQ(begun.size(), 1U);
    EXPECT_EQ(begun[0].id, intent.id);
    EXPECT_EQ(begun[0].root_path, intent.root_path);
    EXPECT_EQ(begun[0].files, intent.files);
    ASSERT_EQ(this->commit_these({deletion_done{one->id}}), outcome::committed);
    EXPECT_THAT(this->world.restart().first.deletions, IsEmpty());
}

TYPED_TEST(store_conformance, list_entries_come_back_with_reason_and_time_and_may_go) {
    using model::address_list;
    auto const range = [](char const* text) { return *ip_range::parse(text); };
    auto const lists = [&] {
        std::vector<std::string> out;
        for (auto const& [list, entry] : this->world.restart().first.lists)
            out.push_back(
                (list == address_list::blacklist ? "black " : "white ") + entry.range.text() + ' ' +
                entry.reason + ' ' + std::to_string(entry.added_at));
        return out;
    };
    ASSERT_EQ(
        this->commit_these(
            {put_list_entry{address_list::whitelist, {range("10.0.0.5"), "a friend", 3.5}},
             put_list_entry{address_list::blacklist, {range("2001:db8::/32"), "", 2}},
             put_list_entry{address_list::blacklist, {range("10.0.0.0/8"), "noise", 1}},
             put_list_entry{address_list::blacklist, {range("9.9.9.9"), "gone", 1}},
             remove_list_entry{address_list::blacklist, range("9.9.9.9")},
             remove_list_entry{address_list::whitelist, range("10.0.0.0/8")}}),
        outcome::committed);
    EXPECT_THAT(
        lists(), ElementsAre(
                     "black 10.0.0.0/8 noise 1.000000", "black 2001:db8::/32  2.000000",
                     "white 10.0.0.5 a friend 3.500000"));
    ASSERT_EQ(
        this->commit_these(
            {put_list_entry{address_list::blacklist, {range("10.0.0.0/8"), "more noise", 1}},
             remove_list_entry{address_list::blacklist, range("2001:db8::/32")}}),
        outcome::committed);
    EXPECT_THAT(
        lists(), ElementsAre("black 10.0.0.0/8 more noise 1.000000", "white 10.0.0.5 a friend 3.500000"));
}

TYPED_TEST(store_conformance, keys_come_back_whole_and_a_revoked_one_is_not_brought_back_by_its_use) {
    using contract::scope;
    contract::access_key phone{
        .name = "phone", .id = crypto::sha256("a secret"), .scopes = {scope::read, scope::remove}};
    phone.created_at = 1.5;
    phone.expires_at = 2.5;
    contract::access_key const laptop{.name = "laptop", .signs = true, .id = {7}, .scopes = {scope::admin}};
    ASSERT_EQ(this->commit_these({put_key{phone}, put_key{laptop}}), outcome::committed);
    EXPECT_THAT(this->world.restart().first.keys, ElementsAre(laptop, phone));
    phone.last_used = 2;
    ASSERT_EQ(this->commit_these({note_key_use{phone}}), outcome::committed);
    EXPECT_THAT(this->world.restart().first.keys, ElementsAre(laptop, phone));
    ASSERT_EQ(
        this->commit_these({drop_key{"phone"}, drop_key{"nobody"}, note_key_use{phone}}), outcome::committed);
    EXPECT_THAT(this->world.restart().first.keys, ElementsAre(laptop));
    auto other = phone;
    other.id = crypto::sha256("another secret");
    ASSERT_EQ(this->commit_these({put_key{other}, note_key_use{phone}}), outcome::committed);
    EXPECT_THAT(this->world.restart().first.keys, ElementsAre(laptop, other))
        << "another key by the same name";
}

TYPED_TEST(store_conformance, the_totals_of_removed_torrents_can_be_raised_and_never_lowered) {
    auto const one = this->add();
    ASSERT_EQ(
        keep_now(
            this->world.on, this->world.notes(),
            {{{.id = one->id, .downloaded = 100, .uploaded = 5}, nullptr}}),
        outcome::committed);
    ASSERT_EQ(this->commit_these({forget_torrent{one->id}}), outcome::committed);
    ASSERT_EQ(this->commit_these({raise_removed_totals{70, 9}}), outcome::committed);
    ASSERT_EQ(this->commit_these({raise_removed_totals{70, 9}}), outcome::committed);
    auto const done = this->world.restart().second;
    EXPECT_EQ(done.removed_downloaded, 100);
    EXPECT_EQ(done.removed_uploaded, 9);
}

TYPED_TEST(store_conformance, what_removed_torrents_moved_stays_in_the_totals) {
    auto const one = this->add(), two = this->add(), three = this->add();
    ASSERT_EQ(
        keep_now(
            this->world.on, this->world.notes(),
            {{{.id = one->id, .downloaded = 100, .uploaded = 1}, nullptr},
             {{.id = two->id, .downloaded = 20, .uploaded = 2}, nullptr},
             {{.id = three->id, .downloaded = 3, .uploaded = 3}, nullptr}}),
        outcome::committed);
    ASSERT_EQ(this->commit_these({forget_torrent{one->id}, forget_torrent{one->id}}), outcome::committed);
    ASSERT_EQ(this->commit_these({forget_torrent{two->id}}), outcome::committed);
    auto const done = this->world.restart().second;
    EXPECT_EQ(done.removed_downloaded, 120);
    EXPECT_EQ(done.removed_uploaded, 3);
    EXPECT_EQ(done.torrents.size(), 1U);
}

TYPED_TEST(store_conformance, lineage_and_node_are_32_hex_digits_and_stay) {
    auto const first = this->world.restart().first, second = this->world.restart().first;
    EXPECT_THAT(first.lineage, testing::MatchesRegex("[0-9a-f]{32}"));
    EXPECT_THAT(first.node_id, testing::MatchesRegex("[0-9a-f]{32}"));
    EXPECT_NE(first.lineage, first.node_id);
    EXPECT_EQ(first.lineage, second.lineage);
    EXPECT_EQ(first.node_id, second.node_id);
}

TYPED_TEST(store_conformance, an_answer_never_comes_from_within_the_call) {
    auto& on = this->world.on;
    bool early = true;
    on.template ask<bool>([&](auto done) {
        auto inside = std::make_shared<bool>(true);
        this->world.asks().commit_change(
            {{}, {put_setting{"a", "1"}}}, [&early, inside, done](outcome) mutable {
                early = *inside;
                done(true);
            });
        *inside = false;
    });
    EXPECT_FALSE(early);
}

TYPED_TEST(store_conformance, the_counters_count_what_was_asked) {
    auto const before = this->world.notes().counters();
    for (int i = 0; i < 3; ++i)
        ASSERT_EQ(this->commit_these({put_setting{"a", "1"}, put_setting{"b", "2"}}), outcome::committed);
    auto const after = this->world.notes().counters();
    EXPECT_EQ(after.changes - before.changes, 3);
    EXPECT_EQ(after.commits - before.commits, 3);
    EXPECT_EQ(after.failed, before.failed);
}

} // namespace
} // namespace ccbt::store
