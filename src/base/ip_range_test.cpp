#include "base/ip_range.hpp"

#include <algorithm>
#include <bitset>
#include <chrono>
#include <gtest/gtest.h>
#include <random>

namespace ccbt {
namespace {

std::string address(std::string_view text) {
    auto const a = ip_address::parse(text);
    return a ? a->text() : "none";
}
std::string range(std::string_view text) {
    auto const r = ip_range::parse(text);
    return r ? r->text() : "none";
}
ip_address at(std::string_view text) { return ip_address::parse(text).value(); }

TEST(ip_address, plain_forms_are_read_and_written_in_normal_form) {
    EXPECT_EQ(address("0.0.0.0"), "0.0.0.0");
    EXPECT_EQ(address("255.255.255.255"), "255.255.255.255");
    EXPECT_EQ(address("::"), "::");
    EXPECT_EQ(address("::1"), "::1");
    EXPECT_EQ(address("2001:DB8:0:0:8:800:200C:417A"), "2001:db8::8:800:200c:417a");
    EXPECT_EQ(address("2001:0db8:0000:0000:0000:0000:0000:0001"), "2001:db8::1");
    EXPECT_EQ(address("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1") << "one zero group stays";
    EXPECT_EQ(address("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1") << "the longest run";
    EXPECT_EQ(address("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1") << "the first of equals";
    EXPECT_EQ(address("1:0:0:0:0:0:0:0"), "1::");
    EXPECT_EQ(address("::1:2"), "::1:2");
}

TEST(ip_address, an_ipv4_address_in_ipv6_form_is_the_ipv4_address) {
    EXPECT_EQ(address("::ffff:1.2.3.4"), "1.2.3.4");
    EXPECT_EQ(address("::FFFF:0102:0304"), "1.2.3.4");
    EXPECT_EQ(at("::ffff:1.2.3.4"), ip_address::v4(0x01020304));
    EXPECT_TRUE(at("::ffff:1.2.3.4").is_v4());
    EXPECT_EQ(at("1.2.3.4").number_v4(), 0x01020304U);
}

TEST(ip_address, what_is_not_plain_is_none) {
    for (std::string_view const text :
         {"",
          " 1.2.3.4",
          "1.2.3.4 ",
          "1.2.3",
          "1.2.3.4.5",
          "01.2.3.4",
          "1.2.3.04",
          "1.2.3.256",
          "1.2.3.-4",
          "0x1.2.3.4",
          "1.2.3.4:80",
          "[::1]",
          "[::1]:80",
          "::1%lo",
          "fe80::1%1",
          ":::",
          "1::2::3",
          "12345::",
          "g::",
          "::1 ",
          "1:2:3:4:5:6:7",
          "1:2:3:4:5:6:7:8:9",
          "::1.2.3.256",
          "localhost",
          "1.2.3.4\n",
          "16909060",
          "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"})
        EXPECT_EQ(address(text), "none") << text;
    EXPECT_EQ(address(std::string_view{"1.2.3.4\0", 8}), "none");
    EXPECT_EQ(address(std::string_view{"1.2.3.4\0.5", 10}), "none");
}

TEST(ip_address, all_of_ipv4_comes_before_all_of_ipv6) {
    EXPECT_LT(at("255.255.255.255"), at("::"));
    EXPECT_LT(at("9.0.0.0"), at("10.0.0.0"));
    EXPECT_LT(at("9::"), at("10::"));
}

TEST(ip_range, addresses_blocks_and_ranges_have_one_normal_form) {
    EXPECT_EQ(range("10.0.0.1"), "10.0.0.1");
    EXPECT_EQ(range("10.1.2.3/8"), "10.0.0.0/8") << "host bits are cleared";
    EXPECT_EQ(range("10.1.2.3/32"), "10.1.2.3");
    EXPECT_EQ(range("10.1.2.3/0"), "0.0.0.0/0");
    EXPECT_EQ(range("10.1.2.3/31"), "10.1.2.2/31");
    EXPECT_EQ(range("10.0.0.0-10.255.255.255"), "10.0.0.0/8");
    EXPECT_EQ(range("10.0.0.1-10.0.0.9"), "10.0.0.1-10.0.0.9");
    EXPECT_EQ(range("10.0.0.1-10.0.0.2"), "10.0.0.1-10.0.0.2") << "no block begins there";
    EXPECT_EQ(range("10.0.0.7-10.0.0.7"), "10.0.0.7");
    EXPECT_EQ(range("0.0.0.0-255.255.255.255"), "0.0.0.0/0");
    EXPECT_EQ(range("2001:DB8::5/32"), "2001:db8::/32");
    EXPECT_EQ(range("2001:db8::5/128"), "2001:db8::5");
    EXPECT_EQ(range("::1-::5"), "::1-::5");
    EXPECT_EQ(range("::/0"), "::/0");
}

TEST(ip_range, ipv4_in_ipv6_form_is_ipv4) {
    EXPECT_EQ(range("::ffff:10.1.2.3"), "10.1.2.3");
    EXPECT_EQ(range("::ffff:10.1.2.3/104"), "10.0.0.0/8");
    EXPECT_EQ(range("::ffff:0:0/96"), "0.0.0.0/0");
    EXPECT_EQ(range("::ffff:10.0.0.1-10.0.0.9"), "10.0.0.1-10.0.0.9");
    EXPECT_EQ(range("::ffff:10.1.2.3/95"), "none");
    EXPECT_EQ(range("::ffff:10.1.2.3/129"), "none");
}

TEST(ip_range, what_is_not_plain_is_refused_with_a_reason) {
    for (std::string_view const text :
         {"",
          "/8",
          "-",
          "10.0.0.0/",
          "10.0.0.0/33",
          "10.0.0.0/08",
          "10.0.0.0/+8",
          "10.0.0.0/-1",
          "10.0.0.0/8 ",
          "10.0.0.0 /8",
          "10.0.0.0/255.0.0.0",
          "10.0.0.0/8/8",
          "10.0.0.0/99999999999999999999",
          "::1/129",
          "::/80", // a part of it is IPv4
          "10.0.0.9-10.0.0.1",
          "10.0.0.1 - 10.0.0.9",
          "10.0.0.1-",
          "-10.0.0.1",
          "10.0.0.1-10.0.0.2-10.0.0.3",
          "10.0.0.0-::1",
          "::1-10.0.0.1",
          "10.0.0.0/8-11.0.0.0",
          "fe80::1%lo/64",
          "*.*.*.*",
          "10.0.0.*"}) {
        auto const read = ip_range::parse(text);
        ASSERT_FALSE(read) << text;
        EXPECT_FALSE(read.error().empty());
    }
}

ip_address after(ip_address const& a) {
    if (a.is_v4()) return ip_address::v4(a.number_v4() + 1);
    auto bytes = a.bytes();
    for (auto i = bytes.size(); i-- > 0;)
        if (++bytes[i] != 0) break;
    return ip_address::v6(bytes);
}

// A few addresses of each family, its first and its last among them: what a set says of them is compared with bits.
std::vector<ip_address> small_world() {
    std::vector<ip_address> all;
    auto const run = [&](std::string_view from, int how_many) {
        auto a = at(from);
        for (int i = 0; i < how_many; ++i, a = after(a)) all.push_back(a);
    };
    run("0.0.0.0", 40);
    run("127.255.255.250", 12);
    run("255.255.255.216", 40);
    run("::", 40);
    run("::fffe:ffff:fffa", 6);
    run("7fff:ffff:ffff:ffff:ffff:ffff:ffff:fffa", 12);
    run("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffd8", 40);
    return all;
}

struct ip_range_set_property : testing::Test {
    std::mt19937_64 random{7};
    std::vector<ip_address> const world = small_world();
    using bits = std::bitset<256>;

    std::pair<ip_range_set, bits> some() {
        std::vector<ip_range> ranges;
        bits in;
        auto const how_many = random() % 12;
        while (ranges.size() < how_many) {
            auto a = random() % world.size();
            auto b = std::min(world.size() - 1, a + random() % 8);
            if (random() % 4 == 0) b = random() % world.size();
            if (b < a) std::swap(a, b);
            if (world[a].is_v4() != world[b].is_v4()) continue;
            ranges.push_back({world[a], world[b]});
            for (auto i = a; i <= b; ++i) in.set(i);
        }
        return {ip_range_set{ranges}, in};
    }
    void expect_same(ip_range_set const& set, bits const& wanted) {
        for (std::size_t i = 0; i < world.size(); ++i)
            ASSERT_EQ(set.contains(world[i]), wanted.test(i)) << world[i].text();
        std::size_t v4 = 0;
        for (auto const r : set.ranges()) {
            ASSERT_EQ(r.first.is_v4(), r.last.is_v4());
            ASSERT_LE(r.first, r.last);
            v4 += r.first.is_v4() ? 1 : 0;
        }
        ASSERT_EQ(set.count_v4(), v4);
        ASSERT_EQ(set.count_v6(), set.ranges().size() - v4);
        expect_apart(set.v4());
        expect_apart(set.v6());
    }
    template <class Number> static void expect_apart(std::span<number_range<Number> const> all) {
        for (std::size_t i = 1; i < all.size(); ++i) {
            ASSERT_LT(all[i - 1].last, all[i].first);
            ASSERT_GT(all[i].first - all[i - 1].last, Number{1}) << "they neither overlap nor touch";
        }
    }
};

TEST(ip_range_set, what_ends_beside_ipv4_in_clothes_of_ipv6_is_of_ipv6) {
    ip_range_set const all{{*ip_range::parse("::/0")}}, above{{*ip_range::parse("::1:0:0:0-ffff::")}};
    auto const below = all.without(above);
    ASSERT_EQ(below.ranges().size(), 2U);
    auto const end =
        below.ranges()[0].last; // ::ffff:ffff:ffff, a number of IPv6, though no address of a peer
    EXPECT_FALSE(end.is_v4());
    EXPECT_EQ(end.number_v6(), ipv6_number{0xffffffffffff});
    EXPECT_EQ(below.count_v4(), 0U);
    EXPECT_FALSE(below.contains(at("255.255.255.255")));
    EXPECT_EQ(below.united_with(above), all);
}

TEST_F(ip_range_set_property, sets_are_as_bits_say) {
    for (int round = 0; round < 3000; ++round) {
        auto const [a, in_a] = some();
        auto const [b, in_b] = some();
        expect_same(a, in_a);
        expect_same(a.united_with(b), in_a | in_b);
        expect_same(a.without(b), in_a & ~in_b);
        expect_same(a.complement(), ~in_a);
        EXPECT_EQ(a.complement().complement(), a);
        EXPECT_EQ(a.united_with(b), b.united_with(a));
        EXPECT_EQ(a.without(b), a.complement().united_with(b).complement());
    }
}

TEST(ip_range_set, one_hole_may_cut_two_ranges) {
    ip_range_set const both{{*ip_range::parse("1.0.0.0-1.0.0.9"), *ip_range::parse("1.0.0.20-1.0.0.29")}};
    ip_range_set const hole{{*ip_range::parse("1.0.0.5-1.0.0.24")}};
    auto const left = both.without(hole);
    ASSERT_EQ(left.ranges().size(), 2U);
    EXPECT_EQ(left.ranges()[0].text(), "1.0.0.0-1.0.0.4");
    EXPECT_EQ(left.ranges()[1].text(), "1.0.0.25-1.0.0.29");
}

TEST(ip_range_set, nothing_and_everything_are_each_others_complement) {
    EXPECT_TRUE(ip_range_set{}.empty());
    EXPECT_FALSE(ip_range_set{}.contains(at("1.2.3.4")));
    auto const all = ip_range_set{}.complement();
    ASSERT_EQ(all.ranges().size(), 2U);
    EXPECT_EQ(all.ranges()[0].text(), "0.0.0.0/0");
    EXPECT_EQ(all.ranges()[1].text(), "::/0");
    EXPECT_TRUE(all.complement().empty());
}

TEST(ip_range_set, is_made_of_what_is_a_set_already_and_of_nothing_else) {
    std::vector<v4_range> const good{{1, 5}, {7, 7}, {9, 0xffffffff}};
    std::vector<v6_range> const v6{{0, 1}, {3, ~ipv6_number{0}}};
    auto const made = ip_range_set::of_sorted(good, v6);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->ranges().size(), 5U);
    EXPECT_EQ(made->ranges()[2].text(), "0.0.0.9-255.255.255.255");
    EXPECT_TRUE(made->contains(at("::3")));
    EXPECT_FALSE(made->contains(at("::2")));
    for (auto const& bad : std::vector<std::vector<v4_range>>{
             {{5, 1}},
             {{1, 5}, {6, 7}},
             {{1, 5}, {5, 7}},
             {{7, 7}, {1, 5}},
             {{1, 9}, {2, 3}},
             {{1, 5}, {8, 7}}})
        EXPECT_FALSE(ip_range_set::of_sorted(bad, {}));
    EXPECT_FALSE(ip_range_set::of_sorted({}, {{0, 1}, {2, 3}}));
}

TEST(ip_range_set, two_million_shuffled_ranges_are_merged_in_about_a_second) {
    std::mt19937_64 random{11};
    std::vector<ip_range> ranges;
    for (std::uint32_t i = 0; i < 2'000'000; ++i)
        ranges.push_back({ip_address::v4(i * 2000), ip_address::v4(i * 2000 + 1000)});
    std::shuffle(ranges.begin(), ranges.end(), random);
    auto const began = std::chrono::steady_clock::now();
    ip_range_set const set{ranges};
    auto const took = std::chrono::steady_clock::now() - began;
    EXPECT_EQ(set.count_v4(), 2'000'000U);
    EXPECT_TRUE(set.contains(ip_address::v4(3'999'998'999)));
    EXPECT_FALSE(set.contains(ip_address::v4(3'999'999'001)));
    // Alone on the machine it takes a third of a second; builds and sanitizers stand beside it.
#ifdef __SANITIZE_THREAD__
    constexpr std::chrono::seconds most{60}; // one thread, forty times slower
#else
    constexpr std::chrono::seconds most{5};
#endif
    EXPECT_LT(took, most);
    RecordProperty("milliseconds", static_cast<int>(took / std::chrono::milliseconds{1}));
}

} // namespace
} // namespace ccbt
