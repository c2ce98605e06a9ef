#include "base/text.hpp"
#include "client/client.hpp"
#include "client/connection.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace ccbt::client {

namespace {

constexpr std::string_view default_port = "64124";

} // namespace

std::string address::shown() const { return unix_path.empty() ? host_header() : unix_path; }

std::string address::host_header() const {
    if (!unix_path.empty()) return host;
    bool const is_v6 = host.find(':') != std::string::npos;
    return (is_v6 ? '[' + host + ']' : host) + ':' + port;
}

bool address::is_loopback() const {
    in_addr four{};
    if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
    return host == "localhost" || host == "::1";
}

result<address> parse_url(std::string_view url) {
    auto const wrong = [&](std::string_view why) {
        return fails(error_kind::unsupported, "\"" + std::string{url} + "\" " + std::string{why});
    };
    auto const colon = url.find("://");
    if (colon == std::string_view::npos) return wrong("is no URL: write http://HOST:PORT");
    auto const scheme = text::lower(url.substr(0, colon));
    auto rest = url.substr(colon + 3);
    address made{.host = {}, .port = std::string{default_port}};
    if (scheme == "unix") {
        if (!rest.starts_with('/') || rest.find('\0') != rest.npos) return wrong("is not unix:///PATH");
        made.host = "localhost";
        made.unix_path = rest;
        return made;
    }
    if (scheme != "http" && scheme != "https") return wrong("is not of the scheme http, https or unix");
    made.tls = scheme == "https";
    auto const slash = std::min(rest.find('/'), rest.size());
    made.prefix = rest.substr(slash);
    while (made.prefix.ends_with('/')) made.prefix.pop_back();
    if (made.prefix.ends_with("/api/v1")) made.prefix.resize(made.prefix.size() - 7);
    auto authority = rest.substr(0, slash);
    std::size_t port_at = std::string_view::npos;
    if (authority.starts_with('[')) {
        auto const end = authority.find(']');
        if (end == std::string_view::npos) return wrong("has '[' without ']'");
        made.host = authority.substr(1, end - 1);
        if (end + 1 < authority.size()) {
            if (authority[end + 1] != ':') return wrong("has no ':' before its port");
            port_at = end + 1;
        }
    } else {
        port_at = authority.find(':');
        made.host = authority.substr(0, std::min(port_at, authority.size()));
    }
    if (made.host.empty()) return wrong("names no host");
    // They go into a header and a request line: nothing there may end either.
    if (url.find_first_of(" \t\r\n@?#") != std::string_view::npos) return wrong("is not HOST:PORT");
    if (port_at != std::string_view::npos) {
        auto const digits = authority.substr(port_at + 1);
        unsigned port = 0;
        auto const [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
        if (failed != std::errc{} || end != digits.data() + digits.size() || port == 0 || port > 65535)
            return wrong("has no port between 1 and 65535");
        made.port = std::to_string(port);
    }
    return made;
}

result<address> address_of(options const& how) {
    auto made = parse_url(how.url);
    if (!made) return made;
    made->ca_file = how.ca_file;
    made->certificate_file = how.certificate_file;
    return made;
}

std::string_view http_answer::header(std::string_view name) const {
    for (auto const& [key, held] : headers)
        if (text::equal_ignoring_case(key, name)) return held;
    return {};
}

} // namespace ccbt::client
