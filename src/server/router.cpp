#include "server/router.hpp"

#include "base/text.hpp"
#include "contract/table.hpp"

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
    patterns_.push_back({text::split(std::string_view{*paths_.back()}.substr(1), '/'), route});
}

router::found router::find(std::string_view method, std::string_view path) const {
    found out;
    if (!path.starts_with('/')) return out;
    auto const pieces = text::split(path.substr(1), '/');
    // A literal piece beats a parameter ("/torrents/add" is no torrent), so the best match is looked for.
    pattern const* best = nullptr;
    std::size_t best_literals = 0;
    for (auto const& p : patterns_) {
        bool const open_ended = p.pieces.back().ends_with("*}");
        if (open_ended ? pieces.size() < p.pieces.size() : pieces.size() != p.pieces.size()) continue;
        std::size_t literals = 0;
        bool fits = true;
        for (std::size_t i = 0; fits && i < p.pieces.size(); ++i) {
            if (p.pieces[i].starts_with('{'))
                fits = !pieces[i].empty();
            else
                fits = p.pieces[i] == pieces[i], ++literals;
        }
        if (!fits) continue;
        auto const& name = contract::name_of(routes_[p.route].promise->method);
        if (!out.path_known || literals > best_literals) { // the first, or a better path than all before
            out.allow.clear();
            best = nullptr;
            best_literals = literals;
        } else if (literals < best_literals) {
            continue;
        }
        out.path_known = true;
        if (!out.allow.empty()) out.allow += ", ";
        out.allow += name;
        if (name == method) best = &p;
    }
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
        auto value = text::percent_decode(equals == std::string_view::npos ? "" : piece.substr(equals + 1), true);
        if (!name || !value) return std::nullopt;
        out.emplace_back(std::move(*name), std::move(*value));
    }
    return out;
}

} // namespace ccbt::server
