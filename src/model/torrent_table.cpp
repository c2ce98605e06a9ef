#include "model/torrent_table.hpp"

#include <algorithm>

namespace ccbt::model {

namespace {

constexpr std::size_t rows_of_a_page = 64;

std::string output_folder(std::string const& root, std::string const& folder) {
    if (folder.empty()) return root;
    return root == "/" ? root + folder : root + '/' + folder;
}

bool same(contract::torrent_status const& a, contract::torrent_status const& b) {
    return a.status == b.status && a.progress == b.progress && a.download_rate == b.download_rate &&
           a.upload_rate == b.upload_rate && a.num_peers == b.num_peers && a.num_seeds == b.num_seeds &&
           a.downloaded == b.downloaded && a.uploaded == b.uploaded && a.total_size == b.total_size &&
           a.name == b.name && a.error == b.error && a.info_hash == b.info_hash && a.labels == b.labels &&
           a.output_dir == b.output_dir && a.is_private == b.is_private && a.added_at == b.added_at &&
           a.download_limit_kib == b.download_limit_kib && a.upload_limit_kib == b.upload_limit_kib;
}

} // namespace

torrent_state status_of(torrent_row const& row) {
    if (row.offline || !row.failed.empty()) return torrent_state::error;
    // A paused torrent may still be looked through; everything else is as the user asked, at once.
    if (row.asked->paused && row.seen.state != torrent_state::checking) return torrent_state::paused;
    // One that waits may be looked through before it is loaded: that takes no slot.
    if (row.hold != queue_hold::none)
        return row.hold == queue_hold::paused ? torrent_state::paused : torrent_state::queued;
    if (row.seen.state == torrent_state::starting)
        return row.asked->has_metainfo ? torrent_state::starting : torrent_state::metadata;
    if (!row.asked->paused && row.seen.state == torrent_state::paused)
        return row.seen.finished         ? torrent_state::seeding
               : row.asked->has_metainfo ? torrent_state::downloading
                                         : torrent_state::metadata;
    return row.seen.state;
}

torrent_row const* torrent_table::find(torrent_id id) const {
    auto const at = rows_.find(id);
    return at == rows_.end() ? nullptr : at->second.get();
}

torrent_row const* torrent_table::find(info_hash const& either) const {
    auto const at = by_hash_.find(either);
    return at == by_hash_.end() ? nullptr : at->second;
}

torrent_row* torrent_table::row(torrent_id id) {
    auto const at = rows_.find(id);
    return at == rows_.end() ? nullptr : at->second.get();
}

torrent_row_view torrent_table::joined(row_page const& page, std::uint64_t mask) {
    auto& kept = mask == 0 ? page.joined : page.narrowed;
    if (kept && (mask == 0 || page.narrowed_to == mask)) return kept;
    std::vector<torrent_row_view> views;
    views.reserve(page.count);
    auto const* row = page.first;
    for (std::size_t n = 0; n < page.count; ++n, row = row->added_after) {
        views.push_back(row->view);
        views.back().mask = mask;
    }
    kept = torrent_row_view::standing_for(std::move(views));
    if (mask != 0) page.narrowed_to = mask;
    return kept;
}

void torrent_table::name(torrent_row& row) {
    for (auto const* hash : {&row.asked->hashes.v1, &row.asked->hashes.v2})
        if (*hash) by_hash_[*hash] = &row;
}

void torrent_table::unname(torrent_row const& row) {
    for (auto const* hash : {&row.asked->hashes.v1, &row.asked->hashes.v2})
        if (*hash) by_hash_.erase(*hash);
}

torrent_row& torrent_table::insert(std::shared_ptr<torrent_asked const> asked, std::uint64_t at) {
    auto made = std::make_unique<torrent_row>();
    auto& row = *made;
    row.asked = std::move(asked);
    row.seen.id = row.asked->id;
    rows_[row.asked->id] = std::move(made);
    name(row);
    row.added_before = last_added_;
    (last_added_ == nullptr ? first_added_ : last_added_->added_after) = &row;
    last_added_ = &row;
    if (pages_.empty() || pages_.back().count == rows_of_a_page) pages_.push_back({.first = &row});
    row.page = std::prev(pages_.end());
    ++row.page->count;
    row.page->changed();
    link_changed(row, at);
    return row;
}

void torrent_table::replace_asked(
    torrent_row& row, std::shared_ptr<torrent_asked const> asked, std::uint64_t at) {
    // A v2 magnet that turns out to be hybrid: clients know the row by a hash that it answers by no more.
    auto const before = row.asked->hashes.canonical();
    if (before != asked->hashes.canonical()) note_gone(before, at);
    unname(row);
    row.asked = std::move(asked);
    name(row);
}

void torrent_table::note_gone(info_hash const& hash, std::uint64_t at) {
    gone_.push_back({at, hash});
    if (gone_.size() <= most_gone) return;
    gone_known_since_ = gone_.front().at;
    gone_.pop_front();
}

bool torrent_table::refresh(torrent_row& row, std::string const& root_path, std::uint64_t at) {
    auto const& asked = *row.asked;
    contract::torrent_status s;
    s.info_hash = asked.hashes.canonical().hex();
    s.name = asked.name.empty() ? s.info_hash : asked.name;
    s.status = status_of(row);
    s.progress = std::clamp(row.seen.progress, 0.0, 1.0);
    bool const moves = s.status != torrent_state::paused && s.status != torrent_state::error &&
                       s.status != torrent_state::queued;
    s.download_rate = moves ? row.seen.download_rate : 0;
    s.upload_rate = moves ? row.seen.upload_rate : 0;
    s.num_peers = moves ? row.seen.num_peers : 0;
    s.num_seeds = moves ? row.seen.num_seeds : 0;
    s.total_size = asked.total_size;
    s.downloaded = row.seen.downloaded;
    s.uploaded = row.seen.uploaded;
    s.is_private = asked.is_private;
    if (row.offline)
        s.error = "the storage folder " + root_path + " is not there: is the drive mounted?";
    else if (!row.failed.empty())
        s.error = row.failed;
    s.output_dir = output_folder(root_path, asked.folder);
    s.labels = asked.labels;
    s.added_at = asked.added_at;
    s.download_limit_kib = asked.down_kib;
    s.upload_limit_kib = asked.up_kib;
    if (row.view && same(*row.view, s)) return false;

    if (row.view) count(row, -1);
    row.view = torrent_row_view{std::move(s)};
    row.page->changed();
    count(row, +1);
    unlink_changed(row);
    link_changed(row, at);
    return true;
}

void torrent_table::erase(torrent_id id, std::uint64_t at) {
    auto const found = rows_.find(id);
    if (found == rows_.end()) return;
    auto& row = *found->second;
    if (row.view) count(row, -1);
    unname(row);
    unlink_changed(row);
    if (row.page->first == &row) row.page->first = row.added_after;
    row.page->changed();
    if (--row.page->count == 0) pages_.erase(row.page);
    (row.added_before == nullptr ? first_added_ : row.added_before->added_after) = row.added_after;
    (row.added_after == nullptr ? last_added_ : row.added_after->added_before) = row.added_before;
    note_gone(row.asked->hashes.canonical(), at);
    changed_ = at;
    rows_.erase(found);
}

void torrent_table::link_changed(torrent_row& row, std::uint64_t at) {
    row.changed = at;
    changed_ = at;
    row.changed_before = last_changed_;
    row.changed_after = nullptr;
    if (last_changed_ != nullptr) last_changed_->changed_after = &row;
    last_changed_ = &row;
}

void torrent_table::unlink_changed(torrent_row& row) {
    if (row.changed_before != nullptr) row.changed_before->changed_after = row.changed_after;
    if (row.changed_after != nullptr) row.changed_after->changed_before = row.changed_before;
    if (last_changed_ == &row) last_changed_ = row.changed_before;
    row.changed_before = row.changed_after = nullptr;
}

void torrent_table::count(torrent_row const& row, int sign) {
    auto const& v = *row.view;
    auto const status = static_cast<std::size_t>(v.status);
    sums_.by_state[status] += sign;
    row.page->by_state[status] = static_cast<std::uint8_t>(row.page->by_state[status] + sign);
    sums_.downloaded += sign * v.downloaded;
    sums_.uploaded += sign * v.uploaded;
    sums_.num_peers += sign * v.num_peers;
    sums_.download_rate += sign * v.download_rate;
    sums_.upload_rate += sign * v.upload_rate;
    sums_.progress += sign * v.progress;
}

std::optional<torrent_table::delta> torrent_table::changes_since(std::uint64_t since) const {
    if (since < gone_known_since_) return std::nullopt;
    delta out;
    for (auto const* row = last_changed_; row != nullptr && row->changed > since; row = row->changed_before)
        out.rows.push_back(row);
    for (auto g = gone_.rbegin(); g != gone_.rend() && g->at > since; ++g)
        // Removed and added again since: the row says all. As another's second name it does not show.
        if (auto const* row = find(g->hash); row == nullptr || row->asked->hashes.canonical() != g->hash)
            out.removed.push_back(g->hash.hex());
    std::sort(out.removed.begin(), out.removed.end());
    out.removed.erase(std::unique(out.removed.begin(), out.removed.end()), out.removed.end());
    return out;
}

} // namespace ccbt::model
