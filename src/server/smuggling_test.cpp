// Requests that two readers could take for different ones: what stands behind them must never be a second request.
#include "server/raw_peer_test.hpp"

#include <gtest/gtest.h>

namespace ccbt::server {
namespace {

using testing::house;
using testing::raw_peer;

struct smuggling : ::testing::Test {
    house at;
    smuggling() { at.start(); }
    [[nodiscard]] std::string host() const { return "Host: 127.0.0.1:" + std::to_string(at.port) + "\r\n"; }
    [[nodiscard]] std::string post(std::string const& fields, std::string const& rest) const {
        return "POST /api/v1/echo HTTP/1.1\r\n" + host() +
               "X-CCBT-API-Key: secret\r\nContent-Type: application/json\r\n" + fields + "\r\n" + rest;
    }
    // It is refused, the connection ends, and the request behind it gets no answer.
    void expect_one_refusal(std::string const& bytes) {
        SCOPED_TRACE(bytes);
        raw_peer p{at.port};
        p.say(bytes + at.request("GET /api/v1/status"));
        auto const said = p.answer();
        EXPECT_EQ(said.status, 400);
        EXPECT_EQ(said.code(), "BAD_REQUEST");
        EXPECT_EQ(said.field("connection"), "close");
        EXPECT_TRUE(p.ends());
    }
};

TEST_F(smuggling, a_nul_is_refused_wherever_it_stands) {
    using namespace std::string_literals;
    expect_one_refusal("GET /api/v1/\0status HTTP/1.1\r\n"s + host() + "\r\n");
    expect_one_refusal("GET /health HTTP/1.1\r\n"s + host() + "A: b\0c\r\n\r\n"s);
    expect_one_refusal("GET /health HTTP/1.1\r\n"s + host() + "A\0: b\r\n\r\n"s);
    expect_one_refusal(post("Content-Length: 3\0\r\n"s, "[1]"));
}

TEST_F(smuggling, a_framing_field_is_not_hidden_by_a_fold_or_a_blank) {
    expect_one_refusal(post("Transfer-Encoding:\r\n chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"));
    expect_one_refusal(post("Content-Length: 3\r\n 4\r\n", "[1]"));
    expect_one_refusal(post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"));
    expect_one_refusal(post("Content-Length : 3\r\n", "[1]"));
    expect_one_refusal(post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"));
    expect_one_refusal(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"));
}

TEST_F(smuggling, a_line_feed_alone_ends_nothing) {
    expect_one_refusal(post("A: b\nContent-Length: 3\r\n", "[1]"));
    expect_one_refusal(post("Content-Length: 3\n", "[1]"));
    expect_one_refusal(post("Transfer-Encoding: chunked\r\n", "3\n[1]\n0\n\n"));
    expect_one_refusal(post("A: b\rContent-Length: 3\r\n", "[1]"));
}

TEST_F(smuggling, a_chunk_has_the_length_that_it_says_and_no_other) {
    for (std::string const& chunks :
         {"3;" + std::string(200'000, 'x'), std::string{"3\r\n[1]x\r\n0\r\n\r\n"},
          std::string{"0x3\r\n[1]\r\n0\r\n\r\n"}, std::string{" 3\r\n[1]\r\n0\r\n\r\n"},
          std::string{"10000000000000003\r\n[1]\r\n0\r\n\r\n"}})
        expect_one_refusal(post("Transfer-Encoding: chunked\r\n", chunks));
}

TEST_F(smuggling, of_two_hosts_the_target_s_counts_and_a_foreign_one_is_refused) {
    raw_peer p{at.port};
    p.say("GET http://evil.example/api/v1/status HTTP/1.1\r\n" + host() + "X-CCBT-API-Key: secret\r\n\r\n");
    EXPECT_EQ(p.answer().status, 421);
    raw_peer q{at.port};
    q.say(
        "GET https://127.0.0.1:" + std::to_string(at.port) + "@evil.example/api/v1/status HTTP/1.1\r\n" +
        host() + "X-CCBT-API-Key: secret\r\n\r\n");
    EXPECT_EQ(q.answer().status, 421);
}

TEST_F(smuggling, no_answer_lets_another_origin_read_it) {
    raw_peer p{at.port};
    p.say(
        "OPTIONS /api/v1/status HTTP/1.1\r\n" + host() +
        "Origin: http://evil.example\r\nAccess-Control-Request-Method: GET\r\n\r\n" +
        at.request("GET /api/v1/status"));
    auto const preflight = p.answer();
    EXPECT_EQ(preflight.status, 403);
    auto const said = p.answer();
    EXPECT_EQ(said.status, 200);
    for (auto const* one :
         {"access-control-allow-origin", "access-control-allow-headers",
          "access-control-allow-credentials"}) {
        EXPECT_EQ(preflight.field(one), "");
        EXPECT_EQ(said.field(one), "");
    }
}

} // namespace
} // namespace ccbt::server
