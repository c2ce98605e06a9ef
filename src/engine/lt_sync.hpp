// Bringing the files of pieces to stable storage, which no backend of libtorrent 2.0.8 does. Any thread; blocks as long
// as the disk takes.
#pragma once

#include "engine/lt_piece_check.hpp"

#include <libtorrent/torrent_info.hpp>
#include <memory>
#include <span>
#include <string>

namespace ccbt::engine {

/// Pieces that are about to be claimed.
struct claimed_pieces {
    std::shared_ptr<libtorrent::torrent_info const> torrent;
    std::string save_path;
    piece_set changed; // empty: nothing to sync
    bool ok = true;    // false where something could not be synced: then they must not be claimed
};

/// Syncs every file that holds a byte of these pieces, the part file, and the folders that name them, up to and with
/// `save_path`. Many of one file system are synced together with it.
void sync_pieces(std::span<claimed_pieces* const> all);

} // namespace ccbt::engine
