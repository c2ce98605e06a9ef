#include "server/listener.hpp"

#include "base/safeguard.hpp"
#include "server/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace ccbt::server {

namespace {

using asio::ip::tcp;

constexpr int waiting_at_most = 4096; // for to be accepted

sockaddr_un address_of(std::string const& path) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    return at;
}

int connected(std::string const& path) { // an errno; 0: somebody answers
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    auto const at = address_of(path);
    int const failed = ::connect(fd, reinterpret_cast<sockaddr const*>(&at), sizeof at) == 0 ? 0 : errno;
    ::close(fd);
    return failed;
}

expected<listener, std::string> taken(asio::io_context& on, int fd, bool is_unix) {
    listener made;
    made.is_unix = is_unix;
    made.acceptor = std::make_shared<generic_acceptor>(on.get_executor());
    error_code failed;
    sockaddr_storage at{};
    socklen_t size = sizeof at;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    made.acceptor->assign(asio::generic::stream_protocol{at.ss_family, 0}, fd, failed);
    if (failed) {
        ::close(fd);
        return unexpected<std::string>{failed.message()};
    }
    return made;
}

} // namespace

expected<listener, std::string> listen_at(asio::io_context& on, std::string const& host, int port) {
    int fd = -1;
    auto const refuse = [&](std::string_view what, std::string const& why) {
        if (fd >= 0) ::close(fd);
        return unexpected<std::string>{
            fmt::format("cannot {} {}:{}: {} (daemon.ipc_host, daemon.ipc_port)", what, host, port, why)};
    };
    error_code failed;
    auto const name = host == "localhost" ? std::string{"127.0.0.1"} : host;
    auto const address = asio::ip::make_address(name, failed);
    if (failed) return refuse("serve at", failed.message());
    tcp::endpoint const at{address, static_cast<unsigned short>(port)};
    fd = ::socket(at.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return refuse("open a socket for", std::strerror(errno));
    int const yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (::bind(fd, at.data(), static_cast<socklen_t>(at.size())) != 0)
        return refuse("bind to", std::strerror(errno));
    if (::listen(fd, waiting_at_most) != 0) return refuse("listen at", std::strerror(errno));
    return taken(on, fd, false);
}

expected<listener, std::string> listen_at_path(asio::io_context& on, std::string const& path) {
    int fd = -1;
    auto const refuse = [&](std::string const& why) {
        if (fd >= 0) ::close(fd);
        return unexpected<std::string>{
            fmt::format("cannot serve at the socket {}: {} (daemon.unix_socket)", path, why)};
    };
    if (path.size() >= sizeof sockaddr_un{}.sun_path) return refuse("the path has over 107 bytes");
    struct stat facts {};
    if (::lstat(path.c_str(), &facts) == 0) {
        bool const looks = in_force(safeguard::stale_socket_only);
        if (looks && !S_ISSOCK(facts.st_mode)) return refuse("something else is there");
        if (int const how = connected(path); looks && how != ECONNREFUSED)
            return refuse(how == 0 || how == EAGAIN ? "another process serves there" : std::strerror(how));
        ::unlink(path.c_str()); // whoever made it is gone
    }
    fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return refuse(std::strerror(errno));
    auto const at = address_of(path);
    ::fchmod(fd, 0600); // Linux makes the file with the mode that the socket has
    if (::bind(fd, reinterpret_cast<sockaddr const*>(&at), sizeof at) != 0 ||
        ::listen(fd, waiting_at_most) != 0)
        return refuse(std::strerror(errno));
    auto made = taken(on, fd, true);
    if (made && ::lstat(path.c_str(), &facts) == 0) {
        made->path = path;
        made->device = facts.st_dev;
        made->inode = facts.st_ino;
    }
    return made;
}

expected<listener, std::string> listen_inherited(asio::io_context& on, int fd) {
    int family = 0, kind = 0, listens = 0;
    socklen_t size = sizeof family;
    bool const known = ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 &&
                       ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size) == 0 &&
                       ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0;
    bool const ours = family == AF_UNIX || family == AF_INET || family == AF_INET6;
    if (!known || !ours || kind != SOCK_STREAM || listens == 0)
        return unexpected<std::string>{fmt::format(
            "the socket {} that the service manager handed over is no listening stream socket", fd)};
    return taken(on, fd, family == AF_UNIX);
}

void end(listener& one) {
    error_code ignored;
    if (one.acceptor) one.acceptor->close(ignored);
    struct stat facts {};
    if (!one.path.empty() && ::lstat(one.path.c_str(), &facts) == 0 && facts.st_dev == one.device &&
        facts.st_ino == one.inode)
        ::unlink(one.path.c_str());
    one.path.clear();
}

ends ends_of(int fd, std::vector<std::string> const& trusted_proxies) {
    ends out;
    auto const address = [fd](auto ask) -> std::optional<asio::ip::address> {
        tcp::endpoint at;
        socklen_t size = static_cast<socklen_t>(at.capacity());
        if (ask(fd, at.data(), &size) != 0 ||
            (at.data()->sa_family != AF_INET && at.data()->sa_family != AF_INET6))
            return std::nullopt;
        auto a = at.address();
        if (a.is_v6() && a.to_v6().scope_id() != 0) { // no part of a Host
            auto v6 = a.to_v6();
            v6.scope_id(0);
            a = v6;
        }
        if (a.is_v6() && a.to_v6().is_v4_mapped())
            a = asio::ip::make_address_v4(asio::ip::v4_mapped, a.to_v6());
        return a;
    };
    auto const local = address([](int s, sockaddr* to, socklen_t* n) { return ::getsockname(s, to, n); });
    if (!local) { // a Unix socket
        ucred peer{};
        socklen_t size = sizeof peer;
        out.own_user = ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
                       (peer.uid == ::geteuid() || !in_force(safeguard::unix_peer_uid));
        return out;
    }
    auto const remote = address([](int s, sockaddr* to, socklen_t* n) { return ::getpeername(s, to, n); });
    out.local = local->to_string();
    out.loopback = remote && remote->is_loopback();
    out.remote = remote ? remote->to_string() : "?";
    out.proxied =
        std::find(trusted_proxies.begin(), trusted_proxies.end(), out.remote) != trusted_proxies.end() ||
        !in_force(safeguard::trusted_proxy_only);
    return out;
}

} // namespace ccbt::server
