#include "executor/context.hpp"

#include "base/log.hpp"
#include "base/safeguard.hpp"

namespace ccbt::executor {

failure no_such_torrent() { return {errc::torrent_not_found, "there is no torrent of that info-hash", {}}; }

namespace {
constexpr std::size_t asks_at_once = 500;
} // namespace

void context::apply(std::span<model::fact const> facts) {
    queue.take(facts, [this](torrent_id root) { return state.is_offline(root); });
    // A stop pauses everything: that makes no room for others.
    auto held = state.stopping() ? std::vector<model::fact>{} : queue.settle();
    if (!held.empty()) {
        held.insert(held.end(), facts.begin(), facts.end());
        facts = held;
    }
    if (!facts.empty()) state.apply(facts, unix_now());
    tell_engine_of_queue();
}

// Later: whoever applied these facts tells the engine of them first, so that what stops by them has stopped before
// anything is started in its place.
void context::tell_engine_of_queue() {
    if (!queue.has_asks() || *queue_asks) return;
    *queue_asks = true;
    on.post([this, posted = std::weak_ptr<bool>{queue_asks}] {
        auto const here = posted.lock();
        if (!here) return;
        *here = false;
        for (auto const id : queue.take_asks(asks_at_once))
            if (auto const* const row = state.torrents().find(id)) ask_engine(row->asked);
        tell_engine_of_queue();
    });
}

engine::wish context::wish_for(std::shared_ptr<model::torrent_asked const> asked) {
    auto folder = state.folder_of(*asked);
    bool const offline = state.is_offline(asked->root);
    bool const held = queue.holds(asked->id);
    queue.note_asked(asked->id, !asked->paused && !offline && !held, held);
    return {std::move(asked), std::move(folder), offline, held};
}

void context::configure_queue() {
    queue.configure(settings.queue);
    apply(std::span<model::fact const>{});
}

task<result<void>> commit(context& house, store::commit what) {
    house.once.put_answer(what);
    auto const held = std::make_shared<store::commit>(std::move(what));
    auto start = [&house, held](auto done) { house.truth.commit_change(std::move(*held), std::move(done)); };
    if (!in_force(safeguard::answer_after_commit)) { // a mutant's early answer
        house.truth.commit_change(std::move(*held), [](store::outcome) {});
        co_return result<void>{};
    }
    auto const how = co_await reply_of<store::outcome>(std::move(start));
    switch (how) {
    case store::outcome::committed: house.store_failed = false; co_return result<void>{};
    case store::outcome::conflict: co_return fails(errc::torrent_exists, "that torrent is already here");
    case store::outcome::full:
        co_return fails(
            errc::state_storage_full, "the disk of the daemon's state is full: nothing was changed");
    case store::outcome::unavailable: co_return fails(errc::shutting_down, "the daemon is shutting down");
    case store::outcome::io_error:
    case store::outcome::unknown: break;
    }
    house.store_failed = true;
    log::error("a change could not be kept: the state's disk failed");
    co_return fails(errc::state_io_error, "the daemon's state could not be written: nothing was changed");
}

task<result<std::shared_ptr<model::torrent_asked const>>> keep_changed(
    context& house, std::shared_ptr<model::torrent_asked const> was, model::torrent_asked now,
    std::string operation_id) {
    if (now == *was) co_return was;
    auto record = std::make_shared<model::torrent_asked const>(std::move(now));
    store::commit change;
    change.operation_id = std::move(operation_id);
    change.changes.emplace_back(store::put_torrent{record});
    auto const kept = co_await commit(house, std::move(change));
    if (!kept) co_return unexpected<failure>{kept.error()};
    house.apply(model::torrent_put{record});
    co_return record;
}

} // namespace ccbt::executor
