// A real daemon of 1,000 torrents under five loads, each alone and all at once: who asks calmly meanwhile is answered as
// before, memory stays within its bound, what is refused is counted, every watcher gets every event, and all is back a
// second after the load ended. LOAD_LONG=1 (./dev load): for half a minute each, and past the limits that take so long.
#include "load/calm_client.hpp"
#include "load/changes.hpp"
#include "load/crowd.hpp"
#include "load/priority.hpp"
#include "load/standing.hpp"
#include "support/many_torrents.hpp"
#include "support/temp_folder.hpp"

#include <chrono>
#include <cstdlib>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace ccbt::load {

namespace {

using support::eventually;
using support::milliseconds;
using steady = std::chrono::steady_clock;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_slowed = true; // by sanitizers: five to fifteen times, and memory too
#else
constexpr bool is_slowed = false;
#endif

bool is_long() { return std::getenv("LOAD_LONG") != nullptr; }

constexpr double most_delay = 50; // milliseconds, of 99 of 100
constexpr auto back_within = is_slowed ? milliseconds{10'000} : milliseconds{1'000};
constexpr int torrents = 1000;
constexpr int disk_threads = 2; // of libtorrent: made when there is work, let go after an idle minute

/// What a load may add to the resident memory: 10,000 events kept, rows rendered, buffers; and for each client.
std::uint64_t bound_kib(int clients) { return 32 * 1024 + 16 * static_cast<std::uint64_t>(clients); }

struct scenes : testing::Test {
    // One for all scenes: each has to leave it as it was, or the next one sees it.
    struct house {
        support::temp_folder root{};
        support::daemon one;
        session_first here{::getpid()}, there{one.running().pid()};
        std::vector<std::string> hashes;
        support::http_connection line; // also when no new connection is taken
        calm_client calm;
        std::uint64_t rss_kib = 0; // before any load

        house()
            : one{{.folder = root / "one", .interface = "127.0.0.9", .settings = {{"limits.header_seconds", "1"}, {"limits.body_seconds", "1"}, {"limits.idle_seconds", "600"}}, .under = {"nice", "-n", nice_first}}},
              hashes{support::add_many(one, {.count = torrents})},
              line{"127.0.0.1", one.port()},
              calm{one, hashes.front()} {
            support::wait_until_loaded(one, milliseconds{120'000});
        }
    };
    static std::unique_ptr<house> shared;
    static constexpr int connected = 2; // the calm client, and who reads /metrics

    support::daemon& one = shared->one;
    calm_client& calm = shared->calm;
    standing before;
    std::string page_before;
    std::uint64_t events_ = 0; // that every watcher is to have

    static void SetUpTestSuite() {
        rlimit files{};
        ::getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &files);
        ASSERT_GT(files.rlim_max, 6000U) << "ulimit -Hn: so few descriptors are no crowd";
        shared = std::make_unique<house>();
        shared->rss_kib = standing_of(shared->one).rss_kib;
        // Once before anything is measured: what is made at the first use is no growth.
        crowd const first{shared->one, {{habit::busy, 8}, {habit::watching, 8}, {habit::keyless, 8}}};
    }
    static void TearDownTestSuite() {
        if (!shared) return;
        EXPECT_EQ(shared->calm.wrong(), "");
        EXPECT_EQ(shared->one.terminate(milliseconds{30'000}), 0) << shared->one.log();
        EXPECT_EQ(shared->one.log().find("Sanitizer"), std::string::npos) << shared->one.log();
        shared.reset();
    }
    void SetUp() override {
        ASSERT_TRUE(eventually(back_within, [&] { return open_now() == connected; })) << open_now();
        before = standing_of(one);
        page_before = metrics();
    }

    void resume_all() const {
        std::string list;
        for (auto const& hash : shared->hashes) list += (list.empty() ? "\"" : ",\"") + hash + '"';
        ASSERT_EQ(one.post("/torrents/batch/resume", "{\"info_hashes\":[" + list + "]}").status, 200);
        support::wait_until_loaded(one, milliseconds{120'000});
    }
    [[nodiscard]] static std::string metrics() {
        auto const host = "127.0.0.1:" + std::to_string(shared->one.port());
        return shared->line.ask("GET", "/api/v1/metrics", {{"Host", host}}).body;
    }
    [[nodiscard]] static int open_now() {
        return static_cast<int>(sample(metrics(), "ccbt_api_connections"));
    }
    [[nodiscard]] std::uint64_t newly_refused(std::string const& code) const {
        return refused(metrics(), code) - refused(page_before, code);
    }
    /// Each refusal that somebody was told stands in /metrics under its code, and no other does.
    [[nodiscard]] testing::AssertionResult counted_as_told(crowd const& all) const {
        std::string seen;
        bool const is_so = eventually(milliseconds{10'000}, [&] { // the slow go on
            seen.clear();
            bool same = true;
            for (auto const& [code, status] : std::map<std::string, int>{
                     {"AUTH_REQUIRED", 401},
                     {"RATE_LIMITED", 429},
                     {"REQUEST_TIMEOUT", 408},
                     {"TOO_MANY_CONNECTIONS", 503}}) {
                auto const told = all.answered(status), counted = newly_refused(code);
                seen += code + ' ' + std::to_string(counted) + ", told " + std::to_string(told) + "; ";
                same = same && told == counted;
            }
            return same;
        });
        std::printf("%-12s %s\n", "counted:", seen.c_str());
        return (is_so ? testing::AssertionSuccess() : testing::AssertionFailure()) << seen;
    }

    /// A hundred changes a second while `meanwhile` goes on; returns when every watcher had every event of them.
    template <class Meanwhile> void watch(crowd& all, std::uint64_t count, Meanwhile meanwhile) {
        auto const from = last_event();
        changes making{one, shared->hashes, 100};
        meanwhile();
        making.end();
        all.rest();
        EXPECT_EQ(making.refused(), 0U);
        // An event of a torrent may come late, when libtorrent has seen to it.
        EXPECT_TRUE(eventually(
            milliseconds{30'000},
            [&] {
                events_ = original_events_since(from);
                return all.events() == count * events_;
            }))
            << all.events() << " events arrived, not " << count << " x " << events_;
        EXPECT_GE(events_, making.made());
        std::printf(
            "%-12s %llu changes made %llu events, and %llu were read\n",
            "watched:", static_cast<unsigned long long>(making.made()),
            static_cast<unsigned long long>(events_), static_cast<unsigned long long>(all.events()));
    }
    void all_saw_the_same(crowd const& all, std::size_t count) const {
        auto const each = all.by_watcher();
        ASSERT_EQ(each.size(), count);
        for (auto const& seen : each) {
            ASSERT_EQ(seen.events, events_);
            ASSERT_TRUE(seen.in_order);
            ASSERT_EQ(seen.last, each.front().last);
        }
    }
    [[nodiscard]] std::int64_t last_event() const {
        std::int64_t at = 0;
        for (;;) {
            auto const said = one.get("/events/log?limit=10000&since=" + std::to_string(at)).json;
            auto const next = static_cast<std::int64_t>(said.number_or("next", 0));
            if (next == at) return at;
            at = next;
        }
    }
    [[nodiscard]] std::uint64_t original_events_since(std::int64_t from) const {
        std::uint64_t out = 0;
        auto const said = one.get("/events/log?limit=10000&since=" + std::to_string(from)).json;
        for (auto const& event : said.list_or_empty("events"))
            if (event.text_or("type", "") == "torrent_status_changed") ++out;
        return out;
    }

    /// The load goes on for as long as it takes to see what the calm client sees of it.
    void look_on(std::string const& name, crowd& all) {
        auto const bound = bound_kib(all.size());
        auto const answers = [&] { return all.answered(200) + all.answered(401) + all.answered(429); };
        delays seen;
        double withheld = 1;
        // What is measured is the daemon: where others had its processor for much of the time, it is measured again.
        for (int looks = 0; looks < 5 && (looks == 0 || (seen.p99 >= most_delay && withheld > 0.1));
             ++looks) {
            auto const first = calm.asked();
            auto const began = steady::now();
            auto const was = standing_of(one);
            auto const events = all.events(), answered = answers();
            calm.wait_for(is_long() ? 400 : 40);
            // One of 40 says little of 99 of 100: where it is late, it is looked at for longer.
            if (!is_slowed && !is_long() && calm.since(first).p99 >= most_delay) calm.wait_for(160);
            seen = calm.since(first);
            auto const seconds = std::chrono::duration<double>(steady::now() - began).count();
            auto const now = standing_of(one);
            withheld = (now.waited_seconds - was.waited_seconds) / seconds;
            auto const grown = now.rss_kib - std::min(now.rss_kib, shared->rss_kib);
            std::printf(
                "%-12s %5d clients  %6.0f answers/s  %7.0f events/s  calm p50 %5.2f p99 %6.2f max %6.2f ms (%zu)  "
                "memory +%.1f of %.1f MiB  cpu %3.0f %%, waited for it %2.0f %%\n",
                name.c_str(), all.size(), static_cast<double>(answers() - answered) / seconds,
                static_cast<double>(all.events() - events) / seconds, seen.median, seen.p99, seen.most,
                seen.count, static_cast<double>(grown) / 1024, static_cast<double>(bound) / 1024,
                100 * (now.cpu_seconds - was.cpu_seconds) / seconds, 100 * withheld);
            std::fflush(stdout);
            EXPECT_EQ(all.lost(), 0U);
            if (is_slowed) return;
            EXPECT_LT(grown, bound) << name;
        }
        EXPECT_LT(seen.p99, most_delay) << name;
    }

    /// All hang up, and a second later everything is as before.
    void see_recovery(std::string const& name, crowd& all) {
        auto const began = steady::now();
        all.leave();
        auto const left = steady::now();
        standing now;
        ASSERT_TRUE(eventually(
            milliseconds{30'000},
            [&] {
                now = standing_of(one);
                return open_now() == connected && now.descriptors <= before.descriptors;
            }))
            << now.descriptors << " descriptors, not " << before.descriptors << '\n'
            << metrics();
        auto const took = std::chrono::duration_cast<milliseconds>(steady::now() - left);
        auto const first = calm.asked();
        calm.wait_for(20);
        auto const after = calm.since(first);
        std::printf(
            "%-12s over: all hung up in %lld ms, the daemon had let go of all %lld ms later; calm max %.2f ms\n",
            name.c_str(),
            static_cast<long long>(std::chrono::duration_cast<milliseconds>(left - began).count()),
            static_cast<long long>(took.count()), after.most);
        EXPECT_LT(took, back_within);
        EXPECT_LE(now.threads, before.threads + disk_threads);
        if (is_slowed) return;
        EXPECT_LT(after.p99, most_delay);
    }

    void play(std::string const& name, crowd_plan const& plan) {
        crowd all{one, plan};
        look_on(name, all);
        all.rest();
        see_recovery(name, all);
    }
};

std::unique_ptr<scenes::house> scenes::shared;

crowd_plan const idlers{{habit::idle, 1000}};
crowd_plan const the_busy{{habit::busy, 256}};
crowd_plan const watchers{{habit::watching, 1000}};
crowd_plan const the_slow{{habit::slow_head, 40}, {habit::slow_body, 30}, {habit::slow_reader, 30}};
crowd_plan const strangers{{habit::keyless, 24}, {habit::guessing, 20}, {habit::fleeting, 20}};

TEST_F(scenes, a_thousand_idle_connections_cost_memory_alone) { play("idle", idlers); }

TEST_F(scenes, two_hundred_and_fifty_six_that_ask_without_end_leave_room_for_others) {
    play("busy", the_busy);
}

TEST_F(scenes, a_thousand_watchers_get_a_hundred_events_a_second_all_and_in_order) {
    resume_all();
    crowd all{one, watchers};
    watch(all, 1000, [&] { look_on("watchers", all); });
    see_recovery("watchers", all);
    all_saw_the_same(all, 1000);
}

TEST_F(scenes, watchers_that_never_read_are_let_go_and_counted_and_others_get_everything) {
    if (!is_long()) GTEST_SKIP() << "that takes a minute: ./dev load";
    crowd_plan const some{{habit::deaf, 100}, {habit::watching, 100}};
    resume_all();
    crowd all{one, some};
    auto const resynced = sample(metrics(), "ccbt_watchers_resynced_total");
    auto const let_go = [&] { // told to resync, or past the time for a pong
        return sample(metrics(), "ccbt_watchers_resynced_total") - resynced +
               static_cast<double>(newly_refused("WEBSOCKET_NO_PONG"));
    };
    watch(all, 100, [&] {
        look_on("deaf", all);
        EXPECT_TRUE(eventually(milliseconds{100'000}, [&] { return let_go() >= 100; })) << let_go();
    });
    see_recovery("deaf", all);
    all_saw_the_same(all, 100);
}

TEST_F(scenes, a_hundred_slow_clients_are_told_408_and_counted) {
    crowd all{one, the_slow};
    look_on("slow", all);
    all.rest();
    EXPECT_TRUE(eventually(milliseconds{20'000}, [&] { return all.answered(408) >= 70; }))
        << all.answered(408);
    EXPECT_TRUE(counted_as_told(all));
    if (is_long()) { // half a minute without a run of 64 KiB read is the end
        EXPECT_TRUE(eventually(milliseconds{60'000}, [&] { return newly_refused("WRITE_TIMEOUT") >= 30; }));
    }
    see_recovery("slow", all);
}

TEST_F(scenes, a_flood_without_keys_is_refused_and_counted) {
    crowd all{one, strangers};
    look_on("flood", all);
    all.rest();
    EXPECT_GT(all.answered(401), 100U);
    EXPECT_GT(all.answered(429), 100U);
    EXPECT_TRUE(counted_as_told(all));
    see_recovery("flood", all);
}

TEST_F(scenes, where_all_connections_are_taken_more_are_told_503_and_those_that_are_there_go_on) {
    crowd full{one, {{habit::idle, 4096 - connected}}};
    crowd late{one, {{habit::turned_away, 300}}};
    EXPECT_EQ(late.answered(503), 300U);
    look_on("full", full);
    EXPECT_TRUE(counted_as_told(late));
    late.leave();
    see_recovery("full", full);
}

TEST_F(scenes, all_at_once) {
    crowd_plan every;
    for (auto const* some : {&idlers, &the_busy, &watchers, &the_slow, &strangers})
        every.insert(every.end(), some->begin(), some->end());
    resume_all();
    crowd all{one, every};
    watch(all, 1000, [&] { look_on("all at once", all); });
    EXPECT_TRUE(counted_as_told(all));
    see_recovery("all at once", all);
    all_saw_the_same(all, 1000);
}

} // namespace

} // namespace ccbt::load
