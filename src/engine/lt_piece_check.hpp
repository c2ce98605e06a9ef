// Hashing pieces that lie on disk, by ourselves: for what resume data does not claim after a crash, for checkpoints and
// for verifying files. Reads with pread, one file open at a time, and costs nothing for holes: a piece that was never
// written is compared with the hash of zeros, known after the first. Any thread; blocks as long as the disk takes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <libtorrent/bitfield.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/units.hpp>
#include <string>

namespace ccbt::engine {

using piece_set = libtorrent::typed_bitfield<libtorrent::piece_index_t>;

struct piece_check {
    piece_set good;              // of the pieces asked for, those whose hash fits
    std::int64_t bytes_read = 0; // from files, holes left out
    bool stopped = false;        // by the flag: `good` holds what was found until then
};

/// Called now and then with how many of the pieces asked for have been judged, and how many of them were good.
using check_progress = std::function<void(int judged, int good, int all)>;

/// What of a file that is not wanted lies in libtorrent's part file is read from there. A hybrid's pieces are judged by
/// their v1 hash. A v2 piece whose layer is not known is not good. Pieces of files that
/// are missing, too short or no regular files are not good. Never throws for what lies on disk. `beneath`: a descriptor of
/// save_path, for files to be reached through no link at all.
[[nodiscard]] piece_check check_pieces(
    libtorrent::torrent_info const& torrent, std::string const& save_path, piece_set const& which,
    check_progress const& progress, std::atomic<bool> const& stop, int beneath = -1);

} // namespace ccbt::engine
