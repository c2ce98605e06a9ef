// What a daemon takes of the machine, from /proc, and what it tells of itself by /metrics.
#pragma once

#include "support/daemon.hpp"

#include <cstdint>
#include <string>

namespace ccbt::load {

struct standing {
    std::uint64_t rss_kib = 0;
    int descriptors = 0; // but for those of downloaded files, which libtorrent opens and closes as it likes
    int threads = 0;
    double cpu_seconds = 0;
    double waited_seconds = 0; // of its loop's thread for a processor that others had
};

[[nodiscard]] standing standing_of(support::daemon& one);

/// One sample of a page of /metrics; 0 where it is not there. `name` with its labels.
[[nodiscard]] double sample(std::string const& page, std::string const& name);
/// How often requests were refused with that code.
[[nodiscard]] std::uint64_t refused(std::string const& page, std::string const& code);

} // namespace ccbt::load
