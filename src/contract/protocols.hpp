// Transports beside BitTorrent's own that the Python daemon names; this one has neither, and says so.
#pragma once

#include "contract/session.hpp"

namespace ccbt::contract {

struct protocol_info {
    struct more {
        std::string reason;
        static constexpr auto fields = described_as{field<&more::reason>{"Why it is not available"}};
    };
    bool enabled = false;
    std::string status = "not_available";
    more details;
    static constexpr auto fields = described_as{
        field<&protocol_info::enabled>{"Is it switched on"},
        field<&protocol_info::status>{"\"not_available\": this daemon has no such transport"},
        field<&protocol_info::details>{"More of it"}};
};

struct get_xet_protocol {
    static constexpr promise route{
        .name = "protocols.xet",
        .method = verb::get,
        .path = "/protocols/xet",
        .needs = scope::read,
        .summary = "Whether the Xet transport is available: it is not",
        .command = "protocols xet"};
    using request = asks_nothing<get_xet_protocol>;
    using response = protocol_info;
};

struct get_ipfs_protocol {
    static constexpr promise route{
        .name = "protocols.ipfs",
        .method = verb::get,
        .path = "/protocols/ipfs",
        .needs = scope::read,
        .summary = "Whether the IPFS transport is available: it is not",
        .command = "protocols ipfs"};
    using request = asks_nothing<get_ipfs_protocol>;
    using response = protocol_info;
};

using protocol_endpoints = endpoint_list<get_xet_protocol, get_ipfs_protocol>;

} // namespace ccbt::contract
