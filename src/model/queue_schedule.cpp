#include "model/queue_schedule.hpp"

#include <algorithm>

namespace ccbt::model {

using contract::torrent_state;

namespace {
constexpr std::size_t index(auto part) { return static_cast<std::size_t>(part); }
} // namespace

queue_schedule::entry* queue_schedule::find(torrent_id id) {
    auto const at = entries_.find(id);
    return at == entries_.end() ? nullptr : &at->second;
}

bool queue_schedule::competes(entry const& e) const {
    return steers_ && e.in_queue && !e.user_paused && !e.failed && !e.offline &&
           e.priority != queue_priority::paused;
}

bool queue_schedule::holds(torrent_id id) const {
    auto const at = entries_.find(id);
    return steers_ && at != entries_.end() && at->second.in_queue && at->second.now != phase::running;
}

bool queue_schedule::seeds(torrent_id id) const {
    auto const at = entries_.find(id);
    return at != entries_.end() && at->second.plays == part::seeding;
}

// ---- what changes

void queue_schedule::count(entry& e) {
    bool const fills =
        steers_ && e.in_queue && !e.failed && !e.offline && (e.now == phase::running || e.may_run);
    if (e.counted) --filled_[index(e.counted_as)];
    e.counted = fills;
    e.counted_as = e.plays;
    if (fills) ++filled_[index(e.plays)];
}

void queue_schedule::take_out(entry& e) {
    of(chosen_, e.plays).erase(e.at);
    of(waiting_, e.plays).erase(e.at);
    pending_.erase(e.at);
}

void queue_schedule::put_in(entry& e, bool was_chosen) {
    if (!competes(e)) {
        e.now = phase::out;
    } else if (was_chosen) {
        of(chosen_, e.plays).insert(e.at);
        if (e.now != phase::running) pending_.insert(e.at);
    } else {
        of(waiting_, e.plays).insert(e.at);
        e.now = phase::waiting;
    }
    count(e);
    touched_.push_back(e.at.id);
}

template <class Change> void queue_schedule::change(entry& e, Change what) {
    bool const was_chosen = e.now == phase::chosen || e.now == phase::running;
    take_out(e);
    what(e);
    put_in(e, was_chosen);
}

void queue_schedule::configure(contract::queue_settings const& to) {
    most_ = to.max_active_torrents;
    most_of_ = {to.max_active_downloading, to.max_active_seeding};
    if (to.auto_manage_queue == steers_) return;
    for (auto& [id, e] : entries_) change(e, [&](entry&) { steers_ = to.auto_manage_queue; });
    steers_ = to.auto_manage_queue;
}

void queue_schedule::set(torrent_asked const& asked, bool offline) {
    if (asked.in_queue)
        order_.put(asked.id, asked.queue_order);
    else
        order_.erase(asked.id);
    auto& e = entries_[asked.id];
    change(e, [&](entry& to) {
        // The highest priority has the smallest rank.
        to.at = {static_cast<std::int8_t>(-static_cast<int>(asked.priority)), asked.queue_order, asked.id};
        to.root = asked.root;
        to.priority = asked.priority;
        to.in_queue = asked.in_queue;
        to.user_paused = asked.paused;
        to.offline = offline;
    });
}

void queue_schedule::restore(
    std::shared_ptr<torrent_asked const> const& asked, torrent_done const& done, bool offline) {
    entries_[asked->id].plays = done.progress >= 1 ? part::seeding : part::downloading;
    set(*asked, offline);
}

void queue_schedule::take(std::span<fact const> facts, std::function<bool(torrent_id)> const& is_offline) {
    auto const with = [this](torrent_id id, auto&& what) {
        if (auto* const e = find(id)) change(*e, what);
    };
    for (auto const& one : facts) {
        if (auto const* const put = std::get_if<torrent_put>(&one)) {
            set(*put->asked, is_offline(put->asked->root));
        } else if (auto const* const gone = std::get_if<torrent_gone>(&one)) {
            auto* const e = find(gone->id);
            if (e == nullptr) continue;
            order_.erase(gone->id);
            take_out(*e);
            e->in_queue = false;
            count(*e);
            entries_.erase(gone->id);
        } else if (auto const* const seen = std::get_if<torrents_seen>(&one)) {
            for (auto const& sample : seen->samples) {
                auto* const e = find(sample.id);
                // Of one that is looked through, the look says what it is at its end.
                if (e == nullptr || sample.state == torrent_state::starting ||
                    sample.state == torrent_state::checking)
                    continue;
                auto const plays = sample.finished ? part::seeding : part::downloading;
                bool const stopped =
                    e->may_run && e->now != phase::running &&
                    (sample.state == torrent_state::paused || sample.state == torrent_state::stopped);
                if (plays == e->plays && !stopped) continue;
                change(*e, [&](entry& to) {
                    to.plays = plays;
                    if (stopped) to.may_run = false;
                });
            }
        } else if (auto const* const failed = std::get_if<torrent_failed>(&one)) {
            with(failed->id, [](entry& e) { // the engine stopped it before it said so
                e.failed = true;
                e.may_run = false;
            });
        } else if (auto const* const recovered = std::get_if<torrent_recovered>(&one)) {
            with(recovered->id, [](entry& e) { e.failed = false; });
        } else if (std::holds_alternative<root_offline>(one) || std::holds_alternative<root_online>(one)) {
            bool const offline = std::holds_alternative<root_offline>(one);
            auto const root = offline ? std::get<root_offline>(one).root : std::get<root_online>(one).root;
            for (auto& [id, e] : entries_)
                if (e.root == root) change(e, [&](entry& to) { to.offline = offline; });
        }
    }
}

// ---- who runs

queue_schedule::rank queue_schedule::worst() const {
    if (chosen_[0].empty()) return *chosen_[1].rbegin();
    if (chosen_[1].empty()) return *chosen_[0].rbegin();
    return std::max(*chosen_[0].rbegin(), *chosen_[1].rbegin());
}

void queue_schedule::drop(rank const& who) {
    auto& e = entries_.find(who.id)->second;
    take_out(e);
    put_in(e, false);
}

void queue_schedule::choose(rank const& who) {
    auto& e = entries_.find(who.id)->second;
    take_out(e);
    e.now = e.counted ? phase::running : phase::chosen; // it may not have stopped yet
    put_in(e, true);
}

void queue_schedule::run_chosen() {
    for (auto at = pending_.begin(); at != pending_.end();) {
        if (is_full(filled_[0] + filled_[1], most_)) return;
        auto& e = entries_.find(at->id)->second;
        if (is_full(filled_[index(e.plays)], most_of_[index(e.plays)])) {
            ++at;
            continue;
        }
        at = pending_.erase(at);
        e.now = phase::running;
        count(e);
        touched_.push_back(e.at.id);
    }
}

std::vector<fact> queue_schedule::settle() {
    for (std::size_t p = 0; p < 2; ++p)
        while (most_of_[p] > 0 && chosen_[p].size() > static_cast<std::size_t>(most_of_[p]))
            drop(rank{*chosen_[p].rbegin()});
    while (most_ > 0 && chosen() > static_cast<std::size_t>(most_)) drop(worst());

    std::array<bool, 2> stuck{};
    while (true) {
        std::size_t next = 2;
        for (std::size_t p = 0; p < 2; ++p)
            if (!stuck[p] && !waiting_[p].empty() &&
                (next == 2 || *waiting_[p].begin() < *waiting_[next].begin()))
                next = p;
        if (next == 2) break;
        rank const best = *waiting_[next].begin();
        bool const full = is_full(chosen_[next].size(), most_of_[next]);
        if (full || is_full(chosen(), most_)) {
            rank const last = full ? *chosen_[next].rbegin() : worst();
            if (last < best) {
                stuck[next] = true;
                continue;
            }
            drop(last);
        }
        choose(best);
    }
    run_chosen();

    std::vector<fact> out;
    std::sort(touched_.begin(), touched_.end());
    touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
    for (auto const id : touched_) {
        auto* const e = find(id);
        if (e == nullptr) continue;
        bool const held = holds(id);
        // Of one that its user paused, or that cannot run, the row says that and not what the queue would.
        auto hold = queue_hold::none;
        if (steers_ && e->in_queue) {
            if (e->priority == queue_priority::paused)
                hold = queue_hold::paused;
            else if (!competes(*e))
                hold = e->told;
            else if (held)
                hold = queue_hold::waits;
        }
        if (hold != e->told) out.emplace_back(torrent_held{id, e->told = hold});
        // One that failed waits for its user; one that was not handed over yet will be, as it is then.
        if (e->engine_knows && *e->engine_knows != held && !e->failed)
            (held ? stops_ : starts_).push_back(id);
    }
    touched_.clear();
    return out;
}

void queue_schedule::note_asked(torrent_id id, bool runs, bool held) {
    auto* const e = find(id);
    if (e == nullptr) return;
    e->engine_knows = held;
    if (!runs || e->may_run) return;
    e->may_run = true;
    count(*e);
}

std::vector<torrent_id> queue_schedule::take_asks(std::size_t at_most) {
    std::vector<torrent_id> out;
    for (auto* const which : {&stops_, &starts_}) {
        std::size_t taken = 0;
        for (; taken < which->size() && out.size() < at_most; ++taken) {
            auto const* const e = find((*which)[taken]);
            if (e != nullptr && !e->failed && e->engine_knows && *e->engine_knows != holds((*which)[taken]))
                out.push_back((*which)[taken]);
        }
        which->erase(which->begin(), which->begin() + static_cast<std::ptrdiff_t>(taken));
    }
    return out;
}

} // namespace ccbt::model
