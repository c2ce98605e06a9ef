// The blacklist and the whitelist over the wire: what is answered, kept and told. Enforcement: ..._enforced.cpp.
#include "client/client.hpp"
#include "support/daemon.hpp"
#include "support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::support {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> ips_of(answer const& said) {
    std::vector<std::string> out;
    for (auto const& one : said.json.list_or_empty("ips"))
        if (auto const* text = one.get_if<std::string>()) out.push_back(*text);
    return out;
}

std::string field_of(answer const& said) {
    auto const* const details = said.json.find("details");
    return details == nullptr ? "" : std::string{details->text_or("field", "")};
}

struct daemon_security : testing::Test {
    temp_folder root{};
    daemon one{{.folder = root / "one"}};

    answer add(std::string const& list, std::string const& body) const {
        return one.post("/security/" + list, body);
    }
    std::string lists() const {
        return one.get("/security/blacklist").body + one.get("/security/whitelist").body;
    }
};

TEST_F(daemon_security, empty_lists_have_the_exact_shape) {
    for (auto const* const list : {"blacklist", "whitelist"}) {
        auto const said = one.get(std::string{"/security/"} + list);
        EXPECT_EQ(said.status, 200);
        EXPECT_EQ(said.body, R"({"ips":[],"count":0,"entries":[]})");
        EXPECT_EQ(said.header("content-type"), "application/json");
    }
}

TEST_F(daemon_security, addresses_blocks_and_ranges_are_added_listed_and_removed) {
    for (std::string const list : {"blacklist", "whitelist"}) {
        auto const at = "/security/" + list;
        EXPECT_EQ(add(list, R"({"ip":"10.1.2.3"})").body, R"({"added":true})");
        EXPECT_EQ(add(list, R"({"ip":"10.77.0.1/16","reason":"a net"})").body, R"({"added":true})");
        EXPECT_EQ(add(list, R"({"ip":"1.2.3.4-1.2.3.9","reason":null})").body, R"({"added":true})");
        EXPECT_EQ(add(list, R"({"ip":"2001:DB8::/32","unknown":1})").body, R"({"added":true})");
        EXPECT_EQ(add(list, R"({"ip":"::ffff:9.9.9.9"})").body, R"({"added":true})");
        EXPECT_EQ(add(list, R"({"ip":"::ffff:9.9.9.9"})").body, R"({"added":true})") << "twice is harmless";
        auto const said = one.get(at);
        EXPECT_THAT(
            ips_of(said),
            ElementsAre("1.2.3.4-1.2.3.9", "9.9.9.9", "10.1.2.3", "10.77.0.0/16", "2001:db8::/32"));
        EXPECT_EQ(said.json.number_or("count", 0), 5);
        auto const& entries = said.json.list_or_empty("entries");
        ASSERT_EQ(entries.size(), 5U);
        EXPECT_EQ(entries[3].text_or("ip", ""), "10.77.0.0/16");
        EXPECT_EQ(entries[3].text_or("reason", ""), "a net");
        EXPECT_TRUE(entries[0].find("reason")->is_null());
        EXPECT_GT(entries[0].number_or("added_at", 0), 1.7e9);

        EXPECT_EQ(one.del(at + "/10.77.0.0/16").body, R"({"removed":true})") << "the rest of the path";
        EXPECT_EQ(one.del(at + "/2001%3Adb8%3A%3A%2F32").body, R"({"removed":true})") << "percent-encoded";
        EXPECT_EQ(one.del(at + "/9.9.9.9").status, 200);
        EXPECT_EQ(one.del(at + "/::ffff:1.2.3.4-1.2.3.9").status, 200) << "in another spelling";
        EXPECT_THAT(ips_of(one.get(at)), ElementsAre("10.1.2.3"));
    }
}

TEST_F(daemon_security, mistakes_are_4xx_with_code_and_field_and_change_nothing) {
    ASSERT_EQ(add("blacklist", R"({"ip":"10.0.0.1","reason":"kept"})").status, 200);
    auto const before = lists();
    std::string const long_text(70'000, '1');
    for (std::string const list : {"blacklist", "whitelist"}) {
        auto const at = "/security/" + list;
        for (auto const& ip : std::vector<std::string>{
                 "", " ", "nobody", "10.0.0.300", "010.0.0.1", "10.0.0.1 ", "10.0.0.1:6881", "10.0.0.0/33",
                 "10.0.0.9-10.0.0.1", "10.0.0.1-::2", "fe80::1%eth0", "[::1]", "10.0.0.1\\u0000",
                 "1'; DROP TABLE lists; --"}) {
            auto const said = add(list, R"({"ip":")" + ip + "\"}");
            EXPECT_EQ(said.status, 400) << ip;
            EXPECT_EQ(said.code(), "SECURITY_ERROR") << ip;
            EXPECT_EQ(field_of(said), "ip") << said.body;
        }
        for (auto const& [body, field] :
             {std::pair{"{}", "ip"}, std::pair{"", "ip"}, std::pair{R"({"ip":7})", "ip"},
              std::pair{R"({"ip":null})", "ip"}, std::pair{R"({"ip":["10.0.0.1"]})", "ip"},
              std::pair{R"({"ip":"10.0.0.2","reason":7})", "reason"}}) {
            auto const said = add(list, body);
            EXPECT_EQ(said.status, 400) << body;
            EXPECT_EQ(said.code(), "VALIDATION_ERROR") << body;
            EXPECT_EQ(field_of(said), field) << said.body;
        }
        EXPECT_EQ(
            add(list, R"({"ip":"10.0.0.2","reason":")" + std::string(1025, 'x') + "\"}").code(),
            "VALIDATION_ERROR");
        EXPECT_EQ(add(list, R"({"ip":")" + long_text + "\"}").status, 400);
        EXPECT_EQ(add(list, "{").code(), "INVALID_JSON");
        EXPECT_EQ(one.call("PUT", at, "{}").status, 405);
        for (auto const* const ip :
             {"x", "10.0.0.0/33", "10.0.0.1%20", "%00", "10.0.0.0/8/8", "..%2F..%2Fetc"}) {
            auto const said = one.del(at + '/' + ip);
            EXPECT_EQ(said.status, 400) << ip;
            EXPECT_EQ(said.code(), "SECURITY_ERROR") << ip;
            EXPECT_EQ(field_of(said), "ip") << ip;
        }
        for (auto const* const ip : {"10.0.0.2", "10.0.0.0/8", "::1", "10.0.0.0%2F8"}) {
            auto const said = one.del(at + '/' + ip);
            EXPECT_EQ(said.status, 404) << ip;
            EXPECT_EQ(said.code(), "SECURITY_ERROR") << ip;
        }
    }
    EXPECT_EQ(lists(), before);
}

TEST_F(daemon_security, lists_reasons_and_times_outlive_a_restart_and_a_kill_at_once) {
    ASSERT_EQ(add("blacklist", R"({"ip":"10.0.0.0/8","reason":"noise \u00fc"})").status, 200);
    ASSERT_EQ(add("blacklist", R"({"ip":"2001:db8::1"})").status, 200);
    ASSERT_EQ(add("whitelist", R"({"ip":"10.0.0.5","reason":"friend"})").status, 200);
    auto const before = lists();
    ASSERT_EQ(one.terminate(), 0);
    one.start();
    EXPECT_EQ(lists(), before);
    ASSERT_EQ(one.del("/security/blacklist/2001:db8::1").status, 200);
    ASSERT_EQ(add("whitelist", R"({"ip":"10.0.0.6"})").status, 200);
    one.kill9();
    one.start();
    EXPECT_THAT(ips_of(one.get("/security/blacklist")), ElementsAre("10.0.0.0/8"));
    auto const white = one.get("/security/whitelist");
    EXPECT_THAT(ips_of(white), ElementsAre("10.0.0.5", "10.0.0.6"));
    EXPECT_EQ(white.json.list_or_empty("entries")[0].text_or("reason", ""), "friend");
}

TEST_F(daemon_security, each_change_is_one_event_and_no_change_is_none) {
    auto watch = one.events({"security_blacklist_updated", "security_whitelist_updated"});
    auto const next = [&] {
        auto const e = watch.next(milliseconds{10'000});
        if (!e) return std::string{"none"};
        return std::string{e->text_or("type", "")} + ' ' + wire::to_text(*e->find("data"));
    };
    ASSERT_EQ(add("blacklist", R"({"ip":"10.9.9.9/8","reason":"x"})").status, 200);
    ASSERT_EQ(add("blacklist", R"({"ip":"10.0.0.0/8"})").status, 200);
    ASSERT_EQ(add("blacklist", R"({"ip":"10.0.0.0/8","reason":"y"})").status, 200);
    ASSERT_EQ(add("blacklist", R"({"ip":"nobody"})").status, 400);
    ASSERT_EQ(one.del("/security/blacklist/10.0.0.1").status, 404);
    ASSERT_EQ(add("whitelist", R"({"ip":"10.0.0.5"})").status, 200);
    ASSERT_EQ(one.del("/security/whitelist/10.0.0.5").status, 200);
    ASSERT_EQ(one.del("/security/blacklist/10.0.0.0%2f8").status, 200);
    EXPECT_EQ(next(), R"(security_blacklist_updated {"ip":"10.0.0.0/8","action":"added"})");
    EXPECT_EQ(next(), R"(security_whitelist_updated {"ip":"10.0.0.5","action":"added"})");
    EXPECT_EQ(next(), R"(security_whitelist_updated {"ip":"10.0.0.5","action":"removed"})");
    EXPECT_EQ(next(), R"(security_blacklist_updated {"ip":"10.0.0.0/8","action":"removed"})");
}

TEST_F(daemon_security, the_client_has_a_method_for_each) {
    client::client by{{.url = one.url(), .api_key = one.key()}};
    ASSERT_TRUE(by.add_to_blacklist("10.0.0.0/8", "noise"));
    ASSERT_TRUE(by.add_to_blacklist("::1"));
    ASSERT_TRUE(by.add_to_whitelist("10.0.0.5", "friend"));
    ASSERT_TRUE(by.add_to_whitelist("10.0.0.6"));
    auto const black = by.get_blacklist(), white = by.get_whitelist();
    ASSERT_TRUE(black && white);
    EXPECT_THAT(black->ips, ElementsAre("10.0.0.0/8", "::1"));
    EXPECT_EQ(black->count, 2);
    EXPECT_EQ(black->entries.at(0).reason, "noise");
    EXPECT_EQ(black->entries.at(1).reason, std::nullopt);
    EXPECT_GT(black->entries.at(1).added_at, 1.7e9);
    EXPECT_EQ(white->entries.at(0).reason, "friend");
    ASSERT_TRUE(by.remove_from_blacklist("10.0.0.0/8"));
    ASSERT_TRUE(by.remove_from_whitelist("10.0.0.5"));
    EXPECT_THAT(by.get_blacklist()->ips, ElementsAre("::1"));
    EXPECT_THAT(by.get_whitelist()->ips, ElementsAre("10.0.0.6"));
    auto const gone = by.remove_from_blacklist("10.0.0.0/8");
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().status, 404);
    EXPECT_EQ(gone.error().known, contract::errc::security_not_found);
    auto const bad = by.add_to_whitelist("nobody");
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().known, contract::errc::security_malformed);
}

} // namespace

} // namespace ccbt::support
