// Events to watchers: collected during the loop's turn, rendered once, shared by all that want them. A thousand watchers
// are told in slices, between which the loop serves the others; who is reached late is told all that happened meanwhile
// at once. Knows no sockets. Loop thread.
#pragma once

#include "base/clock.hpp"
#include "base/loop.hpp"
#include "base/metrics.hpp"
#include "contract/events.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ccbt::server {

class watcher {
public:
    virtual ~watcher() = default;
    [[nodiscard]] virtual bool wants(contract::event_type type) const = 0;
    /// The JSON of an event that it wants; `send` follows the last of those that wait. Neither may throw, nor destroy or
    /// join or leave a watcher.
    virtual void tell(shared_text event) = 0;
    virtual void send() = 0;
};

class hub {
public:
    hub(loop& on, metrics::door& counted) : on_{on}, counted_{counted} {}

    /// Told what is published from now on.
    void join(watcher& who);
    void leave(watcher& who);
    [[nodiscard]] std::size_t size() const { return watchers_.size(); }
    [[nodiscard]] bool anyone_wants(contract::event_type type) const;
    /// What to start from after a resync: the seq of the last event, through restarts, and the revision of the rows.
    struct position {
        std::int64_t seq = 0;
        std::string revision;
    };
    [[nodiscard]] position now() const { return now_ ? now_() : position{last_seq_, {}}; }

    /// Where the events of before are: those after a seq, or nothing where some of them are not known any more.
    using history = std::function<std::optional<std::vector<contract::kept_event>>(std::int64_t)>;
    void remember_by(history from, std::function<position()> now) {
        history_ = std::move(from);
        now_ = std::move(now);
    }
    [[nodiscard]] std::optional<std::vector<contract::kept_event>> since(std::int64_t seq) const {
        return history_ ? history_(seq) : std::nullopt;
    }

    /// Sent from the end of this turn of the loop on; nothing is kept or rendered where nobody watches.
    void publish(contract::event_view const& what);
    void flush(); // everything to all, now

private:
    struct place {
        watcher* who;
        std::uint64_t next; // the number, counted from this hub's first, of the event that it is told next
    };
    [[nodiscard]] std::uint64_t published() const { return first_ + waiting_.size(); }
    void post();
    void tell_until(steady::time_point by);
    void tell_next();

    loop& on_;
    metrics::door& counted_;
    std::vector<place> watchers_;
    std::deque<contract::event_view> waiting_; // those that somebody may not have been told
    std::uint64_t first_ = 0;                  // the number of the first of them
    std::size_t turn_ = 0;                     // of watchers_: whose it is in this round
    std::uint64_t round_end_ = 0;              // that of the first event which this round does not owe to all
    steady::time_point slice_end_{};
    history history_;
    std::function<position()> now_;
    std::int64_t last_seq_ = 0; // of what was published
    bool posted_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); // a flush that comes too late finds it gone
};

/// Its JSON, rendered at first need and kept with it.
[[nodiscard]] shared_text text_of(contract::event_view const& event);

} // namespace ccbt::server
