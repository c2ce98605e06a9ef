#include "server/router.hpp"

#include <gtest/gtest.h>

namespace ccbt::server {
namespace {

using contract::scope;
using contract::verb;

contract::promise const list{.name = "list", .method = verb::get, .path = "/torrents", .needs = scope::read};
contract::promise const show{
    .name = "show", .method = verb::get, .path = "/torrents/{ih}", .needs = scope::read};
contract::promise const drop{
    .name = "drop", .method = verb::del, .path = "/torrents/{ih}", .needs = scope::remove};
contract::promise const add{
    .name = "add", .method = verb::post, .path = "/torrents/add", .needs = scope::add};
contract::promise const peers{
    .name = "peers", .method = verb::get, .path = "/torrents/{ih}/peers", .needs = scope::read};
contract::promise const unban{
    .name = "unban", .method = verb::del, .path = "/blacklist/{ip*}", .needs = scope::control};
contract::promise const health{
    .name = "health", .method = verb::get, .path = "/health", .needs = scope::open, .at_root = true};

router make() {
    std::vector<route> all;
    for (auto const* p : {&list, &show, &drop, &add, &peers, &unban, &health}) {
        route r;
        r.promise = p;
        all.push_back(std::move(r));
    }
    return router{std::move(all)};
}

std::string name_of(router::found const& f) {
    return f.to == nullptr ? "" : std::string{f.to->promise->name};
}

TEST(router, a_path_is_found_below_the_base) {
    auto const r = make();
    EXPECT_EQ(name_of(r.find("GET", "/api/v1/torrents")), "list");
    EXPECT_EQ(name_of(r.find("GET", "/torrents")), "");
    EXPECT_EQ(name_of(r.find("GET", "torrents")), "");
    EXPECT_EQ(name_of(r.find("GET", "")), "");
    EXPECT_FALSE(r.find("GET", "/").path_known);
    EXPECT_FALSE(r.find("GET", "/api/v1").path_known);
}

TEST(router, what_stands_at_the_root_is_found_at_both_places) {
    auto const r = make();
    EXPECT_EQ(name_of(r.find("GET", "/health")), "health");
    EXPECT_EQ(name_of(r.find("GET", "/api/v1/health")), "health");
}

TEST(router, a_literal_piece_beats_a_parameter) {
    auto const r = make();
    EXPECT_EQ(name_of(r.find("POST", "/api/v1/torrents/add")), "add");
    auto const f = r.find("GET", "/api/v1/torrents/add"); // no torrent is called "add"
    EXPECT_EQ(name_of(f), "");
    EXPECT_TRUE(f.path_known);
    EXPECT_EQ(f.allow, "POST");
}

TEST(router, a_parameter_is_percent_decoded_after_the_path_was_cut) {
    auto const r = make();
    auto const f = r.find("GET", "/api/v1/torrents/a%2Fb%20c");
    ASSERT_EQ(name_of(f), "show");
    ASSERT_EQ(f.path.size(), 1U);
    EXPECT_EQ(f.path[0].first, "ih");
    EXPECT_EQ(f.path[0].second, "a/b c");
}

TEST(router, a_broken_encoding_stays_as_it_was_sent) {
    auto const r = make();
    auto const f = r.find("GET", "/api/v1/torrents/%zz");
    ASSERT_EQ(name_of(f), "show");
    EXPECT_EQ(f.path[0].second, "%zz");
}

TEST(router, the_rest_of_a_path_is_one_parameter_with_its_slashes) {
    auto const r = make();
    EXPECT_EQ(r.find("DELETE", "/api/v1/blacklist/10.0.0.0/8").path.at(0).second, "10.0.0.0/8");
    EXPECT_EQ(r.find("DELETE", "/api/v1/blacklist/10.0.0.0%2F8").path.at(0).second, "10.0.0.0/8");
    EXPECT_EQ(r.find("DELETE", "/api/v1/blacklist/fe80::%2f10").path.at(0).first, "ip");
}

TEST(router, an_empty_piece_is_no_parameter) {
    auto const r = make();
    EXPECT_FALSE(r.find("GET", "/api/v1/torrents/").path_known);
    EXPECT_FALSE(r.find("GET", "/api/v1/torrents//peers").path_known);
    EXPECT_FALSE(r.find("DELETE", "/api/v1/blacklist/").path_known);
    EXPECT_FALSE(r.find("GET", "/api/v1//torrents").path_known);
    EXPECT_FALSE(r.find("GET", "/api/v1/torrents/aa/").path_known);
}

TEST(router, another_method_of_a_known_path_is_told_which_there_are) {
    auto const r = make();
    auto const f = r.find("PUT", "/api/v1/torrents/aa");
    EXPECT_EQ(f.to, nullptr);
    EXPECT_TRUE(f.path_known);
    EXPECT_EQ(f.allow, "GET, DELETE");
    EXPECT_TRUE(r.find("get", "/api/v1/torrents").path_known) << "methods are told apart by case";
    EXPECT_EQ(r.find("get", "/api/v1/torrents").to, nullptr);
    EXPECT_FALSE(r.find("GET", "/api/v1/nothing").path_known);
}

TEST(read_query, pairs_come_in_order_and_decoded) {
    using pairs = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(read_query("a=1&b=x%20y+z&c"), (pairs{{"a", "1"}, {"b", "x y z"}, {"c", ""}}));
    EXPECT_EQ(read_query("a=b=c&&"), (pairs{{"a", "b=c"}}));
    EXPECT_EQ(read_query(""), pairs{});
    EXPECT_EQ(read_query("a=%2"), std::nullopt);
    EXPECT_EQ(read_query("%zz=1"), std::nullopt);
}

} // namespace
} // namespace ccbt::server
