// The TLS handshake of a connection, counted and bounded as any other; then it is an HTTP session's.

#include "base/safeguard.hpp"
#include "server/answer_head.hpp"
#include "server/connection.hpp"

namespace ccbt::server {

namespace {

class tls_greeting final : public std::enable_shared_from_this<tls_greeting>, public tracked {
public:
    tls_greeting(std::shared_ptr<ground> on, stream_socket socket, ends where)
        : on_{std::move(on)},
          registered_{std::make_unique<registration>(on_, *this)},
          seat_{std::make_unique<seat>(on_, where.remote)},
          where_{std::move(where)},
          layer_{tls::prepare(on_->ways.tls, std::move(socket))} {
        if (in_force(safeguard::handshake_deadline))
            deadline = steady::now() + on_->options.limits.header_deadline;
    }

    void begin() {
        tls::accept(layer_, [self = shared_from_this()](error_code failed) { self->take(failed); });
    }
    void on_deadline() override {
        ++on_->counted.refused["TLS_HANDSHAKE_TIMEOUT"];
        drop();
    }
    void on_stop() override { drop(); }

private:
    void take(error_code failed) {
        if (failed) {
            if (tls::is_plain_http(failed)) tell_plain();
            if (failed != asio::error::operation_aborted) ++on_->counted.refused["TLS_HANDSHAKE_FAILED"];
            return drop();
        }
        if (on_->stopping) return drop();
        registered_.reset();
        seat_.reset();
        start_http(on_, stream{std::move(layer_)}, std::move(where_));
    }

    // Whoever wrote http:// for https:// is to see what is wrong.
    void tell_plain() {
        auto a = answer_error({contract::errc::bad_request, "this port speaks TLS: write https://", {}});
        a.close = true;
        manner const plain;
        auto const text = head_of(a, plain, a.body.size(), false) + a.body.text;
        error_code ignored;
        layer_->socket().non_blocking(true, ignored);
        layer_->socket().send(asio::buffer(text), 0, ignored);
        layer_->socket().shutdown(asio::socket_base::shutdown_send, ignored);
        if (on_->turned_away.size() < 64)
            on_->turned_away.emplace_back(steady::now(), std::move(layer_->socket()));
    }
    void drop() {
        error_code ignored;
        layer_->socket().close(ignored);
    }

    std::shared_ptr<ground> on_;
    std::unique_ptr<registration> registered_;
    std::unique_ptr<seat> seat_;
    ends where_;
    std::shared_ptr<tls_layer> layer_;
};

} // namespace

void start_tls(std::shared_ptr<ground> on, stream_socket socket, ends where) {
    std::make_shared<tls_greeting>(std::move(on), std::move(socket), std::move(where))->begin();
}

} // namespace ccbt::server
