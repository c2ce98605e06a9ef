#include "server/raw_peer_test.hpp"

#include <gtest/gtest.h>

namespace ccbt::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::raw_peer;

class server_of_toys : public ::testing::Test {
protected:
    testing::house at;
};

bool is_done(std::future<void> const& stopped) {
    return stopped.wait_for(seconds{20}) == std::future_status::ready;
}

TEST_F(server_of_toys, says_where_it_serves) {
    loop on{1};
    metrics::door counted;
    server_options options;
    server one{on, {}, options, counted};
    auto const url = one.listen();
    ASSERT_TRUE(url);
    EXPECT_TRUE(url->starts_with("http://127.0.0.1:"));
    options.port = std::stoi(url->substr(url->rfind(':') + 1));
    server two{on, {}, options, counted};
    auto const refused = two.listen();
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find("Address already in use"), std::string::npos) << refused.error();
    options.host = "no address";
    server three{on, {}, options, counted};
    EXPECT_FALSE(three.listen());
}

TEST_F(server_of_toys, one_connection_too_many_is_503_and_closed) {
    at.options.limits.connections = 2;
    at.start();
    raw_peer a{at.port}, b{at.port};
    for (auto* p : {&a, &b}) {
        p->say(at.request("GET /api/v1/status"));
        EXPECT_EQ(p->answer().status, 200);
    }
    raw_peer c{at.port};
    c.say(at.request("GET /api/v1/status")); // it is not reset before it has read why
    auto const refused = c.answer();
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.code(), "TOO_MANY_CONNECTIONS");
    EXPECT_EQ(refused.field("connection"), "close");
    EXPECT_TRUE(c.ends());
    a.say(at.request("GET /api/v1/status"));
    EXPECT_EQ(a.answer().status, 200);
}

TEST_F(server_of_toys, a_place_that_was_left_is_free_again) {
    at.options.limits.connections = 1;
    at.start();
    for (int i = 0; i < 5; ++i) {
        {
            raw_peer p{at.port};
            p.say(at.request("GET /api/v1/status"));
            EXPECT_EQ(p.answer().status, 200);
        }
        ASSERT_TRUE(at.becomes([&] { return at.counted.open_connections == 0; }));
    }
}

TEST_F(server_of_toys, sources_of_this_machine_are_not_counted_apart) {
    at.options.limits.connections_per_source = 1;
    at.start();
    raw_peer a{at.port}, b{at.port};
    for (auto* p : {&a, &b}) {
        p->say(at.request("GET /api/v1/status"));
        EXPECT_EQ(p->answer().status, 200);
    }
}

TEST_F(server_of_toys, serves_many_connections_at_once) {
    at.start();
    std::vector<std::unique_ptr<raw_peer>> all;
    for (int i = 0; i < 200; ++i) all.push_back(std::make_unique<raw_peer>(at.port));
    for (auto& p : all) p->say(at.request("GET /api/v1/status"));
    for (auto& p : all) EXPECT_EQ(p->answer().status, 200);
    EXPECT_EQ(at.on_loop([&] { return at.counted.open_connections; }), 200U);
    all.clear();
    EXPECT_TRUE(at.becomes([&] { return at.counted.open_connections == 0; }));
}

TEST_F(server_of_toys, a_stop_ends_idle_connections_at_once) {
    at.start();
    raw_peer idle{at.port};
    idle.say(at.request("GET /api/v1/status"));
    EXPECT_EQ(idle.answer().status, 200);
    auto const stopped = at.stop(seconds{15});
    EXPECT_TRUE(idle.ends());
    EXPECT_TRUE(is_done(stopped));
}

TEST_F(server_of_toys, a_stop_lets_the_answer_under_way_go_out) {
    at.options.limits.linger = milliseconds{60};
    at.start();
    raw_peer asks{at.port};
    asks.say(at.request("POST /api/v1/slow"));
    ASSERT_TRUE(at.someone_waits());
    auto const stopped = at.stop(seconds{15});
    EXPECT_NE(stopped.wait_for(seconds{0}), std::future_status::ready);
    at.release();
    auto const a = asks.answer();
    EXPECT_EQ(a.body, R"({"status":"at last"})");
    EXPECT_EQ(a.field("connection"), "close");
    EXPECT_TRUE(asks.ends());
    EXPECT_TRUE(is_done(stopped));
}

TEST_F(server_of_toys, a_stop_waits_no_longer_than_it_may) {
    at.start();
    raw_peer asks{at.port};
    asks.say(at.request("POST /api/v1/slow"));
    ASSERT_TRUE(at.someone_waits());
    auto const began = steady::now();
    EXPECT_TRUE(is_done(at.stop(milliseconds{50})));
    EXPECT_LT(steady::now() - began, seconds{10});
}

TEST_F(server_of_toys, a_stop_tells_the_last_events_and_closes_websockets_with_1001) {
    at.options.limits.linger = milliseconds{60};
    at.start();
    raw_peer p{at.port};
    ASSERT_TRUE(p.upgrade(at.port));
    p.text(R"({"action":"ping"})");
    EXPECT_EQ(p.next_text(), R"({"action":"pong"})");
    at.publish(contract::event_type::shutdown, "bye");
    auto const stopped = at.stop(seconds{15});
    EXPECT_TRUE(p.next_text().starts_with(R"({"type":"shutdown",)"));
    auto const m = p.next();
    EXPECT_EQ(m.close_code(), 1001);
    p.frame(8, m.payload);
    EXPECT_TRUE(p.ends());
    EXPECT_TRUE(is_done(stopped));
}

TEST_F(server_of_toys, a_stop_lets_go_of_a_websocket_that_does_not_answer) {
    at.start();
    raw_peer p{at.port};
    ASSERT_TRUE(p.upgrade(at.port));
    p.text(R"({"action":"ping"})");
    EXPECT_EQ(p.next_text(), R"({"action":"pong"})");
    EXPECT_TRUE(is_done(at.stop(milliseconds{50})));
}

TEST_F(server_of_toys, takes_nobody_after_a_stop) {
    at.start();
    EXPECT_TRUE(is_done(at.stop(seconds{15})));
    int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    ::inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    to.sin_port = htons(static_cast<std::uint16_t>(at.port));
    EXPECT_NE(::connect(fd, reinterpret_cast<sockaddr const*>(&to), sizeof to), 0);
    ::close(fd);
}

// The frames of what is under way are thrown away with the loop: nothing of it may be touched after that (ASan looks).
TEST_F(server_of_toys, may_be_left_in_the_middle_of_everything) {
    at.start();
    raw_peer idle{at.port}, head{at.port}, body{at.port}, deed{at.port}, socket{at.port};
    raw_peer reader{at.port, nullptr, 4096};
    head.say("GET /api/v1/sta");
    body.say(
        at.request("POST /api/v1/echo", "Content-Type: application/json\r\nContent-Length: 9\r\n") + "[");
    deed.say(at.request("POST /api/v1/slow"));
    reader.say(at.request("GET /api/v1/big"));
    ASSERT_TRUE(socket.upgrade(at.port));
    ASSERT_TRUE(at.someone_waits());
    ASSERT_TRUE(at.becomes([&] { return at.counted.open_connections == 6 && at.counted.watchers == 1; }));
    at.publish(contract::event_type::torrent_added, "not sent any more");
}

} // namespace
} // namespace ccbt::server
