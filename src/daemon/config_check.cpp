#include "daemon/config_check.hpp"

#include "base/crypto.hpp"
#include "base/log.hpp"
#include "base/safeguard.hpp"
#include "base/text.hpp"
#include "daemon/config_keys.hpp"
#include "daemon/config_update.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>

namespace ccbt::daemon {

namespace fs = std::filesystem;

namespace {

using problems = std::vector<contract::problem>;

bool is_host_and_port(std::string_view text) {
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    auto const port = text.substr(colon + 1);
    unsigned number = 0;
    auto const [end, failed] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (failed != std::errc{} || end != port.data() + port.size() || number < 1 || number > 65535)
        return false;
    auto const host = text.substr(0, colon);
    bool const bracketed = host.front() == '[' && host.back() == ']';
    return bracketed || host.find_first_of(":[] \t") == std::string_view::npos;
}

// As the server binds it and a Host header names it: no brackets, lower case, IPv4 out of IPv6's clothes.
std::string plain_host(std::string host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    host = text::lower(host);
    in6_addr six{};
    std::array<char, INET6_ADDRSTRLEN> shown{};
    if (inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_V4MAPPED(&six) &&
        inet_ntop(AF_INET, &six.s6_addr[12], shown.data(), shown.size()) != nullptr)
        host = shown.data();
    return host;
}

bool is_address(std::string const& host) {
    in6_addr any{}; // has room for either
    return inet_pton(AF_INET, host.c_str(), &any) == 1 || inet_pton(AF_INET6, host.c_str(), &any) == 1;
}

// As JSON writes it: nothing in it drives a terminal.
std::string quoted(std::string const& value) { return wire::to_json(value); }

void check_names(contract::settings const& s, problems& wrong) {
    auto const is_one_of = [](std::string_view name, auto const& names) {
        return std::any_of(
            names.begin(), names.end(), [&](auto const& n) { return text::equal_ignoring_case(n, name); });
    };
    constexpr std::array<std::string_view, 5> priorities{"paused", "low", "normal", "high", "maximum"};
    constexpr std::array<std::string_view, 3> proxies{"http", "socks4", "socks5"};
    if (!is_one_of(s.queue.default_priority, priorities))
        wrong.push_back(
            {"queue.default_priority",
             "must be one of paused, low, normal, high, maximum, is " + quoted(s.queue.default_priority)});
    if (!is_one_of(s.proxy.proxy_type, proxies))
        wrong.push_back(
            {"proxy.proxy_type", "must be one of http, socks4, socks5, is " + quoted(s.proxy.proxy_type)});
    if (!log::parse_level(s.observability.log_level))
        wrong.push_back(
            {"observability.log_level",
             "must be one of DEBUG, INFO, WARNING, ERROR, OFF, is " + quoted(s.observability.log_level)});
}

void check_lists(contract::settings const& s, problems& wrong) {
    for (auto const& node : s.discovery.dht_bootstrap_nodes)
        if (!is_host_and_port(node))
            wrong.push_back(
                {"discovery.dht_bootstrap_nodes", "must be host:port each, but one is " + quoted(node)});
    for (auto const& url : s.security.ip_filter.filter_urls)
        if (!url.starts_with("http://") && !url.starts_with("https://"))
            wrong.push_back(
                {"security.ip_filter.filter_urls",
                 "must be http:// or https:// addresses, but one is " + quoted(masked_url(url))});
    for (auto const& key : s.daemon.trusted_keys) {
        auto const bytes = text::from_hex(key);
        if (!bytes || bytes->size() != 32)
            wrong.push_back(
                {"daemon.trusted_keys",
                 "must be Ed25519 public keys of 64 hex digits, but one is " + quoted(key)});
        else if (crypto::is_small_order(*crypto::fixed_from_hex<32>(key)))
            wrong.push_back(
                {"daemon.trusted_keys",
                 "must be keys for which not anybody can sign, as for " + quoted(key)});
    }
    for (auto const& host : s.daemon.allowed_hosts)
        if (host.empty() || host.find_first_of("*/ \t") != std::string::npos)
            wrong.push_back(
                {"daemon.allowed_hosts",
                 "must be plain host names, never wildcards, but one is " + quoted(host)});
}

void check_door(contract::daemon_settings const& d, problems& wrong) {
    // Where neither path is given, the daemon makes a certificate of its own (tls_files.hpp).
    if (d.tls_enabled && d.tls_certificate_path.empty() != d.tls_key_path.empty()) {
        bool const lacks_key = d.tls_key_path.empty();
        wrong.push_back(
            {lacks_key ? "daemon.tls_key_path" : "daemon.tls_certificate_path",
             std::string{"must be set where "} +
                 (lacks_key ? "daemon.tls_certificate_path" : "daemon.tls_key_path") + " is"});
    }
    for (auto const& proxy : d.trusted_proxies)
        if (!is_address(proxy))
            wrong.push_back({"daemon.trusted_proxies", "must be IP addresses, but one is " + quoted(proxy)});
    // It travels in a header, which has its blanks cut off and takes no other signs.
    if (std::any_of(d.api_key.begin(), d.api_key.end(), [](char c) { return c < 0x21 || c > 0x7e; }))
        wrong.push_back(
            {"daemon.api_key", "must be visible ASCII without blanks, so that a header can carry it"});
    if (d.ipc_host.empty())
        wrong.push_back({"daemon.ipc_host", "must not be empty"});
    else if (!is_address(d.ipc_host) && d.ipc_host != "localhost")
        wrong.push_back({"daemon.ipc_host", "must be an IP address or localhost, is " + quoted(d.ipc_host)});
    else if (
        !is_loopback_host(d.ipc_host) && !d.tls_enabled && !d.allow_insecure_bind &&
        in_force(safeguard::insecure_bind_refused))
        wrong.push_back(
            {"daemon.ipc_host",
             quoted(d.ipc_host) +
                 " may be reached from beyond this machine and TLS is off: set "
                 "daemon.ipc_host = \"127.0.0.1\", or daemon.tls_enabled with a certificate, or, where the "
                 "network is to be trusted with the API key, daemon.allow_insecure_bind = true"});
}

} // namespace

expected<std::string, std::string> absolute_path(
    std::string_view written, fs::path const& here, fs::path const& home) {
    if (written.empty()) return unexpected<std::string>{"must name a path, is empty"};
    if (written.find('\0') != std::string_view::npos)
        return unexpected<std::string>{"must not hold a NUL byte"};
    fs::path path{written};
    if (written.front() == '~') {
        if (written.size() > 1 && written[1] != '/')
            return unexpected<std::string>{"\"~user\" is not expanded here: write the folder out"};
        if (home.empty())
            return unexpected<std::string>{"begins with ~, but there is no home: HOME is not set"};
        auto rest = written.substr(1);
        while (rest.starts_with('/')) rest.remove_prefix(1);
        path = rest.empty() ? home : home / rest;
    }
    auto plain = (here / path).lexically_normal().string();
    if (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
    return plain;
}

problems complete(contract::settings& settings, fs::path const& here, fs::path const& home) {
    problems wrong;
    auto const expand = [&](std::string const& key, contract::rules const& rule, std::string& path) {
        auto made = absolute_path(path, here, home);
        if (!made)
            wrong.push_back({key, made.error()});
        else if (made->size() > rule.max_length)
            wrong.push_back(
                {key, "must have at most " + std::to_string(rule.max_length) + " bytes once it is " + *made});
        else
            path = std::move(*made);
    };
    contract::settings const defaults;
    each_key(settings, [&](std::string const& key, contract::rules const& rule, auto& member) {
        using type = std::remove_cvref_t<decltype(member)>;
        if (rule.format != "path") return;
        if constexpr (std::is_same_v<type, std::string>) {
            if (key == "daemon.unix_socket" && member == no_unix_socket) return;
            bool may_be_empty = false; // where the default is: not set, or derived below
            with_key(defaults, key, [&](auto const&, auto const& fresh) {
                if constexpr (std::is_same_v<std::remove_cvref_t<decltype(fresh)>, std::string>)
                    may_be_empty = fresh.empty();
            });
            if (!member.empty() || !may_be_empty) expand(key, rule, member);
        } else if constexpr (std::is_same_v<type, std::vector<std::string>>) {
            for (auto& path : member) expand(key, rule, path);
        }
    });
    if (settings.disk.allowed_paths.empty()) settings.disk.allowed_paths = {settings.disk.download_path};
    if (settings.daemon.export_dir.empty())
        settings.daemon.export_dir = (fs::path{settings.daemon.state_dir} / "exports").string();
    settings.daemon.ipc_host = plain_host(settings.daemon.ipc_host);
    settings.queue.default_priority = text::lower(settings.queue.default_priority);
    settings.proxy.proxy_type = text::lower(settings.proxy.proxy_type);
    return wrong;
}

problems check_settings(contract::settings const& s) {
    problems wrong;
    if (s.network.listen_interface.empty())
        wrong.push_back({"network.listen_interface", "must not be empty"});
    if (s.proxy.enable_proxy && s.proxy.proxy_host.empty())
        wrong.push_back({"proxy.proxy_host", "must be set where proxy.enable_proxy is"});
    check_names(s, wrong);
    check_lists(s, wrong);
    check_door(s.daemon, wrong);
    return wrong;
}

bool is_loopback_host(std::string_view host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    if (text::equal_ignoring_case(host, "localhost")) return true;
    std::string const plain{host};
    in_addr four{};
    if (inet_pton(AF_INET, plain.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
    in6_addr six{};
    if (inet_pton(AF_INET6, plain.c_str(), &six) != 1) return false;
    return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
}

} // namespace ccbt::daemon
