// What two real engines do with each other and with what goes wrong.
#include "engine/lt_engine_test.hpp"

namespace {

using namespace ccbt;
using namespace ccbt::engine::testing;
using namespace ccbt::test_engines;
using namespace std::chrono_literals;
using contract::torrent_state;
using engine::torrent_id;
using ::testing::IsEmpty;

TEST_F(lt_engine, an_engine_without_torrents_is_caught_up) {
    auto s = side{"127.0.0.2"};
    EXPECT_TRUE(until([&] { return s.caught_up == 1; }));
    EXPECT_TRUE(s.listens());
    EXPECT_TRUE(until([&] { return s.session.session_downloaded == 0; }));
}

struct lt_engine_of : lt_engine, ::testing::WithParamInterface<kind> {};
INSTANTIATE_TEST_SUITE_P(each, lt_engine_of, ::testing::Values(kind::v1, kind::v2, kind::hybrid));

TEST_P(lt_engine_of, a_torrent_goes_from_seed_to_leech_and_finishes_once) {
    auto const torrent = make_torrent(payload, GetParam());
    auto seed = side{"127.0.0.2"}, leech = side{"127.0.0.3"};
    seeds(seed, torrent);
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
    ASSERT_TRUE(leech.dial(id, seed));
    ASSERT_TRUE(
        until([&] { return leech.finished[id] == 1 && leech.seen[id].state == torrent_state::seeding; }));
    expect_same_files(payload, leech_dir / "data");
    EXPECT_EQ(leech.seen[id].progress, 1.0);
    EXPECT_GE(leech.seen[id].downloaded, std::int64_t{size});
    EXPECT_EQ(seed.finished[id], 0); // it had all of it before
    ASSERT_TRUE(until([&] { return leech.saved[id].progress == 1.0 && leech.resume[id] != nullptr; }));
    seed.it->save_all();
    ASSERT_TRUE(until([&] { return seed.saved[id].uploaded >= std::int64_t{size}; }));

    // With its resume data nothing is checked and nothing is told to have finished again.
    leech.restart();
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent, leech.resume[id]));
    ASSERT_TRUE(leech.reaches(id, torrent_state::seeding));
    ASSERT_TRUE(until([&] { return leech.caught_up == 1; }));
    EXPECT_FALSE(leech.states[id].contains(torrent_state::downloading));
    EXPECT_GE(leech.seen[id].downloaded, std::int64_t{size});
    EXPECT_EQ(leech.finished[id], 0);
}

TEST_P(lt_engine_of, a_magnet_gets_its_metadata_from_a_peer) {
    auto const torrent = make_torrent(payload, GetParam());
    auto const source = *engine::read_torrent(torrent);
    auto const magnet = source.hashes.v1 ? "magnet:?xt=urn:btih:" + source.hashes.v1.hex()
                                         : "magnet:?xt=urn:btmh:1220" + source.hashes.v2.hex();
    auto seed = side{"127.0.0.2"}, leech = side{"127.0.0.3"};
    seeds(seed, torrent);
    leech.it->ask(wish_for(id, magnet, leech_dir.path()), load_of(magnet));
    ASSERT_TRUE(leech.reaches(id, torrent_state::metadata));
    ASSERT_TRUE(leech.dial(id, seed));
    ASSERT_TRUE(until([&] { return leech.metadata.contains(id) && leech.finished[id] == 1; }))
        << leech.failed[id] << " metadata " << leech.metadata.contains(id) << " finished "
        << leech.finished[id] << " progress " << leech.seen[id].progress << " peers "
        << leech.seen[id].num_peers << " downloaded " << leech.seen[id].downloaded << " state "
        << contract::name_of(leech.seen[id].state);
    EXPECT_EQ(leech.metadata[id].name, "data");
    EXPECT_EQ(leech.metadata[id].hashes, source.hashes);
    EXPECT_EQ(leech.metadata[id].total_size, source.total_size);
    expect_same_files(payload, leech_dir / "data");
    // What came is a torrent file, and with it and the resume data the torrent is whole again.
    auto const file = *leech.metadata[id].metainfo;
    ASSERT_TRUE(engine::read_torrent(file));
    ASSERT_TRUE(until([&] { return leech.saved[id].progress == 1.0; }));
    leech.restart();
    leech.it->ask(wish_for(id, file, leech_dir.path()), load_of(file, leech.resume[id]));
    EXPECT_TRUE(leech.reaches(id, torrent_state::seeding)) << leech.failed[id];
}

TEST_F(lt_engine, the_same_torrent_twice_fails_the_second) {
    auto const torrent = make_torrent(payload, kind::v1);
    auto s = side{"127.0.0.2"};
    seeds(s, torrent);
    auto const twin = make_id();
    s.it->ask(wish_for(twin, torrent, seed_dir.path()), load_of(torrent));
    ASSERT_TRUE(until([&] { return s.failed.contains(twin); }));
    EXPECT_THAT(s.failed[twin], ::testing::HasSubstr("same torrent"));
    EXPECT_FALSE(s.failed.contains(id));
}

TEST_F(lt_engine, a_paused_torrent_with_its_files_there_is_still_checked) {
    auto const torrent = make_torrent(payload, kind::hybrid);
    auto s = side{"127.0.0.2"};
    s.it->ask(wish_for(id, torrent, seed_dir.path(), [](auto& a) { a.paused = true; }), load_of(torrent));
    ASSERT_TRUE(s.reaches(id, torrent_state::paused));
    EXPECT_EQ(s.seen[id].progress, 1.0);
    EXPECT_TRUE(s.seen[id].finished);
    EXPECT_EQ(s.finished[id], 0);
}

TEST_F(lt_engine, a_blocked_torrent_touches_nothing_until_its_root_is_back) {
    auto const torrent = make_torrent(payload, kind::v1);
    auto s = side{"127.0.0.2"};
    auto wish = wish_for(id, torrent, (leech_dir / "away").string());
    wish.blocked = true;
    s.it->ask(wish, load_of(torrent));
    ASSERT_TRUE(until([&] { return s.caught_up == 1; }));
    EXPECT_FALSE(fs::exists(leech_dir / "away"));
    EXPECT_FALSE(s.seen.contains(id));
    wish.blocked = false;
    s.it->ask(wish);
    EXPECT_TRUE(s.reaches(id, torrent_state::downloading));
    wish.blocked = true;
    s.it->ask(wish);
    EXPECT_TRUE(s.reaches(id, torrent_state::stopped));
}

TEST_F(lt_engine, a_file_that_vanishes_is_an_error_until_the_torrent_is_resumed) {
    auto const torrent = make_torrent(payload, kind::v1);
    auto seed = side{"127.0.0.2"}, leech = side{"127.0.0.3"};
    seeds(seed, torrent);
    fs::remove(payload / "a.bin");
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
    ASSERT_TRUE(leech.dial(id, seed));
    ASSERT_TRUE(until([&] { return seed.failed.contains(id); }));
    EXPECT_THAT(seed.failed[id], ::testing::HasSubstr("a.bin is missing"));
    EXPECT_THAT(seed.failed[id], ::testing::Not(::testing::HasSubstr(seed_dir.path())));
    seed.it->ask(wish_for(id, torrent, seed_dir.path(), [](auto& a) { a.paused = true; }));
    // Other reads of the file fail too; none is under way any more once its peers are gone.
    ASSERT_TRUE(until([&] { return leech.seen[id].num_peers == 0 && seed.seen[id].num_peers == 0; }));
    ASSERT_TRUE(seed.reaches(id, torrent_state::paused));
    seed.it->ask(wish_for(id, torrent, seed_dir.path()));
    ASSERT_TRUE(until([&] { return !seed.failed.contains(id); }));
    EXPECT_TRUE(until([&] { return seed.seen[id].progress < 0.6; }));
    EXPECT_TRUE(until([&] { return seed.saved[id].progress < 0.6; }))
        << "nor is it claimed at the next start";
}

TEST_F(lt_engine, a_stop_of_the_queue_that_crosses_a_failure_is_no_wish_to_try_again) {
    auto const torrent = make_torrent(payload, kind::v1);
    auto seed = side{"127.0.0.2"}, leech = side{"127.0.0.3"};
    seeds(seed, torrent);
    fs::remove(payload / "a.bin");
    auto wish = wish_for(id, torrent, seed_dir.path());
    auto crossed = 0;
    seed.when_failed = [&] { // nobody knows of it yet
        wish.held = ++crossed > 0;
        seed.it->ask(wish);
        wish.held = false;
        seed.it->ask(wish);
    };
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
    ASSERT_TRUE(leech.dial(id, seed));
    ASSERT_TRUE(until([&] { return crossed > 0 && leech.seen[id].num_peers == 0; }));
    auto const looks = seed.told_of_session;
    ASSERT_TRUE(until([&] { return seed.told_of_session > looks + 1; }));
    EXPECT_TRUE(seed.failed.contains(id));
    EXPECT_EQ(crossed, 1) << "it was not tried again";
    seed.it->ask(wish); // known by now
    EXPECT_TRUE(until([&] { return !seed.failed.contains(id); }));
}

TEST_F(lt_engine, connections_whose_alerts_were_lost_are_told) {
    auto const torrent = make_torrent(payload, kind::v1);
    auto seed = side{"127.0.0.2", {}, 20};
    seeds(seed, torrent);
    auto serial = 0;
    auto const flood = [&] { // of more answers than its alerts have room for
        for (int i = 0; i < 300; ++i) {
            auto const magnet = fmt::format("magnet:?xt=urn:btih:{:040x}", ++serial);
            auto const one = wish_for(make_id(), magnet, leech_dir.path(), [](auto& a) { a.paused = true; });
            seed.it->ask(one, load_of(magnet));
        }
    };
    for (int round = 0; round < 5; ++round) {
        fs::remove_all(leech_dir / "data");
        auto leech = side{"127.0.0.3", [](contract::settings& s) { s.limits.global_down_kib = 16; }};
        leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
        ASSERT_TRUE(leech.listens());
        flood();
        auto const before = seed.told_of_session;
        ASSERT_TRUE(until([&] { return seed.told_of_session > before; })); // it is in the midst of it
        flood();
        ASSERT_TRUE(leech.dial(id, seed));
        ASSERT_TRUE(until([&] { return !seed.connected.empty(); })) << round;
        leech.it->ask(wish_for(id, torrent, leech_dir.path(), [](auto& a) { a.paused = true; })); // hangs up
        flood();
        EXPECT_TRUE(until([&] { return seed.connected.empty(); })) << round;
    }
    EXPECT_GT(seed.lost, 0);
}

TEST_F(lt_engine, an_unwritable_folder_is_an_error_for_people) {
    auto const torrent = make_torrent(payload, kind::v1);
    write_file(leech_dir / "data", "in the way");
    auto seed = side{"127.0.0.2"}, leech = side{"127.0.0.3"};
    seeds(seed, torrent);
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
    leech.dial(id, seed);
    ASSERT_TRUE(until([&] { return leech.failed.contains(id); }));
    EXPECT_THAT(leech.failed[id], ::testing::Not(IsEmpty()));
    EXPECT_FALSE(leech.resume.contains(id));
}

TEST_F(lt_engine, symbolic_links_of_a_torrent_are_not_created) {
    fs::create_symlink("a.bin", payload / "link");
    namespace lt = libtorrent;
    auto files = lt::file_storage{};
    lt::add_files(files, payload.string(), lt::create_torrent::symlinks);
    auto creator =
        lt::create_torrent{files, 65536, lt::create_torrent::v1_only | lt::create_torrent::symlinks};
    lt::set_piece_hashes(creator, seed_dir.path());
    auto torrent = std::string{};
    lt::bencode(std::back_inserter(torrent), creator.generate());
    EXPECT_THAT(engine::read_torrent(torrent)->files, ::testing::SizeIs(3));
    auto seed = side{"127.0.0.2"}, leech = side{"127.0.0.3"};
    seeds(seed, torrent);
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
    ASSERT_TRUE(leech.dial(id, seed));
    ASSERT_TRUE(until([&] { return leech.finished[id] == 1; }));
    expect_same_files(payload, leech_dir / "data");
    EXPECT_FALSE(fs::is_symlink(leech_dir / "data" / "link"));
}

TEST_F(lt_engine, engines_at_one_address_meet_even_when_both_dial) {
    auto const torrent = make_torrent(payload, kind::v1);
    auto seed = side{"127.0.0.1"}, leech = side{"127.0.0.1"};
    seeds(seed, torrent);
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
    ASSERT_TRUE(leech.dial(id, leech)); // as a tracker would that names the asker too
    ASSERT_TRUE(leech.dial(id, seed));
    ASSERT_TRUE(seed.dial(id, leech));
    EXPECT_TRUE(until([&] { return leech.finished[id] == 1; }, 15s));
}

TEST_F(lt_engine, settings_changed_while_it_runs_bind_running_torrents) {
    auto const torrent = make_torrent(payload, kind::v1);
    auto seed = side{"127.0.0.2"},
         leech = side{"127.0.0.3", [](auto& s) { s.limits.per_torrent_down_kib = 64; }};
    seeds(seed, torrent);
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
    ASSERT_TRUE(leech.dial(id, seed));
    ASSERT_TRUE(until([&] { return leech.seen[id].progress > 0; }));
    EXPECT_LT(leech.seen[id].progress, 0.5);
    leech.settings.limits.per_torrent_down_kib = 0;
    leech.it->configure(leech.settings);
    EXPECT_TRUE(until([&] { return leech.finished[id] == 1; }));
}

TEST_F(lt_engine, settings_changed_while_a_torrent_is_read_bind_it) {
    auto const torrent = make_torrent(payload, kind::v1);
    auto seed = side{"127.0.0.2", [](auto& s) { s.network.max_peers_per_torrent = 2; }};
    seed.it->ask(wish_for(id, torrent, seed_dir.path()), load_of(torrent));
    seed.settings.network.max_peers_per_torrent = 50;
    seed.it->configure(seed.settings);
    ASSERT_TRUE(seed.reaches(id, torrent_state::seeding));
    auto leeches = std::list<side>{};
    for (auto const* const ip : {"127.0.0.3", "127.0.0.4", "127.0.0.5"}) {
        auto& leech = leeches.emplace_back(ip, [](contract::settings& s) { s.limits.global_down_kib = 16; });
        leech.it->ask(wish_for(id, torrent, leech_dir / ip), load_of(torrent));
        ASSERT_TRUE(leech.dial(id, seed));
    }
    EXPECT_TRUE(until([&] { return seed.connected.size() == 3; }));
}

TEST_F(lt_engine, lost_alerts_are_told_and_made_good) {
    auto s = side{"127.0.0.2", {}, 20};
    auto ids = std::vector<torrent_id>{};
    for (int i = 0; i < 1'000; ++i) {
        auto const magnet = fmt::format("magnet:?xt=urn:btih:{:040x}", i + 1);
        ids.push_back(make_id());
        s.it->ask(
            wish_for(ids.back(), magnet, leech_dir.path(), [](auto& a) { a.paused = true; }),
            load_of(magnet));
    }
    ASSERT_TRUE(until([&] { return s.seen.size() == 1'000 && s.caught_up == 1; }, 20s));
    EXPECT_GT(s.lost, 0);
    auto gone = 0;
    for (auto const& one : ids) s.it->forget(one, [&](auto) { ++gone; });
    EXPECT_TRUE(until([&] { return gone == 1'000; }, 20s));
    EXPECT_THAT(s.failed, IsEmpty());
}

TEST_F(lt_engine, ten_thousand_torrents_are_taken_in) {
    auto s = side{"127.0.0.2"};
    for (int i = 0; i < 10'000; ++i) {
        auto const magnet = fmt::format("magnet:?xt=urn:btih:{:040x}", i + 1);
        s.it->ask(
            wish_for(make_id(), magnet, leech_dir.path(), [](auto& a) { a.paused = true; }), load_of(magnet));
    }
#ifdef __SANITIZE_THREAD__
    constexpr auto within = 120s;
#else
    constexpr auto within = 20s;
#endif
    ASSERT_TRUE(until([&] { return s.caught_up == 1; }, within));
    EXPECT_TRUE(until([&] { return s.seen.size() == 10'000; }, within));
    EXPECT_THAT(s.failed, IsEmpty());
}

} // namespace
