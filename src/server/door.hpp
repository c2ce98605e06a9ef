// What is looked at before a request reaches a route: its target, Host, Origin, the type of its body. Loopback is no
// boundary: a browser on this machine brings any page's requests here, so Host must be one of ours (DNS rebinding) and
// Origin, where there is one, our own. Pure; loop thread.
#pragma once

#include "contract/errors.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::server {

struct door_rules {
    std::vector<std::string>
        hosts; // "127.0.0.1:64124", "[::1]:64124", "localhost:64124": lower case, with port
    std::string port;
};

/// What a name of the configuration allows as Host: "nas" with the port that is served at, "nas:8080" as it is,
/// "fe80::1" in brackets. Clients leave 80 and 443 out, so a name with one of these is allowed without it too.
[[nodiscard]] std::vector<std::string> allowed_as(std::string_view configured, std::string_view port);

struct asked_target {
    std::string_view host; // with its port
    std::string_view path; // still percent-encoded
    std::string_view query;
};
/// RFC 9112, 3.2: "/path?query", or "http://host/path?query", where that host counts and not the Host header. Nothing
/// for the other forms: no proxy lives here.
[[nodiscard]] std::optional<asked_target> read_target(std::string_view target, std::string_view host_header);

/// `local_address`: the literal address at which the connection arrived, "" for a Unix socket: there ports mean nothing,
/// and the names are looked at without one. (A proxy behind which the socket stands may carry browsers' requests.)
[[nodiscard]] std::optional<contract::failure> check_host(
    door_rules const& rules, std::string_view host, std::string const& local_address);
/// `origin`: the header, nothing where there is none. The same host and port as we are called by are ours.
[[nodiscard]] std::optional<contract::failure> check_origin(
    std::optional<std::string_view> origin, std::string_view host);
/// A body that is not empty must be application/json; an empty one is never refused for its type.
[[nodiscard]] std::optional<contract::failure> check_type(std::string_view content_type, bool has_body);

/// Who sent it, of the X-Forwarded-For that a trusted proxy wrote: the last address in it that is no trusted proxy's. ""
/// where there is none, or it is no address.
[[nodiscard]] std::string forwarded_for(
    std::string_view header, std::vector<std::string> const& trusted_proxies);
/// As addresses are compared: without zone, brackets and port, IPv4 out of IPv6's clothes; "" where it is none.
[[nodiscard]] std::string plain_address(std::string_view written);

/// Whether gzip is among the codings of an Accept-Encoding (RFC 9110, 12.5.3), and not with "q=0".
[[nodiscard]] bool takes_gzip(std::string_view accept_encoding);

} // namespace ccbt::server
