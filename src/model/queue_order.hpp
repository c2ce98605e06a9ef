// The order of the queue: torrents by a key that each record carries. Keys lie far apart, so that a move changes one
// record; where a gap has been used up, a few neighbours are spread anew. Positions are counted, never stored. Loop
// thread; pure.
#pragma once

#include "model/facts.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ccbt::model {

class queue_order {
public:
    using key = std::int64_t;                  // torrent_asked::queue_order; positive, below 2^53
    static constexpr key first = key{1} << 42; // of the first torrent: room for a million moves to the front
    static constexpr key step = key{1} << 22;  // between two that are added one after the other
    static constexpr key least_gap = key{1} << 12;  // after a spreading, of the fewest
    static constexpr std::size_t least_spread = 32; // torrents

    /// The key behind everything up to `last`; 0: behind nothing.
    [[nodiscard]] static key after(key last) { return last <= 0 ? first : last + step; }

    void put(torrent_id id, key at); // new, or moved
    void erase(torrent_id id);
    [[nodiscard]] std::size_t size() const { return places_.size(); }
    [[nodiscard]] bool contains(torrent_id id) const { return keys_.contains(id); }
    [[nodiscard]] torrent_id at(std::size_t position) const { return places_[position].second; }
    [[nodiscard]] std::optional<std::size_t> position(torrent_id id) const;

    /// The key with which `id` would stand at `position`, which is below size(); nothing where there is no room. Keys
    /// up to `taken` may be somebody's whose adding is under way.
    [[nodiscard]] std::optional<key> key_at(torrent_id id, std::size_t position, key taken) const;
    /// New keys for the fewest neighbours of `position` that make room there, by position.
    [[nodiscard]] std::vector<std::pair<torrent_id, key>> spread_at(std::size_t position) const;

private:
    using place = std::pair<key, torrent_id>;
    [[nodiscard]] std::vector<place>::const_iterator find(place const& at) const;

    std::vector<place> places_; // sorted
    std::unordered_map<torrent_id, key> keys_;
};

} // namespace ccbt::model
