#include "store/memory_store.hpp"

#include "store/store_test_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::store {
namespace {

using namespace test;

TEST(memory_store, a_told_failure_applies_nothing_and_the_next_commit_succeeds) {
    loop_thread on;
    memory_store kept{on.get()};
    on.on_loop([&] { kept.fail_next(outcome::full, 2); });
    EXPECT_EQ(commit_now(on, kept, {put_setting{"a", "1"}}), outcome::full);
    EXPECT_EQ(keep_now(on, kept, {}), outcome::full);
    EXPECT_EQ(commit_now(on, kept, {put_setting{"b", "1"}}), outcome::committed);
    on.on_loop([&] {
        EXPECT_EQ(kept.asked_now().settings.size(), 1U);
        EXPECT_EQ(kept.counters().failed, 2);
    });
}

TEST(memory_store, a_held_commit_is_neither_applied_nor_answered_until_it_is_released) {
    loop_thread on;
    memory_store kept{on.get()};
    std::vector<outcome> answers;
    on.on_loop([&] {
        kept.hold();
        kept.commit_change({{}, {put_setting{"a", "1"}}}, [&](outcome o) { answers.push_back(o); });
        kept.commit_change({{}, {put_setting{"a", ""}}}, [&](outcome o) { answers.push_back(o); });
    });
    on.on_loop([] {}); // after two turns whatever the store had posted has run
    on.on_loop([] {});
    on.on_loop([&] {
        EXPECT_THAT(answers, testing::IsEmpty());
        EXPECT_EQ(kept.waiting(), 2U);
        EXPECT_THAT(kept.asked_now().settings, testing::IsEmpty());
        kept.release();
        EXPECT_THAT(answers, testing::IsEmpty()) << "never from within the call";
    });
    on.on_loop([] {});
    on.on_loop([&] {
        EXPECT_THAT(answers, testing::ElementsAre(outcome::committed, outcome::committed));
        EXPECT_EQ(kept.waiting(), 0U);
        EXPECT_THAT(kept.asked_now().settings, testing::IsEmpty())
            << "in the order asked: set, then taken away";
    });
}

} // namespace
} // namespace ccbt::store
