#include "server/raw_peer_test.hpp"

#include <gtest/gtest.h>

namespace ccbt::server {
namespace {

using std::chrono::milliseconds;
using testing::raw_peer;

class http_session : public ::testing::Test {
protected:
    testing::house at;
    std::unique_ptr<raw_peer> peer;

    raw_peer& begin() {
        at.start();
        return fresh();
    }
    raw_peer& fresh() {
        peer = std::make_unique<raw_peer>(at.port);
        return *peer;
    }
    [[nodiscard]] std::string host() const { return "Host: 127.0.0.1:" + std::to_string(at.port) + "\r\n"; }
    /// The answer to these bytes on a connection of their own.
    testing::seen_answer to(std::string const& bytes) {
        fresh().say(bytes);
        return peer->answer();
    }
    void expect_refusal(std::string const& bytes, int status, std::string const& code) {
        auto const a = to(bytes);
        EXPECT_EQ(a.status, status) << bytes.substr(0, 200);
        EXPECT_EQ(a.code(), code) << bytes.substr(0, 200);
        EXPECT_EQ(a.field("content-type"), "application/json");
    }
};

// ---- an answer

TEST_F(http_session, answers_with_json_its_revision_and_a_date_and_keeps_the_connection) {
    auto& p = begin();
    for (int i = 0; i < 3; ++i) {
        p.say(at.request("GET /api/v1/status"));
        auto const a = p.answer();
        EXPECT_EQ(a.status, 200);
        EXPECT_EQ(a.body, R"({"status":"ok"})");
        EXPECT_EQ(a.field("content-type"), "application/json");
        EXPECT_EQ(a.field("content-length"), "15");
        EXPECT_EQ(a.field("x-ccbt-revision"), "r1");
        EXPECT_EQ(a.field("cache-control"), "no-store");
        EXPECT_EQ(a.field("x-content-type-options"), "nosniff");
        EXPECT_EQ(a.field("connection"), "");
        EXPECT_EQ(a.field("access-control-allow-origin"), "");
        ASSERT_EQ(a.field("date").size(), 29U);
        EXPECT_TRUE(a.field("date").ends_with(" GMT"));
    }
}

TEST_F(http_session, answers_pipelined_requests_in_order) {
    auto& p = begin();
    std::string all;
    for (int i = 0; i < 50; ++i) all += at.request("DELETE /api/v1/item/" + std::to_string(i));
    p.say(all);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(p.answer().body, '"' + std::to_string(i) + '"');
}

TEST_F(http_session, a_request_with_a_body_may_be_followed_at_once_by_another) {
    auto& p = begin();
    p.say(
        at.request("POST /api/v1/echo", "Content-Type: application/json\r\n", "[1]") +
        at.request("POST /api/v1/echo", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n") +
        "2;ext=1\r\n[2\r\n1\r\n]\r\n0\r\nTrailer: x\r\n\r\n" + at.request("GET /api/v1/status"));
    EXPECT_EQ(p.answer().body, "[1]");
    EXPECT_EQ(p.answer().body, "[2]");
    EXPECT_EQ(p.answer().body, R"({"status":"ok"})");
}

TEST_F(http_session, a_request_may_come_byte_by_byte) {
    auto& p = begin();
    for (char const c : at.request("POST /api/v1/echo", "Content-Type: application/json\r\n", "[1,2]"))
        p.say({&c, 1});
    EXPECT_EQ(p.answer().body, "[1,2]");
}

TEST_F(http_session, a_long_answer_arrives_whole) {
    auto& p = begin();
    p.say(at.request("GET /api/v1/big"));
    auto const a = p.answer();
    EXPECT_EQ(a.status, 200);
    ASSERT_EQ(a.body.size(), 10'200'000U);
    EXPECT_EQ(a.body.find_first_not_of('a'), 200'000U);
    EXPECT_EQ(a.body.find_first_not_of('b', 200'000), 2'700'000U);
    EXPECT_EQ(a.body.find_first_not_of('c', 2'700'000), 7'700'000U);
    EXPECT_EQ(a.body.find_first_not_of('b', 7'700'000), std::string::npos);
    EXPECT_EQ(a.field("content-encoding"), "");
}

TEST_F(http_session, packs_nothing_for_a_client_of_this_machine) {
    auto& p = begin();
    p.say(at.request("GET /api/v1/big", "Accept-Encoding: gzip\r\n"));
    auto const a = p.answer();
    EXPECT_EQ(a.field("content-encoding"), "");
    EXPECT_EQ(a.body.size(), 10'200'000U);
}

TEST_F(http_session, headers_that_a_route_names_reach_it_and_trailers_do_not) {
    auto& p = begin();
    p.say(at.request("POST /api/v1/echo", "if-none-match: one\r\nContent-Type: application/json\r\n", "1"));
    EXPECT_EQ(p.answer().field("etag"), "\"If-None-Match=one\"");
    p.say(
        at.request("POST /api/v1/echo", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n") +
        "1\r\n1\r\n0\r\nIf-None-Match: two\r\n\r\n");
    auto const a = p.answer();
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.field("etag"), "");
}

TEST_F(http_session, a_deed_that_throws_is_a_500_without_its_words) {
    auto& p = begin();
    p.say(at.request("GET /api/v1/broken"));
    auto const a = p.answer();
    EXPECT_EQ(a.status, 500);
    EXPECT_EQ(a.code(), "INTERNAL_ERROR");
    EXPECT_EQ(a.body.find("path"), std::string::npos);
    p.say(at.request("GET /api/v1/status"));
    EXPECT_EQ(p.answer().status, 200);
}

TEST_F(http_session, counts_requests_by_route_and_status) {
    auto& p = begin();
    p.say(at.request("GET /api/v1/status"));
    (void)p.answer();
    p.say("GET /api/v1/status HTTP/1.1\r\n" + host() + "\r\n");
    (void)p.answer();
    at.on_loop([&] {
        EXPECT_EQ((at.counted.requests[{"toy.status", 200}]), 1U);
        EXPECT_EQ((at.counted.requests[{"toy.status", 401}]), 1U);
        EXPECT_EQ(at.counted.refused["AUTH_REQUIRED"], 1U);
        EXPECT_EQ(at.counted.latency.count(), 2U);
    });
}

// ---- keep-alive

TEST_F(http_session, closes_in_order_where_it_is_asked_to) {
    auto& p = begin();
    p.say(at.request("GET /api/v1/status", "Connection: close\r\n") + "and more that nobody reads");
    auto const a = p.answer();
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.field("connection"), "close");
    EXPECT_TRUE(p.ends());
}

TEST_F(http_session, http_1_0_is_closed_unless_it_asks_to_stay) {
    begin();
    auto const asked = "GET /api/v1/status HTTP/1.0\r\n" + host() + "X-CCBT-API-Key: secret\r\n";
    EXPECT_EQ(to(asked + "\r\n").field("connection"), "close");
    EXPECT_TRUE(peer->ends());
    EXPECT_EQ(to(asked + "Connection: keep-alive\r\n\r\n").field("connection"), "keep-alive");
    peer->say(asked + "\r\n");
    EXPECT_EQ(peer->answer().status, 200);
}

TEST_F(http_session, a_client_that_ends_its_side_still_gets_its_answer) {
    auto& p = begin();
    p.say(at.request("GET /api/v1/status"));
    p.say_no_more();
    EXPECT_EQ(p.answer().status, 200);
    EXPECT_TRUE(p.ends());
}

TEST_F(http_session, an_empty_line_before_a_request_is_overlooked) {
    auto& p = begin();
    p.say(at.request("GET /api/v1/status") + "\r\n" + at.request("GET /api/v1/status"));
    EXPECT_EQ(p.answer().status, 200);
    EXPECT_EQ(p.answer().status, 200);
}

// ---- what is no request

TEST_F(http_session, what_is_not_http_is_told_so_and_closed) {
    begin();
    for (std::string const bytes :
         {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", "GET\r\n\r\n",
          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"}) {
        expect_refusal(bytes, 400, "BAD_REQUEST");
        EXPECT_TRUE(peer->ends());
    }
    EXPECT_TRUE(at.is_well());
}

TEST_F(http_session, a_line_that_ends_without_a_return_is_refused) {
    begin();
    expect_refusal("GET /api/v1/status HTTP/1.1\n" + host() + "\n\n\r\n\r\n", 400, "BAD_REQUEST");
    expect_refusal("GET /api/v1/status HTTP/1.1\r\nA: b\n" + host() + "\r\n", 400, "BAD_REQUEST");
}

TEST_F(http_session, broken_fields_are_refused) {
    begin();
    for (std::string const field : {"A b: c\r\n", "Host : x\r\n", ": x\r\n", "no colon\r\n", "A: \x01\r\n"})
        expect_refusal("GET /api/v1/status HTTP/1.1\r\n" + host() + field + "\r\n", 400, "BAD_REQUEST");
}

TEST_F(http_session, a_folded_field_is_one_line) {
    begin();
    EXPECT_EQ(
        to("GET /api/v1/status HTTP/1.1\r\n" + host() + "X-CCBT-API-Key:\r\n secret\r\n\r\n").status, 200);
}

TEST_F(http_session, a_body_framed_two_ways_is_refused_and_closed) {
    begin();
    auto const start = "POST /api/v1/echo HTTP/1.1\r\n" + host() + "X-CCBT-API-Key: secret\r\n";
    for (std::string const framing :
         {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
          "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "Content-Length: 3\r\nContent-Length: 3\r\n",
          "Content-Length: 3\r\nContent-Length: 4\r\n", "Content-Length: 3, 3\r\n", "Content-Length: +3\r\n",
          "Content-Length: -3\r\n", "Content-Length: 0x3\r\n", "Content-Length: 99999999999999999999999\r\n",
          "Transfer-Encoding: gzip\r\n", "Transfer-Encoding:\r\n", "Transfer-Encoding: chunked, gzip\r\n",
          "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
          "Transfer-Encoding: identity\r\n"}) {
        // What follows would be a second answer if this were taken for a request without a body.
        expect_refusal(start + framing + "\r\n" + at.request("GET /api/v1/status"), 400, "BAD_REQUEST");
        EXPECT_TRUE(peer->ends()) << framing;
    }
    EXPECT_EQ(
        to("POST /api/v1/echo HTTP/1.0\r\n" + host() + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status,
        400);
}

TEST_F(http_session, broken_chunks_are_refused) {
    begin();
    auto const start =
        at.request("POST /api/v1/echo", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n");
    for (std::string const chunks : {"x\r\n", "2\r\n[1]\r\n0\r\n\r\n", "fffffffffffffffff\r\n", "-1\r\n"}) {
        expect_refusal(start + chunks + "\r\n\r\n", 400, "BAD_REQUEST");
        EXPECT_TRUE(peer->ends());
    }
}

TEST_F(http_session, endless_trailers_and_chunk_extensions_come_to_an_end) {
    begin();
    auto const start =
        at.request("POST /api/v1/echo", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n");
    expect_refusal(start + "1;" + std::string(400'000, 'x'), 400, "BAD_REQUEST");
    expect_refusal(start + "1\r\n1\r\n0\r\nA: " + std::string(400'000, 'x'), 400, "BAD_REQUEST");
}

TEST_F(http_session, one_host_is_needed) {
    begin();
    expect_refusal("GET /health HTTP/1.1\r\n\r\n", 400, "BAD_REQUEST");
    expect_refusal("GET /health HTTP/1.1\r\n" + host() + host() + "\r\n", 400, "BAD_REQUEST");
}

TEST_F(http_session, a_target_is_a_path_or_an_absolute_one_of_ours) {
    begin();
    auto const ours = "http://127.0.0.1:" + std::to_string(at.port);
    EXPECT_EQ(to("GET " + ours + "/health HTTP/1.1\r\nHost: whatever\r\n\r\n").status, 200);
    expect_refusal("GET http://evil.com/health HTTP/1.1\r\n" + host() + "\r\n", 421, "HOST_NOT_ALLOWED");
    expect_refusal("OPTIONS * HTTP/1.1\r\n" + host() + "\r\n", 400, "BAD_REQUEST");
    expect_refusal("CONNECT 127.0.0.1:22 HTTP/1.1\r\n" + host() + "\r\n", 400, "BAD_REQUEST");
}

// ---- limits

TEST_F(http_session, a_long_request_line_is_414) {
    begin();
    auto const line = [](std::size_t size) { // of so many bytes, its end counted in
        return "GET /" + std::string(size - 16, 'a') + " HTTP/1.1\r\n";
    };
    expect_refusal(line(8 * 1024) + host() + "\r\n", 404, "NOT_FOUND");
    expect_refusal(line(8 * 1024 + 1) + host() + "\r\n", 414, "URI_TOO_LONG");
    expect_refusal(line(20'000) + host() + "\r\n", 414, "URI_TOO_LONG");
    expect_refusal("GET /" + std::string(60'000, 'a'), 414, "URI_TOO_LONG");
    EXPECT_TRUE(peer->ends());
}

TEST_F(http_session, a_large_head_is_431) {
    begin();
    auto const with = [&](std::size_t size) { // a header block of so many bytes
        auto const start = host() + "A: ";
        return "GET /health HTTP/1.1\r\n" + start + std::string(size - start.size() - 4, 'a') + "\r\n\r\n";
    };
    EXPECT_EQ(to(with(16 * 1024)).status, 200);
    expect_refusal(with(16 * 1024 + 1), 431, "HEADERS_TOO_LARGE");
    expect_refusal(with(60'000), 431, "HEADERS_TOO_LARGE");
    std::string many = "GET /health HTTP/1.1\r\n" + host();
    for (int i = 0; i < 63; ++i) many += "A: b\r\n";
    EXPECT_EQ(to(many + "\r\n").status, 200);
    expect_refusal(many + "A: b\r\n\r\n", 431, "HEADERS_TOO_LARGE");
    EXPECT_TRUE(peer->ends());
}

TEST_F(http_session, a_head_without_an_end_is_431) {
    begin();
    std::string endless = "GET /health HTTP/1.1\r\n";
    for (int i = 0; i < 3000; ++i) endless += "Field-" + std::to_string(i) + ": and its value\r\n";
    expect_refusal(endless, 431, "HEADERS_TOO_LARGE");
}

TEST_F(http_session, a_large_body_is_413_before_it_is_read) {
    begin();
    auto const head =
        at.request("POST /api/v1/echo", "Content-Type: application/json\r\nContent-Length: 100001\r\n");
    expect_refusal(head, 413, "BODY_TOO_LARGE");
    EXPECT_TRUE(peer->ends());
    expect_refusal(
        head + std::string(100'001, ' '), 413, "BODY_TOO_LARGE"); // and it is not reset while it sends
    EXPECT_TRUE(peer->ends());
    auto const most = std::string(99'999, ' ') + "1";
    EXPECT_EQ(to(at.request("POST /api/v1/echo", "Content-Type: application/json\r\n", most)).body, most);
}

TEST_F(http_session, a_large_chunked_body_is_413) {
    begin();
    auto const head =
        at.request("POST /api/v1/echo", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n");
    std::string chunk = "10000\r\n" + std::string(65'536, ' ') + "\r\n";
    expect_refusal(head + chunk + chunk, 413, "BODY_TOO_LARGE");
    EXPECT_TRUE(peer->ends());
    expect_refusal(head + "ffffffffffffffff\r\n", 413, "BODY_TOO_LARGE");
}

TEST_F(http_session, a_small_body_of_a_refused_request_is_thrown_away_and_the_connection_goes_on) {
    auto& p = begin();
    auto const body = "POST /api/v1/nothing HTTP/1.1\r\n" + host();
    p.say(
        body + "Content-Length: 5\r\n\r\nhello" + body +
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + at.request("GET /api/v1/status"));
    EXPECT_EQ(p.answer().status, 404);
    EXPECT_EQ(p.answer().status, 404);
    EXPECT_EQ(p.answer().status, 200);
}

TEST_F(http_session, a_body_is_asked_for_only_where_it_is_wanted) {
    auto& p = begin();
    auto const head = "POST /api/v1/echo HTTP/1.1\r\n" + host() +
                      "Expect: 100-Continue\r\nContent-Type: application/json\r\nContent-Length: 3\r\n";
    p.say(head + "X-CCBT-API-Key: secret\r\n\r\n");
    EXPECT_EQ(p.answer().status, 100);
    p.say("[7]");
    EXPECT_EQ(p.answer().body, "[7]");
    p.say(head + "\r\n"); // no key: refused at once, and not asked to go on
    EXPECT_EQ(p.answer().status, 401);
    EXPECT_TRUE(p.ends());
}

// ---- who may ask what

TEST_F(http_session, a_host_that_is_not_ours_is_421_even_with_the_key) {
    at.options.allowed_hosts = {"nas.lan"};
    begin();
    auto const port = ':' + std::to_string(at.port);
    auto const asked = [&](std::string const& as) {
        return "GET /api/v1/status HTTP/1.1\r\nX-CCBT-API-Key: secret\r\nHost: " + as + "\r\n\r\n";
    };
    for (auto const* name : {"localhost", "LOCALHOST", "127.0.0.1", "[::1]", "nas.lan"})
        EXPECT_EQ(to(asked(name + port)).status, 200) << name;
    for (std::string const name : {"localhost", "evil.com", "", "localhost:1"})
        expect_refusal(asked(name), 421, "HOST_NOT_ALLOWED");
    expect_refusal(asked("evil.com" + port), 421, "HOST_NOT_ALLOWED");
    expect_refusal("GET /health HTTP/1.1\r\nHost: evil.com" + port + "\r\n\r\n", 421, "HOST_NOT_ALLOWED");
}

TEST_F(http_session, a_foreign_origin_is_403_even_with_the_key) {
    begin();
    auto const own = "Origin: http://127.0.0.1:" + std::to_string(at.port) + "\r\n";
    EXPECT_EQ(to(at.request("GET /api/v1/status", own)).status, 200);
    expect_refusal(
        at.request("GET /api/v1/status", "Origin: http://evil.com\r\n"), 403, "ORIGIN_NOT_ALLOWED");
    expect_refusal(at.request("GET /api/v1/status", "Origin: null\r\n"), 403, "ORIGIN_NOT_ALLOWED");
    expect_refusal(
        at.request("GET /api/v1/status", own + "Origin: http://evil.com\r\n"), 403, "ORIGIN_NOT_ALLOWED");
    expect_refusal(
        at.request(
            "GET /api/v1/events", "Origin: http://evil.com\r\nConnection: Upgrade\r\n"
                                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
        403, "ORIGIN_NOT_ALLOWED");
}

TEST_F(http_session, a_body_of_another_type_is_415_and_an_empty_one_never) {
    begin();
    expect_refusal(
        at.request("POST /api/v1/echo", "Content-Type: text/plain\r\n", "{}"), 415, "UNSUPPORTED_MEDIA_TYPE");
    expect_refusal(at.request("POST /api/v1/echo", "", "{}"), 415, "UNSUPPORTED_MEDIA_TYPE");
    EXPECT_EQ(
        to(at.request("POST /api/v1/echo", "Content-Type: application/octet-stream\r\nContent-Length: 0\r\n"))
            .status,
        200);
}

TEST_F(http_session, without_the_key_there_is_401_and_nothing_but_the_open_routes) {
    begin();
    auto const asked = [&](std::string const& line) { return line + " HTTP/1.1\r\n" + host() + "\r\n"; };
    expect_refusal(asked("GET /api/v1/status"), 401, "AUTH_REQUIRED");
    expect_refusal(asked("GET /api/v1/status?api_key=secret"), 401, "AUTH_REQUIRED");
    expect_refusal(asked("POST /api/v1/echo"), 401, "AUTH_REQUIRED");
    EXPECT_EQ(to(asked("GET /health")).status, 200);
    EXPECT_EQ(to(asked("GET /metrics")).status, 200) << "open on loopback";
}

TEST_F(http_session, metrics_can_be_set_to_need_the_key) {
    at.options.metrics_need_key = true;
    begin();
    expect_refusal("GET /metrics HTTP/1.1\r\n" + host() + "\r\n", 401, "AUTH_REQUIRED");
    EXPECT_EQ(to(at.request("GET /metrics")).status, 200);
}

TEST_F(http_session, many_wrong_keys_are_429_with_a_time_and_the_right_one_passes) {
    auto& p = begin();
    auto const wrong = "GET /api/v1/status HTTP/1.1\r\n" + host() + "X-CCBT-API-Key: wrong\r\n\r\n";
    for (int i = 0; i < 10; ++i) {
        p.say(wrong);
        EXPECT_EQ(p.answer().status, 401);
    }
    p.say(wrong);
    auto const a = p.answer();
    EXPECT_EQ(a.status, 429);
    EXPECT_EQ(a.code(), "RATE_LIMITED");
    EXPECT_GE(std::stoi(a.field("retry-after")), 50);
    EXPECT_LE(std::stoi(a.field("retry-after")), 61);
    p.say(at.request("GET /api/v1/status"));
    EXPECT_EQ(p.answer().status, 200);
}

TEST_F(http_session, another_method_is_405_with_those_there_are) {
    begin();
    for (std::string const method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW", "get"}) {
        auto const a = to(at.request(method + " /api/v1/status"));
        EXPECT_EQ(a.status, 405) << method;
        EXPECT_EQ(a.code(), "METHOD_NOT_ALLOWED");
        EXPECT_EQ(a.field("allow"), "GET");
    }
}

TEST_F(http_session, an_answer_to_head_has_no_body) {
    auto& p = begin();
    p.say(at.request("HEAD /api/v1/status") + at.request("GET /api/v1/status"));
    auto const a = p.answer(false);
    EXPECT_EQ(a.status, 405);
    EXPECT_NE(a.field("content-length"), "0");
    EXPECT_EQ(p.answer().body, R"({"status":"ok"})");
}

TEST_F(http_session, a_broken_query_is_400) {
    begin();
    expect_refusal(at.request("GET /api/v1/status?a=%zz"), 400, "BAD_REQUEST");
}

TEST_F(http_session, every_error_has_the_one_shape) {
    begin();
    EXPECT_EQ(
        to(at.request("GET /api/v1/nothing")).body,
        R"({"error":"there is nothing at this path","code":"NOT_FOUND","details":null})");
}

// ---- deadlines

TEST_F(http_session, a_head_that_does_not_end_in_time_is_408_however_it_trickles) {
    at.options.limits.header_deadline = milliseconds{150};
    auto& p = begin();
    p.say("GET /health HTTP/1.1\r\n");
    auto const began = steady::now();
    bool answered = false;
    std::jthread trickle{[&](std::stop_token const& stop) {
        while (!stop.stop_requested() && steady::now() < began + std::chrono::seconds{5}) {
            p.say("A");
            pollfd none{-1, 0, 0};
            ::poll(&none, 1, 20);
        }
    }};
    auto const a = p.answer();
    answered = a.status == 408;
    trickle.request_stop();
    EXPECT_TRUE(answered) << a.status;
    EXPECT_EQ(a.code(), "REQUEST_TIMEOUT");
    EXPECT_LT(steady::now() - began, std::chrono::seconds{4});
}

TEST_F(http_session, a_body_that_does_not_arrive_in_time_is_408) {
    at.options.limits.body_deadline = milliseconds{60};
    auto& p = begin();
    p.say(
        at.request("POST /api/v1/echo", "Content-Type: application/json\r\nContent-Length: 10\r\n") + "[1,");
    auto const a = p.answer();
    EXPECT_EQ(a.status, 408);
    EXPECT_EQ(a.code(), "REQUEST_TIMEOUT");
    EXPECT_TRUE(p.ends());
}

TEST_F(http_session, an_idle_connection_is_closed_without_a_word) {
    at.options.limits.idle = milliseconds{60};
    auto& p = begin();
    p.say(at.request("GET /api/v1/status"));
    EXPECT_EQ(p.answer().status, 200);
    EXPECT_TRUE(p.ends());
}

TEST_F(http_session, a_client_that_does_not_read_is_let_go) {
    at.options.limits.write_progress = milliseconds{60};
    at.start();
    raw_peer p{at.port, nullptr, 4096};
    p.say(at.request("GET /api/v1/big"));
    EXPECT_TRUE(at.becomes([&] { return at.counted.connections == 1 && at.counted.open_connections == 0; }));
    EXPECT_TRUE(at.is_well());
}

TEST_F(http_session, a_slow_deed_has_no_deadline_of_the_door) {
    at.options.limits.idle = at.options.limits.header_deadline = milliseconds{60};
    at.options.limits.body_deadline = at.options.limits.write_progress = milliseconds{60};
    auto& p = begin();
    p.say(at.request("POST /api/v1/slow"));
    ASSERT_TRUE(at.someone_waits());
    raw_peer other{at.port}; // by the time that this one is let go, the other would have been
    EXPECT_TRUE(other.ends());
    at.release();
    EXPECT_EQ(p.answer().body, R"({"status":"at last"})");
}

TEST_F(http_session, a_deed_goes_on_when_its_client_has_left) {
    auto& p = begin();
    p.say(at.request("POST /api/v1/slow"));
    ASSERT_TRUE(at.someone_waits());
    peer.reset();
    at.release();
    EXPECT_TRUE(at.becomes([&] { return at.counted.requests[{"toy.slow", 200}] == 1; }));
    EXPECT_TRUE(at.becomes([&] { return at.counted.open_connections == 0; }));
}

} // namespace
} // namespace ccbt::server
