// base/text, base/ip_range and the short texts of contract: hex, base64, percent-encoding, addresses, tokens, times.
#include "base/ip_range.hpp"
#include "base/text.hpp"
#include "contract/signature.hpp"
#include "contract/types.hpp"
#include "fuzz.hpp"

#include <arpa/inet.h>
#include <cmath>

namespace ccbt::fuzz {

namespace {

text::bytes_view as_bytes(std::string_view s) {
    return {reinterpret_cast<std::uint8_t const*>(s.data()), s.size()};
}

void hold_codings(std::string_view s) {
    require(text::percent_decode(text::percent_encode(s)) == std::string{s}, "percent-encoding goes back", s);
    for (bool const form : {false, true})
        if (auto const plain = text::percent_decode(s, form))
            require(plain->size() <= s.size(), "decoding makes nothing longer", s);
    auto const hex = text::from_hex(text::to_hex(as_bytes(s)));
    require(
        hex && std::string_view{reinterpret_cast<char const*>(hex->data()), hex->size()} == s,
        "hex goes back", s);
    if (auto const bytes = text::from_hex(s))
        require(text::to_hex(*bytes) == text::lower(s), "hex says its bytes", s);
    require(text::from_base64(text::to_base64(as_bytes(s))) == std::string{s}, "base64 goes back", s);
    if (auto const bytes = text::from_base64(s)) {
        std::string plain{s};
        for (auto& c : plain) c = c == '-' ? '+' : c == '_' ? '/' : c;
        while (plain.size() % 4 != 0) plain += '=';
        require(text::to_base64(as_bytes(*bytes)) == plain, "one text says these bytes, and no other", s);
    }
    auto const repaired = text::to_valid_utf8(s);
    require(text::is_valid_utf8(repaired), "repaired text is UTF-8", s);
    if (text::is_valid_utf8(s)) require(repaired == s, "good text is not repaired", s);
}

void hold_address(std::string const& s) {
    auto const read = ip_address::parse(s);
    in_addr four{};
    in6_addr six{};
    bool const is_known =
        ::inet_pton(AF_INET, s.c_str(), &four) == 1 || ::inet_pton(AF_INET6, s.c_str(), &six) == 1;
    if (s.find('\0') == s.npos)
        require(read.has_value() == is_known, "an address is what the system takes for one", s);
    if (!read) return;
    require(ip_address::parse(read->text()) == *read, "an address reads back", s);
    ip_range_set const alone{{ip_range{*read, *read}}};
    require(
        alone.contains(*read) && !alone.complement().contains(*read) && alone.ranges()[0].first == *read,
        "an address is the number that it is held as", s);
}

void hold_range(std::string_view s) {
    auto const read = ip_range::parse(s);
    if (!read) {
        require(
            text::is_valid_utf8(read.error()) || !text::is_valid_utf8(s), "a refusal is told in UTF-8", s);
        return;
    }
    require(
        read->first <= read->last && read->first.is_v4() == read->last.is_v4(), "a range has an order", s);
    auto const again = ip_range::parse(read->text());
    require(again && *again == *read && again->text() == read->text(), "a range reads back", s);
}

void hold_set(std::string_view s) {
    std::vector<ip_range> all;
    for (auto const line : text::split(s, '\n'))
        if (auto const one = ip_range::parse(line)) all.push_back(*one);
    ip_range_set const set{all};
    for (auto const& one : all)
        require(set.contains(one.first) && set.contains(one.last), "a set holds its ranges", s);
    auto const apart = [](auto const& one, auto const& next) {
        return one.last < next.first && next.first - one.last > 1;
    };
    for (std::size_t i = 1; i < set.v4().size(); ++i)
        require(apart(set.v4()[i - 1], set.v4()[i]), "ranges neither overlap nor touch", s);
    for (std::size_t i = 1; i < set.v6().size(); ++i)
        require(apart(set.v6()[i - 1], set.v6()[i]), "ranges neither overlap nor touch", s);
    require(set.complement().complement() == set, "all but all others is the set", s);
    require(set.without(set).empty() && set.united_with(set) == set, "a set with itself", s);
    ip_range_set const half{{all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2)}};
    require(set.without(half).united_with(half) == set, "taken out and put back", s);
}

} // namespace

void look_at(std::string_view bytes) {
    hold_codings(bytes);
    hold_address(std::string{bytes});
    hold_range(bytes);
    hold_set(bytes);
    if (auto const hash = contract::info_hash::parse(bytes))
        require(hash->hex() == text::lower(bytes), "an info-hash says its digits", bytes);
    if (auto const read = contract::revision::parse(bytes)) {
        auto const again = contract::revision::parse(read->token());
        require(again && again->token() == read->token(), "a revision reads back", bytes);
    }
    if (auto const at = contract::read_timestamp(bytes))
        require(std::isfinite(*at) && *at >= 0 && *at < 1e12, "a time is one", bytes);
}

} // namespace ccbt::fuzz
