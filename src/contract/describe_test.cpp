#include "contract/describe.hpp"

#include "contract/endpoint.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace {

using namespace ccbt::contract; // NOLINT(google-build-using-namespace): the vocabulary under test

struct sample {
    std::string first;
    int second_2 = 0;
    static constexpr auto fields = described_as{
        field<&sample::first>{"The first", {.required = true, .max_length = 9}},
        field<&sample::second_2>{"The second", {.wire = "Second"}}};
};
template <class T> struct templated {
    T inner{};
    static constexpr auto fields = described_as{field<&templated::inner>{"Within"}};
};

enum class size : std::uint8_t { small, large, unnamed };
enum class bare : std::uint8_t { only };

} // namespace

template <> inline constexpr auto ccbt::contract::names_of<size> = std::array{
    std::pair{size::small, std::string_view{"small"}}, std::pair{size::large, std::string_view{"large"}}};

namespace {

template <class T> std::vector<std::string> wire_names() {
    std::vector<std::string> out;
    T::fields.each([&](auto const& f) { out.emplace_back(f.name()); });
    return out;
}

TEST(describe, a_field_knows_its_members_own_name) {
    static_assert(field<&sample::first>::member_name == "first");
    static_assert(field<&sample::second_2>::member_name == "second_2");
    EXPECT_EQ(wire_names<sample>(), (std::vector<std::string>{"first", "Second"}));
    EXPECT_EQ(wire_names<templated<int>>(), (std::vector<std::string>{"inner"}));
    EXPECT_EQ(wire_names<templated<std::vector<std::string>>>(), (std::vector<std::string>{"inner"}));
}

TEST(describe, a_field_carries_its_words_and_rules) {
    auto const& first = static_cast<field<&sample::first> const&>(sample::fields);
    EXPECT_EQ(first.doc, "The first");
    EXPECT_TRUE(first.rule.required);
    EXPECT_EQ(first.rule.max_length, 9U);
    auto const& second = static_cast<field<&sample::second_2> const&>(sample::fields);
    EXPECT_FALSE(second.rule.required);
    EXPECT_EQ(second.rule.max_length, 65536U);
    EXPECT_EQ(second.rule.max_items, 100'000U);
    EXPECT_TRUE(second.rule.in == place::body);
}

TEST(describe, a_field_reaches_its_member) {
    sample s{.first = "x", .second_2 = 4};
    int sum = 0;
    sample::fields.each([&](auto const& f) {
        using type = typename std::remove_cvref_t<decltype(f)>::type;
        if constexpr (std::is_same_v<type, int>) sum += s.*std::remove_cvref_t<decltype(f)>::member;
    });
    EXPECT_EQ(sum, 4);
}

TEST(describe, knows_described_structs_and_named_enumerations_from_others) {
    static_assert(described<sample>);
    static_assert(described<nothing>);
    static_assert(!described<std::string>);
    static_assert(named_enum<size>);
    static_assert(!named_enum<bare>);
    static_assert(!named_enum<int>);
    static_assert(sample::fields.size == 2);
    EXPECT_TRUE(wire_names<nothing>().empty());
}

TEST(describe, a_value_without_a_name_has_none) {
    EXPECT_EQ(name_of(size::large), "large");
    EXPECT_EQ(name_of(size::unnamed), "");
    EXPECT_EQ(name_of(verb::del), "DELETE");
    EXPECT_EQ(name_of(scope::remove), "delete");
}

TEST(describe, a_short_list_holds_what_it_was_given) {
    constexpr short_list<int> list{3, 1, 2};
    EXPECT_EQ(std::vector<int>(list.begin(), list.end()), (std::vector<int>{3, 1, 2}));
    constexpr short_list<int> none;
    EXPECT_EQ(none.begin(), none.end());
}

TEST(describe, lists_of_endpoints_join_in_order) {
    using one = endpoint_list<int, char>;
    using all = joined<one, endpoint_list<>, endpoint_list<long>>::type;
    static_assert(std::is_same_v<all, endpoint_list<int, char, long>>);
    std::vector<std::size_t> alignments;
    all::each([&]<class T>() { alignments.push_back(alignof(T)); });
    EXPECT_EQ(alignments, (std::vector{alignof(int), alignof(char), alignof(long)}));
}

} // namespace
