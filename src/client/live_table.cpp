#include "client/socket.hpp"
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
constexpr std::size_t events_at_once = 1'000; // then the caller has its turn

constexpr std::array moving{
    event_type::torrent_added,
    event_type::torrent_removed,
    event_type::torrent_completed,
    event_type::torrent_status_changed,
    event_type::torrents_changed,
    event_type::metadata_ready,
    event_type::resync};

bool moves_rows(event_type type) { return std::find(moving.begin(), moving.end(), type) != moving.end(); }

bool is_passing(client_error const& e) {
    return e.kind == error_kind::unreachable || e.kind == error_kind::timeout || e.status == 503;
}

} // namespace

struct live_table::state {
    options how;
    std::vector<event_type> types;
    client asker;
    std::optional<event_stream> stream{};
    std::optional<std::int64_t> seq{}; // of the last event that came
    std::map<std::string, contract::torrent_status> rows{};
    std::string revision{};
    std::optional<client_error> lost{};
    milliseconds wait{0};
    steady_clock::time_point again_at{};

    void lose(client_error why) {
        stream.reset();
        lost = std::move(why);
        wait = wait == milliseconds{0} ? first_wait : std::min(wait * 2, longest_wait);
        again_at = steady_clock::now() + wait;
    }

    // Asks what changed since the last time, or for all of it.
    result<bool> refresh() {
        contract::list_torrents::request wanted;
        if (!revision.empty()) wanted.since = revision;
        auto got = asker.call<contract::list_torrents>(wanted);
        if (!got) return unexpected<client_error>{std::move(got.error())};
        auto const& list = got->value;
        bool const whole = !wanted.since || list.full.value_or(!list.removed.has_value());
        bool changed = whole || !list.torrents.empty();
        if (whole) rows.clear();
        for (auto const& row : list.torrents) rows.insert_or_assign(row->info_hash, *row);
        if (list.removed)
            for (auto const& hash : *list.removed) changed = rows.erase(hash) > 0 || changed;
        revision = list.revision.value_or(asker.last_revision());
        return changed;
    }

    result<bool> connect() {
        auto opened = event_stream::open(how, types, seq);
        if (!opened) return unexpected<client_error>{std::move(opened.error())};
        stream = std::move(*opened);
        auto changed = refresh();
        if (changed) {
            lost.reset();
            wait = milliseconds{0};
        }
        return changed;
    }
};

live_table::live_table(options how, std::vector<event_type> also)
    : state_{std::make_unique<state>(state{.how = how, .types = std::move(also), .asker = client{how}})} {
    for (auto const type : moving)
        if (std::find(state_->types.begin(), state_->types.end(), type) == state_->types.end())
            state_->types.push_back(type);
}
live_table::~live_table() = default;
live_table::live_table(live_table&&) noexcept = default;
live_table& live_table::operator=(live_table&&) noexcept = default;

std::map<std::string, contract::torrent_status> const& live_table::rows() const { return state_->rows; }
std::string const& live_table::revision() const { return state_->revision; }
std::optional<client_error> const& live_table::lost() const { return state_->lost; }
contract::torrent_status const* live_table::find(std::string_view info_hash) const {
    auto const at = state_->rows.find(std::string{info_hash});
    return at == state_->rows.end() ? nullptr : &at->second;
}

result<live_table::news> live_table::next(milliseconds timeout) {
    auto& s = *state_;
    auto const deadline = steady_clock::now() + timeout;
    auto const left = [&] {
        return std::max(
            std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()), milliseconds{0});
    };
    news out;
    auto const lose = [&](client_error why) -> result<news> {
        if (!is_passing(why)) return unexpected<client_error>{std::move(why)};
        s.lose(std::move(why));
        out.connected = false;
        return out;
    };

    if (!s.stream) {
        std::this_thread::sleep_until(std::min(s.again_at, deadline));
        if (steady_clock::now() < s.again_at) return out;
        auto changed = s.connect();
        if (!changed) return lose(std::move(changed.error()));
        out.connected = true;
        out.changed = *changed;
        return out;
    }

    out.connected = true;
    bool stale = false;
    auto waits = left();
    while (out.events.size() < events_at_once) {
        auto got = s.stream->next(waits);
        if (!got) return lose(std::move(got.error()));
        if (!*got) break;
        waits = milliseconds{0}; // what is there already comes with it; then one question for all of it
        s.seq = (*got)->seq;
        stale = stale || moves_rows((*got)->type);
        if ((*got)->type == event_type::torrents_changed) continue;
        out.events.push_back(std::move(**got));
    }
    if (stale) {
        auto changed = s.refresh();
        if (!changed) return lose(std::move(changed.error()));
        out.changed = *changed;
    }
    return out;
}

} // namespace ccbt::client
