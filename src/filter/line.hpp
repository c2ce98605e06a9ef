// One line of an IP filter, judged by itself, so that a file may mix the formats. Pure, any thread; knows no file.
//
//   P2P     name:1.2.3.4-1.2.3.9       the name ends at the first ':' whose rest is an address, a range or a block
//   DAT     001.002.003.004 - 001.002.003.009 , 000 , name       zeros in front are decimal; a level under 128 blocks
//   bare    1.2.3.4-1.2.3.9    10.0.0.0/8    1.2.3.4    2001:db8::/32    2001:db8::1 - 2001:db8::9
//
// Blank lines and comments (#, ; and //, at the start or behind a blank at the end) say nothing.
#pragma once

#include "base/ip_range.hpp"

#include <cstdint>
#include <string_view>

namespace ccbt::filter {

enum class meaning : std::uint8_t {
    nothing, // blank or a comment
    rule,    // `range` is listed
    idle,    // a valid DAT line of a level that blocks nothing
    malformed
};

struct line {
    meaning means = meaning::nothing;
    ip_range range{};
};

/// `text` is without its newline; a CR at its end is no part of it. Bytes of a name may be of any encoding.
[[nodiscard]] line read_line(std::string_view text);

inline constexpr std::size_t longest_line = 1024; // a longer one is malformed

} // namespace ccbt::filter
