// Peers that do no more than a handshake (BEP 3), at any loopback address: to see whom a daemon takes in, whom it dials,
// and whom it cuts.
#pragma once

#include "support/socket.hpp"

#include <optional>

namespace ccbt::support {

class tracker;

/// Dials from one address and says hello for a torrent.
class dialling_peer {
public:
    dialling_peer(
        std::string const& from, std::string const& to, std::uint16_t port, std::string const& hash);
    /// The other side answered with its own handshake; false where it did not listen, or closed.
    [[nodiscard]] bool is_taken_in() const { return taken_in_; }
    /// The other side closes within this time, whatever it says before.
    [[nodiscard]] bool is_cut(milliseconds within) const;

private:
    std::optional<socket> socket_;
    bool taken_in_ = false;
};

[[nodiscard]] inline bool takes_in(
    std::string const& from, std::string const& to, std::uint16_t port, std::string const& hash) {
    return dialling_peer{from, to, port, hash}.is_taken_in();
}

/// Listens, and notes whether it is dialled.
class waiting_peer {
public:
    explicit waiting_peer(std::string address);
    ~waiting_peer();
    waiting_peer(waiting_peer const&) = delete;
    waiting_peer& operator=(waiting_peer const&) = delete;
    /// The tracker names it to others from now on.
    void announce(tracker const& to, std::string const& hash) const;
    [[nodiscard]] bool is_dialled(milliseconds within);

private:
    std::string address_;
    std::uint16_t port_ = 0;
    int fd_ = -1;
};

} // namespace ccbt::support
