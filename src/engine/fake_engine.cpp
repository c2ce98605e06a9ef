#include "engine/fake_engine.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ccbt::engine {

namespace {

using contract::torrent_state;

std::uint64_t mixed(std::uint64_t x) { // splitmix64's finisher
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

std::vector<contract::peer> some_peers(std::uint64_t seed, std::int64_t how_many, double down, double up) {
    auto peers = std::vector<contract::peer>{};
    for (std::int64_t i = 0; i < how_many; ++i) {
        auto const r = mixed(seed + static_cast<std::uint64_t>(i) + 1);
        auto p = contract::peer{};
        p.ip = fmt::format("198.51.100.{}", 1 + r % 254);
        p.port = 1024 + static_cast<std::int64_t>((r >> 16) % 60000);
        p.download_rate = down / static_cast<double>(how_many);
        p.upload_rate = up / static_cast<double>(how_many);
        p.client = "fake/1.0";
        p.progress = static_cast<double>((r >> 40) % 1000) / 1000;
        p.direction = (r & 1) != 0 ? "in" : "out";
        p.transport = "tcp";
        p.flags = (r & 1) != 0 ? "DI" : "D";
        peers.push_back(std::move(p));
    }
    return peers;
}

} // namespace

fake_engine::fake_engine(options with)
    : loop_{with.on},
      tell_{with.on, std::move(with.facts)},
      progress_{std::move(with.progress)},
      share_{std::max(1, with.share)},
      mixed_{with.mixed} {
    if (with.period.count() > 0) ticker_ = loop_.every(with.period, [this] { tick(); });
}

fake_engine::torrent* fake_engine::find(torrent_id id) {
    auto const at = torrents_.find(id);
    return at == torrents_.end() ? nullptr : &at->second;
}

wish const* fake_engine::wished(torrent_id id) const {
    auto const at = torrents_.find(id);
    return at == torrents_.end() ? nullptr : &at->second.how;
}

load const* fake_engine::loaded(torrent_id id) const {
    auto const at = torrents_.find(id);
    return at == torrents_.end() ? nullptr : &at->second.first;
}

void fake_engine::ask(wish how, load first) {
    wishes_.push_back(how);
    auto* t = find(how.asked->id);
    if (!t) {
        auto made = torrent{};
        made.seen.id = how.asked->id;
        made.seen.downloaded = first.downloaded;
        made.seen.uploaded = first.uploaded;
        made.first = std::move(first);
        made.seed = mixed(order_.size() + 1);
        if (mixed_) made.seen.progress = made.seed % 2 == 0 ? 1 : static_cast<double>(made.seed % 997) / 1000;
        order_.push_back(how.asked->id);
        t = &torrents_.emplace(how.asked->id, std::move(made)).first->second;
    }
    t->how = std::move(how);
    if (t->failed && !t->how.asked->paused) {
        t->failed = false;
        tell_.tell(model::torrent_recovered{t->seen.id});
    }
    settle(*t);
    tell_seen({t->seen});
    if (caught_up_) return;
    caught_up_ = true;
    loop_.post(here_.guard([this] { tell_.tell(model::engine_caught_up{}); }));
}

void fake_engine::settle(torrent& t) {
    auto const& a = *t.how.asked;
    auto& s = t.seen;
    auto const knows = a.has_metainfo || t.first.metainfo != nullptr;
    s.finished = knows && s.progress >= 1;
    if (t.how.blocked)
        s.state = torrent_state::stopped;
    else if (a.paused || t.how.held || t.failed)
        s.state = torrent_state::paused;
    else if (!knows)
        s.state = torrent_state::metadata;
    else
        s.state = s.finished ? torrent_state::seeding : torrent_state::downloading;
    if (s.state == torrent_state::downloading || s.state == torrent_state::seeding) return;
    s.download_rate = s.upload_rate = 0;
    s.num_peers = s.num_seeds = 0;
}

void fake_engine::forget(torrent_id id, unique_function<void(std::shared_ptr<std::string const>)> done) {
    forgotten_.push_back(id);
    auto const known = torrents_.erase(id) != 0;
    std::erase(order_, id);
    loop_.post(
        [done = std::move(done), resume = known ? resume_on_forget : nullptr]() mutable { done(resume); });
}

void fake_engine::peers(
    torrent_id id, unique_function<void(contract::result<std::vector<contract::peer>>)> done) {
    auto answer = contract::result<std::vector<contract::peer>>{
        contract::fails(contract::errc::torrent_not_found, "there is no such torrent")};
    if (auto const* t = find(id))
        answer = !t->peers.empty()
                     ? t->peers
                     : some_peers(t->seed, t->seen.num_peers, t->seen.download_rate, t->seen.upload_rate);
    loop_.post([done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); });
}

void fake_engine::block_addresses(std::shared_ptr<ip_range_set const> what, unique_function<void()> done) {
    ++blocks_asked_;
    blocks_.push_back({std::move(what), std::move(done)});
    if (!blocks_held_) release_blocks();
}

void fake_engine::release_blocks() {
    blocks_held_ = false;
    for (auto& one : std::exchange(blocks_, {})) {
        blocked_ = *one.what;
        loop_.post(std::move(one.done));
    }
}

void fake_engine::pieces(torrent_id id, unique_function<void(contract::result<piece_report>)> done) {
    auto answer = contract::result<piece_report>{
        contract::fails(contract::errc::starting, "that torrent is not loaded yet: try again")};
    if (auto const* t = find(id)) answer = piece_report{t->have};
    loop_.post([done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); });
}

void fake_engine::file_progress(
    torrent_id id, unique_function<void(contract::result<std::vector<std::int64_t>>)> done) {
    auto const* const t = find(id);
    auto bytes = t ? t->file_bytes : std::vector<std::int64_t>{};
    loop_.post([done = std::move(done), bytes = std::move(bytes)]() mutable { done(std::move(bytes)); });
}

void fake_engine::announce(
    torrent_id id, std::chrono::milliseconds,
    unique_function<void(contract::result<std::vector<contract::tracker_answer>>)> done) {
    auto const* const t = find(id);
    auto answers = t ? t->trackers : std::vector<contract::tracker_answer>{};
    loop_.post(
        [done = std::move(done), answers = std::move(answers)]() mutable { done(std::move(answers)); });
}

void fake_engine::save_all(unique_function<void()> done) {
    ++saves_asked_;
    auto saved = std::vector<saved_progress>{};
    for (auto const& id : order_) {
        auto const& s = find(id)->seen;
        auto told = model::torrent_done{};
        told.id = id;
        told.progress = s.progress;
        told.downloaded = s.downloaded;
        told.uploaded = s.uploaded;
        saved.push_back({told, std::make_shared<std::string const>("fake resume data")});
    }
    loop_.post(here_.guard([this, saved = std::move(saved)]() mutable {
        if (progress_ && !saved.empty()) progress_(std::move(saved));
    }));
    if (done) loop_.post(std::move(done));
}

void fake_engine::stop(std::chrono::milliseconds, unique_function<void()> done) {
    ticker_.reset();
    stopped_ = true;
    save_all();
    loop_.post(std::move(done));
}

void fake_engine::move(torrent& t) {
    auto& s = t.seen;
    auto const r = mixed(t.seed + ticks_);
    if (s.state == torrent_state::downloading) {
        s.num_peers = 3 + static_cast<std::int64_t>(r % 20);
        s.num_seeds = s.num_peers / 3;
        s.download_rate = static_cast<double>(100'000 + r % 5'000'000);
        s.upload_rate = static_cast<double>(r % 200'000);
        auto const size = std::max<std::int64_t>(1, t.how.asked->total_size);
        s.downloaded += static_cast<std::int64_t>(s.download_rate);
        s.progress = std::min(1.0, s.progress + s.download_rate / static_cast<double>(size));
        if (s.progress >= 1) {
            tell_.tell(model::torrent_finished{s.id});
            settle(t);
        }
    } else if (s.state == torrent_state::seeding) {
        s.num_peers = static_cast<std::int64_t>(r % 10);
        s.num_seeds = 0;
        s.download_rate = 0;
        s.upload_rate = s.num_peers == 0 ? 0 : static_cast<double>(r % 2'000'000);
    }
    s.uploaded += static_cast<std::int64_t>(s.upload_rate);
    downloaded_ += static_cast<std::int64_t>(s.download_rate);
    uploaded_ += static_cast<std::int64_t>(s.upload_rate);
}

void fake_engine::tick() {
    auto samples = std::vector<model::torrent_seen>{};
    auto const step = static_cast<std::size_t>(share_);
    for (auto i = static_cast<std::size_t>(ticks_) % step; i < order_.size(); i += step) {
        auto& t = *find(order_[i]);
        auto const before = t.seen;
        move(t);
        if (!(before == t.seen)) samples.push_back(t.seen);
    }
    ++ticks_;
    tell_seen(std::move(samples));
    tell_.tell(model::session_seen{static_cast<std::int64_t>(100 + ticks_ % 50), downloaded_, uploaded_});
}

void fake_engine::tell_seen(std::vector<model::torrent_seen> samples) {
    if (!samples.empty()) tell_.tell(model::torrents_seen{std::move(samples)});
}

void fake_engine::set_peers(torrent_id id, std::vector<contract::peer> peers) {
    if (auto* const t = find(id)) t->peers = std::move(peers);
}

void fake_engine::set_pieces(torrent_id id, std::vector<bool> have) {
    if (auto* t = find(id)) t->have = std::move(have);
}

void fake_engine::set_file_progress(torrent_id id, std::vector<std::int64_t> bytes) {
    if (auto* const t = find(id)) t->file_bytes = std::move(bytes);
}

void fake_engine::set_trackers(torrent_id id, std::vector<contract::tracker_answer> trackers) {
    if (auto* const t = find(id)) t->trackers = std::move(trackers);
}

void fake_engine::see(model::torrent_seen sample) {
    if (auto* const t = find(sample.id)) t->seen = sample;
    tell_seen({sample});
}

void fake_engine::fail(torrent_id id, std::string message) {
    auto* const t = find(id);
    if (!t) return;
    t->failed = true;
    tell_.tell(model::torrent_failed{id, std::move(message)});
    settle(*t);
    tell_seen({t->seen});
}

void fake_engine::recover(torrent_id id) {
    auto* const t = find(id);
    if (!t || !t->failed) return;
    t->failed = false;
    tell_.tell(model::torrent_recovered{id});
    settle(*t);
    tell_seen({t->seen});
}

void fake_engine::finish(torrent_id id) {
    auto* const t = find(id);
    if (!t) return;
    t->seen.progress = 1;
    t->seen.downloaded = std::max(t->seen.downloaded, t->how.asked->total_size);
    settle(*t);
    tell_seen({t->seen});
    tell_.tell(model::torrent_finished{id});
}

void fake_engine::metadata(torrent_id id, std::string metainfo) {
    auto* const t = find(id);
    if (!t) return;
    auto const source = read_torrent(metainfo);
    if (!source) return fail(id, source.error().message);
    t->first.metainfo = std::make_shared<std::string const>(std::move(metainfo));
    tell_.tell(model::metadata_arrived{
        id, t->first.metainfo, source->hashes, source->name, source->is_private, source->total_size});
    settle(*t);
    tell_seen({t->seen});
}

void fake_engine::lose_facts() {
    tell_.tell(model::facts_lost{});
    auto samples = std::vector<model::torrent_seen>{};
    for (auto const& id : order_) samples.push_back(find(id)->seen);
    tell_seen(std::move(samples));
}

} // namespace ccbt::engine
