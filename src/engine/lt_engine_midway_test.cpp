// A torrent that stands midway: what is saved, told and claimed of it, and believed at the next start.
#include "engine/lt_engine_test.hpp"

namespace {

using namespace ccbt;
using namespace ccbt::engine::testing;
using namespace ccbt::test_engines;
using namespace std::chrono_literals;
using contract::torrent_state;
using engine::torrent_id;
using ::testing::IsEmpty;

// A slow download, stopped in the middle; what was saved then.
struct lt_engine_midway : lt_engine {
    std::string torrent = make_torrent(payload, kind::v1, 16384);
    side seed{"127.0.0.2"}, leech{"127.0.0.3", [](auto& s) { s.limits.global_down_kib = 1024; }};

    void download_some() {
        seeds(seed, torrent);
        leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
        ASSERT_TRUE(leech.dial(id, seed));
        ASSERT_TRUE(until([&] { return leech.seen[id].progress > 0.1; }));
        leech.it->save_all();
        ASSERT_TRUE(until([&] { return leech.saved[id].downloaded > 0; }));
    }
    void unlimit() {
        leech.settings.limits.global_down_kib = 0;
        leech.it->configure(leech.settings);
    }
    void stop_cleanly() {
        auto stopped = false;
        leech.it->stop(5s, [&] { stopped = true; });
        ASSERT_TRUE(until([&] { return stopped; }));
    }
};

TEST_F(lt_engine_midway, resume_data_of_somebody_else_is_hashed_before_it_is_believed) {
    download_some();
    stop_cleanly();
    auto const moved = leech.saved[id].downloaded;
    ASSERT_GT(leech.saved[id].progress, 0.1);
    for (auto const& entry : fs::recursive_directory_iterator{leech_dir.path()})
        if (entry.is_regular_file())
            write_file(entry.path(), random_bytes(static_cast<std::size_t>(entry.file_size()), 99));
    leech.restart();
    auto first = load_of(torrent, leech.resume[id]);
    first.hearsay = true;
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), std::move(first));
    ASSERT_TRUE(leech.reaches(id, torrent_state::downloading)) << leech.failed[id];
    EXPECT_EQ(leech.seen[id].progress, 0) << "nor half of a piece, from one who said what is not so";
    EXPECT_EQ(leech.seen[id].downloaded, moved);
}

TEST_F(lt_engine_midway, the_pieces_that_are_here_are_told_and_a_saving_says_when_it_is_done) {
    auto const pieces = [](side& of, torrent_id which) {
        auto found = std::optional<contract::result<engine::piece_report>>{};
        of.it->pieces(which, [&](auto answer) { found = std::move(answer); });
        EXPECT_TRUE(until([&] { return found.has_value(); }));
        return *found;
    };
    download_some();
    auto const seeds = pieces(seed, id);
    ASSERT_TRUE(seeds);
    EXPECT_THAT(seeds->have, ::testing::Each(true));
    auto const some = pieces(leech, id);
    ASSERT_TRUE(some);
    EXPECT_EQ(some->have.size(), seeds->have.size());
    EXPECT_THAT(some->have, ::testing::AllOf(::testing::Contains(true), ::testing::Contains(false)));
    EXPECT_EQ(pieces(leech, contract::make_torrent_id()).error().code, contract::errc::starting);

    leech.it->configure(leech.settings);
    auto saved = std::int64_t{-1};
    leech.saved[id].downloaded = 0;
    auto const before = leech.seen[id].downloaded; // what is saved already is not saved again
    ASSERT_TRUE(until([&] { return leech.seen[id].downloaded > before; }));
    leech.it->save_all([&] { saved = leech.saved[id].downloaded; });
    ASSERT_TRUE(until([&] { return saved >= 0; }));
    EXPECT_GT(saved, 0) << "told before it is done";
}

TEST_F(lt_engine_midway, peers_of_each_side_name_the_other) {
    download_some();
    auto of = [&](side& s) {
        auto found = std::vector<contract::peer>{};
        auto answered = false;
        s.it->peers(id, [&](auto answer) {
            answered = true;
            if (answer) found = *answer;
        });
        EXPECT_FALSE(answered); // never from within the call
        EXPECT_TRUE(until([&] { return answered; }));
        return found;
    };
    auto const seen_by_leech = of(leech), seen_by_seed = of(seed);
    ASSERT_EQ(seen_by_leech.size(), 1u);
    EXPECT_EQ(seen_by_leech[0].ip, "127.0.0.2");
    EXPECT_EQ(seen_by_leech[0].port, seed.it->listen_port());
    EXPECT_EQ(seen_by_leech[0].direction, "out");
    EXPECT_EQ(seen_by_leech[0].transport, "tcp");
    EXPECT_EQ(seen_by_leech[0].progress, 1.0);
    EXPECT_FALSE(seen_by_leech[0].encrypted);
    EXPECT_THAT(seen_by_leech[0].client.value_or(""), ::testing::StartsWith("ccbtd/"));
    EXPECT_THAT(seen_by_leech[0].flags, ::testing::HasSubstr("D"));
    ASSERT_EQ(seen_by_seed.size(), 1u);
    EXPECT_EQ(seen_by_seed[0].ip, "127.0.0.3");
    EXPECT_EQ(seen_by_seed[0].direction, "in");

    auto code = contract::errc::internal_error;
    leech.it->peers(make_id(), [&](auto answer) { code = answer.error().code; });
    EXPECT_TRUE(until([&] { return code == contract::errc::torrent_not_found; }));
}

TEST_F(lt_engine_midway, a_limit_binds_loopback_peers_too) {
    download_some();
    auto const before = leech.seen[id].downloaded;
    auto const begun = std::chrono::steady_clock::now();
    ASSERT_TRUE(until([&] { return leech.finished[id] == 1; }, 20s));
    auto const took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    auto const rate = static_cast<double>(std::int64_t{size} - before) / took;
    EXPECT_LT(rate, 1.6 * 1024 * 1024);
    EXPECT_GT(rate, 0.3 * 1024 * 1024);
}

TEST_F(lt_engine_midway, a_stop_saves_what_came_and_a_restart_goes_on_from_there) {
    download_some();
    stop_cleanly();
    auto const progress = leech.saved[id].progress;
    auto const downloaded = leech.saved[id].downloaded;
    EXPECT_GT(progress, 0.1);
    EXPECT_LT(progress, 1.0);
    leech.restart();
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent, leech.resume[id]));
    ASSERT_TRUE(leech.reaches(id, torrent_state::downloading));
    EXPECT_FALSE(leech.states[id].contains(torrent_state::checking));
    EXPECT_GE(leech.seen[id].progress, progress - 0.05);
    unlimit();
    ASSERT_TRUE(leech.dial(id, seed));
    ASSERT_TRUE(until([&] { return leech.finished[id] == 1; }, 20s));
    expect_same_files(payload, leech_dir / "data");
    EXPECT_LE(leech.seen[id].downloaded, std::int64_t{size} + 200'000);
    EXPECT_GT(leech.seen[id].downloaded, downloaded);
}

TEST_F(lt_engine_midway, after_a_crash_what_lies_on_disk_unclaimed_is_found_by_hashing) {
    download_some();
    auto const early = leech.resume[id]; // older than what lies on the disk at the end
    auto const early_progress = leech.saved[id].progress;
    ASSERT_TRUE(until([&] { return leech.seen[id].progress > early_progress + 0.1; }));
    stop_cleanly();
    auto const late_progress = leech.saved[id].progress;
    leech.restart();
    leech.it->ask(
        wish_for(id, torrent, leech_dir.path(), [](auto& a) { a.paused = true; }),
        load_of(torrent, early, true));
    ASSERT_TRUE(leech.reaches(id, torrent_state::paused));
    EXPECT_TRUE(leech.states[id].contains(torrent_state::checking));
    EXPECT_GE(leech.seen[id].progress, late_progress - 0.02);
}

TEST_F(lt_engine_midway, pieces_of_a_file_that_was_cut_are_not_claimed_any_more) {
    download_some();
    unlimit();
    ASSERT_TRUE(until([&] { return leech.finished[id] == 1 && leech.saved[id].progress == 1.0; }, 20s));
    stop_cleanly();
    leech.restart();
    fs::resize_file(leech_dir / "data" / "a.bin", 1'000'000);
    fs::remove(leech_dir / "data" / "sub" / "b.bin");
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent, leech.resume[id]));
    ASSERT_TRUE(leech.reaches(id, torrent_state::downloading)) << leech.failed[id];
    EXPECT_LT(leech.seen[id].progress, 0.3);
    EXPECT_GT(leech.seen[id].progress, 0.2);
    EXPECT_FALSE(leech.states[id].contains(torrent_state::seeding));
}

TEST_F(lt_engine_midway, resume_data_of_another_torrent_is_refused) {
    download_some();
    stop_cleanly();
    auto const other_payload = leech_dir / "other.bin";
    write_file(other_payload, random_bytes(100'000, 9));
    auto const other = make_torrent(other_payload, kind::v1, 16384);
    leech.restart();
    auto const other_id = make_id();
    leech.it->ask(wish_for(other_id, other, leech_dir.path()), load_of(other, leech.resume[id]));
    ASSERT_TRUE(leech.reaches(other_id, torrent_state::seeding));
    EXPECT_EQ(leech.seen[other_id].downloaded, 0);
}

TEST_F(lt_engine_midway, pausing_stops_the_peers_and_is_seen_at_once) {
    download_some();
    auto const begun = std::chrono::steady_clock::now();
    leech.it->ask(wish_for(id, torrent, leech_dir.path(), [](auto& a) { a.paused = true; }));
    ASSERT_TRUE(leech.reaches(id, torrent_state::paused));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 500ms);
    ASSERT_TRUE(until([&] { return seed.seen[id].num_peers == 0; }));
    unlimit();
    EXPECT_EQ(leech.finished[id], 0);
    leech.it->ask(wish_for(id, torrent, leech_dir.path()));
    ASSERT_TRUE(leech.dial(id, seed));
    EXPECT_TRUE(until([&] { return leech.finished[id] == 1; }, 20s));
}

TEST_F(lt_engine_midway, a_forgotten_torrent_gives_its_resume_data_and_can_be_asked_for_again_at_once) {
    download_some();
    auto kept = std::shared_ptr<std::string const>{};
    auto gone = false;
    leech.it->forget(id, [&](auto resume) {
        gone = true;
        kept = std::move(resume);
    });
    EXPECT_FALSE(gone);
    auto const again = make_id();
    leech.it->ask(wish_for(again, torrent, leech_dir.path()), load_of(torrent));
    ASSERT_TRUE(leech.reaches(again, torrent_state::downloading)) << leech.failed[again];
    EXPECT_TRUE(gone); // the old one first
    EXPECT_TRUE(kept);
    EXPECT_GT(leech.seen[again].progress, 0.1); // found on the disk
    EXPECT_THAT(leech.failed, IsEmpty());

    auto second = false;
    leech.it->forget(again, [&](auto) { second = true; });
    auto third = make_id();
    ASSERT_TRUE(until([&] { return second; }));
    leech.it->ask(wish_for(third, torrent, leech_dir.path()), load_of(torrent, kept));
    ASSERT_TRUE(leech.reaches(third, torrent_state::downloading));
    EXPECT_GT(leech.seen[third].progress, 0.1);
}

} // namespace
