// The whole daemon of a journey: its real rooms from server to model, in this process, on a loop that runs in a thread
// of its own, over a store in memory and a fake engine. What a journey does to the world behind the ports, it does on
// that loop.
#pragma once

#include "daemon/daemon.hpp"
#include "engine/fake_engine.hpp"
#include "store/memory_store.hpp"
#include "support/temp_folder.hpp"

#include <cstdio>
#include <cstdlib>
#include <fmt/core.h>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>

namespace ccbt::journeys {

struct house_plan {
    std::chrono::milliseconds engine_period{0}; // 0: nothing moves by itself
    double heartbeat_seconds = 30;
    std::function<void(daemon::daemon&, engine::fake_engine&)> once_started{}; // before the loop's next turn
    bool after_crash = false; // the store says that it was not closed
};

class house {
public:
    static constexpr char const* key = "the-key-of-a-journey-0123456789abcdef";

    explicit house(house_plan plan = {}) : plan_{std::move(plan)} {
        begin();
        thread_ = std::thread{[this] {
            loop_.run();
            ended_.set_value();
        }};
    }
    ~house() {
        if (!has_ended(std::chrono::seconds{0})) {
            loop_.post([this] { daemon_->stop([this] { loop_.stop(); }); });
            if (!has_ended(std::chrono::seconds{20})) die("the daemon did not stop within 20 s");
        }
        thread_.join();
        daemon_.reset();
    }
    house(house const&) = delete;
    house& operator=(house const&) = delete;

    /// Runs it on the loop, with what it is told to change, and gives back what it says.
    template <class What> auto on_loop(What what) -> std::invoke_result_t<What&> {
        using said = std::invoke_result_t<What&>;
        auto const promise = std::make_shared<std::promise<said>>();
        auto answer = promise->get_future();
        loop_.post([&what, promise] {
            if constexpr (std::is_void_v<said>) {
                what();
                promise->set_value();
            } else {
                promise->set_value(what());
            }
        });
        if (answer.wait_for(std::chrono::seconds{60}) != std::future_status::ready)
            die("the loop does not turn");
        return answer.get();
    }
    /// What was posted has run, and what that posted.
    void settle() {
        for (int i = 0; i < 4; ++i) on_loop([] {});
    }
    /// Stops the daemon and starts another over the same store.
    void restart(house_plan plan) {
        plan_ = std::move(plan);
        restart();
    }
    void restart() {
        auto const stopped = std::make_shared<std::promise<void>>();
        auto const is_stopped = stopped->get_future();
        loop_.post([this, stopped] { daemon_->stop([stopped] { stopped->set_value(); }); });
        if (is_stopped.wait_for(std::chrono::seconds{20}) != std::future_status::ready)
            die("it did not stop");
        on_loop([this] {
            daemon_.reset();
            begin();
        });
    }
    /// The daemon stopped by itself, and its loop with it.
    [[nodiscard]] bool has_ended(std::chrono::seconds within) {
        return end_.wait_for(within) == std::future_status::ready;
    }

    /// What the store was told at the last stop: all that was there at the start had been looked at.
    [[nodiscard]] bool closed_whole() const { return closed_whole_; }

    [[nodiscard]] std::string const& url() const { return url_; }
    [[nodiscard]] std::uint16_t port() const {
        return static_cast<std::uint16_t>(std::stoi(url_.substr(url_.rfind(':') + 1)));
    }
    [[nodiscard]] std::string downloads() const { return folder_ / "downloads"; }
    [[nodiscard]] std::filesystem::path operator/(std::string_view below) const { return folder_ / below; }

    // On the loop only.
    [[nodiscard]] loop& turning() { return loop_; }
    [[nodiscard]] daemon::daemon& running() { return *daemon_; }
    [[nodiscard]] engine::fake_engine& fake() { return *engine_; }
    [[nodiscard]] store::memory_store& kept() { return store_; }
    [[nodiscard]] metrics::door const& door() const { return door_; }

    /// From any other thread: a deed of the engine on the torrent of that hash.
    template <class Deed> void engine_does(std::string_view hex, Deed deed) {
        on_loop([&] {
            auto const* row = daemon_->state().torrents().find(contract::info_hash::parse(hex).value());
            if (row == nullptr) die(fmt::format("{} is not here", hex));
            deed(*engine_, row->asked->id, row->seen);
        });
        settle();
    }

private:
    [[noreturn]] static void die(
        std::string const& why) { // promises of the caller's stack are in use: no going on
        std::fprintf(stderr, "%s\n", why.c_str());
        std::abort();
    }

    void begin() {
        daemon::loaded_config config;
        config.settings.disk.download_path = downloads();
        config.settings.daemon.ipc_port = 0;
        config.settings.daemon.websocket_heartbeat_interval = plan_.heartbeat_seconds;
        config.written = config.sourced = config.settings;
        daemon::foundation from{
            store_, store_, store_.asked_now(), store_.done_now(), [this](bool whole, job closed) {
                closed_whole_ = whole;
                closed();
            }};
        from.asked.clean = !plan_.after_crash;
        auto make_engine = [this](
                               contract::settings const&, engine::fact_sink facts,
                               engine::progress_sink progress) -> std::unique_ptr<engine::engine> {
            engine::fake_engine::options with{
                loop_, std::move(facts), std::move(progress), plan_.engine_period, 1};
            auto made = std::make_unique<engine::fake_engine>(std::move(with));
            engine_ = made.get();
            return made;
        };
        daemon_ = std::make_unique<daemon::daemon>(
            loop_, door_, std::move(config), key, std::move(from), std::move(make_engine));
        auto const url = daemon_->start();
        if (!url) die(url.error());
        url_ = *url;
        if (plan_.once_started) plan_.once_started(*daemon_, *engine_);
    }

    house_plan plan_;
    support::temp_folder folder_;
    metrics::door door_; // outlives the loop
    loop loop_{2};
    store::memory_store store_{loop_};
    engine::fake_engine* engine_ = nullptr;
    std::unique_ptr<daemon::daemon> daemon_;
    std::string url_;
    bool closed_whole_ = false;
    std::promise<void> ended_;
    std::future<void> end_ = ended_.get_future();
    std::thread thread_;
};

} // namespace ccbt::journeys
