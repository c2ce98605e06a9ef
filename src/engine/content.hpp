// What is in a torrent, file by file, and whether what lies on the disk is that. Knows nothing of a running engine: all of
// it works on the stored metainfo. Any thread; parses, and verify() reads as long as the disk takes.
#pragma once

#include "contract/errors.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::engine {

struct content_file {
    std::string path; // below save_path, UTF-8
    std::int64_t size = 0;
    bool is_padding = false; // BEP 47: never on a disk
    bool is_link = false;    // never made
    std::string attributes;  // BEP 47's letters
};

/// The files of a .torrent, by their index.
[[nodiscard]] contract::result<std::vector<content_file>> read_content(std::string_view metainfo);

/// Bytes of each file in the pieces that resume data claims; empty where it is not that torrent's.
[[nodiscard]] std::vector<std::int64_t> saved_file_progress(
    std::string_view metainfo, std::string_view resume);

/// Shared with whoever waits for a verification.
struct verify_watch {
    std::atomic<bool> stop = false;
    std::atomic<std::int64_t> finished = 0, total = 0; // pieces; total 0: it has not begun to read
};

struct verification {
    std::vector<std::string> verified, failed; // absolute
    bool stopped = false;                      // by the watch: it says nothing then
};

/// Hashes what lies on the disk of the files that are wanted (`levels`: 0 to 7 by index, 4 where there is none). A file is
/// verified where it is a regular file below `save_path`, reached through no link, of the very size, and each piece with a
/// byte of it fits its hash. What such a piece holds of a file that is not wanted is taken from that file or from
/// libtorrent's part file; where it is in neither the piece cannot be judged, and its files fail.
[[nodiscard]] contract::result<verification> verify(
    std::string_view metainfo, std::string const& save_path, std::vector<std::uint8_t> const& levels,
    verify_watch& watch);

} // namespace ccbt::engine
