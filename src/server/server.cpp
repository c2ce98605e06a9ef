#include "server/server.hpp"

#include "base/log.hpp"
#include "base/safeguard.hpp"
#include "server/answer_head.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/core.h>
#include <netinet/tcp.h>

namespace ccbt::server {

namespace {

using asio::ip::tcp;

constexpr std::size_t most_turned_away = 64;

std::string origin_host(asio::ip::address const& a) {
    return a.is_v6() ? '[' + a.to_string() + ']' : a.to_string();
}

// Refused before a request was read: a short answer, without a session.
void tell_full(stream_socket& socket, std::string revision, char const* why) {
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
void let_go(stream_socket& socket) {
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
    if (ground_->options.named_keys != nullptr) ground_->options.named_keys->listen(nullptr);
    for (auto& one : listeners_) end(one);
}

expected<std::string, std::string> server::listen() {
    auto& options = ground_->options;
    auto const& ways = ground_->ways;
    auto& io = ground_->on.context();
    for (int const fd : ways.inherited) {
        auto one = listen_inherited(io, fd);
        if (!one) return unexpected<std::string>{std::move(one.error())};
        listeners_.push_back(std::move(*one));
    }
    auto const none_of = [&](bool is_unix) {
        return std::none_of(
            listeners_.begin(), listeners_.end(), [&](auto const& one) { return one.is_unix == is_unix; });
    };
    if (none_of(false)) {
        auto one = listen_at(io, options.host, options.port);
        if (!one) return unexpected<std::string>{std::move(one.error())};
        listeners_.push_back(std::move(*one));
    }
    if (none_of(true) && !ways.unix_path.empty()) {
        auto one = listen_at_path(io, ways.unix_path);
        if (!one && !ways.unix_path_is_default) return unexpected<std::string>{std::move(one.error())};
        if (one) {
            unix_path_ = one->path;
            listeners_.push_back(std::move(*one));
        } else {
            log::warning("{}: it is left out", one.error());
        }
    }
    // The first TCP one is what is told; every one of them asks for what a bind beyond loopback asks for.
    std::string url;
    for (auto const& one : listeners_) {
        if (one.is_unix) continue;
        error_code failed;
        auto const at = one.acceptor->local_endpoint(failed);
        tcp::endpoint bound;
        bound.resize(at.size());
        std::memcpy(bound.data(), at.data(), at.size());
        auto const address = bound.address();
        bool const is_local = address.is_loopback() ||
                              (address.is_v6() && address.to_v6().is_v4_mapped() &&
                               asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback());
        if (!ways.inherited.empty() && !is_local && !ways.tls && !options.allow_insecure_bind &&
            in_force(safeguard::inherited_bind_check))
            return unexpected<std::string>{fmt::format(
                "the service manager's socket at {} may be reached from beyond this machine and TLS is off: set "
                "daemon.tls_enabled or daemon.allow_insecure_bind",
                origin_host(address))};
        ground_->loopback_bind = ground_->loopback_bind && is_local;
        if (!url.empty()) continue;
        ground_->rules.port = std::to_string(bound.port());
        auto const shown = address.is_unspecified() ? std::string{address.is_v6() ? "[::1]" : "127.0.0.1"}
                                                    : origin_host(address);
        url = (ways.tls ? "https://" : "http://") + shown + ':' + ground_->rules.port;
    }
    configure(options);
    look_ = ground_->on.every(options.limits.look_every, [this] { look(); });
    for (auto const& one : listeners_)
        spawn(ground_->on, take_connections(ground_, one.acceptor, one.is_unix));
    return url;
}

void server::configure(server_options const& to) {
    auto& options = ground_->options;
    options.limits = to.limits;
    ground_->keys.limit_failures(to.limits.failed_keys, to.limits.failed_keys_within);
    std::vector<std::string> proxies;
    for (auto const& one : to.trusted_proxies) proxies.push_back(plain_address(one));
    options.trusted_proxies = std::move(proxies);
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

task<> server::take_connections(
    std::shared_ptr<ground> on, std::shared_ptr<generic_acceptor> acceptor, bool is_unix) {
    asio::steady_timer pause{on->on.context()};
    steady::time_point silent_until{};
    while (acceptor->is_open()) {
        error_code failed;
        auto accepted = asio::redirect_error(use_task, failed);
        stream_socket socket{on->on.context()};
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
        auto where = ends_of(socket.native_handle(), on->options.trusted_proxies);
        auto const& limits = on->options.limits;
        auto const source = on->per_source.find(where.remote);
        bool const crowded =
            on->sessions.size() >= limits.connections && in_force(safeguard::total_connection_limit);
        bool const greedy = !where.loopback && !where.proxied && source != on->per_source.end() &&
                            source->second >= limits.connections_per_source &&
                            in_force(safeguard::per_source_limit);
        if (crowded || greedy) {
            ++on->counted.refused["TOO_MANY_CONNECTIONS"];
            if (!on->ways.tls || is_unix)
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
        if (!is_unix) socket.set_option(tcp::no_delay{true}, failed);
        if (on->ways.tls && !is_unix)
            start_tls(on, std::move(socket), std::move(where));
        else
            start_http(on, stream{std::move(socket)}, std::move(where));
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
    ground_->stopping = true;
    for (auto& one : listeners_) end(one);
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
