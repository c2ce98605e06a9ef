// For the tests of this room: folders that clean up after themselves, payload, torrents of it. Test code only.
#pragma once

#include "base/temporary_folder_test.hpp"
#include "base/text.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <libtorrent/bencode.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/file_storage.hpp>
#include <random>
#include <string>
#include <vector>

namespace ccbt::engine::testing {

namespace fs = std::filesystem;

using ccbt::temporary_folder;

inline std::string random_bytes(std::size_t n, unsigned seed) {
    auto engine = std::mt19937{seed};
    auto bytes = std::string(n, '\0');
    for (auto& b : bytes) b = static_cast<char>(engine());
    return bytes;
}

inline void write_file(fs::path const& path, std::string const& bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream{path, std::ios::binary} << bytes;
}

inline std::string read_file(fs::path const& path) {
    auto in = std::ifstream{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

enum class kind { v1, v2, hybrid };

/// The .torrent file of what lies at `path`.
inline std::string make_torrent(
    fs::path const& path, kind of, int piece_size = 65536, std::vector<std::string> const& trackers = {},
    bool is_private = false, std::vector<std::string> const& web_seeds = {}) {
    namespace lt = libtorrent;
    auto files = lt::file_storage{};
    lt::add_files(files, path.string());
    auto flags = lt::create_flags_t{};
    if (of == kind::v1) flags = lt::create_torrent::v1_only;
    if (of == kind::v2) flags = lt::create_torrent::v2_only;
    auto torrent = lt::create_torrent{files, piece_size, flags};
    for (auto const& t : trackers) torrent.add_tracker(t);
    for (auto const& w : web_seeds) torrent.add_url_seed(w);
    torrent.set_priv(is_private);
    lt::set_piece_hashes(torrent, path.parent_path().string());
    auto bytes = std::string{};
    lt::bencode(std::back_inserter(bytes), torrent.generate());
    return bytes;
}

/// A folder "data" of a few files below `parent`, about `size` bytes in all.
inline fs::path make_payload(fs::path const& parent, std::size_t size) {
    auto const folder = parent / "data";
    write_file(folder / "a.bin", random_bytes(size / 2 + 123, 1));
    write_file(folder / "sub" / "b.bin", random_bytes(size / 2 - 123, 2));
    write_file(folder / "sub" / "c.txt", "small");
    return folder;
}

} // namespace ccbt::engine::testing
