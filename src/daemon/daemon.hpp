// The house, put together: store, model, engine, executor, server, built in this order and stopped in reverse. Loop
// thread; the process around it (flags, lock, signals, exit codes) is main.cpp's.
#pragma once

#include "base/loop.hpp"
#include "base/metrics.hpp"
#include "base/mount_watch.hpp"
#include "daemon/config.hpp"
#include "engine/engine.hpp"
#include "executor/executor.hpp"
#include "executor/roots.hpp"
#include "gateway/gateway.hpp"
#include "model/state.hpp"
#include "server/server.hpp"
#include "store/journal.hpp"
#include "store/truth.hpp"

#include <functional>
#include <memory>
#include <string>

namespace ccbt::daemon {

using contract::result;

/// What the house stands on: a store that has been opened, and what was in it.
struct foundation {
    store::truth& truth;
    store::journal& journal;
    store::snapshot asked;
    store::journal_snapshot done;
    /// The store; then calls. Not `whole`: torrents known from before were not looked at as a start has to.
    std::function<void(bool whole, job)> close;
};

[[nodiscard]] server::server_options options_of(
    contract::settings const& s, std::string api_key, contract::key_ring& named_keys,
    std::function<std::string()> revision = {}); // of the truth now
[[nodiscard]] std::vector<std::string> folders_of(contract::disk_settings const& disk);

using engine_maker = std::function<std::unique_ptr<engine::engine>(
    contract::settings const&, engine::fact_sink, engine::progress_sink)>;

class daemon : executor::configuration {
public:
    daemon(
        loop& on, metrics::door& counted, loaded_config config, std::string api_key, foundation from,
        engine_maker make_engine);
    ~daemon() override;

    void listen_also(server::more_ways ways) { server_.listen_also(std::move(ways)); } // before start()
    void configure_tls(tls::context_ptr to) { server_.configure_tls(std::move(to)); }
    [[nodiscard]] std::string const& unix_socket() const { return server_.unix_path(); } // "": none

    /// The torrents are listed, the API answers, the engine loads behind it. The API's URL, or why it cannot serve.
    [[nodiscard]] expected<std::string, std::string> start();

    /// Applies what of a configuration read anew can be applied now; says what has to wait for a restart. What is laid
    /// over it stays.
    void reread(loaded_config file) { spawn(on_, take_reread(std::move(file))); }

    /// What the IP filter's files and URLs say now.
    void reload_filter() { executor_.reload_filter(); }

    /// Saves, stops, closes, within a bound; then calls. A second call changes nothing.
    void stop(job stopped);

    [[nodiscard]] std::size_t torrents() const { return state_.torrents().size(); }

    // For tests, which ask without a door between. Loop thread.
    [[nodiscard]] executor::executor& deeds() { return executor_; }
    [[nodiscard]] model::state& state() { return state_; }

private:
    void take_facts(std::vector<model::fact> facts);
    void keep_progress(std::vector<engine::saved_progress> saved);
    void open_roots();
    void take_roots(executor::roots::opened opened);
    void watch_roots();
    void take_root_check(executor::root_check const& check);
    void load_next();

    // daemon_config.cpp
    [[nodiscard]] result<plan> planned(std::string_view json) const override;
    task<> put_in_force(plan what) override;
    [[nodiscard]] contract::settings shown() const override;
    [[nodiscard]] result<std::vector<contract::explain_config::explained>> explained(
        std::optional<std::string> const& key) const override;
    task<> take_reread(loaded_config file);
    task<> take_over(loaded_config to);
    task<> reopen_roots();
    config_changes configure(loaded_config to);
    void tell_changed(config_changes const& changes);
    void lay_over(executor::context::overrides const& given);

    loop& on_;
    loaded_config config_;        // as it is configured
    contract::settings in_force_; // the same, but what needs a restart as it was at the start
    foundation from_;
    model::state state_;
    executor::roots roots_;
    std::unique_ptr<engine::engine> engine_;
    std::unique_ptr<gateway::gateway> gateway_;
    executor::identity self_;
    executor::context house_;
    executor::executor executor_;
    server::server server_;

    std::vector<model::torrent_id> to_load_; // from the back
    bool loading_ = false;                   // some of them are read, and the engine does not know them yet
    std::unique_ptr<loop::ticker> load_later_;
    bool checking_roots_ = false, check_roots_again_ = false;
    std::unique_ptr<mount_watch> mounts_;
    double told_at_ = 0;
    std::vector<std::unique_ptr<loop::ticker>> tickers_;
    job stopped_;
    std::unique_ptr<loop::ticker> patience_;
    int stops_awaited_ = 0;
    bool engine_stopped_ = false;
    bool stopping_ = false;
};

} // namespace ccbt::daemon
