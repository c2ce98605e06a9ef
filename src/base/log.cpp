#include "base/log.hpp"

#include "base/text.hpp"

#include <atomic>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace ccbt::log {

namespace {

std::atomic<level> least{level::info};

spdlog::logger& logger() {
    static auto const made = [] {
        auto to_stderr = spdlog::stderr_color_mt("ccbtd");
        to_stderr->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
        to_stderr->set_level(spdlog::level::trace); // `least` decides
        return to_stderr;
    }();
    return *made;
}

spdlog::level::level_enum to_spdlog(level at) {
    switch (at) {
    case level::debug: return spdlog::level::debug;
    case level::info: return spdlog::level::info;
    case level::warning: return spdlog::level::warn;
    case level::error: return spdlog::level::err;
    case level::off: break;
    }
    return spdlog::level::off;
}

} // namespace

std::optional<level> parse_level(std::string_view name) {
    auto const n = text::lower(name);
    if (n == "debug" || n == "trace") return level::debug;
    if (n == "info") return level::info;
    if (n == "warning" || n == "warn") return level::warning;
    if (n == "error" || n == "critical") return level::error;
    if (n == "off") return level::off;
    return std::nullopt;
}

void set_level(level at) { least = at; }
level current_level() { return least; }

void write(level at, fmt::string_view format, fmt::format_args args) {
    if (at < least.load(std::memory_order_relaxed)) return;
    logger().log(to_spdlog(at), fmt::vformat(format, args));
}

} // namespace ccbt::log
