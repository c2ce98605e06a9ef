// One WebSocket to a daemon: text messages in and out. Blocking with time limits, one thread at a time; knows nothing
// of events. Beast stays behind it, in socket.cpp.
#pragma once

#include "client/connection.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ccbt::client {

class socket {
public:
    /// Connects and shakes hands. An HTTP answer instead of the handshake is its error.
    [[nodiscard]] static result<socket> open(
        address const& where, std::string const& target,
        std::vector<std::pair<std::string, std::string>> const& headers, std::chrono::milliseconds timeout);
    ~socket();
    socket(socket&&) noexcept;
    socket& operator=(socket&&) noexcept;

    [[nodiscard]] result<void> send(std::string const& text);
    /// The next message, or nothing when none came in time. Close code 4001 is `unauthorized`, any other end of the
    /// connection `unreachable`; after that each call says the same. Nothing is read ahead: a slow reader is felt
    /// by the daemon.
    [[nodiscard]] result<std::optional<std::string>> receive(std::chrono::milliseconds timeout);

private:
    struct state;
    explicit socket(std::unique_ptr<state> made);
    std::unique_ptr<state> state_;
};

} // namespace ccbt::client
