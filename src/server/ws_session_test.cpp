#include "server/raw_peer_test.hpp"

#include <gtest/gtest.h>

namespace ccbt::server {
namespace {

using contract::event_type;
using std::chrono::milliseconds;
using testing::raw_peer;

class ws_session : public ::testing::Test {
protected:
    testing::house at;
    std::unique_ptr<raw_peer> peer;

    raw_peer& begin() {
        at.start();
        return fresh();
    }
    raw_peer& fresh(std::string const& more = "X-CCBT-API-Key: secret\r\n", std::string const& query = {}) {
        peer = std::make_unique<raw_peer>(at.port);
        EXPECT_TRUE(peer->upgrade(at.port, more, query));
        return *peer;
    }
    /// It has joined once it answers.
    void greet(raw_peer& p) {
        p.text(R"({"action":"ping"})");
        EXPECT_EQ(p.next_text(), R"({"action":"pong"})");
    }
    [[nodiscard]] bool nobody_is_left() {
        return at.becomes([&] { return at.counted.open_connections == 0 && at.counted.watchers == 0; }) &&
               at.on_loop([&] { return at.counted.event_bytes_waiting; }) == 0;
    }
    static std::string told(std::string const& type, std::string const& message, int seq = 1) {
        return R"({"type":")" + type + R"(","timestamp":1.5,"data":{"message":")" + message + R"("},"seq":)" +
               std::to_string(seq) + '}';
    }
};

TEST_F(ws_session, without_a_right_key_it_is_closed_with_4001) {
    at.start();
    for (auto const* more : {"", "X-CCBT-API-Key: wrong\r\n"}) {
        auto const m = fresh(more).next();
        EXPECT_EQ(m.close_code(), 4001);
        EXPECT_EQ(m.payload.substr(2), "Unauthorized");
        peer->frame(8, m.payload);
        EXPECT_TRUE(peer->ends());
        peer.reset();
    }
    EXPECT_TRUE(nobody_is_left());
}

TEST_F(ws_session, one_refused_who_does_not_leave_is_let_go) {
    at.options.limits.header_deadline = milliseconds{60};
    at.start();
    EXPECT_EQ(fresh("").next().close_code(), 4001);
    EXPECT_TRUE(peer->is_gone());
}

TEST_F(ws_session, the_key_may_stand_in_the_query) {
    at.start();
    greet(fresh("", "?api_key=secret"));
}

TEST_F(ws_session, one_who_never_subscribed_gets_the_original_types) {
    auto& p = begin();
    greet(p);
    at.publish(event_type::torrents_changed, "no", 1);
    at.publish(event_type::torrent_added, "yes", 2);
    at.publish(event_type::shutdown, "too", 3);
    EXPECT_EQ(p.next_text(), told("torrent_added", "yes", 2));
    EXPECT_EQ(p.next_text(), told("shutdown", "too", 3));
}

TEST_F(ws_session, one_who_subscribed_gets_what_it_asked_for) {
    auto& p = begin();
    p.text(R"({"action":"subscribe","data":{"event_types":["torrents_changed","shutdown"]}})");
    EXPECT_EQ(p.next_text(), R"({"action":"subscribed","event_types":["torrents_changed","shutdown"]})");
    at.publish(event_type::torrent_added, "no");
    at.publish(event_type::torrents_changed, "yes");
    EXPECT_EQ(p.next_text(), told("torrents_changed", "yes"));
    p.text(R"({"action":"unsubscribe","data":{"event_types":["torrents_changed"]}})");
    EXPECT_EQ(p.next_text(), R"({"action":"unsubscribed","event_types":["torrents_changed"]})");
    at.publish(event_type::torrents_changed, "no");
    at.publish(event_type::shutdown, "yes");
    EXPECT_EQ(p.next_text(), told("shutdown", "yes"));
}

TEST_F(ws_session, what_it_does_not_understand_is_an_error_and_the_connection_stays) {
    auto& p = begin();
    for (auto const* said :
         {"", "not json", "[]", "{}", R"({"action":"dance"})", R"({"action":"subscribe"})",
          R"({"action":"subscribe","data":{"event_types":"all"}})",
          R"({"action":"subscribe","data":{"event_types":["nonsense"]}})",
          R"({"action":"subscribe","data":{"event_types":[1]}})", R"({"action":7})"}) {
        p.text(said);
        EXPECT_TRUE(p.next_text().starts_with(R"({"action":"error","error":")")) << said;
    }
    p.frame(2, R"({"action":"ping"})"); // binary
    EXPECT_TRUE(p.next_text().starts_with(R"({"action":"error","error":")"));
    p.text(R"({"action":"pong"})"); // taken in silence
    greet(p);
}

TEST_F(ws_session, frames_of_the_protocol_are_answered) {
    auto& p = begin();
    p.frame(9, "are you there");
    auto const pong = p.next();
    EXPECT_EQ(pong.opcode, 10);
    EXPECT_EQ(pong.payload, "are you there");
    p.frame(8, std::string_view{"\x03\xe8", 2});
    EXPECT_EQ(p.next().close_code(), 1000);
    EXPECT_TRUE(p.ends());
    peer.reset();
    EXPECT_TRUE(nobody_is_left());
}

TEST_F(ws_session, a_message_of_more_than_64_kib_is_closed_with_1009) {
    auto& p = begin();
    auto const most = R"({"action":"ping","x":")" + std::string(64 * 1024 - 24, 'x') + "\"}";
    ASSERT_EQ(most.size(), 65'536U);
    p.text(most);
    EXPECT_EQ(p.next_text(), R"({"action":"pong"})");
    p.text(most + ' ');
    EXPECT_EQ(p.next().close_code(), 1009);
    EXPECT_TRUE(at.is_well());
}

TEST_F(ws_session, broken_frames_are_closed_with_their_code) {
    auto& p = begin();
    p.frame(1, "{}", false); // not masked
    EXPECT_EQ(p.next().close_code(), 1002);
    fresh().frame(3, "an opcode that is none");
    EXPECT_EQ(peer->next().close_code(), 1002);
    fresh().text("\xff\xfe");
    EXPECT_EQ(peer->next().close_code(), 1007);
    peer.reset();
    EXPECT_TRUE(nobody_is_left());
}

TEST_F(ws_session, one_who_closes_but_does_not_leave_is_let_go) {
    at.options.limits.linger = milliseconds{60};
    auto& p = begin();
    greet(p);
    p.frame(8, std::string_view{"\x03\xe8", 2});
    EXPECT_EQ(p.next().close_code(), 1000);
    EXPECT_TRUE(nobody_is_left()) << "its own side of the connection is still open";
}

TEST_F(ws_session, one_who_vanishes_is_forgotten) {
    auto& p = begin();
    greet(p);
    peer.reset();
    EXPECT_TRUE(nobody_is_left());
}

TEST_F(ws_session, one_who_ends_its_side_while_much_waits_for_it_is_forgotten) {
    at.start();
    raw_peer p{at.port, nullptr, 4096};
    ASSERT_TRUE(p.upgrade(at.port));
    greet(p);
    p.say_no_more();
    auto const much = std::string(200'000, 'x');
    for (int i = 0; i < 4; ++i) at.publish(event_type::torrent_added, much);
    EXPECT_TRUE(nobody_is_left());
}

TEST_F(ws_session, frames_of_the_protocol_come_between_whole_events_and_the_last_is_the_close) {
    at.start();
    raw_peer p{at.port, nullptr, 4096};
    ASSERT_TRUE(p.upgrade(at.port));
    greet(p);
    auto const much = std::string(60'000, 'x');
    constexpr int events = 14; // more than go in one write, or into the kernel's buffers
    for (int i = 0; i < events; ++i) at.publish(event_type::torrent_added, much, i);
    p.frame(9, "are you there");
    int next = 0, pongs = 0;
    for (; next < 2; ++next) EXPECT_EQ(p.next_text(), told("torrent_added", much, next));
    p.frame(8, std::string_view{"\x03\xe8", 2});
    raw_peer::message m;
    while ((m = p.next()).opcode != 8) {
        if (m.opcode == 10) {
            EXPECT_EQ(m.payload, "are you there");
            ++pongs;
            continue;
        }
        EXPECT_EQ(m.opcode, 1);
        EXPECT_EQ(m.payload, told("torrent_added", much, next)) << next;
        ++next;
        ASSERT_LE(next, events);
    }
    EXPECT_EQ(pongs, 1);
    EXPECT_EQ(m.close_code(), 1000);
    EXPECT_TRUE(p.ends());
    EXPECT_TRUE(nobody_is_left());
}

TEST_F(ws_session, is_asked_by_ping_frames_and_let_go_when_it_does_not_answer) {
    at.options.limits.ping_every = milliseconds{40};
    at.options.limits.pong_within = milliseconds{200};
    auto& p = begin();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(p.next().opcode, 9);
        p.frame(10, "");
    }
    EXPECT_EQ(p.next().opcode, 9);
    EXPECT_TRUE(p.is_gone());
    EXPECT_TRUE(nobody_is_left());
}

TEST_F(ws_session, hears_a_heartbeat) {
    at.options.heartbeat_seconds = 0.05;
    auto& p = begin();
    EXPECT_EQ(p.next_text(), R"({"action":"ping"})");
    p.text(R"({"action":"pong"})");
    EXPECT_EQ(p.next_text(), R"({"action":"ping"})");
}

TEST_F(ws_session, one_who_reads_too_slowly_is_told_to_resync_and_closed_with_1013) {
    at.start();
    raw_peer slow{at.port, nullptr, 4096};
    ASSERT_TRUE(slow.upgrade(at.port));
    greet(slow);
    auto& quick = fresh();
    greet(quick);
    auto const much = std::string(100'000, 'x');
    int sent = 0;
    for (; sent < 200 && at.on_loop([&] { return at.counted.watchers_resynced; }) == 0; ++sent) {
        at.publish(event_type::torrent_added, much, sent);
        EXPECT_EQ(quick.next_text(), told("torrent_added", much, sent))
            << "another must get every event in order";
    }
    EXPECT_EQ(at.on_loop([&] { return at.counted.watchers_resynced; }), 1U);
    std::string last;
    testing::raw_peer::message m;
    int got = 0;
    while ((m = slow.next()).opcode == 1) {
        last = std::exchange(m.payload, {});
        ++got;
    }
    EXPECT_LT(got, sent);
    EXPECT_TRUE(last.starts_with(R"({"type":"resync",)")) << last.substr(0, 100);
    EXPECT_TRUE(last.ends_with(R"("seq":)" + std::to_string(sent - 1) + '}')) << last;
    EXPECT_EQ(m.close_code(), 1013);
}

TEST_F(ws_session, there_is_a_bound_to_the_watchers) {
    at.options.limits.watchers = 1;
    auto& p = begin();
    greet(p);
    raw_peer other{at.port};
    EXPECT_FALSE(other.upgrade(at.port));
    EXPECT_TRUE(at.is_well());
    greet(p);
}

TEST_F(ws_session, what_is_no_upgrade_is_told_so) {
    at.start();
    auto const asked = [&](std::string const& more) {
        raw_peer p{at.port};
        p.say(at.request("GET /api/v1/events", more));
        auto const a = p.answer();
        EXPECT_EQ(a.code(), a.status == 400 ? "BAD_REQUEST" : "");
        return a.status;
    };
    std::string const upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n";
    std::string const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                      version = "Sec-WebSocket-Version: 13\r\n";
    EXPECT_EQ(asked(""), 400);
    EXPECT_EQ(asked(upgrade + version), 400);
    EXPECT_EQ(asked(upgrade + key), 400);
    EXPECT_EQ(asked(upgrade + key + "Sec-WebSocket-Version: 8\r\n"), 400);
    EXPECT_EQ(asked(upgrade + "Sec-WebSocket-Key: short\r\n" + version), 400);
    EXPECT_EQ(asked(upgrade + key + version), 101);
}

TEST_F(ws_session, can_be_switched_off) {
    at.options.websocket_enabled = false;
    at.start();
    raw_peer p{at.port};
    EXPECT_FALSE(p.upgrade(at.port));
}

} // namespace
} // namespace ccbt::server
