// What a start after SIGKILL does, and what it leaves alone.
#include "swarm/swarm.hpp"

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;

std::uint64_t bytes_read(daemon& by) {
    auto const io = read_file("/proc/" + std::to_string(by.running().pid()) + "/io");
    return std::stoull(io.substr(io.find("rchar:") + 6));
}

TEST(kill, reads_what_may_lie_on_the_disk_unclaimed_and_nothing_of_what_is_claimed) {
    swarm in;
    make_mixed_files(in.data("whole"), 64 * mib, 160);
    make_mixed_files(in.data("half"), 96 * mib, 161);
    auto const whole = in.torrent_of(in.data("whole"), {.piece_size = 1 << 18});
    auto const half = in.torrent_of(in.data("half"), {.piece_size = 1 << 18});
    daemon const seeder{in.seeder()};
    for (auto const* const one : {&whole, &half}) {
        seeder.add(*one);
        seeder.wait_until_seeding(one->hash());
    }
    daemon leecher{in.leecher()};
    leecher.add(whole);
    leecher.wait_until_seeding(whole.hash());
    leecher.add(half, true);
    auto const limit = R"({"download_kib":12288,"upload_kib":0})";
    ASSERT_EQ(leecher.post("/torrents/" + half.hash() + "/rate-limits", limit).status, 200);
    ASSERT_EQ(leecher.post("/torrents/" + half.hash() + "/resume").status, 200);
    leecher.wait_for(half.hash(), has_progress(0.3));
    ASSERT_EQ(leecher.post("/torrents/" + half.hash() + "/pause").status, 200);
    ASSERT_EQ(leecher.post("/torrents/export-state").status, 200); // which saves
    auto const before = progress_of(leecher.row(half.hash()));
    ASSERT_LT(before, 1.0);
    leecher.kill9();

    leecher.start();
    leecher.wait_until_seeding(whole.hash());
    auto const after =
        leecher.wait_for(half.hash(), [&](value const& row) { return progress_of(row) >= before; });
    EXPECT_EQ(state_of(after), "paused");
    RecordProperty("read_kib", static_cast<int>(bytes_read(leecher) >> 10));
    // Half pieces are on the disk and unclaimed; the programs's own libraries and the store are read too.
    EXPECT_LT(bytes_read(leecher), 24 * mib)
        << "of " << bytes_in(leecher.downloads()) / mib << " MiB that are there";

    ASSERT_EQ(leecher.post("/torrents/" + half.hash() + "/resume").status, 200);
    leecher.wait_until_seeding(half.hash());
    EXPECT_EQ(digests_of(leecher.downloads() / "half"), digests_of(in.data("half")));
}

TEST(kill, leaves_metainfo_that_was_damaged_an_error_until_it_is_resumed_and_comes_from_peers) {
    swarm in;
    make_file(in.data("again.bin"), 2 * mib, 162);
    auto const what = in.torrent_of(in.data("again.bin"));
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    daemon leecher{in.leecher({{"queue.auto_manage_queue", "true"}})};
    leecher.add_magnet(what.magnet());
    leecher.wait_until_seeding(what.hash());
    ASSERT_EQ(leecher.terminate(), 0);
    auto const file = (leecher.state() / "ccbt.db").string();
    auto const damaged = run(
        {"python3", "-c",
         "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute(\"UPDATE metainfo SET bytes=x'00'\"); "
         "c.commit(); c.close()",
         file},
        milliseconds{20'000});
    ASSERT_EQ(damaged.code, 0) << damaged.err;

    leecher.start();
    auto const row = leecher.wait_for(what.hash(), [](value const& r) { return state_of(r) == "error"; });
    EXPECT_THAT(row.text_or("error", ""), testing::HasSubstr("is damaged"));
    ASSERT_EQ(leecher.post("/torrents/" + what.hash() + "/resume").status, 200);
    EXPECT_EQ(leecher.wait_until_seeding(what.hash()).text_or("error", ""), "");
    EXPECT_EQ(leecher.row(what.hash()).number_or("total_size", 0), 2.0 * mib);
    ASSERT_EQ(leecher.terminate(), 0);
    leecher.start();
    EXPECT_EQ(leecher.wait_until_seeding(what.hash()).text_or("error", ""), "") << "it is whole again";
}

} // namespace

} // namespace ccbt::support
