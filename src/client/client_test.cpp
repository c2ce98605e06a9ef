#include "client/client.hpp"
#include "client/fake_daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::client {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

constexpr char const* hash = "0123456789abcdef0123456789abcdef01234567";
constexpr char const* a_row =
    R"({"info_hash":"0123456789abcdef0123456789abcdef01234567","name":"debian.iso","status":"seeding","progress":1.0,)"
    R"("download_rate":0.0,"upload_rate":2048.0,"num_peers":3,"num_seeds":1,"total_size":4096,"downloaded":4096,)"
    R"("uploaded":9000,"is_private":false,"error":null,"output_dir":"/d","labels":["os"],"added_at":1.5})";

options at(fake_daemon const& daemon) { return {.url = daemon.url(), .api_key = "secret", .timeout = 5s}; }

TEST(client, two_calls_share_one_connection_and_carry_the_key) {
    fake_daemon daemon{
        [](auto const&) { return fake_daemon::json(200, R"({"num_torrents":7,"version":"9"})"); }};
    client one{at(daemon)};
    ASSERT_EQ(one.status().value().num_torrents, 7);
    ASSERT_EQ(one.status().value().version, "9");
    auto const seen = daemon.requests();
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].line, "GET /api/v1/status HTTP/1.1");
    EXPECT_EQ(seen[0].header("X-CCBT-API-Key"), "secret");
    EXPECT_EQ(seen[0].header("Host"), "127.0.0.1:" + std::to_string(daemon.port()));
    EXPECT_EQ(seen[0].connection, 1);
    EXPECT_EQ(seen[1].connection, 1);
}

TEST(client, an_interim_answer_is_none_and_not_modified_is_one_only_where_it_was_asked_for) {
    fake_daemon slow{[](auto const&) {
        return "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
               fake_daemon::json(200, R"({"num_torrents":7})");
    }};
    client one{at(slow)};
    auto const status = one.status();
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(status->num_torrents, 7);

    fake_daemon unchanged{
        [](auto const&) { return std::string{"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n"}; }};
    client two{at(unchanged)};
    EXPECT_EQ(two.torrent(hash).error().kind, error_kind::broken);
    contract::get_torrent::request conditional{*contract::info_hash::parse(hash), "\"a\""};
    auto const same = two.call<contract::get_torrent>(conditional);
    ASSERT_TRUE(same) << same.error().message;
    EXPECT_TRUE(same->unchanged);
}

TEST(client, a_kept_connection_that_was_closed_is_opened_anew_for_a_post_too) {
    std::atomic<bool> first = true;
    fake_daemon daemon{[&](auto const&) {
        return fake_daemon::json(
            200, R"({"status":"paused"})", first.exchange(false) ? "Connection: close\r\n" : "");
    }};
    client one{at(daemon)};
    ASSERT_TRUE(one.pause(hash));
    daemon.cut_all();
    ASSERT_TRUE(one.pause(hash));
    daemon.cut_all();
    ASSERT_TRUE(one.pause(hash));
    EXPECT_EQ(daemon.requests().back().connection, 3);
}

TEST(client, a_get_is_sent_again_when_the_kept_connection_ends_under_it_and_a_post_is_not) {
    std::atomic<int> calls = 0;
    fake_daemon daemon{[&](fake_daemon::request const&) {
        return ++calls % 2 == 0 ? std::string{} : fake_daemon::json(200, R"({"status":"paused"})");
    }};
    client gets{at(daemon)};
    ASSERT_TRUE(gets.status());
    ASSERT_TRUE(gets.status()); // the second is cut, the third answers
    EXPECT_EQ(calls, 3);
    auto const cut = gets.pause(hash); // the fourth
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().kind, error_kind::unreachable);
    EXPECT_EQ(calls, 4);
}

TEST(client, the_next_change_carries_an_idempotency_key_and_no_other_request) {
    fake_daemon daemon{[](auto const&) { return fake_daemon::json(200, R"({"status":"paused"})"); }};
    client one{at(daemon)};
    one.repeat_safely("0123456789abcdef");
    (void)one.status();
    ASSERT_TRUE(one.pause(hash));
    ASSERT_TRUE(one.pause(hash));
    auto const asked = daemon.requests();
    ASSERT_EQ(asked.size(), 3);
    EXPECT_EQ(asked[0].header("Idempotency-Key"), "");
    EXPECT_EQ(asked[1].header("Idempotency-Key"), "0123456789abcdef");
    EXPECT_EQ(asked[2].header("Idempotency-Key"), "");
}

TEST(client, an_error_keeps_its_status_code_message_and_details) {
    fake_daemon daemon{[](auto const&) {
        return fake_daemon::json(
            404, R"({"error":"no such torrent","code":"TORRENT_NOT_FOUND","details":{"a":[1]}})");
    }};
    client one{at(daemon)};
    auto const got = one.torrent(hash);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, error_kind::refused);
    EXPECT_EQ(got.error().status, 404);
    EXPECT_EQ(got.error().code, "TORRENT_NOT_FOUND");
    EXPECT_EQ(got.error().message, "no such torrent");
    EXPECT_EQ(got.error().details, R"({"a":[1]})");
    EXPECT_EQ(got.error().known, contract::errc::torrent_not_found);
}

TEST(client, one_code_with_two_statuses_is_two_errors) {
    EXPECT_EQ(
        error_of(403, R"({"error":"x","code":"ADD_TORRENT_ERROR","details":null})").known,
        contract::errc::add_torrent_forbidden);
    EXPECT_EQ(
        error_of(400, R"({"error":"x","code":"ADD_TORRENT_ERROR","details":null})").known,
        contract::errc::add_torrent_error);
    EXPECT_EQ(
        error_of(418, R"({"error":"x","code":"ADD_TORRENT_ERROR","details":null})").known, std::nullopt);
}

TEST(client, a_refused_key_and_a_missing_scope_are_unauthorized) {
    EXPECT_EQ(
        error_of(401, R"({"error":"x","code":"AUTH_REQUIRED","details":null})").kind,
        error_kind::unauthorized);
    EXPECT_EQ(error_of(403, R"({"error":"x","code":"FORBIDDEN_SCOPE"})").kind, error_kind::unauthorized);
    EXPECT_EQ(error_of(403, R"({"error":"x","code":"IMPORT_ERROR"})").kind, error_kind::refused);
    auto const page = error_of(502, "<html>");
    EXPECT_EQ(page.kind, error_kind::refused);
    EXPECT_EQ(page.message, "HTTP status 502");
}

TEST(client, a_daemon_that_says_nothing_is_a_timeout) {
    std::mutex held;
    std::unique_lock lock{held};
    fake_daemon daemon{[&](auto const&) {
        std::lock_guard const wait{held};
        return std::string{};
    }};
    client one{{.url = daemon.url(), .timeout = 50ms}};
    auto const got = one.status();
    lock.unlock();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, error_kind::timeout);
    EXPECT_EQ(got.error().status, 0);
}

TEST(client, nobody_listening_is_unreachable) {
    int port = 0;
    {
        port = fake_daemon{[](auto const&) { return std::string{}; }}.port();
    }
    client one{{.url = "http://127.0.0.1:" + std::to_string(port)}};
    auto const got = one.status();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, error_kind::unreachable);
}

TEST(client, what_is_no_http_and_what_is_no_json_is_broken) {
    fake_daemon talks{[](auto const&) { return std::string{"SSH-2.0-x\r\n\r\n"}; }};
    EXPECT_EQ(client{at(talks)}.status().error().kind, error_kind::broken);
    fake_daemon lies{[](auto const&) { return fake_daemon::json(200, R"({"num_torrents":"many"})"); }};
    EXPECT_EQ(client{at(lies)}.status().error().kind, error_kind::broken);
    fake_daemon half{
        [](auto const&) { return std::string{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"}; }};
    EXPECT_EQ((client{{.url = half.url(), .timeout = 50ms}}.status().error().kind), error_kind::timeout);
}

TEST(client, every_place_of_a_request_is_used) {
    fake_daemon daemon{[](auto const&) {
        return fake_daemon::json(200, R"({"status":"removed"})", "X-CCBT-Revision: 00000000000000aa-5\r\n");
    }};
    client one{at(daemon)};
    EXPECT_EQ(one.last_revision(), "");
    ASSERT_TRUE(one.remove_torrent(hash, true));
    EXPECT_EQ(one.last_revision(), "00000000000000aa-5");
    contract::list_torrents::request listing;
    listing.label = "a b&c";
    listing.if_none_match = "\"x\"";
    (void)one.call<contract::list_torrents>(listing);
    contract::add_torrent::request adding;
    adding.path_or_magnet = "magnet:?xt=1";
    adding.labels = {"os"};
    adding.paused = true;
    (void)one.add_torrent(adding);
    auto const seen = daemon.requests();
    EXPECT_EQ(
        seen[0].line,
        "DELETE /api/v1/torrents/0123456789abcdef0123456789abcdef01234567?delete_files=true HTTP/1.1");
    EXPECT_EQ(seen[1].line, "GET /api/v1/torrents?label=a%20b%26c&offset=0 HTTP/1.1");
    EXPECT_EQ(seen[1].header("If-None-Match"), "\"x\"");
    EXPECT_EQ(seen[2].line, "POST /api/v1/torrents/add HTTP/1.1");
    EXPECT_EQ(seen[2].header("Content-Type"), "application/json");
    EXPECT_EQ(
        seen[2].body,
        R"({"path_or_magnet":"magnet:?xt=1","resume":false,"paused":true,"labels":["os"],"sequential":false})");
}

TEST(client, a_call_by_names_goes_the_same_way) {
    fake_daemon daemon{[](auto const&) { return fake_daemon::json(200, R"({"x":1})"); }};
    client one{at(daemon)};
    auto const* removing = wire::find_endpoint("torrents.remove");
    auto const got = one.call(*removing, {{"info_hash", "../x y"}, {"delete_files", true}});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->text, R"({"x":1})");
    EXPECT_EQ(daemon.requests()[0].line, "DELETE /api/v1/torrents/..%2Fx%20y?delete_files=true HTTP/1.1");
    auto const missing = one.call(*removing, {});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, error_kind::unsupported);
    EXPECT_EQ(daemon.requests().size(), 1U);
}

TEST(client, a_post_without_a_body_says_so) {
    fake_daemon daemon{[](auto const&) { return fake_daemon::json(200, R"({"status":"shutting_down"})"); }};
    ASSERT_TRUE(client{at(daemon)}.shutdown());
    EXPECT_EQ(daemon.requests()[0].header("Content-Length"), "0");
    EXPECT_EQ(daemon.requests()[0].header("Content-Type"), "");
}

TEST(client, rows_tags_and_documents_are_read) {
    fake_daemon daemon{[](fake_daemon::request const& r) -> std::string {
        if (r.line == "GET /metrics HTTP/1.1")
            return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                   "Content-Length: 9\r\n\r\nccbt_up 1";
        if (!r.header("If-None-Match").empty()) return "HTTP/1.1 304 X\r\nETag: \"t\"\r\n\r\n";
        if (r.line.find("/torrents?") != std::string::npos)
            return fake_daemon::json(200, R"({"torrents":[)" + std::string{a_row} + "]}");
        return fake_daemon::json(200, a_row, "ETag: \"t\"\r\n");
    }};
    client one{at(daemon)};
    auto const rows = one.torrents();
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 1U);
    EXPECT_EQ((*rows)[0].name, "debian.iso");
    EXPECT_EQ((*rows)[0].status, contract::torrent_state::seeding);
    EXPECT_EQ((*rows)[0].upload_rate, 2048.0);
    EXPECT_THAT((*rows)[0].labels, ElementsAre("os"));
    EXPECT_EQ(one.torrent(hash)->total_size, 4096);
    contract::get_torrent::request again;
    again.info_hash = *contract::info_hash::parse(hash);
    EXPECT_EQ(one.call<contract::get_torrent>(again)->etag, "\"t\"");
    again.if_none_match = "\"t\"";
    EXPECT_TRUE(one.call<contract::get_torrent>(again)->unchanged);
    EXPECT_EQ(one.metrics().value(), "ccbt_up 1");
}

TEST(client, a_header_can_not_be_broken_out_of) {
    fake_daemon daemon{[](auto const&) { return fake_daemon::json(200, "{}"); }};
    client one{{.url = daemon.url(), .api_key = "a\r\nX-Evil: 1"}};
    EXPECT_EQ(one.status().error().kind, error_kind::unsupported);
    EXPECT_TRUE(daemon.requests().empty());
}

} // namespace
} // namespace ccbt::client
