#include "contract/transfers.hpp"

#include <gtest/gtest.h>

namespace ccbt::contract {
namespace {

TEST(transfers, a_tracker_is_told_without_its_passkey) {
    EXPECT_EQ(without_passkey("http://t.example:6969/announce"), "http://t.example:6969/announce");
    EXPECT_EQ(without_passkey("udp://t.example:1337"), "udp://t.example:1337");
    EXPECT_EQ(
        without_passkey("https://t.example/0123456789abcdef0123456789abcdef/announce"),
        "https://t.example/***/announce");
    EXPECT_EQ(without_passkey("https://t.example/announce/a1b2c3d4"), "https://t.example/announce/***");
    EXPECT_EQ(
        without_passkey("http://t.example/announce.php?passkey=1#x"), "http://t.example/announce.php?***");
    EXPECT_EQ(without_passkey("http://me:secret@t.example/announce"), "http://***@t.example/announce");
    EXPECT_EQ(without_passkey("http://t.example?key=1"), "http://t.example?***");
    EXPECT_EQ(without_passkey("http://t.example/a@b/announce"), "http://t.example/a@b/announce");
    EXPECT_EQ(without_passkey(""), "");
    EXPECT_EQ(without_passkey("no url"), "no url");
}

} // namespace
} // namespace ccbt::contract
