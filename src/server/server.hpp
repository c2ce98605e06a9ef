// The door: listens, takes connections, ends them. Knows no torrent. Loop thread.
#pragma once

#include "base/metrics.hpp"
#include "base/unique_function.hpp"
#include "contract/events.hpp"
#include "server/connection.hpp"
#include "server/listener.hpp"

#include <memory>
#include <string>

namespace ccbt::server {

class server {
public:
    server(loop& on, std::vector<route> routes, server_options options, metrics::door& counted);
    ~server();
    server(server const&) = delete;
    server& operator=(server const&) = delete;

    void listen_also(more_ways ways) { ground_->ways = std::move(ways); } // before listen()
    /// Binds and takes connections (TCP, and a Unix socket beside it); the URL of the API's origin, or why it could not ("address in use").
    [[nodiscard]] expected<std::string, std::string> listen();
    /// The Unix socket that it made, once it listens; "" where there is none.
    [[nodiscard]] std::string const& unix_path() const { return unix_path_; }
    /// Takes over what may change while it serves: limits, host names, proxies, metrics, events and their heartbeat.
    void configure(server_options const& to);
    /// Another certificate for the connections to come. For one that serves over TLS.
    void configure_tls(tls::context_ptr to) { ground_->ways.tls = std::move(to); }
    void publish(contract::event_view const& event) { ground_->events.publish(event); }
    void remember_by(hub::history from, std::function<hub::position()> now) {
        ground_->events.remember_by(std::move(from), std::move(now));
    }
    [[nodiscard]] bool anyone_wants(contract::event_type type) const {
        return ground_->events.anyone_wants(type);
    }

    /// Takes no more connections, lets answers under way go out, closes the WebSockets (1001); `done` when all are
    /// gone or `within` has passed.
    void stop(std::chrono::milliseconds within, job done);

private:
    static task<> take_connections(
        std::shared_ptr<ground> on, std::shared_ptr<generic_acceptor> acceptor, bool is_unix);
    void look();

    std::shared_ptr<ground> ground_;
    std::vector<listener> listeners_;
    std::string unix_path_;
    std::unique_ptr<loop::ticker> look_, stopping_;
    steady::time_point give_up_{};
    job stopped_;
};

} // namespace ccbt::server
