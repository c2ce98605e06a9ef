#include "server/door.hpp"

#include <gtest/gtest.h>

namespace ccbt::server {
namespace {

using names = std::vector<std::string>;

int status_of(std::optional<contract::failure> const& f) {
    return f ? contract::row_of(f->code).status : 200;
}

door_rules const rules{{"localhost:64124", "127.0.0.1:64124", "[::1]:64124", "nas.lan:64124"}, "64124"};

TEST(door, only_our_own_names_with_our_own_port_are_a_host) {
    for (auto const* host :
         {"localhost:64124", "LocalHost:64124", "127.0.0.1:64124", "[::1]:64124", "nas.lan:64124"})
        EXPECT_EQ(status_of(check_host(rules, host, "127.0.0.1")), 200) << host;
    for (auto const* host :
         {"", "localhost", "localhost:80", "localhost:641240", "localhost.:64124", "evil.com:64124",
          "evil.com", "127.0.0.1.evil.com:64124", "a@127.0.0.1:64124", "127.0.0.2:64124", "*",
          "0.0.0.0:64124", "::1:64124"})
        EXPECT_EQ(status_of(check_host(rules, host, "127.0.0.1")), 421) << host;
}

TEST(door, the_address_at_which_a_connection_arrived_is_a_host) {
    EXPECT_EQ(status_of(check_host(rules, "192.168.1.9:64124", "192.168.1.9")), 200);
    EXPECT_EQ(status_of(check_host(rules, "192.168.1.9:64124", "192.168.1.8")), 421);
    EXPECT_EQ(status_of(check_host(rules, "192.168.1.9", "192.168.1.9")), 421);
    EXPECT_EQ(status_of(check_host(rules, "[fe80::9]:64124", "fe80::9")), 200);
    EXPECT_EQ(status_of(check_host(rules, "fe80::9:64124", "fe80::9")), 421);
}

TEST(door, through_a_unix_socket_our_names_pass_with_any_port_and_others_do_not) {
    for (auto const* ours : {"localhost", "LOCALHOST:1", "127.0.0.1", "[::1]", "[::1]:80"})
        EXPECT_EQ(status_of(check_host(rules, ours, "")), 200) << ours;
    for (auto const* foreign :
         {"whatever", "", "localhost.evil.example", "[::2]", "::1", "evil.example:64124"})
        EXPECT_EQ(status_of(check_host(rules, foreign, "")), 421) << foreign;
}

TEST(door, the_last_hop_that_no_proxy_of_ours_wrote_is_who_asks) {
    names const proxies{"10.0.0.1", "10.0.0.2"};
    EXPECT_EQ(forwarded_for("1.2.3.4", proxies), "1.2.3.4");
    EXPECT_EQ(forwarded_for("6.6.6.6, 1.2.3.4, 10.0.0.2", proxies), "1.2.3.4");
    EXPECT_EQ(forwarded_for("1.2.3.4:5678", proxies), "1.2.3.4");
    EXPECT_EQ(forwarded_for("[2001:DB8::1]:443", proxies), "2001:db8::1");
    EXPECT_EQ(forwarded_for("::ffff:1.2.3.4", proxies), "1.2.3.4");
    for (auto const* nobody : {"", "10.0.0.1", "unknown", "1.2.3.4, _hidden", "1.2.3"})
        EXPECT_EQ(forwarded_for(nobody, proxies), "") << nobody;
}

TEST(door, a_configured_name_gets_the_port_that_it_lacks) {
    EXPECT_EQ(allowed_as("NAS.lan", "64124"), names{"nas.lan:64124"});
    EXPECT_EQ(allowed_as("nas.lan:8080", "64124"), names{"nas.lan:8080"});
    EXPECT_EQ(allowed_as("10.0.0.1", "64124"), names{"10.0.0.1:64124"});
    EXPECT_EQ(allowed_as("[fe80::1]", "64124"), names{"[fe80::1]:64124"});
    EXPECT_EQ(allowed_as("[fe80::1]:99", "64124"), names{"[fe80::1]:99"});
    EXPECT_EQ(allowed_as("fe80::1", "64124"), names{"[fe80::1]:64124"});
    EXPECT_EQ(allowed_as(" ", "64124"), names{});
    EXPECT_EQ(allowed_as(":443", "64124"), names{}) << "else a Host that names nobody would be ours";
}

TEST(door, the_ports_that_clients_leave_out_may_be_left_out) {
    EXPECT_EQ(allowed_as("nas.lan:443", "64124"), (names{"nas.lan", "nas.lan:443"}));
    EXPECT_EQ(allowed_as("localhost", "80"), (names{"localhost", "localhost:80"}));
}

TEST(door, a_target_is_a_path_with_a_query) {
    auto const t = read_target("/api/v1/status?a=b?c", "here:1");
    ASSERT_TRUE(t);
    EXPECT_EQ(t->host, "here:1");
    EXPECT_EQ(t->path, "/api/v1/status");
    EXPECT_EQ(t->query, "a=b?c");
}

TEST(door, the_host_of_an_absolute_target_is_the_one_that_counts) {
    auto const t = read_target("http://There:2/x?y", "here:1");
    ASSERT_TRUE(t);
    EXPECT_EQ(t->host, "There:2");
    EXPECT_EQ(t->path, "/x");
    EXPECT_EQ(t->query, "y");
    EXPECT_EQ(read_target("HTTP://there:2", "here:1")->path, "/");
    EXPECT_EQ(read_target("http://there:2?q", "here:1")->path, "/");
}

TEST(door, the_other_forms_of_a_target_are_none) {
    for (auto const* target : {"", "*", "there:443", "ftp://there/x", "http:///x", "x/y", "?a"})
        EXPECT_FALSE(read_target(target, "here:1")) << target;
}

TEST(door, an_origin_must_be_the_host_that_was_asked) {
    EXPECT_EQ(status_of(check_origin(std::nullopt, "localhost:64124")), 200);
    EXPECT_EQ(status_of(check_origin("http://localhost:64124", "localhost:64124")), 200);
    EXPECT_EQ(status_of(check_origin("https://NAS.lan", "nas.lan")), 200);
    for (auto const* origin :
         {"", "null", "http://localhost", "http://localhost:1", "http://evil.com", "ftp://localhost:64124",
          "localhost:64124", "http://localhost:64124.evil.com"})
        EXPECT_EQ(status_of(check_origin(origin, "localhost:64124")), 403) << origin;
}

TEST(door, a_body_must_be_json_and_no_body_may_be_anything) {
    EXPECT_EQ(status_of(check_type("application/json", true)), 200);
    EXPECT_EQ(status_of(check_type("Application/JSON ; charset=utf-8", true)), 200);
    for (auto const* type :
         {"", "text/plain", "application/x-www-form-urlencoded", "application/json2", "json"})
        EXPECT_EQ(status_of(check_type(type, true)), 415) << type;
    EXPECT_EQ(status_of(check_type("application/octet-stream", false)), 200);
}

TEST(door, gzip_is_used_only_where_it_is_asked_for) {
    for (auto const* coding : {"gzip", "GZIP", "deflate, gzip", "br;q=1.0, gzip;q=0.8", "gzip; q=1"})
        EXPECT_TRUE(takes_gzip(coding)) << coding;
    for (auto const* coding : {"", "identity", "gzip;q=0", "gzip; q=0.000", "x-gzip2", "deflate"})
        EXPECT_FALSE(takes_gzip(coding)) << coding;
}

} // namespace
} // namespace ccbt::server
