// A watcher's WebSocket (RFC 6455): subscriptions in, events out through a bounded queue. Loop thread.
#pragma once

#include "base/net_http.hpp"
#include "server/connection.hpp"

namespace ccbt::server {

using upgrade_request = http::request<http::string_body>;

/// Takes the connection over. No `pass`: the handshake is done, then closed with 4001; so it is when the pass ends.
void start_ws(
    std::shared_ptr<ground> on, stream_socket socket, std::unique_ptr<seat> seat, upgrade_request request,
    std::optional<authority::pass> pass);

} // namespace ccbt::server
