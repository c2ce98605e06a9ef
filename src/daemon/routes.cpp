#include "daemon/routes.hpp"

#include "server/dispatch.hpp"

namespace ccbt::daemon {

std::vector<server::route> make_routes(executor::executor& executor, server::json_rules const& json) {
    return server::make_routes(executor, json);
}

} // namespace ccbt::daemon
