// The events of the WebSocket: what happened, told to those who asked. `seq` rises by one with each event that is
// kept in the log; one that is not kept (torrents_changed, progress_updated …) carries the seq of the last that was.
#pragma once

#include "contract/session.hpp"
#include "contract/types.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ccbt::contract {

enum class event_type : std::uint8_t {
    // the original eight
    torrent_added,
    torrent_removed,
    torrent_completed,
    torrent_status_changed,
    config_updated,
    shutdown,
    security_blacklist_updated,
    security_whitelist_updated,
    // this project's own, sent to those who subscribe
    torrents_changed,
    tracker_announce_success,
    tracker_announce_error,
    file_selection_changed,
    file_priority_changed,
    metadata_ready,
    storage_offline,
    storage_online,
    peer_connected,
    peer_disconnected,
    global_stats_updated,
    security_ip_filter_loaded,
    nat_mappings_changed,
    progress_updated,
    resync
};
template <> inline constexpr auto names_of<event_type> = std::array{
    std::pair{event_type::torrent_added, std::string_view{"torrent_added"}},
    std::pair{event_type::torrent_removed, std::string_view{"torrent_removed"}},
    std::pair{event_type::torrent_completed, std::string_view{"torrent_completed"}},
    std::pair{event_type::torrent_status_changed, std::string_view{"torrent_status_changed"}},
    std::pair{event_type::config_updated, std::string_view{"config_updated"}},
    std::pair{event_type::shutdown, std::string_view{"shutdown"}},
    std::pair{event_type::security_blacklist_updated, std::string_view{"security_blacklist_updated"}},
    std::pair{event_type::security_whitelist_updated, std::string_view{"security_whitelist_updated"}},
    std::pair{event_type::torrents_changed, std::string_view{"torrents_changed"}},
    std::pair{event_type::tracker_announce_success, std::string_view{"tracker_announce_success"}},
    std::pair{event_type::tracker_announce_error, std::string_view{"tracker_announce_error"}},
    std::pair{event_type::file_selection_changed, std::string_view{"file_selection_changed"}},
    std::pair{event_type::file_priority_changed, std::string_view{"file_priority_changed"}},
    std::pair{event_type::metadata_ready, std::string_view{"metadata_ready"}},
    std::pair{event_type::storage_offline, std::string_view{"storage_offline"}},
    std::pair{event_type::storage_online, std::string_view{"storage_online"}},
    std::pair{event_type::peer_connected, std::string_view{"peer_connected"}},
    std::pair{event_type::peer_disconnected, std::string_view{"peer_disconnected"}},
    std::pair{event_type::global_stats_updated, std::string_view{"global_stats_updated"}},
    std::pair{event_type::security_ip_filter_loaded, std::string_view{"security_ip_filter_loaded"}},
    std::pair{event_type::nat_mappings_changed, std::string_view{"nat_mappings_changed"}},
    std::pair{event_type::progress_updated, std::string_view{"progress_updated"}},
    std::pair{event_type::resync, std::string_view{"resync"}}};

/// A connection that never subscribed gets these.
[[nodiscard]] constexpr bool is_original(event_type type) {
    return type <= event_type::security_whitelist_updated;
}

/// What an event says. One struct for all types: a member that a type has no use for is left out on the wire.
struct event_data {
    std::optional<std::string> info_hash;
    std::optional<std::string> name;
    std::optional<std::string> status;
    std::optional<std::string> revision;
    std::optional<std::string> ip;
    std::optional<std::string> action;
    std::optional<std::string> what;
    std::optional<std::int64_t> finished;
    std::optional<std::int64_t> total;
    std::optional<std::int64_t> rules;
    std::optional<std::string> path;
    std::optional<std::vector<std::string>> keys;
    std::optional<std::string> message;
    std::optional<std::string> url;
    std::optional<std::vector<std::int64_t>> file_indices;
    std::optional<std::string> priority;
    std::optional<std::int64_t> port;
    std::optional<std::string> direction;
    // GlobalStatsResponse
    std::optional<std::int64_t> num_torrents, num_active, num_paused;
    std::optional<double> total_download_rate, total_upload_rate;
    std::optional<std::int64_t> total_downloaded, total_uploaded;
    std::optional<get_global_stats::more> stats;

    static constexpr bool omit_absent = true;
    static constexpr auto fields = described_as{
        field<&event_data::info_hash>{"The torrent"},
        field<&event_data::name>{"Its name, where known"},
        field<&event_data::status>{"Its status now"},
        field<&event_data::revision>{"The revision at which this holds"},
        field<&event_data::ip>{"The address or range"},
        field<&event_data::action>{"\"added\" or \"removed\"; of files \"selected\" or \"deselected\""},
        field<&event_data::what>{"The work that goes on"},
        field<&event_data::finished>{"How much of it is done", {.wire = "done"}},
        field<&event_data::total>{"Of how much"},
        field<&event_data::rules>{"Valid rules of the IP filter"},
        field<&event_data::path>{"The storage root"},
        field<&event_data::keys>{"The configuration keys that changed"},
        field<&event_data::message>{"What happened, for people"},
        field<&event_data::url>{"The tracker, without its passkey"},
        field<&event_data::file_indices>{
            "The files; the first 1,000 where there are more: total says how many"},
        field<&event_data::priority>{"Their priority now"},
        field<&event_data::port>{"The peer's port"},
        field<&event_data::direction>{"\"in\" where the peer connected to us, else \"out\""},
        field<&event_data::num_torrents>{"As GET /session/stats answers it, and so the rest"},
        field<&event_data::num_active>{"Neither paused nor seeding"},
        field<&event_data::num_paused>{"Paused"},
        field<&event_data::total_download_rate>{"Payload, bytes a second"},
        field<&event_data::total_upload_rate>{"Payload, bytes a second"},
        field<&event_data::total_downloaded>{"Payload bytes of all time"},
        field<&event_data::total_uploaded>{"Payload bytes of all time"},
        field<&event_data::stats>{"The same and more"}};
};

struct event {
    event_type type = event_type::resync;
    double timestamp = 0;
    event_data data;
    std::int64_t seq = 0;
    static constexpr auto fields = described_as{
        field<&event::type>{"What kind of event"}, field<&event::timestamp>{"When, Unix seconds"},
        field<&event::data>{"What it says"},
        field<&event::seq>{"Its number; the greater the later, through restarts too (+)"}};
};
using event_view = prepared<event>;

/// What is kept of an event that was told.
struct kept_event {
    event_type type = event_type::resync;
    std::int64_t seq = 0;
    shared_text text; // its JSON
};

} // namespace ccbt::contract
