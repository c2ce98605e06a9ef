#include "base/certificate.hpp"

#include <gtest/gtest.h>

namespace ccbt::tls {
namespace {

TEST(certificate, is_good_for_its_names_and_its_time_and_no_others) {
    auto const made = make_pair({"localhost", "127.0.0.1", "::1", "nas.example"}, 40);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->certificate.rfind("-----BEGIN CERTIFICATE-----", 0), 0U);
    EXPECT_EQ(made->key.rfind("-----BEGIN PRIVATE KEY-----", 0), 0U);
    EXPECT_TRUE(covers(made->certificate, {"localhost", "127.0.0.1", "::1", "nas.example"}, 30));
    EXPECT_TRUE(covers(made->certificate, {"NAS.example"}, 39));
    EXPECT_FALSE(covers(made->certificate, {"localhost"}, 41)) << "it ends before";
    EXPECT_FALSE(covers(made->certificate, {"localhost", "other.example"}, 1));
    EXPECT_FALSE(covers(made->certificate, {"127.0.0.2"}, 1));
    EXPECT_FALSE(covers(made->certificate, {"sub.nas.example"}, 1));
}

TEST(certificate, no_two_are_the_same_and_what_is_none_covers_nothing) {
    EXPECT_NE(make_pair({"localhost"}, 1)->certificate, make_pair({"localhost"}, 1)->certificate);
    EXPECT_FALSE(covers("", {"localhost"}, 0));
    EXPECT_FALSE(covers("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n", {}, 0));
}

} // namespace
} // namespace ccbt::tls
