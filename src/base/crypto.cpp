#include "base/crypto.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <memory>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

namespace ccbt::crypto {

namespace {

struct deleter {
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
    void operator()(BIO* p) const { BIO_free_all(p); }
};
using pkey = std::unique_ptr<EVP_PKEY, deleter>;
using context = std::unique_ptr<EVP_MD_CTX, deleter>;
using bio = std::unique_ptr<BIO, deleter>;

unsigned char const* bytes(std::string_view text) {
    return reinterpret_cast<unsigned char const*>(text.data());
}

pkey private_key(secret_key const& secret) {
    return pkey{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.data(), secret.size())};
}

// Nobody types a passphrase here.
int no_passphrase(char*, int, int, void*) { return -1; }

} // namespace

digest sha256(std::string_view text) {
    digest out{};
    ::SHA256(bytes(text), text.size(), out.data());
    return out;
}

bool equal(std::span<std::uint8_t const> a, std::span<std::uint8_t const> b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::optional<digest> random_32() {
    digest out{};
    if (RAND_priv_bytes(out.data(), static_cast<int>(out.size())) != 1) return std::nullopt;
    return out;
}

std::optional<public_key> public_key_of(secret_key const& secret) {
    auto const key = private_key(secret);
    public_key out{};
    auto size = out.size();
    if (!key || EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) != 1 || size != out.size())
        return std::nullopt;
    return out;
}

std::optional<signature> sign(secret_key const& secret, std::string_view message) {
    auto const key = private_key(secret);
    context const with{EVP_MD_CTX_new()};
    signature out{};
    auto size = out.size();
    if (!key || !with || EVP_DigestSignInit(with.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
        EVP_DigestSign(with.get(), out.data(), &size, bytes(message), message.size()) != 1)
        return std::nullopt;
    return out;
}

bool verify(public_key const& by, std::string_view message, signature const& made) {
    pkey const key{EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, by.data(), by.size())};
    context const with{EVP_MD_CTX_new()};
    return key && with && EVP_DigestVerifyInit(with.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(with.get(), made.data(), made.size(), bytes(message), message.size()) == 1;
}

bool is_small_order(public_key const& key) {
    // Their y coordinates, little-endian, the two that are not reduced among them; the sign of x is the top bit.
    static constexpr std::array<std::string_view, 7> known{
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
    auto y = key;
    y.back() &= 0x7f;
    return std::find(known.begin(), known.end(), text::to_hex(y)) != known.end();
}

std::string to_pem(secret_key const& secret) {
    auto const key = private_key(secret);
    bio const into{BIO_new(BIO_s_mem())};
    if (!key || !into ||
        PEM_write_bio_PKCS8PrivateKey(into.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
        return {};
    char* data = nullptr;
    auto const size = BIO_get_mem_data(into.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::optional<secret_key> from_pem(std::string_view pem) {
    if (pem.size() > 100'000) return std::nullopt;
    bio const from{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    if (!from) return std::nullopt;
    pkey const key{PEM_read_bio_PrivateKey(from.get(), nullptr, &no_passphrase, nullptr)};
    secret_key out{};
    auto size = out.size();
    if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_private_key(key.get(), out.data(), &size) != 1 || size != out.size())
        return std::nullopt;
    return out;
}

template <std::size_t N> std::optional<std::array<std::uint8_t, N>> fixed_from_hex(std::string_view digits) {
    if (digits.size() != 2 * N) return std::nullopt;
    auto const read = text::from_hex(digits);
    if (!read) return std::nullopt;
    std::array<std::uint8_t, N> out{};
    std::copy(read->begin(), read->end(), out.begin());
    return out;
}
template std::optional<std::array<std::uint8_t, 32>> fixed_from_hex<32>(std::string_view);
template std::optional<std::array<std::uint8_t, 64>> fixed_from_hex<64>(std::string_view);

} // namespace ccbt::crypto
