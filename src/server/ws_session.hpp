// A watcher's WebSocket (RFC 6455): subscriptions in, events out through a bounded queue. Loop thread.
#pragma once

#include "base/net_http.hpp"
#include "server/connection.hpp"

namespace ccbt::server {

using upgrade_request = http::request<http::string_body>;

/// What a watcher asked for with its connection.
struct wishes {
    std::optional<std::int64_t> since; // events after this first
    std::string event_types;           // comma between
};
/// Of the query; a since that is no number is before all.
[[nodiscard]] wishes wishes_of(std::vector<std::pair<std::string, std::string>> const& query);

/// Takes the connection over. No `pass`: the handshake is done, then closed with 4001; so it is when the pass ends.
void start_ws(
    std::shared_ptr<ground> on, stream socket, std::unique_ptr<seat> seat, upgrade_request request,
    std::optional<authority::pass> pass, wishes first);

} // namespace ccbt::server
