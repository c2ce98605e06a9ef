#include "server/authority.hpp"

#include <gtest/gtest.h>

namespace ccbt::server {
namespace {

using std::chrono::seconds;

class keys : public ::testing::Test {
protected:
    keys() { all.trust_key("secret", "configured"); }
    authority all;
    steady::time_point now{seconds{1000}};
};

TEST_F(keys, the_right_key_passes_and_has_its_name) {
    auto const v = all.check("secret", "10.0.0.1", now);
    EXPECT_TRUE(v.passed);
    EXPECT_TRUE(v.who.is_admin);
    EXPECT_EQ(v.who.principal, "configured");
}

TEST_F(keys, a_wrong_key_is_refused) {
    for (auto const* key : {"", "secre", "secrets", "Secret"}) {
        auto const v = all.check(key, key, now);
        EXPECT_FALSE(v.passed) << key;
        EXPECT_EQ(contract::row_of(v.refusal).name, "AUTH_REQUIRED");
        EXPECT_FALSE(v.who.is_admin);
    }
}

TEST_F(keys, an_empty_key_is_trusted_by_no_configuration) {
    authority none;
    none.trust_key("", "empty");
    EXPECT_FALSE(none.check("", "10.0.0.1", now).passed);
}

TEST_F(keys, the_eleventh_wrong_key_of_a_minute_is_slowed) {
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(contract::row_of(all.check("wrong", "10.0.0.1", now + seconds{i}).refusal).status, 401);
    auto const v = all.check("wrong", "10.0.0.1", now + seconds{20});
    EXPECT_EQ(contract::row_of(v.refusal).status, 429);
    EXPECT_EQ(v.retry_after, 41) << "the first of them is forgotten after 60 s";
    EXPECT_EQ(contract::row_of(all.check("wrong", "10.0.0.2", now).refusal).status, 401) << "another source";
    EXPECT_EQ(contract::row_of(all.check("wrong", "10.0.0.1", now + seconds{61}).refusal).status, 401);
}

TEST_F(keys, a_valid_key_passes_however_many_wrong_ones_came_before) {
    for (int i = 0; i < 50; ++i) (void)all.check("wrong", "10.0.0.1", now);
    EXPECT_TRUE(all.check("secret", "10.0.0.1", now).passed);
}

TEST_F(keys, no_key_at_all_is_no_guess) {
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(contract::row_of(all.check(std::nullopt, "10.0.0.1", now).refusal).status, 401);
    EXPECT_EQ(contract::row_of(all.check("wrong", "10.0.0.1", now).refusal).status, 401);
}

TEST_F(keys, many_sources_are_remembered_within_a_bound) {
    for (int i = 0; i < 10'000; ++i) (void)all.check("wrong", std::to_string(i), now);
    EXPECT_TRUE(all.check("secret", "1", now).passed);
    EXPECT_LE(all.sources(), 4096U);
}

} // namespace
} // namespace ccbt::server
