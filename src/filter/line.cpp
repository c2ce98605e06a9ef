#include "filter/line.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace ccbt::filter {

namespace {

constexpr std::size_t longest_range =
    128; // two addresses and some blanks; bounds the search for a name's end
constexpr unsigned first_idle_level = 128;

using view = std::string_view;

// Which characters an address may have, or a range of them: looked at for each of millions of lines.
constexpr auto of_addresses = [] {
    std::array<bool, 256> is{};
    for (char const c : view{"0123456789abcdefABCDEF:./- \t"}) is[static_cast<unsigned char>(c)] = true;
    return is;
}();
bool is_of_address(char c) { return of_addresses[static_cast<unsigned char>(c)]; }

bool is_blank(char c) { return c == ' ' || c == '\t'; }

view trim_front(view text) {
    std::size_t at = 0;
    while (at < text.size() && is_blank(text[at])) ++at;
    return text.substr(at);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A number of 1 to 3 digits at the front, taken away from there. Zeros in front may mean octal, unless the format pads.
bool take_number(view& text, bool padded, unsigned& n) {
    n = 0;
    std::size_t digits = 0;
    for (; digits < 3 && digits < text.size() && is_digit(text[digits]); ++digits)
        n = n * 10 + static_cast<unsigned>(text[digits] - '0');
    if (digits == 0 || (!padded && digits > 1 && text.front() == '0')) return false;
    text.remove_prefix(digits);
    return true;
}

std::optional<ip_address> take_v4(view& text, bool padded) {
    std::uint32_t whole = 0;
    for (int part = 0; part < 4; ++part) {
        if (part > 0) {
            if (!text.starts_with('.')) return std::nullopt;
            text.remove_prefix(1);
        }
        unsigned n = 0;
        if (!take_number(text, padded, n) || n > 255) return std::nullopt;
        whole = whole << 8 | n;
    }
    return ip_address::v4(whole);
}

std::optional<ip_range> v4_range(view text, bool padded) {
    auto const first = take_v4(text, padded);
    if (!first) return std::nullopt;
    if (text.empty()) return ip_range{*first, *first};
    if (text.front() == '/') {
        text.remove_prefix(1);
        unsigned prefix = 0;
        if (!take_number(text, false, prefix) || prefix > 32 || !text.empty()) return std::nullopt;
        std::uint32_t const host = prefix == 32 ? 0 : 0xffffffffU >> prefix;
        return ip_range{
            ip_address::v4(first->number_v4() & ~host), ip_address::v4(first->number_v4() | host)};
    }
    text = trim_front(text);
    if (!text.starts_with('-')) return std::nullopt;
    text = trim_front(text.substr(1));
    auto const last = take_v4(text, padded);
    if (!last || !text.empty() || *last < *first) return std::nullopt;
    return ip_range{*first, *last};
}

std::optional<ip_range> v6_range(view text) {
    auto const dash = text.find('-');
    auto read = dash == view::npos ? ip_range::parse(text)
                                   : ip_range::parse(
                                         std::string{text::trim(text.substr(0, dash))} + '-' +
                                         std::string{text::trim(text.substr(dash + 1))});
    if (!read) return std::nullopt;
    return *read;
}

bool is_all_address(view text) { return std::all_of(text.begin(), text.end(), is_of_address); }

std::optional<ip_range> range_of(view text, bool padded = false) {
    if (text.empty() || text.size() > longest_range || !is_of_address(text.front())) return std::nullopt;
    if (auto const v4 = v4_range(text, padded)) return v4;
    return text.find(':') != view::npos && is_all_address(text) ? v6_range(text) : std::nullopt;
}

std::optional<line> dat_line(view text) {
    if (!is_of_address(text.front())) return std::nullopt;
    auto const comma = text.find(',');
    if (comma == view::npos) return std::nullopt;
    auto const range = range_of(text::trim(text.substr(0, comma)), true);
    if (!range) return std::nullopt;
    auto const rest = text.substr(comma + 1);
    auto const level_text = text::trim(rest.substr(0, rest.find(',')));
    unsigned level = 0;
    auto const* const end = level_text.data() + level_text.size();
    auto const [at, failed] = std::from_chars(level_text.data(), end, level);
    if (failed != std::errc{} || at != end) return std::nullopt;
    return line{level < first_idle_level ? meaning::rule : meaning::idle, *range};
}

std::optional<ip_range> p2p_range(view text) {
    // "2001:db8::9-2001:db8::1" is a slip, and no list of a company "2001": it would block half of IPv6.
    auto const is_slip_of_v6 = [&] { return is_all_address(text); };
    auto const from = text.size() > longest_range ? text.size() - longest_range : 0;
    for (auto colon = text.find(':', from); colon != view::npos; colon = text.find(':', colon + 1))
        if (auto const range = range_of(trim_front(text.substr(colon + 1)));
            range && (range->first.is_v4() || !is_slip_of_v6()))
            return range;
    return std::nullopt;
}

bool starts_comment(view text) {
    return text.starts_with('#') || text.starts_with(';') || text.starts_with("//");
}

// What stands before a comment at the end.
std::optional<view> without_comment(view text) {
    for (auto blank = text.find_first_of(" \t"); blank != view::npos;
         blank = text.find_first_of(" \t", blank + 1))
        if (starts_comment(text.substr(blank + 1))) return text::trim(text.substr(0, blank));
    return std::nullopt;
}

} // namespace

line read_line(view text) {
    if (text.size() > longest_line) return {meaning::malformed};
    text = text::trim(text);
    if (text.empty() || starts_comment(text)) return {meaning::nothing};
    if (auto const range = range_of(text)) return {meaning::rule, *range};
    if (auto const dat = dat_line(text)) return *dat;
    if (auto const range = p2p_range(text)) return {meaning::rule, *range};
    if (auto const before = without_comment(text)) {
        if (auto const range = range_of(*before)) return {meaning::rule, *range};
        if (auto const range = p2p_range(*before)) return {meaning::rule, *range};
    }
    return {meaning::malformed};
}

} // namespace ccbt::filter
