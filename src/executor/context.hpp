// What the executor's areas work with: the model to read, the ports to change things by, who the daemon is.
#pragma once

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/task.hpp"
#include "contract/endpoint.hpp"
#include "engine/engine.hpp"
#include "executor/address_rules.hpp"
#include "executor/operations.hpp"
#include "executor/turn.hpp"
#include "gateway/gateway.hpp"
#include "model/queue_schedule.hpp"
#include "model/state.hpp"
#include "store/journal.hpp"
#include "store/truth.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace ccbt::executor {

using contract::caller;
using contract::errc;
using contract::fails;
using contract::failure;
using contract::result;
using contract::torrent_id;

class roots;
class configuration;

struct identity {
    std::string version;
    std::string url; // of the API, known once it listens
    std::string lineage, node_id;
    std::int64_t pid = 0;
    steady::time_point started = steady::now();
};

/// A long answer that is being rendered, counted until it is gone.
struct rendering_ends {
    std::shared_ptr<int> all; // a request may outlive the house
    void operator()(int* count) const { --*count; }
};
using rendering_now = std::unique_ptr<int, rendering_ends>;

struct context {
    loop& on;
    model::state& state;
    store::truth& truth;
    store::journal& journal;
    engine::engine& engine;
    executor::roots& roots;
    contract::settings const& settings; // in force now
    identity& self;
    metrics::door& door;
    std::function<std::string()> openapi;
    std::function<void()> begin_shutdown; // after the answer
    /// What is laid over the user's configuration, as the store keeps it: (key, JSON).
    using overrides = std::vector<std::pair<std::string, std::string>>;
    overrides laid_over{};
    std::function<overrides(overrides const&)>
        fitting{};                                    // those that may be laid over here: valid, no secrets
    std::function<void(overrides const&)> lay_over{}; // takes them, stored already, into force
    std::int64_t last_queue_order = 0;                // 0: not looked at yet
    turns<torrent_id> torrent_turns{on};
    turns<int> queue_turn{on}; // one turn for the whole order; taken after those of torrents
    model::queue_schedule queue{};
    std::shared_ptr<bool> queue_asks = std::make_shared<bool>(false); // posted, to be told to the engine
    address_rules rules{on, state, engine};
    std::unordered_set<torrent_id> not_loaded; // known from before, and not yet handed to the engine
    /// Whose files are going, and from where. The turn of each is held until they are gone.
    using deletions = std::unordered_map<torrent_id, std::string>;
    std::shared_ptr<deletions> deleting = std::make_shared<deletions>();
    /// Long answers that are being rendered now: what can wait does.
    std::shared_ptr<int> renderings = std::make_shared<int>(0);
    gateway::gateway* gateway = nullptr; // null: a house without a network
    bool store_failed = false;           // a commit met an I/O error: health says degraded
    configuration* config = nullptr;     // null: a house whose settings nobody changes
    operations once{on, truth};          // what was answered to requests with an Idempotency-Key
    turns<int> settings_turns{on};       // whoever changes what is laid over holds it
    /// Told after the settings in force changed, with the keys.
    std::vector<std::function<void(std::vector<std::string> const&)>> on_settings_changed{};

    /// With what the queue makes of them, in one revision.
    void apply(std::span<model::fact const> facts);
    void apply(model::fact const& one) { apply(std::span{&one, 1}); }
    /// For the engine, which is told of it next.
    [[nodiscard]] engine::wish wish_for(std::shared_ptr<model::torrent_asked const> asked);
    /// The settings of the queue are other ones now.
    void configure_queue();
    void tell_engine_of_queue();
    /// Tells the engine how a torrent is to be. One that is not handed over yet is, soon, as it is asked then.
    void ask_engine(std::shared_ptr<model::torrent_asked const> asked) {
        if (!not_loaded.contains(asked->id)) engine.ask(wish_for(std::move(asked)));
    }
};

[[nodiscard]] failure no_such_torrent();

/// Commits and awaits; success, or the failure to answer.
task<result<void>> commit(context& house, store::commit what);

/// Commits a torrent's record and puts it into the model; nothing is done where it is as it was. Hold the torrent's turn.
task<result<std::shared_ptr<model::torrent_asked const>>> keep_changed(
    context& house, std::shared_ptr<model::torrent_asked const> was, model::torrent_asked now,
    std::string operation_id = {});

/// Runs `work` off the loop for at most `within`; nothing when it takes longer (it then ends unheard).
template <class Work> auto off_loop_within(loop& on, std::chrono::milliseconds within, Work work)
    -> task<std::optional<std::invoke_result_t<Work&>>> {
    using value = std::invoke_result_t<Work&>;
    // Held by the work under way and not by the task that waits, which it holds: else a loop that ends would free neither.
    struct race {
        unique_function<void(bool)> done;
        std::unique_ptr<loop::ticker> timer;
        void finish(bool in_time) {
            timer.reset();
            if (done) std::exchange(done, nullptr)(in_time);
        }
    };
    auto const made = std::make_shared<std::optional<value>>();
    auto const shared_work = std::make_shared<Work>(std::move(work));
    auto start = [&on, made, shared_work, within](auto done) {
        auto const both = std::make_shared<race>();
        both->done = std::move(done);
        both->timer = on.after(within, [weak = std::weak_ptr<race>{both}] {
            if (auto const running = weak.lock()) running->finish(false);
        });
        auto const box = std::make_shared<std::optional<value>>();
        on.off(
            [box, shared_work] { box->emplace((*shared_work)()); },
            [both, made, box] {
                if (both->done) *made = std::move(*box);
                both->finish(true);
            });
    };
    co_await reply_of<bool>(std::move(start));
    co_return std::move(*made);
}

} // namespace ccbt::executor
