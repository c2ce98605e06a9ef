// What the tests of this room's protocols share: sockets on loopback, and patience. Test code only.
#pragma once

#include "gateway/lan.hpp"
#include "gateway/protocol.hpp"

#include <arpa/inet.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>

namespace ccbt::gateway {

inline in_addr address(char const* text) {
    in_addr out{};
    ::inet_pton(AF_INET, text, &out);
    return out;
}

inline sockaddr_in bound(int socket, char const* own, int port = 0) {
    auto where = at(address(own), port);
    socklen_t size = sizeof where;
    if (::bind(socket, reinterpret_cast<sockaddr*>(&where), size) != 0)
        throw std::runtime_error{"bind to " + std::string{own}};
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&where), &size);
    return where;
}

struct conversation_of_test {
    caller_off by;
    [[nodiscard]] patience within(std::chrono::milliseconds span = std::chrono::seconds{4}) const {
        return {by, steady::now() + span};
    }
    template <class T> static std::string why(outcome<T> const& of) {
        return of ? "ok" : std::string{name_of(of.error().why)};
    }
};

} // namespace ccbt::gateway
