#include "client/watch.hpp"

#include "client/fake_daemon.hpp"

#include <atomic>
#include <gtest/gtest.h>

namespace ccbt::client {
namespace {

using namespace std::chrono_literals;
using contract::event_type;

constexpr auto long_enough = 10'000ms;

options at(fake_daemon const& daemon) { return {.url = daemon.url(), .api_key = "k", .timeout = 5s}; }
std::string not_asked(fake_daemon::request const&) { return fake_daemon::json(500, "{}"); }
std::string row(char const* hash, char const* progress) {
    return R"({"info_hash":")" + std::string{hash} + R"(","name":"n","status":"downloading","progress":)" +
           progress + "}";
}

TEST(event_stream, events_come_in_order_and_talk_of_the_door_does_not) {
    fake_daemon daemon{
        not_asked, [](auto& peer) {
            auto const asked = peer.receive();
            EXPECT_EQ(asked, R"({"action":"subscribe","data":{"event_types":["torrent_added","resync"]}})");
            peer.send(R"({"action":"subscribed","event_types":["torrent_added","resync"]})");
            peer.send(
                R"({"type":"torrent_added","timestamp":1.5,"data":{"info_hash":"aa","name":"x"},"seq":4})");
            peer.send(R"({"action":"ping"})");
            peer.send(R"({"type":"from_the_future","timestamp":2.0,"data":{},"seq":5})");
            peer.send(R"({"type":"resync","timestamp":3.0,"data":{"revision":"r"},"seq":6})");
            EXPECT_EQ(peer.receive(), R"({"action":"ping"})");
            peer.send(R"({"action":"pong"})");
            (void)peer.receive();
        }};
    std::array const types{event_type::torrent_added, event_type::resync};
    auto stream = event_stream::open(at(daemon), types);
    ASSERT_TRUE(stream);
    auto const first = stream->next(long_enough);
    ASSERT_TRUE(first && *first);
    EXPECT_EQ((*first)->type, event_type::torrent_added);
    EXPECT_EQ((*first)->seq, 4);
    EXPECT_EQ((*first)->data.name, "x");
    auto const second = stream->next(long_enough);
    ASSERT_TRUE(second && *second);
    EXPECT_EQ((*second)->type, event_type::resync);
    ASSERT_TRUE(stream->ping());
    auto const none = stream->next(20ms);
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->has_value());
    EXPECT_EQ(daemon.requests()[0].line, "GET /api/v1/events HTTP/1.1");
    EXPECT_EQ(daemon.requests()[0].header("X-CCBT-API-Key"), "k");
}

TEST(event_stream, what_is_wanted_goes_along_with_since_for_what_was_missed_comes_before_any_subscription) {
    fake_daemon daemon{not_asked, [](auto& peer) {
                           peer.send(R"({"type":"torrent_added","timestamp":1.5,"data":{},"seq":4})");
                           EXPECT_EQ(peer.receive(), R"({"action":"ping"})") << "nothing is subscribed";
                       }};
    std::array const types{event_type::torrent_added, event_type::resync};
    auto stream = event_stream::open(at(daemon), types, 3);
    ASSERT_TRUE(stream);
    auto const missed = stream->next(long_enough);
    ASSERT_TRUE(missed && *missed);
    EXPECT_EQ((*missed)->seq, 4);
    EXPECT_TRUE(stream->ping());
    EXPECT_EQ(
        daemon.requests()[0].line, "GET /api/v1/events?since=3&event_types=torrent_added,resync HTTP/1.1");
}

TEST(event_stream, close_4001_and_status_401_are_unauthorized_and_another_end_is_not) {
    fake_daemon closes{not_asked, [](auto& peer) { peer.close(4001, "Unauthorized"); }};
    auto stream = event_stream::open(at(closes));
    ASSERT_TRUE(stream);
    EXPECT_EQ(stream->next(long_enough).error().kind, error_kind::unauthorized);

    fake_daemon refuses{
        [](auto const&) { return fake_daemon::json(401, R"({"error":"x","code":"AUTH_REQUIRED"})"); }};
    EXPECT_EQ(event_stream::open(at(refuses)).error().kind, error_kind::unauthorized);

    fake_daemon leaves{not_asked, [](auto& peer) { peer.close(1001, "bye"); }};
    auto left = event_stream::open(at(leaves));
    ASSERT_TRUE(left);
    auto const end = left->next(long_enough);
    EXPECT_EQ(end.error().kind, error_kind::unreachable);
    EXPECT_EQ(end.error().message, "the daemon closed the stream of events (1001 bye)");
}

TEST(live_table, events_lead_to_deltas_and_a_lost_connection_is_caught_up) {
    std::atomic<int> lists = 0;
    auto const answers = [&](fake_daemon::request const& asked) {
        switch (++lists) {
        case 1:
            EXPECT_EQ(asked.line, "GET /api/v1/torrents?offset=0 HTTP/1.1");
            return fake_daemon::json(
                200, R"({"torrents":[)" + row("aa", "0.5") + ',' + row("bb", "0.1") + "]}",
                "X-CCBT-Revision: r1\r\n");
        case 2:
            EXPECT_EQ(asked.line, "GET /api/v1/torrents?since=r1&offset=0 HTTP/1.1");
            return fake_daemon::json(
                200, R"({"torrents":[)" + row("aa", "0.75") +
                         R"(],"revision":"r2","full":false,"removed":["bb"]})");
        default:
            EXPECT_EQ(asked.line, "GET /api/v1/torrents?since=r2&offset=0 HTTP/1.1");
            return fake_daemon::json(
                200,
                R"({"torrents":[)" + row("cc", "1.0") + R"(],"revision":"r3","full":true,"removed":[]})");
        }
    };
    std::atomic<int> talks = 0;
    fake_daemon daemon{
        answers, [&](auto& peer) {
            if (++talks > 1) {
                (void)peer.receive();
                return;
            }
            auto const asked = peer.receive();
            ASSERT_TRUE(asked);
            EXPECT_NE(asked->find("torrents_changed"), std::string::npos);
            while (lists < 1) std::this_thread::yield();
            peer.send(R"({"type":"torrents_changed","timestamp":1.0,"data":{"revision":"r2"},"seq":4})");
            while (lists < 2) std::this_thread::yield();
            peer.close(1012, "restart");
        }};
    live_table table{at(daemon)};
    auto news = table.next(long_enough);
    ASSERT_TRUE(news);
    EXPECT_TRUE(news->connected);
    EXPECT_TRUE(news->changed);
    EXPECT_EQ(table.rows().size(), 2U);
    EXPECT_EQ(table.revision(), "r1");

    news = table.next(long_enough);
    ASSERT_TRUE(news);
    EXPECT_TRUE(news->changed);
    EXPECT_TRUE(news->events.empty());
    EXPECT_EQ(table.rows().size(), 1U);
    EXPECT_EQ(table.find("aa")->progress, 0.75);
    EXPECT_EQ(table.find("bb"), nullptr);

    news = table.next(long_enough);
    ASSERT_TRUE(news);
    EXPECT_FALSE(news->connected);
    ASSERT_TRUE(table.lost());
    EXPECT_EQ(table.lost()->kind, error_kind::unreachable);
    EXPECT_EQ(table.rows().size(), 1U);

    news = table.next(long_enough);
    ASSERT_TRUE(news);
    EXPECT_TRUE(news->connected);
    EXPECT_EQ(table.lost(), std::nullopt);
    EXPECT_EQ(table.rows().size(), 1U);
    EXPECT_NE(table.find("cc"), nullptr);
    EXPECT_EQ(table.revision(), "r3");
}

TEST(live_table, a_wrong_key_is_said_and_a_silent_port_is_tried_again) {
    fake_daemon closes{
        [](auto const&) { return fake_daemon::json(401, R"({"error":"x","code":"AUTH_REQUIRED"})"); },
        [](auto& peer) { peer.close(4001, "Unauthorized"); }};
    live_table table{at(closes)};
    EXPECT_EQ(table.next(long_enough).error().kind, error_kind::unauthorized);

    live_table lonely{{.url = "http://127.0.0.1:1"}};
    for (int i = 0; i < 3; ++i) {
        auto const news = lonely.next(long_enough);
        ASSERT_TRUE(news);
        EXPECT_FALSE(news->connected);
        EXPECT_EQ(lonely.lost()->kind, error_kind::unreachable);
    }
}

} // namespace
} // namespace ccbt::client
