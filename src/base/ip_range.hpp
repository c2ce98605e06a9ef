// IP addresses as numbers, ranges of them, and sets of ranges that answer fast. Plain values, any thread; no sockets.
#pragma once

#include "base/result.hpp"

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt {

/// An IPv4 or IPv6 address. An IPv4 address in IPv6's clothes (::ffff:a.b.c.d) is the IPv4 address.
class ip_address {
public:
    ip_address() = default; // 0.0.0.0
    [[nodiscard]] static ip_address v4(std::uint32_t number);
    [[nodiscard]] static ip_address v6(std::array<std::uint8_t, 16> const& bytes); // network order
    /// Plain form only: no blank, zone, port, bracket or leading zero (RFC 4291 and dotted quad).
    [[nodiscard]] static std::optional<ip_address> parse(std::string_view text);

    [[nodiscard]] bool is_v4() const { return !is_v6_; }
    /// Network order; of IPv4 the first 4 count, the rest is zero.
    [[nodiscard]] std::array<std::uint8_t, 16> const& bytes() const { return bytes_; }
    [[nodiscard]] std::uint32_t number_v4() const;
    [[nodiscard]] std::string text() const; // normal form, RFC 5952

    [[nodiscard]] std::optional<ip_address> next() const;     // none after the last of its family
    [[nodiscard]] std::optional<ip_address> previous() const; // none before the first

    bool operator==(ip_address const&) const = default;
    std::strong_ordering operator<=>(ip_address const& other) const { // all of IPv4 before all of IPv6
        if (is_v6_ != other.is_v6_) return is_v6_ <=> other.is_v6_;
        if (auto const order = half(0) <=> other.half(0); std::is_neq(order)) return order;
        return half(8) <=> other.half(8);
    }

private:
    [[nodiscard]] std::uint64_t half(std::size_t from) const { // as a number: millions are sorted by it
        std::uint64_t n = 0;
        std::memcpy(&n, bytes_.data() + from, sizeof n);
        if constexpr (std::endian::native == std::endian::little) n = __builtin_bswap64(n);
        return n;
    }
    bool is_v6_ = false; // first, so that IPv4 sorts before IPv6
    std::array<std::uint8_t, 16> bytes_{};
};

/// All addresses from `first` to `last`, both counted, of one family.
struct ip_range {
    ip_address first, last;

    /// An address, a CIDR block (host bits are cleared) or "first-last", in plain form; the error is for people.
    [[nodiscard]] static expected<ip_range, std::string> parse(std::string_view text);
    /// Normal form: a single address, else the CIDR block that it is, else "first-last".
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool contains(ip_address const& a) const { return first <= a && a <= last; }
    auto operator<=>(ip_range const&) const = default;
};

/// Sorted ranges that neither overlap nor touch, IPv4 first.
class ip_range_set {
public:
    ip_range_set() = default;
    explicit ip_range_set(std::vector<ip_range> any); // sorts and merges
    [[nodiscard]] bool contains(ip_address const& a) const;
    [[nodiscard]] std::span<ip_range const> ranges() const { return ranges_; }
    [[nodiscard]] std::size_t count_v4() const { return count_v4_; }
    [[nodiscard]] std::size_t count_v6() const { return ranges_.size() - count_v4_; }
    [[nodiscard]] bool empty() const { return ranges_.empty(); }

    [[nodiscard]] ip_range_set united_with(ip_range_set const& other) const;
    [[nodiscard]] ip_range_set without(ip_range_set const& other) const;
    [[nodiscard]] ip_range_set complement() const; // of both families

    bool operator==(ip_range_set const&) const = default;

private:
    void merge_sorted(); // ranges_ is sorted: joins what overlaps or touches, and counts

    std::vector<ip_range> ranges_;
    std::size_t count_v4_ = 0;
};

} // namespace ccbt
