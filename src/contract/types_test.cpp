#include "contract/types.hpp"

#include <gtest/gtest.h>
#include <set>

namespace {

using ccbt::contract::info_hash;
using ccbt::contract::revision;

constexpr std::string_view v1 = "0123456789abcdef0123456789abcdef01234567";
constexpr std::string_view v2 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST(info_hash, reads_either_case_and_writes_lower_case) {
    auto const hash = info_hash::parse("0123456789ABCDEF0123456789abcDEF01234567");
    ASSERT_TRUE(hash);
    EXPECT_EQ(hash->hex(), v1);
    EXPECT_EQ(hash->size(), 20U);
    EXPECT_EQ(hash->bytes()[1], 0x23);
    EXPECT_FALSE(hash->is_v2());
    auto const longer = info_hash::parse(v2);
    ASSERT_TRUE(longer);
    EXPECT_EQ(longer->hex(), v2);
    EXPECT_TRUE(longer->is_v2());
}

TEST(info_hash, takes_40_or_64_digits_and_nothing_else) {
    for (std::size_t n = 0; n <= 70; ++n)
        EXPECT_EQ(info_hash::parse(std::string(n, 'a')).has_value(), n == 40 || n == 64) << n;
    EXPECT_FALSE(info_hash::parse("x123456789abcdef0123456789abcdef01234567"));
    EXPECT_FALSE(info_hash::parse(" 123456789abcdef0123456789abcdef01234567"));
    EXPECT_FALSE(info_hash::parse("0x23456789abcdef0123456789abcdef01234567"));
}

TEST(info_hash, is_none_until_it_is_given_20_or_32_bytes) {
    std::vector<std::uint8_t> const bytes(33, 1);
    EXPECT_FALSE(info_hash{});
    EXPECT_EQ(info_hash{}.hex(), "");
    EXPECT_TRUE((info_hash{std::span{bytes}.first(20)}));
    EXPECT_TRUE((info_hash{std::span{bytes}.first(32)}));
    EXPECT_FALSE((info_hash{std::span{bytes}.first(19)}));
    EXPECT_FALSE((info_hash{std::span{bytes}.first(33)}));
}

TEST(info_hash, a_v1_hash_is_not_the_v2_hash_that_begins_like_it) {
    auto const a = *info_hash::parse(std::string(40, '0'));
    auto const b = *info_hash::parse(std::string(64, '0'));
    EXPECT_NE(a, b);
    EXPECT_NE(a, info_hash{});
    EXPECT_EQ(a, *info_hash::parse(std::string(40, '0')));
    EXPECT_EQ(std::hash<info_hash>{}(a), std::hash<info_hash>{}(*info_hash::parse(std::string(40, '0'))));
}

TEST(info_hashes, a_hybrid_is_named_by_its_v1_hash) {
    auto const a = *info_hash::parse(v1);
    auto const b = *info_hash::parse(v2);
    EXPECT_EQ((ccbt::contract::info_hashes{a, b}.canonical()), a);
    EXPECT_EQ((ccbt::contract::info_hashes{a, {}}.canonical()), a);
    EXPECT_EQ((ccbt::contract::info_hashes{{}, b}.canonical()), b);
}

TEST(revision, goes_out_as_a_token_and_comes_back_the_same) {
    EXPECT_EQ((revision{0x1a, 7}.token()), "000000000000001a-7");
    for (auto const& r :
         {revision{0, 0}, revision{1, 2}, revision{UINT64_MAX, UINT64_MAX}, revision{0xabcdef, 1}}) {
        auto const back = revision::parse(r.token());
        ASSERT_TRUE(back) << r.token();
        EXPECT_EQ(*back, r);
    }
    EXPECT_EQ((revision{UINT64_MAX, UINT64_MAX}.token()), "ffffffffffffffff-18446744073709551615");
}

TEST(revision, a_token_that_no_daemon_made_is_refused) {
    for (std::string_view const bad :
         {"", "-", "7", "000000000000001a", "000000000000001a-", "000000000000001a7", "00000000000001a-7",
          "0000000000000001a-7", "00000000000000xa-7", "000000000000001a--7", "000000000000001a-+7",
          "000000000000001a-7 ", "000000000000001a-7x", " 00000000000001a-7", "-00000000000001a-7",
          "000000000000001a-18446744073709551616"})
        EXPECT_FALSE(revision::parse(bad)) << bad;
}

TEST(torrent_id, is_another_each_time) {
    std::set<ccbt::contract::torrent_id> made;
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(made.insert(ccbt::contract::make_torrent_id()).second);
}

TEST(torrent_state, has_the_names_of_the_contract) {
    using ccbt::contract::name_of;
    using ccbt::contract::torrent_state;
    EXPECT_EQ(name_of(torrent_state::starting), "starting");
    EXPECT_EQ(name_of(torrent_state::downloading), "downloading");
    EXPECT_EQ(name_of(torrent_state::seeding), "seeding");
    EXPECT_EQ(name_of(torrent_state::paused), "paused");
    EXPECT_EQ(name_of(torrent_state::stopped), "stopped");
    EXPECT_EQ(name_of(torrent_state::error), "error");
    EXPECT_EQ(name_of(torrent_state::checking), "checking");
    EXPECT_EQ(name_of(torrent_state::metadata), "metadata");
    EXPECT_EQ(name_of(torrent_state::queued), "queued");
}

TEST(prepared, copies_share_one_value_and_one_text) {
    ccbt::contract::prepared<std::string> const row{"held"};
    auto const copy = row;
    row.keep_text(ccbt::contract::counted_text("\"held\""));
    EXPECT_EQ(*copy, "held");
    EXPECT_EQ(copy.text().view(), "\"held\"");
    EXPECT_EQ(copy.text(), row.text());
    EXPECT_FALSE(ccbt::contract::prepared<std::string>{});
}

} // namespace
