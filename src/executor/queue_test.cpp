#include "engine/fake_engine.hpp"
#include "executor/test_house.hpp"
#include "store/memory_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>

namespace ccbt::executor {
namespace {

using contract::queue_priority;
using ::testing::Contains;
using testing::detail;
using ::testing::ElementsAre;
using testing::hash;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::said;

std::string hex(int n) {
    auto const digits = std::to_string(n);
    return std::string(40 - digits.size(), 'a') + digits;
}

struct queue_house : testing::test_house<store::memory_store, engine::fake_engine> {
    void limit(int in_all, int downloading, int seeding, bool steers = true) {
        settings.queue = {in_all, downloading, seeding, settings.queue.default_priority, steers};
        house.configure_queue();
        settle();
    }
    void add_many(int count) {
        for (int n = 0; n < count; ++n) ASSERT_EQ(said(add("magnet:?xt=urn:btih:" + hex(n))), "ok");
        settle();
    }
    auto get() { return wait(deeds.handle(contract::get_queue::request{}, who)); }
    auto put(int n, queue_priority priority) {
        return wait(deeds.handle(contract::add_to_queue::request{hash(hex(n)), priority}, who));
    }
    auto take_out(int n) {
        return wait(deeds.handle(contract::remove_from_queue::request{hash(hex(n))}, who));
    }
    auto move(int n, std::int64_t to) {
        return wait(deeds.handle(contract::move_in_queue::request{hash(hex(n)), to}, who));
    }
    auto clear() { return wait(deeds.handle(contract::clear_queue::request{}, who)); }
    auto pause_in_queue(int n) {
        return wait(deeds.handle(contract::pause_in_queue::request{hash(hex(n))}, who));
    }
    auto resume_in_queue(int n) {
        return wait(deeds.handle(contract::resume_in_queue::request{hash(hex(n))}, who));
    }
    [[nodiscard]] std::vector<int> order() {
        std::vector<int> out;
        auto const all = get();
        for (auto const& entry : all->entries) {
            EXPECT_EQ(entry.queue_position, static_cast<std::int64_t>(out.size()));
            out.push_back(std::stoi(entry.info_hash.substr(entry.info_hash.find_last_of('a') + 1)));
        }
        return out;
    }
    [[nodiscard]] std::string status(int n) {
        return std::string{contract::name_of(row(hex(n))->view->status)};
    }
    [[nodiscard]] bool runs(int n) {
        auto const* const wish = engine.wished(row(hex(n))->asked->id);
        return !wish->held && !wish->asked->paused;
    }
    [[nodiscard]] std::string numbers() {
        auto const n = get()->statistics;
        EXPECT_EQ(
            n.by_priority.paused + n.by_priority.low + n.by_priority.normal + n.by_priority.high +
                n.by_priority.maximum,
            n.total_torrents);
        return std::to_string(n.total_torrents) + " = " + std::to_string(n.active_downloading) + " + " +
               std::to_string(n.active_seeding) + " + " + std::to_string(n.queued) + " + " +
               std::to_string(n.paused);
    }
};

TEST(queue, what_is_added_beyond_the_limit_waits_and_the_engine_is_told_to_hold_it) {
    queue_house h;
    h.limit(5, 2, 2);
    h.add_many(4);
    EXPECT_EQ(h.status(1), "metadata");
    EXPECT_EQ(h.status(2), "queued");
    EXPECT_TRUE(h.runs(1));
    EXPECT_FALSE(h.runs(2));
    EXPECT_FALSE(h.row(hex(2))->asked->paused) << "its user did not pause it";
    EXPECT_THAT(h.order(), ElementsAre(0, 1, 2, 3));
    EXPECT_EQ(h.numbers(), "4 = 2 + 0 + 2 + 0");
    EXPECT_THAT(h.events, Not(Contains("torrent_status_changed " + hex(2).substr(0, 8))));
    for (auto const& wish : h.engine.wishes())
        if (wish.asked->id == h.row(hex(2))->asked->id) {
            EXPECT_TRUE(wish.held) << "not for a moment";
        }
}

TEST(queue, one_that_finishes_makes_room_and_the_next_starts_with_one_event_each) {
    queue_house h;
    h.limit(5, 1, 1);
    h.add_many(2);
    h.events.clear();
    h.engine.metadata(h.row(hex(0))->asked->id, testing::metainfo("x")); // another hash: it fails
    h.settle();
    h.engine.fail(h.row(hex(0))->asked->id, "no space left on the disk");
    h.run_until([&] { return h.runs(1); });
    EXPECT_EQ(h.status(0), "error");
    EXPECT_EQ(h.status(1), "metadata");
}

TEST(queue, a_higher_priority_displaces_a_lower_one_and_only_once_that_has_stopped) {
    queue_house h;
    h.limit(1, 1, 1);
    h.add_many(2);
    ASSERT_EQ(said(h.put(1, queue_priority::high)), "ok");
    h.run_until([&] { return h.runs(1); });
    EXPECT_FALSE(h.runs(0));
    EXPECT_EQ(h.status(0), "queued");
    EXPECT_EQ(h.status(1), "metadata");
    bool stopped = false;
    for (auto const& wish : h.engine.wishes()) {
        if (wish.asked->id == h.row(hex(0))->asked->id) stopped = wish.held;
        if (wish.asked->id == h.row(hex(1))->asked->id && !wish.held) {
            EXPECT_TRUE(stopped) << "both at once";
        }
    }
    EXPECT_THAT(h.order(), ElementsAre(0, 1)) << "a place is not a priority";
}

TEST(queue, the_priority_paused_pauses_and_resuming_takes_it_back) {
    queue_house h;
    h.limit(1, 1, 1);
    h.add_many(2);
    ASSERT_EQ(h.put(0, queue_priority::paused)->status, "added");
    h.run_until([&] { return h.runs(1); });
    EXPECT_EQ(h.status(0), "paused");
    EXPECT_EQ(h.numbers(), "2 = 1 + 0 + 0 + 1");
    EXPECT_EQ(h.get()->statistics.by_priority.paused, 1);
    auto const resumed = h.resume_in_queue(0);
    ASSERT_EQ(said(resumed), "ok");
    EXPECT_EQ(resumed->status, "resumed");
    EXPECT_EQ(resumed->info_hash, hex(0));
    EXPECT_EQ(h.row(hex(0))->asked->priority, queue_priority::normal);
    h.run_until([&] { return h.runs(0); });
    EXPECT_EQ(h.status(1), "queued");
}

TEST(queue, pause_and_resume_are_the_users_and_each_is_told_in_one_event) {
    queue_house h;
    h.limit(1, 1, 1);
    h.add_many(2);
    h.events.clear();
    EXPECT_EQ(h.pause_in_queue(1)->status, "paused");
    EXPECT_EQ(h.status(1), "paused");
    EXPECT_THAT(h.events, ElementsAre("torrent_status_changed aaaaaaaa"));
    EXPECT_EQ(h.resume_in_queue(1)->status, "resumed");
    EXPECT_EQ(h.status(1), "queued");
    EXPECT_THAT(h.events, ElementsAre("torrent_status_changed aaaaaaaa", "torrent_status_changed aaaaaaaa"));
    EXPECT_EQ(said(h.pause_in_queue(7)), "404 TORRENT_NOT_FOUND");
    EXPECT_EQ(said(h.resume_in_queue(7)), "404 TORRENT_NOT_FOUND");
}

TEST(queue, what_is_taken_out_goes_by_its_own_flag_and_comes_back_at_the_end) {
    queue_house h;
    h.limit(1, 1, 1);
    h.add_many(3);
    EXPECT_EQ(h.take_out(1)->status, "removed");
    h.run_until([&] { return h.runs(1); });
    EXPECT_TRUE(h.runs(0)) << "it is not counted";
    EXPECT_THAT(h.order(), ElementsAre(0, 2));
    EXPECT_EQ(said(h.take_out(1)), "404 QUEUE_NOT_FOUND");
    EXPECT_EQ(said(h.take_out(8)), "404 QUEUE_NOT_FOUND");
    EXPECT_EQ(said(h.move(1, 0)), "404 QUEUE_NOT_FOUND");
    EXPECT_EQ(said(h.put(8, queue_priority::low)), "404 TORRENT_NOT_FOUND");
    ASSERT_EQ(said(h.put(1, queue_priority::normal)), "ok");
    EXPECT_THAT(h.order(), ElementsAre(0, 2, 1));
    h.run_until([&] { return !h.runs(1); });
    EXPECT_EQ(h.status(1), "queued");
}

TEST(queue, a_place_that_is_not_there_is_400_and_changes_nothing) {
    queue_house h;
    h.add_many(3);
    auto const beyond = h.move(0, 3);
    EXPECT_EQ(said(beyond), "400 QUEUE_MOVE_FAILED");
    EXPECT_EQ(detail(beyond, "field"), "new_position");
    EXPECT_THAT(h.order(), ElementsAre(0, 1, 2));
    auto const moved = h.move(0, 2);
    ASSERT_EQ(said(moved), "ok");
    EXPECT_EQ(moved->status, "moved");
    EXPECT_EQ(moved->new_position, 2);
    EXPECT_THAT(h.order(), ElementsAre(1, 2, 0));
}

TEST(queue, clearing_takes_all_out_in_one_commit_and_lets_them_run) {
    queue_house h;
    h.limit(1, 1, 1);
    h.add_many(5);
    h.store.fail_next(store::outcome::full);
    EXPECT_EQ(said(h.clear()), "507 STATE_STORAGE_FULL");
    EXPECT_EQ(h.order().size(), 5U) << "nothing was changed";
    EXPECT_EQ(h.clear()->status, "cleared");
    EXPECT_THAT(h.order(), IsEmpty());
    EXPECT_EQ(h.numbers(), "0 = 0 + 0 + 0 + 0");
    h.run_until([&] { return h.runs(0) && h.runs(1) && h.runs(2) && h.runs(3) && h.runs(4); });
    EXPECT_EQ(h.clear()->status, "cleared");
}

TEST(queue, a_change_that_cannot_be_kept_is_not_made) {
    queue_house h;
    h.add_many(3);
    h.store.fail_next(store::outcome::io_error);
    EXPECT_EQ(said(h.move(2, 0)), "503 STATE_IO_ERROR");
    h.store.fail_next(store::outcome::full);
    EXPECT_EQ(said(h.put(2, queue_priority::high)), "507 STATE_STORAGE_FULL");
    h.store.fail_next(store::outcome::full);
    EXPECT_EQ(said(h.take_out(2)), "507 STATE_STORAGE_FULL");
    EXPECT_THAT(h.order(), ElementsAre(0, 1, 2));
    EXPECT_EQ(h.get()->statistics.by_priority.normal, 3);
}

TEST(queue, moves_that_wait_for_each_other_leave_each_torrent_one_place) {
    queue_house h;
    h.add_many(20);
    h.store.hold();
    std::vector<decltype(h.start(h.deeds.handle(contract::move_in_queue::request{hash(hex(0)), 0}, h.who)))>
        all;
    for (int n = 0; n < 60; ++n)
        all.push_back(h.start(
            h.deeds.handle(contract::move_in_queue::request{hash(hex((n * 7) % 20)), (n * 11) % 20}, h.who)));
    auto const cleared = h.start(h.deeds.handle(contract::clear_queue::request{}, h.who));
    h.store.release();
    for (auto const& one : all) EXPECT_EQ(said(h.finish(one)), "ok");
    EXPECT_EQ(said(h.finish(cleared)), "ok");
    EXPECT_THAT(h.order(), IsEmpty());
}

TEST(queue, thirty_moves_to_one_place_go_beyond_the_gap_and_keep_the_order) {
    queue_house h;
    h.add_many(40);
    std::vector<int> expected(40);
    std::iota(expected.begin(), expected.end(), 0);
    for (int n = 0; n < 60; ++n) {
        auto const which = (n * 17) % 40;
        ASSERT_EQ(said(h.move(which, 1)), "ok") << n;
        std::erase(expected, which);
        expected.insert(expected.begin() + 1, which);
        ASSERT_EQ(h.order(), expected) << n;
    }
    // And so the store has them.
    std::vector<std::int64_t> keys;
    auto kept = h.store.asked_now().torrents;
    for (auto const& asked : kept) keys.push_back(asked->queue_order);
    EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
    EXPECT_EQ(kept.front()->hashes.canonical().hex(), hex(expected.front()));
}

TEST(queue, a_move_to_where_it_stands_right_after_a_start_lets_later_torrents_join_at_the_end) {
    queue_house h;
    h.add_many(3);
    h.house.last_queue_order = 0; // a start has not looked at it
    EXPECT_EQ(said(h.move(0, 0)), "ok");
    ASSERT_EQ(said(h.add("magnet:?xt=urn:btih:" + hex(7))), "ok");
    EXPECT_THAT(h.order(), ElementsAre(0, 1, 2, 7));
}

TEST(queue, a_torrent_that_waits_is_not_announced) {
    queue_house h;
    h.limit(1, 1, 1);
    h.add_many(2);
    auto const said_of = h.wait(h.deeds.handle(contract::force_announce::request{hash(hex(1))}, h.who));
    EXPECT_EQ(said(said_of), "409 ANNOUNCE_ERROR");
    EXPECT_EQ(detail(said_of, "reason"), "queued");
}

TEST(queue, a_failed_torrent_that_is_resumed_waits_for_its_turn) {
    queue_house h;
    h.limit(1, 1, 1);
    h.add_many(2);
    h.engine.fail(h.row(hex(0))->asked->id, "no space left on the disk");
    h.run_until([&] { return h.runs(1); });
    ASSERT_EQ(said(h.put(1, queue_priority::high)), "ok");
    ASSERT_EQ(said(h.resume(hex(0))), "ok");
    h.run_until([&] { return h.status(0) == "queued"; });
    EXPECT_TRUE(h.runs(1));
    EXPECT_FALSE(h.runs(0));
}

TEST(queue, a_queue_that_is_switched_off_steers_nothing_and_still_has_its_order) {
    queue_house h;
    h.limit(1, 1, 1, false);
    h.add_many(3);
    for (int n = 0; n < 3; ++n) EXPECT_TRUE(h.runs(n));
    ASSERT_EQ(said(h.move(2, 0)), "ok");
    EXPECT_THAT(h.order(), ElementsAre(2, 0, 1));
    h.limit(1, 1, 1);
    h.run_until([&] { return h.runs(2) && !h.runs(0) && !h.runs(1); });
    h.limit(0, 0, 0);
    h.run_until([&] { return h.runs(0) && h.runs(1); });
}

TEST(queue, new_torrents_have_the_default_priority_and_limits_are_shown_as_they_hold) {
    queue_house h;
    h.settings.queue.default_priority = "High";
    h.settings.limits.global_down_kib = 100;
    h.add_many(1);
    auto const all = h.get();
    ASSERT_EQ(all->entries.size(), 1U);
    EXPECT_EQ(all->entries[0].priority, queue_priority::high);
    EXPECT_EQ(all->entries[0].allocated_down_kib, 100);
    EXPECT_EQ(all->entries[0].allocated_up_kib, 0);
}

} // namespace
} // namespace ccbt::executor
