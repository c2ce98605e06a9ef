#include "engine/reconcile.hpp"

#include <gmock/gmock.h>

namespace {

using namespace ccbt::engine;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::VariantWith;
namespace model = ccbt::model;

wish wished(auto change) {
    auto asked = model::torrent_asked{};
    asked.id = {1, 2};
    change(asked);
    return {std::make_shared<model::torrent_asked const>(asked), "/d", false};
}

applied all_done(wish const& w, default_limits const& defaults = {}) {
    auto done = applied{};
    for (auto const& d : reconcile(w, done, defaults)) record(d, done);
    return done;
}

TEST(reconcile, a_new_torrent_is_handed_over_whole) {
    auto const w = wished([](auto& a) {
        a.sequential = true;
        a.up_kib = 7;
        a.file_priorities = {0, 4};
    });
    EXPECT_THAT(
        reconcile(w, {}, {.down_kib = 9, .up_kib = 9}), ElementsAre(VariantWith<hand_over>(hand_over{
                                                            {.added = true,
                                                             .running = true,
                                                             .sequential = true,
                                                             .down_kib = 9,
                                                             .up_kib = 7,
                                                             .file_priorities = {0, 4}}})));
}

TEST(reconcile, asking_the_same_again_does_nothing) {
    auto const w = wished([](auto& a) { a.file_priorities = {7, 1}; });
    EXPECT_THAT(reconcile(w, all_done(w), {}), IsEmpty());
}

TEST(reconcile, a_torrent_of_an_offline_root_is_not_added) {
    auto w = wished([](auto&) {});
    w.blocked = true;
    EXPECT_THAT(reconcile(w, {}, {}), IsEmpty());
    w.blocked = false;
    EXPECT_EQ(reconcile(w, {}, {}).size(), 1u);
}

TEST(reconcile, a_root_that_goes_offline_halts_and_one_that_returns_starts) {
    auto w = wished([](auto&) {});
    auto done = all_done(w);
    w.blocked = true;
    EXPECT_THAT(reconcile(w, done, {}), ElementsAre(VariantWith<halt>(halt{})));
    record(halt{}, done);
    w.blocked = false;
    EXPECT_THAT(reconcile(w, done, {}), ElementsAre(VariantWith<start>(start{})));
}

TEST(reconcile, a_paused_torrent_stays_halted_when_its_root_returns) {
    auto w = wished([](auto& a) { a.paused = true; });
    auto const done = all_done(w);
    EXPECT_FALSE(done.running);
    w.blocked = true;
    EXPECT_THAT(reconcile(w, done, {}), IsEmpty());
    w.blocked = false;
    EXPECT_THAT(reconcile(w, done, {}), IsEmpty());
}

TEST(reconcile, a_halt_comes_first_and_a_start_last) {
    auto const running = wished([](auto&) {});
    auto const halted = wished([](auto& a) {
        a.paused = true;
        a.down_kib = 5;
        a.sequential = true;
    });
    EXPECT_THAT(
        reconcile(halted, all_done(running), {}),
        ElementsAre(
            VariantWith<halt>(halt{}), VariantWith<limit>(limit{5, 0}),
            VariantWith<order_pieces>(order_pieces{true})));
    EXPECT_THAT(
        reconcile(running, all_done(halted), {}),
        ElementsAre(
            VariantWith<limit>(limit{0, 0}), VariantWith<order_pieces>(order_pieces{false}),
            VariantWith<start>(start{})));
}

TEST(reconcile, a_torrent_without_limits_of_its_own_follows_the_default) {
    auto const w = wished([](auto&) {});
    auto const done = all_done(w, {.down_kib = 100, .up_kib = 50});
    EXPECT_THAT(
        reconcile(w, done, {.down_kib = 100, .up_kib = 60}), ElementsAre(VariantWith<limit>(limit{100, 60})));
    auto const own = wished([](auto& a) { a.up_kib = 10; });
    EXPECT_THAT(reconcile(own, all_done(own, {.up_kib = 50}), {.up_kib = 60}), IsEmpty());
}

TEST(reconcile, runs_limited_by_its_own_limit_or_the_default_and_not_while_it_rests) {
    auto const free = wished([](auto&) {});
    EXPECT_FALSE(runs_limited(free, {}));
    EXPECT_TRUE(runs_limited(free, {.up_kib = 1}));
    EXPECT_TRUE(runs_limited(wished([](auto& a) { a.down_kib = 1; }), {}));
    EXPECT_TRUE(runs_limited(wished([](auto& a) { a.up_kib = 1; }), {}));
    auto const rests = wished([](auto& a) {
        a.up_kib = 1;
        a.paused = true;
    });
    EXPECT_FALSE(runs_limited(rests, {}));
}

TEST(reconcile, priorities_wait_while_the_root_is_offline) {
    auto w = wished([](auto& a) { a.paused = true; });
    auto const done = all_done(w);
    w = wished([](auto& a) {
        a.paused = true;
        a.file_priorities = {0};
    });
    w.blocked = true;
    EXPECT_THAT(reconcile(w, done, {}), IsEmpty());
    w.blocked = false;
    EXPECT_THAT(reconcile(w, done, {}), ElementsAre(VariantWith<prioritize>(prioritize{{0}})));
}

} // namespace
