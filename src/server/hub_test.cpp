#include "server/hub.hpp"

#include <gtest/gtest.h>

namespace ccbt::server {
namespace {

using contract::event_type;

struct listener final : watcher {
    [[nodiscard]] bool wants(event_type type) const override { return type == wanted; }
    void tell(shared_text event) override {
        told.push_back(std::move(event));
        if (on_told) std::exchange(on_told, nullptr)();
    }
    void send() override { sent.push_back(told.size()); }
    event_type wanted = event_type::torrent_added;
    std::vector<shared_text> told;
    std::vector<std::size_t> sent; // how many were told by then
    job on_told;
};

contract::event_view of(event_type type, std::int64_t seq) {
    contract::event e;
    e.type = type;
    e.timestamp = 2;
    e.seq = seq;
    e.data.info_hash = "aa";
    return contract::event_view{std::move(e)};
}

class events : public ::testing::Test {
protected:
    void turn() { // one of the loop's
        on.post([this] { on.stop(); });
        on.run();
    }
    metrics::door counted;
    loop on{1};
    std::unique_ptr<hub> all = std::make_unique<hub>(on, counted);
    listener a, b;
};

TEST_F(events, are_told_at_the_end_of_the_turn_in_order) {
    all->join(a);
    all->publish(of(event_type::torrent_added, 1));
    all->publish(of(event_type::torrent_added, 2));
    EXPECT_TRUE(a.told.empty());
    turn();
    ASSERT_EQ(a.told.size(), 2U);
    EXPECT_EQ(
        a.told[0].view(), R"({"type":"torrent_added","timestamp":2.0,"data":{"info_hash":"aa"},"seq":1})");
    EXPECT_EQ(
        a.told[1].view(), R"({"type":"torrent_added","timestamp":2.0,"data":{"info_hash":"aa"},"seq":2})");
    EXPECT_EQ(counted.events_sent, 2U);
}

TEST_F(events, are_rendered_once_for_all_watchers) {
    all->join(a);
    all->join(b);
    all->publish(of(event_type::torrent_added, 1));
    turn();
    ASSERT_EQ(a.told.size(), 1U);
    ASSERT_EQ(b.told.size(), 1U);
    EXPECT_EQ(a.told[0], b.told[0]);
}

TEST_F(events, reach_only_those_who_want_them) {
    b.wanted = event_type::shutdown;
    all->join(a);
    all->join(b);
    EXPECT_TRUE(all->anyone_wants(event_type::shutdown));
    EXPECT_FALSE(all->anyone_wants(event_type::resync));
    all->publish(of(event_type::torrent_added, 1));
    turn();
    EXPECT_EQ(a.told.size(), 1U);
    EXPECT_TRUE(b.told.empty());
}

TEST_F(events, are_not_kept_where_nobody_watches) {
    all->publish(of(event_type::torrent_added, 7));
    all->join(a);
    turn();
    EXPECT_TRUE(a.told.empty());
}

TEST_F(events, do_not_reach_one_who_left) {
    all->join(a);
    EXPECT_EQ(counted.watchers, 1U);
    all->publish(of(event_type::torrent_added, 1));
    all->leave(a);
    turn();
    EXPECT_TRUE(a.told.empty());
    EXPECT_EQ(counted.watchers, 0U);
}

TEST_F(events, that_wait_may_outlive_their_hub) {
    all->join(a);
    all->publish(of(event_type::torrent_added, 1));
    all.reset();
    turn();
    EXPECT_TRUE(a.told.empty());
}

/// Telling the first takes as long as a slice may, and when the loop has turned to the others `meanwhile` is done.
class told_in_slices : public events {
protected:
    void publish_while(job meanwhile) {
        all->join(a);
        all->join(b);
        a.on_told = [this, meanwhile = std::move(meanwhile)]() mutable {
            on.post([this, meanwhile = std::move(meanwhile)]() mutable {
                told_to_b_by_then = b.told.size();
                meanwhile();
                on.post([this] { on.post([this] { on.stop(); }); }); // two slices end what there is
            });
            for (auto const until = steady::now() + std::chrono::milliseconds{10}; steady::now() < until;) {}
        };
        all->publish(of(event_type::torrent_added, 1));
        on.run();
        EXPECT_EQ(told_to_b_by_then, 0U);
    }
    std::size_t told_to_b_by_then = 99;
};

TEST_F(told_in_slices, others_of_the_loop_have_their_turn_between_two_watchers) {
    publish_while([] {});
    EXPECT_EQ(a.told.size(), 1U);
    EXPECT_EQ(b.told.size(), 1U);
}

TEST_F(told_in_slices, who_is_late_gets_all_at_once_and_nobody_one_twice) {
    publish_while([this] { all->publish(of(event_type::torrent_added, 2)); });
    EXPECT_EQ(a.sent, (std::vector<std::size_t>{1, 2}));
    EXPECT_EQ(b.sent, (std::vector<std::size_t>{2}));
    EXPECT_EQ(a.told, b.told);
}

TEST_F(told_in_slices, who_joins_meanwhile_is_told_what_follows) {
    listener late;
    publish_while([&] {
        all->join(late);
        all->publish(of(event_type::torrent_added, 2));
    });
    ASSERT_EQ(late.told.size(), 1U);
    EXPECT_EQ(late.told[0], b.told[1]);
}

TEST_F(told_in_slices, who_was_told_and_leaves_takes_nobodys_turn) {
    listener c;
    publish_while([&] {
        all->leave(a);
        all->join(c);
    });
    EXPECT_EQ(b.told.size(), 1U);
    EXPECT_TRUE(c.told.empty());
}

TEST_F(told_in_slices, the_end_waits_for_no_slice) {
    publish_while([&] {
        all->publish(of(event_type::torrent_added, 2));
        all->flush();
        EXPECT_EQ(a.told.size(), 2U);
        EXPECT_EQ(b.told.size(), 2U);
    });
    EXPECT_EQ(b.told.size(), 2U);
}

} // namespace
} // namespace ccbt::server
