#include "contract/signature.hpp"

#include <gtest/gtest.h>

namespace ccbt::contract {
namespace {

TEST(signatures, cover_method_target_timestamp_and_body) {
    EXPECT_EQ(
        signed_text("POST", "/api/v1/torrents/add?a=b%20c", "1700000000", crypto::sha256(R"({"x":1})")),
        "POST /api/v1/torrents/add?a=b%20c\n1700000000\n"
        "5041bf1f713df204784353e82f6a4a535931cb64f1f4b4a5aeaffcb720918b22");
    EXPECT_EQ(
        signed_text("GET", "/api/v1/status", "1700000000.25", crypto::sha256("")),
        "GET /api/v1/status\n1700000000.25\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(signed_socket_text("/api/v1/events", "1700000000"), "GET /api/v1/events\n1700000000");
}

TEST(signatures, take_plain_decimal_timestamps_only) {
    EXPECT_EQ(read_timestamp("1700000000"), 1700000000.0);
    EXPECT_EQ(read_timestamp("1700000000.5"), 1700000000.5);
    EXPECT_EQ(read_timestamp("0"), 0.0);
    for (auto const* wrong :
         {"",    "+1",       "-1", " 1", "1 ",    "01",  "1e9", "1E9",   "0x10",         "nan",
          "inf", "infinity", "1.", ".5", "1.5.5", "1,5", "1_0", "1.5e3", "1700000000\n", "17000000000000",
          "１"})
        EXPECT_FALSE(read_timestamp(wrong)) << wrong;
    EXPECT_FALSE(read_timestamp("1." + std::string(40, '1')));
}

} // namespace
} // namespace ccbt::contract
