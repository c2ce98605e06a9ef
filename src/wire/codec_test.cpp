#include "wire/codec.hpp"

#include <gmock/gmock.h>
#include <limits>

namespace ccbt::wire {

enum class colour : std::uint8_t { red, green };
enum class shade : std::uint8_t { light, dark };

} // namespace ccbt::wire

namespace ccbt::contract {
template <> inline constexpr auto names_of<ccbt::wire::colour> = std::array{
    std::pair{ccbt::wire::colour::red, std::string_view{"red"}},
    std::pair{ccbt::wire::colour::green, std::string_view{"green"}}};
template <> inline constexpr auto names_of<ccbt::wire::shade> = std::array{
    std::pair{ccbt::wire::shade::light, std::string_view{"light"}},
    std::pair{ccbt::wire::shade::dark, std::string_view{"dark"}}};
template <> inline constexpr bool ignores_case<ccbt::wire::shade> = true;
} // namespace ccbt::contract

namespace ccbt::wire {

using contract::described_as;
using contract::field;

struct leaf {
    std::int64_t count = 7;
    std::string name;
    static constexpr auto fields = described_as{
        field<&leaf::count>{"How many", {.min = -2, .max = 5}},
        field<&leaf::name>{"Its name", {.required = true, .max_length = 4}}};
};

struct tree {
    bool on = false;
    std::int64_t whole = 0;
    double fraction = 0;
    std::string text;
    colour hue = colour::red;
    shade tone = shade::light;
    contract::info_hash hash;
    std::optional<std::string> maybe = "kept";
    std::vector<leaf> leaves;
    leaf one;
    contract::json_text any;
    std::string elsewhere = "not from the body";
    std::string renamed;
    static constexpr auto fields = described_as{
        field<&tree::on>{"A flag"},
        field<&tree::whole>{"A whole number"},
        field<&tree::fraction>{"A number", {.min = 0, .max = 1}},
        field<&tree::text>{"A text"},
        field<&tree::hue>{"A choice"},
        field<&tree::tone>{"A choice in any letter case"},
        field<&tree::hash>{"A hash"},
        field<&tree::maybe>{"Perhaps a text", {.max_length = 8}},
        field<&tree::leaves>{"Objects", {.max_items = 3}},
        field<&tree::one>{"An object"},
        field<&tree::any>{"Any JSON"},
        field<&tree::elsewhere>{"In the query", {.in = place::query}},
        field<&tree::renamed>{"Another name on the wire", {.wire = "Re-Named"}}};
};

struct sparse {
    std::optional<std::int64_t> a;
    std::optional<std::int64_t> b;
    std::int64_t c = 0;
    static constexpr bool omit_absent = true;
    static constexpr auto fields =
        described_as{field<&sparse::a>{"a"}, field<&sparse::b>{"b"}, field<&sparse::c>{"c"}};
};

struct hidden {
    std::string key;
    std::string empty;
    static constexpr auto fields = described_as{
        field<&hidden::key>{"A secret", {.secret = true}}, field<&hidden::empty>{"None", {.secret = true}}};
};

struct small {
    std::uint8_t byte = 0;
    std::int32_t word = 0;
    std::uint64_t large = 0;
    static constexpr auto fields =
        described_as{field<&small::byte>{"8 bits"}, field<&small::word>{"32"}, field<&small::large>{"64"}};
};

struct must {
    std::optional<std::string> maybe;
    std::string text;
    static constexpr auto fields = described_as{
        field<&must::maybe>{"Required, may be null", {.required = true}},
        field<&must::text>{"Required", {.required = true}}};
};

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view v1 = "0123456789abcdef0123456789abcdef01234567";
constexpr std::string_view v2 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

// What is wrong, "field message" each.
template <class T> std::vector<std::string> wrongs(std::string_view json, T& into) {
    auto const read = parse(json);
    if (!read) return {"not JSON: " + read.error()};
    problems wrong;
    decode(*read, into, "", {}, wrong);
    std::vector<std::string> out;
    for (auto const& p : wrong.list) out.push_back(p.field + ' ' + p.message);
    return out;
}
std::vector<std::string> wrongs(std::string_view json) {
    tree t;
    return wrongs(json, t);
}

template <class T> std::string wrong_text(std::string_view text, T& into, rules rule = {}) {
    problems wrong;
    decode_text(text, into, "x", rule, wrong);
    return wrong.none() ? std::string{} : wrong.list.front().message;
}

TEST(codec, reads_every_kind) {
    tree t;
    EXPECT_THAT(
        wrongs(
            R"({"on":true,"whole":-3,"fraction":0.25,"text":"x","hue":"green","tone":"dark",
                          "hash":"0123456789ABCDEF0123456789abcdef01234567","maybe":"y",
                          "leaves":[{"count":1,"name":"a"},{"name":"b"}],"one":{"name":"c"},
                          "any":{"k":[1,2.0]},
                          "Re-Named":"z"})",
            t),
        ElementsAre());
    EXPECT_TRUE(t.on);
    EXPECT_EQ(t.whole, -3);
    EXPECT_EQ(t.fraction, 0.25);
    EXPECT_EQ(t.text, "x");
    EXPECT_EQ(t.hue, colour::green);
    EXPECT_EQ(t.tone, shade::dark);
    EXPECT_EQ(t.hash.hex(), v1);
    EXPECT_EQ(t.maybe, "y");
    ASSERT_EQ(t.leaves.size(), 2U);
    EXPECT_EQ(t.leaves[0].count, 1);
    EXPECT_EQ(t.leaves[1].count, 7);
    EXPECT_EQ(t.one.name, "c");
    EXPECT_EQ(t.any.text, R"({"k":[1,2.0]})");
    EXPECT_EQ(t.renamed, "z");
}

TEST(codec, writes_every_kind_in_the_order_of_the_description) {
    tree t;
    t.hash = *contract::info_hash::parse("ABCDEF0123456789ABCDEF0123456789ABCDEF01");
    t.maybe.reset();
    t.leaves.push_back({.count = 1, .name = "a"});
    t.any.text = "[1]";
    EXPECT_EQ(
        to_json(t), R"({"on":false,"whole":0,"fraction":0.0,"text":"","hue":"red","tone":"light",)"
                    R"("hash":"abcdef0123456789abcdef0123456789abcdef01","maybe":null,)"
                    R"("leaves":[{"count":1,"name":"a"}],"one":{"count":7,"name":""},"any":[1],)"
                    R"("elsewhere":"not from the body","Re-Named":""})");
}

TEST(codec, what_was_written_reads_back_the_same) {
    tree t;
    t.hash = *contract::info_hash::parse(v2);
    t.one.count = 2;
    t.one.name = "n";
    t.text = "\"\\\n\xc3\xa9";
    auto const again = from_json<tree>(to_json(t));
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(to_json(*again), to_json(t));
}

TEST(codec, names_every_problem_at_once_and_in_order) {
    EXPECT_THAT(
        wrongs(R"({"on":1,"whole":"x","fraction":2,"text":[],"hue":"blue","hash":"abc","maybe":"far too long",
                          "leaves":[{"name":"ok"},{"count":6},{"count":-3,"name":"longer"}],"one":5})"),
        ElementsAre(
            "on must be true or false, is a number", "whole must be a whole number, is a string",
            "fraction must be between 0 and 1", "text must be a string, is a list",
            "hue must be one of red, green", "hash must be an info-hash: 40 hex digits (v1) or 64 (v2)",
            "maybe must have at most 8 bytes", "leaves[1].count must be between -2 and 5",
            "leaves[1].name is required", "leaves[2].count must be between -2 and 5",
            "leaves[2].name must have at most 4 bytes", "one must be an object, is a number"));
}

TEST(codec, problems_become_one_failure_with_the_first_field) {
    problems wrong;
    wrong.add("a.b", "is required");
    wrong.add("c", "must be a string, is null");
    auto const failure = wrong.as_failure();
    EXPECT_EQ(failure.code, contract::errc::validation_error);
    EXPECT_EQ(failure.message, "a.b is required (and 1 more)");
    ASSERT_EQ(failure.details.size(), 2U);
    EXPECT_EQ(failure.details[0].name, "field");
    EXPECT_EQ(std::get<std::string>(failure.details[0].value), "a.b");
    EXPECT_EQ(failure.details[1].name, "problems");
    EXPECT_EQ(std::get<std::vector<contract::problem>>(failure.details[1].value).size(), 2U);
}

TEST(codec, a_bad_hash_decides_the_code_where_it_is_the_first_problem) {
    problems first;
    contract::info_hash h;
    decode_text("xyz", h, "info_hash", {}, first);
    first.add("other", "is required");
    EXPECT_EQ(first.as_failure().code, contract::errc::invalid_info_hash);
    problems second;
    second.add("other", "is required");
    decode_text("xyz", h, "info_hash", {}, second);
    EXPECT_EQ(second.as_failure().code, contract::errc::validation_error);
}

TEST(codec, null_stands_for_what_may_be_left_out) {
    tree t;
    EXPECT_THAT(
        wrongs(R"({"on":null,"whole":null,"hue":null,"maybe":null,"leaves":null,"one":null})", t),
        ElementsAre());
    EXPECT_EQ(t.maybe, "kept");
    EXPECT_EQ(t.one.count, 7);
}

TEST(codec, null_is_a_value_where_any_json_is_taken) {
    tree t;
    t.any.text = "1";
    EXPECT_THAT(wrongs(R"({"any":null})", t), ElementsAre());
    EXPECT_EQ(t.any.text, "null");
}

TEST(codec, a_required_field_must_be_there_and_null_only_where_it_may_be) {
    must m;
    EXPECT_THAT(wrongs("{}", m), ElementsAre("maybe is required", "text is required"));
    EXPECT_THAT(wrongs(R"({"maybe":null,"text":null})", m), ElementsAre("text must be a string, is null"));
    EXPECT_THAT(wrongs(R"({"maybe":null,"text":""})", m), ElementsAre());
}

TEST(codec, fields_that_are_unknown_or_stand_elsewhere_are_ignored) {
    tree t;
    EXPECT_THAT(wrongs(R"({"surprise":[{"a":1}],"renamed":5,"elsewhere":7,"on":true})", t), ElementsAre());
    EXPECT_TRUE(t.on);
    EXPECT_EQ(t.elsewhere, "not from the body");
    EXPECT_EQ(t.renamed, "");
}

TEST(codec, a_body_that_is_no_object_is_told_so) {
    EXPECT_THAT(wrongs("[]"), ElementsAre(" must be an object, is a list"));
    EXPECT_THAT(wrongs("null"), ElementsAre(" must be an object, is null"));
}

TEST(codec, a_range_holds_at_both_ends) {
    auto const of = [](int count) {
        return wrongs(R"({"one":{"name":"n","count":)" + std::to_string(count) + "}}");
    };
    EXPECT_THAT(of(-3), ElementsAre("one.count must be between -2 and 5"));
    EXPECT_THAT(of(-2), ElementsAre());
    EXPECT_THAT(of(5), ElementsAre());
    EXPECT_THAT(of(6), ElementsAre("one.count must be between -2 and 5"));
    EXPECT_THAT(wrongs(R"({"fraction":1.0000001})"), ElementsAre("fraction must be between 0 and 1"));
    EXPECT_THAT(wrongs(R"({"fraction":-1e-9})"), ElementsAre("fraction must be between 0 and 1"));
    EXPECT_THAT(wrongs(R"({"fraction":1})"), ElementsAre());
}

TEST(codec, a_whole_number_may_be_written_with_a_point_and_not_with_a_fraction) {
    tree t;
    EXPECT_THAT(wrongs(R"({"whole":4.0})", t), ElementsAre());
    EXPECT_EQ(t.whole, 4);
    EXPECT_THAT(wrongs(R"({"whole":1e3})", t), ElementsAre());
    EXPECT_EQ(t.whole, 1000);
    EXPECT_THAT(wrongs(R"({"whole":4.5})"), ElementsAre("whole must be a whole number, is a number"));
    EXPECT_THAT(wrongs(R"({"whole":1e300})"), ElementsAre("whole is out of range"));
    EXPECT_THAT(wrongs(R"({"whole":18446744073709551615})"), ElementsAre("whole is out of range"));
    EXPECT_THAT(
        wrongs(R"({"one":{"name":"n","count":1e300}})"), ElementsAre("one.count must be between -2 and 5"));
    EXPECT_THAT(
        wrongs(R"({"one":{"name":"n","count":-1e300}})"), ElementsAre("one.count must be between -2 and 5"));
}

TEST(codec, numbers_keep_within_their_own_type) {
    small s;
    EXPECT_THAT(wrongs(R"({"byte":255,"word":2147483647,"large":9223372036854775807})", s), ElementsAre());
    EXPECT_EQ(s.byte, 255);
    EXPECT_EQ(s.word, 2147483647);
    EXPECT_EQ(s.large, 9223372036854775807U);
    EXPECT_THAT(
        wrongs(R"({"byte":256,"word":-2147483649,"large":-1})", s),
        ElementsAre("byte is out of range", "word is out of range", "large is out of range"));
    EXPECT_EQ(s.byte, 255);
    EXPECT_THAT(wrongs(R"({"large":18446744073709551615})", s), ElementsAre());
    EXPECT_EQ(s.large, UINT64_MAX);
}

struct from_nothing {
    std::int64_t n = 7;
    std::vector<std::int64_t> list;
    static constexpr auto fields = described_as{
        field<&from_nothing::n>{"Bounded on one side", {.min = 0}}, field<&from_nothing::list>{"Numbers"}};
};

TEST(codec, a_number_beyond_its_type_is_wrong_also_where_the_rule_has_one_bound) {
    for (auto const* beyond : {"18446744073709551615", "1e16", "1e300", "-1", "-1e300"})
        EXPECT_FALSE(from_json<from_nothing>(std::string{"{\"n\":"} + beyond + '}')) << beyond;
    EXPECT_EQ(from_json<from_nothing>(R"({"n":9007199254740993})")->n, 9007199254740993);
}

TEST(codec, what_is_told_of_a_body_stays_small_however_much_is_wrong) {
    std::string body = R"({"list":["x")";
    for (int i = 0; i < 10'000; ++i) body += R"(,"x")";
    problems wrong;
    from_nothing made;
    decode(*parse(body + "]}"), made, "", {}, wrong);
    EXPECT_EQ(wrong.list.size(), 50U);
    EXPECT_EQ(wrong.list.back().field, "list[49]");
}

TEST(codec, a_choice_keeps_its_letter_case_unless_any_is_taken) {
    tree t;
    EXPECT_THAT(wrongs(R"({"tone":"DaRK"})", t), ElementsAre());
    EXPECT_EQ(t.tone, shade::dark);
    EXPECT_THAT(wrongs(R"({"hue":"Green"})"), ElementsAre("hue must be one of red, green"));
    EXPECT_THAT(wrongs(R"({"hue":""})"), ElementsAre("hue must be one of red, green"));
    EXPECT_THAT(wrongs(R"({"tone":1})"), ElementsAre("tone must be a string, is a number"));
}

TEST(codec, a_hash_has_40_or_64_digits_in_either_case) {
    auto const of = [](std::string hash) {
        tree t;
        auto const bad = wrongs(R"({"hash":")" + hash + "\"}", t);
        return bad.empty() ? t.hash.hex() : "refused";
    };
    EXPECT_EQ(of(std::string{v1}), v1);
    EXPECT_EQ(of("0123456789ABCDEF0123456789ABCDEF01234567"), v1);
    EXPECT_EQ(of(std::string{v2}), v2);
    EXPECT_EQ(of(std::string{v1.substr(1)}), "refused");
    EXPECT_EQ(of(std::string{v1} + "0"), "refused");
    EXPECT_EQ(of(std::string{v2.substr(1)}), "refused");
    EXPECT_EQ(of(std::string{v2} + "0"), "refused");
    EXPECT_EQ(of("g123456789abcdef0123456789abcdef01234567"), "refused");
    EXPECT_EQ(of(""), "refused");
}

TEST(codec, a_list_is_bounded) {
    EXPECT_THAT(wrongs(R"({"leaves":[{"name":"a"},{"name":"b"},{"name":"c"}]})"), ElementsAre());
    EXPECT_THAT(wrongs(R"({"leaves":[{},{},{},{}]})"), ElementsAre("leaves must have at most 3 items"));
    EXPECT_THAT(wrongs(R"({"leaves":{}})"), ElementsAre("leaves must be a list, is an object"));
    EXPECT_THAT(wrongs(R"({"leaves":[null]})"), ElementsAre("leaves[0] must be an object, is null"));
}

TEST(codec, a_length_is_counted_in_bytes) {
    EXPECT_THAT(wrongs("{\"maybe\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}"), ElementsAre());
    EXPECT_THAT(
        wrongs("{\"maybe\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9x\"}"),
        ElementsAre("maybe must have at most 8 bytes"));
}

TEST(codec, a_value_that_is_wrong_leaves_what_was_there) {
    tree t;
    t.whole = 9;
    EXPECT_THAT(wrongs(R"({"whole":"x","maybe":"far too long"})", t), testing::SizeIs(2));
    EXPECT_EQ(t.whole, 9);
    EXPECT_EQ(t.maybe, "kept");
}

TEST(codec, absent_members_are_left_out_where_a_struct_says_so) {
    EXPECT_EQ(to_json(sparse{}), R"({"c":0})");
    EXPECT_EQ(to_json(sparse{.a = {}, .b = 2, .c = 3}), R"({"b":2,"c":3})");
}

TEST(codec, a_secret_is_never_shown) {
    EXPECT_EQ(to_json(hidden{.key = "hunter2", .empty = ""}), R"({"key":"***","empty":""})");
}

TEST(codec, a_prepared_value_is_rendered_once_and_shared) {
    contract::prepared<leaf> const row{leaf{.count = 1, .name = "a"}};
    writer out;
    out.begin_array();
    encode(out, row);
    encode(out, row);
    out.end_array();
    auto const body = out.take();
    EXPECT_EQ(body.joined(), R"([{"count":1,"name":"a"},{"count":1,"name":"a"}])");
    EXPECT_EQ(
        std::count_if(
            body.pieces.begin(), body.pieces.end(), [&](auto const& piece) { return piece == row.text(); }),
        2);
    EXPECT_EQ(row.text().view(), R"({"count":1,"name":"a"})");
}

TEST(codec, one_that_stands_for_several_is_written_as_all_of_them_and_rendered_once) {
    contract::prepared<leaf> const first{leaf{.count = 1, .name = "a"}},
        second{leaf{.count = 2, .name = "b"}}, third{leaf{.count = 3, .name = "c"}};
    auto const both = contract::prepared<leaf>::standing_for({first, second});
    std::vector<contract::prepared<leaf>> const list{both, third}, plain{first, second, third};
    EXPECT_EQ(to_json(list), to_json(plain));
    auto const text = both.text();
    EXPECT_TRUE(text);
    EXPECT_EQ(to_json(list), to_json(plain));
    EXPECT_EQ(both.text(), text) << "not made again";
    EXPECT_EQ(second.text(), text.part(23, 22)) << "each is a part of it";
    EXPECT_EQ(second.text().view(), R"({"count":2,"name":"b"})");
}

TEST(codec, the_texts_of_prepared_values_are_counted_while_they_are_held) {
    auto const counted = [] { return contract::prepared_text_bytes.load(); };
    auto const before = counted();
    {
        contract::prepared<leaf> const row{leaf{.count = 1, .name = std::string(1000, 'a')}},
            other{leaf{.count = 2, .name = std::string(1000, 'b')}};
        auto const alone = static_cast<std::int64_t>(to_json(row).size());
        EXPECT_GE(counted(), before + alone);
        {
            auto const page = contract::prepared<leaf>::standing_for({row, other});
            EXPECT_LT(counted(), before + 2 * alone) << "nothing more is rendered yet";
            EXPECT_EQ(to_json(page), to_json(row) + ',' + to_json(other));
            EXPECT_GE(counted(), before + 2 * alone);
            EXPECT_LT(counted(), before + 3 * alone) << "held once";
        }
        EXPECT_GE(counted(), before + 2 * alone) << "as long as any of them needs it";
    }
    EXPECT_EQ(counted(), before);
}

TEST(codec, one_that_stands_for_several_narrowed_ones_is_written_as_all_of_them) {
    contract::prepared<leaf> first{leaf{.count = 1, .name = "a"}}, second{leaf{.count = 2, .name = "b"}};
    first.mask = second.mask = 0b10;
    std::vector<contract::prepared<leaf>> const list{contract::prepared<leaf>::standing_for({first, second})};
    EXPECT_EQ(to_json(list), R"([{"name":"a"},{"name":"b"}])");
}

TEST(codec, a_mask_narrows_a_prepared_value_and_leaves_its_text) {
    contract::prepared<leaf> row{leaf{.count = 1, .name = "a"}};
    row.mask = 0b10;
    EXPECT_EQ(to_json(row), R"({"name":"a"})");
    EXPECT_FALSE(row.text());
    row.mask = 0b11;
    EXPECT_EQ(to_json(row), R"({"count":1,"name":"a"})");
}

TEST(codec_text, reads_flags_as_people_write_them) {
    for (auto const* yes : {"true", "1", "yes", "on", "TRUE", "On"}) {
        bool b = false;
        EXPECT_EQ(wrong_text(yes, b), "") << yes;
        EXPECT_TRUE(b) << yes;
    }
    for (auto const* no : {"false", "0", "no", "off", "No"}) {
        bool b = true;
        EXPECT_EQ(wrong_text(no, b), "") << no;
        EXPECT_FALSE(b) << no;
    }
    bool b = true;
    for (auto const* bad : {"", "2", "tru", " true", "y"})
        EXPECT_EQ(wrong_text(bad, b), "must be true or false") << bad;
    EXPECT_TRUE(b);
}

TEST(codec_text, reads_whole_numbers_and_nothing_behind_them) {
    std::int64_t n = 5;
    EXPECT_EQ(wrong_text("-9223372036854775808", n), "");
    EXPECT_EQ(n, INT64_MIN);
    EXPECT_EQ(wrong_text("9223372036854775807", n), "");
    EXPECT_EQ(n, INT64_MAX);
    EXPECT_EQ(wrong_text("9223372036854775808", n), "is out of range");
    for (auto const* bad : {"", " 1", "1 ", "+1", "1.0", "0x1", "1e3", "one", "--1"})
        EXPECT_EQ(wrong_text(bad, n), "must be a whole number") << bad;
    EXPECT_EQ(n, INT64_MAX);
    EXPECT_EQ(wrong_text("4", n, {.min = 5}), "must be at least 5");
    EXPECT_EQ(wrong_text("6", n, {.max = 5}), "must be at most 5");
    EXPECT_EQ(wrong_text("5", n, {.min = 5, .max = 5}), "");
    std::uint16_t port = 0;
    EXPECT_EQ(wrong_text("65536", port), "is out of range");
    EXPECT_EQ(wrong_text("-1", port), "must be a whole number");
}

TEST(codec_text, reads_numbers_that_are_finite) {
    double d = 0;
    EXPECT_EQ(wrong_text("2.5e-3", d), "");
    EXPECT_EQ(d, 2.5e-3);
    for (auto const* bad : {"nan", "inf", "-inf", "NaN", "infinity"})
        EXPECT_NE(wrong_text(bad, d), "") << bad;
    EXPECT_EQ(wrong_text("1e999", d), "is out of range");
    EXPECT_EQ(wrong_text("1,5", d), "must be a number");
    EXPECT_EQ(d, 2.5e-3);
}

TEST(codec_text, reads_texts_choices_hashes_and_what_may_be_left_out) {
    std::string s;
    EXPECT_EQ(wrong_text("a b", s), "");
    EXPECT_EQ(s, "a b");
    EXPECT_EQ(wrong_text("abc", s, {.max_length = 2}), "must have at most 2 bytes");
    colour c = colour::red;
    EXPECT_EQ(wrong_text("green", c), "");
    EXPECT_EQ(c, colour::green);
    EXPECT_EQ(wrong_text("GREEN", c), "must be one of red, green");
    contract::info_hash h;
    EXPECT_EQ(wrong_text(v2, h), "");
    EXPECT_TRUE(h.is_v2());
    EXPECT_THAT(wrong_text("12", h), HasSubstr("must be an info-hash"));
    std::optional<std::int64_t> maybe;
    EXPECT_EQ(wrong_text("8", maybe), "");
    EXPECT_EQ(maybe, 8);
    EXPECT_EQ(wrong_text("x", maybe), "must be a whole number");
    EXPECT_EQ(maybe, 8);
}

TEST(codec_text, reads_lists_with_commas_between) {
    std::vector<std::int64_t> list{9};
    EXPECT_EQ(wrong_text("1, 2,3", list), "");
    EXPECT_THAT(list, ElementsAre(1, 2, 3));
    EXPECT_EQ(wrong_text("", list), "");
    EXPECT_THAT(list, ElementsAre());
    EXPECT_EQ(wrong_text("1,,2", list), "must be a whole number");
    std::vector<std::string> texts;
    EXPECT_EQ(wrong_text("a,b,c", texts, {.max_items = 2}), "must have at most 2 items");
}

TEST(codec, tells_readers_of_answers_what_is_wrong) {
    EXPECT_THAT(from_json<leaf>("{").error(), HasSubstr("not JSON"));
    EXPECT_EQ(from_json<leaf>(R"({"count":9,"name":"x"})").error(), "count must be between -2 and 5");
    EXPECT_EQ(from_json<leaf>(R"({"count":3,"name":"x"})")->count, 3);
}

} // namespace

} // namespace ccbt::wire
