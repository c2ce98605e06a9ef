// The configuration as it is read, changed and explained. What is changed is kept in the state store and laid over the
// user's file, which is never written.
#pragma once

#include "contract/endpoint.hpp"
#include "contract/settings.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ccbt::contract {

struct get_config {
    static constexpr promise route{
        .name = "config.get",
        .method = verb::get,
        .path = "/config",
        .needs = scope::read,
        .summary = "The configuration, secrets as \"***\"",
        .command = "config get"};
    struct request {
        static constexpr described_as<> fields{};
    };
    using response = settings;
};

struct update_config {
    static constexpr promise route{
        .name = "config.update",
        .method = verb::put,
        .path = "/config",
        .needs = scope::config,
        .summary = "Change the configuration: all of what is given, or nothing",
        .errors = {errc::config_update_failed, errc::state_storage_full},
        .event = "config_updated"};
    struct request {
        std::optional<json_text> network, discovery, disk, limits, queue, nat, security, proxy, observability,
            daemon;
        json_text everything{"{}"}; // these and what is no section
        static constexpr auto whole = &request::everything;
        static constexpr auto fields = described_as{
            field<&request::network>{"Keys of that section; null takes a key back to what the file says"},
            field<&request::discovery>{"The same"},
            field<&request::disk>{"The same"},
            field<&request::limits>{"The same"},
            field<&request::queue>{"The same"},
            field<&request::nat>{"The same"},
            field<&request::security>{"The same; ip_filter is a section in it"},
            field<&request::proxy>{"The same; \"***\" leaves a secret as it is"},
            field<&request::observability>{"The same"},
            field<&request::daemon>{"The same"}};
    };
    struct response {
        std::string status = "updated";
        bool restart_required = false;
        std::vector<std::string> restart_keys;
        std::vector<std::string> ignored;
        settings config;
        static constexpr auto fields = described_as{
            field<&response::status>{"\"updated\""},
            field<&response::restart_required>{"Something that changed takes effect at the next start"},
            field<&response::restart_keys>{"What that is (+)"},
            field<&response::ignored>{"What was given and is no key (+)"},
            field<&response::config>{"The configuration now, secrets as \"***\""}};
    };
};

struct explain_config {
    static constexpr promise route{
        .name = "config.explain",
        .method = verb::get,
        .path = "/config/explain",
        .needs = scope::read,
        .summary = "What the keys of the configuration mean, and where their values come from (+)",
        .command = "config explain"};
    struct request {
        std::optional<std::string> key;
        static constexpr auto fields = described_as{field<&request::key>{
            "One key, \"limits.global_down_kib\"; default: all of them",
            {.max_length = 200, .in = place::query, .positional = true}}};
    };
    struct explained {
        std::string key, description, type;
        std::vector<std::string> choices;
        std::optional<double> minimum, maximum;
        json_text default_value, value;
        std::string origin;
        bool laid_over = false;
        json_text beneath;
        std::string beneath_origin;
        bool restart = false;
        bool pending = false;
        std::string variable;
        static constexpr auto fields = described_as{
            field<&explained::key>{"Its name"},
            field<&explained::description>{"What it means"},
            field<&explained::type>{"boolean, integer, number, string, choice or list"},
            field<&explained::choices>{"Of a choice: what it may be"},
            field<&explained::minimum>{"The least it may be"},
            field<&explained::maximum>{"The most it may be"},
            field<&explained::default_value>{"Where nobody sets it", {.wire = "default"}},
            field<&explained::value>{"Now"},
            field<&explained::origin>{
                "\"default\", \"ccbt.toml:12\", \"environment CCBT_…\", \"flag --set\", or "
                "\"override\": set over the API"},
            field<&explained::laid_over>{"A value set over the API is kept for it"},
            field<&explained::beneath>{"What it would be without that"},
            field<&explained::beneath_origin>{"And where that comes from"},
            field<&explained::restart>{"A change takes effect at the next start"},
            field<&explained::pending>{"There is such a change"},
            field<&explained::variable>{"The environment variable that sets it"}};
    };
    struct response {
        std::vector<explained> keys;
        static constexpr auto fields = described_as{field<&response::keys>{"In the order of the sections"}};
    };
};

using config_endpoints = endpoint_list<get_config, update_config, explain_config>;

} // namespace ccbt::contract
