// One list of addresses, read from a file: plain or compressed, in any of the formats of line.hpp. Blocking; any thread
// but the loop's. Only a regular file is opened, and what it takes is bounded. Nothing here shows what a file holds.
#pragma once

#include "base/ip_range.hpp"
#include "base/result.hpp"
#include "contract/settings.hpp"
#include "filter/line.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace ccbt::filter {

/// How far a load is, for others to watch; and their way to end it.
struct progress {
    std::atomic<std::int64_t> done{0}, total{0}; // bytes of the files
    std::atomic<bool> stop{false};
};

struct bad_line {
    std::string file;
    std::int64_t line = 0; // from 1
    bool operator==(bad_line const&) const = default;
};

inline constexpr std::size_t bad_lines_told = 20;

struct list {
    ip_range_list ranges;      // as they come
    std::int64_t rules = 0;    // valid ones, those that block nothing too
    std::vector<bad_line> bad; // the first of them
    std::int64_t bad_count = 0;
};

enum class trouble : std::uint8_t { missing, unusable, stopped };

struct failure {
    trouble is = trouble::unusable;
    std::string file; // as it is called, empty: of no file
    std::string why;  // "is not a regular file"
};

struct bounds {
    std::int64_t file = std::int64_t{256} << 20; // bytes as they lie on the disk
    std::int64_t text = std::int64_t{1} << 30;   // expanded
    std::int64_t ratio = 200;                    // of the two, once there is much text
    std::size_t line = longest_line;
    std::int64_t rules = 5'000'000;
};

/// As they are configured.
[[nodiscard]] bounds bounds_of(contract::limit_settings const& s);

/// `called`: its name in what is told.
[[nodiscard]] expected<list, failure> read_list(
    std::string const& path, std::string const& called, bounds const& within, progress& told);

} // namespace ccbt::filter
