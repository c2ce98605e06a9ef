// Bringing the files of pieces to stable storage, which no backend of libtorrent 2.0.8 does. Any thread; blocks as long
// as the disk takes.
#pragma once

#include "engine/lt_piece_check.hpp"

#include <libtorrent/torrent_info.hpp>
#include <memory>
#include <span>
#include <string>
#include <unistd.h>

namespace ccbt::engine {

/// Pieces that are about to be claimed.
struct claimed_pieces {
    std::shared_ptr<libtorrent::torrent_info const> torrent;
    std::string save_path;
    piece_set changed; // empty: nothing to sync
    bool ok = true;    // false where something could not be synced: then they must not be claimed
    int error = 0;     // errno, where the disk did not take something: it is lost, and that is not told again
};

struct sync_counts { // torrents whose files were synced one by one, and with all of their file system
    std::size_t alone = 0, together = 0;
};

/// Syncs every file that holds a byte of these pieces, the part file, and the folders that name them, up to and with
/// `save_path`. Many of one file system are synced together with it, by syncfs() where no test stands in for it.
sync_counts sync_pieces(std::span<claimed_pieces* const> all, int (*whole_file_system)(int fd) = ::syncfs);

/// Whether a Linux of this release (uname) says so where syncfs() could not write all: since 5.8 of the pages of files,
/// since 5.17 of what the file system itself has to write, too.
[[nodiscard]] bool syncfs_tells_errors(char const* release);

} // namespace ccbt::engine
