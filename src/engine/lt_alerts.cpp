// What libtorrent says, in one switch: an alert becomes at most one fact, and everything in it is copied, since an alert
// lives only until the next ones are popped.
#include "base/log.hpp"
#include "base/text.hpp"
#include "engine/lt_convert.hpp"
#include "engine/lt_prepare.hpp"
#include "engine/lt_session.hpp"
#include "engine/lt_source.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/extensions/ut_pex.hpp>

namespace ccbt::engine {

namespace lt = libtorrent;
using namespace std::chrono_literals;

namespace {

constexpr auto metadata_again_in = 500ms;

} // namespace

torrent_ref lt_session::find(lt::torrent_handle const& handle) const {
    return torrents_.find_serial(to_serial(handle.userdata()));
}

void lt_session::peer_came(connection const& one, bool dialled_us) {
    auto const& [serial, at] = one;
    if (auto const t = torrents_.find_serial(serial); t && !t->forgotten && connected_.insert(one).second)
        tell_.tell(model::peer_came{t->id(), at.address().to_string(), at.port(), dialled_us});
}

// Also called for those that never were connected with.
void lt_session::peer_left(connection const& one, std::string why) {
    auto const& [serial, at] = one;
    if (auto const t = torrents_.find_serial(serial); t && connected_.erase(one) > 0 && !t->forgotten)
        tell_.tell(model::peer_left{t->id(), at.address().to_string(), at.port(), std::move(why)});
}

void lt_session::pump_alerts() {
    alerts_posted_->store(false); // before popping, so that none is left that nobody posts for
    auto alerts = std::vector<lt::alert*>{};
    session_->pop_alerts(&alerts);
    for (auto* const a : alerts) {
        try {
            on_alert(a);
        } catch (std::exception const& e) {
            log::error("{} could not be handled: {}", a->what(), e.what());
        }
    }
}

void lt_session::on_alert(lt::alert* a) {
    switch (a->type()) {
    case lt::add_torrent_alert::alert_type: return on(*lt::alert_cast<lt::add_torrent_alert>(a));
    case lt::state_update_alert::alert_type: return on(*lt::alert_cast<lt::state_update_alert>(a));
    case lt::metadata_received_alert::alert_type: return on(*lt::alert_cast<lt::metadata_received_alert>(a));
    case lt::listen_succeeded_alert::alert_type: return on(*lt::alert_cast<lt::listen_succeeded_alert>(a));
    case lt::listen_failed_alert::alert_type: log::warning("{}", a->message()); return;
    case lt::session_error_alert::alert_type: log::error("{}", a->message()); return;
    case lt::session_stats_alert::alert_type: {
        auto const counted = lt::alert_cast<lt::session_stats_alert>(a)->counters();
        auto const at = [&](int index) { return index < 0 ? std::int64_t{0} : counted[index]; };
        // Both ends of a connection with ourselves were counted; one whose end is not told yet must not be taken back.
        let_through_ = std::max(let_through_, dialled_ + at(taken_index_) - 2 * with_ourselves_);
        tell_.tell(model::session_seen{
            at(dht_nodes_index_), at(received_index_), at(sent_index_), blocked_connections_, let_through_});
        return;
    }
    case lt::peer_blocked_alert::alert_type: {
        // A connection refused, or an address that is not dialled. Without a port: one that a new filter cuts, whose
        // end is told as well.
        auto const& b = *lt::alert_cast<lt::peer_blocked_alert>(a);
        if (b.reason != lt::peer_blocked_alert::ip_filter || b.endpoint.port() == 0) return;
        ++blocked_connections_;
        if (settings_.security.ip_filter.filter_log_blocked)
            blocked_log_.note(b.endpoint.address().to_string());
        return;
    }
    case lt::peer_connect_alert::alert_type: {
        auto const& came = *lt::alert_cast<lt::peer_connect_alert>(a);
        bool const dialled = came.direction == lt::peer_connect_alert::direction_t::out;
        if (dialled) ++dialled_;
        peer_came({to_serial(came.handle.userdata()), came.endpoint}, !dialled);
        return;
    }
    case lt::peer_disconnected_alert::alert_type: {
        auto const& gone = *lt::alert_cast<lt::peer_disconnected_alert>(a);
        if (gone.error == lt::errors::banned_by_ip_filter) ++blocked_connections_;
        if (gone.error == lt::errors::self_connection) ++with_ourselves_;
        auto const one = connection{to_serial(gone.handle.userdata()), gone.endpoint};
        if (seeing_all_) left_meanwhile_.insert(one);
        peer_left(one, text::to_valid_utf8(gone.error.message()));
        return;
    }
    case lt::save_resume_data_alert::alert_type: {
        auto* const saved = lt::alert_cast<lt::save_resume_data_alert>(a);
        if (auto const t = find(saved->handle)) saver_->data_came(t, std::move(saved->params));
        return;
    }
    case lt::save_resume_data_failed_alert::alert_type:
        if (auto const t = find(lt::alert_cast<lt::torrent_alert>(a)->handle)) saver_->give_up(t);
        return;
    case lt::cache_flushed_alert::alert_type:
        if (auto const t = find(lt::alert_cast<lt::cache_flushed_alert>(a)->handle)) flushed(t);
        return;
    case lt::torrent_finished_alert::alert_type:
        // Also told of what was complete before: whether anything was downloaded, its next sample says.
        if (auto const t = find(lt::alert_cast<lt::torrent_finished_alert>(a)->handle)) {
            t->finish_pending = true;
            t->whole_at = ++t->flushes; // libtorrent flushes by itself then
            look_soon();
        }
        return;
    case lt::torrent_checked_alert::alert_type:
        if (auto const t = find(lt::alert_cast<lt::torrent_checked_alert>(a)->handle)) t->checking = false;
        look_soon();
        return;
    case lt::file_error_alert::alert_type: {
        auto const& e = *lt::alert_cast<lt::file_error_alert>(a);
        auto const t = find(e.handle);
        if (!t) return;
        if (!t->how.blocked && (e.error == boost::system::errc::no_such_file_or_directory ||
                                e.error == boost::asio::error::eof || e.error == lt::errors::file_too_short))
            t->recheck = true;
        if (!is_stray(t)) fail(t, to_text(e.error, e.op, e.filename(), t->how.save_path));
        return;
    }
    case lt::torrent_error_alert::alert_type: {
        auto const& e = *lt::alert_cast<lt::torrent_error_alert>(a);
        if (auto const t = find(e.handle); t && !is_stray(t))
            fail(t, to_text(e.error, lt::operation_t::unknown, e.filename(), t->how.save_path));
        return;
    }
    case lt::torrent_conflict_alert::alert_type: {
        auto const& c = *lt::alert_cast<lt::torrent_conflict_alert>(a);
        for (auto const& handle : {c.handle, c.conflicting_torrent})
            if (auto const t = find(handle))
                fail(t, to_text(lt::errors::duplicate_torrent, lt::operation_t::unknown, "", ""));
        return;
    }
    case lt::metadata_failed_alert::alert_type: {
        auto const& failed = *lt::alert_cast<lt::metadata_failed_alert>(a);
        log::info("{}", a->message());
        if (failed.error == lt::errors::mismatching_info_hash) return; // another peer may do better
        if (auto const t = find(failed.handle)) {                      // nobody has a better one
            t->unfit = true;
            fail(t, "its metadata cannot be used: " + failed.error.message());
        }
        return;
    }
    case lt::fastresume_rejected_alert::alert_type: log::warning("{}", a->message()); return;
    case lt::tracker_announce_alert::alert_type:
    case lt::tracker_reply_alert::alert_type:
    case lt::tracker_warning_alert::alert_type:
    case lt::tracker_error_alert::alert_type: return on(*static_cast<lt::tracker_alert*>(a));
    case lt::torrent_removed_alert::alert_type: {
        auto const serial = to_serial(lt::alert_cast<lt::torrent_removed_alert>(a)->userdata);
        if (auto const t = torrents_.find_serial(serial)) is_gone(t);
        return;
    }
    case lt::alerts_dropped_alert::alert_type:
        if (seeing_all_) {
            lost_more_ = true; // perhaps after the look that is under way
            return;
        }
        log::warning("alerts were lost; everything is looked at again");
        tell_.tell(model::facts_lost{});
        see_all_again();
        return;
    default: return;
    }
}

void lt_session::on(lt::listen_succeeded_alert const& a) {
    if (a.socket_type != lt::socket_type_t::tcp && a.socket_type != lt::socket_type_t::utp) return;
    // Several sockets may listen; the first TCP one of IPv4 speaks for them, any other until then.
    if (listen_port_ == 0 || (a.address.is_v4() && a.socket_type == lt::socket_type_t::tcp))
        listen_port_ = a.port;
    if (a.address.is_v4() && !a.address.is_loopback()) tell_.tell(model::listening{a.port});
}

void lt_session::on(lt::tracker_alert const& a) {
    auto const t = find(a.handle);
    if (!t || t->forgotten) return;
    auto fact = model::tracker_announced{t->id(), contract::without_passkey(a.tracker_url())};
    if (auto const* const sent = lt::alert_cast<lt::tracker_announce_alert>(&a)) {
        announces_->sent(t, *sent);
    } else if (auto const* const warned = lt::alert_cast<lt::tracker_warning_alert>(&a)) {
        announces_->warned(t, *warned); // its answer comes as well
    } else if (auto const* const answered = lt::alert_cast<lt::tracker_reply_alert>(&a)) {
        announces_->answered(t, *answered);
        fact.message = fmt::format("{} peers", answered->num_peers);
        tell_.tell(std::move(fact));
    } else if (auto const* const failed = lt::alert_cast<lt::tracker_error_alert>(&a)) {
        announces_->failed(t, *failed);
        // Of several addresses that are listened at, not each reaches every tracker: no news.
        if (failed->error == lt::errors::announce_skipped) return;
        fact.failed = true;
        fact.message = failure_text(*failed);
        tell_.tell(std::move(fact));
    }
}

void lt_session::on(lt::add_torrent_alert const& a) {
    auto const t = torrents_.find_serial(to_serial(a.params.userdata));
    if (t && t->at == stage::adding) {
        if (a.error) {
            t->at = stage::refused;
            if (t->forgotten) {
                t->removing = true; // for its hashes to be free again
                is_gone(t);
            } else {
                fail(t, to_text(a.error, lt::operation_t::unknown, "", ""));
            }
        } else {
            t->handle = a.handle;
            if (t->info && a.params.ti)
                t->info = a.params.ti; // libtorrent has made a copy of its own: one is enough
            became_live(t);
        }
    }
    adder_->answered();
}

void lt_session::became_live(torrent_ref const& t) {
    t->at = stage::live;
    if (t->forgotten) {
        t->last_resume = t->own_resume();
        return remove(t);
    }
    t->first.reset();
    t->last.reset();
    t->last_save = steady::now();
    if (std::exchange(t->failed, false)) tell_.tell(model::torrent_recovered{t->id()});
    if (std::exchange(t->lacks_pex, false)) t->handle.add_extension(&lt::create_ut_pex_plugin);
    if (std::exchange(t->lacks_settings, false)) bind_settings(t);
    bring_to_wish(t);
    announces_->became_live(t);
    look_soon();
}

void lt_session::on(lt::state_update_alert const& a) {
    auto samples = std::vector<model::torrent_seen>{};
    for (auto const& status : a.status) take_status(status, samples);
    still_what_rests(samples);
    if (!samples.empty()) tell_.tell(model::torrents_seen{std::move(samples)});
    for (auto const& status : a.status)
        if (auto const t = find(status.handle); t && t->whole && t->flushed >= t->whole_at) finish(t);
    if (stopping_ == stopping::awaiting_update) {
        stopping_ = stopping::saving;
        save_what_is_dirty();
        if (saver_->idle()) finish_stop();
    } else if (std::exchange(save_at_update_, false)) {
        save_what_is_dirty();
        if (saver_->idle()) tell_saved();
    } else if (stopping_ == stopping::no) {
        save_what_is_due();
    }
}

void lt_session::flushed(torrent_ref const& t) {
    ++t->flushed;
    if (t->retry_at != 0 && t->flushed >= t->retry_at) retry(t);
    saver_->flushed(t);
    if (t->whole && t->flushed >= t->whole_at) finish(t);
}

void lt_session::finish(torrent_ref const& t) {
    t->finish_pending = false;
    t->finished_at_payload = t->whole->downloaded - t->before.downloaded;
    t->last = *std::exchange(t->whole, nullptr);
    if (t->forgotten) return;
    tell_.tell(model::torrents_seen{{*t->last}});
    tell_.tell(model::torrent_finished{t->id()});
    saver_->want(t);
}

void lt_session::take_status(lt::torrent_status const& status, std::vector<model::torrent_seen>& samples) {
    auto const t = find(status.handle);
    if (!t || t->at != stage::live || t->forgotten) return;
    // It has not looked at its resume data yet and would say that nothing is here.
    if (status.state == lt::torrent_status::checking_resume_data) return;
    if (t->retry_at != 0 && t->recheck) return; // of before it is hashed again
    if (status.state == lt::torrent_status::checking_files) t->checking = true;
    auto seen = to_seen(t->id(), status, t->how.asked->paused || t->how.held || t->failed, t->before);
    auto const now = steady::now();
    auto const rates = t->window.look(now, seen.downloaded, seen.uploaded);
    seen.download_rate = rates.down;
    seen.upload_rate = rates.up;
    if (status.state != lt::torrent_status::checking_files && status.has_metadata && t->info) {
        t->pieces = status.num_pieces;
        auto const dirty = seen.downloaded != t->saved_downloaded || seen.uploaded != t->saved_uploaded ||
                           t->pieces != t->saved_pieces;
        if (dirty && !t->dirty) t->dirty_since = steady::now();
        t->dirty = dirty;
        if (dirty) dirty_.insert(t->serial);
    }
    t->last_status = now;
    if (seen.download_rate > 0 || seen.upload_rate > 0)
        moving_.insert(t->serial);
    else
        moving_.erase(t->serial);
    // What libtorrent calls finished may still wait to be written, and who is told so opens the files.
    t->whole.reset();
    if (seen.finished && t->finish_pending && status.total_payload_download > t->finished_at_payload) {
        t->whole = std::make_unique<model::torrent_seen>(seen);
        seen.finished = false;
        seen.progress = std::min(seen.progress, 0.9999);
        if (seen.state == contract::torrent_state::seeding) seen.state = contract::torrent_state::downloading;
    }
    if (!std::exchange(t->tell_again, false) && t->last == seen) return;
    t->last = seen;
    samples.push_back(seen);
}

// libtorrent stops telling of a torrent once nothing of it changes, and a rate that has just run out is no change to
// it: what it has not told of for two looks stands still.
void lt_session::still_what_rests(std::vector<model::torrent_seen>& samples) {
    auto const since = steady::now() - 2500ms;
    for (auto at = moving_.begin(); at != moving_.end();) {
        auto const t = torrents_.find_serial(*at);
        if (t && t->last && t->last_status > since) {
            ++at;
            continue;
        }
        at = moving_.erase(at);
        if (!t || !t->last || t->forgotten) continue;
        t->last->download_rate = t->last->upload_rate = 0;
        samples.push_back(*t->last);
    }
}

void lt_session::on(lt::metadata_received_alert const& a) {
    auto const t = find(a.handle);
    if (!t) return;
    t->checking = true; // libtorrent looks at what lies on the disk now, until torrent_checked_alert
    ask_for_metadata(t);
}

void lt_session::ask_for_metadata(torrent_ref const& t) {
    struct outcome {
        std::shared_ptr<lt::torrent_info const> info;
        std::shared_ptr<std::string const> file;
        torrent_source source;
        std::string refused;
    };
    auto const made = std::make_shared<outcome>();
    auto work = [made, handle = t->handle, magnet = t->how.asked->magnet, folder = t->how.save_path] {
        try {
            made->info = handle.torrent_file();
            auto const whole = handle.torrent_file_with_hashes();
            if (!made->info || !whole) return;
            auto link = parse_magnet(magnet);
            if (!link) link = lt::add_torrent_params{};
            made->file = std::make_shared<std::string const>(
                make_torrent_file(*whole, link->trackers, link->url_seeds));
            auto const source = read_torrent(*made->file); // with the limits of every torrent file
            if (source)
                made->source = *source;
            else
                made->refused = source.error().message;
            if (source && names_clash(made->info->files()))
                made->refused = "files of it have the same name: add it by its torrent file";
            if (source && std::any_of(source->files.begin(), source->files.end(), model::names_a_marker))
                made->refused = "a file of it has the name of the daemon's own marker";
            if (auto const torrent = parse_torrent(*made->file)) {
                auto const wanted = make_priorities({}, torrent->get());
                if (auto const file = larger_file(**torrent, folder, wanted); !file.empty())
                    made->refused = file + " is there already, larger than the torrent's: move it away, then "
                                           "add the torrent again";
            }
        } catch (std::exception const& e) {
            made->info.reset(); // it has just been removed
        }
    };
    auto done = here_.guard([this, t, made] {
        if (!made->info || t->forgotten || t->at != stage::live) return;
        if (!made->file) { // the piece layers of a v2 or hybrid torrent come after its metadata, from peers too
            auto again = here_.guard([this, weak = std::weak_ptr{t}] {
                if (auto const still = weak.lock()) ask_for_metadata(still);
            });
            t->metadata_again = loop_.after(metadata_again_in, std::move(again));
            return;
        }
        if (!made->refused.empty()) {
            t->unfit = true;
            return fail(t, made->refused);
        }
        t->info = made->info;
        auto const& s = made->source;
        tell_.tell(
            model::metadata_arrived{t->id(), made->file, s.hashes, s.name, s.is_private, s.total_size});
        if (!t->done.file_priorities.empty() || s.files.empty())
            carry_out(t, prioritize{t->done.file_priorities});
        saver_->want(t);
        look_soon();
    });
    if (!asker_->run(std::move(work), std::move(done))) see_all_again();
}

} // namespace ccbt::engine
