// What the daemon answers where there is no gateway, one that says nothing, one that refuses, or none is wanted.
#include "client/client.hpp"
#include "integration/daemon_nat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::support {

namespace {

using std::chrono::steady_clock;

TEST_F(daemon_nat, without_a_gateway_every_route_answers_in_time_and_the_daemon_goes_on) {
    daemon one{plan()};
    struct ask {
        std::string method, path, body;
        int status;
        std::string code_or_body;
    };
    for (auto const& [method, path, body, wanted, said] :
         {ask{"POST", "/nat/discover", "", 200, R"({"status":"discovered","result":false})"},
          ask{"POST", "/nat/map", R"({"internal_port":6999})", 404, "NAT_MAP_FAILED"},
          ask{"POST", "/nat/refresh", "", 404, "NAT_REFRESH_FAILED"},
          ask{"POST", "/nat/unmap", R"({"port":6999})", 200, R"({"status":"unmapped","result":false})"},
          ask{"GET", "/nat/status", "", 200,
              R"({"enabled":true,"method":null,"external_ip":null,"mapped_port":null,"mappings":[]})"},
          ask{"GET", "/nat/external-ip", "", 200, R"({"external_ip":null,"method":null})"},
          ask{"GET", "/nat/external-port/6999", "", 200,
              R"({"internal_port":6999,"external_port":null,"protocol":"tcp"})"}}) {
        auto const key =
            headers{{"Host", "127.0.0.1:" + std::to_string(one.port())}, {"X-CCBT-API-Key", one.key()}};
        http_connection slow{"127.0.0.1", one.port()};
        auto const began = steady_clock::now();
        ASSERT_TRUE(slow.send(request_text(method, "/api/v1" + path, key, body)));
        int slow_ones = 0; // the machine may do something else once
        for (int i = 0; i < 5; ++i) {
            auto const asked = steady_clock::now();
            EXPECT_EQ(one.get("/status").status, 200);
            auto const took = steady_clock::now() - asked;
            slow_ones += took > milliseconds{100} ? 1 : 0;
            EXPECT_LT(took, milliseconds{1000}) << path;
        }
        EXPECT_LE(slow_ones, 1) << path;
        auto const answered = slow.receive();
        EXPECT_LT(steady_clock::now() - began, milliseconds{5000}) << path;
        EXPECT_EQ(answered.status, wanted) << path << ' ' << answered.body;
        EXPECT_EQ(wanted == 404 ? answered.code() : answered.body, said) << path;
        if (wanted == 404) {
            EXPECT_EQ(answered.json.find("details")->text_or("reason", ""), "no_gateway");
        }
    }
    EXPECT_EQ(one.terminate(milliseconds{5000}), 0);
}

TEST_F(daemon_nat, a_gateway_that_falls_silent_holds_up_neither_the_routes_nor_the_end) {
    bed->start_gateway();
    daemon one{plan()};
    auto const port = static_cast<int>(wait_until_mapped(one, 2).number_or("mapped_port", 0));
    bed->freeze_gateway();
    std::vector<std::unique_ptr<http_connection>> asking;
    auto const began = steady_clock::now();
    auto const key =
        headers{{"Host", "127.0.0.1:" + std::to_string(one.port())}, {"X-CCBT-API-Key", one.key()}};
    for (int i = 0; i < 8; ++i) {
        auto& each = asking.emplace_back(std::make_unique<http_connection>("127.0.0.1", one.port()));
        auto const body = R"({"internal_port":)" + std::to_string(7000 + i) + '}';
        ASSERT_TRUE(each->send(request_text("POST", "/api/v1/nat/map", key, body)));
    }
    auto const asked = steady_clock::now();
    EXPECT_EQ(one.get("/status").status, 200);
    EXPECT_LT(steady_clock::now() - asked, milliseconds{1000});
    for (auto const& each : asking) {
        auto const said = each->receive();
        EXPECT_EQ(said.status, 404) << said.body;
        EXPECT_EQ(said.code(), "NAT_MAP_FAILED");
    }
    EXPECT_LT(steady_clock::now() - began, milliseconds{5000}) << "all of them";
    EXPECT_EQ(status(one).number_or("mapped_port", 0), port) << "its lease still runs";
    auto const left = steady_clock::now();
    EXPECT_EQ(one.terminate(milliseconds{6000}), 0);
    EXPECT_LT(steady_clock::now() - left, milliseconds{5000});
}

TEST_F(daemon_nat, what_is_no_port_or_no_protocol_is_refused_and_changes_nothing) {
    bed->start_gateway();
    daemon one{plan({{"nat.auto_map_ports", "false"}})};
    struct wrong {
        std::string path, body, field;
    };
    for (auto const& [path, body, field] :
         {wrong{"/nat/map", "{}", "internal_port"},
          wrong{"/nat/map", R"({"internal_port":0})", "internal_port"},
          wrong{"/nat/map", R"({"internal_port":65536})", "internal_port"},
          wrong{"/nat/map", R"({"internal_port":-1})", "internal_port"},
          wrong{"/nat/map", R"({"internal_port":"6881"})", "internal_port"},
          wrong{"/nat/map", R"({"internal_port":6881,"external_port":0})", "external_port"},
          wrong{"/nat/map", R"({"internal_port":6881,"external_port":70000})", "external_port"},
          wrong{"/nat/map", R"({"internal_port":6881,"protocol":"sctp"})", "protocol"},
          wrong{"/nat/unmap", R"({"port":0})", "port"}, wrong{"/nat/unmap", R"({"port":65536})", "port"},
          wrong{"/nat/unmap", R"({"port":6881,"protocol":"icmp"})", "protocol"}}) {
        auto const said = one.post(path, body);
        EXPECT_EQ(said.status, 400) << body << ' ' << said.body;
        EXPECT_EQ(said.code(), "VALIDATION_ERROR") << body;
        EXPECT_EQ(said.json.find("details")->text_or("field", ""), field) << body;
    }
    for (std::string const port :
         {"0", "65536", "-1", "abc", "6881x", "1e3", "%20", "99999999999999999999"}) {
        auto const said = one.get("/nat/external-port/" + port);
        EXPECT_EQ(said.status, 400) << port << ' ' << said.body;
        EXPECT_EQ(said.code(), "INVALID_PORT") << port;
        EXPECT_EQ(said.json.find("details")->text_or("field", ""), "internal_port");
    }
    EXPECT_EQ(one.get("/nat/external-port/6881?protocol=sctp").code(), "VALIDATION_ERROR");
    // Another host cannot be named: what is no field of the request is ignored.
    listener const ours{nat_bed::lan_address};
    mapped(one, ours, R"(,"internal_client":"192.168.77.9","NewInternalClient":"192.168.77.9")");
    EXPECT_THAT(bed->rules(), testing::Not(testing::HasSubstr("192.168.77.9")));
    EXPECT_TRUE(bed->forwards("tcp", ours.port(), ours.port())) << bed->rules();
}

TEST_F(daemon_nat, the_gateways_refusal_is_told_as_one) {
    bed->start_gateway({.upnp = true, .nat_pmp = false}); // its rules let no port below 1024 through
    daemon one{plan()};
    wait_until_mapped(one, 2);
    auto const refused = one.post("/nat/map", R"({"internal_port":80})");
    EXPECT_EQ(refused.status, 404);
    EXPECT_EQ(refused.code(), "NAT_MAP_FAILED") << refused.body;
    EXPECT_EQ(refused.json.find("details")->text_or("reason", ""), "refused") << refused.body;
    EXPECT_EQ(status(one).list_or_empty("mappings").size(), 2U);
}

// These need no gateway and no namespace.
TEST(daemon_nat_off, every_route_says_that_it_is_off) {
    temp_folder const root;
    daemon const one{{.folder = root / "one"}};
    for (auto const& [method, path, body, code] :
         {std::tuple{"POST", "/nat/discover", "", "NAT_DISCOVER_FAILED"},
          std::tuple{"POST", "/nat/map", R"({"internal_port":6881})", "NAT_MAP_FAILED"},
          std::tuple{"POST", "/nat/unmap", R"({"port":6881})", "NAT_UNMAP_FAILED"},
          std::tuple{"POST", "/nat/refresh", "", "NAT_REFRESH_FAILED"},
          std::tuple{"GET", "/nat/external-ip", "", "NAT_ERROR"},
          std::tuple{"GET", "/nat/external-port/6881", "", "NAT_ERROR"}}) {
        auto const said = one.call(method, path, body);
        EXPECT_EQ(said.status, 404) << path << ' ' << said.body;
        EXPECT_EQ(said.code(), code) << path;
        EXPECT_EQ(said.json.find("details")->text_or("reason", ""), "off") << path;
    }
    EXPECT_EQ(
        one.get("/nat/status").body,
        R"({"enabled":false,"method":null,"external_ip":null,"mapped_port":null,"mappings":[]})");
    client::client by{{.url = one.url(), .api_key = one.key()}};
    EXPECT_EQ(by.map_port(6881).error().code, "NAT_MAP_FAILED");
    EXPECT_EQ(by.unmap_port(6881).error().code, "NAT_UNMAP_FAILED");
    EXPECT_EQ(by.refresh_nat().error().code, "NAT_REFRESH_FAILED");
    EXPECT_EQ(by.discover_nat().error().code, "NAT_DISCOVER_FAILED");
    EXPECT_EQ(by.get_external_ip().error().code, "NAT_ERROR");
    EXPECT_EQ(by.map_port(6881, "sctp").error().kind, client::error_kind::unsupported);
    EXPECT_FALSE(by.nat_status()->enabled);
}

} // namespace

} // namespace ccbt::support
