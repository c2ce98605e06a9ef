// What follows when alerts were dropped: answers to what is under way may be among them, and peers that came or left.
// What libtorrent has is the truth.
#include "base/log.hpp"
#include "engine/lt_convert.hpp"
#include "engine/lt_session.hpp"

#include <libtorrent/peer_info.hpp>

namespace ccbt::engine {

namespace lt = libtorrent;
using namespace std::chrono_literals;

struct lt_session::all_there {
    std::vector<lt::torrent_status> torrents;
    std::map<connection, bool> peers; // whether it dialled us
    bool complete = false;
};

// Blocks: one question for the torrents, and one for each that has peers.
void lt_session::look_at_all(lt::session_handle const& session, all_there& all) {
    all.torrents = session.get_torrent_status(
        [](lt::torrent_status const&) { return true; }, lt::torrent_handle::query_accurate_download_counters);
    auto peers = std::vector<lt::peer_info>{};
    for (auto const& t : all.torrents) {
        if (t.num_connections == 0) continue;
        try {
            t.handle.get_peer_info(peers);
        } catch (lt::system_error const&) {
            continue; // removed meanwhile, and its peers with it
        }
        for (auto const& p : peers)
            if (!(p.flags & lt::peer_info::connecting))
                all.peers.emplace(
                    connection{to_serial(t.handle.userdata()), p.ip},
                    !(p.flags & lt::peer_info::local_connection));
    }
    all.complete = true;
}

void lt_session::see_all_again() {
    if (std::exchange(seeing_all_, true)) return;
    auto const all = std::make_shared<all_there>();
    // What is handed over after the look has begun may be missing from it without being lost.
    auto asked = std::vector<torrent_ref>{};
    for (auto const& [serial, t] : torrents_.all())
        if (t->at == stage::adding || t->at == stage::live) asked.push_back(t);
    // NOLINTNEXTLINE(cppcoreguidelines-slicing): a handle is what is wanted, the session stays here
    auto work = [all, session = lt::session_handle{*session_}] {
        try {
            look_at_all(session, *all);
        } catch (std::exception const& e) {
            log::error("the torrents could not be looked at again: {}", e.what());
        }
    };
    auto done = here_.guard([this, all, told = connected_, asked = std::move(asked)] {
        seeing_all_ = false;
        auto const left_meanwhile = std::exchange(left_meanwhile_, {});
        if (!all->complete) return see_all_later();
        for (auto const& one : told)
            if (!all->peers.contains(one)) peer_left(one, {});
        for (auto const& [one, dialled_us] : all->peers)
            if (!left_meanwhile.contains(one)) peer_came(one, dialled_us);
        seen_all_again(asked, all->torrents);
        if (std::exchange(lost_more_, false)) see_all_again();
    });
    if (!asker_->run(std::move(work), std::move(done))) {
        seeing_all_ = false;
        see_all_later();
    }
}

void lt_session::see_all_later() {
    look_again_ = loop_.after(1s, [this] { see_all_again(); });
}

void lt_session::seen_all_again(
    std::vector<torrent_ref> const& asked, std::vector<lt::torrent_status> const& all) {
    auto there = std::unordered_map<std::uint64_t, lt::torrent_status const*>{};
    for (auto const& status : all) there[to_serial(status.handle.userdata())] = &status;
    auto samples = std::vector<model::torrent_seen>{};
    for (auto const& t : asked) {
        if (torrents_.find_serial(t->serial) != t) continue; // it went meanwhile
        auto const found = there.find(t->serial);
        auto const* const status = found == there.end() ? nullptr : found->second;
        if (t->removing && !status) {
            is_gone(t);
            continue;
        }
        if (t->at == stage::adding) {
            if (status) {
                t->handle = status->handle;
                became_live(
                    t); // and its sample is taken below: an update that came before was not for it yet
            } else if (t->forgotten) {
                t->removing = true; // for its hashes to be free again
                is_gone(t);
            } else {
                adder_->enqueue(t);
            }
            adder_->answered();
        }
        if (t->at == stage::live && !t->removing && status) {
            if (t->save == saving::asked || t->save == saving::flushing) saver_->give_up(t);
            t->flushed = t->flushes; // so may the answers to these have been
            t->checking = status->state == lt::torrent_status::checking_files ||
                          status->state == lt::torrent_status::checking_resume_data;
            if (status->has_metadata && !t->info) ask_for_metadata(t);
            if (t->retry_at != 0)
                retry(t);
            else if (status->errc)
                fail(t, to_text(status->errc, lt::operation_t::unknown, "", ""));
            if (status->is_finished && status->total_payload_download > t->finished_at_payload) {
                t->finish_pending = true;
                t->whole_at = t->flush();
            }
            t->last.reset();
            take_status(*status, samples);
        }
    }
    if (!samples.empty()) tell_.tell(model::torrents_seen{std::move(samples)});
    look_soon();
}

} // namespace ccbt::engine
