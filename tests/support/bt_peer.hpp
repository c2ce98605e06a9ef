// A BitTorrent peer by hand: it shakes hands (BEP 3) from an address of its own, or waits to be dialled, and sees when
// it is refused or cut. IPv4 and IPv6, plain sockets.
#pragma once

#include "support/process.hpp"

#include <cstdint>
#include <string>

namespace ccbt::support {

class bt_peer {
public:
    /// Dials `to` from `from` and sends its handshake for a torrent; `hash` is 40 hex digits.
    bt_peer(std::string const& from, std::string const& to, std::uint16_t port, std::string const& hash);
    ~bt_peer();
    bt_peer(bt_peer&& other) noexcept;
    bt_peer& operator=(bt_peer&&) = delete;

    /// The other side's handshake came. False: it hung up, or said nothing until then.
    [[nodiscard]] bool is_let_in(milliseconds within = milliseconds{10'000});
    /// The other side's extension handshake (BEP 10), bencoded; after is_let_in(). Empty: none came.
    [[nodiscard]] std::string extensions(milliseconds within = milliseconds{10'000});
    /// The other side hangs up before `within` is over; what it sends meanwhile is dropped.
    [[nodiscard]] bool is_cut(milliseconds within);

private:
    friend class bt_listener;
    explicit bt_peer(int fd) : fd_(fd) {}
    int fd_ = -1;
    bool ended_ = false;
};

/// Listens as a peer would.
class bt_listener {
public:
    explicit bt_listener(std::string const& address);
    ~bt_listener();
    bt_listener(bt_listener const&) = delete;
    bt_listener& operator=(bt_listener const&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Somebody dials within that time. Who did is hung up on.
    [[nodiscard]] bool is_dialled(milliseconds within) const;

private:
    int fd_ = -1;
    std::uint16_t port_ = 0;
};

} // namespace ccbt::support
