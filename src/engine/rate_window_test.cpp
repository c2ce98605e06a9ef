#include "engine/rate_window.hpp"

#include <gtest/gtest.h>

namespace ccbt::engine {
namespace {

using namespace std::chrono_literals;

TEST(rate_window, has_no_rate_from_one_look) {
    rate_window w;
    auto const r = w.look(steady::time_point{} + 10s, 5'000'000, 7);
    EXPECT_EQ(r.down, 0);
    EXPECT_EQ(r.up, 0);
}

TEST(rate_window, tells_a_steady_rate_exactly) {
    rate_window w;
    rate_window::rates r;
    for (int second = 0; second <= 20; ++second)
        r = w.look(steady::time_point{} + std::chrono::seconds{second}, second * 1'000'000, second * 500);
    EXPECT_DOUBLE_EQ(r.down, 1'000'000);
    EXPECT_DOUBLE_EQ(r.up, 500);
}

TEST(rate_window, is_zero_four_seconds_after_the_last_byte) {
    rate_window w;
    for (int second = 0; second <= 10; ++second)
        (void)w.look(steady::time_point{} + std::chrono::seconds{second}, second * 1'000'000, 0);
    rate_window::rates r{1, 1};
    for (int second = 11; second <= 14; ++second)
        r = w.look(steady::time_point{} + std::chrono::seconds{second}, 10'000'000, 0);
    EXPECT_EQ(r.down, 0);
}

TEST(rate_window, follows_looks_that_come_between_the_ticks) {
    rate_window w;
    (void)w.look(steady::time_point{} + 1000ms, 0, 0);
    EXPECT_DOUBLE_EQ(w.look(steady::time_point{} + 1500ms, 500, 0).down, 1000);
    EXPECT_EQ(w.look(steady::time_point{} + 1000ms, 0, 0).down, 0) << "no time has passed";
}

TEST(rate_window, takes_counters_that_begin_anew_for_no_rate) {
    rate_window w;
    (void)w.look(steady::time_point{} + 1s, 1'000'000, 1'000'000);
    EXPECT_EQ(w.look(steady::time_point{} + 2s, 10, 10).down, 0);
}

TEST(rate_window, that_begins_to_move_again_is_measured_from_as_far_back_as_it_reaches) {
    rate_window w;
    auto const at = [](auto when) { return steady::time_point{} + when; };
    for (int second = 1; second <= 20; ++second)
        EXPECT_EQ(w.look(at(std::chrono::seconds{second}), 100, 0).down, 0);
    EXPECT_DOUBLE_EQ(w.look(at(20100ms), 450, 0).down, 100) << "350 bytes in 3.5 s";
    EXPECT_DOUBLE_EQ(w.look(at(21s), 450, 7).up, 7 / 0.9) << "what lay out of reach is forgotten";
    for (int second = 22; second <= 30; ++second) (void)w.look(at(std::chrono::seconds{second}), 450, 7);
    EXPECT_EQ(w.look(at(31s), 450, 7).up, 0);
    EXPECT_DOUBLE_EQ(w.look(at(31500ms), 800, 7).down, 100) << "and again after a rest";
}

} // namespace
} // namespace ccbt::engine
