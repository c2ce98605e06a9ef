#include "server/hub.hpp"

#include "wire/codec.hpp"

#include <algorithm>

namespace ccbt::server {

namespace {

// Of the loop's time, for one slice: what the others took since the last, so that they and the watchers have half of
// it each, within these.
constexpr auto least = std::chrono::milliseconds{1}, most = std::chrono::milliseconds{6};

} // namespace

void hub::join(watcher& who) {
    watchers_.push_back({&who, published()});
    counted_.watchers = watchers_.size();
}

void hub::leave(watcher& who) {
    auto const at =
        std::find_if(watchers_.begin(), watchers_.end(), [&](auto const& one) { return one.who == &who; });
    if (at == watchers_.end()) return;
    if (static_cast<std::size_t>(at - watchers_.begin()) < turn_) --turn_;
    watchers_.erase(at);
    counted_.watchers = watchers_.size();
}

bool hub::anyone_wants(contract::event_type type) const {
    return std::any_of(
        watchers_.begin(), watchers_.end(), [&](auto const& one) { return one.who->wants(type); });
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
    post();
}

void hub::post() {
    if (std::exchange(posted_, true)) return;
    on_.post([this, alive = std::weak_ptr<bool>{alive_}] {
        if (alive.expired()) return;
        posted_ = false;
        auto const now = steady::now();
        tell_until(now + std::clamp<steady::duration>(now - slice_end_, least, most));
        slice_end_ = steady::now();
        if (!waiting_.empty()) post();
    });
}

void hub::flush() { tell_until(steady::time_point::max()); }

void hub::tell_until(steady::time_point by) {
    while (!waiting_.empty()) {
        if (turn_ == 0) round_end_ = published();
        if (turn_ < watchers_.size()) {
            tell_next();
            if (steady::now() >= by) return;
            continue;
        }
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(round_end_ - first_));
        first_ = round_end_;
        turn_ = 0;
    }
}

void hub::tell_next() {
    auto& [who, next] = watchers_[turn_++];
    bool told = false;
    for (; next < published(); ++next) {
        auto const& event = waiting_[next - first_];
        if (!who->wants(event->type)) continue;
        who->tell(text_of(event));
        ++counted_.events_sent;
        told = true;
    }
    if (told) who->send();
}

} // namespace ccbt::server
