#include "support/bt_peer.hpp"

#include "base/text.hpp"

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ccbt::support {

namespace {

// An address of either family as the sockets API takes it.
class endpoint {
public:
    endpoint(std::string const& address, std::uint16_t port) {
        if (address.find(':') == std::string::npos) {
            v4_.sin_family = AF_INET;
            v4_.sin_port = htons(port);
            if (::inet_pton(AF_INET, address.c_str(), &v4_.sin_addr) != 1)
                throw std::invalid_argument(address);
        } else {
            is_v6_ = true;
            v6_.sin6_family = AF_INET6;
            v6_.sin6_port = htons(port);
            if (::inet_pton(AF_INET6, address.c_str(), &v6_.sin6_addr) != 1)
                throw std::invalid_argument(address);
        }
    }
    [[nodiscard]] int family() const { return is_v6_ ? AF_INET6 : AF_INET; }
    sockaddr* base() {
        return static_cast<sockaddr*>(is_v6_ ? static_cast<void*>(&v6_) : static_cast<void*>(&v4_));
    }
    [[nodiscard]] socklen_t size() const { return is_v6_ ? sizeof v6_ : sizeof v4_; }
    [[nodiscard]] std::uint16_t port() const { return ntohs(is_v6_ ? v6_.sin6_port : v4_.sin_port); }

private:
    bool is_v6_ = false;
    sockaddr_in v4_{};
    sockaddr_in6 v6_{};
};

std::system_error failed(std::string const& what) { return {errno, std::generic_category(), what}; }

int bound(endpoint at) {
    auto const fd = ::socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw failed("socket");
    if (::bind(fd, at.base(), at.size()) != 0) throw failed("bind");
    return fd;
}

bool is_ready(int fd, deadline const& until) {
    pollfd one{fd, POLLIN, 0};
    for (;;) {
        auto const ready = ::poll(&one, 1, static_cast<int>(until.left().count()));
        if (ready >= 0 || errno != EINTR) return ready > 0;
    }
}

constexpr std::size_t handshake_size = 68;

} // namespace

bt_peer::bt_peer(std::string const& from, std::string const& to, std::uint16_t port, std::string const& hash)
    : fd_(bound({from, 0})) {
    endpoint there{to, port};
    if (::connect(fd_, there.base(), there.size()) != 0) {
        auto const why = failed("connect to " + to);
        ::close(fd_);
        throw why;
    }
    std::string said = "\x13"
                       "BitTorrent protocol" +
                       std::string(8, '\0');
    said[1 + 19 + 5] = '\x10'; // BEP 10: extensions are spoken
    auto const bytes = text::from_hex(hash);
    if (!bytes) throw std::invalid_argument(hash);
    said.append(bytes->begin(), bytes->end());
    static std::atomic<int> count = 0; // one who comes twice with one id is taken for one
    said += "-XX0001-" + std::to_string(100'000 + ++count % 900'000) + "000000";
    // Who is refused at once has hung up by now, perhaps.
    static_cast<void>(::send(fd_, said.data(), said.size(), MSG_NOSIGNAL));
}

bt_peer::~bt_peer() {
    if (fd_ >= 0) ::close(fd_);
}

bt_peer::bt_peer(bt_peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)), ended_(other.ended_) {}

bool bt_peer::is_let_in(milliseconds within) {
    deadline const until{within};
    std::array<char, handshake_size> said{};
    std::size_t got = 0;
    while (got < said.size()) {
        if (!is_ready(fd_, until)) return false;
        auto const n = ::recv(fd_, said.data() + got, said.size() - got, 0);
        if (n <= 0) {
            ended_ = true;
            return false;
        }
        got += static_cast<std::size_t>(n);
    }
    return true;
}

std::string bt_peer::extensions(milliseconds within) {
    deadline const until{within};
    std::string got;
    auto const more = [&] {
        std::array<char, 4096> some{};
        if (!is_ready(fd_, until)) return false;
        auto const n = ::recv(fd_, some.data(), some.size(), 0);
        if (n > 0) got.append(some.data(), static_cast<std::size_t>(n));
        return n > 0;
    };
    for (;;) {
        std::size_t length = 0;
        for (std::size_t i = 0; i < 4 && got.size() >= 4; ++i)
            length = length << 8 | static_cast<unsigned char>(got[i]);
        if (got.size() < 4 || got.size() < 4 + length) {
            if (!more()) return {};
            continue;
        }
        if (length >= 2 && got[4] == 20 && got[5] == 0) return got.substr(6, length - 2);
        got.erase(0, 4 + length);
    }
}

bool bt_peer::is_cut(milliseconds within) {
    deadline const until{within};
    std::array<char, 4096> dropped{};
    while (!ended_ && is_ready(fd_, until)) ended_ = ::recv(fd_, dropped.data(), dropped.size(), 0) <= 0;
    return ended_;
}

bt_listener::bt_listener(std::string const& address) : fd_(bound({address, 0})) {
    endpoint here{address, 0};
    auto size = here.size();
    if (::listen(fd_, 16) != 0 || ::getsockname(fd_, here.base(), &size) != 0) throw failed("listen");
    port_ = here.port();
}

bt_listener::~bt_listener() { ::close(fd_); }

bool bt_listener::is_dialled(milliseconds within) const {
    if (!is_ready(fd_, within)) return false;
    auto const fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) throw failed("accept");
    ::close(fd);
    return true;
}

} // namespace ccbt::support
