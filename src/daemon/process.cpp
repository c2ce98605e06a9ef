#include "daemon/process.hpp"

#include "base/log.hpp"
#include "base/safeguard.hpp"
#include "daemon/config.hpp"
#include "daemon/config_check.hpp"
#include "daemon/daemon.hpp"
#include "daemon/demo.hpp"
#include "daemon/landlock.hpp"
#include "daemon/options.hpp"
#include "daemon/recover.hpp"
#include "daemon/service_manager.hpp"
#include "daemon/state_dir.hpp"
#include "daemon/tls_files.hpp"
#include "engine/lt_engine.hpp"
#include "executor/roots.hpp"
#include "store/sqlite_store.hpp"

#include <algorithm>
#include <boost/version.hpp>
#include <csignal>
#include <cstdio>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

namespace ccbt::daemon {

namespace {

// Taking an engine with more torrents than this apart takes longer than users wait; everything is saved by then, so the
// process is simply left.
constexpr std::size_t apart_at_most = 500;
constexpr itimerval destructors_within{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = 400'000}};

// A daemon of thousands of torrents, peers and clients needs descriptors; the soft limit is only a default.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) log::warning("the limit of open files could not be raised");
}

// Threads that work on buffers of megabytes now and then: with an arena for each of them, and a threshold that rises with
// what was freed, glibc keeps all that any of them ever took.
void keep_little_memory() {
    constexpr int megabyte = 1 << 20;
    ::mallopt(M_ARENA_MAX, 2); // the loop's, and the others'
    ::mallopt(M_MMAP_THRESHOLD, megabyte);
    ::mallopt(M_TRIM_THRESHOLD, megabyte);
}

void say(std::string const& line) {
    std::fputs((line + '\n').c_str(), stdout);
    std::fflush(stdout);
}

void complain(std::string const& text) { std::fputs(("ccbtd: " + text + '\n').c_str(), stderr); }

std::string version_text() {
    std::string boost{BOOST_LIB_VERSION};
    std::replace(boost.begin(), boost.end(), '_', '.');
    auto out = fmt::format("ccbtd {} (libtorrent {}, Boost {})", CCBT_VERSION, engine::lt_version(), boost);
    if (has_mutants)
        out +=
            fmt::format(" TEST BUILD: CCBT_MUTANT switches off one of {}", fmt::join(safeguard_names, " "));
    return out;
}

// The signals as the daemon understands them, until it is destroyed.
class signals {
public:
    signals(loop& on, std::function<void()> stop, std::function<void()> reread)
        : set_{on.context(), SIGINT, SIGTERM, SIGHUP}, stop_{std::move(stop)}, reread_{std::move(reread)} {
        wait();
    }

private:
    void wait() {
        set_.async_wait([this](error_code failed, int which) {
            if (failed) return;
            if (which == SIGHUP)
                reread_();
            else
                stop_();
            wait();
        });
    }
    asio::signal_set set_;
    std::function<void()> stop_, reread_;
};

// Where the daemon may write. What is new among the folders is made now, since it can be bound only where it is there;
// a known root that is missing is a drive that is away, and nothing is made in its place.
std::vector<std::filesystem::path> written_folders(
    contract::settings const& s, std::filesystem::path const& state,
    std::vector<model::storage_root> const& known) {
    std::vector<std::filesystem::path> out{state};
    auto const take = [&](std::filesystem::path folder) {
        if (folder.empty()) return;
        bool const is_known = std::any_of(known.begin(), known.end(), [&](auto const& root) {
            return root.path == executor::plain_path(folder);
        });
        std::error_code failed;
        if (!is_known) std::filesystem::create_directories(folder, failed);
        out.push_back(std::move(folder));
    };
    take(s.disk.download_path);
    for (auto const& one : s.disk.allowed_paths) take(one);
    for (auto const& root : known) take(root.path);
    take(s.daemon.export_dir);
    take(s.security.ip_filter.filter_cache_dir);
    if (!s.daemon.unix_socket.empty() && s.daemon.unix_socket != no_unix_socket)
        take(std::filesystem::path{s.daemon.unix_socket}.parent_path());
    return out;
}

class running {
public:
    running(
        options flags, loaded_config config, state_dir dir, std::string key, service_manager const& manager)
        : manager_{manager},
          flags_{std::move(flags)},
          dir_{std::move(dir)},
          key_{std::move(key)},
          config_{std::move(config)} {}

    exit_code run() {
        auto from = flags_.demo ? lay_demo() : lay_store();
        if (!from) {
            complain(from.error().message);
            return from.error().code;
        }
        auto make_engine = flags_.demo ? demo_engine(loop_) : real_engine();
        daemon house{loop_, counted_, config_, key_, std::move(*from), std::move(make_engine)};
        auto ways = ways_in();
        if (!ways) {
            complain(ways.error().message);
            return ways.error().code;
        }
        house.listen_also(std::move(*ways));
        auto const url = house.start();
        if (!url) {
            complain(url.error());
            return exit_code::configuration;
        }
        announcement told{*url, CCBT_VERSION, unix_now()};
        told.unix_socket = house.unix_socket();
        told.certificate = own_certificate_;
        auto const announced = dir_.announce(told);
        if (!announced) {
            complain(announced.error().message);
            return announced.error().code;
        }
        signals const heard{loop_, [&] { stop(house); }, [&] { reread(house); }};
        say("ready " + *url);
        manager_.ready("serves at " + *url);
        std::unique_ptr<loop::ticker> watched;
        if (auto const every = manager_.watched_every())
            watched = loop_.every(*every, [this] { manager_.alive(); });
        log::info("{} serves at {} with {} torrents", version_text(), *url, house.torrents());
        loop_.run();

        dir_.withdraw();
        log::info("stopped");
        // What is left frees memory, and may wait for a disk that does not answer. All is saved: not longer than this.
        std::signal(SIGALRM, [](int) { ::_exit(static_cast<int>(exit_code::clean)); });
        ::setitimer(ITIMER_REAL, &destructors_within, nullptr);
        if (house.torrents() > apart_at_most) {
            std::fflush(stdout);
            ::_exit(static_cast<int>(exit_code::clean));
        }
        return exit_code::clean;
    }

private:
    using laid = expected<foundation, start_failure>;

    laid lay_store() {
        private_files const ours;
        // The store has the last word on the settings, and Landlock binds the threads to come: so it is taken in between.
        expected<void, start_failure> bound;
        auto const before_thread = [&](store::snapshot const& there) { bound = take_landlock(there); };
        auto opened = store::sqlite_store::open(
            {.on = loop_, .directory = dir_.folder(), .before_thread = before_thread});
        if (!bound) return unexpected<start_failure>{bound.error()};
        if (!opened) {
            auto why = opened.error().message;
            if (opened.error().why == store::open_failure::kind::damaged)
                why += "; it is left as it is: ccbtd --recover saves what can be read of it";
            return unexpected<start_failure>{{static_cast<exit_code>(opened.error().exit_code()), why}};
        }
        store_ = std::move(*opened);
        auto asked = store_->take_snapshot();
        key_ = config_.settings.daemon.api_key;
        if (key_.empty()) { // also where one of the file's was taken away
            auto made = dir_.api_key();
            if (!made) return unexpected<start_failure>{made.error()};
            key_ = std::move(*made);
        }
        if (auto const level = log::parse_level(config_.settings.observability.log_level))
            log::set_level(*level);
        return foundation{
            *store_, *store_, std::move(asked), store_->take_journal_snapshot(),
            [this](bool whole, job closed) {
                auto told = [closed = std::move(closed)](store::outcome how) mutable {
                    if (how != store::outcome::committed) log::error("the state could not be closed");
                    closed();
                };
                store_->close(std::move(told), whole && !unsaved_);
            }};
    }

    expected<void, start_failure> take_landlock(store::snapshot const& there) {
        auto const fails = [](std::string why) {
            return unexpected<start_failure>{{exit_code::configuration, std::move(why)}};
        };
        if (auto const laid_over = apply_overrides(config_, there.settings); !laid_over)
            return fails(laid_over.error().message());
        if (!config_.settings.daemon.landlock) return {};
        auto const bound = bind_writing(written_folders(config_.settings, dir_.folder(), there.roots));
        if (!bound) return fails("daemon.landlock is on, and cannot be: " + bound.error());
        log::info("writing is bound to the configured folders (Landlock, ABI {})", bound->abi);
        for (auto const& one : bound->missing)
            log::warning(
                "{} is not there: nothing is written there until a restart (daemon.landlock)", one.string());
        return {};
    }

    laid lay_demo() {
        demo_store_ = std::make_unique<store::memory_store>(loop_);
        return demo_foundation(*demo_store_, *flags_.demo, config_.settings.disk.download_path);
    }

    engine_maker real_engine() {
        return [this](contract::settings const& s, engine::fact_sink facts, engine::progress_sink progress) {
            engine::lt_options with{
                .on = loop_,
                .settings = s,
                .facts = std::move(facts),
                .progress = std::move(progress),
                .await_block_list = true,
                .left_unsaved = [this] { unsaved_ = true; }};
            if (flags_.engine_alerts) with.alert_queue = *flags_.engine_alerts;
            return engine::make_lt_engine(std::move(with));
        };
    }

    expected<server::more_ways, start_failure> ways_in() {
        auto const& s = config_.settings.daemon;
        server::more_ways ways;
        ways.inherited = manager_.sockets();
        if (s.unix_socket != no_unix_socket) ways.unix_path = s.unix_socket;
        ways.unix_path_is_default = s.unix_socket.empty();
        if (ways.unix_path_is_default) ways.unix_path = (dir_.folder() / "ccbtd.sock").string();
        served_ = s;
        if (!s.tls_enabled) return ways;
        private_files const ours;
        auto pair = open_tls(s, dir_);
        if (!pair && !in_force(safeguard::tls_fail_closed)) return ways;
        if (!pair) return unexpected<start_failure>{pair.error()};
        ways.tls = std::move(pair->context);
        own_certificate_ = std::move(pair->own_certificate);
        return ways;
    }

    void stop(daemon& house) {
        manager_.stopping();
        house.stop([this] { loop_.stop(); });
    }

    void reread(daemon& house) {
        if (flags_.demo) return log::info("a demonstration does not read its configuration again");
        if (std::exchange(rereading_, true)) { // one at a time: else what was read first might come last
            once_more_ = true;
            return;
        }
        manager_.reloading();
        using tls_read = std::optional<expected<tls_pair, start_failure>>;
        auto const secured = std::make_shared<tls_read>();
        auto const read =
            std::make_shared<expected<loaded_config, config_error>>(unexpected<config_error>{{}});
        loop_.off(
            [this, read, secured, sources = flags_.sources()] {
                *read = load_config(sources);
                if (!served_.tls_enabled) return;
                if (*read) served_.allowed_hosts = (*read)->settings.daemon.allowed_hosts; // names of its own
                *secured = open_tls(served_, dir_);
            },
            [this, read, secured, &house] {
                if (*secured && **secured) {
                    house.configure_tls((**secured)->context);
                    log::info("the certificate was read again");
                } else if (*secured) {
                    log::error("the certificate in force stays: {}", (*secured)->error().message);
                }
                if (*read)
                    house.reread(std::move(**read));
                else
                    log::error("the configuration was not taken over:\n{}", read->error().message());
                house.reload_filter(); // the files may be other ones, whatever the configuration says
                rereading_ = false;
                manager_.ready("serves");
                if (std::exchange(once_more_, false)) reread(house);
            });
    }

    metrics::door counted_; // outlives the loop: what is thrown away with it still counts
    loop loop_{4};
    service_manager const& manager_;
    options flags_;
    state_dir dir_;
    std::string key_;
    loaded_config config_;
    contract::daemon_settings served_; // as it was served at the start
    std::string own_certificate_;
    bool rereading_ = false, once_more_ = false, unsaved_ = false;
    std::unique_ptr<store::sqlite_store> store_;
    std::unique_ptr<store::memory_store> demo_store_;
};

} // namespace

exit_code run(int argc, char const* const* argv) {
    keep_little_memory();
    service_manager const manager;
    auto flags = parse_options(argc, argv);
    if (!flags) {
        std::fputs(flags.error().text.c_str(), flags.error().code == exit_code::clean ? stdout : stderr);
        return flags.error().code;
    }
    if (switches_off_what_is_not_there()) {
        complain(fmt::format("CCBT_MUTANT={}: there is no such safeguard", switched_off()));
        return exit_code::configuration;
    }
    if (flags->version) {
        say(version_text());
        return exit_code::clean;
    }
    if (flags->check_config) {
        auto const report = check_config(flags->sources());
        std::fputs(report.text.c_str(), report.code == exit_code::clean ? stdout : stderr);
        return report.code;
    }
    auto config = load_config(flags->sources());
    if (!config) {
        complain(config.error().message());
        return exit_code::configuration;
    }
    if (flags->recover) return recover_state(config->settings.daemon.state_dir);
    // A demonstration stays away from the state of a daemon that may be running.
    if (flags->demo && config->origins["daemon.state_dir"] == "default")
        config->settings.daemon.state_dir = config->written.daemon.state_dir =
            config->sourced.daemon.state_dir = (config->home / ".ccbt/demo").string();
    if (auto const level = log::parse_level(config->settings.observability.log_level)) log::set_level(*level);
    for (auto const& warning : config->warnings) log::warning("{}", warning);

    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    // Only what is made now: the payload that libtorrent writes later is for whomever the user's umask lets.
    auto ours = std::make_unique<private_files>();
    auto dir = state_dir::open(config->settings.daemon.state_dir);
    if (!dir) {
        complain(dir.error().message);
        return dir.error().code;
    }
    for (auto const& warning : dir->warnings()) log::warning("{}", warning);
    auto key = config->settings.daemon.api_key;
    if (key.empty()) {
        auto made = dir->api_key();
        if (!made) {
            complain(made.error().message);
            return made.error().code;
        }
        key = std::move(*made);
    }
    if (flags->demo) {
        // Something is to move: the queue waits only where it is configured to.
        bool const waits = std::any_of(config->origins.begin(), config->origins.end(), [](auto const& one) {
            return one.first.starts_with("queue.max_active_") && one.second != "default";
        });
        for (auto* one : {&config->settings, &config->written, &config->sourced}) {
            one->disk.download_path = (dir->folder() / "downloads").string();
            one->disk.allowed_paths.clear();
            if (!waits)
                one->queue.max_active_torrents = one->queue.max_active_downloading =
                    one->queue.max_active_seeding = 0;
        }
    }
    ours.reset();
    running process{std::move(*flags), std::move(*config), std::move(*dir), std::move(key), manager};
    return process.run();
}

} // namespace ccbt::daemon
