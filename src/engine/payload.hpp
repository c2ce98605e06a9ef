// The gate for payload that is deleted: only a torrent's own regular files, below its folder, never through a link.
// Any thread, blocking: call it off the loop.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ccbt::engine {

struct deleted {
    std::size_t files = 0, folders = 0;
    std::vector<std::string> failed; // "relative path: reason"
};

/// Unlinks each of `files` (relative to `folder`) that is a regular file, then the folders between it and `folder` that
/// are empty now; `folder` itself stays. What is not there counts as done. Links are neither followed nor removed.
[[nodiscard]] deleted delete_payload(std::string const& folder, std::vector<std::string> const& files);

/// Those of `files` that a torrent may have written: not what lies there larger than `sizes` says, which is somebody
/// else's, since a torrent is refused over it.
[[nodiscard]] std::vector<std::string> without_larger(
    std::string const& folder, std::vector<std::string> files, std::vector<std::int64_t> const& sizes);

} // namespace ccbt::engine
