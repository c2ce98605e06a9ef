// A home network for tests, in network namespaces of its own: a machine in the LAN, a gateway that does NAT, the world
// behind it. Nothing has a name outside of the test: a namespace lives as long as the process that holds it, so a test
// that dies in whatever way leaves nothing. Needs root. For the test's main thread.
//
//     lan 192.168.77.2  --  192.168.77.1 gw 25.0.0.1  --  25.0.0.2 world
#pragma once

#include "support/process.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace ccbt::support {

/// A network namespace. What is opened or started while a `stay` lives, is opened or started there.
class net_space {
public:
    net_space();
    ~net_space();
    net_space(net_space const&) = delete;
    net_space& operator=(net_space const&) = delete;

    class stay {
    public:
        explicit stay(int there);
        ~stay();
        stay(stay const&) = delete;
        stay& operator=(stay const&) = delete;

    private:
        int before_;
    };
    [[nodiscard]] stay enter() const { return stay{fd_}; }
    [[nodiscard]] int descriptor() const { return fd_; }
    [[nodiscard]] pid_t holder() const { return holder_.pid(); }
    /// Runs a shell script there; throws with what it said where it fails.
    std::string sh(std::string const& script) const;

private:
    process holder_;
    int fd_ = -1;
};

class nat_bed {
public:
    /// Why it cannot be made here, "" where it can.
    [[nodiscard]] static std::string why_not();

    static constexpr char const* lan_address = "192.168.77.2";
    static constexpr char const* gateway_address = "192.168.77.1";
    static constexpr char const* external_address = "25.0.0.1";

    explicit nat_bed(std::filesystem::path folder);

    struct service {
        bool upnp = true;
        bool nat_pmp = true;
    };
    /// miniupnpd. Returns when it answers.
    void start_gateway(service what);
    void start_gateway() { start_gateway({}); }
    /// It dies, and its rules with it, as when a router is switched off and on.
    void kill_gateway();
    /// It is there, and says nothing any more.
    void freeze_gateway() const;
    void thaw_gateway() const;
    /// What it forwards now: "tcp dport 6881 … dnat ip to 192.168.77.2:6881", as nft lists it.
    [[nodiscard]] std::string rules() const;
    /// Is that port of the gateway led to that address of the LAN?
    [[nodiscard]] bool forwards(std::string const& protocol, int external_port, int internal_port) const;
    net_space lan, gateway, world;

private:
    std::filesystem::path folder_;
    service what_;
    std::unique_ptr<process> miniupnpd_;
};

/// Listens for TCP at an address of the namespace in which it is made.
class listener {
public:
    explicit listener(std::string const& address);
    ~listener();
    listener(listener const&) = delete;
    listener& operator=(listener const&) = delete;
    [[nodiscard]] int port() const { return port_; }
    /// Somebody in that namespace connects to that address: is it we whom they reach? Words are exchanged.
    [[nodiscard]] bool hears_from(net_space const& where, std::string const& address, int port) const;

private:
    int fd_ = -1;
    int port_ = 0;
};

} // namespace ccbt::support
