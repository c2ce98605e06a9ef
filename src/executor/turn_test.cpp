#include "executor/turn.hpp"

#include <gmock/gmock.h>

namespace ccbt::executor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct turn : ::testing::Test {
    loop on{1};
    std::unique_ptr<turns<int>> all = std::make_unique<turns<int>>(on);
    std::vector<std::string> log;
    std::vector<std::unique_ptr<turns<int>::hold>> held;

    void settle() { on.context().poll(); }
    // Takes the turn and keeps it until the test lets go.
    static task<> take(turn& t, int noun, std::string who) {
        auto hold = co_await t.all->take(noun);
        t.held.push_back(std::make_unique<turns<int>::hold>(std::move(hold)));
        t.log.push_back(who);
    }
    static task<> take_and_throw(turn& t, int noun) {
        try {
            auto const hold = co_await t.all->take(noun);
            t.log.emplace_back("throws");
            throw std::runtime_error{"halfway"};
        } catch (std::runtime_error const&) {
            t.log.emplace_back("caught");
        }
    }
    void ask(int noun, std::string who) {
        spawn(on, take(*this, noun, std::move(who)));
        settle();
    }
    void let_go() {
        held.erase(held.begin());
        settle();
    }
};

TEST_F(turn, a_free_noun_is_had_at_once) {
    ask(1, "a");
    EXPECT_THAT(log, ElementsAre("a"));
}

TEST_F(turn, others_wait_and_get_it_in_the_order_they_came) {
    ask(1, "a");
    ask(1, "b");
    ask(1, "c");
    EXPECT_THAT(log, ElementsAre("a"));
    let_go();
    EXPECT_THAT(log, ElementsAre("a", "b"));
    ask(1, "d");
    let_go();
    let_go();
    EXPECT_THAT(log, ElementsAre("a", "b", "c", "d"));
    let_go();
    ask(1, "e");
    EXPECT_THAT(log, ElementsAre("a", "b", "c", "d", "e")) << "it is free again";
}

TEST_F(turn, a_newcomer_does_not_pass_one_who_was_woken_and_has_not_run_yet) {
    ask(1, "a");
    ask(1, "b");
    held.clear(); // b is posted
    spawn(on, take(*this, 1, "c"));
    settle();
    EXPECT_THAT(log, ElementsAre("a", "b"));
    let_go();
    EXPECT_THAT(log, ElementsAre("a", "b", "c"));
}

TEST_F(turn, nouns_do_not_hinder_each_other) {
    ask(1, "a");
    ask(2, "b");
    EXPECT_THAT(log, ElementsAre("a", "b"));
}

TEST_F(turn, one_who_fails_halfway_gives_it_back) {
    spawn(on, take_and_throw(*this, 1));
    settle();
    ask(1, "next");
    EXPECT_THAT(log, ElementsAre("throws", "caught", "next"));
}

TEST_F(turn, a_hold_that_was_moved_is_given_back_once) {
    ask(1, "a");
    ask(1, "b");
    ask(1, "c");
    auto moved = std::make_unique<turns<int>::hold>(std::move(*held.front()));
    held.clear();
    settle();
    EXPECT_THAT(log, ElementsAre("a")) << "the emptied one gives nothing back";
    moved.reset();
    settle();
    EXPECT_THAT(log, ElementsAre("a", "b"));
}

TEST_F(turn, a_hold_may_outlive_the_house) {
    ask(1, "a");
    ask(1, "b");
    all.reset();
    held.clear();
    settle();
    EXPECT_THAT(log, ElementsAre("a")) << "nobody is woken in a house that is gone";
    EXPECT_THAT(held, IsEmpty());
}

} // namespace
} // namespace ccbt::executor
