// The fake world of `ccbtd --demo N`: N torrents in memory, a share of which moves each second, no network and no
// disk. For trying clients and pages at any size.
#pragma once

#include "daemon/daemon.hpp"
#include "store/memory_store.hpp"

#include <cstdint>
#include <string>

namespace ccbt::daemon {

[[nodiscard]] foundation demo_foundation(
    store::memory_store& store, std::int64_t torrents, std::string const& download_path);
[[nodiscard]] engine_maker demo_engine(loop& on);

} // namespace ccbt::daemon
