// Is a reply what its description says? Names, kinds, ranges and where null may stand, read from the catalogue.
#pragma once

#include "wire/catalogue.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace ccbt::journeys {

struct expected_shape {
    std::vector<wire::field_facts> const* fields = nullptr;
    bool omits_absent = false;
    bool is_part = false;     // a row narrowed by `fields`: only its first member is always there
    bool holds_parts = false; // such rows are in its lists
};

void expect_shape(wire::value const& got, expected_shape const& wanted, std::string const& where);

inline void expect_kind(
    wire::value const& got, wire::field_kind kind, wire::field_facts const& f, bool are_parts,
    std::string const& where) {
    using wire::field_kind;
    auto const* whole = got.get_if<std::int64_t>();
    auto const* large = got.get_if<std::uint64_t>();
    auto const* fraction = got.get_if<double>();
    auto const* text = got.get_if<std::string>();
    switch (kind) {
    case field_kind::flag: EXPECT_NE(got.get_if<bool>(), nullptr) << where << " is no flag"; break;
    case field_kind::whole:
        EXPECT_TRUE(whole != nullptr || large != nullptr) << where << " is no whole number";
        break;
    case field_kind::number:
        EXPECT_TRUE(whole != nullptr || large != nullptr || fraction != nullptr) << where << " is no number";
        break;
    case field_kind::text: EXPECT_NE(text, nullptr) << where << " is no text"; break;
    case field_kind::hash:
        EXPECT_TRUE(text != nullptr && (text->size() == 40 || text->size() == 64)) << where << " is no hash";
        break;
    case field_kind::choice:
        EXPECT_TRUE(
            text != nullptr && std::find(f.choices.begin(), f.choices.end(), *text) != f.choices.end())
            << where << " is none of the choices";
        break;
    case field_kind::object: expect_shape(got, {&f.members, f.omits_absent, are_parts}, where); break;
    case field_kind::list: {
        auto const* list = got.get_if<wire::value::array>();
        ASSERT_NE(list, nullptr) << where << " is no list";
        for (std::size_t i = 0; i < list->size(); ++i)
            expect_kind((*list)[i], f.item_kind, f, are_parts, fmt::format("{}[{}]", where, i));
        break;
    }
    case field_kind::any: break;
    }
    if (kind != field_kind::whole && kind != field_kind::number) return;
    auto const number = whole != nullptr      ? static_cast<double>(*whole)
                        : large != nullptr    ? static_cast<double>(*large)
                        : fraction != nullptr ? *fraction
                                              : 0;
    EXPECT_GE(number, f.rule.min) << where;
    EXPECT_LE(number, f.rule.max) << where;
}

inline void expect_shape(wire::value const& got, expected_shape const& wanted, std::string const& where) {
    auto const* members = got.get_if<wire::value::object>();
    ASSERT_NE(members, nullptr) << where << " is no object";
    for (auto const& [name, v] : *members) {
        auto const is_it = [&](auto const& f) { return f.name == name; };
        EXPECT_TRUE(std::any_of(wanted.fields->begin(), wanted.fields->end(), is_it))
            << where << '.' << name << " is not described";
    }
    bool is_first = true;
    for (auto const& f : *wanted.fields) {
        auto const here = where + '.' + std::string{f.name};
        bool const must_be = !(wanted.omits_absent && f.nullable) && !(wanted.is_part && !is_first);
        is_first = false;
        auto const* v = got.find(f.name);
        if (v == nullptr) {
            EXPECT_FALSE(must_be) << here << " is missing";
        } else if (v->is_null()) {
            EXPECT_TRUE(f.nullable && !wanted.omits_absent) << here << " is null";
        } else {
            expect_kind(*v, f.kind, f, wanted.holds_parts && f.kind == wire::field_kind::list, here);
        }
    }
}

} // namespace ccbt::journeys
