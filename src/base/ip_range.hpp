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

__extension__ using ipv6_number = unsigned __int128;

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
    [[nodiscard]] ipv6_number number_v6() const { return ipv6_number{half(0)} << 64 | half(8); }
    [[nodiscard]] std::string text() const; // normal form, RFC 5952

    bool operator==(ip_address const&) const = default;
    std::strong_ordering operator<=>(ip_address const& other) const { // all of IPv4 before all of IPv6
        if (is_v6_ != other.is_v6_) return is_v6_ <=> other.is_v6_;
        if (auto const order = half(0) <=> other.half(0); std::is_neq(order)) return order;
        return half(8) <=> other.half(8);
    }

private:
    friend class ip_range_list;
    // As it is: where a range of IPv6 ends beside ::ffff:0:0/96, its end is in IPv4's clothes and of IPv6 still.
    [[nodiscard]] static ip_address v6_end(ipv6_number number);
    [[nodiscard]] std::uint64_t half(std::size_t from) const { // as a number
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

/// A range of one family as numbers, both ends counted.
template <class Number> struct number_range {
    Number first{}, last{};
    auto operator<=>(number_range const&) const = default;
};
using v4_range = number_range<std::uint32_t>;
using v6_range = number_range<ipv6_number>;

/// Ranges in any order, kept small: millions of them are read before they are sorted.
class ip_range_list {
public:
    void push_back(ip_range const& one);
    void append(ip_range_list&& other);
    [[nodiscard]] std::size_t size() const { return v4_.size() + v6_.size(); }
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] ip_range operator[](std::size_t at) const; // those of IPv4 first
    bool operator==(ip_range_list const&) const = default;

private:
    friend class ip_range_set;
    std::vector<v4_range> v4_;
    std::vector<v6_range> v6_;
};

/// Sorted ranges that neither overlap nor touch, IPv4 first.
class ip_range_set {
public:
    /// Makes each range when it is asked for.
    class view {
    public:
        struct iterator {
            using value_type = ip_range;
            using difference_type = std::ptrdiff_t;
            ip_range_list const* of = nullptr;
            std::size_t at = 0;
            ip_range operator*() const { return (*of)[at]; }
            iterator& operator++() {
                ++at;
                return *this;
            }
            bool operator==(iterator const&) const = default;
        };
        explicit view(ip_range_list const& of) : of_{&of} {}
        [[nodiscard]] std::size_t size() const { return of_->size(); }
        [[nodiscard]] ip_range operator[](std::size_t at) const { return (*of_)[at]; }
        [[nodiscard]] iterator begin() const { return {of_, 0}; }
        [[nodiscard]] iterator end() const { return {of_, size()}; }

    private:
        ip_range_list const* of_;
    };

    ip_range_set() = default;
    explicit ip_range_set(std::vector<ip_range> const& any); // sorts and merges
    explicit ip_range_set(ip_range_list any);                // the same
    /// Of ranges that are one already; nothing where they overlap, touch or are out of order.
    [[nodiscard]] static std::optional<ip_range_set> of_sorted(
        std::vector<v4_range> v4, std::vector<v6_range> v6);

    [[nodiscard]] bool contains(ip_address const& a) const;
    [[nodiscard]] view ranges() const { return view{all_}; }
    [[nodiscard]] std::span<v4_range const> v4() const { return all_.v4_; }
    [[nodiscard]] std::span<v6_range const> v6() const { return all_.v6_; }
    [[nodiscard]] std::size_t count_v4() const { return all_.v4_.size(); }
    [[nodiscard]] std::size_t count_v6() const { return all_.v6_.size(); }
    [[nodiscard]] bool empty() const { return all_.empty(); }

    [[nodiscard]] ip_range_set united_with(ip_range_set const& other) const;
    [[nodiscard]] ip_range_set without(ip_range_set const& other) const;
    [[nodiscard]] ip_range_set complement() const; // of both families

    bool operator==(ip_range_set const&) const = default;

private:
    ip_range_list all_;
};

} // namespace ccbt
