#include "model/queue_order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace ccbt::model {
namespace {

torrent_id id(std::uint64_t n) { return {n, 7 * n}; }

struct ordered {
    queue_order it;
    queue_order::key last = 0;
    int spreads = 0;
    std::size_t spread_keys = 0;

    explicit ordered(std::uint64_t torrents) {
        for (std::uint64_t n = 0; n < torrents; ++n) it.put(id(n), last = queue_order::after(last));
    }
    /// As the deed does it.
    void move(torrent_id which, std::size_t to) {
        for (int n = 0; n < 4; ++n) {
            if (auto const key = it.key_at(which, to, last)) {
                last = std::max(last, *key);
                it.put(which, *key);
                return;
            }
            ++spreads;
            for (auto const& [other, key] : it.spread_at(to)) {
                it.put(other, key);
                last = std::max(last, key);
                ++spread_keys;
            }
        }
        FAIL() << "no room at " << to;
    }
    [[nodiscard]] std::vector<std::uint64_t> all() const {
        std::vector<std::uint64_t> out;
        for (std::size_t n = 0; n < it.size(); ++n) out.push_back(it.at(n).high);
        return out;
    }
};

TEST(queue_order, a_move_puts_one_torrent_at_its_place_and_the_others_close_up) {
    ordered o{5};
    EXPECT_THAT(o.all(), ::testing::ElementsAre(0, 1, 2, 3, 4));
    o.move(id(4), 0);
    EXPECT_THAT(o.all(), ::testing::ElementsAre(4, 0, 1, 2, 3));
    o.move(id(4), 3);
    EXPECT_THAT(o.all(), ::testing::ElementsAre(0, 1, 2, 4, 3));
    o.move(id(0), 4);
    EXPECT_THAT(o.all(), ::testing::ElementsAre(1, 2, 4, 3, 0));
    o.move(id(3), 3);
    EXPECT_THAT(o.all(), ::testing::ElementsAre(1, 2, 4, 3, 0));
    EXPECT_EQ(o.spreads, 0) << "each move changed one key";
}

TEST(queue_order, what_goes_leaves_no_gap_in_the_positions) {
    ordered o{4};
    o.it.erase(id(1));
    o.it.erase(id(9));
    EXPECT_EQ(o.it.size(), 3U);
    EXPECT_EQ(o.it.position(id(2)), 1U);
    EXPECT_EQ(o.it.position(id(1)), std::nullopt);
    EXPECT_FALSE(o.it.contains(id(1)));
}

TEST(queue_order, random_moves_keep_to_what_a_plain_list_would_say) {
    std::mt19937 random{4};
    ordered o{200};
    auto plain = o.all();
    for (int n = 0; n < 20'000; ++n) {
        auto const from = random() % plain.size(), to = random() % plain.size();
        auto const who = plain[from];
        plain.erase(plain.begin() + static_cast<std::ptrdiff_t>(from));
        plain.insert(plain.begin() + static_cast<std::ptrdiff_t>(to), who);
        o.move(id(who), to);
        if (n % 500 == 0) {
            ASSERT_EQ(o.all(), plain) << "after " << n;
        }
    }
    EXPECT_EQ(o.all(), plain);
    for (auto const who : plain) ASSERT_EQ(o.all()[*o.it.position(id(who))], who);
}

TEST(queue_order, three_thousand_moves_to_one_place_of_ten_thousand_torrents_change_few_keys) {
    for (std::size_t const place : {std::size_t{0}, std::size_t{1}, std::size_t{5'000}, std::size_t{9'999}}) {
        ordered o{10'000};
        for (std::uint64_t n = 0; n < 3'000; ++n) o.move(id((n * 7919) % 10'000), place);
        EXPECT_LE(o.spread_keys, 30'000U) << "ten a move at the most, at " << place;
        EXPECT_LE(o.last, queue_order::key{1} << 52) << "what a double holds";
    }
}

TEST(queue_order, keys_that_lie_side_by_side_are_spread_once) {
    queue_order o;
    for (std::uint64_t n = 0; n < 1'000; ++n) o.put(id(n), static_cast<queue_order::key>(n) + 1);
    EXPECT_EQ(o.key_at(id(900), 10, 1'000), std::nullopt);
    auto const spread = o.spread_at(10);
    for (auto const& [which, key] : spread) o.put(which, key);
    ASSERT_TRUE(o.key_at(id(900), 10, 0));
    for (std::uint64_t n = 0; n < 1'000; ++n) ASSERT_EQ(o.at(n), id(n)) << "in the order of before";
}

TEST(queue_order, torrents_of_one_key_have_places_too) {
    queue_order o;
    for (std::uint64_t n = 0; n < 3; ++n) o.put(id(n), 5);
    EXPECT_EQ(o.position(id(2)), 2U);
    o.erase(id(1));
    EXPECT_EQ(o.position(id(2)), 1U);
}

} // namespace
} // namespace ccbt::model
