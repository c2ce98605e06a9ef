#include "gateway/lan.hpp"

#include <cstdint>
#include <natpmp.h>
#include <unistd.h>

namespace ccbt::gateway {

sockaddr_in at(in_addr address, int port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_addr = address;
    out.sin_port = htons(static_cast<std::uint16_t>(port));
    return out;
}

bool bind_to(int socket, in_addr own) {
    auto where = at(own, 0);
    return ::bind(socket, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0;
}

std::optional<in_addr> default_gateway() {
    natpmp_t asked{};
    auto const how = ::initnatpmp(&asked, 0, 0); // connects a UDP socket, sends nothing
    if (asked.s > 0) ::closenatpmp(&asked);      // it leaves it open where it fails
    if (how != 0) return std::nullopt;
    return in_addr{asked.gateway};
}

std::optional<in_addr> own_address_towards(in_addr there) {
    descriptor const socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    auto where = at(there, 9);
    if (!socket || ::connect(socket.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0)
        return std::nullopt;
    sockaddr_in own{};
    socklen_t size = sizeof own;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0) return std::nullopt;
    return own.sin_addr;
}

} // namespace ccbt::gateway
