#include "daemon/daemon.hpp"

#include "base/log.hpp"
#include "daemon/door_limits.hpp"
#include "daemon/routes.hpp"
#include "gateway/port_keeper.hpp"
#include "wire/openapi.hpp"

#include <algorithm>
#include <limits>
#include <unistd.h>

namespace ccbt::daemon {

namespace {

constexpr std::size_t load_at_once = 500, load_more_up_to = 1000; // of a backlog: so 1,500 may wait
constexpr std::chrono::milliseconds load_again_in{2};
constexpr std::chrono::seconds lists_first_for{3}; // whatever is asked without end
constexpr std::chrono::milliseconds engine_stop_within{3500};
constexpr std::chrono::milliseconds gateway_stop_within{2500};
constexpr std::chrono::milliseconds server_stop_within{1000};
constexpr std::chrono::milliseconds stop_within{4300};
constexpr std::chrono::seconds root_check_every{5};
constexpr std::chrono::milliseconds tell_every{1000};
constexpr std::chrono::minutes key_uses_every{5};

model::state::beginning beginning_of(store::journal_snapshot const& done) {
    model::state::beginning b;
    b.incarnation = contract::make_torrent_id().low; // random: a token never comes back in another meaning
    b.first_seq = done.first_seq;
    b.removed_downloaded = done.removed_downloaded;
    b.removed_uploaded = done.removed_uploaded;
    return b;
}

void tell_quarantined(std::vector<std::string> const& records) {
    constexpr std::size_t told_at_most = 100;
    for (std::size_t i = 0; i < records.size() && i < told_at_most; ++i)
        log::error("a record of the state cannot be read: {}", records[i]);
    if (!records.empty())
        log::error(
            "{} records of the state cannot be read and are left as they are; all others serve. ccbtd --recover, "
            "while the daemon is stopped, says which torrents and settings they were",
            records.size());
}

} // namespace

server::server_options options_of(
    contract::settings const& s, std::string api_key, contract::key_ring& named_keys,
    std::function<std::string()> revision) {
    server::server_options o;
    o.host = s.daemon.ipc_host;
    o.port = static_cast<int>(s.daemon.ipc_port);
    o.api_key = std::move(api_key);
    for (auto const& hex : s.daemon.trusted_keys)
        if (auto const key = crypto::fixed_from_hex<32>(hex)) o.trusted_signers.push_back(*key);
    o.named_keys = &named_keys;
    o.allowed_hosts = s.daemon.allowed_hosts;
    o.trusted_proxies = s.daemon.trusted_proxies;
    o.allow_insecure_bind = s.daemon.allow_insecure_bind;
    o.limits = limits_of(s.limits);
    o.metrics_need_key = s.observability.metrics_need_key;
    o.revision = std::move(revision);
    o.websocket_enabled = s.daemon.websocket_enabled;
    o.heartbeat_seconds = s.daemon.websocket_heartbeat_interval;
    return o;
}

daemon::daemon(
    loop& on, metrics::door& counted, loaded_config config, std::string api_key, foundation from,
    engine_maker make_engine)
    : on_{on},
      config_{std::move(config)},
      in_force_{config_.settings},
      from_{std::move(from)},
      state_{beginning_of(from_.done)},
      engine_{make_engine(
          in_force_, [this](std::vector<model::fact> facts) { take_facts(std::move(facts)); },
          [this](std::vector<engine::saved_progress> saved) { keep_progress(std::move(saved)); })},
      gateway_{std::make_unique<gateway::port_keeper>(
          on_, in_force_, [this](model::nat_seen seen) { house_.apply(std::move(seen)); })},
      house_{
          .on = on_,
          .state = state_,
          .truth = from_.truth,
          .journal = from_.journal,
          .engine = *engine_,
          .roots = roots_,
          .settings = in_force_,
          .self = self_,
          .door = counted,
          .openapi = [] { return wire::openapi_document(); },
          .begin_shutdown = [this] { on_.post([this] { stop(nullptr); }); },
          .laid_over = from_.asked.settings,
          .fitting = [this](auto const& given) { return fitting_overrides(config_, given); },
          .lay_over = [this](auto const& given) { lay_over(given); }},
      executor_{house_},
      server_{
          on_, make_routes(executor_, json_limits_of(in_force_.limits)),
          options_of(
              in_force_, std::move(api_key), state_.keys(), [this] { return state_.revision().token(); }),
          counted} {
    house_.gateway = gateway_.get();
    house_.config = this;
    self_.version = CCBT_VERSION;
    self_.pid = ::getpid();
    self_.lineage = from_.asked.lineage;
    self_.node_id = from_.asked.node_id;
    state_.events().write_by(server::text_of);
    state_.events().listen([this](contract::event_view const& event) { server_.publish(event); });
    state_.events().ask_who_wants([this](contract::event_type type) { return server_.anyone_wants(type); });
    auto missed = [this](std::int64_t seq) -> std::optional<std::vector<contract::kept_event>> {
        auto found = state_.events().since(seq, std::numeric_limits<std::size_t>::max());
        if (found.lost) return std::nullopt;
        return std::move(found.events);
    };
    server_.remember_by(std::move(missed), [this] {
        return server::hub::position{state_.events().last_seq(), state_.revision().token()};
    });
}

daemon::~daemon() = default;

expected<std::string, std::string> daemon::start() {
    tell_quarantined(from_.asked.quarantined);
    open_roots();

    auto const many = from_.asked.torrents.size();
    state_.expect(many);
    house_.not_loaded.reserve(many);
    house_.queue.expect(many);
    std::unordered_map<model::torrent_id, model::torrent_done> done;
    done.reserve(many);
    for (auto const& d : from_.done.torrents) done[d.id] = d;
    for (auto const& asked : from_.asked.torrents) {
        state_.restore(asked, done[asked->id]);
        house_.not_loaded.insert(asked->id);
        house_.queue.restore(asked, done[asked->id], state_.is_offline(asked->root));
    }
    house_.configure_queue(); // before anything is loaded: what has to wait is not started for a moment

    for (auto& [list, entry] : from_.asked.lists) state_.restore(list, std::move(entry));
    from_.asked.lists.clear();
    for (auto& key : from_.asked.keys) state_.restore(std::move(key));
    from_.asked.keys.clear();

    auto url = server_.listen();
    if (!url) return url;
    self_.url = *url;

    executor_.begin_filter([this] { house_.rules.start(); }); // and the engine opens its port

    // What users wait for goes first: the torrents that run, then those that wait or are paused.
    auto const runs = [this](auto const& asked) { return !asked->paused && !house_.queue.holds(asked->id); };
    std::stable_partition(from_.asked.torrents.begin(), from_.asked.torrents.end(), runs);
    for (auto at = from_.asked.torrents.rbegin(); at != from_.asked.torrents.rend(); ++at)
        to_load_.push_back((*at)->id);
    from_.asked.torrents.clear();
    from_.done.torrents.clear();
    on_.post([this] { load_next(); });
    for (auto& deletion : from_.asked.deletions) spawn(on_, executor_.finish_deletion(std::move(deletion)));
    from_.asked.deletions.clear();

    tickers_.push_back(on_.every(root_check_every, [this] { watch_roots(); }));
    mounts_ = std::make_unique<mount_watch>(on_, [this] { watch_roots(); });
    tickers_.push_back(on_.every(key_uses_every, [this] { executor_.keep_key_uses(); }));
    tickers_.push_back(on_.every(tell_every, [this] {
        state_.tell_changes(unix_now());
        if (server_.anyone_wants(contract::event_type::global_stats_updated))
            state_.tell_stats(executor::global_stats(state_), unix_now());
        else
            state_.forget_stats();
    }));
    return url;
}

// ---- roots

std::vector<std::string> folders_of(contract::disk_settings const& disk) {
    std::vector<std::string> all{disk.download_path};
    all.insert(all.end(), disk.allowed_paths.begin(), disk.allowed_paths.end());
    return all;
}

void daemon::open_roots() { take_roots(roots_.open(from_.asked.roots, folders_of(in_force_.disk))); }

void daemon::take_roots(executor::roots::opened opened) {
    for (auto const& check : opened.known) {
        state_.know_root(check.root);
        take_root_check(check);
    }
    store::commit change;
    for (auto const& root : opened.fresh) change.changes.emplace_back(store::put_root{root});
    if (change.changes.empty()) return;
    from_.truth.commit_change(std::move(change), [](store::outcome how) {
        if (how != store::outcome::committed) log::error("the storage folders could not be recorded");
    });
}

void daemon::watch_roots() {
    check_roots_again_ = checking_roots_; // a disk that does not answer is asked once
    if (checking_roots_ || stopping_) return;
    checking_roots_ = true;
    auto const found = std::make_shared<std::vector<executor::root_check>>();
    on_.off(
        [found, all = roots_.all()] {
            for (auto const& root : all) found->push_back(executor::check_root(root));
        },
        [this, found] {
            checking_roots_ = false;
            for (auto const& check : *found) take_root_check(check);
            if (check_roots_again_) watch_roots();
        });
}

void daemon::take_root_check(executor::root_check const& check) {
    bool const offline = check.state == executor::root_state::offline;
    if (offline == state_.is_offline(check.root.id)) return;
    if (offline)
        log::error(
            "the storage folder {} is offline: {}. Its torrents wait until it is back.", check.root.path,
            check.why);
    else
        log::info("the storage folder {} is back", check.root.path);
    if (offline)
        house_.apply(model::root_offline{check.root.id});
    else
        house_.apply(model::root_online{check.root.id});
    for (auto const* row = state_.torrents().first(); row != nullptr; row = row->added_after)
        if (row->asked->root == check.root.id) house_.ask_engine(row->asked);
}

// ---- the engine

void daemon::load_next() {
    if (to_load_.empty() || stopping_) return;
    // Who asked for the list has it first; and what the engine cannot take yet better lies in the store than in memory.
    auto const list_first = executor_.is_rendering() && steady::now() < self_.started + lists_first_for;
    if (list_first || engine_->backlog() > load_more_up_to) {
        load_later_ = on_.after(load_again_in, [this] { load_next(); });
        return;
    }
    std::vector<model::torrent_id> some;
    while (!to_load_.empty() && some.size() < load_at_once) {
        some.push_back(to_load_.back());
        to_load_.pop_back();
    }
    loading_ = true;
    from_.journal.load_many(std::move(some), [this](std::vector<store::journal::stored> all) {
        if (stopping_) return; // the engine takes none any more
        loading_ = false;
        for (auto& one : all) {
            house_.not_loaded.erase(one.id);
            auto const* row = state_.torrents().find(one.id);
            if (row == nullptr) continue; // removed meanwhile
            if (row->asked->has_metainfo && !one.metainfo) {
                house_.apply(model::torrent_failed{
                    one.id,
                    "its metainfo in the daemon's state is damaged: resume it to have it fetched from "
                    "its peers, or remove it and add it again"});
                continue;
            }
            engine::load first{
                .metainfo = std::move(one.metainfo),
                .resume = std::move(one.resume),
                .after_crash = !from_.asked.clean,
                .downloaded = row->seen.downloaded,
                .uploaded = row->seen.uploaded};
            engine_->ask(house_.wish_for(row->asked), std::move(first));
        }
        load_next();
    });
}

void daemon::take_facts(std::vector<model::fact> facts) {
    for (auto& one : facts) {
        if (auto* metadata = std::get_if<model::metadata_arrived>(&one))
            spawn(on_, executor_.learn_metadata(*metadata));
        if (auto const* at = std::get_if<model::listening>(&one)) gateway_->listens_at(at->port);
    }
    house_.apply(facts);
}

void daemon::keep_progress(std::vector<engine::saved_progress> saved) {
    if (engine_stopped_) return; // too late: the store closes
    std::vector<store::resume_record> records;
    records.reserve(saved.size());
    for (auto& one : saved) records.push_back({one.done, std::move(one.resume)});
    from_.journal.keep(std::move(records), [this](store::outcome how) {
        if (how == store::outcome::io_error) house_.store_failed = true;
        if (how != store::outcome::committed) log::warning("progress could not be kept");
    });
}

// ---- the end

void daemon::stop(job stopped) {
    if (stopped) stopped_ = std::move(stopped);
    if (stopping_) return;
    stopping_ = true;
    log::info("stopping");
    house_.apply(model::stopping_now{});
    tickers_.clear();
    load_later_.reset();
    mounts_.reset();
    executor_.stop_filter();
    executor_.stop_verifying();
    stops_awaited_ = 3;
    auto const is_over = [this] {
        patience_.reset();
        if (stopped_)
            std::exchange(stopped_, nullptr)();
        else
            on_.stop();
    };
    // What was answered is committed: it is not the state's disk that decides when this ends.
    patience_ = on_.after(stop_within, [is_over] {
        log::error("the state could not be closed in time: it is left as after a kill");
        is_over();
    });
    auto const one_stopped = [this, is_over] {
        if (--stops_awaited_ > 0) return;
        executor_.keep_key_uses();
        bool const is_whole = from_.asked.clean || (to_load_.empty() && !loading_);
        from_.close(is_whole, is_over);
    };
    server_.stop(server_stop_within, one_stopped);
    engine_->stop(engine_stop_within, [this, one_stopped] {
        engine_stopped_ = true;
        one_stopped();
    });
    gateway_->stop(gateway_stop_within, one_stopped);
}

} // namespace ccbt::daemon
