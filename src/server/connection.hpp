// What the sessions of one server share. Loop thread.
#pragma once

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/net_tls.hpp"
#include "base/task.hpp"
#include "server/authority.hpp"
#include "server/door.hpp"
#include "server/hub.hpp"
#include "server/router.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>

namespace ccbt::server {

struct server_limits { // reliability.md, "Limits"
    std::size_t request_line = 8 * 1024;
    std::size_t header_block = 16 * 1024;
    std::size_t header_fields = 64;
    std::chrono::milliseconds header_deadline{5'000}, body_deadline{30'000}, write_progress{30'000},
        idle{60'000};
    /// Of bodies: the usual, torrents/add's, and of batches and checkpoints. Which one is a route's its promise tells.
    std::size_t json_body = contract::default_max_body;
    std::size_t add_body = std::size_t{24} << 20, batch_body = std::size_t{64} << 20;
    [[nodiscard]] std::size_t body_of(std::size_t promised) const {
        constexpr std::size_t adding = std::size_t{24} << 20;
        if (promised < contract::default_max_body) return std::min(promised, json_body);
        if (promised == contract::default_max_body) return json_body;
        return promised > adding ? batch_body : add_body;
    }
    std::chrono::milliseconds linger{2'000}; // for the other side's end, before a connection is closed on it
    std::chrono::milliseconds look_every{1'000}; // how exactly all of these are kept
    std::size_t connections = 4096, connections_per_source = 256;
    std::size_t failed_keys = 10;
    std::chrono::seconds failed_keys_within{60};
    std::size_t watchers = 1024;
    std::size_t message_bytes = std::size_t{64} << 10;
    std::size_t watcher_queue_bytes = std::size_t{1} << 20;
    std::chrono::milliseconds ping_every{20'000}, pong_within{60'000};
};

/// What a server listens with beside host and port. Given before it listens.
struct more_ways {
    std::string unix_path;             // "": none
    bool unix_path_is_default = false; // where it cannot be, it is left out
    std::vector<int> inherited; // listening sockets of a service manager; a TCP one is used for host and port
    tls::context_ptr tls;       // null: in the clear. Of TCP alone
};

struct server_options {
    std::string host = "127.0.0.1";
    int port = 0;
    bool allow_insecure_bind = false;         // of a service manager's socket; host was looked at before
    std::vector<std::string> trusted_proxies; // addresses whose X-Forwarded-For is believed
    std::string api_key;
    std::vector<crypto::public_key> trusted_signers; // admin
    contract::key_ring* named_keys = nullptr;        // of the store; it outlives the server
    std::vector<std::string> allowed_hosts;          // with or without a port
    bool metrics_need_key = false;                   // on a loopback bind too
    bool websocket_enabled = true;
    double heartbeat_seconds = 30;
    std::function<std::string()> revision{}; // that of the truth now, for answers of the door itself
    server_limits limits;
};

/// A connection that the server counts, times out and ends.
class tracked {
public:
    virtual ~tracked() = default;
    steady::time_point deadline = steady::time_point::max();
    virtual void on_deadline() = 0;
    virtual void on_stop() = 0;                 // finish what is under way, then close
    virtual void on_look(steady::time_point) {} // every `look_every`
    virtual void on_keys_changed() {}           // some key was made or revoked
};

struct ground {
    ground(loop& l, std::vector<route> routes, server_options o, metrics::door& d)
        : on{l}, options{std::move(o)}, counted{d}, table{std::move(routes)}, events{l, d} {}

    loop& on;
    server_options options;
    metrics::door& counted;
    router table;
    hub events;
    authority keys;
    door_rules rules;
    more_ways ways;
    bool loopback_bind = true;
    bool stopping = false;
    std::size_t claimed_bytes = 0; // of bodies under a signature that is not verified yet: it covers them
    std::unordered_set<tracked*> sessions;
    std::map<std::string, std::size_t> per_source;
    std::deque<std::pair<steady::time_point, stream_socket>> turned_away; // told so, to be closed soon
};

/// A registration of a session with the server, for its lifetime.
class registration {
public:
    registration(std::shared_ptr<ground> on, tracked& who) : on_{std::move(on)}, who_{who} {
        on_->sessions.insert(&who_);
        on_->counted.open_connections = on_->sessions.size();
    }
    ~registration() {
        on_->sessions.erase(&who_);
        on_->counted.open_connections = on_->sessions.size();
    }
    registration(registration const&) = delete;
    registration& operator=(registration const&) = delete;

private:
    std::shared_ptr<ground> on_;
    tracked& who_;
};

/// Where a connection comes from and where it arrived: literal addresses, "" for a Unix socket.
struct ends {
    std::string remote, local;
    bool loopback = true;
    bool own_user = false; // the daemon's, by the kernel's word: a Unix socket's peer
    bool proxied = false;  // it is a trusted proxy
};
[[nodiscard]] ends ends_of(int fd, std::vector<std::string> const& trusted_proxies); // listener.cpp

/// One of a source's connections, counted for as long as this lives: a WebSocket takes it over with the socket.
class seat {
public:
    seat(std::shared_ptr<ground> on, std::string const& source)
        : on_{std::move(on)}, taken_{on_->per_source.try_emplace(source, 0).first} {
        ++taken_->second;
    }
    ~seat() {
        if (--taken_->second == 0) on_->per_source.erase(taken_);
    }
    seat(seat const&) = delete;
    seat& operator=(seat const&) = delete;

private:
    std::shared_ptr<ground> on_;
    std::map<std::string, std::size_t>::iterator taken_;
};

void start_http(std::shared_ptr<ground> on, stream from, ends where); // http_session.cpp
void start_tls(
    std::shared_ptr<ground> on, stream_socket socket, ends where); // tls_greeting.cpp; then start_http

} // namespace ccbt::server
