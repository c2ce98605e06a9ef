// TLS 1.2 and later (OpenSSL, through Asio): the contexts of both sides, and the handshake that makes a stream of a
// socket. Contexts read files: not on the loop. The handshake and what follows: the thread of the socket.
#pragma once

#include "base/net_stream.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>

namespace boost::asio::ssl {
class context;
} // namespace boost::asio::ssl

namespace ccbt::tls {

using context_ptr = std::shared_ptr<asio::ssl::context>;

/// `file`: which of the two files is at fault.
struct pair_failure {
    bool of_key = false;
    std::string why;
};
/// A certificate chain and the key that belongs to it, PEM.
[[nodiscard]] expected<context_ptr, pair_failure> server_context(
    std::string const& certificate_file, std::string const& key_file);

/// Whom a client believes.
struct trust {
    std::string host;    // the name or address that the certificate must be for
    std::string ca_file; // PEM: trusted beside the system's
    std::string
        certificate_file; // PEM, where given: the very certificate that must be shown, whatever its names
};
[[nodiscard]] expected<context_ptr, std::string> client_context(trust const& whom);

/// The server's side, before its handshake: whoever waits may close its socket meanwhile.
[[nodiscard]] std::shared_ptr<tls_layer> prepare(context_ptr const& with, stream_socket socket);
void accept(std::shared_ptr<tls_layer> const& prepared, unique_function<void(error_code)> then);
[[nodiscard]] bool is_plain_http(error_code failed); // somebody spoke HTTP in the clear

/// The client's side.
class dialling {
public:
    virtual ~dialling() = default;
    virtual void handshake(unique_function<void(error_code)> then) = 0;
    virtual void close() = 0;
    /// Once shaken hands: "" where it is whom we want, else why not. Nothing was sent yet.
    [[nodiscard]] virtual std::string distrust() const = 0;
    [[nodiscard]] virtual std::shared_ptr<tls_layer> layer() = 0;
};
[[nodiscard]] std::shared_ptr<dialling> dial(
    context_ptr const& with, trust const& whom, stream_socket socket);

} // namespace ccbt::tls
