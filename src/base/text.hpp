// Text forms that every room needs: hex, base64, percent-encoding, nearest names. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::text {

using bytes_view = std::span<std::uint8_t const>;

[[nodiscard]] std::string to_hex(bytes_view bytes); // lower case
/// Either case, an even number of digits and nothing else; else nothing.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> from_hex(std::string_view digits);

[[nodiscard]] std::string to_base64(bytes_view bytes); // RFC 4648 section 4, padded
/// Standard or URL alphabet, padding optional, no white space, no stray bits; else nothing.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// RFC 3986 percent-decoding; a '%' without two hex digits makes it nothing. '+' stays '+' unless `form` is set.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool form = false);
/// Everything but RFC 3986's unreserved characters is encoded.
[[nodiscard]] std::string percent_encode(std::string_view text);

[[nodiscard]] std::string lower(std::string_view text);                            // ASCII only
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);    // ASCII only
[[nodiscard]] std::string_view trim(std::string_view text);                        // spaces, tabs, CR, LF
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char at); // "" gives one empty piece

/// The candidate that a hand most likely meant (edit distance at most a third of its length), or "".
[[nodiscard]] std::string_view nearest(
    std::string_view written, std::span<std::string_view const> candidates);

/// Well-formed UTF-8 with what is not replaced by U+FFFD: names in torrents come in any bytes.
[[nodiscard]] std::string to_valid_utf8(std::string_view bytes);
[[nodiscard]] bool is_valid_utf8(std::string_view bytes);

/// "1.5 MiB": for people. Binary prefixes, one decimal above bytes.
[[nodiscard]] std::string human_bytes(double bytes);
/// "2 h 05 min", "14 s": for people. Seconds in; negative or huge gives "unknown".
[[nodiscard]] std::string human_duration(double seconds);

} // namespace ccbt::text
