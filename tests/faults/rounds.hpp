// How long the tests of faults go on, and how they tell of it: short in ./dev test, long in ./dev faults, which sets
// FAULTS_LONG, FAULTS_ROUNDS and FAULTS_SEED.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fmt/core.h>
#include <random>
#include <string>
#include <utility>

namespace ccbt::faults {

inline bool is_long() { return std::getenv("FAULTS_LONG") != nullptr; }

inline int rounds(int in_short, int in_long) {
    auto const* const asked = std::getenv("FAULTS_ROUNDS");
    return asked != nullptr ? std::atoi(asked) : is_long() ? in_long : in_short;
}

/// Another one each time, and told where something fails.
inline std::uint64_t seed() {
    auto const* const asked = std::getenv("FAULTS_SEED");
    return asked != nullptr ? std::strtoull(asked, nullptr, 10) : std::random_device{}();
}

template <class... A> void say(char const* who, fmt::format_string<A...> text, A&&... args) {
    fmt::print("{}: {}\n", who, fmt::format(text, std::forward<A>(args)...));
    std::fflush(stdout);
}

} // namespace ccbt::faults
