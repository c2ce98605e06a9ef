// The daemon itself: its status, totals, metrics, health, its documents and its end.
#pragma once

#include "contract/endpoint.hpp"

#include <optional>
#include <string>

namespace ccbt::contract {

template <class Endpoint> struct asks_nothing {
    static constexpr described_as<> fields{};
};

struct get_status {
    static constexpr promise route{
        .name = "session.status",
        .method = verb::get,
        .path = "/status",
        .needs = scope::read,
        .summary = "Is the daemon up, and which one is it",
        .command = "status"};
    using request = asks_nothing<get_status>;
    struct response {
        std::string status = "running";
        std::int64_t pid = 0;
        double uptime = 0;
        std::string version;
        std::int64_t num_torrents = 0;
        std::string ipc_url;
        std::string lineage;
        std::string node_id;
        static constexpr auto fields = described_as{
            field<&response::status>{"\"running\""},
            field<&response::pid>{"The daemon's process id"},
            field<&response::uptime>{"Seconds since it started", {.min = 0}},
            field<&response::version>{"Its version"},
            field<&response::num_torrents>{"How many torrents it has", {.min = 0}},
            field<&response::ipc_url>{"Where this API is"},
            field<&response::lineage>{"The id of its store, made with it (+)"},
            field<&response::node_id>{"The id of this machine's daemon (+)"}};
    };
};

struct get_global_stats {
    static constexpr promise route{
        .name = "session.stats",
        .method = verb::get,
        .path = "/session/stats",
        .needs = scope::read,
        .summary = "Sums over all torrents, rates and totals",
        .command = "stats"};
    using request = asks_nothing<get_global_stats>;
    struct more {
        std::int64_t num_torrents = 0, num_active = 0, num_paused = 0, num_seeding = 0;
        double download_rate = 0, upload_rate = 0, average_progress = 0;
        std::int64_t session_downloaded = 0, session_uploaded = 0, num_peers = 0, dht_nodes = 0;
        bool operator==(more const&) const = default;
        static constexpr auto fields = described_as{
            field<&more::num_torrents>{"All torrents", {.min = 0}},
            field<&more::num_active>{"Neither paused nor seeding", {.min = 0}},
            field<&more::num_paused>{"Paused", {.min = 0}},
            field<&more::num_seeding>{"Seeding", {.min = 0}},
            field<&more::download_rate>{"Payload, bytes a second", {.min = 0}},
            field<&more::upload_rate>{"Payload, bytes a second", {.min = 0}},
            field<&more::average_progress>{"Mean of the torrents' progress", {.min = 0, .max = 1}},
            field<&more::session_downloaded>{"Payload bytes since this start (+)", {.min = 0}},
            field<&more::session_uploaded>{"Payload bytes since this start (+)", {.min = 0}},
            field<&more::num_peers>{"Connected peers of all torrents (+)", {.min = 0}},
            field<&more::dht_nodes>{"Nodes in the DHT's routing table (+)", {.min = 0}}};
    };
    struct response {
        std::int64_t num_torrents = 0, num_active = 0, num_paused = 0;
        double total_download_rate = 0, total_upload_rate = 0;
        std::int64_t total_downloaded = 0, total_uploaded = 0;
        more stats;
        bool operator==(response const&) const = default;
        static constexpr auto fields = described_as{
            field<&response::num_torrents>{"All torrents", {.min = 0}},
            field<&response::num_active>{"Neither paused nor seeding", {.min = 0}},
            field<&response::num_paused>{"Paused", {.min = 0}},
            field<&response::total_download_rate>{"Payload, bytes a second", {.min = 0}},
            field<&response::total_upload_rate>{"Payload, bytes a second", {.min = 0}},
            field<&response::total_downloaded>{"Payload bytes of all time, kept across restarts", {.min = 0}},
            field<&response::total_uploaded>{"Payload bytes of all time, kept across restarts", {.min = 0}},
            field<&response::stats>{"The same and more"}};
    };
};

struct shut_down {
    static constexpr promise route{
        .name = "session.shutdown",
        .method = verb::post,
        .path = "/shutdown",
        .needs = scope::admin,
        .summary = "Stop the daemon, cleanly",
        .command = "shutdown",
        .event = "shutdown"};
    using request = asks_nothing<shut_down>;
    struct response {
        std::string status = "shutting_down";
        static constexpr auto fields = described_as{field<&response::status>{"\"shutting_down\""}};
    };
};

struct get_metrics {
    static constexpr promise route{
        .name = "session.metrics",
        .method = verb::get,
        .path = "/metrics",
        .needs = scope::metrics,
        .summary = "Metrics for Prometheus",
        .command = "metrics",
        .at_root = true};
    using request = asks_nothing<get_metrics>;
    using response = document; // text/plain; version=0.0.4
};

struct get_health {
    static constexpr promise route{
        .name = "session.health",
        .method = verb::get,
        .path = "/health",
        .needs = scope::open,
        .summary = "For load balancers: ok, or degraded with 503 (+)",
        .command = "health",
        .at_root = true};
    using request = asks_nothing<get_health>;
    struct response {
        std::string status = "ok";
        static constexpr auto fields =
            described_as{field<&response::status>{"\"ok\", or \"degraded\" where no change can be kept"}};
        [[nodiscard]] int http_status() const { return status == "ok" ? 200 : 503; }
    };
};

struct get_openapi {
    static constexpr promise route{
        .name = "session.openapi",
        .method = verb::get,
        .path = "/openapi.json",
        .needs = scope::open,
        .summary = "This API as an OpenAPI 3.1 document (+)",
        .at_root = true};
    using request = asks_nothing<get_openapi>;
    using response = document; // application/json
};

struct watch_events {
    static constexpr promise route{
        .name = "events.watch",
        .method = verb::get,
        .path = "/events",
        .needs = scope::read,
        .summary = "The WebSocket of events"};
    struct request {
        std::optional<std::int64_t> since;
        std::optional<std::string> event_types;
        static constexpr auto fields = described_as{
            field<&request::since>{
                "First the events with a greater seq, as far as they are known; a resync comes before where some are not (+)",
                {.min = 0, .max = 9.0e15, .in = place::query}},
            field<&request::event_types>{
                "Types to subscribe to from the beginning, comma between (+)",
                {.max_length = 2048, .in = place::query}}};
    };
    using response = upgrade;
};

using session_endpoints = endpoint_list<
    get_status, get_global_stats, shut_down, get_metrics, get_health, get_openapi, watch_events>;

} // namespace ccbt::contract
