// A torrent goes from one ccbtd to another, whatever it is made of.
#include "swarm/swarm.hpp"

namespace ccbt::support {

namespace {

// From a seeder that finds its data on the disk to a leecher that has nothing.
void is_downloaded(swarm& in, torrent const& what) {
    daemon const seeder{in.seeder()};
    ASSERT_EQ(seeder.add(what), what.hash());
    seeder.wait_until_seeding(what.hash());
    EXPECT_EQ(seeder.row(what.hash()).number_or("downloaded", -1), 0) << "it had all of it";

    daemon const leecher{in.leecher()};
    ASSERT_EQ(leecher.add(what), what.hash());
    auto const done = leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(progress_of(done), 1.0);
    EXPECT_EQ(done.text_or("name", ""), what.name);
    EXPECT_GE(done.number_or("total_size", 0), static_cast<double>(bytes_in(in.data(what.name))));
    EXPECT_EQ(digests_of(leecher.downloads() / what.name), digests_of(in.data(what.name)));
}

TEST(download, mixed_files_come_as_they_were) {
    swarm in;
    make_mixed_files(in.data("mixed"), 40 * mib, 1);
    auto const what = in.torrent_of(in.data("mixed"));
    is_downloaded(in, what);
}

TEST(download, goes_through_a_udp_tracker) {
    swarm in;
    make_mixed_files(in.data("by udp"), 2 * mib, 2);
    auto const what = in.torrent_of(in.data("by udp"), {.trackers = {in.announce.udp()}});
    is_downloaded(in, what);
}

TEST(download, a_private_torrent_comes_by_its_tracker_and_is_told_to_be_private) {
    swarm in;
    make_mixed_files(in.data("private"), 2 * mib, 3);
    auto const what = in.torrent_of(in.data("private"), {.is_private = true});
    is_downloaded(in, what);
    daemon const third{{.folder = in.root / "third", .interface = "127.0.0.4"}};
    third.add(what);
    EXPECT_TRUE(third.row(what.hash()).flag_or("is_private", false));
}

TEST(download, a_v2_torrent_has_a_hash_of_64_digits_and_comes_whole) {
    swarm in;
    make_mixed_files(in.data("second"), 10 * mib, 4);
    auto const what = in.torrent_of(in.data("second"), {.kind = torrent_kind::v2});
    ASSERT_EQ(what.hash().size(), 64U);
    is_downloaded(in, what);
}

TEST(download, a_hybrid_torrent_answers_to_both_hashes_and_comes_whole) {
    swarm in;
    make_mixed_files(in.data("both"), 10 * mib, 5);
    auto const what = in.torrent_of(in.data("both"), {.kind = torrent_kind::hybrid});
    ASSERT_EQ(what.v1.size(), 40U);
    ASSERT_EQ(what.v2.size(), 64U);
    is_downloaded(in, what);
    daemon const third{{.folder = in.root / "third", .interface = "127.0.0.4"}};
    ASSERT_EQ(third.add(what, true), what.v1);
    EXPECT_EQ(third.row(what.v2).text_or("info_hash", ""), what.v1);
    auto const again =
        third.post("/torrents/add", R"({"path_or_magnet":"magnet:?xt=urn:btmh:1220)" + what.v2 + "\"}");
    EXPECT_EQ(again.status, 409);
    EXPECT_EQ(again.code(), "TORRENT_EXISTS");
}

TEST(download, two_thousand_small_files_come_as_they_were) {
    swarm in;
    std::vector<std::pair<std::string, std::uint64_t>> sizes;
    for (int i = 0; i < 2000; ++i)
        sizes.emplace_back(
            "folder " + std::to_string(i % 40) + "/file " + std::to_string(i) + ".dat",
            static_cast<std::uint64_t>(i * 7919 % 9000));
    make_files(in.data("many"), sizes, 6);
    auto const what = in.torrent_of(in.data("many"));
    is_downloaded(in, what);
}

TEST(download, a_magnet_gets_its_metadata_from_a_peer_and_then_the_data) {
    swarm in;
    make_mixed_files(in.data("by magnet"), 5 * mib, 7);
    auto const what = in.torrent_of(in.data("by magnet"));
    daemon const leecher{in.leecher()};
    ASSERT_EQ(leecher.add_magnet(what.magnet()), what.hash());
    auto const first = leecher.row(what.hash());
    EXPECT_EQ(state_of(first), "metadata");
    EXPECT_EQ(first.text_or("name", ""), "by magnet");
    EXPECT_EQ(first.number_or("total_size", -1), 0);

    auto told = leecher.events({"metadata_ready", "torrent_completed"});
    in.announce.wait_for_peers(what.hash(), 1); // so that the seeder is told of it, and dials
    daemon const seeder{in.seeder()};
    seeder.add(what);
    auto const about_it = [&](value const& data) { return data.text_or("info_hash", "") == what.hash(); };
    told.wait_for("metadata_ready", about_it, milliseconds{40'000});
    told.wait_for("torrent_completed", about_it, milliseconds{40'000});
    leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(digests_of(leecher.downloads() / "by magnet"), digests_of(in.data("by magnet")));
}

TEST(download, the_peers_of_a_torrent_are_told_with_their_rates) {
    swarm in;
    make_mixed_files(in.data("peers"), 40 * mib, 8);
    auto const what = in.torrent_of(in.data("peers"));
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    daemon const leecher{in.leecher({{"limits.per_torrent_down_kib", "8192"}})};
    leecher.add(what);
    auto said = leecher.get("/torrents/" + what.hash() + "/peers");
    // The rate of a peer follows the torrent's by a second.
    leecher.wait_for(what.hash(), [&](value const& row) {
        said = leecher.get("/torrents/" + what.hash() + "/peers");
        auto const& peers = said.json.list_or_empty("peers");
        return row.number_or("download_rate", 0) > 1e6 && !peers.empty() &&
               peers.front().number_or("download_rate", 0) > 1e6;
    });
    ASSERT_EQ(said.status, 200);
    EXPECT_EQ(said.json.text_or("info_hash", ""), what.hash());
    EXPECT_EQ(said.json.number_or("count", -1), 1);
    ASSERT_EQ(said.json.list_or_empty("peers").size(), 1U);
    auto const& peer = said.json.list_or_empty("peers").front();
    EXPECT_EQ(peer.text_or("ip", ""), "127.0.0.2");
    EXPECT_GT(peer.number_or("download_rate", 0), 1e6);
    EXPECT_EQ(peer.number_or("progress", 0), 1.0);
    EXPECT_EQ(peer.text_or("transport", ""), "tcp");
}

TEST(download, rates_are_zero_again_when_nothing_moves) {
    swarm in;
    make_mixed_files(in.data("rates"), 20 * mib, 9);
    auto const what = in.torrent_of(in.data("rates"));
    daemon const seeder{in.seeder({{"limits.per_torrent_up_kib", "8192"}})};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    daemon const leecher{in.leecher()};
    leecher.add(what);
    seeder.wait_for(what.hash(), [](value const& row) { return row.number_or("upload_rate", 0) > 1e6; });
    leecher.wait_until_seeding(what.hash());
    auto const rests = [](value const& row) {
        return row.number_or("upload_rate", 1) == 0 && row.number_or("download_rate", 1) == 0;
    };
    seeder.wait_for(what.hash(), rests, milliseconds{25'000});
    leecher.wait_for(what.hash(), rests, milliseconds{25'000});
}

} // namespace

} // namespace ccbt::support
