#include "wire/json.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <limits>
#include <memory>

namespace {

using ccbt::wire::json_limits;
using ccbt::wire::parse;
using ccbt::wire::to_text;
using ccbt::wire::value;
using ccbt::wire::writer;
using testing::HasSubstr;

std::string why(std::string_view text, json_limits limits = {}) {
    auto const read = parse(text, limits);
    return read ? "read as " + to_text(*read) : read.error();
}

template <class T> T number(std::string_view text) {
    auto const read = parse(text);
    if (!read) {
        ADD_FAILURE() << text << ": " << read.error();
        return {};
    }
    auto const* n = read->get_if<T>();
    if (n == nullptr) {
        ADD_FAILURE() << text << " is another kind of number";
        return {};
    }
    return *n;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

template <class Write> std::string written(Write write) {
    writer out;
    write(out);
    return out.take_text();
}

TEST(json_parser, reads_every_kind_of_value_in_its_order) {
    auto const read = parse(R"( {"b":[true,null,-7,1.5,"x\n\u00e9\ud83d\ude00"],"a":{}} )");
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(to_text(*read), "{\"b\":[true,null,-7,1.5,\"x\\n\xc3\xa9\xf0\x9f\x98\x80\"],\"a\":{}}");
}

TEST(json_parser, takes_32_levels_and_not_33) {
    EXPECT_TRUE(parse(nested(32)));
    EXPECT_EQ(why(nested(33)), "nested too deeply");
    EXPECT_EQ(why(std::string(1'000'000, '[')), "nested too deeply");
    EXPECT_EQ(why(R"({"a":{"b":[1]}})", {.depth = 2}), "nested too deeply");
}

TEST(json_parser, counts_every_value_against_the_limit) {
    EXPECT_TRUE(parse("[1,2,3]", {.elements = 4}));
    EXPECT_EQ(why("[1,2,3]", {.elements = 3}), "too many values");
    EXPECT_EQ(why(R"({"a":{},"b":[]})", {.elements = 2}), "too many values");
    std::string many = "[0";
    for (int i = 0; i < 99'998; ++i) many += ",0";
    EXPECT_TRUE(parse(many + "]"));
    EXPECT_EQ(why(many + ",0]"), "too many values");
}

TEST(json_parser, bounds_strings_and_keys_in_bytes) {
    auto const text = [](std::size_t n) { return '"' + std::string(n, 'x') + '"'; };
    EXPECT_TRUE(parse(text(65536)));
    EXPECT_EQ(why(text(65537)), "a string is too long");
    EXPECT_TRUE(parse("{" + text(65536) + ":1}"));
    EXPECT_EQ(why("{" + text(65537) + ":1}"), "a key is too long");
    EXPECT_EQ(why("\"\xc3\xa9\xc3\xa9\"", {.string_bytes = 3}), "a string is too long");
}

TEST(json_parser, refuses_a_key_that_stands_twice) {
    EXPECT_EQ(why(R"({"a":1,"a":1})"), "the key \"a\" stands twice");
    EXPECT_EQ(why(R"({"a":1,"\u0061":2})"), "the key \"a\" stands twice");
    EXPECT_TRUE(parse(R"([{"a":1},{"a":{"a":2}}])"));
    // Beyond sixteen members another search is used.
    std::string many = "{";
    for (int i = 0; i < 40; ++i) many += "\"k" + std::to_string(i) + "\":0,";
    EXPECT_TRUE(parse(many + "\"k40\":0}"));
    for (auto const* twice : {"k0", "k15", "k16", "k39"})
        EXPECT_EQ(why(many + '"' + twice + "\":0}"), std::string{"the key \""} + twice + "\" stands twice");
}

TEST(json_parser, refuses_what_is_not_utf8) {
    for (std::string_view const bad :
         {"\"\xff\"", "\"\xc3\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "{\"\xff\":1}",
          R"("\ud800")", R"("\udc00\ud800")"})
        EXPECT_THAT(why(bad), HasSubstr("not JSON at byte")) << bad;
}

TEST(json_parser, refuses_what_is_nearly_json) {
    for (std::string_view const bad :
         {"",          " ",       "{",         "[1,]",  "{\"a\":1,}", "{a:1}", "'a'",  "01",  "+1",
          "1.",        ".5",      "-",         "1e",    "0x10",       "tru",   "TRUE", "nul", "\"\n\"",
          "\"\\x41\"", "// c\n1", "1 /* c */", "[1 2]", "{\"a\" 1}",  "{1:2}", "\"abc"})
        EXPECT_THAT(why(bad), HasSubstr("not JSON at byte")) << bad;
}

TEST(json_parser, refuses_nan_and_infinity) {
    for (std::string_view const bad : {"NaN", "nan", "Infinity", "-Infinity", "inf", "[NaN]"})
        EXPECT_THAT(why(bad), HasSubstr("not JSON at byte")) << bad;
    EXPECT_THAT(why("1e309"), testing::Not(HasSubstr("read as")));
    EXPECT_THAT(why("-1e309"), testing::Not(HasSubstr("read as")));
}

TEST(json_parser, refuses_text_behind_the_value) {
    for (std::string_view const bad : {"1 2", "{} {}", "[],", "null x", "{}\xff"})
        EXPECT_THAT(why(bad), HasSubstr("not JSON at byte")) << bad;
    EXPECT_TRUE(parse(" \t\r\n1 \t\r\n"));
    EXPECT_THAT(why(std::string_view{"1\0", 2}), HasSubstr("not JSON at byte"));
    EXPECT_THAT(why(std::string_view{"{}\0{\"a\":1}", 10}), HasSubstr("not JSON at byte"));
    EXPECT_THAT(why(std::string_view{"\"\0\"", 3}), HasSubstr("not JSON at byte"));
    EXPECT_THAT(why("\xef\xbb\xbf{"), HasSubstr("not JSON"));
}

TEST(json_parser, keeps_whole_numbers_whole_to_the_edges) {
    EXPECT_EQ(number<std::int64_t>("0"), 0);
    EXPECT_EQ(number<std::int64_t>("9223372036854775807"), INT64_MAX);
    EXPECT_EQ(number<std::int64_t>("-9223372036854775808"), INT64_MIN);
    EXPECT_EQ(number<std::uint64_t>("9223372036854775808"), 9223372036854775808U);
    EXPECT_EQ(number<std::uint64_t>("18446744073709551615"), UINT64_MAX);
    EXPECT_EQ(number<double>("18446744073709551616"), 18446744073709551616.0);
    EXPECT_EQ(number<double>("-9223372036854775809"), -9223372036854775808.0);
    EXPECT_EQ(number<double>("1.7976931348623157e308"), std::numeric_limits<double>::max());
    EXPECT_EQ(number<double>("5e-324"), std::numeric_limits<double>::denorm_min());
    EXPECT_EQ(number<double>("1.0"), 1.0);
    EXPECT_EQ(number<double>("1E2"), 100.0);
    EXPECT_TRUE(std::signbit(number<double>("-0.0")));
}

TEST(json_value, answers_for_members_that_are_not_there) {
    auto const v = *parse(R"({"t":"x","n":3,"big":18446744073709551615,"d":0.5,"f":true,"l":[1]})");
    EXPECT_EQ(v.text_or("t", "y"), "x");
    EXPECT_EQ(v.text_or("n", "y"), "y");
    EXPECT_EQ(v.text_or("none", "y"), "y");
    EXPECT_EQ(v.number_or("n", 1), 3);
    EXPECT_EQ(v.number_or("big", 1), 18446744073709551615.0);
    EXPECT_EQ(v.number_or("d", 1), 0.5);
    EXPECT_EQ(v.number_or("t", 1), 1);
    EXPECT_TRUE(v.flag_or("f", false));
    EXPECT_TRUE(v.flag_or("none", true));
    EXPECT_EQ(v.list_or_empty("l").size(), 1U);
    EXPECT_TRUE(v.list_or_empty("t").empty());
    EXPECT_EQ(value{3}.find("t"), nullptr);
}

TEST(json_writer, puts_commas_between_and_nowhere_else) {
    EXPECT_EQ(
        written([](writer& w) {
            w.begin_object();
            w.key("a");
            w.begin_array();
            w.integer(std::int64_t{-1});
            w.begin_object();
            w.end_object();
            w.begin_array();
            w.end_array();
            w.null();
            w.end_array();
            w.key("b");
            w.boolean(true);
            w.key("c");
            w.raw("[1, 2]");
            w.end_object();
        }),
        R"({"a":[-1,{},[],null],"b":true,"c":[1, 2]})");
}

TEST(json_writer, escapes_what_json_must_have_escaped) {
    EXPECT_EQ(
        written([](writer& w) {
            w.text(std::string_view{"\"\\/\b\f\n\r\t\0\x1f\x7f", 11});
        }),
        "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0000\\u001f\x7f\"");
    EXPECT_EQ(
        written([](writer& w) { w.text("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"); }),
        "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"");
    EXPECT_EQ(
        written([](writer& w) {
            w.begin_object();
            w.key("a\"b");
            w.null();
            w.end_object();
        }),
        R"({"a\"b":null})");
}

TEST(json_writer, replaces_bytes_that_are_no_utf8) {
    auto const out = written([](writer& w) { w.text("a\xff\xc3z"); });
    EXPECT_EQ(out, "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
    EXPECT_TRUE(parse(out));
}

TEST(json_writer, writes_numbers_that_read_back_the_same) {
    EXPECT_EQ(written([](writer& w) { w.integer(INT64_MIN); }), "-9223372036854775808");
    EXPECT_EQ(written([](writer& w) { w.integer(UINT64_MAX); }), "18446744073709551615");
    for (double const d : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, 123456789.123, -2.5e-7})
        EXPECT_EQ(number<double>(written([&](writer& w) { w.number(d); })), d);
}

TEST(json_writer, shows_a_double_as_a_double) {
    auto const of = [](double d) { return written([&](writer& w) { w.number(d); }); };
    EXPECT_EQ(of(0), "0.0");
    EXPECT_EQ(of(-0.0), "-0.0");
    EXPECT_EQ(of(1), "1.0");
    EXPECT_EQ(of(-64122), "-64122.0");
    EXPECT_EQ(of(0.5), "0.5");
    EXPECT_EQ(of(1e300), "1e+300");
    EXPECT_EQ(of(1767225600), "1767225600.0");
    for (double const d : {1.0, 1e15, 1e16, 1e22, 123456789012345678.0}) {
        auto const text = of(d);
        EXPECT_NE(text.find_first_of(".e"), std::string::npos) << text;
        EXPECT_EQ(number<double>(text), d) << text;
    }
}

TEST(json_writer, shows_what_is_no_number_as_null) {
    EXPECT_EQ(
        written([](writer& w) {
            w.begin_array();
            w.number(std::numeric_limits<double>::quiet_NaN());
            w.number(std::numeric_limits<double>::infinity());
            w.number(-std::numeric_limits<double>::infinity());
            w.end_array();
        }),
        "[null,null,null]");
}

TEST(json_writer, shares_texts_in_their_place_without_copying_them) {
    auto const first = ccbt::shared_text{std::string{R"({"n":1})"}};
    auto const second = ccbt::shared_text{std::string{R"({"n":2})"}};
    writer out;
    out.begin_object();
    out.key("rows");
    out.begin_array();
    out.share(first);
    out.share(second);
    out.integer(std::int64_t{3});
    out.share(first);
    out.end_array();
    out.key("count");
    out.integer(std::int64_t{4});
    out.end_object();
    auto const body = out.take();
    EXPECT_EQ(body.joined(), R"({"rows":[{"n":1},{"n":2},3,{"n":1}],"count":4})");
    EXPECT_EQ(body.size(), body.joined().size());
    EXPECT_EQ(body.text, R"({"rows":[)");
    EXPECT_EQ(std::count(body.pieces.begin(), body.pieces.end(), first), 2);
    EXPECT_EQ(std::count(body.pieces.begin(), body.pieces.end(), second), 1);
}

TEST(json_writer, shares_a_text_as_the_whole_body) {
    writer out;
    out.share(ccbt::shared_text{std::string{"{}"}});
    EXPECT_EQ(out.take().joined(), "{}");
}

TEST(json_writer, begins_anew_after_its_text_was_taken) {
    writer out;
    out.begin_array();
    out.share(ccbt::shared_text{std::string{"1"}});
    out.end_array();
    EXPECT_EQ(out.take_text(), "[1]");
    out.integer(std::int64_t{2});
    auto const next = out.take();
    EXPECT_EQ(next.text, "2");
    EXPECT_TRUE(next.pieces.empty());
}

TEST(json_text, is_compact_or_indented) {
    auto const v = *parse(R"({"a":[1,{"b":[]}],"c":{},"d":1.0,"e":18446744073709551615,"f":"\u0001"})");
    EXPECT_EQ(to_text(v), R"({"a":[1,{"b":[]}],"c":{},"d":1.0,"e":18446744073709551615,"f":"\u0001"})");
    EXPECT_EQ(
        to_text(v, 2),
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {},\n  \"d\": 1.0,\n"
        "  \"e\": 18446744073709551615,\n  \"f\": \"\\u0001\"\n}");
    EXPECT_EQ(*parse(to_text(v, 2)), v);
}

} // namespace
