// The write-ahead log as it lies on the disk, read without SQLite. SQLite takes its commits up to the first frame
// whose checksum fails and says nothing of those behind it; here they are noticed. Reads only. Any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>

namespace ccbt::store {

struct wal_view {
    /// Not empty: commits that were on the disk cannot be read. The end of a log that a power cut left half written
    /// is none: what stands there was never acknowledged.
    std::string damage;
    /// The newest version of each page by its place in the file, also what lies behind a damaged frame.
    std::unordered_map<std::uint32_t, std::int64_t> pages;
    std::uint32_t database_pages = 0; // as of the last commit; 0 where there is none
};
[[nodiscard]] wal_view read_wal(std::filesystem::path const& log, std::uint32_t page_size);

} // namespace ccbt::store
