// TOML text as a flat row of keys with the lines they stand in. Knows TOML and nothing of which keys mean something.
#pragma once

#include "base/result.hpp"
#include "wire/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::daemon {

struct toml_entry {
    std::string key; // "security.ip_filter.filter_mode"; a name that is no bare word stands in quotes
    std::uint32_t line = 0;
    bool is_table = false;  // a section; its members follow as entries of their own
    std::string alien_type; // "a date": a type that no key has, so that there is no value
    wire::value value;      // what a key has
};

struct toml_error {
    std::uint32_t line = 0;
    std::string message;
};

/// The entries in the order of the file, a table before its members.
[[nodiscard]] expected<std::vector<toml_entry>, toml_error> read_toml(std::string_view text);

} // namespace ccbt::daemon
