// Two real engines in one process, on one loop, at two loopback addresses.
#include "base/net.hpp"
#include "engine/lt_engine.hpp"
#include "engine/lt_test_support.hpp"

#include <fmt/format.h>
#include <functional>
#include <gmock/gmock.h>
#include <list>
#include <map>
#include <set>

namespace {

using namespace ccbt;
using namespace ccbt::engine::testing;
using namespace std::chrono_literals;
using contract::torrent_state;
using engine::torrent_id;
using ::testing::IsEmpty;

loop& the_loop() {
    static auto on = loop{3};
    return on;
}

// Runs the loop until `is_so`; false where it does not come to be in time.
bool until(std::function<bool()> const& is_so, std::chrono::milliseconds within = 10s) {
    auto& on = the_loop();
    if (is_so()) return true;
    auto so = false;
    auto const look = on.every(5ms, [&] {
        so = is_so();
        if (so) on.stop();
    });
    auto const late = on.after(within, [&] { on.stop(); });
    on.run();
    on.context().restart();
    return so;
}

struct side {
    explicit side(
        std::string address, std::function<void(contract::settings&)> const& change = {}, int queue = 200'000,
        bool awaits = false)
        : ip{address}, alert_queue{queue}, await_block_list{awaits} {
        settings.network.listen_interface = address;
        settings.network.listen_port_tcp = 0;
        settings.discovery.enable_dht = false;
        settings.daemon.auto_save_interval = 1;
        if (change) change(settings);
        start();
    }

    void start() {
        it = engine::make_lt_engine(
            {the_loop(), settings, [this](std::vector<model::fact> facts) { take(facts); },
             [this](std::vector<engine::saved_progress> all) {
                 for (auto& p : all) {
                     if (p.resume) resume[p.done.id] = p.resume;
                     saved[p.done.id] = p.done;
                 }
             },
             true, alert_queue, await_block_list});
    }

    void take(std::vector<model::fact> const& facts) {
        for (auto const& f : facts) {
            if (auto const* s = std::get_if<model::torrents_seen>(&f))
                for (auto const& t : s->samples) {
                    seen[t.id] = t;
                    states[t.id].insert(t.state);
                }
            if (auto const* e = std::get_if<model::torrent_failed>(&f)) {
                failed[e->id] = e->message;
                if (when_failed) when_failed();
            }
            if (auto const* e = std::get_if<model::peer_came>(&f)) connected.insert({e->id, e->port});
            if (auto const* e = std::get_if<model::peer_left>(&f)) connected.erase({e->id, e->port});
            if (auto const* e = std::get_if<model::torrent_recovered>(&f)) failed.erase(e->id);
            if (auto const* e = std::get_if<model::torrent_finished>(&f)) ++finished[e->id];
            if (auto const* e = std::get_if<model::metadata_arrived>(&f)) metadata[e->id] = *e;
            if (auto const* e = std::get_if<model::session_seen>(&f)) {
                session = *e;
                ++told_of_session;
            }
            if (std::holds_alternative<model::engine_caught_up>(f)) ++caught_up;
            if (std::holds_alternative<model::facts_lost>(f)) ++lost;
        }
    }

    void restart() {
        it.reset();
        seen.clear();
        states.clear();
        finished.clear();
        failed.clear();
        caught_up = 0;
        start();
    }

    bool listens() {
        return until([this] { return it->listen_port() != 0; });
    }
    bool reaches(torrent_id id, torrent_state state, std::chrono::milliseconds within = 10s) {
        return until([&] { return seen.contains(id) && seen[id].state == state; }, within);
    }
    bool dial(torrent_id id, side& other) {
        return other.listens() &&
               until([&] { return engine::connect_peer(*it, id, other.ip, other.it->listen_port()); });
    }

    std::string ip;
    int alert_queue;
    bool await_block_list;
    contract::settings settings;
    std::unique_ptr<engine::engine> it;
    std::map<torrent_id, model::torrent_seen> seen;
    std::map<torrent_id, std::set<torrent_state>> states;
    std::map<torrent_id, std::string> failed;
    std::map<torrent_id, int> finished;
    std::map<torrent_id, model::metadata_arrived> metadata;
    std::map<torrent_id, std::shared_ptr<std::string const>> resume;
    std::map<torrent_id, model::torrent_done> saved;
    model::session_seen session;
    std::function<void()> when_failed{}; // called while that is told
    std::set<std::pair<torrent_id, int>> connected;
    int caught_up = 0, lost = 0, told_of_session = 0;
};

torrent_id make_id() { return contract::make_torrent_id(); }

using change_to = std::function<void(model::torrent_asked&)>;

engine::wish wish_for(
    torrent_id id, std::string const& torrent, std::string const& save_path, change_to const& change = {}) {
    auto asked = model::torrent_asked{};
    asked.id = id;
    auto const source =
        torrent.starts_with("magnet:") ? *engine::read_magnet(torrent) : *engine::read_torrent(torrent);
    asked.hashes = source.hashes;
    asked.name = source.name;
    asked.total_size = source.total_size;
    asked.has_metainfo = !torrent.starts_with("magnet:");
    if (!asked.has_metainfo) asked.magnet = torrent;
    if (change) change(asked);
    return {std::make_shared<model::torrent_asked const>(asked), save_path, false};
}

engine::load load_of(
    std::string const& torrent, std::shared_ptr<std::string const> resume = nullptr,
    bool after_crash = false) {
    auto l = engine::load{};
    if (!torrent.starts_with("magnet:")) l.metainfo = std::make_shared<std::string const>(torrent);
    l.resume = std::move(resume);
    l.after_crash = after_crash;
    return l;
}

void expect_same_files(fs::path const& a, fs::path const& b) {
    for (auto const* const name : {"a.bin", "sub/b.bin", "sub/c.txt"})
        EXPECT_TRUE(read_file(a / name) == read_file(b / name)) << name;
}

struct lt_engine : ::testing::Test {
    static constexpr std::size_t size = 4 << 20;
    temporary_folder seed_dir, leech_dir;
    fs::path payload = make_payload(seed_dir.path(), size);
    torrent_id id = make_id();

    void seeds(side& s, std::string const& torrent, change_to const& change = {}) {
        s.it->ask(wish_for(id, torrent, seed_dir.path(), change), load_of(torrent));
        ASSERT_TRUE(s.reaches(id, torrent_state::seeding)) << s.failed[id];
    }
};

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
    ASSERT_TRUE(until([&] { return s.caught_up == 1; }, 20s));
    EXPECT_TRUE(until([&] { return s.seen.size() == 10'000; }));
    EXPECT_THAT(s.failed, IsEmpty());
}

std::shared_ptr<ip_range_set const> ranges(std::vector<char const*> const& texts) {
    std::vector<ip_range> all;
    for (auto const* text : texts) all.push_back(*ip_range::parse(text));
    return std::make_shared<ip_range_set const>(std::move(all));
}

bool block(side& s, std::vector<char const*> const& texts) {
    bool told = false;
    s.it->block_addresses(ranges(texts), [&told] { told = true; });
    return until([&told] { return told; });
}

TEST_F(lt_engine, blocked_addresses_are_cut_refused_and_let_in_again) {
    auto const torrent = make_torrent(payload, kind::v1);
    // Slow, so that they stay connected.
    auto const slow = [](contract::settings& s) { s.limits.global_down_kib = 16; };
    auto seed = side{"127.0.0.2"}, leech = side{"127.0.0.3", slow}, other = side{"127.0.0.4", slow};
    temporary_folder other_dir;
    seeds(seed, torrent);
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
    other.it->ask(wish_for(id, torrent, other_dir.path()), load_of(torrent));
    ASSERT_TRUE(leech.dial(id, seed));
    ASSERT_TRUE(other.dial(id, seed));
    ASSERT_TRUE(until([&] { return seed.seen[id].num_peers == 2; }));
    EXPECT_TRUE(until([&] { return seed.session.allowed_connections >= 2; }));
    EXPECT_EQ(seed.session.blocked_connections, 0);

    ASSERT_TRUE(block(seed, {"127.0.0.3"}));
    EXPECT_TRUE(until([&] { return seed.seen[id].num_peers == 1; }, 3s)) << "cut";
    EXPECT_TRUE(until([&] { return seed.session.blocked_connections >= 1; }));
    auto const cut = seed.session.blocked_connections;
    auto const let_in = seed.session.allowed_connections;
    ASSERT_TRUE(leech.dial(id, seed));
    EXPECT_TRUE(until([&] { return seed.session.blocked_connections > cut; })) << "refused";
    EXPECT_EQ(seed.session.allowed_connections, let_in) << "a refused one is not let through";
    auto const refused = seed.session.blocked_connections;
    ASSERT_TRUE(seed.dial(id, leech));
    EXPECT_TRUE(until([&] { return seed.session.blocked_connections > refused; })) << "not dialled";
    EXPECT_EQ(seed.seen[id].num_peers, 1);

    ASSERT_TRUE(block(seed, {"127.0.0.9"}));
    leech.restart(); // without the failures that libtorrent makes a known peer wait for
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
    ASSERT_TRUE(leech.dial(id, seed));
    EXPECT_TRUE(until([&] { return seed.seen[id].num_peers == 2; }, 20s)) << "let in again";
}

TEST_F(lt_engine, who_is_listed_beside_two_million_ranges_is_cut_within_a_second) {
    auto const torrent = make_torrent(payload, kind::v1);
    auto const slow = [](contract::settings& s) { s.limits.global_down_kib = 16; };
    auto seed = side{"127.0.0.2"}, leech = side{"127.0.0.3", slow}, other = side{"127.0.0.4", slow};
    temporary_folder other_dir;
    seeds(seed, torrent);
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
    other.it->ask(wish_for(id, torrent, other_dir.path()), load_of(torrent));
    ASSERT_TRUE(leech.dial(id, seed));
    ASSERT_TRUE(other.dial(id, seed));
    ASSERT_TRUE(until([&] { return seed.seen[id].num_peers == 2; }));
    std::vector<ip_range> many;
    for (std::uint32_t i = 0; i < 2'000'000; ++i)
        many.push_back({ip_address::v4(0x80000000 + i * 1000), ip_address::v4(0x80000000 + i * 1000 + 500)});
    auto const huge = ip_range_set{std::move(many)};
    auto const with_one = std::make_shared<ip_range_set const>(huge.united_with(*ranges({"127.0.0.3"})));
    bool told = false;
    auto const began = std::chrono::steady_clock::now();
    auto const since = [&] { return std::chrono::steady_clock::now() - began; };
    seed.it->block_addresses(with_one, [&told] { told = true; });
    auto const connected = [&] {
        std::optional<std::string> ips;
        seed.it->peers(id, [&ips](contract::result<std::vector<contract::peer>> all) {
            ips.emplace();
            for (auto const& one : *all) *ips += one.ip + ' ';
        });
        EXPECT_TRUE(until([&] { return ips.has_value(); }));
        return *ips;
    };
    EXPECT_TRUE(until([&] { return connected() == "127.0.0.4 "; }));
    EXPECT_LT(since(), 1s);
    EXPECT_FALSE(told) << "libtorrent's own filter takes longer";
    ASSERT_TRUE(until([&] { return told; }, 30s));
    RecordProperty("in_force_after_ms", static_cast<int>(since() / 1ms));
    EXPECT_EQ(connected(), "127.0.0.4 ");
    EXPECT_TRUE(until([&] { return seed.session.blocked_connections >= 1; }));
}

TEST_F(lt_engine, one_that_awaits_its_block_list_neither_listens_nor_takes_torrents_in_before) {
    auto const torrent = make_torrent(payload, kind::v1);
    auto s = side{"127.0.0.2", {}, 200'000, true};
    s.it->ask(wish_for(id, torrent, seed_dir.path()), load_of(torrent));
    s.it->configure(s.settings);
    EXPECT_TRUE(until([&] { return s.told_of_session >= 2; })) << "it turns";
    EXPECT_EQ(s.it->listen_port(), 0);
    EXPECT_FALSE(s.seen.contains(id));
    EXPECT_EQ(s.caught_up, 0);
    ASSERT_TRUE(block(s, {"127.0.0.3"}));
    EXPECT_TRUE(s.listens());
    EXPECT_TRUE(s.reaches(id, torrent_state::seeding));
    EXPECT_TRUE(until([&] { return s.caught_up == 1; }));
}

} // namespace
