#include "server/server.hpp"

#include "base/log.hpp"
#include "base/text.hpp"

#include <fmt/core.h>
#include <netinet/tcp.h>

namespace ccbt::server {

namespace {

using asio::ip::tcp;

ends ends_of(tcp::socket const& socket) {
    error_code failed;
    ends out;
    auto plain = [](asio::ip::address a) {
        if (a.is_v6() && a.to_v6().is_v4_mapped()) a = asio::ip::make_address_v4(asio::ip::v4_mapped, a.to_v6());
        return a;
    };
    auto const remote = plain(socket.remote_endpoint(failed).address());
    auto const local = plain(socket.local_endpoint(failed).address());
    out.remote = remote.to_string();
    out.local = local.to_string();
    out.loopback = remote.is_loopback();
    return out;
}

std::string origin_host(asio::ip::address const& a) {
    return a.is_v6() ? '[' + a.to_string() + ']' : a.to_string();
}

// Refused before a request was read: a short answer and the end, without a session.
void turn_away(tcp::socket socket, char const* why) {
    auto const a = answer_error(contract::failure{contract::errc::too_many_connections, why, {}});
    auto const text = std::make_shared<std::string>(fmt::format(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: {}\r\n"
        "Connection: close\r\n\r\n{}",
        a.body.text.size(), a.body.text));
    error_code failed;
    socket.non_blocking(true, failed);
    socket.send(asio::buffer(*text), 0, failed);
    socket.shutdown(asio::socket_base::shutdown_both, failed);
}

} // namespace

server::server(loop& on, std::vector<route> routes, server_options options, metrics::door& counted)
    : ground_{std::make_shared<ground>(on, std::move(routes), std::move(options), counted)} {
    ground_->keys.trust_key(ground_->options.api_key, "configured");
}

server::~server() {
    error_code ignored;
    if (acceptor_) acceptor_->close(ignored);
}

expected<std::string, std::string> server::listen() {
    auto& options = ground_->options;
    error_code failed;
    auto const refuse = [&](std::string_view what) {
        return unexpected<std::string>{
            fmt::format("cannot {} {}:{}: {}", what, options.host, options.port, failed.message())};
    };
    auto const name = options.host == "localhost" ? std::string{"127.0.0.1"} : options.host;
    auto const address = asio::ip::make_address(name, failed);
    if (failed) return refuse("serve at");
    tcp::endpoint const at{address, static_cast<unsigned short>(options.port)};
    acceptor_ = std::make_shared<tcp::acceptor>(ground_->on.context());
    acceptor_->open(at.protocol(), failed);
    if (failed) return refuse("open a socket for");
    acceptor_->set_option(asio::socket_base::reuse_address{true}, failed);
    acceptor_->bind(at, failed);
    if (failed) return refuse("bind to");
    acceptor_->listen(4096, failed);
    if (failed) return refuse("listen at");
    auto const port = std::to_string(acceptor_->local_endpoint(failed).port());

    auto& rules = ground_->rules;
    rules.port = port;
    for (auto const* host : {"localhost:", "127.0.0.1:", "[::1]:"}) rules.hosts.push_back(host + port);
    for (auto const& host : options.allowed_hosts) {
        auto const lower = text::lower(host);
        bool const has_port = lower.ends_with(']') ? false : lower.rfind(':') > lower.rfind(']') + 1;
        rules.hosts.push_back(has_port && lower.find(':') != std::string::npos ? lower : lower + ':' + port);
    }
    ground_->loopback_bind = address.is_loopback();
    second_ = ground_->on.every(std::chrono::seconds{1}, [this] { each_second(); });
    spawn(ground_->on, take_connections(ground_, acceptor_));
    auto const shown = address.is_unspecified() ? std::string{address.is_v6() ? "[::1]" : "127.0.0.1"}
                                                : origin_host(address);
    return "http://" + shown + ':' + port;
}

task<> server::take_connections(std::shared_ptr<ground> on, std::shared_ptr<tcp::acceptor> acceptor) {
    asio::steady_timer pause{on->on.context()};
    while (acceptor->is_open()) {
        error_code failed;
        auto accepted = asio::redirect_error(use_task, failed);
        tcp::socket socket{on->on.context()};
        co_await acceptor->async_accept(socket, accepted);
        if (failed == asio::error::operation_aborted || !acceptor->is_open()) co_return;
        if (failed) { // out of descriptors, most likely: others will free some
            log::warning("a connection could not be taken: {}", failed.message());
            pause.expires_after(std::chrono::milliseconds{100});
            auto waited = asio::redirect_error(use_task, failed);
            co_await pause.async_wait(waited);
            continue;
        }
        ++on->counted.connections;
        auto where = ends_of(socket);
        auto const& limits = on->options.limits;
        auto const source = on->per_source.find(where.remote);
        bool const crowded = on->sessions.size() >= limits.connections;
        bool const greedy = !where.loopback && source != on->per_source.end() &&
                            source->second >= limits.connections_per_source;
        if (crowded || greedy) {
            ++on->counted.refused["TOO_MANY_CONNECTIONS"];
            turn_away(std::move(socket), crowded ? "too many connections" : "too many connections from one address");
            continue;
        }
        socket.set_option(tcp::no_delay{true}, failed);
        auto const protocol = socket.local_endpoint(failed).protocol();
        stream_socket any{on->on.context().get_executor(), asio::generic::stream_protocol{protocol},
                          socket.release(failed)};
        if (!failed) start_http(on, std::move(any), std::move(where));
    }
}

void server::each_second() {
    auto const now = steady::now();
    auto const all = std::vector<tracked*>(ground_->sessions.begin(), ground_->sessions.end());
    for (auto* one : all) {
        if (one->deadline <= now) {
            one->deadline = steady::time_point::max();
            one->on_deadline();
        } else {
            one->on_second(now);
        }
    }
}

void server::stop(std::chrono::milliseconds within, job done) {
    error_code ignored;
    ground_->stopping = true;
    if (acceptor_) acceptor_->close(ignored);
    ground_->events.flush(); // what was told before the end is told
    auto const all = std::vector<tracked*>(ground_->sessions.begin(), ground_->sessions.end());
    for (auto* one : all) one->on_stop();
    give_up_ = steady::now() + within;
    stopped_ = std::move(done);
    stopping_ = ground_->on.every(std::chrono::milliseconds{10}, [this] {
        if (!ground_->sessions.empty() && steady::now() < give_up_) return;
        auto const finished = std::exchange(stopping_, nullptr);
        auto call = std::exchange(stopped_, nullptr);
        if (call) call();
    });
}

} // namespace ccbt::server
