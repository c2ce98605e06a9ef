// What stays when the daemon stops, be it asked to or not, and what goes when a torrent is removed.
#include "swarm/swarm.hpp"

#include <csignal>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;

TEST(restart, a_killed_daemon_lists_its_torrent_at_once_and_goes_on_where_it_was) {
    swarm in;
    make_mixed_files(in.data("killed"), 192 * mib, 21);
    auto const what = in.torrent_of(in.data("killed"), {.piece_size = 1 << 18});
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());

    daemon leecher{
        in.leecher({{"limits.per_torrent_down_kib", "24576"}, {"daemon.auto_save_interval", "2"}})};
    leecher.add(what);
    auto const before = leecher.wait_for(what.hash(), has_progress(0.6));
    leecher.kill9();
    ASSERT_LT(progress_of(before), 1.0) << "it was to be killed in mid-download";

    leecher.plan().settings.erase("limits.per_torrent_down_kib");
    leecher.start();
    auto const after = leecher.row(what.hash());
    EXPECT_EQ(after.text_or("name", ""), "killed");
    EXPECT_GT(progress_of(after), 0.05) << to_text(after);

    leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(digests_of(leecher.downloads() / "killed"), digests_of(in.data("killed")));
    auto const stats = leecher.get("/session/stats").json;
    auto const missing = (1.0 - progress_of(before)) * static_cast<double>(what.size);
    EXPECT_LE(stats.find("stats")->number_or("session_downloaded", 1e18), missing + 64.0 * mib);
    // Pieces are found again by hashing, counters are not: lost is what came since the last save.
    EXPECT_GE(stats.number_or("total_downloaded", 0), static_cast<double>(what.size) - 64.0 * mib)
        << "a crash does not set the totals back";
    auto const sent =
        seeder.wait_for(what.hash(), [](value const& row) { return row.number_or("num_peers", 1) == 0; });
    auto const twice = sent.number_or("uploaded", 0) - static_cast<double>(what.size);
    RecordProperty("sent_twice_mib", static_cast<int>(twice / mib));
    EXPECT_LE(twice, 64.0 * mib);
}

// A power cut takes what no record claims, since it was not synced: so much is downloaded again.
TEST(restart, of_what_comes_at_128_mib_a_second_no_more_than_64_mib_is_not_recorded_yet) {
    swarm in;
    make_file(in.data("fast"), 600 * mib, 29);
    auto const what = in.torrent_of(in.data("fast"), {.piece_size = 1 << 18});
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    // A rate that disks keep up with: where they do not, as much more is unrecorded as comes during one save.
    daemon leecher{in.leecher({{"limits.per_torrent_down_kib", "131072"}})};
    auto const begun = std::chrono::steady_clock::now();
    leecher.add(what);
    leecher.wait_for(what.hash(), has_progress(0.4));
    leecher.kill9();
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begun;
    auto const sent =
        seeder.wait_for(what.hash(), [](value const& row) { return row.number_or("num_peers", 1) == 0; })
            .number_or("uploaded", 0);
    ASSERT_LT(sent, 600.0 * mib) << "it was to be killed in mid-download";
    auto const read =
        run({"python3", "-c",
             "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); "
             "print(c.execute('SELECT coalesce(max(downloaded),0) FROM journal').fetchone()[0]); c.close()",
             (leecher.state() / "ccbt.db").string()},
            milliseconds{20'000});
    ASSERT_EQ(read.code, 0) << read.err;
    auto const recorded = std::stod(read.out);
    RecordProperty("mib_per_second", static_cast<int>(sent / mib / took.count()));
    RecordProperty("not_recorded_mib", static_cast<int>((sent - recorded) / mib));
    EXPECT_GT(recorded, 0);
    EXPECT_LE(sent - recorded, 64.0 * mib) << "of " << sent / mib << " MiB in " << took.count() << " s";

    leecher.start();
    leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(sha256_of(leecher.downloads() / "fast"), sha256_of(in.data("fast")));
}

TEST(restart, totals_and_paused_flags_are_there_again) {
    swarm in;
    make_mixed_files(in.data("whole"), 20 * mib, 22);
    make_mixed_files(in.data("paused"), 1 * mib, 23);
    auto const whole = in.torrent_of(in.data("whole"));
    auto const paused = in.torrent_of(in.data("paused"));
    daemon seeder{in.seeder()};
    seeder.add(whole);
    seeder.wait_until_seeding(whole.hash());
    daemon leecher{in.leecher()};
    leecher.add(whole);
    leecher.add(paused, true);
    leecher.wait_until_seeding(whole.hash());
    auto const data = static_cast<double>(bytes_in(in.data("whole")));

    ASSERT_EQ(leecher.terminate(), 0);
    ASSERT_EQ(seeder.terminate(), 0);
    leecher.start();
    auto const row = leecher.row(whole.hash());
    EXPECT_EQ(progress_of(row), 1.0);
    EXPECT_GE(row.number_or("downloaded", 0), data);
    EXPECT_LT(row.number_or("downloaded", 0), data * 1.05);
    EXPECT_EQ(state_of(leecher.row(paused.hash())), "paused");
    auto const stats = leecher.get("/session/stats").json;
    EXPECT_EQ(stats.number_or("num_torrents", 0), 2);
    EXPECT_EQ(stats.number_or("num_paused", 0), 1);
    EXPECT_GE(stats.number_or("total_downloaded", 0), data);
    EXPECT_EQ(stats.find("stats")->number_or("session_downloaded", -1), 0);
    leecher.wait_until_seeding(whole.hash());

    seeder.start();
    EXPECT_GE(seeder.row(whole.hash()).number_or("uploaded", 0), data);
}

TEST(restart, a_paused_torrent_stands_still_until_it_is_resumed) {
    swarm in;
    make_mixed_files(in.data("slow"), 24 * mib, 24);
    auto const what = in.torrent_of(in.data("slow"));
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    daemon const leecher{in.leecher({{"limits.per_torrent_down_kib", "6144"}})};
    leecher.add(what);
    leecher.wait_for(what.hash(), has_progress(0.1));

    auto told = leecher.events({"torrent_status_changed"});
    auto const said = leecher.post("/torrents/" + what.hash() + "/pause");
    ASSERT_EQ(said.status, 200);
    EXPECT_EQ(said.json.text_or("status", ""), "paused");
    EXPECT_EQ(state_of(leecher.row(what.hash())), "paused");
    told.wait_for("torrent_status_changed", [&](value const& data) {
        return data.text_or("info_hash", "") == what.hash() && data.text_or("status", "") == "paused";
    });
    // Numbers are told once a second at most, so the last ones may come a little after the pause.
    deadline const settled{milliseconds{2000}};
    auto changes = leecher.events({"torrents_changed"});
    while (changes.next(settled)) {}
    auto const still = leecher.row(what.hash());
    EXPECT_EQ(still.number_or("num_peers", -1), 0);
    EXPECT_EQ(still.number_or("download_rate", -1), 0);
    deadline const a_while{milliseconds{2000}};
    while (changes.next(a_while)) {}
    auto const later = leecher.row(what.hash());
    EXPECT_EQ(state_of(later), "paused");
    EXPECT_EQ(later.number_or("downloaded", 0), still.number_or("downloaded", -1));
    EXPECT_LT(progress_of(later), 0.9) << "it would have been whole by now";

    auto const resumed = leecher.post("/torrents/" + what.hash() + "/resume");
    ASSERT_EQ(resumed.status, 200);
    EXPECT_EQ(resumed.json.text_or("status", ""), "resumed");
    leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(digests_of(leecher.downloads() / "slow"), digests_of(in.data("slow")));
}

TEST(restart, a_torrent_removed_with_its_data_leaves_nothing_but_what_was_not_its_own) {
    swarm in;
    make_mixed_files(in.data("shared"), 2 * mib, 25);
    make_mixed_files(in.data("alone"), 2 * mib, 26);
    auto const shared = in.torrent_of(in.data("shared"));
    auto const alone = in.torrent_of(in.data("alone"));
    daemon const seeder{in.seeder()};
    daemon leecher{in.leecher()};
    for (auto const* const one : {&shared, &alone}) {
        seeder.add(*one);
        seeder.wait_until_seeding(one->hash());
        leecher.add(*one);
        leecher.wait_until_seeding(one->hash());
    }
    auto const folder = leecher.downloads();
    ASSERT_TRUE(fs::exists(folder / "shared" / "deep" / "er"));
    write_file(folder / "shared" / "deep" / "mine.txt", "not the torrent's");
    write_file(folder / "beside.txt", "nor this");

    for (auto const* const one : {&shared, &alone}) {
        auto const said = leecher.del("/torrents/" + one->hash() + "?delete_files=true");
        ASSERT_EQ(said.status, 200) << said.body;
        EXPECT_EQ(said.json.text_or("status", ""), "removed");
    }
    std::vector<std::string> left;
    for (auto const& entry : fs::recursive_directory_iterator{folder})
        if (!entry.path().filename().string().starts_with(".ccbt-root"))
            left.push_back(entry.path().lexically_relative(folder).string());
    EXPECT_THAT(
        left, testing::UnorderedElementsAre("beside.txt", "shared", "shared/deep", "shared/deep/mine.txt"));
    EXPECT_EQ(leecher.get("/torrents/" + alone.hash()).code(), "TORRENT_NOT_FOUND");

    leecher.kill9(); // what was answered is durable
    leecher.start();
    EXPECT_TRUE(leecher.get("/torrents").json.list_or_empty("torrents").empty());
    EXPECT_EQ(digests_of(seeder.downloads() / "alone").size(), digests_of(in.data("alone")).size());
}

TEST(restart, a_torrent_removed_without_its_data_leaves_the_data) {
    swarm in;
    make_mixed_files(in.data("kept"), 1 * mib, 27);
    auto const what = in.torrent_of(in.data("kept"));
    auto const before = digests_of(in.data("kept"));
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    ASSERT_EQ(seeder.del("/torrents/" + what.hash()).status, 200);
    EXPECT_EQ(seeder.get("/torrents/" + what.hash()).status, 404);
    EXPECT_EQ(digests_of(in.data("kept")), before);
}

TEST(restart, a_daemon_asked_to_stop_in_mid_transfer_ends_with_0_within_5_s) {
    swarm in;
    make_mixed_files(in.data("stopped"), 64 * mib, 28);
    auto const what = in.torrent_of(in.data("stopped"));
    daemon seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    daemon leecher{in.leecher({{"limits.per_torrent_down_kib", "8192"}})};
    leecher.add(what);
    auto const before = leecher.wait_for(what.hash(), has_progress(0.2));
    EXPECT_EQ(leecher.terminate(milliseconds{5000}), 0);
    EXPECT_EQ(seeder.terminate(milliseconds{5000}), 0);
    EXPECT_FALSE(leecher.running().leaves_something());

    leecher.plan().settings.erase("limits.per_torrent_down_kib");
    leecher.start();
    EXPECT_GE(progress_of(leecher.row(what.hash())), progress_of(before)) << "a clean stop loses nothing";
    seeder.start();
    leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(digests_of(leecher.downloads() / "stopped"), digests_of(in.data("stopped")));
}

} // namespace

} // namespace ccbt::support
