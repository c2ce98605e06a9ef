#include "engine/fake_engine.hpp"
#include "executor/test_house.hpp"
#include "store/memory_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::executor {
namespace {

using ::testing::ElementsAre;
using testing::hash;
using testing::hash_v1;
using testing::magnet_v1;
using testing::said;

struct transfers_house : testing::test_house<store::memory_store, engine::fake_engine> {
    auto limit(std::int64_t down, std::int64_t up, std::string_view hex = hash_v1) {
        return wait(deeds.handle(contract::set_rate_limits::request{hash(hex), down, up}, who));
    }
    auto announce(std::string_view hex = hash_v1) {
        return wait(deeds.handle(contract::force_announce::request{hash(hex)}, who));
    }
    [[nodiscard]] torrent_id id() const { return row(hash_v1)->asked->id; }
    /// What the row, the store and the engine hold: "100/50 100/50 100/50".
    [[nodiscard]] std::string limits_everywhere() {
        auto const text = [](auto const& a) {
            return std::to_string(a.down_kib) + '/' + std::to_string(a.up_kib);
        };
        auto const& view = *row(hash_v1)->view;
        return std::to_string(view.download_limit_kib) + '/' + std::to_string(view.upload_limit_kib) + ' ' +
               text(*store.asked_now().torrents.at(0)) + ' ' + text(*engine.wished(id())->asked);
    }
};

contract::tracker_answer answer(std::string url, contract::tracker_state status, std::string message = {}) {
    return {.url = std::move(url), .tier = 0, .status = status, .message = std::move(message)};
}

TEST(transfers, limits_are_kept_asked_of_the_engine_and_told_in_one_event) {
    transfers_house h;
    ASSERT_TRUE(h.add(magnet_v1));
    h.events.clear();
    auto const set = h.limit(100, 50);
    ASSERT_EQ(said(set), "ok");
    EXPECT_TRUE(set->set);
    EXPECT_EQ(set->download_kib, 100);
    EXPECT_EQ(set->upload_kib, 50);
    EXPECT_EQ(set->effective_download_kib, 100);
    EXPECT_EQ(set->effective_upload_kib, 50);
    EXPECT_FALSE(set->capped);
    EXPECT_EQ(h.limits_everywhere(), "100/50 100/50 100/50");
    EXPECT_THAT(h.events, ElementsAre("torrent_status_changed 00112233"));
}

TEST(transfers, the_same_limits_again_change_nothing) {
    transfers_house h;
    ASSERT_TRUE(h.add(magnet_v1));
    ASSERT_TRUE(h.limit(100, 50));
    h.events.clear();
    auto const before = h.state.revision();
    EXPECT_EQ(h.limit(100, 50)->download_kib, 100);
    EXPECT_EQ(h.state.revision(), before);
    EXPECT_TRUE(h.events.empty());
}

TEST(transfers, the_lower_of_own_and_global_limit_holds_and_is_told) {
    transfers_house h;
    ASSERT_TRUE(h.add(magnet_v1));
    h.settings.limits.global_down_kib = 200;
    h.settings.limits.per_torrent_up_kib = 30;
    auto const above = h.limit(500, 0);
    EXPECT_EQ(above->download_kib, 500);
    EXPECT_EQ(above->effective_download_kib, 200);
    EXPECT_EQ(above->effective_upload_kib, 30) << "that of torrents without one of their own";
    EXPECT_TRUE(above->capped);
    auto const below = h.limit(150, 40);
    EXPECT_EQ(below->effective_download_kib, 150);
    EXPECT_EQ(below->effective_upload_kib, 40);
    EXPECT_FALSE(below->capped);
    auto const none = h.limit(0, 0);
    EXPECT_EQ(none->effective_download_kib, 200);
    EXPECT_FALSE(none->capped);
}

TEST(transfers, limits_that_cannot_be_kept_are_not_set) {
    transfers_house h;
    ASSERT_TRUE(h.add(magnet_v1));
    h.events.clear();
    h.store.fail_next(store::outcome::io_error);
    EXPECT_EQ(said(h.limit(100, 50)), "503 STATE_IO_ERROR");
    h.store.fail_next(store::outcome::full);
    EXPECT_EQ(said(h.limit(100, 50)), "507 STATE_STORAGE_FULL");
    EXPECT_EQ(h.limits_everywhere(), "0/0 0/0 0/0");
    EXPECT_TRUE(h.events.empty());
}

TEST(transfers, limits_are_answered_only_once_they_are_kept) {
    transfers_house h;
    ASSERT_TRUE(h.add(magnet_v1));
    h.store.hold();
    auto const first =
        h.start(h.deeds.handle(contract::set_rate_limits::request{hash(hash_v1), 7, 8}, h.who));
    EXPECT_FALSE(first->has_value());
    EXPECT_EQ(h.row(hash_v1)->view->download_limit_kib, 0);
    // One that comes while the first is being kept finds what the first has made of it.
    auto const second =
        h.start(h.deeds.handle(contract::set_rate_limits::request{hash(hash_v1), 9, 8}, h.who));
    h.store.release();
    EXPECT_EQ(h.finish(first)->download_kib, 7);
    EXPECT_EQ(h.finish(second)->download_kib, 9);
    EXPECT_EQ(h.limits_everywhere(), "9/8 9/8 9/8");
}

TEST(transfers, limits_and_announces_of_a_torrent_that_is_not_there_are_404) {
    transfers_house h;
    EXPECT_EQ(said(h.limit(1, 1)), "404 TORRENT_NOT_FOUND");
    EXPECT_EQ(said(h.announce()), "404 TORRENT_NOT_FOUND");
    ASSERT_TRUE(h.add(magnet_v1));
    // Removed while the limits wait for its turn.
    auto const going = h.start_remove(hash_v1, false);
    auto const late = h.start(h.deeds.handle(contract::set_rate_limits::request{hash(hash_v1), 1, 1}, h.who));
    EXPECT_EQ(said(h.finish(going)), "ok");
    EXPECT_EQ(said(h.finish(late)), "404 TORRENT_NOT_FOUND");
}

TEST(transfers, a_failed_torrent_gets_its_limits_with_its_resume_and_is_not_started_by_them) {
    transfers_house h;
    ASSERT_TRUE(h.add(magnet_v1));
    h.engine.fail(h.id(), "no space left on the disk");
    h.settle();
    auto const asked = h.engine.wishes().size();
    ASSERT_TRUE(h.limit(100, 50));
    EXPECT_EQ(h.engine.wishes().size(), asked);
    EXPECT_EQ(contract::name_of(h.row(hash_v1)->view->status), "error");
    ASSERT_TRUE(h.resume(hash_v1));
    EXPECT_EQ(h.limits_everywhere(), "100/50 100/50 100/50");
}

TEST(transfers, an_announce_tells_what_each_tracker_answered) {
    transfers_house h;
    ASSERT_TRUE(h.add(magnet_v1));
    auto works = answer("http://a/announce", contract::tracker_state::working);
    works.seeders = 3;
    h.engine.set_trackers(
        h.id(), {works, answer("http://b/announce", contract::tracker_state::timeout, "no answer in time")});
    auto const told = h.announce();
    ASSERT_EQ(said(told), "ok");
    EXPECT_TRUE(told->announced);
    ASSERT_EQ(told->trackers.size(), 2U);
    EXPECT_EQ(told->trackers[0].seeders, 3);
    EXPECT_EQ(told->trackers[1].message, "no answer in time");
}

TEST(transfers, an_announce_that_every_tracker_failed_is_502_and_says_how_but_no_passkey) {
    transfers_house h;
    ASSERT_TRUE(h.add(magnet_v1));
    h.engine.set_trackers(
        h.id(),
        {answer(
             "http://a/0123456789abcdef0123456789abcdef/announce", contract::tracker_state::error, "refused"),
         answer("http://b/announce?passkey=1", contract::tracker_state::timeout, "no answer in time"),
         answer("http://c/announce", contract::tracker_state::not_asked)});
    auto const told = h.announce();
    EXPECT_EQ(said(told), "502 ANNOUNCE_ERROR");
    EXPECT_EQ(
        told.error().message, "no tracker took the announce: http://a/***/announce: refused (and 1 more)");
    ASSERT_EQ(told.error().details.size(), 1U);
    EXPECT_EQ(told.error().details[0].name, "trackers");
    EXPECT_THAT(
        std::get<std::vector<std::string>>(told.error().details[0].value),
        ElementsAre("http://a/***/announce: refused", "http://b/announce?***: no answer in time"));
}

TEST(transfers, a_torrent_without_tracker_paused_or_failed_is_not_announced) {
    transfers_house h;
    ASSERT_TRUE(h.add(magnet_v1));
    auto const bare = h.announce();
    EXPECT_EQ(said(bare), "409 ANNOUNCE_ERROR");
    EXPECT_EQ(testing::detail(bare, "reason"), "no_tracker");
    h.engine.set_trackers(h.id(), {answer("http://a/announce", contract::tracker_state::working)});
    ASSERT_TRUE(h.pause(hash_v1));
    auto const paused = h.announce();
    EXPECT_EQ(said(paused), "409 ANNOUNCE_ERROR");
    EXPECT_EQ(testing::detail(paused, "reason"), "paused");
    ASSERT_TRUE(h.resume(hash_v1));
    EXPECT_EQ(said(h.announce()), "ok");
    h.engine.fail(h.id(), "no space left on the disk");
    h.settle();
    auto const failed = h.announce();
    EXPECT_EQ(said(failed), "409 ANNOUNCE_ERROR");
    EXPECT_EQ(testing::detail(failed, "reason"), "error");
}

TEST(transfers, announces_of_any_origin_are_events_that_the_log_does_not_keep) {
    transfers_house h;
    ASSERT_TRUE(h.add(magnet_v1));
    h.events.clear();
    auto const kept = h.state.events().kept().size();
    h.house.apply(model::tracker_announced{h.id(), "http://a/announce", false, "3 peers"});
    h.house.apply(model::tracker_announced{h.id(), "http://a/announce", true, "refused"});
    h.house.apply(model::tracker_announced{torrent_id{1, 2}, "http://a/announce", true, "refused"});
    EXPECT_THAT(
        h.events, ElementsAre("tracker_announce_success 00112233", "tracker_announce_error 00112233"));
    EXPECT_EQ(h.state.events().kept().size(), kept);
}

} // namespace
} // namespace ccbt::executor
