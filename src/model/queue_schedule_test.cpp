#include "model/queue_schedule.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <random>

namespace ccbt::model {
namespace {

using contract::torrent_state;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr torrent_id root{9, 9};
torrent_id id(std::uint64_t n) { return {n, n}; }

/// A schedule with an engine that does what it is asked, and tells of it only when it is let.
struct world {
    queue_schedule it;
    contract::queue_settings limits;
    std::map<std::uint64_t, std::shared_ptr<torrent_asked const>> all;
    std::map<std::uint64_t, bool> runs;     // in the engine
    std::map<std::uint64_t, bool> finished; // in the engine
    std::map<std::uint64_t, queue_hold> rows;

    explicit world(int in_all = 5, int downloading = 3, int seeding = 2) {
        limit(in_all, downloading, seeding);
    }
    void limit(int in_all, int downloading, int seeding, bool steers = true) {
        limits.max_active_torrents = in_all;
        limits.max_active_downloading = downloading;
        limits.max_active_seeding = seeding;
        limits.auto_manage_queue = steers;
        it.configure(limits);
        apply();
    }
    void apply(std::vector<fact> const& facts = {}) {
        it.take(facts, [](torrent_id) { return false; });
        for (auto const& one : it.settle()) {
            auto const& held = std::get<torrent_held>(one);
            rows[held.id.high] = held.hold;
        }
    }
    void put(std::uint64_t n, auto change) {
        auto& held = all[n];
        auto made = held ? *held : torrent_asked{};
        if (!held) {
            made.id = id(n);
            made.root = root;
            made.queue_order = static_cast<std::int64_t>(n + 1) * queue_order::step;
        }
        bool const was_paused = made.paused;
        change(made);
        bool const is_new = held == nullptr;
        held = std::make_shared<torrent_asked const>(std::move(made));
        apply({torrent_put{held}});
        if (is_new || held->paused != was_paused) ask(n); // whoever changes it tells the engine
    }
    void add(std::uint64_t n, queue_priority priority = queue_priority::normal) {
        put(n, [&](auto& a) { a.priority = priority; });
    }
    void add_seed(std::uint64_t n) {
        all[n] = nullptr;
        torrent_asked made;
        made.id = id(n);
        made.root = root;
        made.queue_order = static_cast<std::int64_t>(n + 1) * queue_order::step;
        all[n] = std::make_shared<torrent_asked const>(made);
        finished[n] = true;
        it.restore(all[n], {.id = id(n), .progress = 1}, false);
        apply();
        ask(n);
    }
    void ask(std::uint64_t n) {
        auto const held = it.holds(id(n));
        runs[n] = !held && !all[n]->paused;
        it.note_asked(id(n), runs[n], held);
    }
    /// The engine hears what it is asked, and says nothing yet.
    void let_engine_hear() {
        for (auto const& which : it.take_asks(1000)) ask(which.high);
    }
    void tell(std::uint64_t n) {
        torrent_seen seen;
        seen.id = id(n);
        seen.finished = finished[n];
        seen.state = !runs[n]        ? torrent_state::paused
                     : seen.finished ? torrent_state::seeding
                                     : torrent_state::downloading;
        apply({torrents_seen{{seen}}});
    }
    void settle() {
        for (int round = 0; round < 20; ++round) {
            let_engine_hear();
            for (auto const& [n, record] : all) tell(n);
        }
    }
    [[nodiscard]] std::vector<std::uint64_t> running() const {
        std::vector<std::uint64_t> out;
        for (auto const& [n, is] : runs)
            if (is) out.push_back(n);
        return out;
    }
    [[nodiscard]] std::vector<std::uint64_t> waiting() const {
        std::vector<std::uint64_t> out;
        for (auto const& [n, hold] : rows)
            if (hold == queue_hold::waits) out.push_back(n);
        return out;
    }
};

TEST(queue_schedule, the_first_run_and_the_others_wait) {
    world w;
    for (std::uint64_t n = 0; n < 6; ++n) w.add(n);
    EXPECT_THAT(w.running(), ElementsAre(0, 1, 2));
    EXPECT_THAT(w.waiting(), ElementsAre(3, 4, 5));
}

TEST(queue_schedule, the_limit_of_all_holds_beside_those_of_each_kind) {
    world w{4, 3, 2};
    for (std::uint64_t n = 0; n < 3; ++n) w.add(n);
    for (std::uint64_t n = 3; n < 6; ++n) w.add_seed(n);
    EXPECT_THAT(w.running(), ElementsAre(0, 1, 2, 3)) << "three and one, though two may seed";
}

TEST(queue_schedule, no_limit_holds_nobody) {
    world w{0, 0, 0};
    for (std::uint64_t n = 0; n < 50; ++n) w.add(n);
    EXPECT_EQ(w.running().size(), 50U);
    EXPECT_THAT(w.waiting(), IsEmpty());
}

TEST(queue_schedule, a_higher_priority_displaces_and_starts_only_when_the_other_has_stopped) {
    world w{1, 1, 1};
    w.add(0);
    w.add(1, queue_priority::high);
    EXPECT_THAT(w.waiting(), ElementsAre(0, 1)) << "the one is being stopped, the other not started yet";
    EXPECT_THAT(w.running(), ElementsAre(0)) << "the engine has not heard of it";
    w.let_engine_hear();
    EXPECT_THAT(w.running(), IsEmpty());
    w.let_engine_hear();
    EXPECT_THAT(w.running(), IsEmpty()) << "the engine has not said that it stopped";
    w.tell(0);
    w.let_engine_hear();
    EXPECT_THAT(w.running(), ElementsAre(1));
    EXPECT_THAT(w.waiting(), ElementsAre(0));
}

TEST(queue_schedule, within_a_priority_the_place_decides) {
    world w{1, 1, 1};
    w.add(5);
    w.add(6);
    w.put(6, [](auto& a) { a.queue_order = 1; });
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(6));
    w.put(5, [](auto& a) { a.priority = queue_priority::maximum; });
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(5));
}

TEST(queue_schedule, one_that_is_finished_takes_a_seeding_slot_or_waits_for_one) {
    world w{5, 2, 1};
    for (std::uint64_t n = 0; n < 4; ++n) w.add(n);
    ASSERT_THAT(w.running(), ElementsAre(0, 1));
    w.finished[1] = true;
    w.tell(1);
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(0, 1, 2)) << "one seeds, and the next downloads";
    w.finished[2] = true;
    w.tell(2);
    EXPECT_EQ(w.rows[2], queue_hold::waits) << "told with the very facts that it has finished";
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(0, 1, 3));
}

TEST(queue_schedule, one_that_its_user_paused_leaves_its_slot_when_the_engine_has_stopped_it) {
    world w{1, 1, 1};
    w.add(0);
    w.add(1);
    w.put(0, [](auto& a) { a.paused = true; });
    w.let_engine_hear();
    EXPECT_THAT(w.running(), IsEmpty());
    w.tell(0);
    w.let_engine_hear();
    EXPECT_THAT(w.running(), ElementsAre(1));
    w.put(0, [](auto& a) { a.paused = false; });
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(0)) << "it kept its place";
}

TEST(queue_schedule, the_priority_paused_stops_a_torrent_and_frees_its_slot) {
    world w{1, 1, 1};
    w.add(0);
    w.add(1);
    w.put(0, [](auto& a) { a.priority = queue_priority::paused; });
    EXPECT_EQ(w.rows[0], queue_hold::paused);
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(1));
}

TEST(queue_schedule, what_is_not_in_the_queue_is_neither_stopped_nor_counted) {
    world w{1, 1, 1};
    w.add(0);
    w.add(1);
    w.put(0, [](auto& a) { a.in_queue = false; });
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(0, 1));
    w.put(0, [](auto& a) {
        a.in_queue = true;
        a.queue_order = 1;
    });
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(0));
}

TEST(queue_schedule, one_that_failed_or_whose_root_is_offline_takes_no_slot) {
    world w{1, 1, 1};
    for (std::uint64_t n = 0; n < 2; ++n) w.add(n);
    w.apply({torrent_failed{id(0), "no space left on the disk"}});
    w.runs[0] = false;
    w.let_engine_hear();
    EXPECT_THAT(w.running(), ElementsAre(1));
    w.apply({torrent_recovered{id(0)}});
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(0));
    w.apply({root_offline{root}});
    w.apply({root_online{root}});
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(0));
}

TEST(queue_schedule, one_that_goes_leaves_its_slot_to_the_next) {
    world w{1, 1, 1};
    for (std::uint64_t n = 0; n < 2; ++n) w.add(n);
    w.apply({torrent_gone{id(0)}});
    w.all.erase(0);
    w.runs.erase(0);
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(1));
    EXPECT_EQ(w.it.order().size(), 1U);
}

TEST(queue_schedule, other_limits_take_effect_at_once_and_switching_it_off_lets_all_run) {
    world w{3, 3, 3};
    for (std::uint64_t n = 0; n < 5; ++n) w.add(n);
    w.limit(1, 1, 1);
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(0));
    w.limit(1, 1, 1, false);
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(0, 1, 2, 3, 4));
    EXPECT_THAT(w.waiting(), IsEmpty());
    w.limit(2, 2, 2);
    w.settle();
    EXPECT_THAT(w.running(), ElementsAre(0, 1));
}

// What should run, said as plainly as it can be.
std::vector<std::uint64_t> chosen_plainly(world const& w) {
    std::vector<torrent_asked const*> sorted;
    for (auto const& [n, record] : w.all)
        if (!record->paused && record->in_queue && record->priority != queue_priority::paused)
            sorted.push_back(record.get());
    std::sort(sorted.begin(), sorted.end(), [](auto const* a, auto const* b) {
        return std::tuple{-static_cast<int>(a->priority), a->queue_order, a->id} <
               std::tuple{-static_cast<int>(b->priority), b->queue_order, b->id};
    });
    auto const fits = [](std::int64_t have, std::int64_t limit) { return limit == 0 || have < limit; };
    std::int64_t down = 0, up = 0;
    std::vector<std::uint64_t> out;
    for (auto const* one : sorted) {
        bool const seeds = w.finished.contains(one->id.high) && w.finished.at(one->id.high);
        auto& have = seeds ? up : down;
        if (!fits(down + up, w.limits.max_active_torrents) ||
            !fits(have, seeds ? w.limits.max_active_seeding : w.limits.max_active_downloading))
            continue;
        ++have;
        out.push_back(one->id.high);
    }
    for (auto const& [n, record] : w.all)
        if (!record->in_queue && !record->paused) out.push_back(n);
    std::sort(out.begin(), out.end());
    return out;
}

TEST(queue_schedule, whatever_happens_the_limits_hold_in_the_engine_and_in_the_end_the_right_ones_run) {
    for (unsigned seed = 1; seed <= 30; ++seed) {
        std::mt19937 random{seed};
        auto const below = [&](unsigned n) { return static_cast<int>(random() % n); };
        world w{below(6), below(4), below(3)};
        for (std::uint64_t n = 0; n < 20; ++n) w.add(n);
        for (int step = 0; step < 400; ++step) {
            auto const n = static_cast<std::uint64_t>(below(20));
            switch (below(8)) {
            case 0: w.put(n, [&](auto& a) { a.paused = !a.paused; }); break;
            case 1: w.put(n, [&](auto& a) { a.priority = static_cast<queue_priority>(below(5)); }); break;
            case 2: w.put(n, [&](auto& a) { a.queue_order = 1 + below(1000); }); break;
            case 3: w.let_engine_hear(); break;
            case 4:
                // Only what may seed by the limits finishes here: that it is stopped comes a moment later.
                if (w.runs[n] && w.limits.max_active_seeding == 0 && w.limits.max_active_torrents == 0)
                    w.finished[n] = true;
                break;
            default: w.tell(n); break;
            }
            std::int64_t down = 0, up = 0;
            for (auto const running : w.running())
                if (!w.all[running]->paused) ++(w.finished[running] ? up : down);
            auto const holds = [](std::int64_t have, std::int64_t limit) {
                return limit == 0 || have <= limit;
            };
            ASSERT_TRUE(holds(down, w.limits.max_active_downloading)) << "seed " << seed << " step " << step;
            ASSERT_TRUE(holds(up, w.limits.max_active_seeding)) << "seed " << seed << " step " << step;
            ASSERT_TRUE(holds(down + up, w.limits.max_active_torrents))
                << "seed " << seed << " step " << step;
        }
        w.settle();
        EXPECT_EQ(w.running(), chosen_plainly(w)) << "seed " << seed;
    }
}

} // namespace
} // namespace ccbt::model
