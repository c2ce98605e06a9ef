// TLS under the sessions: what leaves early, comes broken or reads nothing must end as it does in the clear.
#include "base/certificate.hpp"
#include "base/temporary_folder_test.hpp"
#include "server/raw_peer_test.hpp"

#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

namespace ccbt::server {
namespace {

using testing::house;

class tls_peer {
public:
    explicit tls_peer(int port, bool shakes = true)
        : context_{::SSL_CTX_new(::TLS_client_method())}, ssl_{::SSL_new(context_)} {
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        timeval const limit{20, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(static_cast<std::uint16_t>(port));
        ::inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
        if (::connect(fd_, reinterpret_cast<sockaddr const*>(&at), sizeof at) != 0)
            throw std::runtime_error{"no connection"};
        ::SSL_set_fd(ssl_, fd_);
        if (shakes && ::SSL_connect(ssl_) != 1) throw std::runtime_error{"no handshake"};
    }
    ~tls_peer() {
        ::SSL_free(ssl_);
        ::SSL_CTX_free(context_);
        ::close(fd_);
    }
    tls_peer(tls_peer const&) = delete;
    tls_peer& operator=(tls_peer const&) = delete;

    void say(std::string_view bytes) { ::SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())); }
    /// What comes until `size` bytes are here, or the end.
    std::string hear(std::size_t size) {
        std::string all;
        std::vector<char> some(65536);
        while (all.size() < size) {
            auto const n = ::SSL_read(ssl_, some.data(), static_cast<int>(some.size()));
            if (n <= 0) break;
            all.append(some.data(), static_cast<std::size_t>(n));
        }
        return all;
    }
    [[nodiscard]] bool ended_in_order() const { // by close_notify
        return (::SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0;
    }
    [[nodiscard]] int fd() const { return fd_; }

private:
    SSL_CTX* context_;
    SSL* ssl_;
    int fd_ = -1;
};

struct over_tls : ::testing::Test {
    ccbt::temporary_folder root;
    house at;
    over_tls() {
        ::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
        auto const made = tls::make_pair({"localhost", "127.0.0.1"}, 2);
        std::ofstream{root / "c"} << made->certificate;
        std::ofstream{root / "k"} << made->key;
        at.ways.tls = *tls::server_context((root / "c"), (root / "k"));
        at.options.limits.linger = std::chrono::milliseconds{300};
    }
    [[nodiscard]] bool nobody_is_left() {
        return at.becomes([&] { return at.counted.open_connections == 0; });
    }
};

TEST_F(over_tls, requests_follow_each_other_and_the_end_is_in_order) {
    at.start();
    tls_peer p{at.port};
    p.say(at.request("GET /api/v1/status"));
    EXPECT_EQ(p.hear(1).substr(0, 15), "HTTP/1.1 200 OK");
    p.say(at.request("GET /api/v1/status", "Connection: close\r\n"));
    EXPECT_EQ(p.hear(100'000).substr(0, 15), "HTTP/1.1 200 OK");
    EXPECT_TRUE(p.ended_in_order());
    EXPECT_TRUE(nobody_is_left());
}

TEST_F(over_tls, a_long_answer_arrives_whole_and_who_does_not_read_it_is_let_go) {
    at.options.limits.write_progress = std::chrono::milliseconds{300};
    at.start();
    tls_peer p{at.port};
    p.say(at.request("GET /api/v1/big", "Connection: close\r\n"));
    EXPECT_GT(p.hear(20'000'000).size(), 10'200'000U);
    EXPECT_TRUE(p.ended_in_order());
    tls_peer deaf{at.port};
    deaf.say(at.request("GET /api/v1/big"));
    EXPECT_TRUE(at.becomes([&] { return at.counted.refused["WRITE_TIMEOUT"] == 1; }));
    EXPECT_TRUE(nobody_is_left());
}

TEST_F(over_tls, a_body_that_is_too_large_is_told_so_though_it_is_still_sent) {
    at.options.limits.linger = std::chrono::seconds{10}; // all of it is to be thrown away before the end
    at.start();
    tls_peer p{at.port};
    p.say(at.request("POST /api/v1/echo", "Content-Type: application/json\r\nContent-Length: 3000000\r\n"));
    for (int i = 0; i < 30; ++i) p.say(std::string(100'000, ' '));
    EXPECT_EQ(p.hear(100'000).substr(0, 12), "HTTP/1.1 413");
    EXPECT_TRUE(p.ended_in_order());
    EXPECT_TRUE(at.becomes([&] { return at.counted.refused["BODY_TOO_LARGE"] == 1; }));
}

TEST_F(over_tls, who_leaves_or_talks_rubbish_at_any_moment_is_forgotten) {
    at.options.limits.header_deadline = std::chrono::milliseconds{300};
    at.start();
    for (int i = 0; i < 5; ++i) {
        tls_peer const silent{at.port, false};
        tls_peer rubbish{at.port, false};
        ::send(rubbish.fd(), "\x16\x03\x01\x00\x05rubbish and more of it", 27, MSG_NOSIGNAL);
        tls_peer in_a_head{at.port};
        in_a_head.say("GET /api/v1/status HTTP/1.1\r\n");
        tls_peer breaks{at.port};
        breaks.say(at.request("GET /api/v1/status"));
        ::send(breaks.fd(), "no record of TLS at all", 23, MSG_NOSIGNAL);
        linger const reset{1, 0};
        ::setsockopt(breaks.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    tls_peer slow{at.port, false};
    EXPECT_TRUE(at.becomes([&] { return at.counted.refused["TLS_HANDSHAKE_TIMEOUT"] >= 1; }));
    EXPECT_TRUE(nobody_is_left());
}

TEST_F(over_tls, events_come_and_a_stop_ends_all_of_it) {
    at.start();
    tls_peer p{at.port};
    p.say(
        "GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(at.port) +
        "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-CCBT-API-Key: secret\r\n\r\n");
    auto const head = p.hear(1); // in one record
    EXPECT_EQ(head.substr(0, 12), "HTTP/1.1 101");
    EXPECT_EQ(head.substr(head.size() - 4), "\r\n\r\n");
    EXPECT_TRUE(at.becomes([&] { return at.counted.watchers == 1; }));
    at.publish(contract::event_type::torrent_added, "hello");
    EXPECT_NE(p.hear(10).find("hello"), std::string::npos);
    tls_peer const silent{at.port, false};
    tls_peer const idle{at.port};
    EXPECT_TRUE(at.becomes([&] { return at.counted.open_connections == 3; }));
    auto const stopped = at.stop(std::chrono::seconds{10});
    EXPECT_EQ(stopped.wait_for(std::chrono::seconds{15}), std::future_status::ready);
    EXPECT_EQ(p.hear(100).substr(0, 1), "\x88") << "a close frame";
}

TEST_F(over_tls, may_be_left_in_the_middle_of_everything) {
    at.start();
    std::vector<std::unique_ptr<tls_peer>> all;
    for (int i = 0; i < 9; ++i) all.push_back(std::make_unique<tls_peer>(at.port, i % 3 != 0));
    for (int i = 0; i < 9; ++i)
        if (i % 3 == 1) all[static_cast<std::size_t>(i)]->say(at.request("POST /api/v1/slow"));
    EXPECT_TRUE(at.someone_waits(3));
}

} // namespace
} // namespace ccbt::server
