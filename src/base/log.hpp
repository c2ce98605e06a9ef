// One log for the daemon, on standard error. Any thread. Never write a secret or a whole request here.
// spdlog stands behind log.cpp alone: its headers cost seconds in every unit that sees them.
#pragma once

#include <fmt/core.h>
#include <optional>
#include <string_view>

namespace ccbt::log {

enum class level { debug, info, warning, error, off };

/// Any letter case; the Python daemon's names (DEBUG, INFO, WARNING, ERROR, CRITICAL) and "warn", "off".
[[nodiscard]] std::optional<level> parse_level(std::string_view name);
void set_level(level least);
[[nodiscard]] level current_level();
void write(level at, fmt::string_view format, fmt::format_args args);

template <class... A> void debug(fmt::format_string<A...> format, A&&... args) {
    if (current_level() == level::debug) write(level::debug, format, fmt::make_format_args(args...));
}
template <class... A> void info(fmt::format_string<A...> format, A&&... args) {
    write(level::info, format, fmt::make_format_args(args...));
}
template <class... A> void warning(fmt::format_string<A...> format, A&&... args) {
    write(level::warning, format, fmt::make_format_args(args...));
}
template <class... A> void error(fmt::format_string<A...> format, A&&... args) {
    write(level::error, format, fmt::make_format_args(args...));
}

} // namespace ccbt::log
