#include "executor/session.hpp"

#include <algorithm>

namespace ccbt::executor {

using contract::torrent_state;

task<result<contract::get_status::response>> session::handle(contract::get_status::request, caller const&) {
    contract::get_status::response out;
    out.pid = house_.self.pid;
    out.uptime = std::chrono::duration<double>(steady::now() - house_.self.started).count();
    out.version = house_.self.version;
    out.num_torrents = static_cast<std::int64_t>(house_.state.torrents().size());
    out.ipc_url = house_.self.url;
    out.lineage = house_.self.lineage;
    out.node_id = house_.self.node_id;
    co_return out;
}

contract::get_global_stats::response global_stats(model::state const& state) {
    auto const& sums = state.torrents().sums();
    auto const totals = state.totals();
    contract::get_global_stats::response out;
    auto& more = out.stats;
    more.num_torrents = out.num_torrents = static_cast<std::int64_t>(state.torrents().size());
    more.num_paused = out.num_paused = sums.in(torrent_state::paused);
    more.num_seeding = sums.in(torrent_state::seeding);
    more.num_active = out.num_active = out.num_torrents - out.num_paused - more.num_seeding;
    // Sums of rounded-off doubles may end a hair below zero.
    more.download_rate = out.total_download_rate = std::max(0.0, sums.download_rate);
    more.upload_rate = out.total_upload_rate = std::max(0.0, sums.upload_rate);
    out.total_downloaded = totals.downloaded;
    out.total_uploaded = totals.uploaded;
    more.average_progress = out.num_torrents == 0
                                ? 0
                                : std::clamp(sums.progress / static_cast<double>(out.num_torrents), 0.0, 1.0);
    more.session_downloaded = totals.session_downloaded;
    more.session_uploaded = totals.session_uploaded;
    more.num_peers = sums.num_peers;
    more.dht_nodes = totals.dht_nodes;
    return out;
}

task<result<contract::get_global_stats::response>> session::handle(
    contract::get_global_stats::request, caller const&) {
    co_return global_stats(house_.state);
}

task<result<contract::shut_down::response>> session::handle(contract::shut_down::request, caller const&) {
    house_.begin_shutdown();
    co_return contract::shut_down::response{};
}

task<result<contract::document>> session::handle(contract::get_metrics::request, caller const&) {
    if (!house_.settings.observability.enable_metrics)
        co_return fails(errc::not_found, "metrics are switched off (observability.enable_metrics)");
    contract::document page{"text/plain; version=0.0.4; charset=utf-8", metrics_page(house_)};
    co_return page;
}

task<result<contract::get_health::response>> session::handle(contract::get_health::request, caller const&) {
    contract::get_health::response out;
    if (house_.store_failed) out.status = "degraded";
    co_return out;
}

task<result<contract::document>> session::handle(contract::get_openapi::request, caller const&) {
    contract::document page{"application/json", house_.openapi()};
    co_return page;
}

} // namespace ccbt::executor
