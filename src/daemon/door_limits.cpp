#include "daemon/door_limits.hpp"

#include <chrono>

namespace ccbt::daemon {

namespace {

std::chrono::milliseconds milliseconds_of(double seconds) {
    return std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
}
std::size_t size_of(std::int64_t n) { return static_cast<std::size_t>(n); }

} // namespace

server::server_limits limits_of(contract::limit_settings const& s) {
    server::server_limits l;
    l.request_line = size_of(s.request_line_bytes);
    l.header_block = size_of(s.header_block_bytes);
    l.header_fields = size_of(s.header_fields);
    l.header_deadline = milliseconds_of(s.header_seconds);
    l.body_deadline = milliseconds_of(s.body_seconds);
    l.write_progress = milliseconds_of(s.write_seconds);
    l.idle = milliseconds_of(s.idle_seconds);
    l.json_body = size_of(s.json_body_bytes);
    l.add_body = size_of(s.add_body_bytes);
    l.batch_body = size_of(s.batch_body_bytes);
    l.connections = size_of(s.connections);
    l.connections_per_source = size_of(s.connections_per_source);
    l.failed_keys = size_of(s.failed_keys);
    l.failed_keys_within = std::chrono::seconds{s.failed_keys_seconds};
    l.watchers = size_of(s.websocket_clients);
    l.message_bytes = size_of(s.websocket_message_bytes);
    l.watcher_queue_bytes = size_of(s.websocket_queue_bytes);
    l.ping_every = milliseconds_of(s.websocket_ping_seconds);
    l.pong_within = milliseconds_of(s.websocket_pong_seconds);
    return l;
}

server::json_rules json_limits_of(contract::limit_settings const& s) {
    return {
        size_of(s.json_depth), size_of(s.json_elements), size_of(s.json_batch_elements),
        size_of(s.json_string_bytes)};
}

} // namespace ccbt::daemon
