#include "server/door.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

namespace ccbt::server {

using contract::errc;
using contract::failure;

std::vector<std::string> allowed_as(std::string_view configured, std::string_view port) {
    auto name = text::lower(text::trim(configured));
    if (name.empty()) return {};
    auto colon = name.rfind(':');
    if (colon != std::string::npos && name.front() != '[' && name.find(':') != colon) { // a bare IPv6 address
        name = '[' + name + ']';
        colon = std::string::npos;
    }
    if (colon != std::string::npos && colon < name.rfind(']') && name.front() == '[')
        colon = std::string::npos;
    if (colon == std::string::npos) {
        colon = name.size();
        name += ':' + std::string{port};
    }
    std::vector<std::string> out;
    if (colon == 0) return out; // a port alone names nobody
    auto const at = std::string_view{name}.substr(colon);
    if (at == ":80" || at == ":443") out.push_back(name.substr(0, colon));
    out.push_back(std::move(name));
    return out;
}

std::optional<asked_target> read_target(std::string_view target, std::string_view host_header) {
    asked_target out{host_header, target, {}};
    for (std::string_view const scheme : {"http://", "https://"}) {
        if (!text::equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
        auto const rest = target.substr(scheme.size());
        out.host = rest.substr(0, rest.find_first_of("/?"));
        out.path = rest.substr(out.host.size());
        if (out.host.empty()) return std::nullopt;
    }
    auto const mark = out.path.find('?');
    if (mark != std::string_view::npos) out.query = out.path.substr(mark + 1);
    out.path = out.path.substr(0, mark);
    if (out.path.empty() && out.host.data() != host_header.data()) out.path = "/";
    if (!out.path.starts_with('/')) return std::nullopt;
    return out;
}

std::optional<failure> check_host(
    door_rules const& rules, std::string_view host, std::string const& local_address) {
    failure const refused{
        errc::host_not_allowed,
        "this Host is not one of the daemon's (daemon.allowed_hosts names further ones)",
        {}};
    if (local_address.empty()) {
        auto const named = [](std::string_view one) {
            auto const colon = one.rfind(':');
            bool const has_port = colon != one.npos && (one.rfind(']') == one.npos || one.rfind(']') < colon);
            return has_port ? one.substr(0, colon) : one;
        };
        auto const is_it = [&](std::string_view ours) {
            return text::equal_ignoring_case(named(ours), named(host));
        };
        if (std::any_of(rules.hosts.begin(), rules.hosts.end(), is_it)) return std::nullopt;
        return refused;
    }
    auto const known = [&](std::string_view ours) { return text::equal_ignoring_case(ours, host); };
    if (std::any_of(rules.hosts.begin(), rules.hosts.end(), known)) return std::nullopt;
    auto const bracketed =
        local_address.find(':') == std::string::npos ? local_address : '[' + local_address + ']';
    if (known(bracketed + ':' + rules.port) || (rules.port == "80" && known(bracketed))) return std::nullopt;
    return refused;
}

std::optional<failure> check_origin(std::optional<std::string_view> origin, std::string_view host) {
    if (!origin) return std::nullopt;
    for (std::string_view const scheme : {"http://", "https://"})
        if (text::equal_ignoring_case(origin->substr(0, scheme.size()), scheme) &&
            text::equal_ignoring_case(origin->substr(scheme.size()), host))
            return std::nullopt;
    return failure{errc::origin_not_allowed, "requests of other origins are refused", {}};
}

std::optional<failure> check_type(std::string_view content_type, bool has_body) {
    if (!has_body) return std::nullopt;
    auto const type = text::trim(content_type.substr(0, content_type.find(';')));
    if (text::equal_ignoring_case(type, "application/json")) return std::nullopt;
    return failure{errc::unsupported_media_type, "the body must be application/json", {}};
}

std::string plain_address(std::string_view written) {
    auto one = std::string{text::trim(written)};
    if (one.starts_with('[')) {
        one = one.substr(1, one.find(']') - 1);
    } else if (std::count(one.begin(), one.end(), ':') == 1) {
        one.resize(one.find(':'));
    }
    in_addr four{};
    in6_addr six{};
    std::array<char, INET6_ADDRSTRLEN> shown{};
    if (::inet_pton(AF_INET, one.c_str(), &four) == 1)
        return ::inet_ntop(AF_INET, &four, shown.data(), shown.size());
    if (::inet_pton(AF_INET6, one.c_str(), &six) != 1) return {};
    if (IN6_IS_ADDR_V4MAPPED(&six)) return ::inet_ntop(AF_INET, &six.s6_addr[12], shown.data(), shown.size());
    return ::inet_ntop(AF_INET6, &six, shown.data(), shown.size());
}

std::string forwarded_for(std::string_view header, std::vector<std::string> const& trusted_proxies) {
    auto const hops = text::split(header, ',');
    for (auto at = hops.rbegin(); at != hops.rend(); ++at) {
        auto address = plain_address(*at);
        if (std::find(trusted_proxies.begin(), trusted_proxies.end(), address) == trusted_proxies.end())
            return address; // what stands before it is that one's own word
    }
    return {};
}

bool takes_gzip(std::string_view accept_encoding) {
    if (accept_encoding.empty()) return false;
    for (auto const one : text::split(accept_encoding, ',')) {
        auto const parts = text::split(one, ';');
        if (!text::equal_ignoring_case(text::trim(parts.front()), "gzip")) continue;
        if (parts.size() < 2) return true;
        auto const q = text::trim(parts[1]); // "q=0", "q=0.0", "q=0.000": refused
        return q.find_first_not_of("qQ=0. ") != std::string_view::npos;
    }
    return false;
}

} // namespace ccbt::server
