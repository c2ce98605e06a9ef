// Where libtorrent 2.0 keeps the pieces at the borders of files that are not wanted: a file ".<info-hash>.parts" beside the
// torrent, with a header of slots by piece. Read only. Any thread, blocking.
#pragma once

#include "base/beneath.hpp"

#include <cstdint>
#include <libtorrent/torrent_info.hpp>
#include <optional>
#include <string>
#include <vector>

namespace ccbt::engine {

class part_file {
public:
    /// Opens at the first question, where there is one.
    part_file(libtorrent::torrent_info const& torrent, std::string const& save_path)
        : torrent_{torrent}, save_path_{save_path} {}

    struct place {
        int fd;
        std::int64_t at;
    };
    /// Where byte `within` of the piece lies, if `size` bytes from there may.
    [[nodiscard]] std::optional<place> find(
        libtorrent::piece_index_t piece, std::int64_t within, std::int64_t size);

private:
    void open();

    libtorrent::torrent_info const& torrent_;
    std::string const& save_path_;
    bool tried_ = false;
    descriptor file_;
    std::int64_t size_ = 0, header_ = 0;
    std::vector<std::uint32_t> slots_; // by piece
};

} // namespace ccbt::engine
