#include "base/text.hpp"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

namespace ccbt::text {
namespace {

using testing::ElementsAre;

std::vector<std::uint8_t> bytes_of(std::string_view s) { return {s.begin(), s.end()}; }

TEST(hex, is_written_in_lower_case_and_read_in_either) {
    EXPECT_EQ(to_hex(std::array<std::uint8_t, 5>{0x00, 0x0f, 0xa0, 0xff, 0x7e}), "000fa0ff7e");
    EXPECT_EQ(to_hex({}), "");
    EXPECT_THAT(from_hex("000fA0Ff7e").value(), ElementsAre(0x00, 0x0f, 0xa0, 0xff, 0x7e));
    EXPECT_TRUE(from_hex("").value().empty());
}

TEST(hex, that_is_odd_or_holds_anything_else_is_nothing) {
    for (auto const* bad : {"0", "000", "0g", "g0", " 00", "00 ", "0x00", "0\xc3", "@@", "``", "GG"})
        EXPECT_FALSE(from_hex(bad)) << bad;
}

TEST(base64, writes_and_reads_the_vectors_of_rfc_4648) {
    for (auto const& [plain, coded] : std::vector<std::pair<std::string, std::string>>{
             {"", ""},
             {"f", "Zg=="},
             {"fo", "Zm8="},
             {"foo", "Zm9v"},
             {"foob", "Zm9vYg=="},
             {"fooba", "Zm9vYmE="},
             {"foobar", "Zm9vYmFy"}}) {
        EXPECT_EQ(to_base64(bytes_of(plain)), coded);
        EXPECT_EQ(from_base64(coded), plain);
    }
}

TEST(base64, brings_back_every_byte) {
    std::vector<std::uint8_t> all(256);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
    EXPECT_EQ(from_base64(to_base64(all)), std::string(all.begin(), all.end()));
}

TEST(base64, takes_both_alphabets_and_lacking_padding) {
    EXPECT_EQ(from_base64("+/+/"), "\xfb\xff\xbf");
    EXPECT_EQ(from_base64("-_-_"), "\xfb\xff\xbf");
    EXPECT_EQ(from_base64("Zg"), "f");
    EXPECT_EQ(from_base64("Zm8"), "fo");
}

TEST(base64, that_is_cut_padded_wrongly_or_holds_anything_else_is_nothing) {
    for (auto const* bad :
         {"Z", "Zm9vY", "=", "==", "====", "Zg=", "Zg===", "Z===", "=Zg=", "Zm=v", "Zm9v=", "Zm9v\n", " Zm9v",
          "Zm 9v", "Zm9*", "Zm9v\xc3\xa9"})
        EXPECT_FALSE(from_base64(bad)) << bad;
}

TEST(base64, whose_last_digit_carries_bits_of_no_byte_is_nothing) {
    for (auto const* bad : {"Zh==", "Zm9=", "Zh", "Zm9"}) EXPECT_FALSE(from_base64(bad)) << bad;
}

TEST(percent, decodes_what_is_encoded_and_nothing_else) {
    EXPECT_EQ(percent_decode("10.0.0.0%2F8"), "10.0.0.0/8");
    EXPECT_EQ(percent_decode("%2f%2F%00"), std::string("//\0", 3));
    EXPECT_EQ(percent_decode("a+b%20c"), "a+b c");
    EXPECT_EQ(percent_decode("a+b%2Bc", true), "a b+c");
    EXPECT_EQ(percent_decode(""), "");
    EXPECT_EQ(percent_decode("%25zz"), "%zz"); // once, not twice
    for (auto const* bad : {"%", "%2", "a%", "a%2", "%zz", "%2g", "%%20", "% 20"})
        EXPECT_FALSE(percent_decode(bad)) << bad;
}

TEST(percent, encodes_all_but_the_unreserved) {
    EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encode(" /+%\xc3\xa9"), "%20%2F%2B%25%C3%A9");
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    EXPECT_EQ(percent_decode(percent_encode(all)), all);
}

TEST(ascii, is_lowered_and_compared_without_touching_other_bytes) {
    EXPECT_EQ(lower("AZaz09[@`{\xc3\x89"), "azaz09[@`{\xc3\x89");
    EXPECT_TRUE(equal_ignoring_case("HoSt", "hOsT"));
    EXPECT_FALSE(equal_ignoring_case("host", "hosts"));
    EXPECT_FALSE(equal_ignoring_case("[", "{"));
    EXPECT_FALSE(equal_ignoring_case("@", "`"));
}

TEST(trim, takes_blanks_off_both_ends_alone) {
    EXPECT_EQ(trim(" \t\r\n a b \n"), "a b");
    EXPECT_EQ(trim("a"), "a");
    EXPECT_EQ(trim(" \n"), "");
    EXPECT_EQ(trim(""), "");
    EXPECT_EQ(trim("\va"), "\va");
}

TEST(split, keeps_empty_pieces) {
    EXPECT_THAT(split("", ','), ElementsAre(""));
    EXPECT_THAT(split("a", ','), ElementsAre("a"));
    EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
    EXPECT_THAT(split(",", ','), ElementsAre("", ""));
}

TEST(nearest, finds_what_a_hand_most_likely_meant) {
    std::array<std::string_view, 4> const names{"global_down_kib", "global_up_kib", "log_level", "ipc_port"};
    EXPECT_EQ(nearest("global_dwn_kib", names), "global_down_kib");
    EXPECT_EQ(nearest("GLOBAL_UP_KIB", names), "global_up_kib");
    EXPECT_EQ(nearest("loglevel", names), "log_level");
    EXPECT_EQ(nearest("icp_port", names), "ipc_port");
    EXPECT_EQ(nearest("port", names), "");
    EXPECT_EQ(nearest("something", names), "");
    EXPECT_EQ(nearest("", names), "");
    EXPECT_EQ(nearest("x", {}), "");
    // NOLINTNEXTLINE(bugprone-string-constructor): as long as it is meant to be
    EXPECT_EQ(nearest(std::string(10'000'000, 'a'), names), "");
}

TEST(nearest, is_never_a_word_that_shares_nothing) {
    std::array<std::string_view, 2> const names{"ls", "a"};
    EXPECT_EQ(nearest("la", names), "ls");
    EXPECT_EQ(nearest("xy", names), "");
    EXPECT_EQ(nearest("z", names), "");
}

TEST(utf8, that_is_well_formed_stays_as_it_is) {
    for (auto const* good :
         {"", "plain", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
          "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(is_valid_utf8(good)) << to_hex(bytes_of(good));
        EXPECT_EQ(to_valid_utf8(good), good);
    }
}

TEST(utf8, that_is_cut_overlong_a_surrogate_or_beyond_unicode_is_not_valid) {
    for (auto const* bad :
         {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x80\x80", "\xe0\x9f\xbf",
          "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98",
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe"}) {
        EXPECT_FALSE(is_valid_utf8(bad)) << to_hex(bytes_of(bad));
        EXPECT_TRUE(is_valid_utf8(to_valid_utf8(bad)));
    }
    EXPECT_EQ(
        to_valid_utf8("a\xff"
                      "b\xc3"),
        "a\xef\xbf\xbd"
        "b\xef\xbf\xbd");
    EXPECT_EQ(to_valid_utf8("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(human_bytes, has_one_decimal_above_bytes) {
    EXPECT_EQ(human_bytes(0), "0 B");
    EXPECT_EQ(human_bytes(1023), "1023 B");
    EXPECT_EQ(human_bytes(1024), "1.0 KiB");
    EXPECT_EQ(human_bytes(1536), "1.5 KiB");
    EXPECT_EQ(human_bytes(1023.96 * 1024), "1.0 MiB");
    EXPECT_EQ(human_bytes(1.5 * 1024 * 1024), "1.5 MiB");
    EXPECT_EQ(human_bytes(1024.0 * 1024 * 1024 * 1024), "1.0 TiB");
    EXPECT_EQ(human_bytes(9.3e18), "8.1 EiB");
    EXPECT_EQ(human_bytes(1e40).ends_with(" EiB"), true);
    EXPECT_EQ(human_bytes(1023.6), "1.0 KiB"); // never "1024 B"
}

TEST(human_duration, changes_its_units_where_the_rounded_value_does) {
    EXPECT_EQ(human_duration(0), "0 s");
    EXPECT_EQ(human_duration(14.4), "14 s");
    EXPECT_EQ(human_duration(59.6), "1 min 00 s");
    EXPECT_EQ(human_duration(65), "1 min 05 s");
    EXPECT_EQ(human_duration(3599.9), "1 h 00 min");
    EXPECT_EQ(human_duration(2 * 3600 + 5 * 60), "2 h 05 min");
    EXPECT_EQ(human_duration(86400 * 3 + 3600), "3 d 01 h");
}

TEST(human_duration, of_what_cannot_be_told_is_unknown) {
    EXPECT_EQ(human_duration(-1), "unknown");
    EXPECT_EQ(human_duration(std::numeric_limits<double>::quiet_NaN()), "unknown");
    EXPECT_EQ(human_duration(std::numeric_limits<double>::infinity()), "unknown");
    EXPECT_EQ(human_duration(1e12), "unknown");
}

} // namespace
} // namespace ccbt::text
