// What a daemon refuses to do to the data of its users, and to itself, however it is asked.
#include "swarm/swarm.hpp"

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;

[[nodiscard]] auto is_in(std::string state) {
    return [state = std::move(state)](value const& row) { return state_of(row) == state; };
}

TEST(guards, a_larger_file_of_the_same_name_is_left_alone_until_it_is_moved_away) {
    swarm in;
    make_file(in.data("disc.img"), 3 * mib, 31);
    auto const what = in.torrent_of(in.data("disc.img"));
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());

    daemon const leecher{in.leecher()};
    make_file(leecher.downloads() / "disc.img", 5 * mib, 32);
    auto const before = sha256_of(leecher.downloads() / "disc.img");
    leecher.add(what);
    auto const failed = leecher.wait_for(what.hash(), is_in("error"));
    EXPECT_THAT(failed.text_or("error", ""), testing::HasSubstr("larger than the torrent's"));
    EXPECT_EQ(sha256_of(leecher.downloads() / "disc.img"), before);

    fs::rename(leecher.downloads() / "disc.img", leecher.downloads() / "mine.img");
    ASSERT_EQ(leecher.post("/torrents/" + what.hash() + "/resume").status, 200);
    leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(sha256_of(leecher.downloads() / "disc.img"), sha256_of(in.data("disc.img")));
    EXPECT_EQ(sha256_of(leecher.downloads() / "mine.img"), before);
}

TEST(guards, metadata_that_names_the_daemons_own_marker_is_refused_for_good) {
    swarm in;
    auto const data = in.root / "aria2" / "files" / "trap";
    make_files(data, {{"a.bin", 300'000}, {".ccbt-root", 33}}, 33);
    auto const what = in.torrent_of(data);
    aria2 const other{
        {.folder = in.root / "aria2", .address = "127.0.0.4", .of = &what, .plays = part::seeds}};
    in.announce.wait_for_peers(what.hash(), 1);
    daemon leecher{in.leecher()};
    leecher.add_magnet(what.magnet());
    auto const failed = leecher.wait_for(what.hash(), is_in("error"));
    EXPECT_THAT(failed.text_or("error", ""), testing::HasSubstr("marker"));

    auto changes = leecher.events({"torrents_changed", "torrent_status_changed"});
    ASSERT_EQ(leecher.post("/torrents/" + what.hash() + "/resume").status, 200);
    deadline const a_while{milliseconds{3000}};
    while (changes.next(a_while)) {}
    EXPECT_EQ(state_of(leecher.row(what.hash())), "error") << "asked once more, and still refused";
    EXPECT_FALSE(fs::exists(leecher.downloads() / "trap" / ".ccbt-root"));
}

TEST(guards, a_torrent_removed_and_added_again_at_once_is_there_and_goes_on) {
    swarm in;
    make_file(in.data("again.bin"), 2 * mib, 34);
    auto const what = in.torrent_of(in.data("again.bin"));
    daemon const seeder{in.seeder()};
    for (int i = 0; i < 20; ++i) {
        seeder.add(what, i % 2 == 1);
        ASSERT_EQ(seeder.del("/torrents/" + what.hash()).status, 200) << "round " << i;
    }
    seeder.add(what);
    EXPECT_EQ(seeder.wait_until_seeding(what.hash()).text_or("error", ""), "");
    EXPECT_EQ(seeder.get("/torrents").json.list_or_empty("torrents").size(), 1U);
    daemon const leecher{in.leecher()};
    leecher.add(what);
    leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(sha256_of(leecher.downloads() / "again.bin"), sha256_of(in.data("again.bin")));
}

TEST(guards, after_files_were_lost_nothing_is_claimed_that_a_hash_has_not_shown) {
    swarm in;
    make_files(in.data("lossy"), {{"keep.bin", 2 * mib}, {"lost.bin", 6 * mib}}, 35);
    auto const what = in.torrent_of(in.data("lossy"));
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    daemon leecher{in.leecher()};
    leecher.add(what);
    leecher.wait_until_seeding(what.hash());

    ASSERT_EQ(leecher.post("/torrents/" + what.hash() + "/pause").status, 200);
    fs::remove(leecher.downloads() / "lossy" / "lost.bin");
    leecher.kill9();
    leecher.start();
    auto const row = leecher.wait_for(what.hash(), [](value const& r) {
        return state_of(r) == "paused" && progress_of(r) > 0.2 && progress_of(r) < 0.5;
    });
    EXPECT_EQ(row.text_or("error", ""), "");
    ASSERT_EQ(leecher.post("/torrents/" + what.hash() + "/resume").status, 200);
    leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(digests_of(leecher.downloads() / "lossy"), digests_of(in.data("lossy")));
}

} // namespace

} // namespace ccbt::support
