// The IP filter: lists of addresses from files and URLs (security.ip_filter in the configuration).
#pragma once

#include "contract/endpoint.hpp"
#include "contract/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ccbt::contract {

struct load_ip_filter {
    static constexpr promise route{
        .name = "security.load_ip_filter",
        .method = verb::post,
        .path = "/security/ip-filter/load",
        .needs = scope::control,
        .summary = "Read the IP filter's files and URLs again; all of it or nothing",
        .command = "filter load",
        .errors = {errc::security_not_found, errc::security_unusable},
        .event = "security_ip_filter_loaded"};
    using request = asks_nothing<load_ip_filter>;
    struct malformed {
        std::string file;
        std::int64_t line = 1;
        static constexpr auto fields = described_as{
            field<&malformed::file>{"As it is configured; a URL without user and query"},
            field<&malformed::line>{"Counted from 1", {.min = 1}}};
    };
    struct response {
        bool loaded = true;
        std::int64_t rules = 0;
        std::int64_t error_count = 0;
        std::vector<malformed> errors;
        static constexpr auto fields = described_as{
            field<&response::loaded>{"It is in force; so is none, where the filter is off"},
            field<&response::rules>{"Valid rules read; 0 where the filter is off (+)", {.min = 0}},
            field<&response::error_count>{"Lines that are malformed and were left out (+)", {.min = 0}},
            field<&response::errors>{"The first 20 of them (+)"}};
    };
};

struct get_ip_filter_stats {
    static constexpr promise route{
        .name = "security.get_ip_filter_stats",
        .method = verb::get,
        .path = "/security/ip-filter/stats",
        .needs = scope::read,
        .summary = "What the IP filter holds, and what it refused",
        .command = "filter stats"};
    using request = asks_nothing<get_ip_filter_stats>;
    struct more {
        std::int64_t total_rules = 0, ipv4_ranges = 0, ipv6_ranges = 0, matches = 0, blocks = 0, allows = 0;
        std::optional<double> last_update;
        static constexpr auto fields = described_as{
            field<&more::total_rules>{"Valid rules read", {.min = 0}},
            field<&more::ipv4_ranges>{"In force, after merging", {.min = 0}},
            field<&more::ipv6_ranges>{"In force, after merging", {.min = 0}},
            field<&more::matches>{
                "Connections with a listed address: the blocks, or in mode allow the allows", {.min = 0}},
            field<&more::blocks>{"Connections refused", {.min = 0}},
            field<&more::allows>{"Connections let through", {.min = 0}},
            field<&more::last_update>{
                "When what is in force was loaded, Unix seconds; null where nothing is"}};
    };
    struct response {
        bool enabled = false;
        std::int64_t total_rules = 0, blocked_count = 0, allowed_count = 0;
        more stats;
        static constexpr auto fields = described_as{
            field<&response::enabled>{"Whether it is switched on; where not, all is zero"},
            field<&response::total_rules>{"Valid rules read", {.min = 0}},
            field<&response::blocked_count>{
                "Connections refused since the daemon started, in and out, by filter and blacklist",
                {.min = 0}},
            field<&response::allowed_count>{
                "Connections let through since the daemon started, in and out", {.min = 0}},
            field<&response::stats>{"The same and more"}};
    };
};

using ip_filter_endpoints = endpoint_list<load_ip_filter, get_ip_filter_stats>;

} // namespace ccbt::contract
