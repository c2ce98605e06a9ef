// JSON: a small value for what comes in, a direct writer for what goes out. The parsing library stands in json.cpp
// alone; the writer is ours because a list of 10,000 rows costs 45 ms through a document tree and 2 ms directly.
#pragma once

#include "base/result.hpp"
#include "base/shared_text.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ccbt::wire {

class value {
public:
    using array = std::vector<value>;
    using object = std::vector<std::pair<std::string, value>>; // in the order read; no key twice
    using any =
        std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, array, object>;

    value() = default;
    template <class T>
        requires(!std::is_same_v<std::remove_cvref_t<T>, value> && std::is_constructible_v<any, T>)
    explicit(false) value(T&& v) : any_(std::forward<T>(v)) {}

    [[nodiscard]] bool is_null() const { return std::holds_alternative<std::nullptr_t>(any_); }
    template <class T> [[nodiscard]] T const* get_if() const { return std::get_if<T>(&any_); }
    template <class T> [[nodiscard]] T* get_if() { return std::get_if<T>(&any_); }
    /// The member of an object, or null where this is none or has none of that name.
    [[nodiscard]] value const* find(std::string_view key) const;
    /// For people who read answers: the text, number or flag there, or what is given where there is none of that kind.
    [[nodiscard]] std::string_view text_or(std::string_view key, std::string_view otherwise) const;
    [[nodiscard]] double number_or(std::string_view key, double otherwise) const;
    [[nodiscard]] bool flag_or(std::string_view key, bool otherwise) const;
    [[nodiscard]] array const& list_or_empty(std::string_view key) const;
    [[nodiscard]] bool operator==(value const&) const = default;

private:
    any any_{nullptr};
};

struct json_limits {
    std::size_t depth = 32;
    std::size_t elements = 100'000; // values in all
    std::size_t string_bytes = std::size_t{64} << 10;
};

/// RFC 8259, UTF-8, no duplicate keys, nothing behind the value. Failure: a sentence for people.
[[nodiscard]] expected<value, std::string> parse(std::string_view text, json_limits limits = {});

/// What goes out: text, and texts that many answers share, in order.
struct body {
    std::string text;                  // first
    std::vector<shared_text> pieces{}; // then these
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::string joined() const;
};

/// Writes JSON from left to right. The caller keeps the order right: within an object key() and then a value.
class writer {
public:
    void begin_object() { open('{'); }
    void end_object() { close('}'); }
    void begin_array() { open('['); }
    void end_array() { close(']'); }
    void key(std::string_view name);
    void null() { raw("null"); }
    void boolean(bool b) { raw(b ? "true" : "false"); }
    void integer(std::int64_t n);
    void integer(std::uint64_t n);
    void number(double d); // shortest that reads back the same, always with '.' or exponent; not finite: null
    void text(std::string_view s); // bytes that are no UTF-8 become U+FFFD
    void raw(std::string_view json);
    /// A text that is kept elsewhere: not copied, held until the answer has gone.
    void share(shared_text json);

    [[nodiscard]] body take(); // and begin anew
    [[nodiscard]] std::string take_text();

private:
    void separate();
    void open(char c);
    void close(char c);

    body done_;
    std::string now_;
    bool shared_any_ = false;
    bool wants_comma_ = false;
};

/// Compact and, with `indent`, for people.
[[nodiscard]] std::string to_text(value const& v, int indent = 0);

} // namespace ccbt::wire
