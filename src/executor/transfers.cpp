#include "executor/transfers.hpp"

#include <algorithm>

namespace ccbt::executor {

using contract::torrent_state;
using contract::tracker_state;

namespace {

// The engine answers within this, and the API within 10 s.
constexpr std::chrono::milliseconds announce_within{9'000};

std::int64_t least(std::int64_t own, std::int64_t otherwise, std::int64_t global) {
    auto const each = own != 0 ? own : otherwise;
    if (each == 0 || global == 0) return std::max(each, global);
    return std::min(each, global);
}

} // namespace

contract::set_rate_limits::response limits_of(
    model::torrent_asked const& asked, contract::limit_settings const& by) {
    contract::set_rate_limits::response out;
    out.download_kib = asked.down_kib;
    out.upload_kib = asked.up_kib;
    out.effective_download_kib = least(asked.down_kib, by.per_torrent_down_kib, by.global_down_kib);
    out.effective_upload_kib = least(asked.up_kib, by.per_torrent_up_kib, by.global_up_kib);
    out.capped = out.effective_download_kib < out.download_kib || out.effective_upload_kib < out.upload_kib;
    return out;
}

namespace {

unexpected<failure> refuse(std::string why, std::string reason) {
    return fails(errc::announce_refused, std::move(why), {{"reason", std::move(reason)}});
}

failure all_failed(std::vector<contract::tracker_answer> const& trackers) {
    std::vector<std::string> each;
    for (auto const& t : trackers)
        if (t.status != tracker_state::not_asked)
            each.push_back(contract::without_passkey(t.url) + ": " + t.message);
    auto message = "no tracker took the announce: " + (each.empty() ? std::string{} : each.front());
    if (each.size() > 1) message += " (and " + std::to_string(each.size() - 1) + " more)";
    return failure{errc::announce_failed, std::move(message)}.with("trackers", std::move(each));
}

} // namespace

task<result<contract::set_rate_limits::response>> transfers::handle(
    contract::set_rate_limits::request request, caller const& who) {
    auto const* row = house_.state.torrents().find(request.info_hash);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};
    auto const id = row->asked->id;
    auto const turn = co_await house_.torrent_turns.take(id);
    row = house_.state.torrents().find(id);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};

    auto const was = row->asked;
    auto changed = *was;
    changed.down_kib = request.download_kib;
    changed.up_kib = request.upload_kib;
    house_.once.foresee(who.operation_id, limits_of(changed, house_.settings.limits));
    auto const record = co_await keep_changed(house_, was, std::move(changed), who.operation_id);
    if (!record) co_return unexpected<failure>{record.error()};
    // A torrent that failed waits for its user to resume it: the engine is told of its limits with that.
    row = house_.state.torrents().find(id);
    if (*record != was && row != nullptr && row->failed.empty()) house_.ask_engine(*record);
    co_return limits_of(**record, house_.settings.limits);
}

task<result<contract::force_announce::response>> transfers::handle(
    contract::force_announce::request request, caller const&) {
    auto const* row = house_.state.torrents().find(request.info_hash);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};
    if (row->asked->paused) co_return refuse("it is paused: resume it first", "paused");
    if (row->hold != model::queue_hold::none)
        co_return refuse("it is held by the queue: it announces when it runs", "queued");
    if (row->view->status == torrent_state::error)
        co_return refuse("it is stopped by an error: " + row->view->error.value_or(""), "error");

    auto ask = [this, id = row->asked->id](auto done) {
        house_.engine.announce(id, announce_within, std::move(done));
    };
    auto answered = co_await reply_of<result<std::vector<contract::tracker_answer>>>(std::move(ask));
    if (!answered) co_return unexpected<failure>{std::move(answered.error())};
    contract::force_announce::response out;
    out.trackers = std::move(*answered);
    if (out.trackers.empty()) co_return refuse("it has no tracker", "no_tracker");
    auto const took = [](auto const& t) { return t.status == tracker_state::working; };
    if (std::none_of(out.trackers.begin(), out.trackers.end(), took))
        co_return unexpected<failure>{all_failed(out.trackers)};
    co_return out;
}

} // namespace ccbt::executor
