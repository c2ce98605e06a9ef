#include "contract/transfers.hpp"

#include "base/safeguard.hpp"

#include <algorithm>

namespace ccbt::contract {

namespace {

bool may_be_secret(std::string_view part) {
    auto const is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return part.size() >= 20 || (part.size() >= 8 && std::any_of(part.begin(), part.end(), is_digit));
}

} // namespace

std::string without_passkey(std::string_view url) {
    if (!in_force(safeguard::masked_log)) return std::string{url};
    auto const scheme = url.find("://");
    auto const host = scheme == std::string_view::npos ? 0 : scheme + 3;
    auto const path = std::min(url.find_first_of("/?#", host), url.size());
    auto server = url.substr(host, path - host);
    std::string out{url.substr(0, host)};
    if (auto const user = server.rfind('@'); user != std::string_view::npos) {
        server.remove_prefix(user + 1);
        out += "***@";
    }
    out += server;
    auto const query = std::min(url.find_first_of("?#", path), url.size());
    for (auto at = path; at < query;) {
        auto const end = std::min(url.find('/', at + 1), query);
        auto const part = url.substr(at + 1, end - at - 1);
        out += '/';
        out += may_be_secret(part) ? "***" : part;
        at = end;
    }
    if (query < url.size()) out += "?***";
    return out;
}

} // namespace ccbt::contract
