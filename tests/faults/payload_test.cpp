// P4 at a power cut: what is said to be here of a download hashes, whatever of its files the cut has left.
#include "faults/rounds.hpp"
#include "support/power_cut.hpp"
#include "swarm/swarm.hpp"

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;

TEST(power_cut, of_a_download_only_pieces_that_hash_are_reported) {
    auto const seed = faults::seed();
    std::mt19937_64 random{seed};
    swarm in;
    std::vector<std::pair<std::string, std::uint64_t>> sizes;
    for (int n = 0; n < 40; ++n) sizes.emplace_back("f" + std::to_string(n), mib / 2);
    make_files(in.data("much"), sizes, seed);
    auto const what = in.torrent_of(in.data("much"), {.piece_size = 32 << 10});
    auto const right = digests_of(in.data("much"));
    auto const disk = in.root / "leecher";
    auto const log = in.root / "log";
    daemon seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());

    auto plan = in.leecher(
        {{"limits.per_torrent_down_kib", "4000"},
         {"daemon.auto_save_interval", "1"},
         {"discovery.enable_http_trackers", "true"},
         {"disk.download_path", '"' + (disk / "made").string() + '"'}});
    plan.env = {
        "LD_PRELOAD=" POWER_CUT_SHIM, "POWER_CUT_ROOT=" + disk.string(), "POWER_CUT_LOG=" + log.string()};
    daemon leecher{plan};
    write_file(in.root / "much.torrent", what.bytes);
    auto const added = leecher.post(
        "/torrents/add",
        R"({"sequential":true,"path_or_magnet":")" + (in.root / "much.torrent").string() + "\"}");
    ASSERT_EQ(added.status, 200) << added.body;
    // Killed after a save, and in mid-download.
    leecher.wait_for(what.hash(), has_progress(0.1));
    auto const commits = [&] { return leecher.metric("ccbt_store_commits_total"); };
    auto const before = commits();
    auto const then = leecher.wait_for(
        what.hash(), [&](value const& r) { return progress_of(r) >= 0.3 && commits() > before; });
    leecher.kill9();
    ASSERT_LT(progress_of(then), 1);
    ASSERT_EQ(seeder.terminate(), 0); // nothing more comes
    leecher.plan().env.clear();

    power_cut_log const written{log};
    auto const times = faults::is_long() ? 60 : 8;
    std::size_t reported = 0, most = 0;
    for (int n = 0; n < times; ++n) {
        // A file with its name and its size and without its bytes looks whole.
        auto const survives = std::vector<chances>{
            {0, 1, 1}, {0.5, 1, 1}, {0, 0, 0}, {1, 1, 1}, {0.9, 0.9, 0.9}}[static_cast<std::size_t>(n) % 5];
        auto const cut = n < 5 ? written.size() : written.size() / 4 + random() % (written.size() * 3 / 4);
        written.leave(disk, cut, survives, random);
        leecher.start();
        if (leecher.get("/torrents/" + what.hash()).status == 404) continue; // cut before it was added
        // First what it says at once, then what it says when it has looked.
        for (int look = 0; look < 2; ++look) {
            std::size_t here = 0;
            auto const files = leecher.get("/torrents/" + what.hash() + "/files").json;
            for (auto const& file : files.list_or_empty("files")) {
                if (file.number_or("progress", 0) < 1) continue;
                auto const name = fs::path{file.text_or("name", "")}.filename().string();
                ++here;
                auto const file_there = disk / "made/much" / name;
                ASSERT_TRUE(fs::exists(file_there) && sha256_of(file_there) == right.at(name))
                    << name << (fs::exists(file_there) ? " does not hash" : " is not there")
                    << " and is said to be whole " << (look == 0 ? "at once" : "when it has looked")
                    << "; cut at " << cut << " of " << written.size() << ", what was not synced survives by "
                    << survives.data << ' ' << survives.sizes << ' ' << survives.names << ", seed " << seed
                    << '\n'
                    << leecher.log();
            }
            reported += here;
            if (n == 0) {
                EXPECT_GT(here, 0U) << "what was recorded was synced";
            }
            most = std::max(most, here);
            if (look == 0)
                leecher.wait_for(what.hash(), [](value const& row) {
                    return state_of(row) != "checking" && state_of(row) != "starting";
                });
        }
        leecher.kill9();
    }
    EXPECT_GT(most, 0U) << "it looked at nothing";
    faults::say(
        "power cut",
        "{} cuts into a download of {} files: {} reported whole, and each of them hashes; seed {}", times,
        sizes.size(), reported, seed);
}

} // namespace

} // namespace ccbt::support
