#include "engine/lt_announces.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <libtorrent/announce_entry.hpp>
#include <libtorrent/error_code.hpp>

namespace ccbt::engine {

namespace lt = libtorrent;
using namespace std::chrono_literals;
using contract::errc;
using contract::tracker_state;

namespace {

constexpr std::size_t longest_message = 300;
constexpr auto quiet_for = 300ms;    // libtorrent asks the next of a tier as soon as one has failed
constexpr auto sent_within = 1500ms; // what is forced: libtorrent counts in whole seconds
constexpr auto look_within = 600ms;
constexpr auto now = lt::torrent_handle::ignore_min_interval;

contract::failure refusal(std::string why, std::string reason) {
    return contract::failure{errc::announce_refused, std::move(why)}.with("reason", std::move(reason));
}

contract::failure too_late() { return {errc::state_io_error, "the engine did not answer in time", {}}; }

std::string tidy(std::string_view from) {
    auto out = text::to_valid_utf8(from.substr(0, longest_message));
    std::replace_if(
        out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return out;
}

std::optional<std::int64_t> at_least(std::optional<std::int64_t> a, int b) {
    if (b < 0) return a;
    return std::max<std::int64_t>(a.value_or(0), b);
}

void take_numbers(contract::tracker_answer& row, lt::announce_entry const& from) {
    for (auto const& endpoint : from.endpoints)
        for (auto const v : {lt::protocol_version::V1, lt::protocol_version::V2}) {
            row.seeders = at_least(row.seeders, endpoint.info_hashes[v].scrape_complete);
            row.leechers = at_least(row.leechers, endpoint.info_hashes[v].scrape_incomplete);
        }
}

} // namespace

std::string failure_text(lt::tracker_error_alert const& a) {
    auto const* const reason = a.failure_reason();
    if (reason != nullptr && *reason != '\0') return tidy(reason);
    if (a.error == boost::asio::error::eof) return "it closed the connection without an answer";
    if (a.error == lt::errors::announce_skipped) return "it cannot be reached from the address listened at";
    return tidy(a.error.message());
}

void lt_announces::announce(torrent_ref const& t, std::chrono::milliseconds within, reply done) {
    auto const refuse = [&](contract::failure why) {
        loop_.post([done = std::move(done), why = std::move(why)]() mutable {
            done(unexpected<contract::failure>{std::move(why)});
        });
    };
    if (t->at == stage::refused || t->failed) return refuse(refusal("it is stopped by an error", "error"));
    if (t->at == stage::live && !t->done.running)
        return refuse(refusal("it is paused: resume it first", "paused"));

    auto const [at, is_first] = rounds_.try_emplace(t->serial, std::make_shared<round>());
    auto const r = at->second;
    r->waiting.push_back(std::move(done));
    if (!is_first) return;
    r->patience = loop_.after(within, [this, t, weak = std::weak_ptr{r}] {
        if (auto const late = weak.lock()) look(t, late);
    });
    if (t->at == stage::live) begin(t, r);
}

void lt_announces::became_live(torrent_ref const& t) {
    auto const at = rounds_.find(t->serial);
    if (at == rounds_.end() || at->second->begun) return;
    auto const r = at->second;
    begin(t, r);
}

void lt_announces::begin(torrent_ref const& t, round_ref const& r) {
    r->begun = true;
    r->begun_at = lt::clock_type::now();
    auto const found = std::make_shared<std::vector<lt::announce_entry>>();
    auto work = [found, handle = t->handle] {
        try {
            *found = handle.trackers();
            handle.force_reannounce(0, -1, now);
        } catch (std::exception const&) {
            found->clear(); // it has just been removed
        }
    };
    auto done = here_.guard([this, t, r, found] { know(t, r, *found); });
    if (!asker_.run(std::move(work), std::move(done))) finish(t, r, too_late());
}

void lt_announces::know(
    torrent_ref const& t, round_ref const& r, std::vector<lt::announce_entry> const& trackers) {
    if (r->over) return;
    r->known = true;
    auto early = std::exchange(r->trackers, {}); // alerts may have come before this
    for (auto const& entry : trackers) {
        auto& one = r->trackers.emplace_back();
        one.row.url = entry.url;
        for (auto const& was : early)
            if (was.row.url == entry.url) one = was;
        one.row.tier = entry.tier;
        one.is_busy =
            !one.was_sent && std::any_of(entry.endpoints.begin(), entry.endpoints.end(), [](auto& e) {
                return e.info_hashes[lt::protocol_version::V1].updating ||
                       e.info_hashes[lt::protocol_version::V2].updating;
            });
    }
    if (r->trackers.empty()) return finish(t, r);
    settle(t, r);
}

lt_announces::round_ref lt_announces::current(torrent_ref const& t, lt::tracker_alert const& a) const {
    auto const at = rounds_.find(t->serial);
    if (at == rounds_.end()) return nullptr;
    auto const& r = at->second;
    return r->begun && !r->over && a.timestamp() >= r->begun_at ? r : nullptr;
}

lt_announces::tracker& lt_announces::tracker_of(round& r, std::string_view url) {
    for (auto& one : r.trackers)
        if (one.row.url == url) return one;
    auto& made = r.trackers.emplace_back();
    made.row.url = url;
    return made;
}

void lt_announces::sent(torrent_ref const& t, lt::tracker_announce_alert const& a) {
    auto const r = current(t, a);
    if (!r) return;
    auto& to = tracker_of(*r, a.tracker_url());
    ++to.under_way;
    to.was_sent = true;
    to.is_busy = to.again = false;
    r->going_out = true;
    r->quiet.reset();
}

void lt_announces::answered(torrent_ref const& t, lt::tracker_reply_alert const& a) {
    auto const r = current(t, a);
    if (!r) return;
    auto& from = tracker_of(*r, a.tracker_url());
    if (from.under_way > 0) {
        from.row.status = tracker_state::working;
        from.row.peers = at_least(from.row.peers, a.num_peers);
    }
    ended(t, r, from);
}

void lt_announces::warned(torrent_ref const& t, lt::tracker_warning_alert const& a) {
    if (auto const r = current(t, a)) tracker_of(*r, a.tracker_url()).row.message = tidy(a.warning_message());
}

void lt_announces::failed(torrent_ref const& t, lt::tracker_error_alert const& a) {
    auto const r = current(t, a);
    if (!r) return;
    auto& from = tracker_of(*r, a.tracker_url());
    if (from.under_way > 0 && from.row.status != tracker_state::working) {
        from.row.status = tracker_state::error;
        from.row.message = failure_text(a);
    }
    ended(t, r, from);
}

void lt_announces::ended(torrent_ref const& t, round_ref const& r, tracker& of) {
    if (of.under_way > 0) {
        --of.under_way;
    } else {
        // It was of an announce of before, and libtorrent has put off ours for its interval: once more.
        of.is_busy = false;
        of.again = true;
        ask_again(t, of.row.url);
    }
    settle(t, r);
}

void lt_announces::ask_again(torrent_ref const& t, std::string const& url) {
    auto work = [handle = t->handle, url] {
        try {
            auto const all = handle.trackers(); // libtorrent changes their order when one fails
            for (std::size_t i = 0; i < all.size(); ++i)
                if (all[i].url == url) handle.force_reannounce(0, static_cast<int>(i), now);
        } catch (std::exception const&) {
            return; // it has just been removed
        }
    };
    if (!asker_.run(std::move(work), [] {})) t->handle.force_reannounce(0, -1, now);
}

void lt_announces::settle(torrent_ref const& t, round_ref const& r) {
    auto const waits = [](tracker const& one) { return one.under_way > 0 || one.is_busy; };
    auto const& all = r->trackers;
    if (!r->known || std::any_of(all.begin(), all.end(), waits)) return;
    if (std::all_of(all.begin(), all.end(), [](auto& one) { return one.was_sent; })) return look(t, r);
    if (!r->going_out) return;
    bool const again = std::any_of(all.begin(), all.end(), [](auto& one) { return one.again; });
    r->quiet = loop_.after(again ? sent_within : quiet_for, [this, t, weak = std::weak_ptr{r}] {
        if (auto const still = weak.lock()) look(t, still);
    });
}

// The numbers that came with the answers are in no alert.
void lt_announces::look(torrent_ref const& t, round_ref const& r) {
    if (r->over) return;
    if (!r->begun) return finish(t, r, refusal("it is being loaded: try again in a moment", "starting"));
    if (!r->known) return finish(t, r, too_late());
    if (!r->going_out && t->checking)
        return finish(
            t, r, refusal("its files are being checked: it announces itself after that", "checking"));
    auto const took = [](auto& one) { return one.row.status == tracker_state::working; };
    if (std::none_of(r->trackers.begin(), r->trackers.end(), took)) return finish(t, r);
    r->quiet.reset();
    r->patience = loop_.after(look_within, [this, t, weak = std::weak_ptr{r}] {
        if (auto const still = weak.lock()) finish(t, still);
    });
    auto const found = std::make_shared<std::vector<lt::announce_entry>>();
    auto work = [found, handle = t->handle] {
        try {
            *found = handle.trackers();
        } catch (std::exception const&) {
            found->clear();
        }
    };
    auto done = here_.guard([this, t, r, found] {
        if (r->over) return;
        for (auto const& entry : *found)
            if (auto& of = tracker_of(*r, entry.url); of.row.status == tracker_state::working)
                take_numbers(of.row, entry);
        finish(t, r);
    });
    if (!asker_.run(std::move(work), std::move(done))) finish(t, r);
}

void lt_announces::finish(
    torrent_ref const& t, round_ref const& r, std::optional<contract::failure> refused) {
    if (std::exchange(r->over, true)) return;
    auto rows = std::vector<contract::tracker_answer>{};
    for (auto const& one : r->trackers) {
        auto row = one.row;
        auto const tier_works = std::any_of(r->trackers.begin(), r->trackers.end(), [&](auto const& other) {
            return other.row.tier == row.tier && other.row.status == tracker_state::working;
        });
        if (row.status == tracker_state::not_asked && (one.was_sent || one.is_busy)) {
            row.status = tracker_state::timeout;
            row.message = "no answer in time";
        } else if (row.status == tracker_state::not_asked && !tier_works) {
            row.status = tracker_state::error;
            row.message = "it was not asked: does the daemon listen for peers?";
        }
        rows.push_back(std::move(row));
    }
    rounds_.erase(t->serial);
    for (auto& done : r->waiting)
        loop_.post([done = std::move(done), refused, rows]() mutable {
            if (refused)
                done(unexpected<contract::failure>{std::move(*refused)});
            else
                done(std::move(rows));
        });
    // Not here: it may be one of these that is calling.
    loop_.post([patience = std::move(r->patience), quiet = std::move(r->quiet)] {});
}

} // namespace ccbt::engine
