// The sockets that listen: an address, a path, or one that a service manager hands over. Blocking only as far as making
// a socket does; loop thread.
#pragma once

#include "base/net_stream.hpp"
#include "base/result.hpp"

#include <string>
#include <sys/types.h>

namespace ccbt::server {

using generic_acceptor =
    asio::basic_socket_acceptor<asio::generic::stream_protocol, asio::io_context::executor_type>;

struct listener {
    std::shared_ptr<generic_acceptor> acceptor;
    bool is_unix = false;
    std::string path;   // of a Unix socket of ours, to be removed
    ::dev_t device = 0; // … while it is the one that we made
    ::ino_t inode = 0;
};

/// Failure: a sentence.
[[nodiscard]] expected<listener, std::string> listen_at(
    asio::io_context& on, std::string const& host, int port);
/// Mode 0600 from its first moment. The socket of a daemon that was killed is replaced; one at which somebody answers,
/// and what is no socket, is left alone.
[[nodiscard]] expected<listener, std::string> listen_at_path(asio::io_context& on, std::string const& path);
/// Takes the descriptor over.
[[nodiscard]] expected<listener, std::string> listen_inherited(asio::io_context& on, int fd);

void end(listener& one); // closes it and removes its path

} // namespace ccbt::server
