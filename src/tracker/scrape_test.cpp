#include "tracker/scrape.hpp"

#include <gtest/gtest.h>

namespace ccbt::tracker {
namespace {

using namespace std::chrono_literals;

swarm_hash const of{'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j',
                    'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', ' ', '/'};
constexpr auto asks = "info_hash=abcdefghijklmnopqr%20%2F";
constexpr auto name = "20:abcdefghijklmnopqr /";

TEST(scrape, asks_at_the_place_of_the_announce_as_bep_48_says) {
    auto const at = [](std::string_view url) { return scrape_url(url, of).value_or("-"); };
    EXPECT_EQ(at("http://t/announce"), std::string{"http://t/scrape?"} + asks);
    EXPECT_EQ(at("http://t/announce.php?passkey=1"), std::string{"http://t/scrape.php?passkey=1&"} + asks);
    EXPECT_EQ(at("http://announce/x/announce"), std::string{"http://announce/x/scrape?"} + asks);
    EXPECT_EQ(at("http://t/x%064announce"), "-");
    EXPECT_EQ(at("http://t/a"), "-");
    EXPECT_EQ(at("http://announce"), "-");
    EXPECT_EQ(at("http://announce?/announce"), "-");
    EXPECT_EQ(at("http://t/announce/x"), std::string{"http://t/scrape/x?"} + asks);
    for (auto const* elsewhere :
         {"http://t/announce/../admin?reboot=1", "http://t/a/%2E%2e/announce", "http://t/announce\\..\\x",
          "http://t/announce%2f..%2fx"})
        EXPECT_EQ(at(elsewhere), "-") << elsewhere << ": its dots would lead to any page of that host";
    EXPECT_EQ(at(""), "-");
    EXPECT_EQ(at("?"), "-");
}

TEST(scrape, reads_the_numbers_of_its_torrent_and_of_no_other) {
    std::string const others = "20:00000000000000000000d8:completei9ee";
    auto const numbers = std::string{"d8:completei5e10:downloadedi50e10:incompletei10e4:name1:xe"};
    auto const got = read_scrape("d5:filesd" + others + name + numbers + "e5:flagsd3:xxxli1eeee", of);
    ASSERT_TRUE(got.found) << got.failed;
    EXPECT_EQ(*got.found, (counts{5, 10, 50}));
    EXPECT_EQ(read_scrape("d5:filesd" + others + "ee", of).failed, "it does not know this torrent");
    EXPECT_EQ(read_scrape("d14:failure reason4:go\nye", of).failed, "go y");
    EXPECT_EQ(read_scrape("d5:filesd" + std::string{name} + "d8:completei-1eeee", of).found->seeders, 0);
}

TEST(scrape, no_damaged_answer_is_believed) {
    auto const whole =
        "d5:filesd" + std::string{name} + "d8:completei5e10:downloadedi50e10:incompletei10eeee";
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(read_scrape(whole.substr(0, size), of).found) << size;
    EXPECT_FALSE(read_scrape(std::string(100'000, 'l'), of).found);
    EXPECT_FALSE(read_scrape("d" + std::string(100'000, 'd'), of).found);
    EXPECT_FALSE(read_scrape("d99999999999999999999:", of).found);
}

TEST(scrape, says_why_it_cannot_ask) {
    std::atomic<bool> const stop = false;
    auto const why = [&](std::string const& url, way const& by = {}) {
        return scrape(url, of, by, std::chrono::steady_clock::now() + 3s, stop).failed;
    };
    EXPECT_EQ(why("wss://t/announce"), "trackers of this kind cannot be asked");
    EXPECT_EQ(why("http://t/x"), "it has no place to ask at: no \"/announce\" is in its URL (BEP 48)");
    EXPECT_EQ(why("udp://t"), "its URL names no host and port");
    EXPECT_EQ(why("udp://127.0.0.1:9/announce"), "nobody listens there");
    EXPECT_EQ(why("http://127.0.0.1:9/announce"), "it cannot be connected to");
    way by;
    by.proxy.enable_proxy = true;
    EXPECT_EQ(
        why("udp://127.0.0.1:9/announce", by),
        "UDP trackers are not asked where trackers are reached by a proxy");
}

} // namespace
} // namespace ccbt::tracker
