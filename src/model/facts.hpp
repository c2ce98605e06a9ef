// What can come to be true: plain data that the rooms below hand up. Only state::apply() turns facts into rows,
// revisions and events. Also the record of a torrent as users asked for it, which the store keeps and the engine is
// asked to make real.
#pragma once

#include "base/ip_range.hpp"
#include "contract/access.hpp"
#include "contract/nat.hpp"
#include "contract/settings.hpp"
#include "contract/types.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ccbt::model {

using contract::info_hash;
using contract::info_hashes;
using contract::queue_priority;
using contract::torrent_id;

/// A folder that torrents may live below, with an id of its own that its marker file (.ccbt-root) carries, so that an
/// unmounted drive is noticed instead of being written into.
struct storage_root {
    torrent_id id;    // 128 random bits, in the marker as 32 hex digits
    std::string path; // absolute, without a slash at the end
    bool operator==(storage_root const&) const = default;
};

/// The marker's name. No torrent may have a file of this name.
inline constexpr char const* root_marker_name = ".ccbt-root";
[[nodiscard]] inline bool names_a_marker(std::string_view file) {
    constexpr std::string_view name = root_marker_name;
    return file.ends_with(name) && (file.size() == name.size() || file[file.size() - name.size() - 1] == '/');
}

/// What a user asked of a torrent. Immutable but through a commit.
struct torrent_asked {
    torrent_id id;
    info_hashes hashes;
    std::string name;          // metainfo's, else the magnet's dn, else empty; UTF-8
    std::string magnet;        // the link, where it came as one
    bool has_metainfo = false; // the bytes lie in the store, apart
    bool is_private = false;
    std::int64_t total_size = 0; // 0 without metainfo
    torrent_id root;             // the storage_root
    std::string folder;          // relative to the root, "" for the root itself
    bool paused = false;
    bool sequential = false;
    std::vector<std::string> labels;
    double added_at = 0;
    std::int64_t down_kib = 0, up_kib = 0;     // 0: no limit of its own
    std::vector<std::uint8_t> file_priorities; // libtorrent's 0 to 7 by file index; empty: all normal (4)
    std::int64_t queue_order = 0;              // smaller goes first
    queue_priority priority = queue_priority::normal;
    bool in_queue = true;
    /// Of a file, by its index: libtorrent's 0 to 7.
    [[nodiscard]] std::uint8_t file_level(std::size_t index) const {
        return index < file_priorities.size() ? file_priorities[index] : 4;
    }
    bool operator==(torrent_asked const&) const = default;
};

/// What the engine saw of a torrent, sampled about once a second where something moved.
struct torrent_seen {
    torrent_id id;
    contract::torrent_state state =
        contract::torrent_state::starting; // paused, seeding, downloading, checking, metadata
    double progress = 0;
    double download_rate = 0, upload_rate = 0;
    std::int64_t num_peers = 0, num_seeds = 0;
    std::int64_t downloaded = 0, uploaded = 0; // payload, of all time
    bool finished = false;                     // every wanted piece is here
    bool operator==(torrent_seen const&) const = default;
};

/// What this machine last knew of a torrent, kept in the journal for an immediate list after a restart.
struct torrent_done {
    torrent_id id;
    double progress = 0;
    std::int64_t downloaded = 0, uploaded = 0;
    double completed_at = 0; // 0: not yet
    bool operator==(torrent_done const&) const = default;
};

/// Addresses as users listed them: never to be connected with, or let through whatever else says.
enum class address_list : std::uint8_t { blacklist, whitelist };
struct list_entry {
    ip_range range;
    std::string reason;  // "" where none was given
    double added_at = 0; // Unix seconds
    bool operator==(list_entry const&) const = default;
};

// Facts of the store: what has been committed.
struct torrent_put { // added, or changed when the id is known
    std::shared_ptr<torrent_asked const> asked;
};
struct torrent_gone {
    torrent_id id;
};
struct list_changed { // `entry` is listed from now on, or no longer
    address_list list = address_list::blacklist;
    list_entry entry;
    bool listed = true;
};
struct key_put { // made, trusted, or used
    contract::access_key key;
};
struct key_gone {
    std::string name;
};
// Facts of the engine.
struct torrents_seen {
    std::vector<torrent_seen> samples;
};
struct torrent_failed { // its status is error until `torrent_recovered`
    torrent_id id;
    std::string message; // for people, no secrets
};
struct torrent_recovered {
    torrent_id id;
};
/// What the queue makes of a torrent. It is asked of nobody and kept nowhere: at each start it is worked out anew.
enum class queue_hold : std::uint8_t {
    none,  // it runs, or is none of the queue's
    waits, // for its turn
    paused // by its priority
};
struct torrent_held {
    torrent_id id;
    queue_hold hold = queue_hold::none;
};
struct torrent_finished { // every wanted piece has come and been hashed, in this run
    torrent_id id;
};
struct metadata_arrived { // BEP 9: a magnet has become a torrent
    torrent_id id;
    std::shared_ptr<std::string const> metainfo; // a whole .torrent file, bencoded
    info_hashes hashes;
    std::string name;
    bool is_private = false;
    std::int64_t total_size = 0;
};
struct tracker_announced { // a tracker answered, or failed to
    torrent_id id;
    std::string url; // without passkeys
    bool failed = false;
    std::string message; // for people
};
struct peer_came { // a connection with it stands
    torrent_id id;
    std::string ip;
    int port = 0;
    bool incoming = false;
};
struct peer_left {
    torrent_id id;
    std::string ip;
    int port = 0;
    std::string why;
};
struct session_seen { // about once a second
    std::int64_t dht_nodes = 0;
    std::int64_t session_downloaded = 0, session_uploaded = 0; // payload since the start
    // Connections since the start: refused or cut by the lists and the filter; let through by them, in and out.
    std::int64_t blocked_connections = 0, allowed_connections = 0;
};
struct listening { // peers can connect at this port, from beyond this machine
    int port = 0;
};
struct engine_caught_up { // every torrent of the start has been handed to libtorrent and answered
};
struct facts_lost { // the engine dropped alerts: it will tell everything again
};
// Facts of the gateway.
struct nat_seen {            // the gateway and what it maps for us, whole
    std::string method;      // "NAT-PMP", "UPnP"; empty: none is known
    std::string external_ip; // empty: not known
    int mapped_port = 0;     // the gateway's port that leads to our listen port; 0: none
    std::vector<contract::port_mapping> mappings;
    bool operator==(nat_seen const&) const = default;
};
// Facts of the house.
struct root_offline {
    torrent_id root;
};
struct root_online {
    torrent_id root;
};
struct config_changed { // in force now
    std::vector<std::string> keys;
};
/// The IP filter in force, or that there is none.
struct filter_loaded {
    bool enabled = false;
    std::int64_t rules = 0, ipv4_ranges = 0, ipv6_ranges = 0;
    contract::filter_policy mode = contract::filter_policy::block;
    double at = 0; // when it was loaded, Unix seconds; 0: nothing could be
};
struct stopping_now {};
struct work_progressed { // long work of the daemon: an export, an import, the load of a filter
    std::string what;
    std::int64_t finished = 0, total = 0;
};
struct removed_totals_raised { // what torrents that are gone moved, at the least: a backup knew of more
    std::int64_t downloaded = 0, uploaded = 0;
};

using fact = std::variant<
    torrent_put, torrent_gone, list_changed, torrents_seen, torrent_failed, torrent_recovered, torrent_held,
    torrent_finished, metadata_arrived, tracker_announced, peer_came, peer_left, session_seen, listening,
    nat_seen, engine_caught_up, facts_lost, root_offline, root_online, config_changed, filter_loaded,
    stopping_now, work_progressed, removed_totals_raised, key_put, key_gone>;

} // namespace ccbt::model
