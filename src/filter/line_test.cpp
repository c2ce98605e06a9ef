#include "filter/line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <string>

namespace ccbt::filter {

namespace {

// "1.2.3.4-1.2.3.9", "nothing", "idle" or "malformed".
std::string says(std::string_view text) {
    auto const read = read_line(text);
    switch (read.means) {
    case meaning::nothing: return "nothing";
    case meaning::idle: return "idle";
    case meaning::malformed: return "malformed";
    case meaning::rule: break;
    }
    return read.range.first.text() + '-' + read.range.last.text();
}

TEST(filter_line, reads_peerguardian_lines) {
    EXPECT_EQ(says("Some Company:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("Some Company:1.2.3.4 - 1.2.3.9\r"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says(":1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("one address: 1.2.3.4"), "1.2.3.4-1.2.3.4");
    EXPECT_EQ(says("a block:10.0.0.0/8"), "10.0.0.0-10.255.255.255");
    EXPECT_EQ(says("six:2001:db8::1-2001:db8::9"), "2001:db8::1-2001:db8::9");
    EXPECT_EQ(says("six:2001:db8::/127"), "2001:db8::-2001:db8::1");
}

TEST(filter_line, a_name_ends_at_the_first_colon_whose_rest_is_an_address_a_range_or_a_block) {
    EXPECT_EQ(says("http://example.org: all of it:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("9.9.9.9:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("Smith, Inc:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("No #1; really // yes:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("dead:beef::1"), "dead:beef::1-dead:beef::1") << "an address first of all";
    EXPECT_EQ(says(std::string(1000, ':') + "1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("2001:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("caf\xe9 m\xfcller \x80\xff:1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9") << "Latin-1";
}

TEST(filter_line, reads_emule_lines_whose_zeros_are_decimal) {
    EXPECT_EQ(says("001.002.003.004 - 001.002.003.009 , 000 , name"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("010.000.000.000-010.255.255.255,100,a, b:9.9.9.9"), "10.0.0.0-10.255.255.255");
    EXPECT_EQ(says("1.2.3.4 - 1.2.3.9 , 127 , name"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("1.2.3.4 - 1.2.3.9 , 0"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("2001:db8::1 - 2001:db8::9 , 000 , six"), "2001:db8::1-2001:db8::9");
}

TEST(filter_line, an_emule_level_of_128_or_more_is_valid_and_blocks_nothing) {
    EXPECT_EQ(says("001.002.003.004 - 001.002.003.009 , 128 , name"), "idle");
    EXPECT_EQ(says("1.2.3.4 - 1.2.3.9 , 255 , friends:1.2.3.4"), "idle");
    EXPECT_EQ(says("1.2.3.4 - 1.2.3.9 , many , name"), "malformed");
    EXPECT_EQ(says("1.2.3.4 - 1.2.3.9 , -1 , name"), "malformed");
    EXPECT_EQ(says("1.2.3.4 - 1.2.3.9 ,, name"), "malformed");
}

TEST(filter_line, reads_bare_ranges_blocks_and_addresses_of_both_families) {
    EXPECT_EQ(says("1.2.3.4-1.2.3.9"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("  1.2.3.4\t-  1.2.3.9  "), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("10.1.2.3/8"), "10.0.0.0-10.255.255.255");
    EXPECT_EQ(says("0.0.0.0/0"), "0.0.0.0-255.255.255.255");
    EXPECT_EQ(says("1.2.3.4/32"), "1.2.3.4-1.2.3.4");
    EXPECT_EQ(says("255.255.255.255"), "255.255.255.255-255.255.255.255");
    EXPECT_EQ(says("2001:db8::/32"), "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
    EXPECT_EQ(says("2001:DB8::1 - 2001:DB8::9"), "2001:db8::1-2001:db8::9");
    EXPECT_EQ(says("::1"), "::1-::1");
    EXPECT_EQ(says("::ffff:1.2.3.4"), "1.2.3.4-1.2.3.4") << "IPv4 in IPv6's clothes";
}

TEST(filter_line, blank_lines_and_comments_say_nothing) {
    for (auto const* text : {"", "\r", " \t ", "# 1.2.3.4", "  #", "; 1.2.3.4", "// 1.2.3.4"})
        EXPECT_EQ(says(text), "nothing") << text;
    EXPECT_EQ(says("1.10.16.0/20 ; SBL256894"), "1.10.16.0-1.10.31.255");
    EXPECT_EQ(says("1.2.3.4 # why"), "1.2.3.4-1.2.3.4");
    EXPECT_EQ(says("1.2.3.4-1.2.3.9\t// why"), "1.2.3.4-1.2.3.9");
    EXPECT_EQ(says("name:1.2.3.4-1.2.3.9 # why"), "1.2.3.4-1.2.3.9");
}

TEST(filter_line, what_is_no_address_is_malformed) {
    for (auto const* text :
         {"name",
          "1.2.3",
          "1.2.3.4.5",
          "1.2.3.256",
          "1.2.3.4-",
          "-1.2.3.4",
          "1.2.3.9-1.2.3.4",
          "1.2.3.4/33",
          "1.2.3.4/",
          "1.2.3.4/08",
          "1.2.3.04",
          "001.002.003.004-001.002.003.009",
          "name:",
          "name:1.2.3",
          "1.2.3.4-2001:db8::1",
          "2001:db8::/129",
          "2001:db8::9-2001:db8::1",
          "fe80::1%eth0",
          "[::1]",
          "1.2.3.4:80",
          "<html>",
          "1.2.3.4 why",
          "1.2.3.4 - 1.2.3.9 - 1.2.3.10",
          "0x7f.0.0.1",
          "1.2.3.4#"})
        EXPECT_EQ(says(text), "malformed") << text;
    using namespace std::string_view_literals;
    EXPECT_EQ(says("1.2.3.4\0"sv), "malformed");
    EXPECT_EQ(says(std::string(1017, 'n') + ":1.2.3.4"), "malformed") << "longer than any line";
    EXPECT_EQ(says(std::string(1016, 'n') + ":1.2.3.4"), "1.2.3.4-1.2.3.4");
}

TEST(filter_line, any_bytes_are_judged_and_a_rule_is_a_range_of_one_family) {
    std::mt19937 random{7};
    constexpr std::string_view likely = "0123456789....::-/ ,#;abcdefg\t\r\0\xff";
    int rules = 0;
    for (int i = 0; i < 300'000; ++i) {
        std::string text;
        if (i % 2 == 0) text = i % 4 == 0 ? "1.2.3.4-1.2.3.9" : "n:2001:db8::/32 , 000 , x";
        for (auto edits = random() % 12; edits > 0; --edits)
            text.insert(random() % (text.size() + 1), 1, likely[random() % likely.size()]);
        auto const read = read_line(text);
        if (read.means != meaning::rule) continue;
        ++rules;
        ASSERT_EQ(read.range.first.is_v4(), read.range.last.is_v4()) << text;
        ASSERT_LE(read.range.first, read.range.last) << text;
    }
    EXPECT_GT(rules, 1000);
}

} // namespace

} // namespace ccbt::filter
