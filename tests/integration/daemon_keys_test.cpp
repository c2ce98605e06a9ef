// Every route of the table asks for a key, but for those that the contract leaves open.
#include "support/daemon.hpp"
#include "support/temp_folder.hpp"
#include "wire/catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::support {

namespace {

// The contract's list, spelled out: what is neither here nor asks for a key is a hole.
bool is_open(std::string_view name) {
    return name == "session.health" || name == "session.openapi" || name == "session.metrics" ||
           name == "session.docs" || name == "session.docs_file";
}

std::string target_of(contract::promise const& route) {
    std::string out = route.at_root ? "" : "/api/v1";
    std::string_view path = route.path;
    while (!path.empty()) {
        auto const open = path.find('{');
        out += path.substr(0, open);
        if (open == std::string_view::npos) break;
        auto const close = path.find('}', open);
        auto const what = path.substr(open, close - open);
        out += what == "{info_hash" ? std::string(40, 'a') : what == "{asset" ? "docs.css" : "1";
        path.remove_prefix(close + 1);
    }
    return out;
}

// Wrong keys are counted by the address that they come from, so each comes from another.
std::string next_address() {
    static int count = 0;
    ++count;
    return "127.1." + std::to_string(count / 250) + '.' + std::to_string(count % 250 + 1);
}

answer asked(daemon const& of, wire::endpoint_facts const& what, headers more) {
    more.emplace_back("Host", "127.0.0.1:" + std::to_string(of.port()));
    http_connection ask{"127.0.0.1", of.port(), next_address()};
    auto const method = contract::name_of(what.route.method);
    return ask.ask(method, target_of(what.route), more, method == "GET" ? "" : "{}");
}

struct daemon_keys : testing::Test {
    temp_folder root{};
    daemon one{{.folder = root / "one"}};
};

TEST_F(daemon_keys, every_route_answers_401_without_a_key_and_with_a_wrong_one) {
    int asking = 0;
    for (auto const& what : wire::catalogue()) {
        if (what.is_socket) continue;
        for (headers const& keys :
             {headers{}, headers{{"X-CCBT-API-Key", std::string(64, '0')}},
              headers{{"X-CCBT-API-Key", one.key() + '0'}},
              headers{{"Authorization", "Bearer " + one.key()}}}) {
            auto const said = asked(one, what, keys);
            if (is_open(what.route.name)) {
                EXPECT_EQ(said.status, 200) << what.route.name << ' ' << said.body;
                continue;
            }
            EXPECT_EQ(said.status, 401) << what.route.name << ' ' << said.body;
            EXPECT_EQ(said.code(), "AUTH_REQUIRED") << what.route.name;
            ++asking;
        }
    }
    EXPECT_GE(asking, 4 * 10) << "the table has more routes than that";
    EXPECT_EQ(one.get("/torrents").json.list_or_empty("torrents").size(), 0U);
    EXPECT_TRUE(one.running().is_running()) << "nobody without a key stops it";
}

TEST_F(daemon_keys, no_route_is_refused_with_the_right_key) {
    for (auto const& what : wire::catalogue()) {
        if (what.is_socket || what.route.name == "session.shutdown") continue;
        auto const said = asked(one, what, {{"X-CCBT-API-Key", one.key()}});
        EXPECT_NE(said.status, 401) << what.route.name;
        EXPECT_NE(said.code(), "NOT_FOUND") << what.route.name;
        EXPECT_GE(said.status, 200) << what.route.name;
        EXPECT_LT(said.status, 500) << what.route.name << ' ' << said.body;
    }
}

TEST_F(daemon_keys, metrics_ask_for_a_key_where_that_is_set) {
    daemon const careful{{.folder = root / "two", .settings = {{"observability.metrics_need_key", "true"}}}};
    http_connection ask{"127.0.0.1", careful.port()};
    auto const host = "127.0.0.1:" + std::to_string(careful.port());
    EXPECT_EQ(ask.ask("GET", "/api/v1/metrics", {{"Host", host}}).code(), "AUTH_REQUIRED");
    EXPECT_EQ(careful.get("/metrics").status, 200);
}

TEST_F(daemon_keys, the_websocket_closes_with_4001_without_a_right_key) {
    for (auto const& [target, keys] :
         {std::pair{std::string{"/api/v1/events"}, headers{}},
          std::pair{std::string{"/api/v1/events"}, headers{{"X-CCBT-API-Key", "wrong"}}},
          std::pair{std::string{"/api/v1/events?api_key="}, headers{}},
          std::pair{"/api/v1/events?api_key=" + one.key().substr(1), headers{}}}) {
        web_socket events{"127.0.0.1", one.port(), target, keys, next_address()};
        deadline const until{milliseconds{5000}};
        EXPECT_FALSE(events.next(until)) << "nothing is told";
        ASSERT_TRUE(events.closing()) << target;
        EXPECT_EQ(events.closing()->first, 4001) << target;
        EXPECT_EQ(events.closing()->second, "Unauthorized") << target;
    }
}

TEST_F(daemon_keys, the_websocket_takes_the_key_by_header_and_by_query) {
    for (auto const& [target, keys] :
         {std::pair{std::string{"/api/v1/events"}, headers{{"X-CCBT-API-Key", one.key()}}},
          std::pair{"/api/v1/events?api_key=" + one.key(), headers{}}}) {
        web_socket events{"127.0.0.1", one.port(), target, keys};
        events.send(R"({"action":"ping"})");
        auto const said = events.next(milliseconds{5000});
        ASSERT_TRUE(said) << target;
        EXPECT_EQ(said->text_or("action", ""), "pong");
        events.send(R"({"action":"subscribe","data":{"event_types":["torrent_added"]}})");
        EXPECT_EQ(
            wire::to_text(*events.next(milliseconds{5000})),
            R"({"action":"subscribed","event_types":["torrent_added"]})");
        events.send(R"({"action":"dance"})");
        EXPECT_EQ(events.next(milliseconds{5000})->text_or("action", ""), "error");
        events.send(R"({"action":"unsubscribe","data":{"event_types":["torrent_added"]}})");
        EXPECT_EQ(events.next(milliseconds{5000})->text_or("action", ""), "unsubscribed");
        EXPECT_FALSE(events.closing());
    }
}

TEST_F(daemon_keys, the_eleventh_wrong_key_of_a_source_waits_and_a_right_one_passes) {
    std::string const source = "127.9.9.9";
    auto const host = "127.0.0.1:" + std::to_string(one.port());
    for (int i = 0; i < 11; ++i) {
        http_connection ask{"127.0.0.1", one.port(), source};
        auto const said = ask.ask("GET", "/api/v1/status", {{"Host", host}, {"X-CCBT-API-Key", "guess"}});
        EXPECT_EQ(said.status, i < 10 ? 401 : 429) << i;
        EXPECT_EQ(said.code(), i < 10 ? "AUTH_REQUIRED" : "RATE_LIMITED") << i;
        EXPECT_THAT(said.header("retry-after"), testing::MatchesRegex(i < 10 ? "" : "[0-9]+"));
    }
    http_connection right{"127.0.0.1", one.port(), source};
    EXPECT_EQ(
        right.ask("GET", "/api/v1/status", {{"Host", host}, {"X-CCBT-API-Key", one.key()}}).status, 200);
    http_connection other{"127.0.0.1", one.port(), "127.9.9.8"};
    EXPECT_EQ(other.ask("GET", "/api/v1/status", {{"Host", host}, {"X-CCBT-API-Key", "guess"}}).status, 401);
}

} // namespace

} // namespace ccbt::support
