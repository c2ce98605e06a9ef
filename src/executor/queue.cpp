#include "executor/queue.hpp"

#include "executor/transfers.hpp"

#include <algorithm>

namespace ccbt::executor {

using contract::queue_priority;
using contract::torrent_state;
using model::queue_hold;
using model::queue_order;

namespace {

constexpr std::size_t slice = 500; // torrents that are worked on before others have the loop
constexpr int tries = 16;          // of a move whose neighbours others are moving too

failure not_in_queue() { return {errc::queue_not_found, "there is no such torrent in the queue", {}}; }

failure no_such_place(std::int64_t wanted, std::size_t places) {
    return failure{errc::queue_move_failed, "there is no place " + std::to_string(wanted) + " in the queue"}
        .with("field", std::string{"new_position"})
        .with("places", static_cast<std::int64_t>(places));
}

void count(contract::get_queue::numbers& in, model::torrent_row const& row, bool seeds) {
    auto const status = row.view->status;
    if (status == torrent_state::error || status == torrent_state::stopped) return;
    if (row.asked->paused || row.hold == queue_hold::paused)
        ++in.paused;
    else if (row.hold == queue_hold::waits)
        ++in.queued;
    else if (status == torrent_state::seeding || (status == torrent_state::starting && seeds))
        ++in.active_seeding;
    else
        ++in.active_downloading;
}

std::int64_t& number_of(contract::get_queue::priorities& in, queue_priority which) {
    switch (which) {
    case queue_priority::paused: return in.paused;
    case queue_priority::low: return in.low;
    case queue_priority::high: return in.high;
    case queue_priority::maximum: return in.maximum;
    case queue_priority::normal: break;
    }
    return in.normal;
}

} // namespace

task<result<contract::get_queue::response>> queue::handle(contract::get_queue::request, caller const&) {
    contract::get_queue::response out;
    auto const& order = house_.queue.order();
    out.entries.reserve(order.size());
    for (std::size_t n = 0; n < order.size(); ++n) {
        auto const* const row = house_.state.torrents().find(order.at(n));
        if (row == nullptr) continue;
        auto const limits = limits_of(*row->asked, house_.settings.limits);
        auto& entry = out.entries.emplace_back();
        entry.info_hash = row->view->info_hash;
        entry.queue_position = static_cast<std::int64_t>(n);
        entry.priority = row->asked->priority;
        entry.status = row->view->status;
        entry.allocated_down_kib = static_cast<double>(limits.effective_download_kib);
        entry.allocated_up_kib = static_cast<double>(limits.effective_upload_kib);
        count(out.statistics, *row, house_.queue.seeds(row->asked->id));
        ++number_of(out.statistics.by_priority, row->asked->priority);
    }
    out.statistics.total_torrents = static_cast<std::int64_t>(out.entries.size());
    co_return out;
}

task<result<contract::add_to_queue::response>> queue::handle(
    contract::add_to_queue::request request, caller const& who) {
    auto const* row = house_.state.torrents().find(request.info_hash);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};
    auto const id = row->asked->id;
    auto const turn = co_await house_.torrent_turns.take(id);
    auto const order_turn = co_await house_.queue_turn.take(0);
    row = house_.state.torrents().find(id);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};

    auto changed = *row->asked;
    changed.priority = request.priority;
    if (!changed.in_queue) {
        changed.in_queue = true;
        changed.queue_order = house_.last_queue_order = queue_order::after(torrents_.last_queue_order());
    }
    contract::add_to_queue::response const out{"added", changed.hashes.canonical().hex()};
    house_.once.foresee(who.operation_id, out);
    auto const kept = co_await keep_changed(house_, row->asked, std::move(changed), who.operation_id);
    if (!kept) co_return unexpected<failure>{kept.error()};
    co_return out;
}

task<result<contract::remove_from_queue::response>> queue::handle(
    contract::remove_from_queue::request request, caller const& who) {
    auto const* row = house_.state.torrents().find(request.info_hash);
    if (row == nullptr) co_return unexpected<failure>{not_in_queue()};
    auto const id = row->asked->id;
    auto const turn = co_await house_.torrent_turns.take(id);
    auto const order_turn = co_await house_.queue_turn.take(0);
    row = house_.state.torrents().find(id);
    if (row == nullptr || !row->asked->in_queue) co_return unexpected<failure>{not_in_queue()};

    auto changed = *row->asked;
    changed.in_queue = false;
    contract::remove_from_queue::response const out{"removed", changed.hashes.canonical().hex()};
    house_.once.foresee(who.operation_id, out);
    auto const kept = co_await keep_changed(house_, row->asked, std::move(changed), who.operation_id);
    if (!kept) co_return unexpected<failure>{kept.error()};
    co_return out;
}

task<result<contract::move_in_queue::response>> queue::handle(
    contract::move_in_queue::request request, caller const& who) {
    auto const* row = house_.state.torrents().find(request.info_hash);
    if (row == nullptr) co_return unexpected<failure>{not_in_queue()};
    auto const id = row->asked->id;
    auto const wanted = static_cast<std::size_t>(request.new_position);
    for (int n = 0; n < tries; ++n) {
        {
            auto const turn = co_await house_.torrent_turns.take(id);
            auto const order_turn = co_await house_.queue_turn.take(0);
            row = house_.state.torrents().find(id);
            if (row == nullptr || !row->asked->in_queue) co_return unexpected<failure>{not_in_queue()};
            auto const& order = house_.queue.order();
            if (wanted >= order.size())
                co_return unexpected<failure>{no_such_place(request.new_position, order.size())};
            auto key = std::optional{row->asked->queue_order};
            if (order.position(id) != wanted) key = order.key_at(id, wanted, torrents_.last_queue_order());
            if (key) {
                house_.last_queue_order = std::max(torrents_.last_queue_order(), *key);
                auto changed = *row->asked;
                changed.queue_order = *key;
                contract::move_in_queue::response out;
                out.status = "moved";
                out.info_hash = changed.hashes.canonical().hex();
                out.new_position = request.new_position;
                house_.once.foresee(who.operation_id, out);
                auto const kept =
                    co_await keep_changed(house_, row->asked, std::move(changed), who.operation_id);
                if (!kept) co_return unexpected<failure>{kept.error()};
                co_return out;
            }
        }
        auto const made = co_await make_room(wanted);
        if (!made) co_return unexpected<failure>{made.error()};
    }
    co_return fails(errc::queue_move_failed, "the queue is being changed by many at once: try again");
}

// The gap there is used up: the neighbours get new keys, far apart. Rare: after some twenty moves to one place.
task<result<void>> queue::make_room(std::size_t position) {
    for (int n = 0; n < tries; ++n) {
        std::vector<torrent_id> ids;
        for (auto const& [id, key] : house_.queue.order().spread_at(position)) ids.push_back(id);
        std::sort(ids.begin(), ids.end());
        auto const held = co_await turns_of(ids);
        auto const order_turn = co_await house_.queue_turn.take(0);
        auto const spread = house_.queue.order().spread_at(position); // others were in between
        std::vector<model::torrent_asked> changed;
        bool all_held = true;
        for (auto const& [id, key] : spread) {
            auto const* const row = house_.state.torrents().find(id);
            all_held = all_held && row != nullptr && std::binary_search(ids.begin(), ids.end(), id);
            if (!all_held) break;
            changed.push_back(*row->asked);
            changed.back().queue_order = key;
            house_.last_queue_order = std::max(torrents_.last_queue_order(), key);
        }
        if (!all_held) continue;
        if (changed.empty()) co_return result<void>{};
        auto const kept = co_await keep_all(std::move(changed), std::string());
        co_return kept;
    }
    co_return result<void>{}; // the move looks again, and gives up in its turn
}

task<> queue::let_others_in() {
    auto later = [this](auto done) {
        auto const held = std::make_shared<decltype(done)>(std::move(done));
        house_.on.post([held] { (*held)(true); });
    };
    co_await reply_of<bool>(std::move(later));
}

// Always in the same order, and before the queue's: else two who want several would wait for each other.
task<std::vector<queue::hold>> queue::turns_of(std::vector<torrent_id> ids) {
    std::vector<hold> held;
    held.reserve(ids.size());
    for (auto const id : ids) {
        auto one = co_await house_.torrent_turns.take(id);
        held.push_back(std::move(one));
        if (held.size() % slice == 0) co_await let_others_in();
    }
    co_return held;
}

// In one commit. Hold the turns of all.
task<result<void>> queue::keep_all(std::vector<model::torrent_asked> changed, std::string operation_id) {
    store::commit change;
    change.operation_id = std::move(operation_id);
    std::vector<model::fact> facts;
    facts.reserve(changed.size());
    for (auto& one : changed) {
        auto const record = std::make_shared<model::torrent_asked const>(std::move(one));
        change.changes.emplace_back(store::put_torrent{record});
        facts.emplace_back(model::torrent_put{record});
        if (facts.size() % slice == 0) co_await let_others_in();
    }
    auto const kept = co_await commit(house_, std::move(change));
    if (!kept) co_return unexpected<failure>{kept.error()};
    for (std::size_t n = 0; n < facts.size(); n += slice) {
        if (n > 0) co_await let_others_in();
        house_.apply(std::span{facts}.subspan(n, std::min(slice, facts.size() - n)));
    }
    co_return result<void>{};
}

task<result<contract::done>> queue::handle(contract::clear_queue::request, caller const& who) {
    std::vector<torrent_id> ids;
    for (std::size_t n = 0; n < house_.queue.order().size(); ++n) ids.push_back(house_.queue.order().at(n));
    std::sort(ids.begin(), ids.end());
    auto const held = co_await turns_of(ids);
    auto const order_turn = co_await house_.queue_turn.take(0);
    std::vector<model::torrent_asked> changed;
    for (auto const id : ids) {
        auto const* const row = house_.state.torrents().find(id);
        if (row == nullptr || !row->asked->in_queue) continue; // gone meanwhile
        changed.push_back(*row->asked);
        changed.back().in_queue = false;
        if (changed.size() % slice == 0) co_await let_others_in();
    }
    contract::done const out{"cleared"};
    if (!changed.empty()) {
        house_.once.foresee(who.operation_id, out);
        auto const kept = co_await keep_all(std::move(changed), who.operation_id);
        if (!kept) co_return unexpected<failure>{kept.error()};
    }
    co_return out;
}

// ---- stopping and going on

task<result<contract::pause_in_queue::response>> queue::handle(
    contract::pause_in_queue::request request, caller const& who) {
    contract::pause_in_queue::response const out{"paused", request.info_hash.hex()};
    house_.once.foresee(who.operation_id, out);
    auto const set = co_await torrents_.set_paused(request.info_hash, true, who.operation_id);
    if (!set) co_return unexpected<failure>{set.error()};
    co_return out;
}

task<result<contract::resume_in_queue::response>> queue::handle(
    contract::resume_in_queue::request request, caller const& who) {
    contract::resume_in_queue::response const out{"resumed", request.info_hash.hex()};
    house_.once.foresee(who.operation_id, out);
    auto const set = co_await torrents_.set_paused(request.info_hash, false, who.operation_id);
    if (!set) co_return unexpected<failure>{set.error()};
    co_return out;
}

} // namespace ccbt::executor
