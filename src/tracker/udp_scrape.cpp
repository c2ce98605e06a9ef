#include "base/text.hpp"
#include "tracker/scrape.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <random>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace ccbt::tracker {

namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto look_every = 100ms; // whether to stop
constexpr auto again_after = 2s;   // a datagram may be lost; BEP 15's 15 s are for who has the time
constexpr std::uint64_t protocol_id = 0x41727101980;

enum class action : std::uint32_t { connect = 0, scrape = 2, error = 3 };

struct place {
    std::string host, port;
};
std::optional<place> place_of(std::string_view url) {
    url.remove_prefix(std::min(url.find("://") + 3, url.size()));
    auto at = url.substr(0, url.find_first_of("/?#"));
    if (auto const user = at.rfind('@'); user != std::string_view::npos) at.remove_prefix(user + 1);
    auto const colon = at.rfind(':');
    if (colon == std::string_view::npos || colon + 1 == at.size()) return std::nullopt;
    auto host = at.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host.empty()) return std::nullopt;
    return place{std::string{host}, std::string{at.substr(colon + 1)}};
}

struct address {
    sockaddr_storage at{};
    socklen_t size = 0;
};
// What one question to the resolver came to; held by the thread that asks, which nobody waits for when it takes too long.
struct lookup {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    std::vector<address> found;
};

std::vector<address> resolve(place const& what, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICSERV | flags;
    addrinfo* all = nullptr;
    std::vector<address> out;
    if (::getaddrinfo(what.host.c_str(), what.port.c_str(), &hints, &all) != 0) return out;
    for (auto const* one = all; one != nullptr; one = one->ai_next) {
        if (one->ai_addrlen > sizeof(sockaddr_storage)) continue;
        auto& made = out.emplace_back();
        std::memcpy(&made.at, one->ai_addr, one->ai_addrlen);
        made.size = one->ai_addrlen;
    }
    ::freeaddrinfo(all);
    return out;
}

std::vector<address> resolve_until(place const& what, deadline until, std::atomic<bool> const& stop) {
    if (auto literal = resolve(what, AI_NUMERICHOST); !literal.empty()) return literal;
    auto const shared = std::make_shared<lookup>();
    std::thread{[shared, what] {
        auto found = resolve(what, 0);
        std::lock_guard const hold{shared->mutex};
        shared->found = std::move(found);
        shared->done = true;
        shared->changed.notify_all();
    }}.detach();
    std::unique_lock hold{shared->mutex};
    while (!shared->done && !stop && steady::now() < until) shared->changed.wait_for(hold, look_every);
    return shared->found;
}

class udp_socket {
public:
    explicit udp_socket(int family) : fd_{::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {}
    ~udp_socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    udp_socket(udp_socket const&) = delete;
    udp_socket& operator=(udp_socket const&) = delete;

    /// From the address or the network interface that peers are dialled from.
    [[nodiscard]] bool leave_from(std::string const& from, int family) const {
        if (fd_ < 0) return false;
        if (from.empty() || from == "0.0.0.0" || from == "::") return true;
        sockaddr_in v4{};
        sockaddr_in6 v6{};
        if (::inet_pton(AF_INET, from.c_str(), &v4.sin_addr) == 1) {
            v4.sin_family = AF_INET;
            return family == AF_INET && ::bind(fd_, reinterpret_cast<sockaddr*>(&v4), sizeof v4) == 0;
        }
        if (::inet_pton(AF_INET6, from.c_str(), &v6.sin6_addr) == 1) {
            v6.sin6_family = AF_INET6;
            return family == AF_INET6 && ::bind(fd_, reinterpret_cast<sockaddr*>(&v6), sizeof v6) == 0;
        }
        return ::setsockopt(
                   fd_, SOL_SOCKET, SO_BINDTODEVICE, from.c_str(), static_cast<socklen_t>(from.size())) == 0;
    }
    [[nodiscard]] bool connect_to(address const& at) const {
        return ::connect(fd_, reinterpret_cast<sockaddr const*>(&at.at), at.size) == 0;
    }
    [[nodiscard]] int fd() const { return fd_; }

private:
    int fd_;
};

void put(std::string& to, std::uint64_t n, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) to += static_cast<char>(n >> shift & 255U);
}
std::uint64_t number_at(std::string_view from, std::size_t at, std::size_t bytes) {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < bytes; ++i) out = out << 8U | static_cast<unsigned char>(from[at + i]);
    return out;
}

struct said {
    std::string answer; // what follows action and transaction id
    std::string failed;
};

// One question, asked again while nothing comes.
said ask(
    udp_socket const& by, std::uint64_t connection, action what, std::string_view more, std::size_t least,
    deadline until, std::atomic<bool> const& stop) {
    static thread_local std::random_device random;
    auto const id = random();
    std::string question;
    put(question, connection, 8);
    put(question, static_cast<std::uint32_t>(what), 4);
    put(question, id, 4);
    question += more;
    std::string buffer(2048, '\0');
    auto next = steady::time_point::min();
    while (!stop && steady::now() < until) {
        if (steady::now() >= next) {
            if (::send(by.fd(), question.data(), question.size(), MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED)
                return {{}, "nobody listens there"};
            next = steady::now() + again_after;
        }
        pollfd waits{by.fd(), POLLIN, 0};
        if (::poll(&waits, 1, static_cast<int>(look_every.count())) <= 0) continue;
        auto const got = ::recv(by.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got < 0 && errno == ECONNREFUSED) return {{}, "nobody listens there"};
        if (got < 8) continue;
        std::string_view const packet{buffer.data(), static_cast<std::size_t>(got)};
        if (number_at(packet, 4, 4) != id) continue; // of another question, or of nobody that we asked
        if (number_at(packet, 0, 4) == static_cast<std::uint32_t>(action::error))
            return {{}, text::to_valid_utf8(packet.substr(8, 300))};
        if (number_at(packet, 0, 4) != static_cast<std::uint32_t>(what) || packet.size() < 8 + least)
            return {{}, "its answer is not a scrape's"};
        return {std::string{packet.substr(8)}, {}};
    }
    return {{}, "no answer in time"};
}

answer ask_at(
    address const& at, swarm_hash const& of, way const& by, deadline until, std::atomic<bool> const& stop) {
    udp_socket const socket{at.at.ss_family};
    if (!socket.leave_from(by.from, at.at.ss_family))
        return {{}, "it cannot be reached from the address listened at"};
    if (!socket.connect_to(at)) return {{}, "it cannot be reached"};
    auto const connected = ask(socket, protocol_id, action::connect, {}, 8, until, stop);
    if (!connected.failed.empty()) return {{}, connected.failed};
    std::string_view const hash{reinterpret_cast<char const*>(of.data()), of.size()};
    auto const told = ask(socket, number_at(connected.answer, 0, 8), action::scrape, hash, 12, until, stop);
    if (!told.failed.empty()) return {{}, told.failed};
    counts found;
    found.seeders = static_cast<std::int64_t>(number_at(told.answer, 0, 4));
    found.completed = static_cast<std::int64_t>(number_at(told.answer, 4, 4));
    found.leechers = static_cast<std::int64_t>(number_at(told.answer, 8, 4));
    return {found, {}};
}

} // namespace

answer scrape_udp(
    std::string const& announce_url, swarm_hash const& of, way const& by, deadline until,
    std::atomic<bool> const& stop) {
    // Past the proxy it would tell the tracker the address that the proxy is there to hide.
    if (by.proxy.enable_proxy && by.proxy.proxy_for_trackers)
        return {{}, "UDP trackers are not asked where trackers are reached by a proxy"};
    auto const where = place_of(announce_url);
    if (!where) return {{}, "its URL names no host and port"};
    auto const found = resolve_until(*where, until, stop);
    if (found.empty()) return {{}, "its name is not found"};
    answer last;
    for (std::size_t i = 0; i < found.size() && !stop && steady::now() < until && !last.found; ++i) {
        // One that is silent leaves the next its part of the time.
        auto const left = static_cast<int>(found.size() - i);
        last = ask_at(found[i], of, by, steady::now() + (until - steady::now()) / left, stop);
    }
    if (!last.found && last.failed.empty()) last.failed = "no answer in time";
    return last;
}

} // namespace ccbt::tracker
