// The door: listens, takes connections, ends them. Knows no torrent. Loop thread.
#pragma once

#include "base/metrics.hpp"
#include "base/unique_function.hpp"
#include "contract/events.hpp"
#include "server/connection.hpp"

#include <memory>
#include <string>

namespace ccbt::server {

class server {
public:
    server(loop& on, std::vector<route> routes, server_options options, metrics::door& counted);
    ~server();
    server(server const&) = delete;
    server& operator=(server const&) = delete;

    /// Binds and takes connections; the URL of the API's origin, or why it could not ("address in use").
    [[nodiscard]] expected<std::string, std::string> listen();
    /// Takes over what may change while it serves: host names, metrics, events and their heartbeat.
    void configure(server_options const& to);
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
        std::shared_ptr<ground> on, std::shared_ptr<asio::ip::tcp::acceptor> acceptor);
    void look();

    std::shared_ptr<ground> ground_;
    std::shared_ptr<asio::ip::tcp::acceptor> acceptor_;
    std::unique_ptr<loop::ticker> look_, stopping_;
    steady::time_point give_up_{};
    job stopped_;
};

} // namespace ccbt::server
