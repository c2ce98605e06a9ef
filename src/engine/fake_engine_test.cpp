#include "base/net.hpp"
#include "engine/fake_engine.hpp"

#include <algorithm>
#include <gmock/gmock.h>

namespace {

using namespace ccbt;
using contract::torrent_state;
using engine::torrent_id;
using ::testing::ElementsAre;

struct fake_engine : ::testing::Test {
    loop on{1};
    std::vector<model::fact> facts;
    int saved = 0;
    engine::fake_engine it{
        {on,
         [this](auto more) {
             for (auto& f : more) facts.push_back(std::move(f));
         },
         [this](auto all) { saved += static_cast<int>(all.size()); }}};

    void turn() { // everything that was posted
        on.context().poll();
        on.context().restart();
    }
    void ask(torrent_id id, bool paused = false) {
        auto a = model::torrent_asked{};
        a.id = id;
        a.total_size = 1'000'000'000;
        a.has_metainfo = true;
        a.paused = paused;
        it.ask({std::make_shared<model::torrent_asked const>(a), "/d", false}, engine::load{});
        turn();
    }
    template <class Fact> int count() const {
        return static_cast<int>(std::count_if(
            facts.begin(), facts.end(), [](auto& f) { return std::holds_alternative<Fact>(f); }));
    }
    model::torrent_seen last(torrent_id id) const {
        auto found = model::torrent_seen{};
        for (auto const& f : facts)
            if (auto const* s = std::get_if<model::torrents_seen>(&f))
                for (auto const& t : s->samples)
                    if (t.id == id) found = t;
        return found;
    }
};

TEST_F(fake_engine, wishes_are_recorded_and_seen) {
    ask({1, 1});
    EXPECT_EQ(last({1, 1}).state, torrent_state::downloading);
    ask({1, 1}, true);
    EXPECT_EQ(last({1, 1}).state, torrent_state::paused);
    EXPECT_EQ(it.wishes().size(), 2u);
    EXPECT_TRUE(it.wished({1, 1})->asked->paused);
    turn();
    EXPECT_EQ(count<model::engine_caught_up>(), 1);
}

TEST_F(fake_engine, ticks_move_it_the_same_way_each_time) {
    auto const run = [] {
        auto local = loop{1};
        auto seen = std::vector<model::torrent_seen>{};
        auto e = engine::fake_engine{
            {local,
             [&](std::vector<model::fact> more) {
                 for (auto const& f : more)
                     if (auto const* s = std::get_if<model::torrents_seen>(&f))
                         seen.insert(seen.end(), s->samples.begin(), s->samples.end());
             },
             {}}};
        auto a = model::torrent_asked{};
        a.id = {1, 2};
        a.has_metainfo = true;
        a.total_size = 1 << 30;
        e.ask({std::make_shared<model::torrent_asked const>(a), "/d", false}, engine::load{});
        for (int i = 0; i < 100; ++i) e.tick();
        local.context().poll();
        return seen;
    };
    auto const once = run();
    EXPECT_EQ(once.size(), 6u); // when asked, and one tick of twenty
    EXPECT_EQ(once, run());
}

TEST_F(fake_engine, an_error_lasts_until_it_is_asked_to_run_again) {
    ask({1, 1});
    it.fail({1, 1}, "no space left on the disk");
    turn();
    EXPECT_EQ(count<model::torrent_failed>(), 1);
    ask({1, 1});
    EXPECT_EQ(count<model::torrent_recovered>(), 1);
    EXPECT_EQ(last({1, 1}).state, torrent_state::downloading);
}

TEST_F(fake_engine, finishing_by_hand_is_told_and_seeds) {
    ask({1, 1});
    it.finish({1, 1});
    turn();
    EXPECT_EQ(count<model::torrent_finished>(), 1);
    EXPECT_EQ(last({1, 1}).state, torrent_state::seeding);
    EXPECT_EQ(last({1, 1}).progress, 1.0);
}

TEST_F(fake_engine, peers_are_answered_later_and_unknown_torrents_refused) {
    ask({1, 1});
    auto mine = contract::peer{};
    mine.ip = "192.0.2.1";
    it.set_peers({1, 1}, {mine});
    auto ips = std::vector<std::string>{};
    auto code = contract::errc::internal_error;
    it.peers({1, 1}, [&](auto answer) { ips.push_back(answer->at(0).ip); });
    it.peers({9, 9}, [&](auto answer) { code = answer.error().code; });
    EXPECT_TRUE(ips.empty());
    turn();
    EXPECT_THAT(ips, ElementsAre("192.0.2.1"));
    EXPECT_EQ(code, contract::errc::torrent_not_found);
}

TEST_F(fake_engine, forgetting_and_stopping_answer_later) {
    ask({1, 1});
    ask({1, 2});
    it.resume_on_forget = std::make_shared<std::string const>("r");
    auto kept = std::string{};
    it.forget({1, 1}, [&](auto resume) { kept = *resume; });
    EXPECT_TRUE(kept.empty());
    turn();
    EXPECT_EQ(kept, "r");
    EXPECT_EQ(it.wished({1, 1}), nullptr);
    auto stopped = false;
    it.stop(std::chrono::seconds{1}, [&] { stopped = true; });
    turn();
    EXPECT_TRUE(stopped);
    EXPECT_EQ(saved, 1);
}

} // namespace
