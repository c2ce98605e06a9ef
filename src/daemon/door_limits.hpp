// The limits of the configuration as the door takes them. Pure.
#pragma once

#include "contract/settings.hpp"
#include "server/connection.hpp"
#include "server/dispatch_limits.hpp"

namespace ccbt::daemon {

[[nodiscard]] server::server_limits limits_of(contract::limit_settings const& s);
[[nodiscard]] server::json_rules json_limits_of(contract::limit_settings const& s);

} // namespace ccbt::daemon
