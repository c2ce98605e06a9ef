// Struct <-> JSON, derived from the descriptions in the contract. Decoding finds every problem at once and changes
// nothing on failure.
#pragma once

#include "base/text.hpp"
#include "contract/endpoint.hpp"
#include "wire/json.hpp"

#include <charconv>
#include <cmath>
#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace ccbt::wire {

using contract::described;
using contract::named_enum;
using contract::place;
using contract::rules;

template <class T> inline constexpr bool is_optional = false;
template <class T> inline constexpr bool is_optional<std::optional<T>> = true;
template <class T> inline constexpr bool is_vector = false;
template <class T, class A> inline constexpr bool is_vector<std::vector<T, A>> = true;
template <class T> inline constexpr bool is_prepared = false;
template <class T> inline constexpr bool is_prepared<contract::prepared<T>> = true;
template <class T>
concept whole_number = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;
template <class T>
concept omits_absent = requires { requires T::omit_absent; };

// ---- out

template <class T> void encode(writer& out, T const& v);

namespace encoding {

template <class M> bool holds_nothing(M const& m) {
    if constexpr (requires { m.empty(); })
        return m.empty();
    else
        return false;
}

template <class T, class F> void member(writer& out, T const& v, F const& f) {
    auto const& m = v.*F::member;
    if constexpr (omits_absent<T> && is_optional<typename F::type>) {
        if (!m) return;
    }
    out.key(f.name());
    if (f.rule.secret && !holds_nothing(m))
        out.text("***");
    else
        encode(out, m);
}
template <class T> void narrowed(writer& out, contract::prepared<T> const& row);
template <class T> std::string rendered(contract::prepared<T> const& row) {
    writer once;
    if (row.mask != 0)
        narrowed(once, row);
    else
        encode(once, *row);
    return once.take_text();
}
/// The text of those that `all` stands for, made of theirs; theirs are parts of it from then on, so that none is held twice.
template <class T> void join(contract::prepared<T> const& all) {
    std::string out;
    std::vector<std::size_t> ends;
    ends.reserve(all.several()->size());
    for (auto const& row : *all.several()) {
        if (!out.empty()) out += ',';
        if (row.mask == 0 && row.text())
            out += row.text().view();
        else
            out += rendered(row);
        ends.push_back(out.size());
    }
    all.keep_text(contract::counted_text(std::move(out)));
    std::size_t from = 0;
    for (std::size_t i = 0; i < ends.size(); from = ends[i++] + 1)
        if (auto const& row = (*all.several())[i]; row.mask == 0)
            row.keep_text(all.text().part(from, ends[i] - from));
    all.forget_several();
}
/// Makes the text that it is written as; false where it has one, or is narrowed by itself.
template <class T> bool prepare(contract::prepared<T> const& row) {
    if (row.mask != 0 || row.text()) return false;
    if (row.several() != nullptr)
        join(row);
    else
        row.keep_text(contract::counted_text(rendered(row)));
    return true;
}
template <class T> void shared(writer& out, contract::prepared<T> const& row) {
    if (row.mask != 0) return narrowed(out, row);
    static_cast<void>(prepare(row));
    out.share(row.text());
}
template <class T> void narrowed(writer& out, contract::prepared<T> const& row) {
    out.begin_object();
    std::uint64_t bit = 1;
    T::fields.each([&](auto const& f) {
        if ((row.mask & bit) != 0) member(out, *row, f);
        bit <<= 1;
    });
    out.end_object();
}

} // namespace encoding

template <class T> void encode(writer& out, T const& v) {
    if constexpr (std::same_as<T, bool>) {
        out.boolean(v);
    } else if constexpr (whole_number<T>) {
        if constexpr (std::is_signed_v<T>)
            out.integer(static_cast<std::int64_t>(v));
        else
            out.integer(static_cast<std::uint64_t>(v));
    } else if constexpr (std::floating_point<T>) {
        out.number(v);
    } else if constexpr (std::convertible_to<T, std::string_view>) {
        out.text(v);
    } else if constexpr (named_enum<T>) {
        out.text(contract::name_of(v));
    } else if constexpr (is_optional<T>) {
        if (v)
            encode(out, *v);
        else
            out.null();
    } else if constexpr (is_vector<T>) {
        out.begin_array();
        for (auto const& item : v) encode(out, item);
        out.end_array();
    } else if constexpr (is_prepared<T>) {
        encoding::shared(out, v);
    } else if constexpr (std::same_as<T, contract::json_text>) {
        out.raw(v.text);
    } else if constexpr (std::same_as<T, contract::info_hash>) {
        out.text(v.hex());
    } else {
        static_assert(described<T>, "a type on the wire needs described fields or names");
        out.begin_object();
        T::fields.each([&](auto const& f) { encoding::member(out, v, f); });
        out.end_object();
    }
}

template <class T> [[nodiscard]] std::string to_json(T const& v) {
    writer out;
    encode(out, v);
    return out.take_text();
}

// ---- in

/// What was found wrong; the codes decide how the whole is answered.
struct problems {
    std::vector<contract::problem> list;
    bool bad_hash = false;

    void add(std::string field, std::string message) {
        if (list.size() < most_told) list.push_back({std::move(field), std::move(message)});
    }
    [[nodiscard]] bool none() const { return list.empty(); }
    [[nodiscard]] bool enough() const { return list.size() >= most_told; }
    static constexpr std::size_t most_told = 50; // an answer stays small, however much is wrong
    /// VALIDATION_ERROR, or INVALID_INFO_HASH where the hash was the first thing wrong.
    [[nodiscard]] contract::failure as_failure() const;
};

template <class T>
void decode(value const& from, T& into, std::string const& path, rules const& rule, problems& wrong);

namespace decoding {

[[nodiscard]] std::string type_of(value const& v); // "a string", "an object"
[[nodiscard]] std::string number_text(double d);   // without a needless fraction
[[nodiscard]] std::string list_of(std::vector<std::string_view> const& names);

template <class N> bool within(N n, std::string const& path, rules const& rule, problems& wrong) {
    auto const d = static_cast<double>(n);
    if (d < rule.min || d > rule.max) {
        bool const bounded_above = rule.max < 1e300;
        bool const bounded_below = rule.min > -1e300;
        wrong.add(
            path, bounded_above && bounded_below
                      ? "must be between " + number_text(rule.min) + " and " + number_text(rule.max)
                  : bounded_below ? "must be at least " + number_text(rule.min)
                                  : "must be at most " + number_text(rule.max));
        return false;
    }
    return true;
}

template <whole_number T>
void number(value const& from, T& into, std::string const& path, rules const& rule, problems& wrong) {
    auto const out_of_range = [&] {
        // Where the rule has no bound on that side, the type has.
        if (within(from.get_if<double>() != nullptr ? *from.get_if<double>() : 1e30, path, rule, wrong))
            wrong.add(path, "is out of range");
    };
    if (auto const* i = from.get_if<std::int64_t>()) {
        if (!std::in_range<T>(*i)) return out_of_range();
        if (within(*i, path, rule, wrong)) into = static_cast<T>(*i);
    } else if (auto const* d = from.get_if<double>(); d != nullptr && std::trunc(*d) == *d) {
        if (std::abs(*d) >= 9e15 || !std::in_range<T>(static_cast<std::int64_t>(*d))) return out_of_range();
        if (within(*d, path, rule, wrong)) into = static_cast<T>(static_cast<std::int64_t>(*d));
    } else if (auto const* u = from.get_if<std::uint64_t>()) {
        if (!std::in_range<T>(*u)) return out_of_range();
        if (within(*u, path, rule, wrong)) into = static_cast<T>(*u);
    } else {
        wrong.add(path, "must be a whole number, is " + type_of(from));
    }
}

template <named_enum T>
void enumeration(std::string_view from, T& into, std::string const& path, problems& wrong) {
    std::vector<std::string_view> names;
    for (auto const& [v, name] : contract::names_of<T>) {
        if (contract::ignores_case<T> ? text::equal_ignoring_case(name, from) : name == from) {
            into = v;
            return;
        }
        names.push_back(name);
    }
    wrong.add(path, "must be one of " + list_of(names));
}

inline void string(
    std::string_view from, std::string& into, std::string const& path, rules const& rule, problems& wrong) {
    if (from.size() > rule.max_length)
        wrong.add(path, "must have at most " + std::to_string(rule.max_length) + " bytes");
    else
        into = from;
}

void hash(std::string_view from, contract::info_hash& into, std::string const& path, problems& wrong);

} // namespace decoding

/// The members of an object into a described struct. Members that stand elsewhere than in the body are left alone.
/// A struct whose unknown members matter names the one that takes the object as it came: `static constexpr auto whole`.
template <described T>
void decode_members(value::object const& from, T& into, std::string const& path, problems& wrong) {
    if constexpr (requires { requires std::is_member_object_pointer_v<decltype(T::whole)>; })
        into.*T::whole = contract::json_text{to_text(value{from})};
    T::fields.each([&](auto const& f) {
        if (f.rule.in != place::body) return;
        using type = typename std::remove_cvref_t<decltype(f)>::type;
        auto const full = path.empty() ? std::string{f.name()} : path + '.' + std::string{f.name()};
        for (auto const& [name, v] : from) {
            if (name != f.name()) continue;
            // The Python client sends null for what it leaves out.
            if (v.is_null() &&
                !(f.rule.required && !is_optional<type>)&&!std::same_as<type, contract::json_text>)
                return;
            decode(v, into.*(std::remove_cvref_t<decltype(f)>::member), full, f.rule, wrong);
            return;
        }
        if (f.rule.required) wrong.add(full, "is required");
    });
}

template <class T>
void decode(value const& from, T& into, std::string const& path, rules const& rule, problems& wrong) {
    auto const mismatch = [&](std::string_view wanted) {
        wrong.add(path, "must be " + std::string{wanted} + ", is " + decoding::type_of(from));
    };
    if constexpr (std::same_as<T, bool>) {
        if (auto const* b = from.get_if<bool>())
            into = *b;
        else
            mismatch("true or false");
    } else if constexpr (whole_number<T>) {
        decoding::number(from, into, path, rule, wrong);
    } else if constexpr (std::floating_point<T>) {
        std::optional<double> d;
        if (auto const* f = from.get_if<double>()) d = *f;
        if (auto const* i = from.get_if<std::int64_t>()) d = static_cast<double>(*i);
        if (auto const* u = from.get_if<std::uint64_t>()) d = static_cast<double>(*u);
        if (!d)
            mismatch("a number");
        else if (decoding::within(*d, path, rule, wrong))
            into = static_cast<T>(*d);
    } else if constexpr (std::same_as<T, std::string>) {
        if (auto const* s = from.get_if<std::string>())
            decoding::string(*s, into, path, rule, wrong);
        else
            mismatch("a string");
    } else if constexpr (named_enum<T>) {
        if (auto const* s = from.get_if<std::string>())
            decoding::enumeration(*s, into, path, wrong);
        else
            mismatch("a string");
    } else if constexpr (std::same_as<T, contract::info_hash>) {
        if (auto const* s = from.get_if<std::string>())
            decoding::hash(*s, into, path, wrong);
        else
            mismatch("a string");
    } else if constexpr (is_optional<T>) {
        if (from.is_null()) {
            into.reset();
        } else {
            typename T::value_type made{};
            auto const before = wrong.list.size();
            decode(from, made, path, rule, wrong);
            if (wrong.list.size() == before) into = std::move(made);
        }
    } else if constexpr (is_vector<T>) {
        auto const* list = from.get_if<value::array>();
        if (list == nullptr) return mismatch("a list");
        if (list->size() > rule.max_items)
            return wrong.add(path, "must have at most " + std::to_string(rule.max_items) + " items");
        T made;
        made.reserve(list->size());
        for (std::size_t i = 0; i < list->size() && !wrong.enough(); ++i) {
            typename T::value_type item{};
            decode((*list)[i], item, path + '[' + std::to_string(i) + ']', rule, wrong);
            made.push_back(std::move(item));
        }
        into = std::move(made);
    } else if constexpr (std::same_as<T, contract::json_text>) {
        into.text = to_text(from);
    } else if constexpr (is_prepared<T>) {
        using held = std::remove_cvref_t<decltype(*into)>;
        held made{};
        decode(from, made, path, rule, wrong);
        into = T{std::move(made)};
    } else {
        static_assert(described<T>, "a type on the wire needs described fields or names");
        if (auto const* members = from.get_if<value::object>())
            decode_members(*members, into, path, wrong);
        else
            mismatch("an object");
    }
}

/// A value written as text: in a path, a query, a header, on a command line, in the environment.
template <class T> void decode_text(
    std::string_view from, T& into, std::string const& path, rules const& rule, problems& wrong) {
    if constexpr (std::same_as<T, bool>) {
        auto const is = [&](std::string_view word) { return text::equal_ignoring_case(from, word); };
        if (is("true") || is("1") || is("yes") || is("on"))
            into = true;
        else if (is("false") || is("0") || is("no") || is("off"))
            into = false;
        else
            wrong.add(path, "must be true or false");
    } else if constexpr (whole_number<T> || std::floating_point<T>) {
        T n{};
        auto const [end, failed] = std::from_chars(from.data(), from.data() + from.size(), n);
        if (failed == std::errc::result_out_of_range)
            wrong.add(path, "is out of range");
        else if (failed != std::errc{} || end != from.data() + from.size())
            wrong.add(path, whole_number<T> ? "must be a whole number" : "must be a number");
        else if (!std::isfinite(static_cast<double>(n))) // from_chars reads "nan" and "inf"
            wrong.add(path, "must be a number");
        else if (decoding::within(n, path, rule, wrong))
            into = n;
    } else if constexpr (std::same_as<T, std::string>) {
        decoding::string(from, into, path, rule, wrong);
    } else if constexpr (named_enum<T>) {
        decoding::enumeration(from, into, path, wrong);
    } else if constexpr (std::same_as<T, contract::info_hash>) {
        decoding::hash(from, into, path, wrong);
    } else if constexpr (is_optional<T>) {
        typename T::value_type made{};
        auto const before = wrong.list.size();
        decode_text(from, made, path, rule, wrong);
        if (wrong.list.size() == before) into = std::move(made);
    } else if constexpr (std::same_as<T, contract::json_text>) {
        if (auto const read = parse(from))
            into.text = to_text(*read);
        else
            wrong.add(path, "must be JSON");
    } else {
        static_assert(is_vector<T>, "this type has no text form");
        into.clear();
        if (from.empty()) return;
        for (auto const piece : text::split(from, ',')) {
            typename T::value_type item{};
            decode_text(text::trim(piece), item, path, rule, wrong);
            into.push_back(std::move(item));
        }
        if (into.size() > rule.max_items)
            wrong.add(path, "must have at most " + std::to_string(rule.max_items) + " items");
    }
}

/// A struct from JSON text, for those who read answers.
template <class T> [[nodiscard]] expected<T, std::string> from_json(std::string_view json) {
    auto const read =
        parse(json, {.depth = 64, .elements = 50'000'000, .string_bytes = std::size_t{1} << 30});
    if (!read) return unexpected<std::string>{read.error()};
    T made{};
    problems wrong;
    decode(*read, made, "", {}, wrong);
    if (!wrong.none())
        return unexpected<std::string>{wrong.list.front().field + ' ' + wrong.list.front().message};
    return made;
}

} // namespace ccbt::wire
