#include "executor/session.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace ccbt::executor {

std::string metrics_page(context const& house) {
    using metrics::label;
    auto const& sums = house.state.torrents().sums();
    auto const totals = house.state.totals();
    auto const& door = house.door;
    auto const kept = house.journal.counters();
    auto const whole = [](auto n) { return static_cast<double>(n); };
    metrics::page page;

    page.family("ccbt_build_info", "gauge", "The version; always 1.")
        .sample(1, label("version", house.self.version));
    page.family("ccbt_uptime_seconds", "gauge", "Since the start.")
        .sample(std::chrono::duration<double>(steady::now() - house.self.started).count());
    page.family("ccbt_torrents", "gauge", "Torrents by status.");
    for (auto const& [state, name] : contract::names_of<contract::torrent_state>)
        page.sample(whole(sums.in(state)), label("status", name));
    page.family("ccbt_download_rate_bytes", "gauge", "Payload, bytes a second.")
        .sample(std::max(0.0, sums.download_rate));
    page.family("ccbt_upload_rate_bytes", "gauge", "Payload, bytes a second.")
        .sample(std::max(0.0, sums.upload_rate));
    page.family("ccbt_downloaded_bytes_total", "counter", "Payload of all time.")
        .sample(whole(totals.downloaded));
    page.family("ccbt_uploaded_bytes_total", "counter", "Payload of all time.")
        .sample(whole(totals.uploaded));
    page.family("ccbt_peers", "gauge", "Connected peers.").sample(whole(sums.num_peers));
    page.family("ccbt_dht_nodes", "gauge", "Nodes in the DHT's routing table.")
        .sample(whole(totals.dht_nodes));
    page.family(
            "ccbt_connections_blocked_total", "counter",
            "Connections with peers that the lists or the IP filter refused or cut.")
        .sample(whole(totals.blocked_connections));
    page.family(
            "ccbt_connections_allowed_total", "counter",
            "Connections with peers that the lists and the IP filter let through.")
        .sample(whole(totals.allowed_connections));

    page.family("ccbt_api_requests_total", "counter", "Requests by endpoint and HTTP status.");
    for (auto const& [what, count] : door.requests)
        page.sample(
            whole(count),
            label("endpoint", what.first) + ',' + label("status", fmt::format("{}", what.second)));
    page.family("ccbt_api_request_seconds", "histogram", "From the request's last byte to its answer.")
        .of(door.latency);
    page.family("ccbt_api_refused_total", "counter", "Requests refused at the door, by code.");
    for (auto const& [code, count] : door.refused) page.sample(whole(count), label("code", code));
    page.family("ccbt_api_connections_total", "counter", "Connections taken.")
        .sample(whole(door.connections));
    page.family("ccbt_api_connections", "gauge", "Connections open now.")
        .sample(whole(door.open_connections));
    page.family("ccbt_event_watchers", "gauge", "WebSocket clients.").sample(whole(door.watchers));
    page.family("ccbt_row_text_bytes", "gauge", "JSON of rows and pages of rows, kept until they change.")
        .sample(whole(contract::prepared_text_bytes.load(std::memory_order_relaxed)));
    page.family("ccbt_event_log_events", "gauge", "Events that the log holds.")
        .sample(whole(house.state.events().kept().size()));
    page.family("ccbt_events_sent_total", "counter", "Event messages queued for watchers.")
        .sample(whole(door.events_sent));
    page.family("ccbt_event_queue_bytes", "gauge", "Waiting in the watchers' queues.")
        .sample(whole(door.event_bytes_waiting));
    page.family(
            "ccbt_watchers_resynced_total", "counter", "Watchers that were too slow and were told to resync.")
        .sample(whole(door.watchers_resynced));

    page.family("ccbt_store_commits_total", "counter", "Transactions committed to stable storage.")
        .sample(whole(kept.commits));
    page.family("ccbt_store_changes_total", "counter", "Changes that those transactions held.")
        .sample(whole(kept.changes));
    page.family("ccbt_store_commit_seconds_total", "counter", "Time spent in commits.")
        .sample(kept.commit_seconds);
    page.family("ccbt_store_failed_total", "counter", "Changes that could not be kept.")
        .sample(whole(kept.failed));
    page.family(
            "ccbt_store_quarantined_rows", "gauge",
            "Damaged records of the state, found since the start and left as they are.")
        .sample(whole(kept.quarantined));
    return page.take();
}

} // namespace ccbt::executor
