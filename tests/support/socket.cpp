#include "support/socket.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ccbt::support {

namespace {

sockaddr_in address_of(std::string const& address, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    if (::inet_pton(AF_INET, address.c_str(), &out.sin_addr) != 1) throw std::invalid_argument(address);
    return out;
}

// The sockets API takes a base struct that it never reads as such.
sockaddr* as_base(sockaddr_in& address) { return static_cast<sockaddr*>(static_cast<void*>(&address)); }

int connected(std::string const& address, std::uint16_t port, std::string const& from = {}) {
    auto to = address_of(address, port);
    auto const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "socket");
    // Only where an address is asked for: a bind takes a port of its own, of which a flood before leaves none.
    if (auto at = address_of(from.empty() ? "0.0.0.0" : from, 0);
        !from.empty() && ::bind(fd, as_base(at), sizeof at) != 0)
        throw std::system_error(errno, std::generic_category(), "bind to " + from);
    if (::connect(fd, as_base(to), sizeof to) == 0) {
        int const on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return fd;
    }
    ::close(fd);
    return -1;
}

bool is_ready(int fd, short what, deadline const& until) {
    pollfd one{fd, what, 0};
    for (;;) {
        auto const ready = ::poll(&one, 1, static_cast<int>(until.left().count()));
        if (ready >= 0 || errno != EINTR) return ready > 0;
    }
}

} // namespace

socket::socket(std::string const& address, std::uint16_t port, std::string const& from)
    : fd_(connected(address, port, from)) {
    if (fd_ < 0) throw std::runtime_error("nobody listens at " + address + ':' + std::to_string(port));
}

socket::~socket() {
    if (fd_ >= 0) ::close(fd_);
}

socket::socket(socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

bool socket::send(std::string_view bytes, deadline until) const {
    while (!bytes.empty()) {
        if (!is_ready(fd_, POLLOUT, until)) return false;
        auto const sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EAGAIN || errno == EINTR) continue;
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::string socket::receive(deadline const& until) const {
    if (!is_ready(fd_, POLLIN, until)) return {};
    std::array<char, 65536> piece{};
    auto const got = ::recv(fd_, piece.data(), piece.size(), 0);
    return got > 0 ? std::string(piece.data(), static_cast<std::size_t>(got)) : std::string{};
}

bool somebody_listens(std::string const& address, std::uint16_t port) {
    auto const fd = connected(address, port);
    if (fd >= 0) ::close(fd);
    return fd >= 0;
}

std::uint16_t free_port(std::string const& address) {
    for (int tries = 0; tries < 100; ++tries) {
        auto at = address_of(address, 0);
        socklen_t size = sizeof at;
        auto const tcp = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        auto const udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        auto const is_free = ::bind(tcp, as_base(at), size) == 0 &&
                             ::getsockname(tcp, as_base(at), &size) == 0 &&
                             ::bind(udp, as_base(at), size) == 0;
        ::close(tcp);
        ::close(udp);
        if (is_free) return ntohs(at.sin_port);
    }
    throw std::runtime_error("no free port at " + address);
}

} // namespace ccbt::support
