// Reading .torrent files and magnet links with the house's limits, for this room; the rest of the house sees
// read_torrent and read_magnet of engine.hpp. Pure functions, any thread, no exception leaves them.
#pragma once

#include "engine/engine.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/torrent_info.hpp>
#include <memory>
#include <string_view>

namespace ccbt::engine {

inline constexpr std::size_t max_path_depth = 32, max_name_bytes = 255, max_trackers = 64, max_web_seeds = 16;

[[nodiscard]] libtorrent::load_torrent_limits load_limits();
[[nodiscard]] contract::result<std::shared_ptr<libtorrent::torrent_info>> parse_torrent(
    std::string_view bytes);
[[nodiscard]] contract::result<libtorrent::add_torrent_params> parse_magnet(std::string_view link);
/// Whether an info dictionary, as its bytes are, keeps to the limits of names and depth.
[[nodiscard]] contract::result<void> check_info(std::string_view info);
/// Two files with one path but for case, or a file that is another's folder. libtorrent tells them apart when it reads a
/// torrent file and not when metadata comes from peers.
[[nodiscard]] bool names_clash(libtorrent::file_storage const& files);
[[nodiscard]] torrent_source describe(libtorrent::torrent_info const& torrent);

/// A whole .torrent file of metadata that came from peers: its info dictionary as it is, the trackers and web seeds of
/// the magnet, and the piece layers (BEP 52) as far as they are known.
[[nodiscard]] std::string make_torrent_file(
    libtorrent::torrent_info const& torrent, std::vector<std::string> const& trackers,
    std::vector<std::string> const& web_seeds);

} // namespace ccbt::engine
