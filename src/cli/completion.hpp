// Completion scripts, made from the table of commands. Pure.
#pragma once

#include "cli/command.hpp"

#include <span>
#include <string>

namespace ccbt::cli {

[[nodiscard]] std::string bash_completion(std::span<command const> all);
[[nodiscard]] std::string zsh_completion(std::span<command const> all);
[[nodiscard]] std::string fish_completion(std::span<command const> all);

} // namespace ccbt::cli
