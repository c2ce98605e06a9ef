// A language that gateways speak: UPnP, NAT-PMP. Blocking, on the gateway's own thread alone, within the patience given.
// Whoever answers on the local network is a stranger: sizes, times and addresses are looked at before they are believed.
#pragma once

#include "gateway/gateway.hpp"
#include "gateway/patience.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::gateway {

struct grant {
    int external_port = 0;
    std::chrono::seconds lease{0}; // 0: it has no end
};

class protocol {
public:
    virtual ~protocol() = default;
    [[nodiscard]] virtual std::string_view name() const = 0;   // "UPnP", as the wire's method
    [[nodiscard]] virtual std::string_view source() const = 0; // "upnp", as a mapping's source

    /// Looks for a gateway that speaks it: its external address, "" where it does not tell.
    virtual outcome<std::string> find(patience const& within) = 0;
    /// The external address of the gateway that was found.
    virtual outcome<std::string> external_ip(patience const& within) = 0;
    /// `lease` 0: for ever.
    virtual outcome<grant> map(
        port_request const& what, std::chrono::seconds lease, patience const& within) = 0;
    virtual outcome<void> unmap(port_request const& what, patience const& within) = 0;
};

/// Those that the settings switch on, in the order in which they are tried: NAT-PMP before UPnP.
[[nodiscard]] std::vector<std::unique_ptr<protocol>> protocols_of(contract::settings const& s);

[[nodiscard]] inline unexpected<refusal> refuses(trouble why, std::string message) {
    return unexpected<refusal>{refusal{why, std::move(message)}};
}

/// The address as text where it is an IPv4 address that may be the gateway's outer one, else "".
[[nodiscard]] std::string address_or_nothing(std::string const& text);

} // namespace ccbt::gateway
