// From a torrent's record, metainfo and resume data to what libtorrent is handed: parsed, checked, allow-listed. Pure
// but for looking at the sizes of the torrent's files. Any thread; never throws.
#pragma once

#include "engine/engine.hpp"
#include "engine/lt_piece_check.hpp"
#include "engine/reconcile.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <string>

namespace ccbt::engine {

struct prepared {
    libtorrent::add_torrent_params params;
    std::string refused;  // not empty: it cannot be added, and why
    piece_set to_check;   // not empty: these pieces may lie on disk and have to be hashed before it is added
    bool resumed = false; // the resume data was this torrent's and was used
    piece_set safe;       // the pieces that the stored resume data claims already
    piece_set claimed;    // hearsay: those that somebody else's resume data claims
};

[[nodiscard]] prepared prepare(
    wish const& how, load const& first, applied const& with, contract::settings const& by);

/// The first file, as the torrent names it, that is missing or too short for a piece that is said to be there; "" where
/// none is. Files that are not wanted are left out: their bytes may lie in the part file.
[[nodiscard]] std::string lost_file(
    libtorrent::torrent_info const& torrent, std::string const& save_path, piece_set const& have,
    std::vector<libtorrent::download_priority_t> const& priorities);

/// The first wanted file in whose place a larger one lies: libtorrent would cut it, and it is somebody else's. Or "".
[[nodiscard]] std::string larger_file(
    libtorrent::torrent_info const& torrent, std::string const& save_path,
    std::vector<libtorrent::download_priority_t> const& priorities);

/// The priorities to give libtorrent: those asked, but symbolic links, which are never created, are not wanted.
[[nodiscard]] std::vector<libtorrent::download_priority_t> make_priorities(
    std::vector<std::uint8_t> const& asked, libtorrent::torrent_info const* torrent);

} // namespace ccbt::engine
