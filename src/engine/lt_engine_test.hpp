// Two real engines in one process, on one loop, at two loopback addresses. For tests.
#pragma once

#include "base/net.hpp"
#include "engine/lt_engine.hpp"
#include "engine/lt_test_support.hpp"

#include <fmt/format.h>
#include <functional>
#include <gmock/gmock.h>
#include <list>
#include <map>
#include <set>

namespace ccbt::test_engines {

using namespace engine::testing;
using namespace std::chrono_literals;
using contract::torrent_state;
using engine::torrent_id;

inline loop& the_loop() {
    static auto on = loop{3};
    return on;
}

// Runs the loop until `is_so`; false where it does not come to be in time.
inline bool until(std::function<bool()> const& is_so, std::chrono::milliseconds within = 10s) {
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

inline torrent_id make_id() { return contract::make_torrent_id(); }

using change_to = std::function<void(model::torrent_asked&)>;

inline engine::wish wish_for(
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

inline engine::load load_of(
    std::string const& torrent, std::shared_ptr<std::string const> resume = nullptr,
    bool after_crash = false) {
    auto l = engine::load{};
    if (!torrent.starts_with("magnet:")) l.metainfo = std::make_shared<std::string const>(torrent);
    l.resume = std::move(resume);
    l.after_crash = after_crash;
    return l;
}

inline void expect_same_files(fs::path const& a, fs::path const& b) {
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

} // namespace ccbt::test_engines
