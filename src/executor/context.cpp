#include "executor/context.hpp"

#include "base/log.hpp"

namespace ccbt::executor {

failure no_such_torrent() { return {errc::torrent_not_found, "there is no torrent of that info-hash", {}}; }

task<result<void>> commit(context& house, store::commit what) {
    auto const held = std::make_shared<store::commit>(std::move(what));
    auto start = [&house, held](auto done) { house.truth.commit_change(std::move(*held), std::move(done)); };
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
