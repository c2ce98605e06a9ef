#include "server/server.hpp"

#include "base/log.hpp"
#include "server/answer_head.hpp"

#include <array>
#include <fmt/core.h>
#include <netinet/tcp.h>

namespace ccbt::server {

namespace {

using asio::ip::tcp;

constexpr std::size_t most_turned_away = 64;

ends ends_of(tcp::socket const& socket) {
    error_code failed;
    ends out;
    auto plain = [](asio::ip::address a) {
        if (a.is_v6() && a.to_v6().scope_id() != 0) { // no part of a Host
            auto v6 = a.to_v6();
            v6.scope_id(0);
            a = v6;
        }
        if (a.is_v6() && a.to_v6().is_v4_mapped())
            a = asio::ip::make_address_v4(asio::ip::v4_mapped, a.to_v6());
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

// Refused before a request was read: a short answer, without a session.
void tell_full(tcp::socket& socket, std::string revision, char const* why) {
    auto a = answer_error(contract::failure{contract::errc::too_many_connections, why, {}});
    a.close = true;
    a.revision = std::move(revision);
    manner const plain;
    auto const text = head_of(a, plain, a.body.size(), false) + a.body.text;
    error_code failed;
    socket.non_blocking(true, failed);
    socket.send(asio::buffer(text), 0, failed);
    socket.shutdown(asio::socket_base::shutdown_send, failed);
}

// What was sent meanwhile is read before the close: a reset would take the answer from under the one who reads it.
void let_go(tcp::socket& socket) {
    std::array<char, 4096> sink;
    error_code failed;
    for (int i = 0; i < 64 && !failed; ++i) socket.receive(asio::buffer(sink), 0, failed);
    socket.close(failed);
}

} // namespace

server::server(loop& on, std::vector<route> routes, server_options options, metrics::door& counted)
    : ground_{std::make_shared<ground>(on, std::move(routes), std::move(options), counted)} {
    auto& g = *ground_;
    g.keys.trust_key(g.options.api_key, "configured");
    for (auto const& signer : g.options.trusted_signers) g.keys.trust_signer(signer);
    if (g.options.named_keys == nullptr) return;
    g.keys.ask(*g.options.named_keys);
    g.options.named_keys->listen([&g] {
        auto const all = std::vector<tracked*>(g.sessions.begin(), g.sessions.end());
        for (auto* one : all) one->on_keys_changed();
    });
}

server::~server() {
    error_code ignored;
    if (ground_->options.named_keys != nullptr) ground_->options.named_keys->listen(nullptr);
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

    ground_->rules.port = port;
    configure(options);
    ground_->loopback_bind = address.is_loopback();
    look_ = ground_->on.every(options.limits.look_every, [this] { look(); });
    spawn(ground_->on, take_connections(ground_, acceptor_));
    auto const shown = address.is_unspecified() ? std::string{address.is_v6() ? "[::1]" : "127.0.0.1"}
                                                : origin_host(address);
    return "http://" + shown + ':' + port;
}

void server::configure(server_options const& to) {
    auto& options = ground_->options;
    options.allowed_hosts = to.allowed_hosts;
    options.metrics_need_key = to.metrics_need_key;
    options.websocket_enabled = to.websocket_enabled;
    options.heartbeat_seconds = to.heartbeat_seconds;
    auto& rules = ground_->rules;
    rules.hosts.clear();
    std::vector<std::string> names{"localhost", "127.0.0.1", "[::1]"};
    names.insert(names.end(), options.allowed_hosts.begin(), options.allowed_hosts.end());
    for (auto const& host : names)
        for (auto& known : allowed_as(host, rules.port)) rules.hosts.push_back(std::move(known));
}

task<> server::take_connections(std::shared_ptr<ground> on, std::shared_ptr<tcp::acceptor> acceptor) {
    asio::steady_timer pause{on->on.context()};
    steady::time_point silent_until{};
    while (acceptor->is_open()) {
        error_code failed;
        auto accepted = asio::redirect_error(use_task, failed);
        tcp::socket socket{on->on.context()};
        co_await acceptor->async_accept(socket, accepted);
        if (failed == asio::error::operation_aborted || !acceptor->is_open()) co_return;
        if (failed) { // out of descriptors, most likely: others will free some
            if (auto const now = steady::now(); now >= silent_until) {
                log::warning("connections cannot be taken: {}", failed.message());
                silent_until = now + std::chrono::seconds{10};
            }
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
            tell_full(
                socket, on->options.revision ? on->options.revision() : std::string{},
                crowded ? "too many connections" : "too many connections from one address");
            if (on->turned_away.size() >= most_turned_away) {
                let_go(on->turned_away.front().second);
                on->turned_away.pop_front();
            }
            on->turned_away.emplace_back(steady::now(), std::move(socket));
            continue;
        }
        socket.set_option(tcp::no_delay{true}, failed);
        auto const protocol = socket.local_endpoint(failed).protocol();
        stream_socket any{
            on->on.context().get_executor(), asio::generic::stream_protocol{protocol},
            socket.release(failed)};
        if (!failed) start_http(on, std::move(any), std::move(where));
    }
}

void server::look() {
    auto const now = steady::now();
    auto& refused = ground_->turned_away;
    while (!refused.empty() && refused.front().first + ground_->options.limits.look_every <= now) {
        let_go(refused.front().second);
        refused.pop_front();
    }
    auto const all = std::vector<tracked*>(ground_->sessions.begin(), ground_->sessions.end());
    for (auto* one : all) {
        if (one->deadline <= now) {
            one->deadline = steady::time_point::max(); // it may set another
            one->on_deadline();
        } else {
            one->on_look(now);
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
    ground_->turned_away.clear();
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
