// Who may call: named keys with scopes, beside the configured key.
#pragma once

#include "contract/endpoint.hpp"
#include "contract/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ccbt::contract {

/// As many keys the store keeps.
inline constexpr std::size_t max_keys = 1000;

/// A scope that a key can be given: all but `open`, which needs no key. The value is the scope's.
enum class grant : std::uint8_t {};
template <> inline constexpr auto names_of<grant> = [] {
    std::array<std::pair<grant, std::string_view>, names_of<scope>.size() - 1> out{};
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = {static_cast<grant>(names_of<scope>[i + 1].first), names_of<scope>[i + 1].second};
    return out;
}();

/// What stands behind a key: a secret that is sent, or a key pair that signs.
enum class key_kind : std::uint8_t { api_key, ed25519 };
template <> inline constexpr auto names_of<key_kind> = std::array{
    std::pair{key_kind::api_key, std::string_view{"api_key"}},
    std::pair{key_kind::ed25519, std::string_view{"ed25519"}}};

struct named_key {
    std::string name;
    key_kind kind = key_kind::api_key;
    std::vector<grant> scopes;
    std::optional<std::string> public_key;
    double created_at = 0;
    std::optional<double> expires_at;
    std::optional<double> last_used;
    static constexpr auto fields = described_as{
        field<&named_key::name>{"Its name"},
        field<&named_key::kind>{"A secret that is sent, or a key pair that signs"},
        field<&named_key::scopes>{"What it may do; admin is all"},
        field<&named_key::public_key>{"Of an ed25519 key, 64 hex digits"},
        field<&named_key::created_at>{"When it was made or trusted, Unix seconds"},
        field<&named_key::expires_at>{"When it ends, Unix seconds; null: never"},
        field<&named_key::last_used>{"When a request with it was last accepted, Unix seconds; null: never"}};
};

struct get_keys {
    static constexpr promise route{
        .name = "keys.list",
        .method = verb::get,
        .path = "/keys",
        .needs = scope::admin,
        .summary = "The named keys, without their secrets (+)",
        .command = "key list"};
    using request = asks_nothing<get_keys>;
    struct response {
        std::vector<named_key> keys;
        std::int64_t count = 0;
        static constexpr auto fields = described_as{
            field<&response::keys>{"By name; the configuration's own are not among them"},
            field<&response::count>{"How many", {.min = 0}}};
    };
};

struct create_key {
    static constexpr promise route{
        .name = "keys.create",
        .method = verb::post,
        .path = "/keys",
        .needs = scope::admin,
        .summary = "Make a key with scopes; its secret is answered once (+)",
        .command = "key new",
        .errors = {errc::key_exists, errc::state_storage_full}};
    struct request {
        std::string name;
        std::vector<grant> scopes;
        std::optional<std::int64_t> expires_in;
        static constexpr auto fields = described_as{
            field<&request::name>{
                "1 to 64 of A-Z a-z 0-9 . _ - @, beginning with a letter or digit",
                {.required = true, .max_length = 64, .positional = true}},
            field<&request::scopes>{
                "What it may do, one or more", {.required = true, .max_items = 32, .word = "scope"}},
            field<&request::expires_in>{
                "Seconds until it ends; default: never",
                {.min = 1, .max = 3'155'760'000, .word = "expires"}}};
    };
    struct response {
        std::string name;
        std::string secret;
        std::vector<grant> scopes;
        std::optional<double> expires_at;
        static constexpr auto fields = described_as{
            field<&response::name>{"Its name"},
            field<&response::secret>{
                "What is to be sent as X-CCBT-API-Key; only its SHA-256 is kept, so this is the only time"},
            field<&response::scopes>{"What it may do"},
            field<&response::expires_at>{"When it ends, Unix seconds; null: never"}};
    };
};

struct trust_key {
    static constexpr promise route{
        .name = "keys.trust",
        .method = verb::post,
        .path = "/keys/trust",
        .needs = scope::admin,
        .summary = "Accept signatures of an Ed25519 key (+)",
        .command = "key trust",
        .errors = {errc::key_exists, errc::state_storage_full}};
    struct request {
        std::string public_key;
        std::string name;
        std::vector<grant> scopes;
        static constexpr auto fields = described_as{
            field<&request::public_key>{
                "32 bytes, 64 hex digits", {.required = true, .max_length = 64, .positional = true}},
            field<&request::name>{
                "1 to 64 of A-Z a-z 0-9 . _ - @, beginning with a letter or digit",
                {.required = true, .max_length = 64, .positional = true}},
            field<&request::scopes>{
                "What it may do, one or more", {.required = true, .max_items = 32, .word = "scope"}}};
    };
    struct response {
        std::string status = "trusted";
        std::string name, public_key;
        std::vector<grant> scopes;
        static constexpr auto fields = described_as{
            field<&response::status>{"\"trusted\""}, field<&response::name>{"Its name"},
            field<&response::public_key>{"64 hex digits, lower case"},
            field<&response::scopes>{"What it may do"}};
    };
};

struct revoke_key {
    static constexpr promise route{
        .name = "keys.revoke",
        .method = verb::del,
        .path = "/keys/{name}",
        .needs = scope::admin,
        .summary = "End a named key or a trust, at once (+)",
        .command = "key revoke",
        .errors = {errc::key_not_found, errc::state_storage_full}};
    struct request {
        std::string name;
        static constexpr auto fields = described_as{
            field<&request::name>{"Which", {.required = true, .in = place::path, .positional = true}}};
    };
    struct response {
        std::string status = "revoked";
        std::string name;
        static constexpr auto fields =
            described_as{field<&response::status>{"\"revoked\""}, field<&response::name>{"Which"}};
    };
};

using key_endpoints = endpoint_list<get_keys, create_key, trust_key, revoke_key>;

} // namespace ccbt::contract
