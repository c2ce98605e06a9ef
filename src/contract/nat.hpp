// The ports that the gateway of the local network maps for us (UPnP, NAT-PMP), and its external address.
#pragma once

#include "contract/endpoint.hpp"
#include "contract/session.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace ccbt::contract {

enum class transport : std::uint8_t { tcp, udp };
template <> inline constexpr auto names_of<transport> = std::array{
    std::pair{transport::tcp, std::string_view{"tcp"}}, std::pair{transport::udp, std::string_view{"udp"}}};
template <> inline constexpr bool ignores_case<transport> = true;

inline constexpr rules a_port{.required = true, .min = 1, .max = 65535, .positional = true};

/// A port of the gateway that leads to one of ours.
struct port_mapping {
    transport protocol = transport::tcp;
    std::int64_t internal_port = 0;
    std::int64_t external_port = 0;
    std::string source;
    std::optional<double> expires_at;
    bool operator==(port_mapping const&) const = default;
    static constexpr auto fields = described_as{
        field<&port_mapping::protocol>{"tcp or udp"},
        field<&port_mapping::internal_port>{"Our port", {.min = 0, .max = 65535}},
        field<&port_mapping::external_port>{"The gateway's port", {.min = 0, .max = 65535}},
        field<&port_mapping::source>{"By which protocol: \"upnp\" or \"natpmp\""},
        field<&port_mapping::expires_at>{
            "When the gateway's lease ends, Unix seconds; it is renewed before. null: it has no end"}};
};

struct get_nat_status {
    static constexpr promise route{
        .name = "nat.status",
        .method = verb::get,
        .path = "/nat/status",
        .needs = scope::read,
        .summary = "The gateway, the external address, and the ports mapped for us",
        .command = "nat status"};
    using request = asks_nothing<get_nat_status>;
    struct response {
        bool enabled = false;
        std::optional<std::string> method;
        std::optional<std::string> external_ip;
        std::optional<std::int64_t> mapped_port;
        std::vector<port_mapping> mappings;
        static constexpr auto fields = described_as{
            field<&response::enabled>{"Is a protocol for gateways switched on (nat.enable_upnp, …)"},
            field<&response::method>{"\"NAT-PMP\" or \"UPnP\"; null where no gateway has been found"},
            field<&response::external_ip>{"The gateway's external address, where known"},
            field<&response::mapped_port>{"The gateway's port that leads to our listen port"},
            field<&response::mappings>{"The mappings of this daemon, and no others"}};
    };
};

struct discover_nat {
    static constexpr promise route{
        .name = "nat.discover",
        .method = verb::post,
        .path = "/nat/discover",
        .needs = scope::net,
        .summary = "Look for a gateway now",
        .command = "nat discover",
        .errors = {errc::nat_discover_failed}};
    using request = asks_nothing<discover_nat>;
    struct response {
        std::string status = "discovered";
        bool result = false;
        static constexpr auto fields = described_as{
            field<&response::status>{"\"discovered\""}, field<&response::result>{"Was a gateway found"}};
    };
};

struct map_port {
    static constexpr promise route{
        .name = "nat.map",
        .method = verb::post,
        .path = "/nat/map",
        .needs = scope::net,
        .summary =
            "Have the gateway lead one of its ports to one of ours, until unmapped or the daemon stops",
        .command = "nat map",
        .errors = {errc::nat_map_failed},
        .event = "nat_mappings_changed"};
    struct request {
        std::int64_t internal_port = 0;
        std::optional<std::int64_t> external_port;
        transport protocol = transport::tcp;
        static constexpr auto fields = described_as{
            field<&request::internal_port>{"Our port", a_port},
            field<&request::external_port>{
                "The gateway's port: that one or none; default: the same, or another where that is taken",
                {.min = 1, .max = 65535}},
            field<&request::protocol>{"tcp or udp"}};
    };
    struct response {
        std::string status = "mapped";
        port_mapping result;
        static constexpr auto fields = described_as{
            field<&response::status>{"\"mapped\""}, field<&response::result>{"What the gateway granted"}};
    };
};

struct unmap_port {
    static constexpr promise route{
        .name = "nat.unmap",
        .method = verb::post,
        .path = "/nat/unmap",
        .needs = scope::net,
        .summary = "Have the gateway drop one of our mappings",
        .command = "nat unmap",
        .errors = {errc::nat_unmap_failed},
        .event = "nat_mappings_changed"};
    struct request {
        std::int64_t port = 0;
        transport protocol = transport::tcp;
        static constexpr auto fields = described_as{
            field<&request::port>{"The gateway's port", a_port}, field<&request::protocol>{"tcp or udp"}};
    };
    struct response {
        std::string status = "unmapped";
        bool result = false;
        static constexpr auto fields = described_as{
            field<&response::status>{"\"unmapped\""},
            field<&response::result>{"false: it was no mapping of ours, and nothing was done"}};
    };
};

struct refresh_nat {
    static constexpr promise route{
        .name = "nat.refresh",
        .method = verb::post,
        .path = "/nat/refresh",
        .needs = scope::net,
        .summary = "Look for the gateway anew and have all of our ports mapped again",
        .command = "nat refresh",
        .errors = {errc::nat_refresh_failed},
        .event = "nat_mappings_changed"};
    using request = asks_nothing<refresh_nat>;
    struct outcome {
        std::int64_t mapped = 0, failed = 0;
        std::vector<port_mapping> mappings;
        static constexpr auto fields = described_as{
            field<&outcome::mapped>{"How many are mapped now", {.min = 0}},
            field<&outcome::failed>{"How many the gateway refused", {.min = 0}},
            field<&outcome::mappings>{"Those that are"}};
    };
    struct response {
        std::string status = "refreshed";
        outcome result;
        static constexpr auto fields = described_as{
            field<&response::status>{"\"refreshed\""}, field<&response::result>{"What came of it"}};
    };
};

struct get_external_ip {
    static constexpr promise route{
        .name = "nat.get_external_ip",
        .method = verb::get,
        .path = "/nat/external-ip",
        .needs = scope::read,
        .summary = "The gateway's external address",
        .command = "nat ip",
        .errors = {errc::nat_error}};
    using request = asks_nothing<get_external_ip>;
    struct response {
        std::optional<std::string> external_ip;
        std::optional<std::string> method;
        static constexpr auto fields = described_as{
            field<&response::external_ip>{"The address; null where unknown"},
            field<&response::method>{"\"NAT-PMP\" or \"UPnP\"; null where no gateway has been found"}};
    };
};

struct get_external_port {
    static constexpr promise route{
        .name = "nat.get_external_port",
        .method = verb::get,
        .path = "/nat/external-port/{internal_port}",
        .needs = scope::read,
        .summary = "The gateway's port that leads to one of ours",
        .command = "nat port",
        .errors = {errc::invalid_port, errc::nat_error}};
    struct request {
        std::string internal_port; // text, since what is no port has an error of its own
        transport protocol = transport::tcp;
        static constexpr auto fields = described_as{
            field<&request::internal_port>{
                "Our port, 1 to 65535",
                {.required = true, .max_length = 64, .in = place::path, .positional = true}},
            field<&request::protocol>{"tcp or udp", {.in = place::query}}};
    };
    struct response {
        std::int64_t internal_port = 0;
        std::optional<std::int64_t> external_port;
        transport protocol = transport::tcp;
        static constexpr auto fields = described_as{
            field<&response::internal_port>{"Our port", {.min = 0, .max = 65535}},
            field<&response::external_port>{"The gateway's port; null where it is not mapped"},
            field<&response::protocol>{"tcp or udp"}};
    };
};

using nat_endpoints = endpoint_list<
    get_nat_status, discover_nat, map_port, unmap_port, refresh_nat, get_external_ip, get_external_port>;

} // namespace ccbt::contract
