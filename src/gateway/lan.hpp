// Where we are in the local network: the default gateway, and our address on the way to it. Any thread.
#pragma once

#include <netinet/in.h>
#include <optional>

namespace ccbt::gateway {

/// Owns a socket.
class descriptor {
public:
    explicit descriptor(int fd = -1) : fd_{fd} {}
    ~descriptor();
    descriptor(descriptor&& other) noexcept : fd_{other.fd_} { other.fd_ = -1; }
    descriptor& operator=(descriptor&&) = delete;
    [[nodiscard]] int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_;
};

[[nodiscard]] std::optional<in_addr> default_gateway();
[[nodiscard]] std::optional<in_addr> own_address_towards(in_addr there);
[[nodiscard]] bool bind_to(int socket, in_addr own); // any port
[[nodiscard]] sockaddr_in at(in_addr address, int port);

} // namespace ccbt::gateway
