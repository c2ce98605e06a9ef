#include "engine/lt_saver.hpp"

#include "base/log.hpp"
#include "base/safeguard.hpp"
#include "engine/lt_convert.hpp"
#include "engine/lt_prepare.hpp"
#include "engine/lt_sync.hpp"

#include <algorithm>
#include <libtorrent/write_resume_data.hpp>
#include <system_error>

namespace ccbt::engine {

namespace lt = libtorrent;

namespace {

constexpr std::size_t at_once = 256; // saves under way; each may hold a fence in libtorrent's disk queue

// What the data claims beyond what is known to be safe.
piece_set newly_claimed(lt_torrent const& t, lt::add_torrent_params const& data) {
    auto changed = piece_set{};
    if (t.all_safe) return changed;
    changed.resize(t.info->num_pieces(), false);
    auto any = false;
    for (auto const piece : t.info->piece_range()) {
        auto const claimed = (piece < data.have_pieces.end_index() && data.have_pieces.get_bit(piece)) ||
                             data.unfinished_pieces.count(piece) != 0;
        auto const safe = piece < t.safe.end_index() && t.safe.get_bit(piece);
        if (!claimed || safe) continue;
        changed.set_bit(piece);
        any = true;
    }
    return any ? changed : piece_set{};
}

std::shared_ptr<std::string const> to_bytes(lt::add_torrent_params const& data) {
    auto const bytes = lt::write_resume_data_buf(data);
    return std::make_shared<std::string const>(bytes.begin(), bytes.end());
}

} // namespace

lt_saver::lt_saver(
    loop& on, progress_sink sink, unique_function<void(torrent_ref const&)> ended,
    unique_function<void(torrent_ref const&, std::string)> lost)
    : loop_{on},
      sink_{std::move(sink)},
      ended_{std::move(ended)},
      lost_{std::move(lost)},
      syncer_{on, 1'000'000} {}

void lt_saver::want(torrent_ref const& t) {
    if (t->save_queued || t->save != saving::none) return;
    t->save_queued = true;
    queue_.push_back(t);
    next();
}

void lt_saver::next() {
    while (running_ < at_once && !queue_.empty()) {
        auto const t = std::move(queue_.front());
        queue_.pop_front();
        if (!t->save_queued) continue;
        t->save_queued = false;
        if (t->at != stage::live || !t->info || t->removing) {
            if (ended_) ended_(t);
            continue;
        }
        ++running_;
        t->save = saving::asked;
        t->save_spoiled = false;
        t->handle.save_resume_data();
    }
}

void lt_saver::data_came(torrent_ref const& t, lt::add_torrent_params&& data) {
    if (t->save != saving::asked) return;
    t->held = std::make_shared<lt::add_torrent_params>(std::move(data));
    if (t->checking) { // unknown, so that a start hashes it
        t->held->have_pieces.clear();
        t->held->unfinished_pieces.clear();
    }
    if (t->last) { // its own counters lag (lt_convert.hpp)
        t->held->total_downloaded = std::max(t->held->total_downloaded, t->last->downloaded);
        t->held->total_uploaded = std::max(t->held->total_uploaded, t->last->uploaded);
    }
    if (newly_claimed(*t, *t->held).empty()) {
        sync(t);
        return;
    }
    t->save = saving::flushing;
    t->saved_at = t->flush();
}

void lt_saver::flushed(torrent_ref const& t) {
    if (t->save == saving::flushing && t->flushed >= t->saved_at) sync(t);
}

// What waits while the disk works is synced together with the next.
void lt_saver::sync(torrent_ref const& t) {
    if (t->save_spoiled) return end(t);
    t->save = saving::syncing;
    to_sync_.push_back(t);
    sync_some();
}

void lt_saver::sync_some() {
    if (is_syncing_ || to_sync_.empty()) return;
    struct item {
        torrent_ref of;
        std::shared_ptr<lt::add_torrent_params> held;
        std::vector<std::uint8_t> levels;
        claimed_pieces pieces;
        std::string lost;
        std::shared_ptr<std::string const> bytes;
        double progress = 0;
    };
    auto const made = std::make_shared<std::vector<item>>();
    for (auto& t : std::exchange(to_sync_, {})) {
        if (t->save != saving::syncing) continue; // given up
        auto pieces = claimed_pieces{t->info, t->how.save_path, newly_claimed(*t, *t->held)};
        auto held = t->held;
        auto levels = t->done.file_priorities;
        made->push_back({std::move(t), std::move(held), std::move(levels), std::move(pieces), {}, nullptr});
    }
    if (made->empty()) return;
    auto work = [made] {
        auto all = std::vector<claimed_pieces*>{};
        try {
            for (auto& one : *made) {
                one.lost = lost_file(
                    *one.pieces.torrent, one.pieces.save_path, one.held->have_pieces,
                    one.held->file_priorities);
                if (one.lost.empty()) all.push_back(&one.pieces);
            }
            if (in_force(safeguard::payload_fsync)) sync_pieces(all);
            for (auto& one : *made) {
                if (!one.pieces.ok || !one.lost.empty()) continue;
                one.progress = claimed_progress(*one.pieces.torrent, *one.held, one.levels);
                one.bytes = to_bytes(*one.held);
            }
        } catch (std::exception const&) { // memory, at most: those without bytes are not saved
        }
    };
    auto done = here_.guard([this, made] {
        is_syncing_ = false;
        for (auto const& one : *made) {
            auto const& t = one.of;
            if (t->save != saving::syncing || t->held != one.held) continue;
            if (!one.lost.empty())
                lost_(t, one.lost + " is missing, or shorter than it was");
            else if (one.pieces.error != 0)
                lost_(
                    t, "the disk did not take what was written: " +
                           std::generic_category().message(one.pieces.error));
            else if (!one.bytes)
                log::warning(
                    "the files of {} could not be synced; its progress is not saved",
                    t->how.asked->hashes.canonical().hex());
            if (one.bytes && !t->save_spoiled) hand_over(t, one.bytes, one.progress);
            end(t);
        }
        sync_some();
    });
    is_syncing_ = syncer_.run(std::move(work), std::move(done));
    if (is_syncing_) return;
    for (auto const& one : *made) end(one.of);
}

void lt_saver::hand_over(torrent_ref const& t, std::shared_ptr<std::string const> resume, double progress) {
    auto& data = *t->held;
    t->all_safe = !data.have_pieces.empty() && data.have_pieces.all_set();
    t->safe = t->all_safe ? piece_set{} : std::move(data.have_pieces);
    t->saved_downloaded = data.total_downloaded;
    t->saved_uploaded = data.total_uploaded;
    t->saved_pieces = t->all_safe ? t->info->num_pieces() : t->safe.count();
    t->last_resume = t->forgotten ? resume : nullptr;
    if (t->last)
        t->dirty = t->last->downloaded != t->saved_downloaded || t->last->uploaded != t->saved_uploaded ||
                   t->pieces != t->saved_pieces;
    auto done = model::torrent_done{};
    done.id = t->id();
    done.progress = progress; // of what is claimed: more may have come since it was asked for
    done.downloaded = data.total_downloaded;
    done.uploaded = data.total_uploaded;
    done.completed_at = static_cast<double>(data.completed_time);
    told_.push_back({done, std::move(resume)});
    if (told_.size() > 1) return;
    loop_.post(here_.guard([this] {
        auto told = std::exchange(told_, {});
        if (sink_) sink_(std::move(told));
    }));
}

void lt_saver::give_up(torrent_ref const& t) {
    t->save_queued = false;
    if (t->save != saving::none) end(t);
}

void lt_saver::end(torrent_ref const& t) {
    t->save = saving::none;
    t->held.reset();
    t->dirty_since = t->last_save = steady::now();
    --running_;
    if (ended_) ended_(t);
    next();
}

} // namespace ccbt::engine
