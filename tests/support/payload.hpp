// Data to move: files made from a seed, the SHA-256 of what lies in a folder, and torrents of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ccbt::support {

/// Path below a folder -> SHA-256 of the file there, hex.
using digests = std::map<std::string, std::string>;

/// Writes `size` bytes that follow from the seed alone.
void make_file(std::filesystem::path const& path, std::uint64_t size, std::uint64_t seed);
/// Files below `folder`, named by their relative paths; the folder is made.
void make_files(
    std::filesystem::path const& folder, std::vector<std::pair<std::string, std::uint64_t>> const& sizes,
    std::uint64_t seed);
/// A mix that shows what goes wrong: empty, one byte, a piece to the byte and one more, deep folders, a name in
/// UTF-8 with blanks, and `bulk` bytes in one file.
void make_mixed_files(std::filesystem::path const& folder, std::uint64_t bulk, std::uint64_t seed);

[[nodiscard]] std::string sha256_of(std::filesystem::path const& file);
/// Of every regular file below the folder.
[[nodiscard]] digests digests_of(std::filesystem::path const& folder);
[[nodiscard]] std::uint64_t bytes_in(std::filesystem::path const& folder);

enum class torrent_kind : std::uint8_t { v1, v2, hybrid };

struct torrent_plan {
    torrent_kind kind = torrent_kind::v1;
    std::vector<std::string> trackers{};
    bool one_tier = false; // for all of them; else each has a tier of its own
    int piece_size = 64 << 10;
    bool is_private = false;
};

struct torrent {
    std::string bytes;  // the .torrent file
    std::string v1, v2; // hex; empty where it has none
    std::string name;   // of its file or folder
    std::uint64_t size = 0;
    std::vector<std::string> trackers;

    [[nodiscard]] std::string const& hash() const { return v1.empty() ? v2 : v1; } // the canonical one
    [[nodiscard]] std::vector<std::string> tracker_hashes() const; // as trackers know it: 40 digits each
    [[nodiscard]] std::string magnet() const;                      // hashes, name and trackers
};

/// Of a file or a folder.
[[nodiscard]] torrent make_torrent(std::filesystem::path const& source, torrent_plan const& plan);

} // namespace ccbt::support
