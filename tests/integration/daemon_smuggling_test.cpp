// Requests that two readers could take for different ones, at a real daemon: what stands behind them or in their bodies
// is a request that would change something, and it is never done.
#include "integration/daemon_bytes.hpp"

namespace ccbt::support {

namespace {

using namespace std::string_literals;

struct daemon_smuggling : daemon_bytes {
    std::string body = R"({"ip":"192.0.2.67"})"; // of the first request, which is refused too

    [[nodiscard]] std::string post(std::string const& fields, std::string const& rest) const {
        return "POST /api/v1/security/blacklist HTTP/1.1\r\n" + key() + "Content-Type: application/json\r\n" +
               fields + "\r\n" + rest;
    }
    [[nodiscard]] std::string chunk() const { // its size in hex, and it
        return "13\r\n" + body + "\r\n";
    }
    /// One answer, and the end of the connection.
    [[nodiscard]] std::string only_answer_to(std::string const& bytes) const {
        http_connection line{"127.0.0.1", one.port()};
        line.send(bytes + change());
        auto out = said(line.receive());
        if (!line.is_closed(milliseconds{20'000})) out += " and more";
        return out;
    }
};

TEST_F(daemon_smuggling, a_body_framed_two_ways_is_refused_with_all_behind_it) {
    for (auto const& framing :
         {"Content-Length: 19\r\nContent-Length: 19\r\n"s, "Content-Length: 19\r\nContent-Length: 0\r\n"s,
          "Content-Length: 19, 19\r\n"s, "Content-Length: +19\r\n"s, "Content-Length: -19\r\n"s,
          "Content-Length: 0x13\r\n"s, "Content-Length: 1 9\r\n"s, "Content-Length: 19;\r\n"s,
          "Content-Length:\r\n"s, "Content-Length: 18446744073709551635\r\n"s,
          "Content-Length: 19\r\nTransfer-Encoding: chunked\r\n"s,
          "Transfer-Encoding: chunked\r\nContent-Length: 19\r\n"s,
          "Content-Length: 19\r\nTransfer-Encoding: identity\r\n"s}) {
        SCOPED_TRACE(framing);
        EXPECT_EQ(only_answer_to(post(framing, body)), "400 BAD_REQUEST");
        EXPECT_EQ(only_answer_to(post(framing, chunk() + "0\r\n\r\n")), "400 BAD_REQUEST");
    }
}

TEST_F(daemon_smuggling, a_transfer_coding_is_chunked_and_nothing_that_looks_like_it) {
    for (auto const& coding :
         {"Transfer-Encoding: xchunked"s, "Transfer-Encoding: chunked, identity"s,
          "Transfer-Encoding: identity, chunked"s, "Transfer-Encoding: chunked, chunked"s,
          "Transfer-Encoding: chunked;q=1"s, "Transfer-Encoding: \"chunked\""s,
          "Transfer-Encoding: \x0b"s + "chunked", "Transfer-Encoding: chunked\0"s,
          "Transfer-Encoding : chunked"s, "Transfer-Encoding:\r\n chunked\r\nTransfer-Encoding: chunked"s,
          "Transfer-Encoding\t: chunked"s, "Transfer-Encoding:"s,
          "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"s,
          "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"s}) {
        SCOPED_TRACE(coding);
        EXPECT_EQ(only_answer_to(post(coding + "\r\n", chunk() + "0\r\n\r\n")), "400 BAD_REQUEST");
    }
    auto old = post("Transfer-Encoding: chunked\r\n", chunk() + "0\r\n\r\n");
    old.replace(old.find("HTTP/1.1"), 8, "HTTP/1.0");
    EXPECT_EQ(only_answer_to(old), "400 BAD_REQUEST");
}

TEST_F(daemon_smuggling, a_fold_is_of_its_line_and_frames_nothing) {
    http_connection line{"127.0.0.1", one.port()};
    line.send(post("A: b\r\n Transfer-Encoding: chunked\r\n", chunk() + "0\r\n\r\n" + change()));
    EXPECT_EQ(said(line.receive()), "400 VALIDATION_ERROR") << "it has no body";
    EXPECT_EQ(said(line.receive()), "400 BAD_REQUEST") << "and a chunk is no request";
    EXPECT_TRUE(line.is_closed(milliseconds{20'000}));
}

TEST_F(daemon_smuggling, capitals_and_blanks_around_a_coding_change_nothing) {
    body = R"({"ip":"192.0.2.256"})"; // no address, so that nothing is changed where it is read
    for (auto const* coding :
         {"transfer-encoding:chunked", "TRANSFER-ENCODING: CHUNKED", "Transfer-Encoding: \t Chunked \t"}) {
        SCOPED_TRACE(coding);
        http_connection line{"127.0.0.1", one.port()};
        line.send(post(coding + "\r\n"s, "14\r\n" + body + "\r\n0\r\n\r\n"));
        EXPECT_EQ(said(line.receive()), "400 SECURITY_ERROR");
        line.send(post(coding + "\r\n"s, "00014;a=\"b\"\r\n" + body + "\r\n000\r\nA: b\r\n\r\n"));
        EXPECT_EQ(said(line.receive()), "400 SECURITY_ERROR") << "extensions and trailers are read past";
    }
}

TEST_F(daemon_smuggling, a_line_has_one_end_and_a_field_one_form) {
    for (auto const& fields :
         {"A: b\nContent-Length: 19\r\n"s, "Content-Length: 19\n"s, "A: b\rContent-Length: 19\r\n"s,
          "Content-Length : 19\r\n"s, "Content-Length: 1\r\n 9\r\n"s, "Content-Length: 19\r\n 1\r\n"s,
          "A: b\0c\r\nContent-Length: 19\r\n"s, "A\0: b\r\nContent-Length: 19\r\n"s,
          "Content-Length: 19\0\r\n"s, "A b\r\nContent-Length: 19\r\n"s, ": b\r\nContent-Length: 19\r\n"s,
          "Host: 127.0.0.1\r\nContent-Length: 19\r\n"s}) {
        SCOPED_TRACE(fields);
        EXPECT_EQ(only_answer_to(post(fields, body)), "400 BAD_REQUEST");
    }
}

TEST_F(daemon_smuggling, a_chunk_has_the_length_that_it_says) {
    auto const coding = "Transfer-Encoding: chunked\r\n"s;
    for (auto const& chunks :
         {"13\r\n" + body + "x\r\n0\r\n\r\n", "12\r\n" + body + "\r\n0\r\n\r\n",
          "0x13\r\n" + body + "\r\n0\r\n\r\n", " 13\r\n" + body + "\r\n0\r\n\r\n",
          "-13\r\n" + body + "\r\n0\r\n\r\n", "10000000000000013\r\n" + body + "\r\n0\r\n\r\n",
          "13\n" + body + "\n0\n\n", "\r\n13\r\n" + body + "\r\n", "13;" + std::string(300'000, 'x'),
          "13\r\n" + body + "\r\n0\r\nA: " + std::string(300'000, 'x')}) {
        SCOPED_TRACE(chunks.substr(0, 60));
        EXPECT_EQ(only_answer_to(post(coding, chunks)), "400 BAD_REQUEST");
    }
    for (auto const* huge : {"FFFFFFFFFFFFFFFF", "7fffffffffffffff", "100001"}) {
        SCOPED_TRACE(huge);
        EXPECT_EQ(only_answer_to(post(coding, huge + "\r\n"s + body)), "413 BODY_TOO_LARGE");
    }
}

TEST_F(daemon_smuggling, a_request_in_the_body_of_one_that_is_refused_is_not_one) {
    auto const inner = change();
    auto const length = "Content-Length: " + std::to_string(inner.size()) + "\r\n";
    auto const json = "Content-Type: application/json\r\n"s;
    struct {
        std::string head, answer;
    } const refused[] = {
        {"POST /api/v1/security/blacklist HTTP/1.1\r\n" + key() + json, "400 INVALID_JSON"},
        {"POST /api/v1/security/blacklist HTTP/1.1\r\n" + key(), "415 UNSUPPORTED_MEDIA_TYPE"},
        {"POST /api/v1/security/blacklist HTTP/1.1\r\n" + host() + json, "401 AUTH_REQUIRED"},
        {"POST /api/v1/security/blacklist HTTP/1.1\r\n" + key() + json + "Origin: http://evil.example\r\n",
         "403 ORIGIN_NOT_ALLOWED"},
        {"POST http://evil.example/api/v1/security/blacklist HTTP/1.1\r\n" + key() + json,
         "421 HOST_NOT_ALLOWED"},
        {"POST /nothing HTTP/1.1\r\n" + key() + json, "404 NOT_FOUND"},
        {"PUT /api/v1/security/blacklist HTTP/1.1\r\n" + key() + json, "405 METHOD_NOT_ALLOWED"},
        {"GET /api/v1/status HTTP/1.1\r\n" + key() + json, "400 INVALID_JSON"}};
    for (auto const& [head, answer] : refused) {
        SCOPED_TRACE(head);
        http_connection line{"127.0.0.1", one.port()};
        line.send(head + length + "\r\n" + inner + "GET /health HTTP/1.1\r\n" + host() + "\r\n");
        EXPECT_EQ(said(line.receive()), answer);
        EXPECT_EQ(said(line.receive()), "200 ") << "the next request is the one behind the body";
    }
    auto const long_body = "Content-Length: 2000000\r\n\r\n"s;
    EXPECT_EQ(
        only_answer_to("POST /api/v1/security/blacklist HTTP/1.1\r\n" + key() + json + long_body),
        "413 BODY_TOO_LARGE");
    EXPECT_EQ(only_answer_to("POST /nothing HTTP/1.1\r\n" + key() + json + long_body), "404 NOT_FOUND")
        << "nor where so much is not read to its end";
}

TEST_F(daemon_smuggling, other_protocols_and_another_s_target_are_not_spoken) {
    EXPECT_EQ(only_answer_to("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "400 BAD_REQUEST");
    EXPECT_EQ(only_answer_to("GET /health HTTP/1.2\r\n" + host() + "\r\n"), "400 BAD_REQUEST");
    EXPECT_EQ(only_answer_to("GET /health\r\n"), "400 BAD_REQUEST");
    EXPECT_EQ(only_answer_to("GET /he alth HTTP/1.1\r\n" + host() + "\r\n"), "400 BAD_REQUEST");
    EXPECT_EQ(only_answer_to("CONNECT 127.0.0.1:22 HTTP/1.1\r\n" + host() + "\r\n"), "400 BAD_REQUEST");
    EXPECT_EQ(only_answer_to("\x16\x03\x01\x02\x01"s + std::string(600, '\1')), "400 BAD_REQUEST");
    http_connection line{"127.0.0.1", one.port()};
    for (auto const* target :
         {"http://evil.example/api/v1/status", "https://127.0.0.1@evil.example/api/v1/status"}) {
        line.send("GET "s + target + " HTTP/1.1\r\n" + key() + "\r\n");
        EXPECT_EQ(said(line.receive()), "421 HOST_NOT_ALLOWED") << target;
    }
    line.send(
        "GET /api/v1/status HTTP/1.1\r\n" + key() +
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n");
    EXPECT_EQ(said(line.receive()), "200 ") << "an upgrade that is not wanted is none";
    line.send("GET /api/v1/status HTTP/1.1\r\n" + key() + "X-HTTP-Method-Override: DELETE\r\n\r\n");
    EXPECT_EQ(said(line.receive()), "200 ");
}

} // namespace

} // namespace ccbt::support
