#include "server/router.hpp"

#include "base/text.hpp"
#include "contract/table.hpp"

#include <algorithm>
#include <optional>

namespace ccbt::server {

router::router(std::vector<route> routes) : routes_{std::move(routes)} {
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        auto const& promise = *routes_[i].promise;
        add(std::string{contract::base_path} + std::string{promise.path}, i);
        if (promise.at_root) add(std::string{promise.path}, i);
    }
}

void router::add(std::string path, std::size_t route) {
    paths_.push_back(std::make_unique<std::string>(std::move(path)));
    pattern made{text::split(std::string_view{*paths_.back()}.substr(1), '/'), route, false, 0};
    made.takes_rest = made.pieces.back().ends_with("*}");
    for (auto const piece : made.pieces) made.literals += piece.starts_with('{') ? 0 : 1;
    // A literal piece beats a parameter ("/torrents/add" is no torrent), and a parameter the rest: the better first.
    auto const better = [](pattern const& a, pattern const& b) {
        return a.literals != b.literals ? a.literals > b.literals : !a.takes_rest && b.takes_rest;
    };
    patterns_.insert(std::upper_bound(patterns_.begin(), patterns_.end(), made, better), made);
}

bool router::pattern::fits(std::vector<std::string_view> const& asked) const {
    if (takes_rest ? asked.size() < pieces.size() : asked.size() != pieces.size()) return false;
    for (std::size_t i = pieces.size(); i-- > 0;) // they differ at the end, most of them
        if (pieces[i].starts_with('{') ? asked[i].empty() : pieces[i] != asked[i]) return false;
    return true;
}

router::found router::find(std::string_view method, std::string_view path) const {
    found out;
    if (!path.starts_with('/')) return out;
    auto const pieces = text::split(path.substr(1), '/');
    pattern const* first = nullptr; // the others of its path stand behind it
    pattern const* best = nullptr;
    for (auto const& p : patterns_) {
        if (first != nullptr && !p.same_rank(*first)) break;
        if (!p.fits(pieces)) continue;
        if (first == nullptr) first = &p;
        auto const name = contract::name_of(routes_[p.route].promise->method);
        if (name == method) {
            best = &p;
            break;
        }
        if (!out.allow.empty()) out.allow += ", ";
        out.allow += name;
    }
    out.path_known = first != nullptr;
    if (best == nullptr) return out;
    for (std::size_t i = 0; i < best->pieces.size(); ++i) {
        auto name = best->pieces[i];
        if (!name.starts_with('{')) continue;
        name = name.substr(1, name.size() - 2);
        auto raw = pieces[i];
        if (name.ends_with('*')) {
            name.remove_suffix(1);
            raw = path.substr(static_cast<std::size_t>(raw.data() - path.data()));
        }
        auto value = text::percent_decode(raw);
        out.path.emplace_back(name, value ? std::move(*value) : std::string{raw});
    }
    out.to = &routes_[best->route];
    return out;
}

std::optional<std::vector<std::pair<std::string, std::string>>> read_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> out;
    if (query.empty()) return out;
    for (auto const piece : text::split(query, '&')) {
        if (piece.empty()) continue;
        auto const equals = piece.find('=');
        auto name = text::percent_decode(piece.substr(0, equals), true);
        auto value =
            text::percent_decode(equals == std::string_view::npos ? "" : piece.substr(equals + 1), true);
        if (!name || !value) return std::nullopt;
        out.emplace_back(std::move(*name), std::move(*value));
    }
    return out;
}

} // namespace ccbt::server
