// Who of the queue runs: at each moment the first by priority and then by place, as many as the limits allow of those
// that download, of those that seed, and in all. Whoever has to make room keeps its slot until the engine tells that it
// has stopped, so that the limits hold at every moment. Follows the facts before the model does, so that both change in
// one revision; a fact costs what it changes, not what there is. Loop thread; pure: knows neither store nor engine.
#pragma once

#include "contract/settings.hpp"
#include "model/facts.hpp"
#include "model/queue_order.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

namespace ccbt::model {

class queue_schedule {
public:
    /// Limits, and whether the queue steers at all; 0 is no limit.
    void configure(contract::queue_settings const& to);
    [[nodiscard]] bool steers() const { return steers_; }

    /// What was there at the start.
    void restore(std::shared_ptr<torrent_asked const> const& asked, torrent_done const& done, bool offline);
    void expect(std::size_t torrents) { entries_.reserve(torrents); } // before: so many are restored
    /// `is_offline` of a root.
    void take(std::span<fact const> facts, std::function<bool(torrent_id)> const& is_offline);
    /// Decides. What rows have to be told with the facts that were taken, before them.
    [[nodiscard]] std::vector<fact> settle();

    /// Must it rest now? Of the queue only; whether its user paused it is another matter.
    [[nodiscard]] bool holds(torrent_id id) const;
    /// The engine is told, now, whether the torrent may run.
    void note_asked(torrent_id id, bool runs, bool held);
    /// Whom the engine has to be told of again: those that are to stop first.
    [[nodiscard]] std::vector<torrent_id> take_asks(std::size_t at_most);
    [[nodiscard]] bool has_asks() const { return !stops_.empty() || !starts_.empty(); }

    [[nodiscard]] queue_order const& order() const { return order_; }
    [[nodiscard]] bool seeds(torrent_id id) const; // takes, or would take, a seeding slot

private:
    enum class part : std::uint8_t { downloading, seeding };
    struct rank { // smaller goes first
        std::int8_t priority = 0;
        std::int64_t key = 0;
        torrent_id id;
        auto operator<=>(rank const&) const = default;
    };
    enum class phase : std::uint8_t { out, waiting, chosen, running }; // chosen: runs once there is room
    struct entry {
        rank at;
        part plays = part::downloading;
        torrent_id root;
        queue_priority priority = queue_priority::normal;
        bool in_queue = false, user_paused = false, failed = false, offline = false;
        phase now = phase::out;
        bool may_run = false; // the engine was told to run it, and has not told yet that it stopped
        bool counted = false; // it fills a slot
        part counted_as = part::downloading;
        queue_hold told = queue_hold::none; // what its row knows
        std::optional<bool> engine_knows{}; // the last `held` that the engine was told
    };
    using ranks = std::set<rank>;

    void set(torrent_asked const& asked, bool offline);
    template <class Change> void change(entry& e, Change what); // `what` must not touch `now`
    void take_out(entry& e);
    void put_in(entry& e, bool was_chosen);
    void count(entry& e);
    void drop(rank const& who);
    void choose(rank const& who);
    void run_chosen();
    [[nodiscard]] bool competes(entry const& e) const;
    [[nodiscard]] entry* find(torrent_id id);
    [[nodiscard]] std::size_t chosen() const { return chosen_[0].size() + chosen_[1].size(); }
    [[nodiscard]] static bool is_full(std::size_t have, std::int64_t limit) {
        return limit > 0 && have >= static_cast<std::size_t>(limit);
    }
    [[nodiscard]] rank worst() const;
    [[nodiscard]] ranks& of(std::array<ranks, 2>& both, part p) { return both[static_cast<std::size_t>(p)]; }

    bool steers_ = false;
    std::int64_t most_ = 0;
    std::array<std::int64_t, 2> most_of_{};
    queue_order order_;
    std::unordered_map<torrent_id, entry> entries_;
    std::array<ranks, 2> chosen_, waiting_; // by part
    ranks pending_;                         // chosen and not running yet
    std::array<std::size_t, 2> filled_{};   // slots
    std::vector<torrent_id> touched_;       // since the last settling
    std::vector<torrent_id> stops_, starts_;
};

} // namespace ccbt::model
