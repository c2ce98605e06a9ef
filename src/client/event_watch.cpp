#include "client/watch.hpp"

#include <algorithm>
#include <thread>

namespace ccbt::client {

namespace {

using contract::event_type;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds first_wait{100};
constexpr milliseconds longest_wait{5'000};
constexpr std::int64_t before_all = -1; // no seq: answered by a resync that says where we are

bool is_passing(client_error const& e) {
    return e.kind == error_kind::unreachable || e.kind == error_kind::timeout || e.status == 503;
}

} // namespace

struct event_watch::state {
    options how;
    std::vector<event_type> types;
    std::optional<std::int64_t> seq;
    std::optional<event_stream> stream{};
    std::optional<client_error> lost{};
    milliseconds wait{0};
    steady_clock::time_point again_at{};

    result<void> connect() {
        auto opened = event_stream::open(how, types, seq.value_or(before_all));
        if (!opened) return unexpected<client_error>{std::move(opened.error())};
        if (!seq) {
            auto const here = opened->next(how.timeout);
            if (!here) return unexpected<client_error>{here.error()};
            if (!*here || (*here)->type != event_type::resync)
                return fails(error_kind::broken, "the daemon did not say where its events are");
            seq = (*here)->seq;
        }
        stream = std::move(*opened);
        lost.reset();
        return {};
    }
    result<news> lose(client_error why) {
        stream.reset();
        if (!is_passing(why)) return unexpected<client_error>{std::move(why)};
        lost = std::move(why);
        wait = wait == milliseconds{0} ? first_wait : std::min(wait * 2, longest_wait);
        again_at = steady_clock::now() + wait;
        return news{};
    }
};

event_watch::event_watch(options how, std::vector<event_type> types, std::optional<std::int64_t> since)
    : state_{std::make_unique<state>(state{std::move(how), std::move(types), since})} {
    auto& wanted = state_->types;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), event_type::resync) == wanted.end())
        wanted.push_back(event_type::resync);
}
event_watch::~event_watch() = default;
event_watch::event_watch(event_watch&&) noexcept = default;
event_watch& event_watch::operator=(event_watch&&) noexcept = default;

std::optional<std::int64_t> event_watch::seq() const { return state_->seq; }
std::optional<client_error> const& event_watch::lost() const { return state_->lost; }

result<event_watch::news> event_watch::next(milliseconds timeout) {
    auto& s = *state_;
    if (!s.stream) {
        auto const until = steady_clock::now() + timeout;
        std::this_thread::sleep_until(std::min(s.again_at, until));
        if (steady_clock::now() < s.again_at) return news{};
        if (auto came = s.connect(); !came) return s.lose(std::move(came.error()));
        return news{.connected = true};
    }
    auto got = s.stream->next_text(timeout);
    if (!got) return s.lose(std::move(got.error()));
    s.wait = milliseconds{0}; // it holds
    news out{.connected = true};
    if (!*got) return out;
    auto event = wire::from_json<contract::event>(**got);
    if (!event) return out; // of a type that this library is too old to know
    s.seq = event->seq;
    out.event = std::move(*event);
    out.text = std::move(**got);
    return out;
}

} // namespace ccbt::client
