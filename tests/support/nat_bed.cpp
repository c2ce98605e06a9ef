#include "support/nat_bed.hpp"

#include "support/socket.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace ccbt::support {

namespace {

[[noreturn]] void fail(std::string const& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

int namespace_of(std::string const& process) {
    auto const path = "/proc/" + process + "/ns/net";
    auto const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail(path);
    return fd;
}

sockaddr_in place_of(std::string const& address, int port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::inet_pton(AF_INET, address.c_str(), &out.sin_addr) != 1) throw std::invalid_argument(address);
    return out;
}

bool is_ready(int fd, short what) {
    pollfd one{fd, what, 0};
    return ::poll(&one, 1, 3000) > 0;
}

// What Debian's nft_init.sh makes, and the masquerade that it leaves to others. New connections from the world pass
// only where miniupnpd lets them.
constexpr char const* rules_of_a_gateway = R"(
nft -f - <<'END'
flush ruleset
table inet filter {
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        iifname "lan0" accept
        jump miniupnpd
    }
    chain miniupnpd {
    }
    chain prerouting {
        type nat hook prerouting priority -100; policy accept;
        jump prerouting_miniupnpd
    }
    chain postrouting {
        type nat hook postrouting priority 100; policy accept;
        jump postrouting_miniupnpd
        oifname "wan0" masquerade
    }
    chain prerouting_miniupnpd {
    }
    chain postrouting_miniupnpd {
    }
}
END
)";

} // namespace

// ---- a namespace

net_space::net_space()
    : holder_{
          {.argv = {"unshare", "--net", "--", "sh", "-c", "ip link set lo up; echo here; exec sleep 3600"}}} {
    if (holder_.next_line(milliseconds{10'000}) != "here")
        throw std::runtime_error("no network namespace can be made");
    fd_ = namespace_of(std::to_string(holder_.pid()));
}
net_space::~net_space() { ::close(fd_); }

net_space::stay::stay(int there) : before_{namespace_of("thread-self")} {
    if (::setns(there, CLONE_NEWNET) != 0) fail("setns");
}
net_space::stay::~stay() {
    if (::setns(before_, CLONE_NEWNET) != 0) std::abort(); // in a foreign network nothing after us is true
    ::close(before_);
}

std::string net_space::sh(std::string const& script) const {
    auto const here = enter();
    auto const ended = run({"sh", "-euc", script}, milliseconds{20'000});
    if (ended.code != 0) throw std::runtime_error(script + ":\n" + ended.out + ended.err);
    return ended.out;
}

// ---- the bed

std::string nat_bed::why_not() {
    if (::geteuid() != 0) return "only root makes network namespaces";
    for (auto const* const program : {"ip", "nft", "miniupnpd", "unshare"})
        if (run({"sh", "-c", std::string{"command -v "} + program}, milliseconds{10'000}).code != 0)
            return std::string{program} + " is not installed: ./dev setup test";
    auto const tried = run({"unshare", "--net", "--", "nft", "add table inet t"}, milliseconds{10'000});
    return tried.code == 0 ? "" : "this machine makes no network namespaces: " + tried.err;
}

nat_bed::nat_bed(std::filesystem::path folder) : folder_{std::move(folder)} {
    std::filesystem::create_directories(folder_);
    auto const to = [](net_space const& space) { return " netns " + std::to_string(space.holder()); };
    gateway.sh(
        "ip link add lan0 type veth peer name eth0" + to(lan) + "\n" +
        "ip link add wan0 type veth peer name eth0" + to(world) + R"(
        ip addr add 192.168.77.1/24 dev lan0
        ip addr add 25.0.0.1/24 dev wan0
        ip link set lan0 up
        ip link set wan0 up
        echo 1 >/proc/sys/net/ipv4/ip_forward)");
    lan.sh(R"(ip addr add 192.168.77.2/24 dev eth0
        ip link set eth0 up
        ip route add default via 192.168.77.1)");
    world.sh(R"(ip addr add 25.0.0.2/24 dev eth0
        ip link set eth0 up)");
    // A link is told to be up a while after it is; libtorrent listens on none before, and does not notice later.
    auto const is_up = [](net_space const& space, std::string const& link) {
        return space.sh("ip link show " + link).find("state UP") != std::string::npos;
    };
    if (!eventually(milliseconds{10'000}, [&] {
            return is_up(lan, "eth0") && is_up(world, "eth0") && is_up(gateway, "lan0") &&
                   is_up(gateway, "wan0");
        }))
        throw std::runtime_error("the links of the test bed do not come up");
}

void nat_bed::start_gateway(service what) {
    what_ = what;
    gateway.sh(rules_of_a_gateway);
    auto const config = folder_ / "miniupnpd.conf";
    write_file(
        config, std::string{"ext_ifname=wan0\nlistening_ip=lan0\nhttp_port=0\nipv6_disable=yes\n"} +
                    "enable_upnp=" + (what.upnp ? "yes" : "no") +
                    "\nenable_natpmp=" + (what.nat_pmp ? "yes" : "no") +
                    "\nsecure_mode=yes\nuuid=1f2e3d4c-0000-4000-8000-0123456789ab\n"
                    "allow 1024-65535 192.168.77.0/24 1024-65535\n"
                    "deny 0-65535 0.0.0.0/0 0-65535\n");
    auto const log = folder_ / "miniupnpd.log";
    std::filesystem::remove(log);
    auto const here = gateway.enter();
    miniupnpd_ = std::make_unique<process>(process_plan{
        .argv = {"miniupnpd", "-d", "-f", config.string(), "-P", (folder_ / "miniupnpd.pid").string()},
        .log = log,
        .reads_output = false});
    auto const is_up = eventually(milliseconds{10'000}, [&] {
        auto const said = miniupnpd_->log_text();
        return (!what.upnp || said.find("HTTP listening on port") != std::string::npos) &&
               (!what.nat_pmp || said.find("Listening for NAT-PMP/PCP") != std::string::npos);
    });
    if (!is_up) throw std::runtime_error("miniupnpd does not start:\n" + miniupnpd_->log_text());
}

void nat_bed::kill_gateway() {
    miniupnpd_.reset();
    gateway.sh(rules_of_a_gateway);
}

void nat_bed::freeze_gateway() const { miniupnpd_->signal(SIGSTOP); }
void nat_bed::thaw_gateway() const { miniupnpd_->signal(SIGCONT); }

std::string nat_bed::rules() const { return gateway.sh("nft list chain inet filter prerouting_miniupnpd"); }

bool nat_bed::forwards(std::string const& protocol, int external_port, int internal_port) const {
    auto const all = rules();
    // nft lists miniupnpd's match of the protocol as it stands in the packet: 6 is TCP, 17 UDP.
    auto const wanted = std::string{protocol == "tcp" ? "0x6" : "0x11"} + " th dport " +
                        std::to_string(external_port) + " dnat ip to " + lan_address + ':' +
                        std::to_string(internal_port) + '\n';
    return all.find(wanted) != std::string::npos;
}

// ---- a listener

listener::listener(std::string const& address) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto at = place_of(address, 0);
    socklen_t size = sizeof at;
    auto* const base = static_cast<sockaddr*>(static_cast<void*>(&at));
    if (fd_ < 0 || ::bind(fd_, base, size) != 0 || ::listen(fd_, 8) != 0 ||
        ::getsockname(fd_, base, &size) != 0)
        fail("listen at " + address);
    port_ = ntohs(at.sin_port);
}
listener::~listener() { ::close(fd_); }

bool listener::hears_from(net_space const& where, std::string const& address, int port) const {
    int caller = -1;
    {
        auto const there = where.enter();
        caller = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
    if (caller < 0) fail("socket");
    auto to = place_of(address, port);
    int failed = 0;
    socklen_t size = sizeof failed;
    bool const is_called =
        (::connect(caller, static_cast<sockaddr*>(static_cast<void*>(&to)), sizeof to) == 0 ||
         errno == EINPROGRESS) &&
        is_ready(caller, POLLOUT) && ::getsockopt(caller, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 &&
        failed == 0 && ::send(caller, "hello", 5, MSG_NOSIGNAL) == 5;
    std::array<char, 5> heard{};
    if (is_called && is_ready(fd_, POLLIN)) {
        auto const taken = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (taken >= 0 && is_ready(taken, POLLIN))
            (void)::recv(taken, heard.data(), heard.size(), MSG_WAITALL);
        if (taken >= 0) ::close(taken);
    }
    ::close(caller);
    return std::string_view{heard.data(), heard.size()} == "hello";
}

} // namespace ccbt::support
