#include "wire/json.hpp"

#include "base/safeguard.hpp"
#include "base/text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace ccbt::wire {

namespace {

// Builds a value from nlohmann's events, within the limits.
class builder {
public:
    explicit builder(json_limits limits) : limits_{limits} {}

    using number_integer_t = nlohmann::json::number_integer_t;
    using number_unsigned_t = nlohmann::json::number_unsigned_t;
    using number_float_t = nlohmann::json::number_float_t;
    using string_t = nlohmann::json::string_t;
    using binary_t = nlohmann::json::binary_t;

    bool null() { return add(nullptr); }
    bool boolean(bool b) { return add(b); }
    bool number_integer(number_integer_t n) { return add(std::int64_t{n}); }
    bool number_unsigned(number_unsigned_t n) {
        return n <= static_cast<number_unsigned_t>(INT64_MAX) ? add(static_cast<std::int64_t>(n))
                                                              : add(std::uint64_t{n});
    }
    bool number_float(number_float_t d, string_t const&) {
        return std::isfinite(d) ? add(d) : refuse("a number is out of range");
    }
    bool string(string_t& s) {
        if (s.size() > limits_.string_bytes) return refuse("a string is too long");
        return add(std::move(s));
    }
    bool binary(binary_t&) { return refuse("not JSON"); }
    bool start_object(std::size_t) { return descend(value::object{}); }
    bool start_array(std::size_t) { return descend(value::array{}); }
    bool end_object() { return ascend(); }
    bool end_array() { return ascend(); }
    bool key(string_t& s) {
        if (s.size() > limits_.string_bytes) return refuse("a key is too long");
        auto& level = levels_.back();
        auto const& members = *level.made.get_if<value::object>();
        if (members.size() < 16) {
            for (auto const& [name, ignored] : members)
                if (name == s) return refuse("the key \"" + s.substr(0, 64) + "\" stands twice");
        } else {
            if (level.keys.empty())
                for (auto const& [name, ignored] : members) level.keys.insert(name);
            if (level.keys.contains(s)) return refuse("the key \"" + s.substr(0, 64) + "\" stands twice");
        }
        if (!level.keys.empty()) level.keys.insert(s);
        level.key = std::move(s);
        return true;
    }
    bool parse_error(std::size_t position, std::string const&, nlohmann::detail::exception const&) {
        return refuse("not JSON at byte " + std::to_string(position));
    }

    std::string why;
    value root;

private:
    struct frame {
        value made;
        std::string key{};
        std::unordered_set<std::string> keys{};
    };

    bool refuse(std::string reason) {
        why = std::move(reason);
        return false;
    }
    bool count() {
        return ++elements_ <= limits_.elements || !in_force(safeguard::json_element_limit) ||
               refuse("too many values");
    }
    void place(value v) {
        if (levels_.empty()) {
            root = std::move(v);
        } else if (auto* list = levels_.back().made.get_if<value::array>()) {
            list->push_back(std::move(v));
        } else {
            levels_.back().made.get_if<value::object>()->emplace_back(
                std::move(levels_.back().key), std::move(v));
        }
    }
    template <class T> bool add(T&& v) {
        if (!count()) return false;
        place(value{std::forward<T>(v)});
        return true;
    }
    bool descend(value v) {
        if (levels_.size() >= limits_.depth && in_force(safeguard::json_depth_limit))
            return refuse("nested too deeply");
        if (!count()) return false;
        levels_.push_back(frame{std::move(v)});
        return true;
    }
    bool ascend() {
        value made = std::move(levels_.back().made);
        levels_.pop_back();
        place(std::move(made));
        return true;
    }

    json_limits limits_;
    std::size_t elements_ = 0;
    std::vector<frame> levels_;
};

void write_string(std::string& out, std::string_view s) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    std::size_t from = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
        auto const c = static_cast<unsigned char>(s[i]);
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out.append(s, from, i - from);
        from = i + 1;
        switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
            out += "\\u00";
            out += hex[c >> 4];
            out += hex[c & 15];
        }
    }
    out.append(s, from, s.size() - from);
    out += '"';
}

} // namespace

expected<value, std::string> parse(std::string_view text, json_limits limits) {
    // The library takes a NUL byte for the end and leaves what stands behind it unread.
    if (auto const nul = text.find('\0'); nul != std::string_view::npos)
        return unexpected<std::string>{"not JSON at byte " + std::to_string(nul + 1)};
    builder made{limits};
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), &made))
        return unexpected<std::string>{made.why.empty() ? "not JSON" : made.why};
    return std::move(made.root);
}

value const* value::find(std::string_view key) const {
    auto const* members = get_if<object>();
    if (members == nullptr) return nullptr;
    for (auto const& [name, v] : *members)
        if (name == key) return &v;
    return nullptr;
}

std::string_view value::text_or(std::string_view key, std::string_view otherwise) const {
    auto const* member = find(key);
    auto const* held = member == nullptr ? nullptr : member->get_if<std::string>();
    return held == nullptr ? otherwise : std::string_view{*held};
}

double value::number_or(std::string_view key, double otherwise) const {
    auto const* member = find(key);
    if (member == nullptr) return otherwise;
    if (auto const* i = member->get_if<std::int64_t>()) return static_cast<double>(*i);
    if (auto const* u = member->get_if<std::uint64_t>()) return static_cast<double>(*u);
    if (auto const* d = member->get_if<double>()) return *d;
    return otherwise;
}

bool value::flag_or(std::string_view key, bool otherwise) const {
    auto const* member = find(key);
    auto const* held = member == nullptr ? nullptr : member->get_if<bool>();
    return held == nullptr ? otherwise : *held;
}

value::array const& value::list_or_empty(std::string_view key) const {
    static array const none;
    auto const* member = find(key);
    auto const* held = member == nullptr ? nullptr : member->get_if<array>();
    return held == nullptr ? none : *held;
}

std::size_t body::size() const {
    std::size_t sum = text.size();
    for (auto const& piece : pieces) sum += piece.size();
    return sum;
}

std::string body::joined() const {
    std::string out = text;
    out.reserve(size());
    for (auto const& piece : pieces) out += piece.view();
    return out;
}

void writer::separate() {
    if (wants_comma_) now_ += ',';
    wants_comma_ = true;
}
void writer::open(char c) {
    separate();
    now_ += c;
    wants_comma_ = false;
}
void writer::close(char c) {
    now_ += c;
    wants_comma_ = true;
}
void writer::key(std::string_view name) {
    separate();
    write_string(now_, name);
    now_ += ':';
    wants_comma_ = false;
}
void writer::raw(std::string_view json) {
    separate();
    now_ += json;
}
void writer::integer(std::int64_t n) {
    std::array<char, 24> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by to_chars
    raw(
        {buffer.data(),
         static_cast<std::size_t>(std::to_chars(buffer.begin(), buffer.end(), n).ptr - buffer.data())});
}
void writer::integer(std::uint64_t n) {
    std::array<char, 24> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by to_chars
    raw(
        {buffer.data(),
         static_cast<std::size_t>(std::to_chars(buffer.begin(), buffer.end(), n).ptr - buffer.data())});
}
void writer::number(double d) {
    if (!std::isfinite(d)) return null();
    std::array<char, 40> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by to_chars
    auto* end = std::to_chars(buffer.begin(), buffer.end() - 2, d).ptr;
    // Python's json writes floats so, and its users ask isinstance(x, float).
    if (std::string_view{buffer.data(), static_cast<std::size_t>(end - buffer.data())}.find_first_of(".e") ==
        std::string_view::npos) {
        *end++ = '.';
        *end++ = '0';
    }
    raw({buffer.data(), static_cast<std::size_t>(end - buffer.data())});
}
void writer::text(std::string_view s) {
    separate();
    if (text::is_valid_utf8(s))
        write_string(now_, s);
    else
        write_string(now_, text::to_valid_utf8(s));
}
void writer::share(shared_text json) {
    static auto const comma = shared_text{std::string{","}};
    separate();
    if (!shared_any_) {
        done_.text = std::exchange(now_, {});
        shared_any_ = true;
    } else if (now_ == ",") {
        done_.pieces.push_back(comma);
        now_.clear();
    } else if (!now_.empty()) {
        done_.pieces.emplace_back(std::exchange(now_, {}));
    }
    done_.pieces.push_back(std::move(json));
}
body writer::take() {
    if (!shared_any_)
        done_.text = std::move(now_);
    else if (!now_.empty())
        done_.pieces.emplace_back(std::move(now_));
    body out = std::move(done_);
    *this = writer{};
    return out;
}
std::string writer::take_text() {
    auto all = take();
    return all.pieces.empty() ? std::move(all.text) : all.joined();
}

namespace {

void put(std::string& out, value const& v, int indent, int depth) {
    auto const line = [&](int at) {
        if (indent > 0) {
            out += '\n';
            out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(at), ' ');
        }
    };
    auto const scalar = [&](auto const& write) {
        writer w;
        write(w);
        out += w.take_text();
    };
    if (auto const* members = v.get_if<value::object>()) {
        out += '{';
        bool first = true;
        for (auto const& [name, member] : *members) {
            if (!std::exchange(first, false)) out += ',';
            line(depth + 1);
            write_string(out, name);
            out += indent > 0 ? ": " : ":";
            put(out, member, indent, depth + 1);
        }
        if (!members->empty()) line(depth);
        out += '}';
    } else if (auto const* list = v.get_if<value::array>()) {
        out += '[';
        bool first = true;
        for (auto const& member : *list) {
            if (!std::exchange(first, false)) out += ',';
            line(depth + 1);
            put(out, member, indent, depth + 1);
        }
        if (!list->empty()) line(depth);
        out += ']';
    } else if (auto const* s = v.get_if<std::string>()) {
        scalar([&](writer& w) { w.text(*s); });
    } else if (auto const* b = v.get_if<bool>()) {
        out += *b ? "true" : "false";
    } else if (auto const* i = v.get_if<std::int64_t>()) {
        out += std::to_string(*i);
    } else if (auto const* u = v.get_if<std::uint64_t>()) {
        out += std::to_string(*u);
    } else if (auto const* d = v.get_if<double>()) {
        scalar([&](writer& w) { w.number(*d); });
    } else {
        out += "null";
    }
}

} // namespace

std::string to_text(value const& v, int indent) {
    std::string out;
    put(out, v, indent, 0);
    return out;
}

} // namespace ccbt::wire
