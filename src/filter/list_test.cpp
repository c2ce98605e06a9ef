#include "filter/list.hpp"

#include "filter/packed_test.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace ccbt::filter {

namespace {

using namespace testing; // ours
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct filter_list : ::testing::Test {
    folder at;
    progress told;

    expected<list, failure> read(std::string_view bytes, bounds const& within = {}) {
        return read_list(at.write("list", bytes), "called", within, told);
    }
    // What it ends with.
    std::string why(std::string_view bytes, bounds const& within = {}) {
        auto const got = read(bytes, within);
        if (got) return "it was read";
        EXPECT_EQ(got.error().is, trouble::unusable);
        EXPECT_EQ(got.error().file, "called");
        return got.error().why;
    }
};

std::vector<std::string> texts(list const& of) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < of.ranges.size(); ++i) out.push_back(of.ranges[i].text());
    return out;
}

TEST_F(filter_list, one_file_mixes_all_formats_and_what_is_malformed_is_named_by_its_line) {
    auto const got = read("\xef\xbb\xbf# a list\r\n"
                          "name:1.2.3.4-1.2.3.5\r\n"
                          "\r\n"
                          "nonsense\n"
                          "001.002.004.000 - 001.002.004.255 , 000 , name\n"
                          "001.002.005.000 - 001.002.005.255 , 200 , name\n"
                          "10.0.0.0/8\n"
                          "300.0.0.0/8\n"
                          "2001:db8::/32\n"
                          "9.9.9.9");
    ASSERT_TRUE(got);
    EXPECT_THAT(
        texts(*got), ElementsAre("1.2.3.4/31", "1.2.4.0/24", "10.0.0.0/8", "9.9.9.9", "2001:db8::/32"));
    EXPECT_EQ(got->rules, 6) << "the line that blocks nothing is a rule too";
    EXPECT_EQ(got->bad_count, 2);
    EXPECT_THAT(got->bad, ElementsAre(bad_line{"called", 4}, bad_line{"called", 8}));
    EXPECT_GT(told.done, 100);
}

TEST_F(filter_list, the_first_20_malformed_lines_are_told_and_all_are_counted) {
    std::string text = "1.2.3.4\n";
    for (int i = 0; i < 30; ++i) text += "nonsense\n";
    auto const got = read(text);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->bad_count, 30);
    ASSERT_EQ(got->bad.size(), 20U);
    EXPECT_EQ(got->bad.back(), (bad_line{"called", 21}));
}

TEST_F(filter_list, compressed_text_is_told_by_its_content_and_read_as_a_stream) {
    std::string text;
    for (unsigned i = 0; i < 60'000; ++i)
        text += fmt::format("name {}:10.{}.{}.1-10.{}.{}.9\n", i * 7919, i / 256, i % 256, i / 256, i % 256);
    for (auto const& bytes : {text, gz(text), bz2(text), xz(text)}) {
        auto const got = read(bytes);
        ASSERT_TRUE(got);
        EXPECT_EQ(got->rules, 60'000);
        EXPECT_EQ(got->bad_count, 0);
        EXPECT_EQ(got->ranges[got->ranges.size() - 1].text(), "10.234.95.1-10.234.95.9");
    }
}

TEST_F(filter_list, members_that_follow_one_another_are_one_text_with_padding_between) {
    auto const nul = std::string(8, '\0');
    for (auto const pack : {&gz, &bz2}) {
        auto const got = read(pack("1.2.3.4\n1.2.") + pack("3.5\n") + nul + pack("1.2.3.6\n") + nul);
        ASSERT_TRUE(got);
        EXPECT_THAT(texts(*got), ElementsAre("1.2.3.4", "1.2.3.5", "1.2.3.6"));
    }
    auto const got = read(xz("1.2.3.4\n1.2.") + nul + xz("3.5\n"));
    ASSERT_TRUE(got);
    EXPECT_THAT(texts(*got), ElementsAre("1.2.3.4", "1.2.3.5"));
}

TEST_F(filter_list, damaged_and_cut_compressed_data_is_an_error_of_the_file) {
    std::string text;
    for (unsigned i = 0; i < 20'000; ++i) text += fmt::format("{}.{}.{}.1\n", i % 200, i / 200, i * i % 251);
    for (auto const& whole : {gz(text), bz2(text), xz(text)}) {
        SCOPED_TRACE(whole.substr(0, 3));
        EXPECT_THAT(why(whole.substr(0, whole.size() / 2)), HasSubstr("cut"));
        EXPECT_THAT(why(whole.substr(0, whole.size() - 1)), HasSubstr("cut"));
        auto damaged = whole;
        for (std::size_t i = 0; i < 16; ++i) damaged[damaged.size() / 2 + i] ^= '\x55';
        EXPECT_THAT(why(damaged), HasSubstr("damaged"));
        EXPECT_THAT(why(whole + "rubbish behind it"), HasSubstr("damaged"));
    }
    EXPECT_THAT(why("\x1f\x8b"), HasSubstr("cut"));
}

TEST_F(filter_list, text_that_expands_beyond_the_bounds_is_refused_before_it_is_held) {
    std::string const zeros(std::size_t{64} << 20, '0');
    for (auto const& bomb : {gz(zeros), bz2(zeros), xz(zeros)})
        EXPECT_THAT(why(bomb), HasSubstr("expands to more than 200 times"));
    std::string text;
    while (text.size() < 5000) text += "1.2.3.4\n";
    EXPECT_THAT(why(gz(text), {.text = 4096}), HasSubstr("of text"));
    EXPECT_THAT(why(text, {.file = 4096}), HasSubstr("has over"));
    EXPECT_THAT(why(text, {.rules = 100}), HasSubstr("over 100 rules"));
    EXPECT_THAT(why("1.1.1.1\n2.2.2.2", {.rules = 1}), HasSubstr("over 1 rules"));
    EXPECT_TRUE(read("1.1.1.1\n2.2.2.2\n", {.rules = 2}));
}

TEST_F(filter_list, a_line_longer_than_any_is_malformed_and_the_next_is_read) {
    auto const got = read(std::string(std::size_t{3} << 20, 'x') + ":1.2.3.4\n1.2.3.5\n");
    ASSERT_TRUE(got);
    EXPECT_THAT(texts(*got), ElementsAre("1.2.3.5"));
    EXPECT_THAT(got->bad, ElementsAre(bad_line{"called", 1}));
}

TEST_F(filter_list, the_bounds_are_those_of_the_configuration) {
    contract::limit_settings s;
    s.filter_line_bytes = 64;
    s.filter_file_bytes = 1024;
    s.filter_ratio = 100;
    auto const within = bounds_of(s);
    EXPECT_EQ(within.text, std::int64_t{1} << 30);
    EXPECT_EQ(within.ratio, 100);
    auto const got = read(std::string(56, 'x') + ":1.2.3.4\n" + std::string(57, 'x') + ":1.2.3.5\n", within);
    ASSERT_TRUE(got);
    EXPECT_THAT(texts(*got), ElementsAre("1.2.3.4"));
    EXPECT_THAT(got->bad, ElementsAre(bad_line{"called", 2}));
    EXPECT_THAT(why(std::string(1025, '#'), within), HasSubstr("has over"));
}

TEST_F(filter_list, only_a_regular_file_is_opened) {
    auto const missing = read_list(at / "none", "called", {}, told);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().is, trouble::missing);
    ASSERT_EQ(::mkfifo((at / "fifo").c_str(), 0600), 0);
    for (auto const& path : {at / "fifo", at / ".", std::string{"/dev/zero"}}) {
        auto const got = read_list(path, "called", {}, told);
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().is, trouble::unusable);
        EXPECT_EQ(got.error().why, "is not a regular file");
    }
    auto const below_a_file = read_list(at.write("list", "1.2.3.4") + "/below", "called", {}, told);
    ASSERT_FALSE(below_a_file);
    EXPECT_EQ(below_a_file.error().is, trouble::missing);
}

TEST_F(filter_list, an_empty_file_has_no_rule_and_is_no_error_of_reading) {
    auto const got = read("");
    ASSERT_TRUE(got);
    EXPECT_EQ(got->rules, 0);
}

TEST_F(filter_list, reading_ends_when_it_is_told_to) {
    told.stop = true;
    auto const got = read("1.2.3.4\n");
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().is, trouble::stopped);
}

} // namespace

} // namespace ccbt::filter
