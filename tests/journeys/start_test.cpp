// What a start does in which order: the list is there before the engine is.
#include "journeys/worlds.hpp"

namespace ccbt::journeys {
namespace {

struct start : ::testing::Test {
    house in;
    start() {
        in_process to{in};
        for (int n = 1; n <= 3; ++n) {
            contract::add_torrent::request one;
            one.path_or_magnet = fmt::format("magnet:?xt=urn:btih:{:040x}", n);
            EXPECT_EQ(to.call<contract::add_torrent>(std::move(one)).said(), "ok");
        }
    }
    std::size_t handed_over() {
        return in.on_loop([this] { return in.fake().wishes().size(); });
    }
    std::size_t handed_over_at_last() {
        auto const by = steady::now() + std::chrono::seconds{20};
        while (handed_over() < 3 && steady::now() < by) continue;
        return handed_over();
    }
    std::size_t listed() {
        client::client from{{.url = in.url(), .api_key = house::key}};
        auto const got = from.torrents();
        return got ? got->size() : 0;
    }
};

TEST_F(start, leaves_in_the_store_what_the_engine_cannot_take_yet) {
    in.restart({.once_started = [](auto&, auto& engine) { engine.set_backlog(5'000); }});
    EXPECT_EQ(listed(), 3U);
    EXPECT_EQ(handed_over(), 0U);
    in.on_loop([this] { in.fake().set_backlog(0); });
    EXPECT_EQ(handed_over_at_last(), 3U);
}

TEST_F(start, goes_on_with_the_engine_when_nobody_waits_for_a_list_any_more) {
    executor::rendering_now held;
    in.restart({.once_started = [&](auto& daemon, auto&) { held = daemon.deeds().rendering(); }});
    EXPECT_EQ(listed(), 3U);
    EXPECT_EQ(handed_over(), 0U);
    in.on_loop([&] { held.reset(); });
    EXPECT_EQ(handed_over_at_last(), 3U);
}

TEST_F(start, does_not_wait_for_lists_that_are_asked_for_without_end) {
    executor::rendering_now held;
    in.restart({.once_started = [&](auto& daemon, auto&) { held = daemon.deeds().rendering(); }});
    EXPECT_EQ(handed_over_at_last(), 3U);
    in.on_loop([&] { held.reset(); });
}

TEST_F(start, that_is_stopped_before_the_engine_knew_all_leaves_the_crash_before_it_to_the_next) {
    auto stop_at_the_next_turn = [this](auto& daemon, auto&) {
        in.turning().post([&daemon] { daemon.stop(nullptr); }); // while the only block is being read
    };
    in.restart({.once_started = stop_at_the_next_turn, .after_crash = true});
    ASSERT_TRUE(in.has_ended(std::chrono::seconds{20}));
    EXPECT_FALSE(in.closed_whole());
}

TEST_F(start, that_has_handed_all_over_is_the_end_of_the_crash_before_it) {
    in.restart({.once_started = {}, .after_crash = true});
    ASSERT_EQ(handed_over_at_last(), 3U);
    in.on_loop([this] { in.running().stop(nullptr); });
    ASSERT_TRUE(in.has_ended(std::chrono::seconds{20}));
    EXPECT_TRUE(in.closed_whole());
}

} // namespace
} // namespace ccbt::journeys
