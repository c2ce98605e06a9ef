// X-CCBT-Revision stands on every answer, those that the door gives by itself too.
#include "support/daemon.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace ccbt::support {

namespace {

TEST(daemon_revision, every_answer_tells_at_which_revision_it_holds) {
    temp_folder const root{};
    daemon const one{{.folder = root / "one"}};
    auto const host = "127.0.0.1:" + std::to_string(one.port());
    auto const key = one.key();
    struct asked {
        int status;
        std::string text;
    };
    auto const with = [&](std::string const& line, std::string const& more, std::string const& body = "") {
        return line + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n" + body;
    };
    auto const keyed = "X-CCBT-API-Key: " + key + "\r\n";
    std::vector<asked> const all{
        {200, with("GET /api/v1/status", keyed)},
        {200, with("GET /health", "")},
        {401, with("GET /api/v1/status", "")},
        {404, with("GET /api/v1/nowhere", keyed)},
        {405, with("PUT /api/v1/status", keyed)},
        {421, "GET /api/v1/status HTTP/1.1\r\nHost: elsewhere\r\n\r\n"},
        {403, with("GET /api/v1/status", keyed + "Origin: http://elsewhere\r\n")},
        {415,
         with("POST /api/v1/queue/add", keyed + "Content-Type: text/plain\r\nContent-Length: 2\r\n", "{}")},
        {400, with(
                  "POST /api/v1/queue/add", keyed + "Content-Type: application/json\r\nContent-Length: 1\r\n",
                  "{")},
        {413, with(
                  "POST /api/v1/queue/add",
                  keyed + "Content-Type: application/json\r\nContent-Length: 2000000\r\n")},
        {414, with("GET /" + std::string(9000, 'a'), keyed)},
        {431, with("GET /api/v1/status", keyed + "X-Long: " + std::string(17'000, 'a') + "\r\n")},
        {400, "nonsense\r\n\r\n"}};
    for (auto const& one_of : all) {
        http_connection to{"127.0.0.1", one.port()};
        ASSERT_TRUE(to.send(one_of.text));
        auto const said = to.receive();
        EXPECT_EQ(said.status, one_of.status) << one_of.text.substr(0, 60) << said.body;
        EXPECT_NE(said.header("x-ccbt-revision"), "") << one_of.text.substr(0, 60);
    }
    auto const before = one.get("/status").header("x-ccbt-revision");
    EXPECT_EQ(one.get("/nowhere").header("x-ccbt-revision"), before) << "the same truth, the same revision";
    ASSERT_EQ(one.call("PUT", "/config", R"({"limits":{"global_up_kib":1}})").status, 200);
    EXPECT_NE(one.get("/nowhere").header("x-ccbt-revision"), before);
}

} // namespace

} // namespace ccbt::support
