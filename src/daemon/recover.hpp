// ccbtd --recover: what can be read of a damaged state, into a new one. Before any loop; knows no torrent.
#pragma once

#include "daemon/exit_codes.hpp"

#include <filesystem>

namespace ccbt::daemon {

/// Says on standard output what was read and lost, on standard error how far it is. Clean: the daemon can start.
[[nodiscard]] exit_code recover_state(std::filesystem::path const& folder);

} // namespace ccbt::daemon
