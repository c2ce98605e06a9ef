// P1 where the disk fails: EIO at fsync, no space at a write. What was not kept is not claimed, reads go on, and after
// a restart the ledger is right.
#include "faults/rounds.hpp"
#include "support/ledger.hpp"
#include "support/strace.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace ccbt::support {

namespace {

struct failing_disk : testing::Test {
    temp_folder folder;
    ledger kept;
    int asked = 0;

    void SetUp() override {
        if (!no_strace().empty()) GTEST_SKIP() << no_strace();
    }
    /// Blacklists one address more; what was answered.
    answer list_one(daemon const& with) {
        auto const ip = "10.7.0." + std::to_string(++asked);
        auto const ticket = kept.ask({{"b/" + ip, "why"}});
        auto said = with.post("/security/blacklist", R"({"ip":")" + ip + R"(","reason":"why"})");
        if (said.status == 200) kept.acknowledge(ticket);
        if (said.status == 507) kept.refuse(ticket);
        return said;
    }
    static int health(daemon const& of) {
        http_connection ask{"127.0.0.1", of.port()};
        return ask.ask("GET", "/health", {{"Host", "127.0.0.1:" + std::to_string(of.port())}}).status;
    }
    void restart(daemon& one) {
        one.kill9();
        one.start();
        kept.compare(one);
        EXPECT_TRUE(kept.found().is_clean()) << kept.found().first;
        EXPECT_EQ(list_one(one).status, 200) << "after a restart it takes changes again";
    }
};

TEST_F(failing_disk, an_fsync_that_fails_is_503_and_nothing_is_taken_until_a_restart) {
    daemon under{{.folder = folder.path()}};
    kept.begin(holdings_of(under));
    ASSERT_EQ(list_one(under).status, 200);
    EXPECT_EQ(health(under), 200);
    {
        injection const into{under.running().pid(), folder.path(), "fdatasync", "error=EIO:when=1"};
        auto const said = list_one(under);
        EXPECT_EQ(said.status, 503);
        EXPECT_EQ(said.code(), "STATE_IO_ERROR");
        EXPECT_EQ(under.get("/torrents").status, 200);
        auto const listed = under.get("/security/blacklist");
        EXPECT_EQ(listed.json.number_or("count", -1), 1) << "what was not kept is not there: " << listed.body;
        EXPECT_EQ(health(under), 503);
    }
    // The disk is well again, and what SQLite's pages hold may not be what lies on it.
    auto const said = list_one(under);
    EXPECT_EQ(said.status, 503) << "read-only until a restart";
    EXPECT_EQ(said.code(), "STATE_IO_ERROR");
    restart(under);
}

TEST_F(failing_disk, a_write_that_fails_is_503_and_nothing_is_claimed) {
    daemon under{{.folder = folder.path()}};
    kept.begin(holdings_of(under));
    ASSERT_EQ(list_one(under).status, 200);
    {
        injection const into{under.running().pid(), folder.path(), "pwrite64", "error=EIO"};
        EXPECT_EQ(list_one(under).status, 503);
        EXPECT_EQ(under.get("/torrents").status, 200);
        EXPECT_EQ(under.get("/security/blacklist").json.number_or("count", -1), 1);
    }
    restart(under);
}

TEST_F(failing_disk, no_space_at_the_nth_write_is_507_and_is_over_when_there_is_space_again) {
    daemon under{{.folder = folder.path()}};
    kept.begin(holdings_of(under));
    ASSERT_EQ(list_one(under).status, 200);
    int n = 1;
    for (;; ++n) {
        ASSERT_LT(n, 100);
        auto const before = under.get("/security/blacklist").json.number_or("count", -1);
        injection into{
            under.running().pid(), folder.path(), "pwrite64", "error=ENOSPC:when=" + std::to_string(n) + '+'};
        auto const said = list_one(under);
        if (said.status == 200) break; // it takes no more than n - 1 writes
        EXPECT_EQ(said.status, 507) << n;
        EXPECT_EQ(said.code(), "STATE_STORAGE_FULL");
        EXPECT_EQ(under.get("/torrents").status, 200);
        EXPECT_EQ(under.get("/security/blacklist").json.number_or("count", -1), before);
        into.end();
        ASSERT_EQ(list_one(under).status, 200) << "there is space again, after write " << n;
    }
    EXPECT_GT(n, 1);
    faults::say("no space", "at each of {} writes: 507, and the next change is taken", n - 1);
    restart(under);
}

} // namespace

} // namespace ccbt::support
