// That the daemon ends in time, whatever waits, and that nothing it answered is lost by it.
#include "support/http_tracker.hpp"
#include "support/many_torrents.hpp"
#include "support/slow_disk.hpp"
#include "swarm/swarm.hpp"

#include <csignal>
#include <set>
#include <thread>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

constexpr int many = 10'000;
constexpr milliseconds stop_within{5000};

milliseconds stopped_after(daemon& what, int& code) {
    auto const began = clock::now();
    what.running().signal(SIGTERM);
    what.running().signal(SIGTERM);
    code = what.running().wait(milliseconds{20'000}).value_or(-1);
    return std::chrono::duration_cast<milliseconds>(clock::now() - began);
}

TEST(
    stop,
    ten_thousand_torrents_a_silent_tracker_a_slow_disk_and_busy_clients_end_within_5_s_and_lose_nothing) {
    swarm in;
    http_tracker silent;
    make_mixed_files(in.data("moving"), 96 * mib, 92);
    auto const moving = in.torrent_of(in.data("moving"));
    daemon const seeder{in.seeder()};
    seeder.add(moving);
    seeder.wait_until_seeding(moving.hash());

    auto plan = in.leecher({{"limits.global_down_kib", "16384"}});
    slow_disk const disk{plan, milliseconds{2000}};
    daemon of_many{std::move(plan)};
    of_many.add(moving); // first: behind thousands of announces that nobody answers its own would wait long
    of_many.wait_for(moving.hash(), has_progress(0.05));
    auto const hashes = add_many(of_many, {.count = many, .tracker = silent.url("silent")});
    disk.begin();

    // Clients that change things until nobody answers any more, each with a ledger of what was answered.
    std::set<std::string> paused, removed, added;
    auto const client = [&](int first, std::set<std::string>& ledger, auto deed) {
        return std::thread{[&, first, deed] {
            try {
                for (int n = first; n < first + 3000 && deed(n); ++n)
                    ledger.insert(hashes[static_cast<std::size_t>(n)]);
            } catch (std::exception const&) { // nobody listens any more
            }
        }};
    };
    auto const at = [&](int n) { return "/torrents/" + hashes[static_cast<std::size_t>(n)]; };
    std::vector<std::thread> clients;
    clients.push_back(client(0, paused, [&](int n) { return of_many.post(at(n) + "/pause").status == 200; }));
    clients.push_back(client(3000, removed, [&](int n) { return of_many.del(at(n)).status == 200; }));
    clients.emplace_back([&] {
        try {
            for (int n = many; n < many + 3000; ++n) {
                auto const said = of_many.post(
                    "/torrents/batch/add", batch_of_many({.first = n, .count = 1, .paused = true}));
                auto const results = said.json.list_or_empty("results");
                if (results.empty() || results.front().text_or("info_hash", "").empty()) return;
                added.emplace(results.front().text_or("info_hash", ""));
            }
        } catch (std::exception const&) {}
    });
    auto changed = of_many.events({"torrent_added", "torrent_removed"});
    for (int n = 0; n < 300; ++n) static_cast<void>(changed.next(milliseconds{10'000})); // they are at it

    auto const moved = of_many.row(moving.hash());
    int code = -1;
    auto const took = stopped_after(of_many, code);
    for (auto& one : clients) one.join();
    RecordProperty("stopped_after_ms", static_cast<int>(took.count()));
    EXPECT_EQ(code, 0) << of_many.log();
    EXPECT_LT(took, stop_within);
    EXPECT_FALSE(of_many.running().leaves_something());
    EXPECT_GT(paused.size(), 10U);
    EXPECT_GT(removed.size(), 10U);
    EXPECT_GT(added.size(), 10U);

    disk.end();
    of_many.start();
    auto const now = statuses_of(of_many);
    for (auto const& hash : paused) EXPECT_EQ(now.at(hash), "paused");
    for (auto const& hash : removed) EXPECT_FALSE(now.contains(hash));
    for (auto const& hash : added) EXPECT_TRUE(now.contains(hash));
    for (int n = 6000; n < many; ++n) ASSERT_TRUE(now.contains(hashes[static_cast<std::size_t>(n)])) << n;
    // What was written is found again; what the engine held for the slow disk comes again, and that is little.
    auto const held = 24.0 * mib / static_cast<double>(moving.size);
    of_many.wait_for(moving.hash(), has_progress(progress_of(moved) - held));
}

TEST(stop, a_disk_that_hangs_holds_nobody_up_and_what_it_took_unseen_is_found_again) {
    swarm in;
    make_mixed_files(in.data("hung"), 32 * mib, 93);
    auto const hung = in.torrent_of(in.data("hung"));
    daemon seeder{in.seeder()};
    seeder.add(hung);
    seeder.wait_until_seeding(hung.hash());
    auto plan = in.leecher({{"limits.global_down_kib", "8192"}});
    slow_disk const disk{plan, milliseconds{30'000}};
    daemon leecher{std::move(plan)};
    leecher.add(hung);
    leecher.wait_for(hung.hash(), has_progress(0.2));
    ASSERT_EQ(leecher.post("/torrents/export-state").status, 200); // which saves
    auto const before = leecher.wait_for(hung.hash(), has_progress(0.5));
    disk.begin();
    int code = -1;
    auto const took = stopped_after(leecher, code);
    EXPECT_EQ(code, 0);
    EXPECT_LT(took, stop_within);
    EXPECT_FALSE(leecher.running().leaves_something());
    ASSERT_EQ(seeder.terminate(), 0); // nothing can come from anywhere

    disk.end();
    leecher.start();
    auto const after = leecher.wait_for(hung.hash(), has_progress(progress_of(before) - 0.05));
    EXPECT_EQ(after.text_or("error", ""), "");
}

TEST(stop, a_state_on_a_disk_that_hangs_holds_nobody_up_and_has_what_was_answered) {
    swarm in;
    auto plan = in.seeder();
    slow_disk const disk{plan, milliseconds{30'000}, "state"};
    daemon of_few{std::move(plan)};
    auto const hashes = add_many(of_few, {.count = 20});
    wait_until_loaded(of_few);
    ASSERT_EQ(of_few.post("/torrents/" + hashes[3] + "/pause").status, 200);
    disk.begin();
    int code = -1;
    auto const took = stopped_after(of_few, code);
    EXPECT_EQ(code, 0);
    EXPECT_LT(took, stop_within);
    EXPECT_FALSE(of_few.running().leaves_something());
    disk.end();
    of_few.start();
    wait_until_loaded(of_few);
    auto const now = statuses_of(of_few);
    EXPECT_EQ(now.size(), 20U);
    EXPECT_EQ(now.at(hashes[3]), "paused");
    EXPECT_EQ(now.at(hashes[4]), "seeding");
}

} // namespace

} // namespace ccbt::support
