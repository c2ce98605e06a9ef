#include "server/hub.hpp"

#include <gtest/gtest.h>

namespace ccbt::server {
namespace {

using contract::event_type;

struct listener final : watcher {
    [[nodiscard]] bool wants(event_type type) const override { return type == wanted; }
    void tell(shared_text event) override { told.push_back(std::move(event)); }
    void send() override { sent.push_back(told.size()); }
    event_type wanted = event_type::torrent_added;
    std::vector<shared_text> told;
    std::vector<std::size_t> sent; // how many were told by then
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

} // namespace
} // namespace ccbt::server
