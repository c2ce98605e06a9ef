// What a signature of a request covers, and the headers that it travels in. Pure; any thread. Both sides of the door
// make the text from here, so that they cannot fall apart.
#pragma once

#include "base/crypto.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace ccbt::contract {

inline constexpr std::string_view public_key_header = "X-CCBT-Public-Key"; // 64 hex digits
inline constexpr std::string_view timestamp_header = "X-CCBT-Timestamp";
inline constexpr std::string_view signature_header = "X-CCBT-Signature"; // 128 hex digits

/// How far a timestamp may be from the daemon's clock, both ways.
inline constexpr double signature_window_seconds = 300;

/// `target` as sent, its query too; `timestamp` as sent; the digest of the body, of no body that of "".
[[nodiscard]] std::string signed_text(
    std::string_view method, std::string_view target, std::string_view timestamp, crypto::digest const& body);
/// Of a WebSocket: its path without the query.
[[nodiscard]] std::string signed_socket_text(std::string_view path, std::string_view timestamp);

/// Unix seconds as digits, perhaps with a fraction: no sign, blank, exponent, or zero in front.
[[nodiscard]] std::optional<double> read_timestamp(std::string_view written);

} // namespace ccbt::contract
