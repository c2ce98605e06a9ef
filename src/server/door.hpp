// What is looked at before a request reaches a route: Host, Origin, the type of its body. Loopback is no boundary: a
// browser on this machine brings any page's requests here, so Host must be one of ours (DNS rebinding) and Origin, where
// there is one, our own. Pure; loop thread.
#pragma once

#include "contract/errors.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::server {

struct door_rules {
    std::vector<std::string> hosts; // "127.0.0.1:64124", "[::1]:64124", "localhost:64124": lower case, with port
    std::string port;               // ":80" and ":443" may be left out by clients; ours never are
};

/// `local_address`: the literal address at which the connection arrived, "" for a Unix socket (any Host).
[[nodiscard]] std::optional<contract::failure> check_host(door_rules const& rules, std::string_view host,
                                                          std::string const& local_address);
/// `origin`: the header, nothing where there is none. The same scheme, host and port as we are called by is ours.
[[nodiscard]] std::optional<contract::failure> check_origin(std::optional<std::string_view> origin,
                                                            std::string_view host);
/// A body that is not empty must be application/json; an empty one is never refused for its type.
[[nodiscard]] std::optional<contract::failure> check_type(std::string_view content_type, bool has_body);

} // namespace ccbt::server
