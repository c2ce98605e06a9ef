// Who may not be connected with: the blacklist and the whitelist.
#pragma once

#include "contract/endpoint.hpp"
#include "contract/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ccbt::contract {

/// As many entries one list holds: what is more belongs into a filter file.
inline constexpr std::size_t max_list_entries = 100'000;

/// A list as it is answered (BlacklistResponse, WhitelistResponse). Ranges stand in normal form: an address, else the
/// CIDR block that it is, else first-last.
struct listed_addresses {
    struct entry {
        std::string ip;
        std::optional<std::string> reason;
        double added_at = 0;
        static constexpr auto fields = described_as{
            field<&entry::ip>{"An address, a CIDR block or a range"},
            field<&entry::reason>{"Why, where it was said"},
            field<&entry::added_at>{"When it was added, Unix seconds"}};
    };
    std::vector<std::string> ips;
    std::int64_t count = 0;
    std::vector<entry> entries;
    static constexpr auto fields = described_as{
        field<&listed_addresses::ips>{"What is listed, by address"},
        field<&listed_addresses::count>{"How many", {.min = 0}},
        field<&listed_addresses::entries>{"The same with reasons and times (+)"}};
};

/// The tag makes it the endpoint's own type.
template <class Endpoint> struct lists_an_address {
    std::string ip;
    std::optional<std::string> reason;
    static constexpr auto fields = described_as{
        field<&lists_an_address::ip>{
            "An address, a CIDR block or a first-last range, IPv4 or IPv6",
            {.required = true, .positional = true}},
        field<&lists_an_address::reason>{"Why, for people", {.max_length = 1024}}};
};
template <class Endpoint> struct unlists_an_address {
    std::string ip;
    static constexpr auto fields = described_as{field<&unlists_an_address::ip>{
        "What is listed: the same addresses in any spelling",
        {.required = true, .in = place::path, .positional = true}}};
};

struct get_blacklist {
    static constexpr promise route{
        .name = "security.get_blacklist",
        .method = verb::get,
        .path = "/security/blacklist",
        .needs = scope::read,
        .summary = "The addresses that are never connected with",
        .command = "blacklist ls"};
    using request = asks_nothing<get_blacklist>;
    using response = listed_addresses;
};

struct get_whitelist {
    static constexpr promise route{
        .name = "security.get_whitelist",
        .method = verb::get,
        .path = "/security/whitelist",
        .needs = scope::read,
        .summary = "The addresses that blacklist and filter let through",
        .command = "whitelist ls"};
    using request = asks_nothing<get_whitelist>;
    using response = listed_addresses;
};

struct add_to_blacklist {
    static constexpr promise route{
        .name = "security.add_to_blacklist",
        .method = verb::post,
        .path = "/security/blacklist",
        .needs = scope::control,
        .summary = "Refuse connections with addresses, and cut those there are",
        .command = "blacklist add",
        .errors = {errc::security_malformed, errc::state_storage_full},
        .event = "security_blacklist_updated"};
    using request = lists_an_address<add_to_blacklist>;
    struct response {
        bool added = true;
        static constexpr auto fields = described_as{field<&response::added>{"It is listed, and in force"}};
    };
};

struct add_to_whitelist {
    static constexpr promise route{
        .name = "security.add_to_whitelist",
        .method = verb::post,
        .path = "/security/whitelist",
        .needs = scope::control,
        .summary = "Let addresses through the blacklist and the filter",
        .command = "whitelist add",
        .errors = {errc::security_malformed, errc::state_storage_full},
        .event = "security_whitelist_updated"};
    using request = lists_an_address<add_to_whitelist>;
    using response = add_to_blacklist::response;
};

struct remove_from_blacklist {
    static constexpr promise route{
        .name = "security.remove_from_blacklist",
        .method = verb::del,
        .path = "/security/blacklist/{ip*}",
        .needs = scope::control,
        .summary = "Take addresses off the blacklist",
        .command = "blacklist rm",
        .errors = {errc::security_malformed, errc::security_not_found, errc::state_storage_full},
        .event = "security_blacklist_updated"};
    using request = unlists_an_address<remove_from_blacklist>;
    struct response {
        bool removed = true;
        static constexpr auto fields = described_as{field<&response::removed>{"It is no longer listed"}};
    };
};

struct remove_from_whitelist {
    static constexpr promise route{
        .name = "security.remove_from_whitelist",
        .method = verb::del,
        .path = "/security/whitelist/{ip*}",
        .needs = scope::control,
        .summary = "Take addresses off the whitelist",
        .command = "whitelist rm",
        .errors = {errc::security_malformed, errc::security_not_found, errc::state_storage_full},
        .event = "security_whitelist_updated"};
    using request = unlists_an_address<remove_from_whitelist>;
    using response = remove_from_blacklist::response;
};

using security_endpoints = endpoint_list<
    get_blacklist, get_whitelist, add_to_blacklist, add_to_whitelist, remove_from_blacklist,
    remove_from_whitelist>;

} // namespace ccbt::contract
