// X-Forwarded-For is nobody's word but a configured proxy's, and then it says whose wrong keys are counted.
#include "support/daemon.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace ccbt::support {

namespace {

struct daemon_proxies : testing::Test {
    temp_folder root{};
    daemon one{
        {.folder = root / "one",
         .interface = "127.0.0.6",
         .settings = {{"daemon.trusted_proxies", R"(["127.8.0.1"])"}, {"limits.failed_keys", "1"}}}};

    // A wrong key through `from`, which says that it comes from another.
    [[nodiscard]] int wrong(std::string const& from, std::string const& forwarded) {
        http_connection line{"127.0.0.1", one.port(), from};
        return line
            .ask(
                "GET", "/api/v1/status",
                {{"Host", "127.0.0.1:" + std::to_string(one.port())},
                 {"X-CCBT-API-Key", "wrong"},
                 {"X-Forwarded-For", forwarded}})
            .status;
    }
};

TEST_F(daemon_proxies, one_that_is_listed_tells_whose_guesses_they_are) {
    EXPECT_EQ(wrong("127.8.0.1", "198.51.100.1"), 401);
    EXPECT_EQ(wrong("127.8.0.1", "198.51.100.1"), 429);
    EXPECT_EQ(wrong("127.8.0.1", "198.51.100.2"), 401) << "another's first";
    EXPECT_EQ(wrong("127.8.0.1", "198.51.100.3, 198.51.100.2"), 429) << "the first is the client's own word";
    EXPECT_EQ(wrong("127.8.0.1", "198.51.100.2, 127.8.0.1"), 429) << "a chain of ours";
}

TEST_F(daemon_proxies, one_that_is_not_listed_is_the_source_itself_whatever_it_says) {
    EXPECT_EQ(wrong("127.8.0.2", "198.51.100.9"), 401);
    EXPECT_EQ(wrong("127.8.0.2", "198.51.100.10"), 429);
    EXPECT_EQ(wrong("127.8.0.1", "198.51.100.9"), 401) << "and it counted for nobody else";
}

} // namespace

} // namespace ccbt::support
