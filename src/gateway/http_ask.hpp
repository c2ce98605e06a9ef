// One question over HTTP to a stranger in the local network, on a connection of its own: bounded in time by the patience
// given, in size by `longest_answer`. Blocking, on the gateway's thread. Follows nothing, resolves no name.
#pragma once

#include "gateway/lan.hpp"
#include "gateway/protocol.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace ccbt::gateway {

inline constexpr std::size_t longest_answer = std::size_t{128} << 10;

/// http://<IPv4 address>[:port]/path, and nothing more adventurous: no name, no user, nothing that is not printable.
struct place {
    in_addr address{};
    int port = 80;
    std::string path = "/";
    [[nodiscard]] static std::optional<place> parse(std::string_view url);
    [[nodiscard]] std::string host() const; // "192.168.1.1:5000"
};

struct http_reply {
    int status = 0;
    std::string body{};
    in_addr own_address{}; // as the other side sees us
};

/// `head`: request line and headers without Host, Content-Length and Connection, each line with its CRLF.
[[nodiscard]] outcome<http_reply> ask_http(
    place const& where, std::optional<in_addr> from, std::string_view head, std::string_view body,
    patience const& within);

} // namespace ccbt::gateway
