// libtorrent's values in the house's words. Pure functions, any thread; they ask libtorrent nothing.
#pragma once

#include "contract/torrents.hpp"
#include "engine/lt_piece_check.hpp"
#include "model/facts.hpp"

#include <libtorrent/error_code.hpp>
#include <libtorrent/fwd.hpp>
#include <libtorrent/info_hash.hpp>
#include <libtorrent/operations.hpp>
#include <string>
#include <vector>

namespace ccbt::engine {

[[nodiscard]] contract::info_hashes to_hashes(libtorrent::info_hash_t const& from);
[[nodiscard]] libtorrent::info_hash_t to_lt_hashes(contract::info_hashes const& from);

/// Do the two name the same torrent? At least one name in common, and none that differs.
[[nodiscard]] bool same_torrent(contract::info_hashes const& a, contract::info_hashes const& b);

/// What was transferred in earlier runs. libtorrent's own all_time counters move only once a second, and so say 0 of a
/// download that was over sooner.
struct payload_before {
    std::int64_t downloaded = 0, uploaded = 0;
};

/// All but the rates. `user_paused`: a paused torrent that nobody paused is one whose root is offline: stopped.
[[nodiscard]] model::torrent_seen to_seen(
    model::torrent_id id, libtorrent::torrent_status const& from, bool user_paused, payload_before before);

/// Bytes of each file, by its index, in these pieces.
[[nodiscard]] std::vector<std::int64_t> bytes_of_files(
    libtorrent::file_storage const& files, piece_set const& have);

/// The share of what is wanted (`levels` by file, 0: not) that is in the pieces and blocks that resume data claims.
[[nodiscard]] double claimed_progress(
    libtorrent::torrent_info const& torrent, libtorrent::add_torrent_params const& claims,
    std::vector<std::uint8_t> const& levels);

[[nodiscard]] contract::peer to_peer(libtorrent::peer_info const& from);

/// An error for people: "no space left on the disk", "no permission to write data/a.bin". `path` may be absolute: what
/// lies above `save_path` is not told.
[[nodiscard]] std::string to_text(
    libtorrent::error_code const& failed, libtorrent::operation_t doing, std::string_view path,
    std::string_view save_path);

} // namespace ccbt::engine
