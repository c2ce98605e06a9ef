// The events of this run, bounded, each rendered at most once. Loop thread; no I/O, no clock.
#pragma once

#include "contract/events.hpp"

#include <deque>
#include <functional>

namespace ccbt::model {

class event_log {
public:
    /// `first_seq`: greater than any seq of a run before.
    explicit event_log(std::int64_t first_seq, std::size_t most = 10'000)
        : last_seq_{first_seq - 1}, most_{most} {}

    /// Keeps and numbers an event, then tells the listener.
    void record(contract::event_type type, contract::event_data data, double now) {
        auto view = make(type, std::move(data), now, ++last_seq_);
        kept_.push_back(view);
        if (kept_.size() > most_) kept_.pop_front();
        tell(view);
    }
    /// Tells an event that is not kept: it carries the seq of the last that was.
    void pass_on(contract::event_type type, contract::event_data data, double now) {
        tell(make(type, std::move(data), now, last_seq_));
    }

    void listen(std::function<void(contract::event_view const&)> to) { listener_ = std::move(to); }
    [[nodiscard]] std::int64_t last_seq() const { return last_seq_; }
    [[nodiscard]] std::deque<contract::event_view> const& kept() const { return kept_; }

private:
    static contract::event_view make(
        contract::event_type type, contract::event_data data, double now, std::int64_t seq) {
        return contract::event_view{contract::event{type, now, std::move(data), seq}};
    }
    void tell(contract::event_view const& view) {
        if (listener_) listener_(view);
    }

    std::deque<contract::event_view> kept_;
    std::int64_t last_seq_;
    std::size_t most_;
    std::function<void(contract::event_view const&)> listener_;
};

} // namespace ccbt::model
