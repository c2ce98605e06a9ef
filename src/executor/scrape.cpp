#include "executor/scrape.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "contract/transfers.hpp"

#include <algorithm>

namespace ccbt::executor {

namespace {

using namespace std::chrono_literals;

constexpr auto asked_within = 8s;        // a tracker
constexpr auto answered_within = 9s;     // all; the API's 10 s hold the way to it and back
constexpr auto others_within = 2s;       // once one has answered
constexpr std::size_t most_waiting = 64; // questions for each thread that asks

bool may_ask(contract::discovery_settings const& by, std::string_view url) {
    auto const scheme = text::lower(url.substr(0, url.find(':')));
    if (scheme == "udp") return by.enable_udp_trackers;
    return (scheme == "http" || scheme == "https") && by.enable_http_trackers;
}

tracker::swarm_hash swarm_of(contract::info_hash const& hash) { // BEP 52: a v2 hash is cut to 20 bytes
    tracker::swarm_hash out{};
    auto const bytes = text::from_hex(hash.hex().substr(0, 40)).value_or(std::vector<std::uint8_t>{});
    std::copy_n(bytes.begin(), std::min(bytes.size(), out.size()), out.begin());
    return out;
}

/// A tracker may say its URL back to us, and the passkey with it.
std::string without_secrets(std::string message, std::string_view url) {
    auto const host = std::min(url.find("://"), url.size());
    auto const path = std::min(url.find('/', std::min(host + 3, url.size())), url.size());
    for (auto rest = url.substr(path); !rest.empty();) {
        auto const end = std::min(rest.find_first_of("/?&=#"), rest.size());
        auto const part = rest.substr(0, end);
        if (part.size() >= 8 && part != "announce")
            for (auto at = message.find(part); at != std::string::npos; at = message.find(part, at + 3))
                message.replace(at, part.size(), "***");
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return message;
}

failure all_failed(std::vector<std::string> each) {
    auto message = "no tracker answered the scrape: " + each.front();
    if (each.size() > 1) message += " (and " + std::to_string(each.size() - 1) + " more)";
    return failure{errc::scrape_failed, std::move(message)}.with("trackers", std::move(each));
}

} // namespace

scrape::~scrape() { *stop_ = true; }

std::optional<contract::scrape_result> scrape::known(model::torrent_row const& row) const {
    auto const at = kept_.find(row.asked->id);
    if (at == kept_.end()) return std::nullopt;
    contract::scrape_result out;
    out.info_hash = row.view->info_hash;
    out.seeders = at->second.found.seeders;
    out.leechers = at->second.found.leechers;
    out.completed = at->second.found.completed;
    out.last_scrape_time = at->second.at;
    out.scrape_count = at->second.times;
    return out;
}

task<result<contract::scrape_result>> scrape::handle(contract::run_scrape::request request, caller const&) {
    auto const* row = house_.state.torrents().find(request.info_hash);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};
    if (!request.force)
        if (auto const now = known(*row)) co_return *now;
    auto const id = row->asked->id;
    auto wait = [this, id](auto done) { join(id, std::move(done)); };
    auto const got = co_await reply_of<std::shared_ptr<outcome const>>(std::move(wait));
    row = house_.state.torrents().find(id);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};
    if (!got->has_tracker) {
        auto none = failure{errc::scrape_failed, "it has no tracker that may be asked"};
        none.details.push_back({"reason", std::string{"no_tracker"}});
        co_return unexpected<failure>{std::move(none)};
    }
    auto const found = known(*row);
    if (!got->best || !found) co_return unexpected<failure>{all_failed(got->failures)};
    co_return *found;
}

task<result<contract::list_scrapes::response>> scrape::handle(
    contract::list_scrapes::request, caller const&) {
    contract::list_scrapes::response out;
    if (kept_.empty()) co_return out;
    for (auto const* row = house_.state.torrents().first(); row != nullptr; row = row->added_after)
        if (auto one = known(*row)) out.results.push_back(std::move(*one));
    co_return out;
}

task<result<contract::scrape_result>> scrape::handle(contract::get_scrape::request request, caller const&) {
    auto const* row = house_.state.torrents().find(request.info_hash);
    auto const found = row == nullptr ? std::nullopt : known(*row);
    if (!found) co_return fails(errc::scrape_not_found, "that torrent has not been scraped");
    co_return *found;
}

task<result<contract::protocol_info>> scrape::handle(contract::get_xet_protocol::request, caller const&) {
    contract::protocol_info out;
    out.details.reason = "this daemon has no Xet transport";
    co_return out;
}

task<result<contract::protocol_info>> scrape::handle(contract::get_ipfs_protocol::request, caller const&) {
    contract::protocol_info out;
    out.details.reason = "this daemon has no IPFS transport";
    co_return out;
}

void scrape::join(torrent_id id, reply done) {
    auto const [at, is_first] = rounds_.try_emplace(id);
    if (is_first) at->second = std::make_shared<round>();
    auto const r = at->second;
    r->waiting.push_back(std::move(done));
    if (!is_first) return;
    r->until = std::chrono::steady_clock::now() + asked_within;
    r->patience = house_.on.after(answered_within, [this, id, weak = std::weak_ptr{r}] {
        if (auto const late = weak.lock()) finish(id, late);
    });
    spawn(house_.on, run(id, r));
}

task<> scrape::run(torrent_id id, round_ref r) {
    auto const* row = house_.state.torrents().find(id);
    auto const asked = row == nullptr ? nullptr : row->asked;
    if (asked) {
        auto urls = co_await torrents_.trackers_of(asked);
        std::erase_if(urls, [&](auto const& url) { return !may_ask(house_.settings.discovery, url); });
        r->urls = std::move(urls);
    }
    if (r->over) co_return;
    r->begun = true;
    r->answers.resize(r->urls.size());
    for (std::size_t i = 0; i < r->urls.size(); ++i) ask(id, r, i, swarm_of(asked->hashes.canonical()));
    settle(id, r);
}

void scrape::ask(torrent_id id, round_ref const& r, std::size_t which, tracker::swarm_hash const& of) {
    auto& by = *std::min_element(askers_.begin(), askers_.end(), [](auto const& a, auto const& b) {
        return a.under_way < b.under_way;
    });
    if (!by.on) by.on = std::make_unique<worker>(house_.on, most_waiting);
    auto const found = std::make_shared<tracker::answer>();
    // More than can be asked at once share the time, so that the silent ones leave some to those behind them.
    auto const turns = static_cast<int>((r->urls.size() + askers_.size() - 1) / askers_.size());
    auto const turn = static_cast<int>(which / askers_.size());
    auto const within = r->until - asked_within * (turns - 1 - turn) / turns;
    auto work = [found, url = r->urls[which], of, until = within, stop = stop_,
                 how = tracker::way{house_.settings.proxy, house_.settings.network.listen_interface}] {
        found->failed = "no answer in time";
        if (*stop || std::chrono::steady_clock::now() >= until) return;
        try {
            *found = tracker::scrape(url, of, how, until, *stop);
        } catch (std::exception const& e) { // no thread, no memory
            found->failed = "it could not be asked";
            log::warning("a tracker could not be asked: {}", e.what());
        }
    };
    auto done = [here = std::weak_ptr{here_}, &by, id, r, which, found] {
        auto const self = here.lock();
        if (!self) return;
        --by.under_way;
        r->answers[which] = found;
        (*self)->settle(id, r);
    };
    if (by.on->run(std::move(work), std::move(done))) {
        ++by.under_way;
    } else {
        found->failed = "too many scrapes are under way";
        r->answers[which] = found;
    }
}

void scrape::settle(torrent_id id, round_ref const& r) {
    if (r->over) return;
    auto const came = [](auto const& a) { return a != nullptr; };
    if (std::all_of(r->answers.begin(), r->answers.end(), came)) return finish(id, r);
    auto const good = [](auto const& a) { return a != nullptr && a->found.has_value(); };
    if (r->hurries || std::none_of(r->answers.begin(), r->answers.end(), good)) return;
    r->hurries = true;
    auto const left =
        std::chrono::duration_cast<std::chrono::milliseconds>(r->until - std::chrono::steady_clock::now());
    r->patience = house_.on.after(
        std::clamp<std::chrono::milliseconds>(left, 0ms, others_within), [this, id, weak = std::weak_ptr{r}] {
            if (auto const late = weak.lock()) finish(id, late);
        });
}

void scrape::finish(torrent_id id, round_ref const& r) {
    if (std::exchange(r->over, true)) return;
    outcome out;
    out.has_tracker = !r->begun || !r->urls.empty();
    if (!r->begun) out.failures.emplace_back("the trackers could not be read in time");
    for (std::size_t i = 0; i < r->urls.size() && r->begun; ++i) {
        auto const& a = r->answers[i];
        if (a && a->found) {
            auto const better = [](auto const& x) { return std::pair{x.seeders, x.leechers}; };
            if (!out.best || better(*a->found) > better(*out.best)) out.best = a->found;
            continue;
        }
        out.failures.push_back(
            contract::without_passkey(r->urls[i]) + ": " +
            without_secrets(a ? a->failed : "no answer in time", r->urls[i]));
    }
    if (out.best && house_.state.torrents().find(id) != nullptr) {
        auto& k = kept_[id];
        k.found = *out.best;
        k.at = unix_now();
        ++k.times;
        std::erase_if(
            kept_, [&](auto const& one) { return house_.state.torrents().find(one.first) == nullptr; });
    }
    rounds_.erase(id);
    auto const told = std::make_shared<outcome const>(std::move(out));
    for (auto& done : std::exchange(r->waiting, {}))
        house_.on.post([done = std::move(done), told]() mutable { done(told); });
    // Not here: it may be this one that is calling.
    house_.on.post([patience = std::move(r->patience)] {});
}

} // namespace ccbt::executor
