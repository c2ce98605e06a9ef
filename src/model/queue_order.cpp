#include "model/queue_order.hpp"

#include <algorithm>

namespace ccbt::model {

std::vector<queue_order::place>::const_iterator queue_order::find(place const& at) const {
    return std::lower_bound(places_.begin(), places_.end(), at);
}

void queue_order::put(torrent_id id, key at) {
    auto const [known, is_new] = keys_.try_emplace(id, at);
    if (!is_new) {
        if (known->second == at) return;
        places_.erase(find({known->second, id}));
        known->second = at;
    }
    place const made{at, id};
    places_.insert(places_.empty() || places_.back() < made ? places_.end() : find(made), made);
}

void queue_order::erase(torrent_id id) {
    auto const known = keys_.find(id);
    if (known == keys_.end()) return;
    places_.erase(find({known->second, id}));
    keys_.erase(known);
}

std::optional<std::size_t> queue_order::position(torrent_id id) const {
    auto const known = keys_.find(id);
    if (known == keys_.end()) return std::nullopt;
    return static_cast<std::size_t>(find({known->second, id}) - places_.begin());
}

std::optional<queue_order::key> queue_order::key_at(torrent_id id, std::size_t position, key taken) const {
    auto const own = this->position(id).value_or(places_.size());
    auto const other = [&](std::size_t n) { return places_[n < own ? n : n + 1].first; };
    auto const others = places_.size() - (own < places_.size() ? 1 : 0);
    key const lower = position == 0 ? 0 : other(position - 1);
    if (position >= others) {
        if (taken <= lower) return after(lower);
        if (taken - lower < 2) return std::nullopt;
        return lower + (taken - lower) / 2;
    }
    key const upper = other(position);
    if (position == 0 && upper > step) return upper - step;
    if (upper - lower < 2) return std::nullopt;
    return lower + (upper - lower) / 2;
}

std::vector<std::pair<torrent_id, queue_order::key>> queue_order::spread_at(std::size_t position) const {
    std::vector<std::pair<torrent_id, key>> out;
    position = std::min(position, places_.size()); // some may have gone since it was worked out
    // The more have to be spread, the farther apart they come to lie, so that it is the rarer done again.
    key wanted = least_gap;
    for (std::size_t width = least_spread / 2;; width *= 2, wanted += wanted / 2) {
        auto const begin = position > width ? position - width : 0;
        auto const end = std::min(places_.size(), position + width);
        auto const count = static_cast<key>(end - begin);
        key const lower = begin == 0 ? 0 : places_[begin - 1].first;
        key const gap = end == places_.size() ? step : (places_[end].first - lower) / (count + 1);
        if (gap < wanted && (begin > 0 || end < places_.size())) continue;
        auto at = begin == 0 && end == places_.size() ? first - step : lower;
        for (auto n = begin; n < end; ++n) out.emplace_back(places_[n].second, at += gap);
        return out;
    }
}

} // namespace ccbt::model
