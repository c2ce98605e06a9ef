// Nothing acknowledged is lost: kills, full disks, failed fsyncs, and that an answer waits for the disk.
#include "store/sqlite_faulty_disk.hpp"
#include "store/sqlite_store.hpp"
#include "store/store_test_world.hpp"

#include <csignal>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <sys/wait.h>
#include <unistd.h>
#include <unordered_map>

namespace ccbt::store {
namespace {

using namespace test;

std::unique_ptr<sqlite_store> open_at(sqlite_store::options with) {
    auto made = sqlite_store::open(std::move(with));
    if (!made) throw std::runtime_error{made.error().message};
    return std::move(*made);
}

struct sqlite_store_disk : testing::Test {
    temporary_folder folder;
    faulty_disk disk;
    loop_thread on;
    std::mt19937_64 random{5};
    std::unique_ptr<sqlite_store> store = open_at({.on = on.get(), .directory = folder.path()});

    /// Asks for all of these in one turn of the loop.
    std::shared_ptr<std::vector<outcome>> ask_at_once(std::vector<commit> commits) {
        auto answers = std::make_shared<std::vector<outcome>>();
        on.on_loop([&] {
            for (auto& c : commits)
                store->commit_change(std::move(c), [answers](outcome o) { answers->push_back(o); });
        });
        return answers;
    }
    std::vector<outcome> all_of(std::shared_ptr<std::vector<outcome>> const& answers) {
        outcome_of_a_last_one = commit_now(on, *store, {put_setting{"last", "1"}}); // answered after them
        std::vector<outcome> out;
        on.on_loop([&] { out = *answers; });
        return out;
    }
    outcome outcome_of_a_last_one{};
    commit setting(int i) { return {{}, {put_setting{std::to_string(i), "1"}}}; }
};

TEST_F(sqlite_store_disk, no_answer_comes_before_the_disk_has_the_change) {
    disk.hold_syncs();
    auto const answers = ask_at_once({setting(0)});
    disk.wait_until_one_is_held();
    on.on_loop([] {});
    on.on_loop([&] { EXPECT_THAT(*answers, testing::IsEmpty()); });
    disk.let_go();
    EXPECT_THAT(all_of(answers), testing::ElementsAre(outcome::committed));
}

TEST_F(sqlite_store_disk, changes_that_wait_together_share_one_transaction_and_one_fsync) {
    disk.hold_syncs();
    auto const first = ask_at_once({setting(-1)});
    disk.wait_until_one_is_held();
    std::vector<commit> many;
    for (int i = 0; i < 1000; ++i) many.push_back(setting(i));
    auto const answers = ask_at_once(std::move(many));
    auto const before = store->counters();
    auto const syncs = disk.syncs.load();
    disk.let_go();
    EXPECT_THAT(all_of(answers), testing::AllOf(testing::SizeIs(1000), testing::Each(outcome::committed)));
    auto const after = store->counters();
    EXPECT_LE(after.commits - before.commits, 3) << "the one held, the thousand, the last one";
    EXPECT_EQ(after.changes - before.changes, 1002);
    EXPECT_LE(disk.syncs - syncs, 3);
    EXPECT_GT(after.commit_seconds, 0.0);
}

TEST_F(sqlite_store_disk, a_conflict_in_a_transaction_takes_no_other_commit_with_it) {
    auto const one = shared(some_torrent(random));
    auto twin = some_torrent(random);
    twin.hashes = one->hashes;
    disk.hold_syncs();
    ask_at_once({setting(0)});
    disk.wait_until_one_is_held();
    auto const answers = ask_at_once(
        {setting(1),
         {{}, {put_torrent{one}}},
         {{}, {put_setting{"lost", "1"}, put_torrent{shared(twin)}}},
         setting(2)});
    disk.let_go();
    EXPECT_THAT(
        all_of(answers),
        testing::ElementsAre(outcome::committed, outcome::committed, outcome::conflict, outcome::committed));
    EXPECT_EQ(store->counters().failed, 0);
    store.reset();
    store = open_at({.on = on.get(), .directory = folder.path()});
    EXPECT_EQ(store->loaded().torrents.size(), 1U);
    std::vector<std::string> keys;
    for (auto const& [key, json] : store->loaded().settings) keys.push_back(key);
    EXPECT_THAT(keys, testing::ElementsAre("0", "1", "2", "last"));
}

TEST_F(sqlite_store_disk, a_transaction_is_bounded) {
    store.reset();
    store = open_at({.on = on.get(), .directory = folder.path(), .group_changes = 100});
    disk.hold_syncs();
    ask_at_once({setting(-1)});
    disk.wait_until_one_is_held();
    std::vector<commit> many;
    for (int i = 0; i < 1000; ++i) many.push_back(setting(i));
    auto const answers = ask_at_once(std::move(many));
    disk.let_go();
    EXPECT_THAT(all_of(answers), testing::SizeIs(1000));
    EXPECT_GE(store->counters().commits, 20); // a commit and its change weigh two
}

TEST_F(sqlite_store_disk, past_the_bound_of_what_waits_a_change_is_refused_and_reads_are_not) {
    store.reset();
    store = open_at({.on = on.get(), .directory = folder.path(), .waiting_requests = 4});
    disk.hold_syncs();
    ask_at_once({setting(0)});
    disk.wait_until_one_is_held();
    ask_at_once({setting(1), setting(2), setting(3), setting(4)});
    EXPECT_EQ(commit_now(on, *store, {put_setting{"refused", "1"}}), outcome::unavailable);
    disk.let_go();
    EXPECT_EQ(metainfo_now(on, *store, {1, 1}), nullptr);
    EXPECT_EQ(commit_now(on, *store, {put_setting{"taken", "1"}}), outcome::committed);
    store.reset();
    store = open_at({.on = on.get(), .directory = folder.path()});
    EXPECT_EQ(store->loaded().settings.size(), 6U);
}

TEST_F(sqlite_store_disk, a_full_disk_refuses_a_change_and_takes_the_next_when_there_is_space) {
    auto const one = shared(some_torrent(random)), two = shared(some_torrent(random));
    ASSERT_EQ(commit_now(on, *store, {put_torrent{one}}), outcome::committed);
    disk.file_limit = 0;
    EXPECT_EQ(commit_now(on, *store, {put_torrent{two}}, "op"), outcome::full);
    EXPECT_THAT(all_of(ask_at_once({setting(0), setting(1), setting(2)})), testing::Each(outcome::full));
    EXPECT_EQ(outcome_of_a_last_one, outcome::full);
    EXPECT_EQ(store->counters().failed, 5);
    EXPECT_EQ(metainfo_now(on, *store, one->id), nullptr) << "reads go on";
    disk.file_limit = faulty_disk::endless;
    EXPECT_EQ(commit_now(on, *store, {put_torrent{two}}, "op"), outcome::committed);
    store.reset();
    store = open_at({.on = on.get(), .directory = folder.path()});
    EXPECT_EQ(store->loaded().torrents.size(), 2U);
    EXPECT_THAT(store->loaded().settings, testing::IsEmpty());
}

TEST_F(sqlite_store_disk, what_still_fits_on_a_nearly_full_disk_is_taken) {
    auto const one = shared(some_torrent(random));
    disk.file_limit = 2'000'000;
    disk.hold_syncs();
    ask_at_once({setting(0)});
    disk.wait_until_one_is_held();
    // Twelve megabytes do not fit the page cache: SQLite meets the full disk in the middle of a statement.
    auto const answers = ask_at_once(
        {setting(1),
         {{}, {put_torrent{one}, put_metainfo{one->id, text(some_bytes(random, 12'000'000))}}},
         setting(2)});
    disk.let_go();
    EXPECT_THAT(all_of(answers), testing::ElementsAre(outcome::committed, outcome::full, outcome::committed));
    disk.file_limit = faulty_disk::endless;
    store.reset();
    store = open_at({.on = on.get(), .directory = folder.path()});
    EXPECT_THAT(store->loaded().torrents, testing::IsEmpty());
    EXPECT_EQ(store->loaded().settings.size(), 4U);
}

TEST_F(sqlite_store_disk, after_a_failed_fsync_no_change_is_taken_until_a_restart) {
    auto const one = shared(some_torrent(random));
    ASSERT_EQ(
        commit_now(on, *store, {put_torrent{one}, put_metainfo{one->id, text("m")}}), outcome::committed);
    disk.sync_fails_of = SQLITE_OPEN_WAL;
    EXPECT_EQ(commit_now(on, *store, {put_setting{"a", "1"}}), outcome::io_error);
    disk.sync_fails_of = 0;
    EXPECT_EQ(commit_now(on, *store, {put_setting{"b", "1"}}), outcome::io_error) << "the disk may have lied";
    EXPECT_EQ(keep_now(on, *store, {}), outcome::io_error);
    EXPECT_EQ(*metainfo_now(on, *store, one->id), "m") << "reads go on";
    EXPECT_EQ(on.ask<outcome>([&](auto done) { store->close(std::move(done)); }), outcome::io_error);
    store.reset();
    store = open_at({.on = on.get(), .directory = folder.path()});
    EXPECT_FALSE(store->loaded().clean);
    EXPECT_NE(find(store->loaded(), one->id), nullptr);
    EXPECT_EQ(commit_now(on, *store, {put_setting{"b", "1"}}), outcome::committed);
}

TEST_F(sqlite_store_disk, a_failed_fsync_while_the_log_goes_into_the_file_is_noticed) {
    auto const t = shared(some_torrent(random));
    disk.sync_fails_of = SQLITE_OPEN_MAIN_DB;
    EXPECT_EQ(
        commit_now(on, *store, {put_torrent{t}, put_metainfo{t->id, text(some_bytes(random, 18'000'000))}}),
        outcome::committed)
        << "the log has it";
    EXPECT_EQ(commit_now(on, *store, {put_setting{"a", "1"}}), outcome::io_error);
    disk.sync_fails_of = 0;
    EXPECT_EQ(commit_now(on, *store, {put_setting{"a", "1"}}), outcome::io_error) << "the disk may have lied";
    store.reset();
    store = open_at({.on = on.get(), .directory = folder.path()});
    EXPECT_NE(find(store->loaded(), t->id), nullptr);
    EXPECT_NE(metainfo_now(on, *store, t->id), nullptr);
}

// The ledger: a child commits and says what was acknowledged, and is killed.

struct entry {
    char what; // 'A'dded or 'R'emoved, both acknowledged
    std::uint64_t number;
};

torrent_asked torrent_number(std::uint64_t number) {
    std::mt19937_64 random{number};
    return some_torrent(random);
}
std::string metainfo_number(std::uint64_t number) {
    std::mt19937_64 random{~number};
    return some_bytes(random, 200 + number % 3000);
}

[[noreturn]] void commit_until_killed(std::filesystem::path const& folder, int ledger, std::uint64_t from) {
    loop on{1};
    auto const store = open_at({.on = on, .directory = folder});
    auto const tell = [ledger](char what, std::uint64_t number) {
        entry const e{what, number};
        if (::write(ledger, &e, sizeof e) != sizeof e) ::_exit(3);
    };
    std::function<void(std::uint64_t)> add = [&](std::uint64_t number) {
        auto const t = shared(torrent_number(number));
        store->commit_change(
            {{}, {put_torrent{t}, put_metainfo{t->id, text(metainfo_number(number))}}},
            [&, number, id = t->id](outcome how) {
                if (how != outcome::committed) ::_exit(4);
                tell('A', number);
                if (number % 2 == 0)
                    store->commit_change({{}, {forget_torrent{id}}}, [&, number](outcome gone) {
                        if (gone != outcome::committed) ::_exit(5);
                        tell('R', number);
                    });
                add(number + 32);
            });
    };
    on.post([&] {
        for (std::uint64_t i = 0; i < 32; ++i) add(from + i);
    });
    on.run();
    ::_exit(6);
}

TEST(sqlite_store, a_kill_at_any_moment_loses_nothing_acknowledged_and_brings_nothing_removed_back) {
    temporary_folder folder;
    std::mt19937_64 random{99};
    std::set<std::uint64_t> present, removed;
    std::size_t acknowledged = 0;
    for (std::uint64_t round = 0; round < 20; ++round) {
        int pipe[2];
        ASSERT_EQ(::pipe(pipe), 0);
        auto const child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(pipe[0]);
            commit_until_killed(folder.path(), pipe[1], round * 1'000'000);
        }
        ::close(pipe[1]);
        auto until = random() % 600;
        entry e{};
        std::size_t heard = 0;
        for (; ::read(pipe[0], &e, sizeof e) == sizeof e; ++heard) {
            if (heard == until) ::kill(child, SIGKILL);
            if (e.what == 'A' && e.number % 2 == 1) present.insert(e.number);
            if (e.what == 'R') removed.insert(e.number);
        }
        ::close(pipe[0]);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
            << "round " << round << " status " << status;
        acknowledged += heard;

        loop_thread on;
        auto const store = open_at({.on = on.get(), .directory = folder.path()});
        EXPECT_FALSE(store->loaded().clean);
        EXPECT_THAT(store->loaded().quarantined, testing::IsEmpty());
        std::unordered_map<torrent_id, torrent_asked const*> there;
        for (auto const& t : store->loaded().torrents) there.emplace(t->id, t.get());
        for (auto const number : present) {
            auto const wanted = torrent_number(number);
            auto const at = there.find(wanted.id);
            ASSERT_NE(at, there.end()) << "round " << round << " lost " << number;
            ASSERT_EQ(*at->second, wanted);
        }
        for (auto const number : removed)
            ASSERT_FALSE(there.contains(torrent_number(number).id)) << "back " << number;
        std::vector<torrent_id> ids;
        for (auto const& t : store->loaded().torrents) ids.push_back(t->id);
        using many = std::vector<journal::stored>;
        auto const stored = on.ask<many>([&](auto done) { store->load_many(ids, std::move(done)); });
        for (auto const& s : stored) ASSERT_NE(s.metainfo, nullptr) << "half a commit";
        for (auto const number : {*present.begin(), *present.rbegin()})
            ASSERT_EQ(*metainfo_now(on, *store, torrent_number(number).id), metainfo_number(number));
    }
    EXPECT_GT(acknowledged, 1000U);
    RecordProperty("acknowledged", static_cast<int>(acknowledged));
}

} // namespace
} // namespace ccbt::store
