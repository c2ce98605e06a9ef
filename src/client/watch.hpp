// What happens in a daemon, as it happens: its events, and a table of torrents kept in step by them. Blocking
// iteration, one thread at a time; no coroutines, no Boost.
#pragma once

#include "client/client.hpp"
#include "contract/events.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ccbt::client {

class socket;

/// The WebSocket of events. It does not reconnect: whoever can catch up does (event_watch, live_table).
class event_stream {
public:
    /// Types not named here are not sent; none named: the eight original ones. `since`: events after this seq first,
    /// as far as the daemon's log reaches.
    [[nodiscard]] static result<event_stream> open(
        options const& how, std::span<contract::event_type const> types = {},
        std::optional<std::int64_t> since = std::nullopt);
    ~event_stream();
    event_stream(event_stream&&) noexcept;
    event_stream& operator=(event_stream&&) noexcept;

    [[nodiscard]] result<void> subscribe(std::span<contract::event_type const> types);
    [[nodiscard]] result<void> ping();

    /// The next event, or nothing when none came in time. The daemon's own pings and the answers to subscriptions are
    /// taken in silence, and so are events of a type that this library is too old to know.
    [[nodiscard]] result<std::optional<contract::event>> next(std::chrono::milliseconds timeout);
    /// The next event of any type, as its JSON text.
    [[nodiscard]] result<std::optional<std::string>> next_text(std::chrono::milliseconds timeout);

private:
    explicit event_stream(socket&& made);
    std::unique_ptr<socket> socket_;
};

/// Events without a gap: when the connection is lost it comes back by itself, later and later up to 5 s, and gets what
/// it missed from the daemon's log. Each kept event comes once, in order; where some are not known any more (a daemon
/// that was started again knows none of before) one `resync` comes in their place.
class event_watch {
public:
    /// `since`: what came after that first; default: from now on.
    explicit event_watch(
        options how, std::vector<contract::event_type> types = {},
        std::optional<std::int64_t> since = std::nullopt);
    ~event_watch();
    event_watch(event_watch&&) noexcept;
    event_watch& operator=(event_watch&&) noexcept;

    struct news {
        bool connected = false;
        std::optional<contract::event> event{};
        std::string text{}; // its JSON as it came
    };
    /// Waits for an event, the connection to come or go, or the time to be up. Fails where waiting longer does not help.
    [[nodiscard]] result<news> next(std::chrono::milliseconds timeout);
    [[nodiscard]] std::optional<std::int64_t> seq() const;         // of the last that came
    [[nodiscard]] std::optional<client_error> const& lost() const; // why it is not connected

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// The table of torrents, kept in step: an event says that something changed, `GET /torrents?since=` says what. When
/// the connection is lost it comes back by itself, later and later up to 5 s, and catches up the same way.
class live_table {
public:
    /// `also`: event types that next() hands out beside the torrents' own.
    explicit live_table(options how, std::vector<contract::event_type> also = {});
    ~live_table();
    live_table(live_table&&) noexcept;
    live_table& operator=(live_table&&) noexcept;

    struct news {
        bool connected = false;
        bool changed = false;                  // some row is not what it was
        std::vector<contract::event> events{}; // in their order; torrents_changed is not among them
    };
    /// Waits until something happened, the connection came or went, or the time was up. Fails only where waiting
    /// longer does not help: the key is wrong, or the daemon answers an error.
    [[nodiscard]] result<news> next(std::chrono::milliseconds timeout);

    [[nodiscard]] std::map<std::string, contract::torrent_status> const& rows() const;
    [[nodiscard]] contract::torrent_status const* find(std::string_view info_hash) const; // null: not there
    [[nodiscard]] std::string const& revision() const;
    /// Why it is not connected, while it is not.
    [[nodiscard]] std::optional<client_error> const& lost() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace ccbt::client
