#include "daemon/routes.hpp"

#include "server/dispatch.hpp"

namespace ccbt::daemon {

std::vector<server::route> make_routes(executor::executor& executor) { return server::make_routes(executor); }

} // namespace ccbt::daemon
