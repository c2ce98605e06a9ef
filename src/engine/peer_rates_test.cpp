#include "engine/peer_rates.hpp"

#include <gtest/gtest.h>

namespace ccbt::engine {
namespace {

using std::chrono::milliseconds;

struct peer_rates_of_one : testing::Test {
    peer_rates rates;
    steady::time_point now{std::chrono::seconds{1000}};

    /// Looks after so long at one peer that has moved so much; its rates: "down/up".
    std::string look(
        int after_ms, std::int64_t downloaded, std::int64_t uploaded, std::uint64_t torrent = 1) {
        now += milliseconds{after_ms};
        contract::peer one{.ip = "192.0.2.1", .port = 6881, .download_rate = 7, .upload_rate = 8};
        one.downloaded = downloaded;
        one.uploaded = uploaded;
        std::vector<contract::peer> peers{one};
        rates.look(torrent, now, peers);
        return std::to_string(static_cast<int>(peers[0].download_rate)) + '/' +
               std::to_string(static_cast<int>(peers[0].upload_rate));
    }
};

TEST_F(peer_rates_of_one, the_first_look_leaves_what_libtorrent_says) {
    EXPECT_EQ(look(0, 1000, 0), "7/8");
    EXPECT_EQ(look(300, 2000, 0), "7/8") << "too soon to tell";
}

TEST_F(peer_rates_of_one, later_looks_tell_what_was_moved_in_the_last_seconds) {
    look(0, 0, 0);
    EXPECT_EQ(look(1000, 1000, 500), "1000/500");
    EXPECT_EQ(look(1000, 3000, 500), "1500/250");
    look(1000, 3000, 500);
    look(1000, 3000, 500);
    look(1000, 3000, 500);
    EXPECT_EQ(look(1000, 3000, 500), "0/0") << "it is seen to stop";
}

TEST_F(peer_rates_of_one, a_long_time_without_a_look_is_no_average) {
    look(0, 0, 0);
    EXPECT_EQ(look(6000, 60'000, 0), "7/8");
    EXPECT_EQ(look(1000, 61'000, 0), "1000/0");
}

TEST_F(peer_rates_of_one, looks_four_seconds_apart_are_each_the_first) {
    look(0, 0, 0);
    EXPECT_EQ(look(4000, 4000, 0), "7/8") << "measured over less than it was, it would be more";
    EXPECT_EQ(look(4000, 8000, 0), "7/8");
    EXPECT_EQ(look(3500, 11'500, 0), "1000/0") << "within reach";
}

TEST_F(peer_rates_of_one, a_peer_that_came_back_begins_anew) {
    look(0, 10'000, 0);
    look(1000, 20'000, 0);
    EXPECT_EQ(look(1000, 500, 0), "7/8");
    EXPECT_EQ(look(1000, 1500, 0), "1000/0");
}

TEST_F(peer_rates_of_one, torrents_do_not_mix_and_are_forgotten) {
    look(0, 0, 0, 1);
    look(0, 500, 0, 2);
    EXPECT_EQ(look(1000, 1000, 0, 1), "1000/0");
    EXPECT_EQ(look(0, 700, 0, 2), "200/0");
    EXPECT_EQ(rates.size(), 2U);
    look(6000, 0, 0, 3);
    EXPECT_EQ(rates.size(), 1U);
}

TEST(peer_rates, of_two_peers_at_one_address_and_port_the_first_is_measured) {
    peer_rates rates;
    auto const look = [&](int second, std::int64_t first, std::int64_t other) {
        std::vector<contract::peer> both(2, {.ip = "192.0.2.1", .port = 6881, .download_rate = 7});
        both[0].downloaded = first;
        both[1].downloaded = other;
        rates.look(1, steady::time_point{std::chrono::seconds{second}}, both);
        return std::pair{both[0].download_rate, both[1].download_rate};
    };
    look(1000, 1000, 50'000);
    EXPECT_EQ(look(1001, 3000, 60'000), std::pair(2000.0, 7.0));
    EXPECT_EQ(look(1002, 5000, 70'000), std::pair(2000.0, 7.0));
}

} // namespace
} // namespace ccbt::engine
