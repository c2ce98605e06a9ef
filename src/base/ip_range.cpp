#include "base/ip_range.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>
#include <iterator>

namespace ccbt {

namespace {

constexpr std::size_t longest_address = 45; // "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"
constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::size_t size_of(ip_address const& a) { return a.is_v4() ? 4 : 16; }

ip_address last_of_family(bool is_v4) {
    if (is_v4) return ip_address::v4(0xffffffff);
    std::array<std::uint8_t, 16> ones{};
    ones.fill(0xff);
    return ip_address::v6(ones);
}

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

std::optional<ip_address> ip_address::next() const {
    auto a = *this;
    for (auto i = size_of(a); i-- > 0;)
        if (++a.bytes_[i] != 0) return a;
    return std::nullopt;
}

std::optional<ip_address> ip_address::previous() const {
    auto a = *this;
    for (auto i = size_of(a); i-- > 0;)
        if (a.bytes_[i]-- != 0) return a;
    return std::nullopt;
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

ip_range_set::ip_range_set(std::vector<ip_range> any) : ranges_{std::move(any)} {
    if (!std::is_sorted(ranges_.begin(), ranges_.end())) std::sort(ranges_.begin(), ranges_.end());
    merge_sorted();
}

void ip_range_set::merge_sorted() {
    std::size_t kept = 0;
    for (auto const& one : ranges_) {
        if (kept != 0) {
            auto& before = ranges_[kept - 1];
            auto const beyond = before.last.next();
            if (before.last.is_v4() == one.first.is_v4() && (!beyond || one.first <= *beyond)) {
                before.last = std::max(before.last, one.last);
                continue;
            }
        }
        ranges_[kept++] = one;
    }
    ranges_.resize(kept);
    auto const first_v6 = std::partition_point(
        ranges_.begin(), ranges_.end(), [](ip_range const& r) { return r.first.is_v4(); });
    count_v4_ = static_cast<std::size_t>(first_v6 - ranges_.begin());
}

bool ip_range_set::contains(ip_address const& a) const {
    auto const after =
        std::upper_bound(ranges_.begin(), ranges_.end(), a, [](ip_address const& wanted, ip_range const& r) {
            return wanted < r.first;
        });
    return after != ranges_.begin() && std::prev(after)->contains(a);
}

ip_range_set ip_range_set::united_with(ip_range_set const& other) const {
    ip_range_set out;
    out.ranges_.reserve(ranges_.size() + other.ranges_.size());
    std::merge(
        ranges_.begin(), ranges_.end(), other.ranges_.begin(), other.ranges_.end(),
        std::back_inserter(out.ranges_));
    out.merge_sorted();
    return out;
}

ip_range_set ip_range_set::without(ip_range_set const& other) const {
    ip_range_set out;
    out.ranges_.reserve(ranges_.size() + other.ranges_.size());
    auto hole = other.ranges_.begin();
    for (auto rest : ranges_) {
        while (hole != other.ranges_.end() && hole->last < rest.first) ++hole;
        bool left = true;
        // A hole that reaches beyond this range may cut the next one too.
        for (; left && hole != other.ranges_.end() && hole->first <= rest.last; ++hole) {
            if (rest.first < hole->first) out.ranges_.push_back({rest.first, *hole->first.previous()});
            if (rest.last <= hole->last) {
                left = false;
                break;
            }
            rest.first = *hole->last.next();
        }
        if (left) out.ranges_.push_back(rest);
    }
    out.merge_sorted();
    return out;
}

ip_range_set ip_range_set::complement() const {
    ip_range_set all;
    all.ranges_ = {{ip_address::v4(0), last_of_family(true)}, {ip_address::v6({}), last_of_family(false)}};
    all.merge_sorted();
    return all.without(*this);
}

} // namespace ccbt
