#include "base/loop.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <thread>
#include <vector>

namespace ccbt {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(loop, runs_what_is_posted_in_order_on_its_own_thread) {
    loop l;
    std::vector<int> seen;
    EXPECT_FALSE(l.on_loop());
    l.post([&] {
        EXPECT_TRUE(l.on_loop());
        seen.push_back(1);
        l.post([&] { seen.push_back(4); });
    });
    l.post([&] { seen.push_back(2); });
    l.post([&] {
        seen.push_back(3);
        l.post([&] { l.stop(); });
    });
    l.run();
    EXPECT_THAT(seen, ElementsAre(1, 2, 3, 4));
    EXPECT_FALSE(l.on_loop());
}

TEST(loop, keeps_the_order_of_each_thread_that_posts) {
    loop l;
    std::vector<int> first, second;
    std::atomic<int> left{2};
    auto const poster = [&](std::vector<int>& into) {
        for (int i = 0; i < 1000; ++i) l.post([&into, i] { into.push_back(i); });
        l.post([&] {
            if (--left == 0) l.stop();
        });
    };
    std::thread a{[&] { poster(first); }}, b{[&] { poster(second); }};
    l.run();
    a.join();
    b.join();
    ASSERT_EQ(first.size(), 1000U);
    ASSERT_EQ(second.size(), 1000U);
    EXPECT_TRUE(std::is_sorted(first.begin(), first.end()));
    EXPECT_TRUE(std::is_sorted(second.begin(), second.end()));
}

TEST(loop, does_work_off_itself_and_comes_back) {
    loop l;
    std::thread::id worker, back;
    bool on_loop_in_work = true;
    l.off(
        [&] {
            worker = std::this_thread::get_id();
            on_loop_in_work = l.on_loop();
        },
        [&] {
            back = std::this_thread::get_id();
            l.stop();
        });
    l.run();
    EXPECT_NE(worker, std::thread::id{});
    EXPECT_NE(worker, std::this_thread::get_id());
    EXPECT_FALSE(on_loop_in_work);
    EXPECT_EQ(back, std::this_thread::get_id());
}

TEST(loop, has_as_many_workers_as_asked_at_once) {
    loop l{3};
    std::atomic<int> inside{0};
    int done = 0;
    // Each waits for all three: with fewer workers this would never end.
    for (int i = 0; i < 3; ++i)
        l.off(
            [&] {
                ++inside;
                while (inside < 3) std::this_thread::yield();
            },
            [&] {
                if (++done == 3) l.stop();
            });
    l.run();
    EXPECT_EQ(done, 3);
}

TEST(loop, that_ends_still_does_what_was_queued_for_its_workers) {
    std::atomic<int> worked{0};
    auto const kept = std::make_shared<int>(0);
    {
        loop l{1};
        for (int i = 0; i < 50; ++i)
            l.off([&worked] { ++worked; }, [kept] { FAIL() << "no loop is left to run this"; });
    }
    EXPECT_EQ(worked, 50);
    EXPECT_EQ(kept.use_count(), 1); // what was never called is let go
}

TEST(loop, calls_again_and_again_until_the_ticker_is_destroyed) {
    loop l;
    int calls = 0;
    auto const began = std::chrono::steady_clock::now();
    auto ticker = l.every(2ms, [&] {
        EXPECT_TRUE(l.on_loop());
        if (++calls == 5) l.stop();
    });
    l.run();
    EXPECT_EQ(calls, 5);
    EXPECT_GE(std::chrono::steady_clock::now() - began, 10ms);
}

TEST(loop, calls_once_after_a_delay) {
    loop l;
    int calls = 0;
    auto const began = std::chrono::steady_clock::now();
    auto once = l.after(5ms, [&] { ++calls; });
    auto end = l.after(30ms, [&] { l.stop(); });
    l.run();
    EXPECT_EQ(calls, 1);
    EXPECT_GE(std::chrono::steady_clock::now() - began, 30ms);
}

TEST(loop, a_ticker_that_is_destroyed_before_its_time_never_calls) {
    loop l;
    bool called = false;
    auto never = l.after(1ms, [&] { called = true; });
    auto nor = l.every(1ms, [&] { called = true; });
    never.reset();
    nor.reset();
    auto end = l.after(20ms, [&] { l.stop(); });
    l.run();
    EXPECT_FALSE(called);
}

TEST(loop, a_ticker_may_be_destroyed_by_the_call_it_makes_and_what_the_call_owns_lives_until_it_returns) {
    loop l;
    auto const owned = std::make_shared<int>(7);
    std::weak_ptr<int> const watch = owned;
    int calls = 0;
    std::unique_ptr<loop::ticker> repeating, once;
    repeating = l.every(1ms, [&, owned = std::make_shared<int>(8)] {
        ++calls;
        repeating.reset();
        EXPECT_EQ(*owned, 8);
    });
    once = l.after(1ms, [&, kept = owned] {
        ++calls;
        once.reset();
        EXPECT_EQ(*kept, 7);
    });
    auto end = l.after(30ms, [&] { l.stop(); });
    l.run();
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(watch.use_count(), 1); // the call has let go of it
}

TEST(loop, a_ticker_may_be_replaced_by_the_call_it_makes) {
    loop l;
    std::vector<int> seen;
    std::unique_ptr<loop::ticker> ticker;
    ticker = l.after(1ms, [&] {
        seen.push_back(1);
        ticker = l.after(1ms, [&] {
            seen.push_back(2);
            l.stop();
        });
    });
    l.run();
    EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST(loop, that_was_stopped_before_it_ran_returns_at_once) {
    loop l;
    bool called = false;
    l.stop();
    l.post([&] { called = true; });
    l.run();
    EXPECT_FALSE(called);
}

} // namespace
} // namespace ccbt
