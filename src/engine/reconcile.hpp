// What is to be done so that a torrent becomes what is wished: pure, no libtorrent, any thread. The same function serves
// the start, every change and the time after lost alerts; applying its deeds and asking again gives none.
#pragma once

#include "engine/engine.hpp"

#include <cstdint>
#include <variant>
#include <vector>

namespace ccbt::engine {

/// The limits of torrents that have none of their own; KiB/s, 0 is no limit.
struct default_limits {
    std::int64_t down_kib = 0, up_kib = 0;
};

/// What has been made of a torrent so far.
struct applied {
    bool added = false;
    bool running = false;
    bool sequential = false;
    std::int64_t down_kib = 0, up_kib = 0;
    std::vector<std::uint8_t> file_priorities;
    bool operator==(applied const&) const = default;
};

struct hand_over { // add it, with all that is wished
    applied with;
    bool operator==(hand_over const&) const = default;
};
struct start {
    bool operator==(start const&) const = default;
};
struct halt { // transfers and disk access alike
    bool operator==(halt const&) const = default;
};
struct limit {
    std::int64_t down_kib = 0, up_kib = 0;
    bool operator==(limit const&) const = default;
};
struct order_pieces {
    bool sequential = false;
    bool operator==(order_pieces const&) const = default;
};
struct prioritize { // by file index; empty: all normal
    std::vector<std::uint8_t> files;
    bool operator==(prioritize const&) const = default;
};
using deed = std::variant<hand_over, start, halt, limit, order_pieces, prioritize>;

/// The deeds in the order in which they are to be done: a halt before all else, a start after all else.
[[nodiscard]] std::vector<deed> reconcile(
    wish const& asked, applied const& done, default_limits const& defaults);

/// Would it run, under a limit of its own or the default's?
[[nodiscard]] bool runs_limited(wish const& asked, default_limits const& defaults);

/// What is true once the deed is done.
void record(deed const& did, applied& done);

} // namespace ccbt::engine
