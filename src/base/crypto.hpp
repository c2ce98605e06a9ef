// SHA-256, random bytes and Ed25519 (RFC 8032), by OpenSSL. Pure functions but for the random ones; any thread. Knows
// nothing of what is signed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ccbt::crypto {

using digest = std::array<std::uint8_t, 32>;
[[nodiscard]] digest sha256(std::string_view text);
/// In a time that tells nothing of where they differ.
[[nodiscard]] bool equal(std::span<std::uint8_t const> a, std::span<std::uint8_t const> b);
/// From the kernel, by OpenSSL; nothing where it has none.
[[nodiscard]] std::optional<digest> random_32();

using public_key = std::array<std::uint8_t, 32>;
using secret_key = std::array<std::uint8_t, 32>; // RFC 8032's private key: the seed
using signature = std::array<std::uint8_t, 64>;

[[nodiscard]] std::optional<public_key> public_key_of(secret_key const& secret);
[[nodiscard]] std::optional<signature> sign(secret_key const& secret, std::string_view message);
/// OpenSSL's check: without the cofactor, R compared as bytes, S below the group's order. So nobody but the owner of
/// the key makes a second signature out of one.
[[nodiscard]] bool verify(public_key const& by, std::string_view message, signature const& made);
/// A point of order 1, 2, 4 or 8: anybody can sign for such a "key".
[[nodiscard]] bool is_small_order(public_key const& key);

/// PKCS#8 in PEM, as `openssl pkey` reads and writes it.
[[nodiscard]] std::string to_pem(secret_key const& secret);
[[nodiscard]] std::optional<secret_key> from_pem(std::string_view pem); // an Ed25519 key without a passphrase

/// Exactly `N` bytes as hex digits of either case.
template <std::size_t N>
[[nodiscard]] std::optional<std::array<std::uint8_t, N>> fixed_from_hex(std::string_view digits);

} // namespace ccbt::crypto
