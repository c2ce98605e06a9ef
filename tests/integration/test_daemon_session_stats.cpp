// GET /session/stats: the sums of all torrents, and totals of all time that outlive torrents, restarts and kills.
#include "client/client.hpp"
#include "swarm/swarm.hpp"

#include <future>

namespace ccbt::support {

namespace {

/// The sum that the rows of a list give, to be held against the daemon's own.
struct sums {
    std::int64_t torrents = 0, paused = 0, seeding = 0, peers = 0, downloaded = 0, uploaded = 0;
    double progress = 0, down = 0, up = 0;
};
sums sums_of(value const& list) {
    sums out;
    for (auto const& row : list.list_or_empty("torrents")) {
        ++out.torrents;
        out.paused += state_of(row) == "paused" ? 1 : 0;
        out.seeding += state_of(row) == "seeding" ? 1 : 0;
        out.peers += static_cast<std::int64_t>(row.number_or("num_peers", 0));
        out.downloaded += static_cast<std::int64_t>(row.number_or("downloaded", 0));
        out.uploaded += static_cast<std::int64_t>(row.number_or("uploaded", 0));
        out.progress += progress_of(row);
        out.down += row.number_or("download_rate", 0);
        out.up += row.number_or("upload_rate", 0);
    }
    return out;
}

/// A list and the sums of one and the same revision.
std::pair<value, value> list_and_stats(daemon const& of) {
    for (int i = 0; i < 1000; ++i) {
        auto const list = of.get("/torrents");
        auto const stats = of.get("/session/stats");
        EXPECT_EQ(stats.status, 200);
        if (list.header("x-ccbt-revision") == stats.header("x-ccbt-revision")) return {list.json, stats.json};
    }
    throw std::runtime_error("the rows never stand still");
}

void expect_equal(value const& stats, sums const& rows) {
    auto const& more = *stats.find("stats");
    for (auto const* from : {&stats, &more}) {
        EXPECT_EQ(from->number_or("num_torrents", -1), static_cast<double>(rows.torrents));
        EXPECT_EQ(from->number_or("num_paused", -1), static_cast<double>(rows.paused));
        EXPECT_EQ(
            from->number_or("num_active", -1),
            static_cast<double>(rows.torrents - rows.paused - rows.seeding));
    }
    EXPECT_EQ(more.number_or("num_seeding", -1), static_cast<double>(rows.seeding));
    EXPECT_EQ(more.number_or("num_peers", -1), static_cast<double>(rows.peers));
    EXPECT_NEAR(
        more.number_or("average_progress", -1),
        rows.torrents == 0 ? 0 : rows.progress / static_cast<double>(rows.torrents), 1e-9);
    EXPECT_NEAR(stats.number_or("total_download_rate", -1), rows.down, 1);
    EXPECT_NEAR(stats.number_or("total_upload_rate", -1), rows.up, 1);
    EXPECT_NEAR(more.number_or("download_rate", -1), rows.down, 1);
    EXPECT_NEAR(more.number_or("upload_rate", -1), rows.up, 1);
}

TEST(session_stats, of_a_thousand_torrents_of_every_kind_are_the_sums_of_their_rows) {
    temp_folder root;
    daemon one{{.folder = root / "one"}};
    expect_equal(one.get("/session/stats").json, {});
    constexpr int many = 1000, piece = 16 << 10;
    std::vector<torrent> torrents(many);
    auto const add = [&](int from) {
        for (int i = from; i < many; i += 4) {
            auto const name = "torrent " + std::to_string(i);
            auto const file = one.downloads() / name;
            make_file(file, 2 * piece, static_cast<std::uint64_t>(i) + 1);
            torrents[static_cast<std::size_t>(i)] = make_torrent(file, {.piece_size = piece});
            auto const& made = torrents[static_cast<std::size_t>(i)];
            // A fifth each: whole, paused, half of it there, nothing there, a magnet.
            if (i % 5 == 2) std::filesystem::resize_file(file, piece);
            if (i % 5 >= 3) std::filesystem::remove(file);
            if (i % 5 == 4)
                one.add_magnet(made.magnet());
            else
                one.add(made, i % 5 == 1);
        }
    };
    std::vector<std::future<void>> adding;
    for (int from = 0; from < 4; ++from) adding.push_back(std::async(std::launch::async, add, from));
    for (auto& part : adding) part.get();

    auto told = one.events({"torrents_changed", "torrent_status_changed"});
    deadline const until{milliseconds{60'000}};
    auto const settled = [&] {
        auto const sums = sums_of(one.get("/torrents").json);
        return sums.seeding == many / 5 && sums.progress >= many / 5 * 2.5;
    };
    while (!settled() && told.next(until)) {}
    auto const [list, stats] = list_and_stats(one);
    auto const rows = sums_of(list);
    EXPECT_EQ(rows.torrents, many);
    EXPECT_EQ(rows.paused, many / 5);
    EXPECT_EQ(rows.seeding, many / 5);
    EXPECT_NEAR(rows.progress, many / 5 * 2.5, 0.01) << "whole, paused and whole, half";
    expect_equal(stats, rows);

    for (int i = 0; i < many; i += 50) // a whole one each
        ASSERT_EQ(one.del("/torrents/" + torrents[static_cast<std::size_t>(i)].hash()).status, 200);
    ASSERT_EQ(one.post("/torrents/" + torrents[5].hash() + "/pause").status, 200);
    ASSERT_EQ(one.post("/torrents/" + torrents[6].hash() + "/resume").status, 200);
    one.wait_until_seeding(torrents[6].hash());
    auto const [fewer, then] = list_and_stats(one);
    EXPECT_EQ(sums_of(fewer).torrents, many - 20);
    EXPECT_EQ(sums_of(fewer).seeding, many / 5 - 20);
    expect_equal(then, sums_of(fewer));
}

std::int64_t total(daemon const& of, bool down) {
    client::client by{{.url = of.url(), .api_key = of.key()}};
    auto const told = by.get_global_stats();
    if (!told) throw std::runtime_error(told.error().message);
    return down ? told->total_downloaded : told->total_uploaded;
}

TEST(session_stats, totals_of_all_time_outlive_restarts_kills_and_their_torrents) {
    swarm in;
    std::vector<torrent> both;
    for (auto const* name : {"goes", "stays"}) {
        make_file(in.data(name), 12 * mib, both.size() + 1);
        both.push_back(in.torrent_of(in.data(name)));
    }
    daemon seeder{in.seeder()};
    daemon leecher{in.leecher()};
    for (auto const& what : both) {
        seeder.add(what);
        seeder.wait_until_seeding(what.hash());
        leecher.add(what);
        leecher.wait_until_seeding(what.hash());
    }
    auto const all = static_cast<std::int64_t>(24 * mib);
    for (auto const& what : both) // its numbers come a moment later than the other side's
        seeder.wait_for(what.hash(), [](value const& row) {
            return row.number_or("uploaded", 0) >= 12.0 * mib && row.number_or("upload_rate", 1) == 0;
        });
    auto const downloaded = total(leecher, true), uploaded = total(seeder, false);
    EXPECT_GE(downloaded, all);
    EXPECT_LT(downloaded, all + all / 20);
    EXPECT_GE(uploaded, all);
    EXPECT_LT(uploaded, all + all / 20);
    EXPECT_EQ(total(leecher, false), 0);
    EXPECT_EQ(
        leecher.get("/session/stats").json.find("stats")->number_or("session_downloaded", -1), downloaded);

    // A removal keeps what the torrent has moved, in the same commit: through a kill at once.
    for (auto* one : {&seeder, &leecher}) {
        ASSERT_EQ(one->del("/torrents/" + both[0].hash()).status, 200);
        one->kill9();
        one->start();
    }
    auto const after_kill_down = total(leecher, true), after_kill_up = total(seeder, false);
    EXPECT_GE(after_kill_down, 12 * static_cast<std::int64_t>(mib));
    EXPECT_LE(after_kill_down, downloaded);
    EXPECT_LE(after_kill_up, uploaded);
    EXPECT_EQ(leecher.get("/session/stats").json.find("stats")->number_or("session_downloaded", -1), 0);

    // What a clean stop has saved is there to the byte, however often it is killed then.
    leecher.wait_until_seeding(both[1].hash());
    ASSERT_EQ(leecher.terminate(), 0);
    for (int times = 0; times < 2; ++times) {
        leecher.start();
        EXPECT_EQ(total(leecher, true), after_kill_down);
        leecher.wait_until_seeding(both[1].hash());
        EXPECT_EQ(total(leecher, true), after_kill_down);
        leecher.kill9();
    }
    leecher.start();
    ASSERT_EQ(leecher.del("/torrents/" + both[1].hash()).status, 200);
    EXPECT_EQ(total(leecher, true), after_kill_down);
    leecher.kill9();
    leecher.start();
    EXPECT_EQ(total(leecher, true), after_kill_down) << "with no torrent left";
    EXPECT_EQ(leecher.get("/session/stats").json.number_or("num_torrents", -1), 0);
    EXPECT_EQ(leecher.get("/session/stats").json.find("stats")->number_or("average_progress", -1), 0);
}

} // namespace

} // namespace ccbt::support
