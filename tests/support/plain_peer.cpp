#include "support/plain_peer.hpp"

#include "base/text.hpp"
#include "support/http.hpp"
#include "support/tracker.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace ccbt::support {

namespace {

constexpr std::string_view protocol = "\x13"
                                      "BitTorrent protocol";
constexpr std::size_t handshake_size = 68;

std::string bytes_of(std::string const& hash) {
    auto const bytes = text::from_hex(hash).value();
    return {bytes.begin(), bytes.end()};
}

} // namespace

dialling_peer::dialling_peer(
    std::string const& from, std::string const& to, std::uint16_t port, std::string const& hash) {
    try {
        socket_.emplace(to, port, from);
    } catch (std::exception const&) {
        return; // nobody listens
    }
    deadline const until{milliseconds{10'000}};
    static int count = 0;
    auto id = "-XX0001-" + std::to_string(100'000'000'000 + ++count);
    if (!socket_->send(std::string{protocol} + std::string(8, '\0') + bytes_of(hash) + id, until)) return;
    std::string said;
    while (said.size() < handshake_size) {
        auto const some = socket_->receive(until);
        if (some.empty()) return;
        said += some;
    }
    taken_in_ = said.starts_with(protocol);
}

bool dialling_peer::is_cut(milliseconds within) const {
    deadline const until{within};
    while (!socket_->receive(until).empty()) {}
    return !until.is_over();
}

waiting_peer::waiting_peer(std::string address) : address_{std::move(address)} {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    ::inet_pton(AF_INET, address_.c_str(), &at.sin_addr);
    socklen_t size = sizeof at;
    // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): the sockets' own way
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(fd_, 16) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
        throw std::runtime_error("cannot listen at " + address_);
    // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
    port_ = ntohs(at.sin_port);
}

waiting_peer::~waiting_peer() { ::close(fd_); }

void waiting_peer::announce(tracker const& to, std::string const& hash) const {
    auto const url = to.http(); // http://127.0.0.1:PORT/announce
    auto const colon = url.rfind(':');
    std::uint16_t port = 0;
    std::from_chars(url.data() + colon + 1, url.data() + url.size(), port);
    http_connection ask{"127.0.0.1", port, address_};
    auto const said = ask.ask(
        "GET",
        "/announce?info_hash=" + text::percent_encode(bytes_of(hash)) +
            "&peer_id=-XX0001-200000000000&uploaded=0&downloaded=0&left=0&compact=1&event=started&port=" +
            std::to_string(port_));
    if (said.status != 200) throw std::runtime_error("the tracker refused " + address_);
}

bool waiting_peer::is_dialled(milliseconds within) {
    deadline const until{within};
    for (;;) {
        int const taken = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (taken >= 0) {
            ::close(taken);
            return true;
        }
        if (until.is_over()) return false;
        pollfd ready{fd_, POLLIN, 0};
        ::poll(&ready, 1, static_cast<int>(until.left().count()));
    }
}

} // namespace ccbt::support
