#include "server/door.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace ccbt::server {

using contract::errc;
using contract::failure;

std::optional<failure> check_host(door_rules const& rules, std::string_view host, std::string const& local_address) {
    if (local_address.empty()) return std::nullopt;
    auto const lower = text::lower(host);
    auto const bracketed = local_address.find(':') == std::string::npos ? local_address : '[' + local_address + ']';
    if (lower == bracketed + ':' + rules.port) return std::nullopt;
    if (std::find(rules.hosts.begin(), rules.hosts.end(), lower) != rules.hosts.end()) return std::nullopt;
    return failure{errc::host_not_allowed,
                   "this Host is not one of the daemon's (daemon.allowed_hosts names further ones)", {}};
}

std::optional<failure> check_origin(std::optional<std::string_view> origin, std::string_view host) {
    if (!origin) return std::nullopt;
    auto const lower = text::lower(*origin);
    for (std::string_view const scheme : {"http://", "https://"})
        if (lower.starts_with(scheme) && lower.substr(scheme.size()) == text::lower(host)) return std::nullopt;
    return failure{errc::origin_not_allowed, "requests of other origins are refused", {}};
}

std::optional<failure> check_type(std::string_view content_type, bool has_body) {
    if (!has_body) return std::nullopt;
    auto const type = text::trim(content_type.substr(0, content_type.find(';')));
    if (text::equal_ignoring_case(type, "application/json")) return std::nullopt;
    return failure{errc::unsupported_media_type, "the body must be application/json", {}};
}

} // namespace ccbt::server
