// A wall clock that is set forward and back under the daemon: what counts intervals does not follow it.
#include "support/http_tracker.hpp"
#include "swarm/swarm.hpp"

#include <fstream>

namespace ccbt::support {

namespace {

constexpr std::int64_t day = 86'400;

double now_of(daemon const& of, std::string const& hash) {
    static_cast<void>(of.post("/torrents/" + hash + "/pause"));
    static_cast<void>(of.post("/torrents/" + hash + "/resume"));
    auto told = of.get("/events/log?since=0").json;
    return told.list_or_empty("events").back().number_or("timestamp", 0);
}

TEST(
    clock,
    that_jumps_a_day_forward_and_back_starts_no_announces_ends_no_keys_too_early_and_keeps_the_order_of_events) {
    swarm in;
    http_tracker tracks;
    make_file(in.data("timed.bin"), 300'000, 170);
    auto const what = make_torrent(in.data("timed.bin"), {.trackers = {tracks.url()}});
    auto plan = in.seeder();
    auto const file = plan.folder / "jump";
    auto const jump_to = [&](std::int64_t seconds) {
        std::string const bytes{reinterpret_cast<char const*>(&seconds), sizeof seconds};
        if (!std::filesystem::exists(file)) return write_file(file, bytes);
        std::fstream{file, std::ios::in | std::ios::out | std::ios::binary}.write(
            bytes.data(), sizeof seconds);
    };
    jump_to(0);
    plan.env = {
        "LD_PRELOAD=" CCBT_BUILD_DIR "/tests/libclock_jump.so", "CLOCK_JUMP_FILE=" + file.string(),
        "ASAN_OPTIONS=verify_asan_link_order=0"};
    daemon of{std::move(plan)};
    of.add(what);
    of.wait_until_seeding(what.hash());
    ASSERT_TRUE(eventually(milliseconds{10'000}, [&] { return tracks.count(what.hash()) == 1; }));
    auto const made = of.post("/keys", R"({"name":"brief","scopes":["read"],"expires_in":3600})");
    ASSERT_EQ(made.status, 200) << made.body;
    auto const lets_in = [&] {
        http_connection ask{"127.0.0.1", of.port()};
        return ask
            .ask(
                "GET", "/api/v1/torrents",
                {{"Host", "127.0.0.1:" + std::to_string(of.port())},
                 {"X-CCBT-API-Key", std::string{made.json.text_or("secret", "")}}})
            .status;
    };
    EXPECT_EQ(lets_in(), 200);
    auto token = of.get("/torrents").header("x-ccbt-revision");
    ASSERT_NE(token, "");

    auto const before = now_of(of, what.hash());
    auto changes = of.events({"torrents_changed"});
    for (auto const by : {day, -day, std::int64_t{0}}) {
        jump_to(by);
        EXPECT_NEAR(now_of(of, what.hash()) - before, static_cast<double>(by), 120)
            << "the clock that it tells";
        EXPECT_EQ(lets_in(), by > 0 ? 401 : 200) << by;
        EXPECT_EQ(state_of(of.row(what.hash())), "seeding");
        auto const said = of.get("/torrents?since=" + token);
        auto const& delta = said.json;
        EXPECT_FALSE(delta.flag_or("full", true)) << to_text(delta);
        EXPECT_EQ(delta.list_or_empty("torrents").size(), 1U);
        token = said.header("x-ccbt-revision");
        static_cast<void>(changes.next(milliseconds{3000})); // its timers go on
    }
    // One when it started; each resume announces again, and at the end of each pause "stopped": nothing beyond these.
    EXPECT_LE(tracks.count(what.hash()), 1U + 4U * 2U);
    auto const all = of.get("/events/log?since=0").json.list_or_empty("events");
    for (std::size_t i = 1; i < all.size(); ++i)
        EXPECT_GT(all[i].number_or("seq", 0), all[i - 1].number_or("seq", 0));
    auto const last = all.back().number_or("seq", 0);

    jump_to(-day); // a clock that is behind where it was: the numbers go on all the same
    of.kill9();
    of.start();
    static_cast<void>(now_of(of, what.hash()));
    EXPECT_GT(of.get("/events/log?since=0").json.list_or_empty("events").back().number_or("seq", 0), last);
    EXPECT_EQ(of.terminate(), 0);
}

} // namespace

} // namespace ccbt::support
