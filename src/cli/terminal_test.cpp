#include "cli/table.hpp"
#include "cli/terminal.hpp"

#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::cli {
namespace {

using ::testing::ElementsAre;

TEST(printable, nothing_in_it_drives_a_terminal) {
    EXPECT_EQ(printable("a\x1b[31mb\r\n\tc\x7f"), "a\\u001b[31mb\\u000d\\u000a\\u0009c\\u007f");
    EXPECT_EQ(
        printable("x\xc2\x9b"
                  "2J"),
        "x\\u009b2J"); // C1
    EXPECT_EQ(
        printable("gpj.\xe2\x80\xae"
                  "exe"),
        "gpj.\\u202eexe"); // right-to-left override
    EXPECT_EQ(printable("naïve 名前"), "naïve 名前");
    EXPECT_EQ(printable("bad\xff"), "bad\xef\xbf\xbd");
    EXPECT_EQ(printable("{\n\"a\"\x1b}", true), "{\n\"a\"\\u001b}");
}

TEST(columns, wide_characters_take_two_and_combining_ones_none) {
    EXPECT_EQ(columns("abc"), 3U);
    EXPECT_EQ(columns("名前"), 4U);
    EXPECT_EQ(columns("e\xcc\x81"), 1U);
    EXPECT_EQ(columns(""), 0U);
}

TEST(cut_to, never_cuts_within_a_code_point) {
    std::string_view const name = "aé名😀z";
    for (std::size_t width = 0; width <= 8; ++width) {
        auto const cut = cut_to(name, width);
        EXPECT_LE(columns(cut), width);
        EXPECT_TRUE(text::is_valid_utf8(cut)) << width;
    }
    EXPECT_EQ(cut_to(name, 7), name);
    EXPECT_EQ(cut_to(name, 4), "aé…");
    EXPECT_EQ(cut_to(name, 5), "aé名…");
}

TEST(lay_out, columns_line_up_and_numbers_stand_to_the_right) {
    EXPECT_THAT(
        lay_out({{"NAME"}, {"N", true}}, {{{"a"}, {"100"}}, {{"long"}, {"7"}}}, 0, false),
        ElementsAre("NAME    N", "a     100", "long    7"));
}

TEST(lay_out, the_name_gives_way_then_the_last_columns_go) {
    std::vector<column> const shape{{"ID"}, {"NAME", false, true}, {"SIZE", true}, {"ETA", true}};
    std::vector<std::vector<cell>> const rows{
        {{"01"}, {"a very long name of a torrent"}, {"1.0 GiB"}, {"5 min"}}};
    for (std::size_t width = 2; width < 60; ++width)
        for (auto const& line : lay_out(shape, rows, width, false)) EXPECT_LE(columns(line), width) << line;
    EXPECT_EQ(lay_out(shape, rows, 30, false)[1], "01  a very lo…  1.0 GiB  5 min");
    EXPECT_EQ(lay_out(shape, rows, 24, false)[1], "01  a very lon…  1.0 GiB");
    EXPECT_EQ(lay_out(shape, rows, 0, false)[1], "01  a very long name of a torrent  1.0 GiB  5 min");
}

TEST(lay_out, colour_only_where_it_is_wanted) {
    EXPECT_EQ(lay_out({{"S"}}, {{{"error", tint::red}}}, 0, true)[1], "\x1b[31merror\x1b[0m");
    EXPECT_EQ(lay_out({{"S"}}, {{{"error", tint::red}}}, 0, false)[1], "error");
}

} // namespace
} // namespace ccbt::cli
