#include "engine/lt_engine.hpp"

#include "base/log.hpp"
#include "engine/lt_convert.hpp"
#include "engine/lt_guard.hpp"
#include "engine/lt_pulse.hpp"
#include "engine/lt_session.hpp"

#include <algorithm>
#include <libtorrent/extensions/smart_ban.hpp>
#include <libtorrent/extensions/ut_metadata.hpp>
#include <libtorrent/extensions/ut_pex.hpp>
#include <libtorrent/ip_filter.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/read_resume_data.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/version.hpp>

namespace ccbt::engine {

namespace lt = libtorrent;
using namespace std::chrono_literals;

namespace {

constexpr auto answer_within = 3s;
constexpr std::size_t built_at_once = 50'000; // ranges that are libtorrent's within some 50 ms
constexpr auto last_save_within = 5s;
constexpr auto quiet_for = 150ms;
constexpr auto least_between_saves = 2s;
constexpr auto strays_within = 1s;
// Of the 64 MiB that are promised: a look may come so much late, and the rest comes while it is saved. Less each time
// costs speed: the disk is waited for more often.
constexpr std::int64_t save_after_bytes = std::int64_t{24} << 20, look_after_bytes = std::int64_t{8} << 20;

std::unique_ptr<lt::session> make_session(contract::settings const& s, lt_options const& with) {
    auto params = lt::session_params{make_settings_pack(s, with.listen && !with.await_block_list), {}};
    params.settings.set_int(lt::settings_pack::alert_queue_size, with.alert_queue);
    auto session = std::make_unique<lt::session>(std::move(params));
    session->add_extension(&lt::create_ut_metadata_plugin);
    session->add_extension(&lt::create_smart_ban_plugin);
    // NOLINTNEXTLINE(cppcoreguidelines-slicing): a handle is what is wanted, the session stays here
    lt::session_handle const all{*session};
    session->add_extension([all](lt::torrent_handle const& of, lt::client_data_t) {
        return std::make_shared<lt_pulse>(all, of, look_after_bytes);
    });
    if (s.discovery.enable_pex) session->add_extension(&lt::create_ut_pex_plugin);
    // libtorrent leaves peers near by out of the global class, and so out of the global limits. Here limits bind all.
    auto everyone = lt::ip_filter{};
    auto const global = 1u << static_cast<std::uint32_t>(lt::session::global_peer_class_id);
    everyone.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"), global);
    everyone.add_rule(
        lt::make_address("::"), lt::make_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), global);
    session->set_peer_class_filter(everyone);
    return session;
}

} // namespace

std::unique_ptr<engine> make_lt_engine(lt_options with) {
    return std::make_unique<lt_session>(std::move(with));
}

bool connect_peer(engine& to, torrent_id id, std::string const& ip, int port) {
    auto* const session = dynamic_cast<lt_session*>(&to);
    return session && session->connect_peer(id, ip, port);
}

std::string lt_version() { return lt::version(); }

lt_session::lt_session(lt_options with)
    : loop_{with.on},
      settings_{std::move(with.settings)},
      listen_{with.listen},
      awaits_block_list_{with.await_block_list},
      each_{make_per_torrent_settings(settings_)},
      has_pex_{settings_.discovery.enable_pex},
      tell_{with.on, std::move(with.facts)},
      session_{make_session(settings_, with)},
      // NOLINTNEXTLINE(cppcoreguidelines-slicing): a handle is what is wanted, the session stays here
      pace_{lt::session_handle{*session_}, settings_.limits},
      asker_{std::make_unique<worker>(with.on, 256)},
      // NOLINTNEXTLINE(cppcoreguidelines-slicing): a handle is what is wanted, the session stays here
      filter_{std::make_unique<lt_address_filter>(with.on, lt::session_handle{*session_})},
      left_unsaved_{std::move(with.left_unsaved)} {
    saver_ = std::make_unique<lt_saver>(
        loop_, std::move(with.progress), [this](torrent_ref const& t) { save_ended(t); },
        [this](torrent_ref const& t, std::string why) {
            if (t->how.blocked || t->forgotten || t->removing) return; // for a reason
            t->recheck = true;
            fail(t, std::move(why));
        });
    adder_ = std::make_unique<lt_adder>(lt_adder::parts{
        loop_, *session_, settings_, tell_,
        [this](torrent_ref const& t, std::string why) { fail(t, std::move(why)); },
        [this](torrent_ref const& t) { tell_seen(t); }, [this] { tell_caught_up_if_quiet(); }});
    announces_ = std::make_unique<lt_announces>(loop_, *asker_);
    // libtorrent's thread may only post; one post stands for all alerts until they are popped.
    session_->set_alert_notify(
        [&on = loop_, posted = alerts_posted_, pump = here_.guard([this] { pump_alerts(); })] {
            if (!posted->exchange(true)) on.post(pump);
        });
    ticker_ = loop_.every(1s, [this] { tick(); });
    tell_caught_up_if_quiet(); // a start without torrents is caught up as well
}

lt_session::~lt_session() {
    session_->set_alert_notify([] {});
    adder_.reset();
    saver_.reset();
    asker_.reset(); // while libtorrent still answers
    filter_.reset();
    session_.reset(); // blocks until libtorrent's threads are gone
}

default_limits lt_session::defaults() const {
    return {settings_.limits.per_torrent_down_kib, settings_.limits.per_torrent_up_kib};
}

void lt_session::ask(wish how, load first) {
    if (stopping_ != stopping::no) return;
    if (auto const t = torrents_.find(how.asked->id)) {
        t->how = std::move(how);
        pace_.torrent_limited(t->serial, runs_limited(t->how, defaults()));
        bring_to_wish(t);
        return;
    }
    auto const t = torrents_.put(std::move(how), std::move(first));
    pace_.torrent_limited(t->serial, runs_limited(t->how, defaults()));
    // Its metainfo is damaged, as its row says, and it is tried without: from its peers.
    t->failed = t->failure_known = t->how.asked->has_metainfo && !t->first->metainfo;
    if (!t->how.blocked && !awaits_block_list_) adder_->enqueue(t);
}

void lt_session::bring_to_wish(torrent_ref const& t) {
    // Asked before its failure was known: that is no wish to have it tried again.
    bool const crossed = t->failed && !t->failure_known;
    if (t->how.blocked) t->recheck = false; // that its files were missing had a reason
    switch (t->at) {
    case stage::live:
        for (auto const& d : reconcile(t->how, t->done, defaults()))
            if (!crossed || !std::holds_alternative<start>(d)) carry_out(t, d);
        // Tried again by its user: first it is sound, and then it waits for its turn.
        if (t->failed && !crossed && t->how.held && !t->how.asked->paused && !t->how.blocked && !t->unfit)
            recover(t);
        return;
    case stage::checking:
        if (t->how.blocked && t->stop_check) *t->stop_check = true;
        return;
    case stage::refused:
        if (t->how.asked->paused || t->how.blocked || crossed) return;
        if (std::exchange(t->failed, false)) tell_.tell(model::torrent_recovered{t->id()});
        adder_->enqueue(t);
        return;
    case stage::waiting:
        if (!t->how.blocked && !awaits_block_list_) adder_->enqueue(t);
        return;
    case stage::preparing:
    case stage::adding: return; // looked at again when it is live
    }
}

void lt_session::carry_out(torrent_ref const& t, deed const& what) {
    auto const& h = t->handle;
    if (std::holds_alternative<halt>(what)) {
        h.pause();
        t->tell_again = true;
        if (t->how.blocked && t->info)
            t->flush(); // closes its files
        else
            saver_->want(t);
        look_soon();
    } else if (std::holds_alternative<start>(what)) {
        if (t->unfit) return; // it stays failed
        if (t->failed) recover(t);
        if (t->retry_at == 0) h.resume();
        look_soon();
    } else if (auto const* const l = std::get_if<limit>(&what)) {
        h.set_download_limit(bytes_per_second(l->down_kib));
        h.set_upload_limit(bytes_per_second(l->up_kib));
    } else if (auto const* const o = std::get_if<order_pieces>(&what)) {
        if (o->sequential)
            h.set_flags(lt::torrent_flags::sequential_download);
        else
            h.unset_flags(lt::torrent_flags::sequential_download);
    } else if (auto const* const p = std::get_if<prioritize>(&what)) {
        auto files = make_priorities(p->files, t->info.get());
        if (t->info) files.resize(static_cast<std::size_t>(t->info->num_files()), lt::default_priority);
        h.prioritize_files(files);
        // Bytes may have moved from the part file into a file: they are synced there with the next save.
        t->safe = {};
        t->all_safe = false;
        saver_->want(t);
        look_soon();
    }
    record(what, t->done);
}

void lt_session::recover(torrent_ref const& t) {
    t->failed = false;
    if (t->recheck && t->last) { // what was known of it is not known any more
        t->last->state = contract::torrent_state::checking;
        t->last->finished = false;
        tell_seen(t);
    }
    tell_.tell(model::torrent_recovered{t->id()});
    if (!t->info) return retry(t);
    // Others of its writes may have failed as well and not have said so yet: behind the fence of a flush they have.
    t->retry_at = t->flush();
    t->may_stray = true;
}

void lt_session::retry(torrent_ref const& t) {
    t->retry_at = 0;
    if (t->forgotten) return;
    t->tried_again = steady::now();
    t->handle.clear_error();
    t->handle.unset_flags(lt::torrent_flags::upload_mode);
    if (std::exchange(t->recheck, false)) {
        // What was safe was on a disk that has lost it: nothing is claimed until all of it has been hashed again, and
        // the claim of before goes from the journal now.
        t->safe = {};
        t->all_safe = false;
        t->checking = true;
        t->save_spoiled = true;
        saver_->give_up(t);
        t->handle.force_recheck();
        saver_->want(t);
    }
    if (t->done.running) t->handle.resume();
}

bool lt_session::is_stray(torrent_ref const& t) {
    t->save_spoiled = true;
    if (t->retry_at != 0) return true;
    // libtorrent opens the fence before it tells of the last write, and the thread that has to may be stopped between
    // the two.
    if (!std::exchange(t->may_stray, false) || steady::now() - t->tried_again >= strays_within) return false;
    t->retry_at = t->flush();
    return true;
}

void lt_session::fail(torrent_ref const& t, std::string message) {
    t->save_spoiled = true;
    t->retry_at = 0;
    t->done.running = false; // so that the next wish to run starts it, and that clears the error
    if (t->at == stage::live) t->handle.pause();
    if (t->forgotten || std::exchange(t->failed, true)) return;
    log::warning("torrent {}: {}", t->how.asked->hashes.canonical().hex(), message);
    tell_.tell(model::torrent_failed{t->id(), std::move(message)});
    t->failure_known = false;
    loop_.post(here_.guard([t] { t->failure_known = true; })); // behind the telling
}

void lt_session::tell_seen(torrent_ref const& t) {
    if (t->last) tell_.tell(model::torrents_seen{{*t->last}});
}

void lt_session::look_soon() {
    if (std::exchange(look_posted_, true)) return;
    loop_.post(here_.guard([this] {
        look_posted_ = false;
        session_->post_torrent_updates(lt::torrent_handle::query_accurate_download_counters);
    }));
}

void lt_session::tick() {
    session_->post_torrent_updates(lt::torrent_handle::query_accurate_download_counters);
    session_->post_session_stats();
}

void lt_session::save_what_is_due() {
    auto const now = steady::now();
    auto const interval =
        std::chrono::duration<double>(std::max(1.0, settings_.daemon.auto_save_interval - 1));
    for (auto at = dirty_.begin(); at != dirty_.end();) {
        auto const t = torrents_.find_serial(*at);
        if (!t || !t->dirty || t->at != stage::live || t->forgotten) {
            at = dirty_.erase(at);
            continue;
        }
        ++at;
        auto const much = t->last && t->last->downloaded - t->saved_downloaded >= save_after_bytes;
        // One after the other as long as much comes, unless the last could not be handed over.
        if (now - t->last_save < least_between_saves && (!much || t->save_spoiled)) continue;
        if (much || now - t->dirty_since >= interval) saver_->want(t);
    }
}

void lt_session::save_all(unique_function<void()> done) {
    if (done) {
        saves_awaited_.push_back(std::move(done));
        saving_timer_ = loop_.after(last_save_within, [this] { tell_saved(); });
    }
    save_at_update_ = true;
    look_soon();
}

void lt_session::tell_saved() {
    saving_timer_.reset();
    for (auto& done : std::exchange(saves_awaited_, {})) loop_.post(std::move(done));
}

void lt_session::save_what_is_dirty() {
    auto counted = std::vector<torrent_ref>{}; // only: these need no sync, and lose least
    for (auto const serial : dirty_)
        if (auto const t = torrents_.find_serial(serial);
            t && t->dirty && t->at == stage::live && !t->forgotten) {
            if (t->pieces == t->saved_pieces)
                counted.push_back(t);
            else
                saver_->want(t);
        }
    for (auto const& t : counted) saver_->want(t);
}

void lt_session::save_ended(torrent_ref const& t) {
    if (t->forgotten && !t->removing) remove(t);
    if (!saves_awaited_.empty() && !save_at_update_ && saver_->idle()) tell_saved();
    if (stopping_ == stopping::saving && saver_->idle())
        loop_.post(here_.guard([this] {
            if (saver_->idle()) finish_stop();
        }));
}

void lt_session::forget(torrent_id id, unique_function<void(std::shared_ptr<std::string const>)> done) {
    auto const t = torrents_.find(id);
    if (!t) {
        loop_.post([done = std::move(done)]() mutable { done(nullptr); });
        return;
    }
    t->forgotten = true;
    t->gone = std::move(done);
    torrents_.release_id(t);
    if (t->stop_check) *t->stop_check = true;
    if (t->at != stage::live && t->at != stage::adding) {
        t->last_resume = t->own_resume();
        loop_.post(here_.guard([this, t] { is_gone(t); }));
        return;
    }
    adder_->leaving(t->how.asked->hashes);
    if (t->at == stage::live) {
        t->handle.pause();
        if (!t->info) return remove(t);
        t->patience = loop_.after(last_save_within, [this, t] { remove(t); });
        // A save that is under way may be from before the pause, yet it is whole: it will do.
        if (t->save == saving::none) saver_->want(t);
    }
}

void lt_session::remove(torrent_ref const& t) {
    if (std::exchange(t->removing, true)) return;
    saver_->give_up(t);
    session_->remove_torrent(t->handle);
}

void lt_session::is_gone(torrent_ref const& t) {
    auto const hashes = t->how.asked->hashes;
    auto const was_in = t->removing;
    torrents_.erase(t);
    pace_.torrent_limited(t->serial, false);
    connected_.erase(connected_.lower_bound({t->serial, {}}), connected_.lower_bound({t->serial + 1, {}}));
    if (auto const done = std::make_shared<decltype(t->gone)>(std::move(t->gone)); *done)
        loop_.post([done, resume = t->last_resume] { (*done)(resume); });
    t->patience.reset();
    if (was_in) adder_->left(hashes);
}

void lt_session::bind_settings(torrent_ref const& t) {
    t->handle.set_max_connections(each_.max_connections);
    t->handle.set_max_uploads(each_.max_uploads);
    if (each_.pex)
        t->handle.unset_flags(lt::torrent_flags::disable_pex);
    else
        t->handle.set_flags(lt::torrent_flags::disable_pex);
}

void lt_session::configure(contract::settings const& to) {
    settings_ = to;
    session_->apply_settings(settings_now());
    pace_.session_limits(settings_.limits);
    auto const each = make_per_torrent_settings(settings_);
    auto const changed = each != std::exchange(each_, each);
    // Without the plugin it is not even offered. Torrents that are here already get it by hand, and lose it with the
    // session: switched off again it is offered and not done.
    auto const first_pex = each.pex && !std::exchange(has_pex_, has_pex_ || each.pex);
    if (first_pex) session_->add_extension(&lt::create_ut_pex_plugin);
    for (auto const& [serial, t] : torrents_.all()) {
        pace_.torrent_limited(serial, runs_limited(t->how, defaults()));
        if (first_pex && t->at == stage::adding) t->lacks_pex = true;
        if (changed && t->at != stage::live) t->lacks_settings = true;
        if (first_pex && t->at == stage::live) t->handle.add_extension(&lt::create_ut_pex_plugin);
        if (t->at != stage::live || t->forgotten) continue;
        if (changed) bind_settings(t);
        // A torrent that failed waits for its user, not for a setting.
        if (!t->failed) bring_to_wish(t);
    }
}

// What libtorrent is asked: answered once, in time or not.
template <class T> struct lt_session::question {
    unique_function<void(contract::result<T>)> done;
    T found{};
    steady::time_point at; // when libtorrent told it
    std::unique_ptr<loop::ticker> patience;
    void answer(contract::result<T> with) {
        if (!done) return; // too late
        patience.reset();
        std::exchange(done, nullptr)(std::move(with));
    }
};

template <class T>
void lt_session::ask_libtorrent(std::shared_ptr<question<T>> const& q, job work, job before_the_answer) {
    auto const too_late = [q] {
        q->answer(contract::fails(contract::errc::state_io_error, "the engine did not answer in time"));
    };
    auto answer = [q, first = std::move(before_the_answer)]() mutable {
        if (first) first();
        q->answer(std::move(q->found));
    };
    if (asker_->run(std::move(work), std::move(answer)))
        q->patience = loop_.after(answer_within, too_late);
    else
        loop_.post(too_late);
}

lt::settings_pack lt_session::settings_now() const {
    auto pack = make_settings_pack(settings_, listen_ && !awaits_block_list_);
    pack.clear(lt::settings_pack::alert_queue_size);
    return pack;
}

void lt_session::block_addresses(std::shared_ptr<ip_range_set const> what, unique_function<void()> done) {
    // Held until libtorrent has it and no longer: the guards stand in for its filter only while that is built.
    auto meanwhile = std::shared_ptr<ip_range_set const>{
        std::make_shared<std::shared_ptr<ip_range_set const>>(what), what.get()};
    if (what->ranges().size() > built_at_once)
        for (auto const& [serial, t] : torrents_.all())
            if (t->at == stage::live && !t->removing && t->last && t->last->num_peers > 0)
                cut_blocked(t->handle, t->guard, meanwhile);
    filter_->set(std::move(what), here_.guard([this, meanwhile, done = std::move(done)]() mutable {
        meanwhile.reset();
        open_to_peers();
        done();
    }));
}

void lt_session::open_to_peers() {
    if (!std::exchange(awaits_block_list_, false) || stopping_ != stopping::no) return;
    session_->apply_settings(settings_now());
    for (auto const& [serial, t] : torrents_.all())
        if (t->at == stage::waiting) bring_to_wish(t);
    tell_caught_up_if_quiet();
}

void lt_session::peers(
    torrent_id id, unique_function<void(contract::result<std::vector<contract::peer>>)> done) {
    auto const q = std::make_shared<question<std::vector<contract::peer>>>();
    q->done = std::move(done);
    auto const t = torrents_.find(id);
    if (!t || t->at != stage::live) {
        loop_.post([q, known = t != nullptr] {
            if (known)
                q->answer(std::vector<contract::peer>{});
            else
                q->answer(contract::fails(contract::errc::torrent_not_found, "there is no such torrent"));
        });
        return;
    }
    auto work = [q, handle = t->handle] {
        try {
            auto found = std::vector<lt::peer_info>{};
            handle.get_peer_info(found);
            q->at = steady::now();
            for (auto const& p : found)
                if (!(p.flags & (lt::peer_info::connecting | lt::peer_info::handshake)))
                    q->found.push_back(to_peer(p));
        } catch (std::exception const&) {
            q->found.clear(); // it has just been removed
        }
    };
    auto measured = here_.guard([this, q, serial = t->serial] { peer_rates_.look(serial, q->at, q->found); });
    ask_libtorrent(q, std::move(work), std::move(measured));
}

void lt_session::pieces(torrent_id id, unique_function<void(contract::result<piece_report>)> done) {
    auto const q = std::make_shared<question<piece_report>>();
    q->done = std::move(done);
    auto const t = torrents_.find(id);
    if (!t) {
        loop_.post([q] {
            q->answer(contract::fails(contract::errc::starting, "that torrent is not loaded yet: try again"));
        });
        return;
    }
    auto const is_live = t->at == stage::live;
    auto work = [q, handle = t->handle, resume = t->own_resume(), is_live] {
        auto have = piece_set{};
        try {
            if (is_live) {
                have = handle.status(lt::torrent_handle::query_pieces).pieces;
            } else if (resume) {
                auto failed = lt::error_code{};
                have = lt::read_resume_data(*resume, failed).have_pieces;
            }
        } catch (std::exception const&) {
            have.clear(); // it has just been removed
        }
        for (auto const bit : have) q->found.have.push_back(bit);
    };
    ask_libtorrent(q, std::move(work));
}

void lt_session::file_progress(
    torrent_id id, unique_function<void(contract::result<std::vector<std::int64_t>>)> done) {
    auto const q = std::make_shared<question<std::vector<std::int64_t>>>();
    q->done = std::move(done);
    auto const t = torrents_.find(id);
    if (!t || t->at != stage::live) {
        loop_.post([q] { q->answer(std::vector<std::int64_t>{}); });
        return;
    }
    auto work = [q, handle = t->handle] {
        try {
            handle.file_progress(q->found);
        } catch (std::exception const&) {
            q->found.clear(); // it has just been removed
        }
    };
    ask_libtorrent(q, std::move(work));
}

void lt_session::announce(
    torrent_id id, std::chrono::milliseconds within,
    unique_function<void(contract::result<std::vector<contract::tracker_answer>>)> done) {
    if (auto const t = torrents_.find(id)) return announces_->announce(t, within, std::move(done));
    loop_.post([done = std::move(done)]() mutable {
        auto why =
            contract::failure{contract::errc::announce_refused, "it is being loaded: try again in a moment"};
        done(unexpected<contract::failure>{std::move(why).with("reason", std::string{"starting"})});
    });
}

void lt_session::stop(std::chrono::milliseconds within, unique_function<void()> done) {
    if (stopping_ != stopping::no) {
        loop_.post(std::move(done));
        return;
    }
    stopping_ = stopping::awaiting_update;
    stopped_ = std::move(done);
    ticker_.reset();
    quiet_.reset();
    adder_->close();
    session_->pause();
    session_->post_torrent_updates(lt::torrent_handle::query_accurate_download_counters);
    stop_timer_ = loop_.after(within, [this] {
        log::warning("not all progress could be saved in time");
        finish_stop();
    });
}

void lt_session::finish_stop() {
    if (stopping_ == stopping::done) return;
    stopping_ = stopping::done;
    if (left_unsaved_ && is_something_unsaved()) left_unsaved_();
    tell_saved();
    loop_.post(here_.guard([this] {
        stop_timer_.reset();
        if (stopped_) std::exchange(stopped_, nullptr)();
    }));
}

// What the next start has to look for on the disk.
bool lt_session::is_something_unsaved() const {
    return std::any_of(torrents_.all().begin(), torrents_.all().end(), [](auto const& one) {
        auto const& t = *one.second;
        if (t.forgotten) return false;
        if (t.at != stage::live) return t.first->after_crash && t.at != stage::refused;
        return t.checking || (t.dirty && !t.failed && t.pieces > t.saved_pieces);
    });
}

bool lt_session::connect_peer(torrent_id id, std::string const& ip, int port) {
    auto const t = torrents_.find(id);
    auto failed = lt::error_code{};
    auto const address = lt::make_address(ip, failed);
    if (!t || t->at != stage::live || failed || port <= 0 || port > 65535) return false;
    t->handle.connect_peer({address, static_cast<std::uint16_t>(port)});
    return true;
}

void lt_session::tell_caught_up_if_quiet() {
    if (caught_up_ || stopping_ != stopping::no) return;
    // Those who load torrents from the store may hand them over in several turns of the loop.
    quiet_ = loop_.after(quiet_for, [this] {
        if (caught_up_ || awaits_block_list_ || !adder_->idle()) return;
        caught_up_ = true;
        tell_.tell(model::engine_caught_up{});
    });
}

} // namespace ccbt::engine
