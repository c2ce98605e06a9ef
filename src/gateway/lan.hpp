// Where we are in the local network: the default gateway, and our address on the way to it. Any thread.
#pragma once

#include "base/beneath.hpp"

#include <netinet/in.h>
#include <optional>

namespace ccbt::gateway {

[[nodiscard]] std::optional<in_addr> default_gateway();
[[nodiscard]] std::optional<in_addr> own_address_towards(in_addr there);
[[nodiscard]] bool bind_to(int socket, in_addr own); // any port
[[nodiscard]] sockaddr_in at(in_addr address, int port);

} // namespace ccbt::gateway
