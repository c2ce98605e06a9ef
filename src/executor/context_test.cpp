#include "executor/context.hpp"

#include "engine/fake_engine.hpp"
#include "executor/test_house.hpp"
#include "store/memory_store.hpp"

#include <chrono>
#include <future>
#include <gmock/gmock.h>

namespace ccbt::executor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct off_loop_within : ::testing::Test {
    std::promise<void> release;
    std::shared_future<void> released = release.get_future().share();
    std::optional<std::optional<int>> answer;
    std::unique_ptr<loop> on = std::make_unique<loop>(1);

    // Work that ends when the test lets it, and is given so long.
    static task<> wait_for_work(off_loop_within& t, milliseconds within) {
        auto work = [released = t.released] {
            released.wait();
            return 7;
        };
        auto got = co_await ccbt::executor::off_loop_within(*t.on, within, std::move(work));
        t.answer = got;
    }
    void turn_until_answered() {
        auto const give_up = steady::now() + seconds{20};
        while (!answer && steady::now() < give_up) on->context().run_one_for(milliseconds{100});
        ASSERT_TRUE(answer);
    }
};

TEST_F(off_loop_within, what_is_done_in_time_is_had) {
    spawn(*on, wait_for_work(*this, seconds{60}));
    on->context().poll();
    EXPECT_FALSE(answer);
    release.set_value();
    turn_until_answered();
    EXPECT_EQ(*answer, 7);
}

TEST_F(off_loop_within, what_takes_longer_is_given_up_and_ends_unheard) {
    spawn(*on, wait_for_work(*this, milliseconds{10}));
    turn_until_answered();
    EXPECT_EQ(*answer, std::nullopt);
    answer.reset();
    release.set_value();
    auto ended = false;
    on->off([] {}, [&] { ended = true; }); // behind it, on the only worker
    while (!ended) on->context().run_one_for(milliseconds{100});
    EXPECT_FALSE(answer);
}

TEST_F(off_loop_within, a_loop_that_ends_first_leaves_nothing_behind) { // the sanitizer looks for leaks
    spawn(*on, wait_for_work(*this, seconds{60}));
    on->context().poll();
    release.set_value();
    on.reset();
    EXPECT_FALSE(answer);
}

TEST(rendering_now, is_counted_until_its_end_and_may_outlive_the_house) {
    rendering_now first, last;
    {
        testing::test_house<store::memory_store, engine::fake_engine> in;
        first = in.deeds.rendering();
        last = in.deeds.rendering();
        first.reset();
        EXPECT_TRUE(in.deeds.is_rendering());
        last.reset();
        EXPECT_FALSE(in.deeds.is_rendering());
        last = in.deeds.rendering();
    }
    last.reset();
}

} // namespace
} // namespace ccbt::executor
