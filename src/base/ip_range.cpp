#include "base/ip_range.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <limits>

namespace ccbt {

namespace {

constexpr std::size_t longest_address = 45; // "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"
constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::size_t size_of(ip_address const& a) { return a.is_v4() ? 4 : 16; }

// `a` with all bits behind the first `prefix` set or cleared.
ip_address with_host_bits(ip_address const& a, std::size_t prefix, bool set) {
    auto bytes = a.bytes();
    for (std::size_t i = 0; i < size_of(a); ++i) {
        auto const kept = std::clamp<std::size_t>(prefix, i * 8, i * 8 + 8) - i * 8;
        auto const host = static_cast<std::uint8_t>(0xff >> kept);
        bytes[i] = static_cast<std::uint8_t>(set ? bytes[i] | host : bytes[i] & ~host);
    }
    if (!a.is_v4()) return ip_address::v6(bytes);
    return ip_address::v4(
        std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
        bytes[3]);
}

} // namespace

ip_address ip_address::v4(std::uint32_t number) {
    ip_address a;
    for (std::size_t i = 0; i < 4; ++i) a.bytes_[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
    return a;
}

ip_address ip_address::v6(std::array<std::uint8_t, 16> const& bytes) {
    ip_address a;
    if (std::equal(mapped.begin(), mapped.end(), bytes.begin())) {
        std::copy(bytes.begin() + 12, bytes.end(), a.bytes_.begin());
        return a;
    }
    a.is_v6_ = true;
    a.bytes_ = bytes;
    return a;
}

ip_address ip_address::v6_end(ipv6_number number) {
    ip_address a;
    a.is_v6_ = true;
    for (auto i = a.bytes_.size(); i-- > 0; number >>= 8) a.bytes_[i] = static_cast<std::uint8_t>(number);
    return a;
}

std::optional<ip_address> ip_address::parse(std::string_view text) {
    std::array<char, longest_address + 1> terminated{};
    if (text.size() > longest_address || text.find('\0') != std::string_view::npos) return std::nullopt;
    text.copy(terminated.data(), text.size());
    std::array<std::uint8_t, 16> bytes{};
    if (text.find(':') != std::string_view::npos) {
        if (::inet_pton(AF_INET6, terminated.data(), bytes.data()) != 1) return std::nullopt;
        return v6(bytes);
    }
    if (::inet_pton(AF_INET, terminated.data(), bytes.data()) != 1) return std::nullopt;
    ip_address a;
    a.bytes_ = bytes;
    return a;
}

std::uint32_t ip_address::number_v4() const {
    return std::uint32_t{bytes_[0]} << 24 | std::uint32_t{bytes_[1]} << 16 | std::uint32_t{bytes_[2]} << 8 |
           bytes_[3];
}

std::string ip_address::text() const {
    if (is_v4()) return fmt::format("{}.{}.{}.{}", bytes_[0], bytes_[1], bytes_[2], bytes_[3]);
    auto const group = [&](std::size_t i) { return bytes_[2 * i] << 8 | bytes_[2 * i + 1]; };
    // The longest run of two or more zero groups, the first of equals, becomes "::".
    std::size_t run_at = 8, run = 1;
    for (std::size_t i = 0; i < 8; ++i) {
        auto end = i;
        while (end < 8 && group(end) == 0) ++end;
        if (end - i > run) {
            run = end - i;
            run_at = i;
        }
    }
    std::string out;
    for (std::size_t i = 0; i < 8; ++i) {
        if (i == run_at) {
            out += "::";
            i += run - 1;
            continue;
        }
        if (!out.empty() && out.back() != ':') out += ':';
        fmt::format_to(std::back_inserter(out), "{:x}", group(i));
    }
    return out;
}

expected<ip_range, std::string> ip_range::parse(std::string_view text) {
    auto const fails = [](char const* why) { return unexpected<std::string>{why}; };
    auto const at = text.find_first_of("/-");
    auto first = ip_address::parse(text.substr(0, at));
    if (!first)
        return fails(
            "neither an IP address nor a CIDR block nor a first-last range in plain form (\"10.0.0.1\", "
            "\"10.0.0.0/8\", \"10.0.0.1-10.0.0.9\", \"2001:db8::/32\")");
    if (at == std::string_view::npos) return ip_range{*first, *first};
    auto const rest = text.substr(at + 1);
    if (text[at] == '-') {
        auto const last = ip_address::parse(rest);
        if (!last) return fails("what stands behind '-' is no IP address in plain form");
        if (first->is_v4() != last->is_v4()) return fails("the range goes from one family to the other");
        if (*last < *first) return fails("the range ends before it begins");
        return ip_range{*first, *last};
    }
    std::size_t prefix = 0;
    auto const [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), prefix);
    bool const is_plain =
        error == std::errc{} && end == rest.data() + rest.size() && (rest.size() == 1 || rest.front() != '0');
    auto const in_v6_clothes = first->is_v4() && text.find(':') != std::string_view::npos;
    auto const least = in_v6_clothes ? std::size_t{96} : 0;
    auto const most = size_of(*first) * 8 + least;
    if (!is_plain || prefix > most) return fails("the prefix length behind '/' is none of this family");
    if (prefix < least) return fails("a block of IPv4 addresses in IPv6 form has a prefix of 96 or more");
    prefix -= least;
    ip_range const block{with_host_bits(*first, prefix, false), with_host_bits(*first, prefix, true)};
    // ::/80 and its like: their last addresses are IPv4 in IPv6's clothes, which are another family here.
    if (block.first.is_v4() != block.last.is_v4())
        return fails("the block ends within ::ffff:0:0/96, which is IPv4: name the two apart");
    return block;
}

std::string ip_range::text() const {
    if (first == last) return first.text();
    std::size_t prefix = 0; // bits that both have in common
    auto const bits = size_of(first) * 8;
    auto const bit = [](ip_address const& a, std::size_t i) { return a.bytes()[i / 8] >> (7 - i % 8) & 1; };
    while (prefix < bits && bit(first, prefix) == bit(last, prefix)) ++prefix;
    if (with_host_bits(first, prefix, false) == first && with_host_bits(last, prefix, true) == last)
        return fmt::format("{}/{}", first.text(), prefix);
    return first.text() + '-' + last.text();
}

// ---- sets: the same for the numbers of both families

namespace {

template <class Number> using ranges_of = std::vector<number_range<Number>>;

template <class Number> bool touch(number_range<Number> const& one, number_range<Number> const& next) {
    return next.first <= one.last || next.first - one.last == 1;
}

// Sorted: joins what overlaps or touches.
template <class Number> void merge(ranges_of<Number>& all) {
    std::size_t kept = 0;
    for (auto const& one : all) {
        if (kept != 0 && touch(all[kept - 1], one))
            all[kept - 1].last = std::max(all[kept - 1].last, one.last);
        else
            all[kept++] = one;
    }
    all.resize(kept);
}

template <class Number> void sort_and_merge(ranges_of<Number>& all) {
    if (!std::is_sorted(all.begin(), all.end())) std::sort(all.begin(), all.end());
    merge(all);
    all.shrink_to_fit();
}

template <class Number> bool is_set(ranges_of<Number> const& all) {
    if (std::any_of(all.begin(), all.end(), [](auto const& one) { return one.last < one.first; }))
        return false;
    return std::adjacent_find(all.begin(), all.end(), touch<Number>) == all.end();
}

template <class Number> bool contains(ranges_of<Number> const& all, Number wanted) {
    auto const after = std::upper_bound(
        all.begin(), all.end(), wanted, [](Number n, number_range<Number> const& r) { return n < r.first; });
    return after != all.begin() && wanted <= std::prev(after)->last;
}

template <class Number>
ranges_of<Number> united(ranges_of<Number> const& one, ranges_of<Number> const& other) {
    ranges_of<Number> out;
    out.reserve(one.size() + other.size());
    std::merge(one.begin(), one.end(), other.begin(), other.end(), std::back_inserter(out));
    merge(out);
    return out;
}

template <class Number>
ranges_of<Number> left_of(ranges_of<Number> const& all, ranges_of<Number> const& holes) {
    ranges_of<Number> out;
    out.reserve(all.size() + holes.size());
    auto hole = holes.begin();
    for (auto rest : all) {
        while (hole != holes.end() && hole->last < rest.first) ++hole;
        bool left = true;
        // A hole that reaches beyond this range may cut the next one too.
        for (; left && hole != holes.end() && hole->first <= rest.last; ++hole) {
            if (rest.first < hole->first) out.push_back({rest.first, hole->first - 1});
            if (rest.last <= hole->last) {
                left = false;
                break;
            }
            rest.first = hole->last + 1;
        }
        if (left) out.push_back(rest);
    }
    return out;
}

} // namespace

void ip_range_list::push_back(ip_range const& one) {
    if (one.first.is_v4())
        v4_.push_back({one.first.number_v4(), one.last.number_v4()});
    else
        v6_.push_back({one.first.number_v6(), one.last.number_v6()});
}

void ip_range_list::append(ip_range_list&& other) {
    if (empty()) {
        *this = std::move(other);
        return;
    }
    v4_.insert(v4_.end(), other.v4_.begin(), other.v4_.end());
    v6_.insert(v6_.end(), other.v6_.begin(), other.v6_.end());
}

ip_range ip_range_list::operator[](std::size_t at) const {
    if (at < v4_.size()) return {ip_address::v4(v4_[at].first), ip_address::v4(v4_[at].last)};
    auto const& r = v6_[at - v4_.size()];
    return {ip_address::v6_end(r.first), ip_address::v6_end(r.last)};
}

ip_range_set::ip_range_set(std::vector<ip_range> const& any)
    : ip_range_set{[&any] {
          ip_range_list all;
          for (auto const& one : any) all.push_back(one);
          return all;
      }()} {}

ip_range_set::ip_range_set(ip_range_list any) : all_{std::move(any)} {
    sort_and_merge(all_.v4_);
    sort_and_merge(all_.v6_);
}

std::optional<ip_range_set> ip_range_set::of_sorted(std::vector<v4_range> v4, std::vector<v6_range> v6) {
    if (!is_set(v4) || !is_set(v6)) return std::nullopt;
    ip_range_set made;
    made.all_.v4_ = std::move(v4);
    made.all_.v6_ = std::move(v6);
    return made;
}

bool ip_range_set::contains(ip_address const& a) const {
    return a.is_v4() ? ccbt::contains(all_.v4_, a.number_v4()) : ccbt::contains(all_.v6_, a.number_v6());
}

ip_range_set ip_range_set::united_with(ip_range_set const& other) const {
    ip_range_set out;
    out.all_.v4_ = united(all_.v4_, other.all_.v4_);
    out.all_.v6_ = united(all_.v6_, other.all_.v6_);
    return out;
}

ip_range_set ip_range_set::without(ip_range_set const& other) const {
    ip_range_set out;
    out.all_.v4_ = left_of(all_.v4_, other.all_.v4_);
    out.all_.v6_ = left_of(all_.v6_, other.all_.v6_);
    return out;
}

ip_range_set ip_range_set::complement() const {
    ip_range_set all;
    all.all_.v4_ = {{0, std::numeric_limits<std::uint32_t>::max()}};
    all.all_.v6_ = {{0, ~ipv6_number{0}}};
    return all.without(*this);
}

} // namespace ccbt
