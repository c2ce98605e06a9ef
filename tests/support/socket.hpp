// A blocking TCP connection with deadlines, and free ports. Knows no Asio: what tests the server shares nothing with it.
#pragma once

#include "support/process.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ccbt::support {

class socket {
public:
    /// Connects to an IPv4 address, from another where one is named; throws where nobody listens.
    socket(std::string const& address, std::uint16_t port, std::string const& from = {});
    ~socket();
    socket(socket&& other) noexcept;
    socket& operator=(socket&&) = delete;

    /// All of it, or false where the other side closed before.
    bool send(std::string_view bytes, deadline until) const;
    /// What is there, at most 64 KiB; empty at the end of the stream, and after `until` with is_over() true.
    [[nodiscard]] std::string receive(deadline const& until) const;

private:
    int fd_ = -1;
};

[[nodiscard]] bool somebody_listens(std::string const& address, std::uint16_t port);
/// A port that is free for TCP and UDP at that address, a moment ago.
[[nodiscard]] std::uint16_t free_port(std::string const& address = "127.0.0.1");

} // namespace ccbt::support
