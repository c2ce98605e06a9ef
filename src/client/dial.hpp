// A stream to a daemon: TCP, TLS over it, or a Unix socket. Blocking, with a time limit. Asio stays in this room's .cpp
// files.
#pragma once

#include "base/net_stream.hpp"
#include "client/connection.hpp"

namespace ccbt::client {

using due_time = std::chrono::steady_clock::time_point;

/// Starts an asynchronous operation and runs it to its end, or until `by`: then what `end` ends. Nothing: it was late.
template <class Start, class End>
std::optional<error_code> run_until(asio::io_context& io, due_time by, Start const& start, End const& end) {
    std::optional<error_code> how;
    start([&how](error_code e, auto&&...) { how = e; });
    io.restart();
    while (!how && io.run_one_until(by) > 0) {}
    if (how) return how;
    end();
    while (!how && io.run_one() > 0) {}
    return std::nullopt;
}

/// Failure: unreachable; or untrusted.
[[nodiscard]] result<stream> dial(
    asio::io_context& io, address const& where, std::chrono::milliseconds within);

} // namespace ccbt::client
