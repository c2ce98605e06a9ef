#include "executor/pace.hpp"

#include <gtest/gtest.h>

namespace ccbt::executor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(pace, each_caller_has_so_many_a_minute_and_is_told_how_long_to_wait) {
    pace of;
    auto const start = steady::now();
    EXPECT_EQ(of.wait("a", 2, start), 0);
    EXPECT_EQ(of.wait("a", 2, start + seconds{20}), 0);
    EXPECT_EQ(of.wait("a", 2, start + milliseconds{20'500}), 40) << "39.5 s";
    EXPECT_EQ(of.wait("b", 2, start + seconds{21}), 0) << "another's are not counted for this one";
    EXPECT_EQ(of.wait("a", 2, start + seconds{60}), 0) << "the first is a minute ago";
    EXPECT_EQ(of.wait("a", 2, start + seconds{60}), 20);
    EXPECT_EQ(of.wait("a", 3, start + seconds{60}), 0) << "the limit is what it is now";
}

} // namespace
} // namespace ccbt::executor
