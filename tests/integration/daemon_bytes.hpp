// A real daemon that is told exactly the bytes of a test, none of which may change anything: its lists, torrents and
// configuration are the same afterwards, and it stops in order.
#pragma once

#include "support/daemon.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace ccbt::support {

struct daemon_bytes : testing::Test {
    temp_folder root{};
    daemon one{{.folder = root / "one", .interface = "127.0.0.5"}};
    std::string before;

    void SetUp() override {
        ASSERT_EQ(one.post("/security/blacklist", R"({"ip":"192.0.2.1"})").status, 200);
        before = state();
    }
    void TearDown() override {
        EXPECT_TRUE(one.running().is_running());
        EXPECT_EQ(state(), before) << "what is refused changes nothing";
        EXPECT_EQ(one.terminate(), 0);
    }

    [[nodiscard]] std::string state() const {
        std::string all;
        for (auto const* path :
             {"/torrents", "/queue", "/config", "/security/blacklist", "/security/whitelist", "/keys"})
            all += one.get(path).body + '\n';
        return all;
    }
    [[nodiscard]] std::string host() const {
        return "Host: 127.0.0.1:" + std::to_string(one.port()) + "\r\n";
    }
    [[nodiscard]] std::string key() const { return host() + "X-CCBT-API-Key: " + one.key() + "\r\n"; }
    /// A request that would change something: what is smuggled in.
    [[nodiscard]] std::string change() const {
        std::string const body = R"({"ip":"192.0.2.66"})";
        return "POST /api/v1/security/blacklist HTTP/1.1\r\n" + key() +
               "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    }
    [[nodiscard]] static std::string said(answer const& a) {
        return std::to_string(a.status) + ' ' + a.code();
    }
};

} // namespace ccbt::support
