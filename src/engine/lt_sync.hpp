// Bringing the files of pieces to stable storage, which no backend of libtorrent 2.0.8 does. Any thread; blocks as long
// as the disk takes.
#pragma once

#include "engine/lt_piece_check.hpp"

#include <libtorrent/torrent_info.hpp>
#include <string>

namespace ccbt::engine {

/// Syncs every file that holds a byte of these pieces, the part file, and the folders that name them, up to and with
/// `save_path`. False where one of them could not be synced: then the pieces must not be claimed.
[[nodiscard]] bool sync_pieces(
    libtorrent::torrent_info const& torrent, std::string const& save_path, piece_set const& changed);

} // namespace ccbt::engine
