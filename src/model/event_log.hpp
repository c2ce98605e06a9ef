// The events of this run, bounded: of what was told its text is kept, a third of what it takes in members. Loop thread; no
// I/O, no clock.
#pragma once

#include "base/unique_function.hpp"
#include "contract/events.hpp"

#include <deque>
#include <functional>
#include <utility>
#include <vector>

namespace ccbt::model {

class event_log {
public:
    /// `first_seq`: greater than any seq of a run before.
    explicit event_log(std::int64_t first_seq, std::size_t most = 10'000)
        : last_seq_{first_seq - 1}, most_{most} {}

    /// Keeps and numbers an event, then tells the listener.
    void record(contract::event_type type, contract::event_data data, double now) {
        auto const view = make(type, std::move(data), now, ++last_seq_);
        kept_.push_back({type, last_seq_, write_ ? write_(view) : shared_text{}});
        if (kept_.size() > most_) kept_.pop_front();
        tell(view);
        for (auto& wake : std::exchange(waiting_, {})) wake();
    }
    /// Tells an event that is not kept: it carries the seq of the last that was.
    void pass_on(contract::event_type type, contract::event_data data, double now) {
        if (!is_wanted(type)) return;
        tell(make(type, std::move(data), now, last_seq_));
    }

    /// How an event is written. Without it what is kept of it is its type and its number.
    void write_by(std::function<shared_text(contract::event_view const&)> write) {
        write_ = std::move(write);
    }
    void listen(std::function<void(contract::event_view const&)> to) { listener_ = std::move(to); }
    /// Whether anybody wants events of a type now; what nobody wants is not told unless it is kept.
    void ask_who_wants(std::function<bool(contract::event_type)> wanted) { wanted_ = std::move(wanted); }
    [[nodiscard]] bool is_wanted(contract::event_type type) const { return !wanted_ || wanted_(type); }

    /// The events after a number, `most` of them; `lost` where some after it are not known here any more, or it is none
    /// of ours: then what follows are all that are kept.
    struct caught_up {
        std::vector<contract::kept_event> events;
        bool lost = false;
    };
    [[nodiscard]] caught_up since(std::int64_t seq, std::size_t most) const {
        auto const oldest = last_seq_ - static_cast<std::int64_t>(kept_.size()) + 1;
        caught_up out;
        out.lost = seq < oldest - 1 || seq > last_seq_;
        auto const from = out.lost ? 0 : static_cast<std::size_t>(seq + 1 - oldest);
        for (auto i = from; i < kept_.size() && out.events.size() < most; ++i) out.events.push_back(kept_[i]);
        return out;
    }
    /// Called once, with the next event that is kept, from within that: it may only post.
    void wake_at_next(unique_function<void()> wake) { waiting_.push_back(std::move(wake)); }

    [[nodiscard]] std::int64_t last_seq() const { return last_seq_; }
    [[nodiscard]] std::deque<contract::kept_event> const& kept() const { return kept_; }

private:
    static contract::event_view make(
        contract::event_type type, contract::event_data data, double now, std::int64_t seq) {
        return contract::event_view{contract::event{type, now, std::move(data), seq}};
    }
    void tell(contract::event_view const& view) {
        if (listener_) listener_(view);
    }

    std::deque<contract::kept_event> kept_;
    std::int64_t last_seq_;
    std::size_t most_;
    std::function<shared_text(contract::event_view const&)> write_;
    std::function<void(contract::event_view const&)> listener_;
    std::function<bool(contract::event_type)> wanted_;
    std::vector<unique_function<void()>> waiting_;
};

} // namespace ccbt::model
