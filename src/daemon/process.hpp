// The process around the house. Blocks until it ends; the code to leave with.
#pragma once

#include "daemon/exit_codes.hpp"

namespace ccbt::daemon {

[[nodiscard]] exit_code run(int argc, char const* const* argv);

} // namespace ccbt::daemon
