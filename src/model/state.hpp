// The truth in memory. Commands go down, facts come up: only apply() changes anything here, and every event is derived
// from a fact. Loop thread; no I/O, no clock (the time comes with the fact), knows nobody who reads it.
#pragma once

#include "model/event_log.hpp"
#include "model/facts.hpp"
#include "model/torrent_table.hpp"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace ccbt::model {

struct session_totals {
    std::int64_t downloaded = 0, uploaded = 0;                 // of all time
    std::int64_t session_downloaded = 0, session_uploaded = 0; // since this start
    std::int64_t dht_nodes = 0;
    std::int64_t blocked_connections = 0, allowed_connections = 0; // since this start
};

class state {
public:
    struct beginning {
        std::uint64_t incarnation = 1; // random, of this run
        std::int64_t first_seq = 1;
        std::int64_t removed_downloaded = 0, removed_uploaded = 0; // by torrents that are gone
    };
    explicit state(beginning from);

    /// What was there at the start: no events, status starting until the engine tells.
    void restore(std::shared_ptr<torrent_asked const> asked, torrent_done const& done);
    void know_root(storage_root const& root);
    void restore(address_list list, list_entry entry);
    void restore(contract::access_key key) { keys_.put(std::move(key)); }
    void expect(std::size_t torrents) { torrents_.expect(torrents); } // before: so many are restored

    void apply(std::span<fact const> facts, double now); // one revision for all of them
    void apply(fact const& one, double now) { apply(std::span{&one, 1}, now); }

    /// Tells the watchers that rows moved, where any did since it was last told.
    void tell_changes(double now);

    /// Tells the watchers the sums over all torrents, where they are not what was last told.
    void tell_stats(contract::get_global_stats::response const& now_so, double now);
    void forget_stats() { told_stats_.reset(); } // nobody listens: who comes next is told at once

    [[nodiscard]] contract::revision revision() const { return {beginning_.incarnation, number_}; }
    [[nodiscard]] torrent_table const& torrents() const { return torrents_; }
    [[nodiscard]] session_totals totals() const;
    [[nodiscard]] session_totals const& removed_totals() const {
        return totals_;
    } // by torrents that are gone
    [[nodiscard]] nat_seen const& nat() const { return nat_; }
    [[nodiscard]] event_log& events() { return events_; }
    [[nodiscard]] storage_root const* root(torrent_id id) const;
    [[nodiscard]] bool is_offline(torrent_id root) const;
    [[nodiscard]] std::string folder_of(torrent_asked const& asked) const; // absolute
    [[nodiscard]] filter_loaded const& filter() const { return filter_; }
    [[nodiscard]] bool stopping() const { return stopping_; }
    [[nodiscard]] contract::key_ring& keys() {
        return keys_;
    } // to be asked and listened to; changed by facts
    [[nodiscard]] contract::key_ring const& keys() const { return keys_; }
    using listed = std::map<ip_range, list_entry>;
    [[nodiscard]] listed const& list(address_list which) const {
        return which == address_list::blacklist ? blacklist_ : whitelist_;
    }

private:
    void on(torrent_put const& f);
    void on(torrent_gone const& f);
    void on(list_changed const& f);
    void on(torrents_seen const& f);
    void on(torrent_failed const& f);
    void on(torrent_recovered const& f);
    void on(torrent_held const& f);
    void on(torrent_finished const& f);
    void on(metadata_arrived const&) {} // becomes a commit first, and then a torrent_put
    void on(tracker_announced const& f);
    void on(peer_came const& f);
    void on(peer_left const& f);
    void on(session_seen const& f);
    void on(listening const&) {} // the gateway's to know
    void on(nat_seen const& f);
    void on(engine_caught_up const&) {}
    void on(facts_lost const&) {} // the engine tells everything again
    void on(root_offline const& f) { set_offline(f.root, true); }
    void on(root_online const& f) { set_offline(f.root, false); }
    void on(config_changed const& f);
    void on(filter_loaded const& f);
    void on(stopping_now const& f);
    void on(work_progressed const& f);
    void on(removed_totals_raised const& f);
    void on(key_put const& f) { keys_.put(f.key); }
    void on(key_gone const& f) { keys_.drop(f.name); }

    void set_offline(torrent_id root, bool offline);
    void refresh(torrent_row& row);
    void tell_status(torrent_row const& row);
    void tell_files(torrent_row const& row, torrent_asked const& before);
    [[nodiscard]] contract::event_data about(torrent_row const& row) const;

    struct known_root {
        storage_root root;
        bool offline = false;
    };

    beginning beginning_;
    std::uint64_t number_ = 1;
    std::uint64_t told_ = 1;
    double now_ = 0; // of the facts being applied
    torrent_table torrents_;
    event_log events_;
    session_totals totals_;
    nat_seen nat_;
    std::unordered_map<torrent_id, known_root> roots_;
    listed blacklist_, whitelist_;
    contract::key_ring keys_;
    filter_loaded filter_;
    std::optional<contract::get_global_stats::response> told_stats_;
    std::unordered_set<torrent_id> finished_early_;         // before their metadata was kept
    std::unordered_map<torrent_id, queue_hold> held_early_; // told in the same breath as its torrent_put
    bool stopping_ = false;
};

} // namespace ccbt::model
