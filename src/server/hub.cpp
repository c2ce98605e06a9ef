#include "server/hub.hpp"

#include "wire/codec.hpp"

#include <algorithm>

namespace ccbt::server {

bool hub::anyone_wants(contract::event_type type) const {
    return std::any_of(watchers_.begin(), watchers_.end(), [&](auto const* w) { return w->wants(type); });
}

shared_text text_of(contract::event_view const& event) {
    if (!event.text()) {
        auto text = wire::to_json(*event);
        text.shrink_to_fit(); // the log keeps it
        event.keep_text(shared_text{std::move(text)});
    }
    return event.text();
}

void hub::publish(contract::event_view const& what) {
    last_seq_ = std::max(last_seq_, what->seq);
    if (watchers_.empty()) return;
    waiting_.push_back(what);
    if (posted_) return;
    posted_ = true;
    on_.post([this, alive = std::weak_ptr<bool>{alive_}] {
        if (!alive.expired()) flush();
    });
}

void hub::flush() {
    posted_ = false;
    auto const events = std::exchange(waiting_, {});
    for (auto const& event : events) {
        shared_text rendered;
        for (auto* w : watchers_) {
            if (!w->wants(event->type)) continue;
            if (!rendered) rendered = text_of(event);
            w->tell(rendered);
            ++counted_.events_sent;
        }
    }
}

} // namespace ccbt::server
