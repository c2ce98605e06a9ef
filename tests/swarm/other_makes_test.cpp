// Peers of other makes download from us, and we from them.
#include "swarm/swarm.hpp"

namespace ccbt::support {

namespace {

TEST(other_makes, aria2_downloads_from_us) {
    swarm in;
    make_mixed_files(in.data("to aria2"), 30 * mib, 11);
    auto const what = in.torrent_of(in.data("to aria2"));
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    in.announce.wait_for_peers(what.hash(), 1);
    aria2 other{{.folder = in.root / "aria2", .address = "127.0.0.4", .of = &what, .plays = part::downloads}};
    other.wait_until_complete(milliseconds{45'000});
    EXPECT_EQ(digests_of(other.files() / "to aria2"), digests_of(in.data("to aria2")));
}

TEST(other_makes, we_download_from_aria2) {
    swarm in;
    auto const data = in.root / "aria2" / "files" / "from aria2";
    make_mixed_files(data, 30 * mib, 12);
    auto const what = in.torrent_of(data);
    aria2 const other{
        {.folder = in.root / "aria2", .address = "127.0.0.4", .of = &what, .plays = part::seeds}};
    in.announce.wait_for_peers(what.hash(), 1);
    daemon const leecher{in.leecher()};
    leecher.add(what);
    leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(digests_of(leecher.downloads() / "from aria2"), digests_of(data));
}

TEST(other_makes, transmission_downloads_from_us) {
    swarm in;
    make_mixed_files(in.data("to transmission"), 30 * mib, 13);
    auto const what = in.torrent_of(in.data("to transmission"));
    transmission other{
        {.folder = in.root / "transmission", .address = "127.0.0.5", .of = &what, .plays = part::downloads}};
    in.announce.wait_for_peers(what.hash(), 1);
    daemon const seeder{in.seeder()};
    seeder.add(what);
    other.wait_until_complete(milliseconds{60'000});
    auto wanted = digests_of(in.data("to transmission"));
    wanted.erase("empty.dat"); // transmission 3.00 makes no empty files
    EXPECT_EQ(digests_of(other.files() / "to transmission"), wanted);
}

TEST(other_makes, we_download_from_transmission) {
    swarm in;
    auto const data = in.root / "transmission" / "files" / "from transmission";
    make_mixed_files(data, 30 * mib, 14);
    auto const what = in.torrent_of(data);
    transmission const other{
        {.folder = in.root / "transmission", .address = "127.0.0.5", .of = &what, .plays = part::seeds}};
    in.announce.wait_for_peers(what.hash(), 1);
    daemon const leecher{in.leecher()};
    leecher.add(what);
    leecher.wait_until_seeding(what.hash(), milliseconds{60'000});
    EXPECT_EQ(digests_of(leecher.downloads() / "from transmission"), digests_of(data));
}

TEST(other_makes, a_magnet_gets_its_metadata_from_aria2) {
    swarm in;
    auto const data = in.root / "aria2" / "files" / "named";
    make_mixed_files(data, 3 * mib, 15);
    auto const what = in.torrent_of(data);
    aria2 const other{
        {.folder = in.root / "aria2", .address = "127.0.0.4", .of = &what, .plays = part::seeds}};
    in.announce.wait_for_peers(what.hash(), 1);
    daemon const leecher{in.leecher()};
    leecher.add_magnet(what.magnet());
    leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(digests_of(leecher.downloads() / "named"), digests_of(data));
}

} // namespace

} // namespace ccbt::support
