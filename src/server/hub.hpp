// Events to watchers: collected during the loop's turn, rendered once, shared by all that want them. Knows no sockets.
// Loop thread.
#pragma once

#include "base/loop.hpp"
#include "base/metrics.hpp"
#include "contract/events.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace ccbt::server {

class watcher {
public:
    virtual ~watcher() = default;
    [[nodiscard]] virtual bool wants(contract::event_type type) const = 0;
    /// The JSON of an event that it wants. It must not throw and not destroy a watcher.
    virtual void tell(shared_text event) = 0;
};

class hub {
public:
    hub(loop& on, metrics::door& counted) : on_{on}, counted_{counted} {}

    void join(watcher& who) {
        watchers_.insert(&who);
        counted_.watchers = watchers_.size();
    }
    void leave(watcher& who) {
        watchers_.erase(&who);
        counted_.watchers = watchers_.size();
    }
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

    /// Sent at the end of this turn of the loop; nothing is kept or rendered where nobody watches.
    void publish(contract::event_view const& what);
    void flush(); // now

private:
    loop& on_;
    metrics::door& counted_;
    std::unordered_set<watcher*> watchers_;
    std::vector<contract::event_view> waiting_;
    history history_;
    std::function<position()> now_;
    std::int64_t last_seq_ = 0; // of what was published
    bool posted_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); // a flush that comes too late finds it gone
};

/// Its JSON, rendered at first need and kept with it.
[[nodiscard]] shared_text text_of(contract::event_view const& event);

} // namespace ccbt::server
