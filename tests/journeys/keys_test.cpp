// Without a key nothing is had: every route of the catalogue, but for those that the contract leaves open.
#include "journeys/worlds.hpp"

#include <gmock/gmock.h>
#include <set>

namespace ccbt::journeys {
namespace {

using std::chrono::seconds;

std::string target_of(wire::endpoint_facts const& e) {
    std::string out{e.route.at_root ? "" : "/api/v1"};
    bool in_name = false;
    for (char const c : e.route.path) {
        if (c == '{') {
            in_name = true;
            out += e.route.path.ends_with("{asset}") ? "docs.css" : std::string(40, 'a');
        }
        if (!in_name) out += c;
        if (c == '}') in_name = false;
    }
    return out;
}

struct keys : ::testing::Test {
    house in;
    std::string const host = "127.0.0.1:" + std::to_string(in.port());

    support::answer ask(wire::endpoint_facts const& e, support::headers with) {
        with.emplace_back("Host", host);
        support::http_connection to{"127.0.0.1", in.port()};
        return to.ask(contract::name_of(e.route.method), target_of(e), with, "");
    }
};

TEST_F(keys, without_one_every_route_answers_401_but_those_that_are_open) {
    std::set<std::string> open, closed;
    for (auto const& e : wire::catalogue()) {
        if (e.is_socket) continue;
        auto const got = ask(e, {});
        if (got.status == 401) {
            closed.insert(std::string{e.route.name});
            EXPECT_EQ(got.code(), "AUTH_REQUIRED") << e.route.name;
            EXPECT_NE(got.json.text_or("error", ""), "") << e.route.name;
            ASSERT_NE(got.json.find("details"), nullptr);
        } else {
            open.insert(std::string{e.route.name});
            EXPECT_EQ(got.status, 200) << e.route.name;
        }
    }
    EXPECT_THAT(
        open,
        ::testing::IsSubsetOf(
            {"session.metrics", "session.health", "session.openapi", "session.docs", "session.docs_file"}));
    EXPECT_GE(open.size(), 3U);
    EXPECT_GE(closed.size(), 10U);
    EXPECT_TRUE(in.on_loop([&] { return !in.running().state().stopping(); }))
        << "POST /shutdown was among them";
}

TEST_F(keys, a_wrong_one_is_401_and_the_right_one_passes_everywhere) {
    auto const* status = wire::find_endpoint("session.status");
    ASSERT_NE(status, nullptr);
    std::string const right = house::key;
    for (auto const& wrong :
         {std::string{"wrong"}, std::string{}, right + "x", right.substr(1), ' ' + right.substr(1)})
        EXPECT_EQ(ask(*status, {{"X-CCBT-API-Key", wrong}}).status, 401) << '"' << wrong << '"';
    for (auto const& e : wire::catalogue()) {
        if (e.is_socket || e.route.name == "session.shutdown") continue;
        EXPECT_NE(ask(e, {{"X-CCBT-API-Key", right}}).status, 401) << e.route.name;
    }
}

TEST_F(keys, events_close_with_4001_where_others_answer_401) {
    for (auto const& e : wire::catalogue()) {
        if (!e.is_socket) continue;
        support::web_socket watch{"127.0.0.1", in.port(), target_of(e)};
        EXPECT_FALSE(watch.next(support::deadline{seconds{20}}));
        ASSERT_TRUE(watch.closing()) << e.route.name;
        EXPECT_EQ(watch.closing()->first, 4001) << e.route.name;
    }
}

} // namespace
} // namespace ccbt::journeys
