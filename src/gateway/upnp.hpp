// UPnP Internet Gateway Devices, versions 1 and 2: the search by SSDP, and the SOAP actions of WANIPConnection and
// WANPPPConnection. miniupnpc reads the XML; what goes over the wire is ours, since miniupnpc bounds neither the time
// nor the memory that a device may take (docs/hazards/miniupnpc-unbounded.md).
#pragma once

#include "gateway/http_ask.hpp"
#include "gateway/protocol.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace ccbt::gateway {

struct upnp_options {
    std::optional<in_addr> from{};                 // our own address, where it matters which
    std::optional<sockaddr_in> search_at{};        // instead of 239.255.255.250:1900, for tests
    std::chrono::milliseconds search_within{1400}; // for answers of all devices
};

class upnp final : public protocol {
public:
    explicit upnp(upnp_options with = {}) : with_{with} {}
    [[nodiscard]] std::string_view name() const override { return "UPnP"; }
    [[nodiscard]] std::string_view source() const override { return "upnp"; }
    outcome<std::string> find(patience const& within) override;
    outcome<std::string> external_ip(patience const& within) override;
    outcome<grant> map(port_request const& what, std::chrono::seconds lease, patience const& within) override;
    outcome<void> unmap(port_request const& what, patience const& within) override;

    struct service {
        place control;
        std::string type; // "urn:schemas-upnp-org:service:WANIPConnection:1"
    };
    /// The LOCATION of an answer to a search, where it lies on the very host that answered: nobody sends us elsewhere.
    [[nodiscard]] static std::string location_in(std::string_view answer, in_addr from);
    /// The services of a device's description that may map ports; those that lie on another host are left out.
    [[nodiscard]] static std::vector<service> services_in(std::string const& xml, std::string const& url);

private:
    struct action_reply {
        int error = 0; // UPnP's, 0: none
        std::map<std::string, std::string> values{};
        in_addr own_address{};
    };
    using arguments = std::vector<std::pair<std::string_view, std::string>>;
    outcome<action_reply> act(std::string_view action, arguments const& with, patience const& within) const;
    [[nodiscard]] std::vector<std::string> search(patience const& within) const;
    outcome<std::string> try_device(std::string const& url, patience const& within);
    enum class leading : std::uint8_t { nowhere, to_us, elsewhere };
    struct entry {
        arguments name{};
        std::string own_address{};
        leading leads = leading::nowhere;
    };
    outcome<entry> look_up(port_request const& what, patience const& within) const;
    outcome<grant> add(port_request const& what, std::chrono::seconds lease, patience const& within) const;

    upnp_options with_;
    std::optional<service> found_;
};

} // namespace ccbt::gateway
