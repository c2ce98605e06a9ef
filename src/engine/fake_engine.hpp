// The engine's port without a network: for `ccbtd --demo N`, for tests and benchmarks. Deterministic: what moves, moves
// by tick(), which a ticker calls where a period is given and a test calls by hand. Loop thread; facts and callbacks
// come later, through the loop, as from the real one.
#pragma once

#include "base/loop.hpp"
#include "engine/engine.hpp"
#include "engine/teller.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ccbt::engine {

class fake_engine final : public engine {
public:
    struct options {
        loop& on;
        fact_sink facts;
        progress_sink progress;
        std::chrono::milliseconds period{0}; // 0: only tick() moves anything
        int share = 20;                      // one torrent of so many moves with each tick
        bool mixed = false;                  // new torrents start somewhere between nothing and all
    };
    explicit fake_engine(options with);

    using engine::ask;
    void ask(wish how, load first) override;
    void forget(torrent_id id, unique_function<void(std::shared_ptr<std::string const>)> done) override;
    void configure(contract::settings const& to) override { configured_ = to; }
    void block_addresses(std::shared_ptr<ip_range_set const> what, unique_function<void()> done) override;
    void peers(
        torrent_id id, unique_function<void(contract::result<std::vector<contract::peer>>)> done) override;
    void pieces(torrent_id id, unique_function<void(contract::result<piece_report>)> done) override;
    void file_progress(
        torrent_id id, unique_function<void(contract::result<std::vector<std::int64_t>>)> done) override;
    using engine::save_all;
    void save_all(unique_function<void()> done) override;
    void announce(
        torrent_id id, std::chrono::milliseconds within,
        unique_function<void(contract::result<std::vector<contract::tracker_answer>>)> done) override;
    void stop(std::chrono::milliseconds within, unique_function<void()> done) override;
    [[nodiscard]] std::size_t backlog() const override { return backlog_; }
    [[nodiscard]] int listen_port() const override { return 6881; }

    // By hand.
    /// From now on nothing that is to be blocked is in force, nor answered, until release_blocks().
    void hold_blocks() { blocks_held_ = true; }
    void release_blocks();
    void set_backlog(std::size_t torrents) { backlog_ = torrents; }
    void tick();
    void set_peers(torrent_id id, std::vector<contract::peer> peers);
    void set_pieces(torrent_id id, std::vector<bool> have);
    /// The bytes of its files that are here; empty, as at first: it is not loaded yet.
    void set_file_progress(torrent_id id, std::vector<std::int64_t> bytes);
    /// What the torrent's trackers answer from now on; none at first.
    void set_trackers(torrent_id id, std::vector<contract::tracker_answer> trackers);
    void see(model::torrent_seen sample); // tells it, and goes on from it
    void fail(torrent_id id, std::string message);
    void recover(torrent_id id);
    void finish(torrent_id id);
    /// `metainfo` is a whole .torrent file; the magnet becomes that torrent.
    void metadata(torrent_id id, std::string metainfo);
    void lose_facts(); // facts_lost, and then everything again
    void tell(model::fact what) { tell_.tell(std::move(what)); }

    // To inspect.
    [[nodiscard]] std::vector<wish> const& wishes() const { return wishes_; } // every ask, in order
    [[nodiscard]] wish const* wished(torrent_id id) const; // the last of a torrent; null: none
    [[nodiscard]] load const* loaded(torrent_id id) const;
    [[nodiscard]] std::vector<torrent_id> const& forgotten() const { return forgotten_; }
    [[nodiscard]] contract::settings const& configured() const { return configured_; }
    [[nodiscard]] ip_range_set const& blocked() const { return blocked_; } // in force
    [[nodiscard]] int blocks_asked() const { return blocks_asked_; }
    [[nodiscard]] int saves_asked() const { return saves_asked_; }
    [[nodiscard]] bool stopped() const { return stopped_; }
    std::shared_ptr<std::string const> resume_on_forget; // what forget() answers

private:
    struct torrent {
        wish how;
        load first;
        model::torrent_seen seen;
        std::vector<contract::peer> peers;
        std::vector<bool> have;
        std::vector<std::int64_t> file_bytes;
        std::vector<contract::tracker_answer> trackers;
        std::uint64_t seed = 0;
        bool failed = false;
    };
    [[nodiscard]] torrent* find(torrent_id id);
    void settle(torrent& t); // its state, from its wish and progress
    void move(torrent& t);
    void tell_seen(std::vector<model::torrent_seen> samples);

    loop& loop_;
    teller tell_;
    progress_sink progress_;
    int share_;
    bool mixed_;
    std::map<torrent_id, torrent> torrents_;
    std::vector<torrent_id> order_; // of asking
    std::vector<wish> wishes_;
    std::vector<torrent_id> forgotten_;
    contract::settings configured_;
    struct block {
        std::shared_ptr<ip_range_set const> what;
        unique_function<void()> done;
    };
    std::vector<block> blocks_; // held
    ip_range_set blocked_;
    bool blocks_held_ = false;
    int blocks_asked_ = 0;
    std::size_t backlog_ = 0;
    int saves_asked_ = 0;
    bool stopped_ = false, caught_up_ = false;
    std::uint64_t ticks_ = 0;
    std::int64_t downloaded_ = 0, uploaded_ = 0;
    std::unique_ptr<loop::ticker> ticker_;
    presence here_;
};

} // namespace ccbt::engine
