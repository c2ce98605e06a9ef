// Where executor and server meet: the one unit that instantiates decoding, deed and encoding of every endpoint.
#pragma once

#include "executor/executor.hpp"
#include "server/call.hpp"
#include "server/dispatch_limits.hpp"

#include <vector>

namespace ccbt::daemon {

[[nodiscard]] std::vector<server::route> make_routes(
    executor::executor& executor, server::json_rules const& json);

} // namespace ccbt::daemon
