// One connection: a TCP or Unix socket in the clear, or TLS over one (base/net_tls.hpp). What speaks over it is compiled
// once, against this type, and a plain socket pays one branch. Asynchronous; one thread at a time. An AsyncStream of
// Asio and Beast.
#pragma once

#include "base/net.hpp"
#include "base/unique_function.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace ccbt {

/// Holds a TCP or a Unix socket alike.
using stream_socket =
    asio::basic_stream_socket<asio::generic::stream_protocol, asio::io_context::executor_type>;

/// TLS over a socket that it owns. An operation keeps what it needs until it is done.
class tls_layer {
public:
    using done = unique_function<void(error_code, std::size_t)>;
    virtual ~tls_layer() = default;
    virtual void read_some(asio::mutable_buffer into, done then) = 0;
    virtual void write_some(asio::const_buffer from, done then) = 0;
    virtual void say_goodbye() = 0; // close_notify
    virtual stream_socket& socket() = 0;

    /// A record for each of the small buffers that Beast makes of a head would be a packet for each: they go together.
    template <class Buffers> asio::const_buffer joined(Buffers const& all) {
        constexpr std::size_t record = std::size_t{16} << 10;
        auto at = asio::buffer_sequence_begin(all);
        auto const end = asio::buffer_sequence_end(all);
        asio::const_buffer first;
        while (at != end && first.size() == 0) first = *at++;
        if (at == end || first.size() >= record) return first;
        joined_.resize(record);
        joined_.resize(asio::buffer_copy(asio::buffer(joined_), all));
        return asio::buffer(joined_);
    }

private:
    std::vector<char> joined_; // of the one write that is under way
};

class stream {
public:
    using executor_type = stream_socket::executor_type;

    explicit stream(stream_socket plain) : plain_{std::move(plain)} {}
    explicit stream(std::shared_ptr<tls_layer> secured) : tls_{std::move(secured)}, secured_{true} {}

    executor_type get_executor() { return socket().get_executor(); }
    stream_socket& socket() { return tls_ ? tls_->socket() : *plain_; }
    // Also of one that was moved away.
    [[nodiscard]] bool is_open() { return (tls_ || plain_) && socket().is_open(); }
    void cancel(error_code& failed) {
        if (is_open()) socket().cancel(failed);
    }
    void close(error_code& failed) {
        if (is_open()) socket().close(failed);
    }
    /// Says that nothing more comes. What is read from here on is what comes on the socket, and only good to be thrown
    /// away: over TLS it is not decrypted.
    void say_goodbye() { // over TLS: what is sent is whole
        if (std::exchange(secured_, false)) tls_->say_goodbye();
    }
    void shutdown_send(error_code& failed) {
        say_goodbye();
        socket().shutdown(asio::socket_base::shutdown_send, failed);
    }

    template <class Token> using returned =
        typename asio::async_result<std::decay_t<Token>, void(error_code, std::size_t)>::return_type;

    template <class Buffers, class Token>
    returned<Token> async_read_some(Buffers const& into, Token&& token) {
        return asio::async_initiate<Token, void(error_code, std::size_t)>(reading{this}, token, into);
    }
    template <class Buffers, class Token>
    returned<Token> async_write_some(Buffers const& from, Token&& token) {
        return asio::async_initiate<Token, void(error_code, std::size_t)>(writing{this}, token, from);
    }

private:
    template <class Buffers> static asio::mutable_buffer first_of(Buffers const& all) {
        auto const end = asio::buffer_sequence_end(all);
        for (auto at = asio::buffer_sequence_begin(all); at != end; ++at)
            if (asio::mutable_buffer const one{*at}; one.size() > 0) return one;
        return {};
    }
    struct reading {
        stream* self;
        template <class Handler, class Buffers> void operator()(Handler&& then, Buffers const& into) const {
            if (self->secured_)
                self->tls_->read_some(first_of(into), tls_layer::done{std::forward<Handler>(then)});
            else
                self->socket().async_read_some(into, std::forward<Handler>(then));
        }
    };
    struct writing {
        stream* self;
        template <class Handler, class Buffers> void operator()(Handler&& then, Buffers const& from) const {
            if (self->secured_)
                self->tls_->write_some(
                    self->tls_->joined(from), tls_layer::done{std::forward<Handler>(then)});
            else
                self->socket().async_write_some(from, std::forward<Handler>(then));
        }
    };

    std::optional<stream_socket> plain_;
    std::shared_ptr<tls_layer> tls_;
    bool secured_ = false;
};

} // namespace ccbt
