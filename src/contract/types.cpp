#include "contract/types.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <sys/random.h>

namespace ccbt::contract {

info_hash::info_hash(std::span<std::uint8_t const> bytes) {
    if (bytes.size() != 20 && bytes.size() != 32) return;
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
    size_ = static_cast<std::uint8_t>(bytes.size());
}

std::optional<info_hash> info_hash::parse(std::string_view hex) {
    if (hex.size() != 40 && hex.size() != 64) return std::nullopt;
    auto const bytes = text::from_hex(hex);
    if (!bytes) return std::nullopt;
    return info_hash{*bytes};
}

std::string info_hash::hex() const { return text::to_hex(bytes()); }

torrent_id make_torrent_id() {
    torrent_id id;
    if (::getrandom(&id, sizeof id, 0) != sizeof id)
        throw std::runtime_error{"the kernel gave no random bytes"};
    return id;
}

std::string revision::token() const {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(incarnation >> (56 - 8 * i));
    return text::to_hex(bytes) + '-' + std::to_string(number);
}

std::optional<revision> revision::parse(std::string_view token) {
    auto const whole = [](std::string_view digits, int base) -> std::optional<std::uint64_t> {
        std::uint64_t value = 0;
        auto const [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
        if (failed != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
        return value;
    };
    if (token.size() < 18 || token[16] != '-') return std::nullopt;
    auto const incarnation = whole(token.substr(0, 16), 16);
    auto const number = whole(token.substr(17), 10);
    if (!incarnation || !number) return std::nullopt;
    return revision{*incarnation, *number};
}

} // namespace ccbt::contract

std::size_t std::hash<ccbt::contract::info_hash>::operator()(
    ccbt::contract::info_hash const& h) const noexcept {
    std::size_t out = 0; // a hash already: any eight bytes of it will do
    if (h.size() >= sizeof out) std::memcpy(&out, h.bytes().data(), sizeof out);
    return out;
}
