// What libtorrent says is lost, time and again, under a whole daemon: everything ends where it should all the same.
#include "support/many_torrents.hpp"
#include "swarm/swarm.hpp"

namespace ccbt::support {

namespace {

using ::testing::HasSubstr;

constexpr int many = 300;

std::string named(std::vector<std::string> const& hashes, int first, int count) {
    std::string out;
    for (int n = first; n < first + count; ++n)
        out += (out.empty() ? "\"" : ",\"") + hashes[static_cast<std::size_t>(n)] + '"';
    return R"({"info_hashes":[)" + out + "]}";
}

TEST(lost_alerts, of_hundreds_of_torrents_each_ends_where_it_should_and_a_download_is_whole) {
    swarm in;
    make_files(in.data("loads"), {{"a", 5 * mib}, {"b", 3 * mib}}, 171);
    auto const loads = in.torrent_of(in.data("loads"), {.piece_size = 1 << 15});
    daemon seeder{in.seeder()};
    seeder.add(loads);
    seeder.wait_until_seeding(loads.hash());

    auto plan = in.leecher();
    plan.flags = {"--engine-alerts", "4"}; // hundreds come between two looks
    daemon under{plan};
    auto const hashes = add_many(under, {.count = many});
    under.add(loads);
    ASSERT_EQ(under.post("/torrents/batch/pause", named(hashes, 0, 100)).status, 200);
    ASSERT_EQ(under.post("/torrents/batch/remove", named(hashes, 100, 100)).status, 200);

    auto const ends = [&](int n) { return n < 100 ? "paused" : n < 200 ? "" : "seeding"; };
    auto const expect_ends = [&] {
        auto const are_there = [&] {
            auto const now = statuses_of(under);
            for (int n = 0; n < many; ++n) {
                auto const found = now.find(hashes[static_cast<std::size_t>(n)]);
                if ((found == now.end() ? "" : found->second) != ends(n)) return false;
            }
            return now.size() == many - 100 + 1U;
        };
        auto told = under.events({"torrents_changed"});
        for (deadline const by{milliseconds{40'000}}; !are_there() && !by.is_over();)
            if (!told.next(by)) break;
        EXPECT_TRUE(are_there()) << under.get("/torrents?fields=info_hash,status").body;
    };
    expect_ends();
    under.wait_until_seeding(loads.hash());
    EXPECT_EQ(digests_of(under.downloads() / "loads"), digests_of(in.data("loads")));
    EXPECT_THAT(under.log(), HasSubstr("alerts were lost"));

    under.kill9();
    under.start();
    expect_ends();
    EXPECT_EQ(state_of(under.wait_until_seeding(loads.hash())), "seeding");
    EXPECT_THAT(under.log(), HasSubstr("alerts were lost")) << "of the start, too";
    ASSERT_EQ(under.post("/torrents/batch/resume", named(hashes, 0, 100)).status, 200);
    auto const last = under.wait_for(hashes[0], [](value const& r) { return state_of(r) == "seeding"; });
    EXPECT_EQ(progress_of(last), 1);
    EXPECT_EQ(under.terminate(), 0);
    ASSERT_EQ(seeder.terminate(), 0);
}

} // namespace

} // namespace ccbt::support
