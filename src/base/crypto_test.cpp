#include "base/crypto.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

namespace ccbt::crypto {
namespace {

std::string bytes_of(std::string_view hex) {
    auto const read = text::from_hex(hex).value();
    return {read.begin(), read.end()};
}

TEST(ed25519, signs_and_verifies_as_rfc_8032_says) { // its 7.1, TEST 1, 2, 3 and SHA(abc)
    struct vector {
        char const *secret, *known, *message, *made;
    };
    for (
        auto const& v : {
            vector{
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
                "d25bf5f0595bbe24655141438e7a100b"},
            vector{
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
                "387b2eaeb4302aeeb00d291612bb0c00"},
            vector{
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
                "4a7c15e9716ed28dc027beceea1ec40a"},
            vector{
                "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
                "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
                "454d4423643ce80e2a9ac94fa54ca49f",
                "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
                "3dca179c138ac17ad9bef1177331a704"},
        }) {
        auto const secret = fixed_from_hex<32>(v.secret).value();
        auto const message = bytes_of(v.message);
        auto const known = public_key_of(secret).value();
        EXPECT_EQ(text::to_hex(known), v.known);
        auto const made = sign(secret, message).value();
        EXPECT_EQ(text::to_hex(made), v.made);
        EXPECT_TRUE(verify(known, message, made));
        EXPECT_FALSE(verify(known, message + "x", made));
        for (std::size_t at = 0; at < made.size(); ++at) {
            auto other = made;
            other[at] ^= 1;
            EXPECT_FALSE(verify(known, message, other)) << "byte " << at;
        }
        auto stranger = known;
        stranger[0] ^= 1;
        EXPECT_FALSE(verify(stranger, message, made));
    }
}

TEST(ed25519, takes_no_second_form_of_a_signature) { // S + L: as good for a verifier that does not look
    auto const secret = fixed_from_hex<32>(std::string(64, '7')).value();
    auto made = sign(secret, "text").value();
    auto const order = bytes_of("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    int carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        carry += made[32 + i] + static_cast<std::uint8_t>(order[i]);
        made[32 + i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
    EXPECT_FALSE(verify(public_key_of(secret).value(), "text", made));
}

TEST(ed25519, knows_points_of_small_order_for_which_anybody_signs) {
    public_key const identity{1};
    signature forged{};
    forged[0] = 1; // R the identity, S zero
    EXPECT_TRUE(verify(identity, "whatever", forged)) << "OpenSSL does not look: who trusts a key must";
    EXPECT_TRUE(is_small_order(identity));
    EXPECT_TRUE(is_small_order({}));
    for (auto const* hex :
         {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"})
        EXPECT_TRUE(is_small_order(fixed_from_hex<32>(hex).value())) << "the sign of x is no part of it";
    EXPECT_FALSE(is_small_order(public_key_of(fixed_from_hex<32>(std::string(64, '7')).value()).value()));
}

TEST(ed25519, keeps_a_key_as_pem) {
    auto const secret = fixed_from_hex<32>(std::string(64, '7')).value();
    auto const pem = to_pem(secret);
    EXPECT_TRUE(pem.starts_with("-----BEGIN PRIVATE KEY-----\n")) << pem;
    EXPECT_EQ(from_pem(pem), secret);
    for (std::string_view const other :
         {"", "7777", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"})
        EXPECT_FALSE(from_pem(other)) << other;
}

TEST(crypto, makes_random_bytes_and_reads_fixed_hex) {
    EXPECT_NE(random_32(), random_32());
    EXPECT_EQ(
        text::to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_FALSE(fixed_from_hex<32>(std::string(63, 'a')));
    EXPECT_FALSE(fixed_from_hex<32>(std::string(66, 'a')));
    EXPECT_FALSE(fixed_from_hex<32>(std::string(63, 'a') + 'g'));
    EXPECT_TRUE(fixed_from_hex<32>(std::string(64, 'A')));
}

} // namespace
} // namespace ccbt::crypto
