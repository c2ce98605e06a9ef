#include "engine/lt_prepare.hpp"

#include "base/log.hpp"
#include "engine/lt_convert.hpp"
#include "engine/lt_metadata_guard.hpp"
#include "engine/lt_settings.hpp"
#include "engine/lt_source.hpp"

#include <algorithm>
#include <libtorrent/read_resume_data.hpp>
#include <sys/stat.h>

namespace ccbt::engine {

namespace {

namespace lt = libtorrent;

// Of resume data only what this machine did is taken; what users asked, and where it lies, is the record's.
void take_from_resume(lt::add_torrent_params& to, lt::add_torrent_params& from) {
    to.have_pieces = std::move(from.have_pieces);
    to.unfinished_pieces = std::move(from.unfinished_pieces);
    to.merkle_trees = std::move(from.merkle_trees);
    to.merkle_tree_mask = std::move(from.merkle_tree_mask);
    to.verified_leaf_hashes = std::move(from.verified_leaf_hashes);
    to.total_uploaded = from.total_uploaded;
    to.total_downloaded = from.total_downloaded;
    to.active_time = from.active_time;
    to.finished_time = from.finished_time;
    to.seeding_time = from.seeding_time;
    to.added_time = from.added_time;
    to.completed_time = from.completed_time;
    to.last_seen_complete = from.last_seen_complete;
    to.last_download = from.last_download;
    to.last_upload = from.last_upload;
    to.num_complete = from.num_complete;
    to.num_incomplete = from.num_incomplete;
    to.num_downloaded = from.num_downloaded;
    to.peers = std::move(from.peers);
}

bool read_resume(prepared& p, wish const& how, std::string const& bytes) {
    auto failed = lt::error_code{};
    auto resume = lt::read_resume_data(
        {bytes.data(), static_cast<std::ptrdiff_t>(bytes.size())}, failed, load_limits());
    if (failed) {
        log::warning(
            "resume data of {} cannot be read: {}", how.asked->hashes.canonical().hex(), failed.message());
        return false;
    }
    if (!same_torrent(to_hashes(resume.info_hashes), how.asked->hashes)) {
        log::warning("resume data of {} is another torrent's", how.asked->hashes.canonical().hex());
        return false;
    }
    if (p.params.ti && !resume.have_pieces.empty() && resume.have_pieces.size() != p.params.ti->num_pieces())
        return false;
    if (!p.params.ti) resume.have_pieces.clear();
    take_from_resume(p.params, resume);
    // A piece that was hashed and still being written is told as whole and as unfinished; with both libtorrent would start
    // as a download that lacks nothing.
    auto& have = p.params.have_pieces;
    std::erase_if(p.params.unfinished_pieces, [&](auto const& of) {
        return of.first < have.end_index() && have.get_bit(of.first);
    });
    return true;
}

struct file_state {
    bool exists = false;
    std::int64_t size = 0;
};

file_state look_at(std::string const& path) {
    struct stat s {};
    if (::stat(path.c_str(), &s) != 0 || !S_ISREG(s.st_mode)) return {};
    return {true, s.st_size};
}

// The pieces that a wanted file is too short for, or that lack it: `each` hears file, first and last.
template <class Each> void each_short_file(
    lt::file_storage const& files, std::string const& save_path,
    std::vector<lt::download_priority_t> const& priorities, Each each) {
    for (auto const i : files.file_range()) {
        auto const at = static_cast<std::size_t>(static_cast<int>(i));
        if (files.pad_file_at(i) || files.file_size(i) == 0) continue;
        if (at < priorities.size() && priorities[at] == lt::dont_download)
            continue; // may lie in the part file
        auto const there = look_at(files.file_path(i, save_path));
        if (there.size >= files.file_size(i)) continue;
        each(i, files.map_file(i, there.size, 0).piece, files.map_file(i, files.file_size(i) - 1, 0).piece);
    }
}

// libtorrent 2.0.8 looks only whether files of claimed pieces exist. What a missing or shorter file cannot hold is not
// claimed any more, and so comes again instead of being seeded as garbage.
void drop_what_is_gone(prepared& p, std::string const& save_path) {
    auto& have = p.params.have_pieces;
    if (have.empty() || have.none_set()) return;
    auto const drop = [&](lt::file_index_t, lt::piece_index_t piece, lt::piece_index_t last) {
        for (; piece <= last && piece < have.end_index(); ++piece) {
            have.clear_bit(piece);
            p.params.unfinished_pieces.erase(piece);
        }
    };
    each_short_file(p.params.ti->files(), save_path, p.params.file_priorities, drop);
}

bool any_file(lt::torrent_info const& torrent, std::string const& save_path) {
    auto const& files = torrent.files();
    for (auto const i : files.file_range())
        if (!files.pad_file_at(i) && files.file_size(i) > 0 &&
            look_at(files.file_path(i, save_path)).size > 0)
            return true;
    return false;
}

void choose_what_to_check(prepared& p, wish const& how, load const& first) {
    auto const& torrent = *p.params.ti;
    auto& have = p.params.have_pieces;
    auto const unknown = have.empty();
    if (!unknown && (have.all_set() || (!first.after_crash && first.claimed.empty()))) return;
    if (!any_file(torrent, how.save_path)) {
        if (first.hearsay) p.params.unfinished_pieces.clear();
        return;
    }
    p.to_check.resize(torrent.num_pieces(), unknown || first.after_crash);
    for (auto const piece : first.claimed)
        if (piece < static_cast<std::uint32_t>(torrent.num_pieces()))
            p.to_check.set_bit(lt::piece_index_t{static_cast<int>(piece)});
    if (unknown) {
        // A bitfield that claims nothing keeps libtorrent from checking again what is checked here.
        have.resize(torrent.num_pieces(), false);
        return;
    }
    for (auto const piece : torrent.piece_range())
        if (have.get_bit(piece)) p.to_check.clear_bit(piece);
}

// Nothing of it is believed before it is hashed. Half pieces are, where all that was said of whole ones proves true.
void doubt(prepared& p) {
    p.claimed = std::move(p.params.have_pieces);
    p.params.have_pieces.clear();
    p.params.merkle_trees.clear();
    p.params.merkle_tree_mask.clear();
    p.params.verified_leaf_hashes.clear();
    p.params.peers.clear();
    // Where nothing whole is claimed nothing can prove it a lie.
    if (p.claimed.none_set()) p.params.unfinished_pieces.clear();
    constexpr std::int64_t most = 9'000'000'000'000'000; // sums of them keep within 64 bits
    p.params.total_downloaded = std::clamp<std::int64_t>(p.params.total_downloaded, 0, most);
    p.params.total_uploaded = std::clamp<std::int64_t>(p.params.total_uploaded, 0, most);
}

void take_sources(lt::add_torrent_params& p, contract::settings const& by) {
    auto urls = std::vector<std::pair<std::string, int>>{};
    if (p.ti) {
        for (auto const& t : p.ti->trackers()) urls.emplace_back(t.url, t.tier);
        p.url_seeds.clear();
        p.http_seeds.clear();
        for (auto const& w : p.ti->web_seeds())
            (w.type == lt::web_seed_entry::url_seed ? p.url_seeds : p.http_seeds).push_back(w.url);
    } else {
        for (std::size_t i = 0; i < p.trackers.size(); ++i)
            urls.emplace_back(p.trackers[i], i < p.tracker_tiers.size() ? p.tracker_tiers[i] : 0);
    }
    p.trackers.clear();
    p.tracker_tiers.clear();
    for (auto& [url, tier] : urls) {
        if (!tracker_allowed(by, url) || p.trackers.size() == max_trackers) continue;
        p.trackers.push_back(std::move(url));
        p.tracker_tiers.push_back(tier);
    }
}

bool read_source(prepared& p, wish const& how, load const& first) {
    auto const& asked = *how.asked;
    if (first.metainfo) {
        auto torrent = parse_torrent(*first.metainfo);
        if (!torrent) {
            p.refused = torrent.error().message;
            return false;
        }
        if (!same_torrent(to_hashes((*torrent)->info_hashes()), asked.hashes)) {
            p.refused = "its stored metainfo is another torrent's";
            return false;
        }
        p.params.ti = std::move(*torrent);
        p.params.info_hashes = p.params.ti->info_hashes();
        return true;
    }
    if (!asked.magnet.empty()) {
        auto link = parse_magnet(asked.magnet);
        if (!link) {
            p.refused = link.error().message;
            return false;
        }
        p.params = std::move(*link);
        p.params.dht_nodes.clear();
    }
    p.params.info_hashes = to_lt_hashes(asked.hashes);
    return true;
}

} // namespace

std::string lost_file(
    lt::torrent_info const& torrent, std::string const& save_path, piece_set const& have,
    std::vector<lt::download_priority_t> const& priorities) {
    auto lost = std::string{};
    auto const look = [&](lt::file_index_t i, lt::piece_index_t piece, lt::piece_index_t last) {
        for (; lost.empty() && piece <= last && piece < have.end_index(); ++piece)
            if (have.get_bit(piece)) lost = torrent.files().file_path(i);
    };
    each_short_file(torrent.files(), save_path, priorities, look);
    return lost;
}

std::vector<lt::download_priority_t> make_priorities(
    std::vector<std::uint8_t> const& asked, lt::torrent_info const* torrent) {
    auto priorities = std::vector<lt::download_priority_t>{};
    for (auto const p : asked) priorities.emplace_back(std::min<std::uint8_t>(p, 7));
    if (!torrent) return priorities;
    auto const& files = torrent->files();
    for (auto const i : files.file_range()) {
        if (!(files.file_flags(i) & lt::file_storage::flag_symlink)) continue;
        auto const at = static_cast<std::size_t>(static_cast<int>(i));
        if (priorities.size() <= at) priorities.resize(at + 1, lt::default_priority);
        priorities[at] = lt::dont_download;
    }
    return priorities;
}

std::string larger_file(
    lt::torrent_info const& torrent, std::string const& save_path,
    std::vector<lt::download_priority_t> const& wanted) {
    auto const& files = torrent.files();
    for (auto const i : files.file_range()) {
        auto const at = static_cast<std::size_t>(static_cast<int>(i));
        if (files.pad_file_at(i) || files.file_size(i) == 0) continue;
        if (at < wanted.size() && wanted[at] == lt::dont_download) continue;
        if (look_at(files.file_path(i, save_path)).size > files.file_size(i)) return files.file_path(i);
    }
    return {};
}

prepared prepare(wish const& how, load const& first, applied const& with, contract::settings const& by) {
    auto p = prepared{};
    try {
        if (!read_source(p, how, first)) return p;
        auto& to = p.params;
        to.save_path = how.save_path;
        if (to.name.empty()) to.name = how.asked->name;
        to.storage_mode = by.disk.preallocate == contract::preallocate_mode::full ? lt::storage_mode_allocate
                                                                                  : lt::storage_mode_sparse;
        to.file_priorities = make_priorities(with.file_priorities, to.ti.get());
        take_sources(to, by);
        if (first.resume) p.resumed = read_resume(p, how, *first.resume);
        to.total_downloaded = std::max(to.total_downloaded, first.downloaded);
        to.total_uploaded = std::max(to.total_uploaded, first.uploaded);
        if (first.fresh_totals) to.total_downloaded = to.total_uploaded = 0;
        if (to.ti) {
            if (auto const file = larger_file(*to.ti, how.save_path, to.file_priorities); !file.empty()) {
                p.refused =
                    file +
                    " is there already, larger than the torrent's: move it away, then resume the torrent";
                return p;
            }
            drop_what_is_gone(p, how.save_path);
            if (first.hearsay) doubt(p);
            p.safe = to.have_pieces;
            choose_what_to_check(p, how, first);
        }
        auto const each = make_per_torrent_settings(by);
        to.max_connections = each.max_connections;
        to.max_uploads = each.max_uploads;
        to.download_limit = bytes_per_second(with.down_kib);
        to.upload_limit = bytes_per_second(with.up_kib);
        to.flags = lt::torrent_flags::update_subscribe | lt::torrent_flags::apply_ip_filter |
                   lt::torrent_flags::duplicate_is_error | lt::torrent_flags::override_trackers |
                   lt::torrent_flags::override_web_seeds;
        if (!to.ti)
            to.extensions.emplace_back(
                [folder = how.save_path](lt::torrent_handle const& of, lt::client_data_t) {
                    return std::make_shared<lt_metadata_guard>(of, folder);
                });
        if (!with.running) to.flags |= lt::torrent_flags::paused;
        if (with.sequential) to.flags |= lt::torrent_flags::sequential_download;
        if (!each.pex) to.flags |= lt::torrent_flags::disable_pex;
    } catch (std::exception const& e) {
        p.refused = e.what();
    }
    return p;
}

} // namespace ccbt::engine
