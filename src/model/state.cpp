#include "model/state.hpp"

#include "contract/files.hpp"

#include <algorithm>
#include <map>

namespace ccbt::model {

using contract::event_data;
using contract::event_type;

state::state(beginning from) : beginning_{from}, events_{from.first_seq} {
    totals_.downloaded = from.removed_downloaded;
    totals_.uploaded = from.removed_uploaded;
}

void state::know_root(storage_root const& root) { roots_[root.id].root = root; }

storage_root const* state::root(torrent_id id) const {
    auto const at = roots_.find(id);
    return at == roots_.end() ? nullptr : &at->second.root;
}

bool state::is_offline(torrent_id root) const {
    auto const at = roots_.find(root);
    return at == roots_.end() || at->second.offline;
}

std::string state::folder_of(torrent_asked const& asked) const {
    auto const* at = root(asked.root);
    if (at == nullptr) return {};
    if (asked.folder.empty()) return at->path;
    return at->path == "/" ? at->path + asked.folder : at->path + '/' + asked.folder;
}

session_totals state::totals() const {
    auto all = totals_;
    all.downloaded += torrents_.sums().downloaded;
    all.uploaded += torrents_.sums().uploaded;
    return all;
}

void state::restore(std::shared_ptr<torrent_asked const> asked, torrent_done const& done) {
    auto& row = torrents_.insert(std::move(asked), number_);
    row.restored = true;
    row.offline = is_offline(row.asked->root);
    row.seen.progress = done.progress;
    row.seen.downloaded = done.downloaded;
    row.seen.uploaded = done.uploaded;
    refresh(row);
}

void state::restore(address_list list, list_entry entry) {
    (list == address_list::blacklist ? blacklist_ : whitelist_)[entry.range] = std::move(entry);
}

void state::apply(std::span<fact const> facts, double now) {
    ++number_;
    now_ = now;
    for (auto const& one : facts) std::visit([this](auto const& f) { on(f); }, one);
}

void state::tell_changes(double now) {
    if (torrents_.changed() <= told_) return;
    told_ = torrents_.changed();
    events_.pass_on(event_type::torrents_changed, event_data{.revision = revision().token()}, now);
}

void state::tell_stats(contract::get_global_stats::response const& now_so, double now) {
    if (told_stats_ == now_so) return;
    told_stats_ = now_so;
    event_data data;
    data.num_torrents = now_so.num_torrents;
    data.num_active = now_so.num_active;
    data.num_paused = now_so.num_paused;
    data.total_download_rate = now_so.total_download_rate;
    data.total_upload_rate = now_so.total_upload_rate;
    data.total_downloaded = now_so.total_downloaded;
    data.total_uploaded = now_so.total_uploaded;
    data.stats = now_so.stats;
    events_.pass_on(event_type::global_stats_updated, std::move(data), now);
}

event_data state::about(torrent_row const& row) const {
    event_data data;
    data.info_hash = row.view->info_hash;
    data.name = row.view->name;
    return data;
}

void state::refresh(torrent_row& row) {
    auto const* root_of = root(row.asked->root);
    bool const is_new = !row.view;
    auto const before = is_new ? torrent_state::starting : row.view->status;
    if (!torrents_.refresh(row, root_of == nullptr ? std::string{} : root_of->path, number_)) return;
    auto const after = row.view->status;
    // That the torrents of before get going after a start is no news of each of them.
    bool const just_started = row.restored && before == torrent_state::starting;
    if (after != torrent_state::starting) row.restored = false;
    if (is_new || just_started || before == after) return;
    tell_status(row);
}

void state::tell_status(torrent_row const& row) {
    auto data = about(row);
    data.status = std::string{contract::name_of(row.view->status)};
    events_.record(event_type::torrent_status_changed, std::move(data), now_);
}

void state::tell_files(torrent_row const& row, torrent_asked const& before) {
    constexpr std::size_t most_told = 1000; // an event is bounded, a torrent's files are not
    std::map<bool, std::vector<std::int64_t>> selected;
    std::map<contract::file_priority, std::vector<std::int64_t>> priorities;
    auto const& now = *row.asked;
    for (std::size_t i = 0; i < std::max(before.file_priorities.size(), now.file_priorities.size()); ++i) {
        auto const was = contract::file_priority_of(before.file_level(i));
        auto const is = contract::file_priority_of(now.file_level(i));
        if (was == is) continue;
        auto const index = static_cast<std::int64_t>(i);
        priorities[is].push_back(index);
        using enum contract::file_priority;
        if ((was == do_not_download) != (is == do_not_download))
            selected[is != do_not_download].push_back(index);
    }
    auto const about_files = [&](std::vector<std::int64_t> indices) {
        auto data = about(row);
        data.total = static_cast<std::int64_t>(indices.size());
        if (indices.size() > most_told) indices.resize(most_told);
        data.file_indices = std::move(indices);
        return data;
    };
    for (auto& [is_selected, indices] : selected) {
        auto data = about_files(std::move(indices));
        data.action = is_selected ? "selected" : "deselected";
        events_.record(event_type::file_selection_changed, std::move(data), now_);
    }
    for (auto& [priority, indices] : priorities) {
        auto data = about_files(std::move(indices));
        data.priority = std::string{contract::name_of(priority)};
        events_.record(event_type::file_priority_changed, std::move(data), now_);
    }
}

void state::on(torrent_put const& f) {
    if (auto* row = torrents_.row(f.asked->id)) {
        auto const asked_before = row->asked;
        bool const had_metainfo = row->asked->has_metainfo;
        bool const limited =
            row->asked->down_kib != f.asked->down_kib || row->asked->up_kib != f.asked->up_kib;
        auto const before = row->view->status;
        torrents_.replace_asked(*row, f.asked, number_);
        row->offline = is_offline(f.asked->root);
        refresh(*row);
        if (limited && row->view->status == before) tell_status(*row);
        if (!had_metainfo && f.asked->has_metainfo) {
            events_.record(event_type::metadata_ready, about(*row), now_);
            if (finished_early_.erase(f.asked->id) > 0)
                events_.record(event_type::torrent_completed, about(*row), now_);
        }
        tell_files(*row, *asked_before);
        return;
    }
    auto& row = torrents_.insert(f.asked, number_);
    row.offline = is_offline(f.asked->root);
    if (auto const held = held_early_.extract(f.asked->id)) row.hold = held.mapped();
    refresh(row);
    events_.record(event_type::torrent_added, about(row), now_);
}

void state::on(torrent_gone const& f) {
    auto const* row = torrents_.find(f.id);
    if (row == nullptr) return;
    totals_.downloaded += row->view->downloaded;
    totals_.uploaded += row->view->uploaded;
    auto data = about(*row);
    torrents_.erase(f.id, number_);
    held_early_.erase(f.id);
    finished_early_.erase(f.id);
    events_.record(event_type::torrent_removed, std::move(data), now_);
}

void state::on(list_changed const& f) {
    bool const is_black = f.list == address_list::blacklist;
    auto& entries = is_black ? blacklist_ : whitelist_;
    auto const before = entries.size();
    if (f.listed)
        entries[f.entry.range] = f.entry;
    else
        entries.erase(f.entry.range);
    if (entries.size() == before) return; // another reason at most
    event_data data;
    data.ip = f.entry.range.text();
    data.action = f.listed ? "added" : "removed";
    events_.record(
        is_black ? event_type::security_blacklist_updated : event_type::security_whitelist_updated,
        std::move(data), now_);
}

void state::on(torrents_seen const& f) {
    for (auto const& sample : f.samples) {
        auto* row = torrents_.row(sample.id);
        if (row == nullptr) continue; // removed meanwhile
        row->seen = sample;
        refresh(*row);
    }
}

void state::on(torrent_failed const& f) {
    auto* row = torrents_.row(f.id);
    if (row == nullptr) return;
    row->failed = f.message.empty() ? "unknown error" : f.message;
    refresh(*row);
}

void state::on(torrent_recovered const& f) {
    auto* row = torrents_.row(f.id);
    if (row == nullptr) return;
    row->failed.clear();
    refresh(*row);
}

void state::on(torrent_held const& f) {
    auto* row = torrents_.row(f.id);
    if (row == nullptr) {
        held_early_[f.id] = f.hold;
        return;
    }
    row->hold = f.hold;
    refresh(*row);
}

void state::on(torrent_finished const& f) {
    auto const* row = torrents_.find(f.id);
    if (row == nullptr) return;
    // The download of a magnet's torrent may be over before its metadata is kept, and only then told.
    if (!row->asked->has_metainfo)
        finished_early_.insert(f.id);
    else
        events_.record(event_type::torrent_completed, about(*row), now_);
}

// Told and not kept: every torrent announces every half hour, and the log is for what clients must not miss.
void state::on(tracker_announced const& f) {
    auto const* row = torrents_.find(f.id);
    if (row == nullptr) return;
    auto data = about(*row);
    data.url = f.url;
    if (!f.message.empty()) data.message = f.message;
    events_.pass_on(
        f.failed ? event_type::tracker_announce_error : event_type::tracker_announce_success, std::move(data),
        now_);
}

void state::on(peer_came const& f) {
    auto const* row = torrents_.find(f.id);
    if (row == nullptr || !events_.is_wanted(event_type::peer_connected)) return;
    auto data = about(*row);
    data.ip = f.ip;
    data.port = f.port;
    data.direction = f.incoming ? "in" : "out";
    events_.pass_on(event_type::peer_connected, std::move(data), now_);
}

void state::on(peer_left const& f) {
    auto const* row = torrents_.find(f.id);
    if (row == nullptr || !events_.is_wanted(event_type::peer_disconnected)) return;
    auto data = about(*row);
    data.ip = f.ip;
    data.port = f.port;
    data.message = f.why;
    events_.pass_on(event_type::peer_disconnected, std::move(data), now_);
}

void state::on(session_seen const& f) {
    totals_.dht_nodes = f.dht_nodes;
    totals_.session_downloaded = f.session_downloaded;
    totals_.session_uploaded = f.session_uploaded;
    totals_.blocked_connections = f.blocked_connections;
    totals_.allowed_connections = f.allowed_connections;
}

void state::on(nat_seen const& f) {
    bool const mapped_otherwise = f.mappings != nat_.mappings;
    nat_ = f;
    if (!mapped_otherwise) return;
    auto const count = static_cast<std::int64_t>(f.mappings.size());
    events_.record(event_type::nat_mappings_changed, event_data{.total = count}, now_);
}

void state::on(config_changed const& f) {
    events_.record(event_type::config_updated, event_data{.keys = f.keys}, now_);
}

void state::on(filter_loaded const& f) {
    filter_ = f;
    if (f.enabled && f.at > 0)
        events_.record(event_type::security_ip_filter_loaded, event_data{.rules = f.rules}, now_);
}

void state::on(stopping_now const&) {
    stopping_ = true;
    events_.record(event_type::shutdown, event_data{}, now_);
}

void state::on(work_progressed const& f) {
    events_.pass_on(
        event_type::progress_updated, event_data{.what = f.what, .finished = f.finished, .total = f.total},
        now_);
}

void state::on(removed_totals_raised const& f) {
    totals_.downloaded = std::max(totals_.downloaded, f.downloaded);
    totals_.uploaded = std::max(totals_.uploaded, f.uploaded);
}

void state::set_offline(torrent_id id, bool offline) {
    auto const at = roots_.find(id);
    if (at == roots_.end() || at->second.offline == offline) return;
    at->second.offline = offline;
    for (auto const* row = torrents_.first(); row != nullptr; row = row->added_after) {
        if (row->asked->root != id) continue;
        auto& changed = *torrents_.row(row->asked->id);
        changed.offline = offline;
        refresh(changed);
    }
    events_.record(
        offline ? event_type::storage_offline : event_type::storage_online,
        event_data{.path = at->second.root.path}, now_);
}

} // namespace ccbt::model
