#include "executor/events.hpp"

#include <cassert>

namespace ccbt::executor {

namespace {

constexpr std::size_t most_waiting = 256;

} // namespace

task<> events::next_event(std::chrono::milliseconds within) {
    auto start = [this, within](auto done) {
        auto const at = waiting_.emplace(waiting_.end());
        at->done = std::move(done);
        at->patience = house_.on.after(within, [this, at] {
            auto const one = std::make_shared<waiter>(std::move(*at)); // with the timer that is calling
            waiting_.erase(at);
            house_.on.post([one] { one->done(true); });
        });
        if (std::exchange(is_woken_, true)) return;
        // Never from within the change that the event tells of.
        house_.state.events().wake_at_next([&on = house_.on, here = std::weak_ptr{here_}] {
            on.post([here] {
                if (auto const self = here.lock()) (*self)->wake_all();
            });
        });
    };
    co_await reply_of<bool>(std::move(start));
}

void events::wake_all() {
    is_woken_ = false;
    for (auto& one : std::exchange(waiting_, {})) one.done(true);
}

task<result<contract::get_event_log::response>> events::handle(
    contract::get_event_log::request request, caller const&) {
    auto const& log = house_.state.events();
    auto const oldest = log.last_seq() - static_cast<std::int64_t>(log.kept().size());
    auto const since = request.since.value_or(oldest);
    if (since == log.last_seq() && request.wait > 0 && !house_.state.stopping()) {
        if (waiting_.size() >= most_waiting)
            co_return fails(errc::too_many_connections, "too many wait for events: ask without wait");
        auto const within = std::chrono::milliseconds{static_cast<std::int64_t>(request.wait * 1000)};
        co_await next_event(within);
    }
    auto found = log.since(since, static_cast<std::size_t>(request.limit));
    contract::get_event_log::response out;
    out.resync = found.lost;
    out.next = found.events.empty() ? log.last_seq() : found.events.back().seq;
    for (auto& one : found.events) {
        contract::event head; // the rest is in the text, and that is what is written
        head.type = one.type;
        head.seq = one.seq;
        assert(one.text); // else the head would be written, as if that were all
        out.events.emplace_back(std::move(head)).keep_text(std::move(one.text));
    }
    co_return out;
}

} // namespace ccbt::executor
