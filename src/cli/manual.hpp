// The manual pages ccbt(1), ccbtd(8) and ccbt.toml(5) in man(7)'s language: commands from their table, keys from their
// descriptions. Pure.
#pragma once

#include "cli/command.hpp"

#include <span>
#include <string>

namespace ccbt::cli {

[[nodiscard]] std::string ccbt_manual(std::span<command const> all);
[[nodiscard]] std::string ccbtd_manual();
[[nodiscard]] std::string configuration_manual();

/// A text as it stands, where man(7) reads words: its signs escaped, no line that begins with one of its requests.
[[nodiscard]] std::string roff_text(std::string_view plain);

} // namespace ccbt::cli
