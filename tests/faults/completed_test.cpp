// Whoever is told that a torrent is complete finds its files whole, however slowly they are written.
#include "support/slow_disk.hpp"
#include "swarm/swarm.hpp"

namespace ccbt::support {

namespace {

TEST(completed, is_told_when_the_last_byte_is_written) {
    swarm in;
    make_mixed_files(in.data("slow"), 3 * mib, 31);
    auto const what = in.torrent_of(in.data("slow"));
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());

    auto plan = in.leecher();
    slow_disk const disk{plan, milliseconds{30}};
    daemon const leecher{std::move(plan)};
    disk.begin();
    auto told = leecher.events({"torrent_completed"});
    leecher.add(what);
    told.wait_for("torrent_completed", [](auto const&) { return true; });
    EXPECT_EQ(digests_of(leecher.downloads() / "slow"), digests_of(in.data("slow")));
    EXPECT_EQ(state_of(leecher.row(what.hash())), "seeding");
    disk.end();
}

} // namespace

} // namespace ccbt::support
