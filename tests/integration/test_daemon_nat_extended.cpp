// NAT traversal against a real gateway (miniupnpd) in network namespaces: what is mapped is reached from the world, and
// what is unmapped is not; and what the daemon answers where there is no gateway, or one that says nothing.
#include "client/client.hpp"
#include "support/daemon.hpp"
#include "support/nat_bed.hpp"
#include "support/temp_folder.hpp"

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>

namespace ccbt::support {

namespace {

using std::chrono::steady_clock;

std::string const nobody = "null";

std::string text_of(value const& of, std::string_view name) {
    auto const* const v = of.find(name);
    return v == nullptr ? "(absent)" : to_text(*v);
}

struct daemon_nat : testing::Test {
    temp_folder root{};
    std::optional<nat_bed> bed{};
    std::optional<net_space::stay> at_home{}; // in the LAN, with all that is started

    void SetUp() override {
        if (auto const why = nat_bed::why_not(); !why.empty()) GTEST_SKIP() << "no test bed for NAT: " << why;
        bed.emplace(root / "bed");
        at_home.emplace(bed->lan.descriptor());
    }
    void TearDown() override { at_home.reset(); }

    [[nodiscard]] daemon_plan plan(std::map<std::string, std::string> more = {}) const {
        std::map<std::string, std::string> settings{
            {"nat.enable_upnp", "true"}, {"nat.enable_nat_pmp", "true"}, {"nat.auto_map_ports", "true"}};
        for (auto const& [key, text] : more) settings[key] = text;
        return {.folder = root / "one", .interface = "0.0.0.0", .settings = settings};
    }
    static value status(daemon const& of) { return of.get("/nat/status").json; }
    /// The status, once it is so: asked again whenever the mappings have changed.
    static value wait_for(daemon const& of, std::function<bool(value const&)> const& is_so) {
        deadline const until{milliseconds{15'000}};
        auto told = of.events({"nat_mappings_changed"});
        for (;;) {
            auto now = status(of);
            if (is_so(now)) return now;
            if (!told.next(until))
                throw std::runtime_error("not as it should be: " + to_text(now) + of.log());
        }
    }
    static value wait_until_mapped(daemon const& of, std::size_t count) {
        return wait_for(of, [&](value const& s) { return s.list_or_empty("mappings").size() == count; });
    }
    static int mapped(daemon const& of, listener const& what, std::string const& more = "") {
        auto const said =
            of.post("/nat/map", R"({"internal_port":)" + std::to_string(what.port()) + more + '}');
        EXPECT_EQ(said.status, 200) << said.body;
        auto const* const result = said.json.find("result");
        return result == nullptr ? 0 : static_cast<int>(result->number_or("external_port", 0));
    }
    static answer unmapped(daemon const& of, int port, std::string const& protocol = "tcp") {
        return of.post(
            "/nat/unmap", R"({"port":)" + std::to_string(port) + R"(,"protocol":")" + protocol + R"("})");
    }
};

TEST_F(daemon_nat, the_listen_port_is_mapped_by_itself_and_the_world_reaches_it) {
    bed->start_gateway();
    daemon one{plan()};
    auto const now = wait_until_mapped(one, 2);
    EXPECT_EQ(text_of(now, "enabled"), "true");
    EXPECT_EQ(now.text_or("method", ""), "NAT-PMP");
    EXPECT_EQ(now.text_or("external_ip", ""), "25.0.0.1");
    auto const port = static_cast<int>(now.number_or("mapped_port", 0));
    EXPECT_GT(port, 1023);
    for (auto const& mapping : now.list_or_empty("mappings")) {
        EXPECT_THAT(mapping.text_or("protocol", ""), testing::AnyOf("tcp", "udp"));
        EXPECT_EQ(mapping.number_or("external_port", 0), port);
        EXPECT_EQ(mapping.number_or("internal_port", 0), port);
        EXPECT_EQ(mapping.text_or("source", ""), "natpmp");
        EXPECT_NEAR(mapping.number_or("expires_at", 0), static_cast<double>(std::time(nullptr)) + 3600, 30);
    }
    EXPECT_TRUE(bed->forwards("tcp", port, port)) << bed->rules();
    EXPECT_TRUE(bed->forwards("udp", port, port)) << bed->rules();
    {
        auto const there = bed->world.enter();
        EXPECT_TRUE(somebody_listens("25.0.0.1", static_cast<std::uint16_t>(port))) << "peers reach it";
    }

    auto const ip = one.get("/nat/external-ip");
    EXPECT_EQ(ip.status, 200);
    EXPECT_EQ(ip.body, R"({"external_ip":"25.0.0.1","method":"NAT-PMP"})");
    auto const asked = "/nat/external-port/" + std::to_string(port);
    EXPECT_EQ(
        one.get(asked).body, R"({"internal_port":)" + std::to_string(port) + R"(,"external_port":)" +
                                 std::to_string(port) + R"(,"protocol":"tcp"})");
    EXPECT_EQ(one.get(asked + "?protocol=udp").json.number_or("external_port", 0), port);
    EXPECT_EQ(
        one.get("/nat/external-port/1234").body,
        R"({"internal_port":1234,"external_port":null,"protocol":"tcp"})");

    client::client by{{.url = one.url(), .api_key = one.key()}};
    EXPECT_EQ(by.get_external_ip()->external_ip, "25.0.0.1");
    EXPECT_EQ(by.get_external_ip()->method, "NAT-PMP");
    EXPECT_EQ(by.get_external_port(port)->external_port, port);
    EXPECT_EQ(by.get_external_port(port, "udp")->external_port, port);
    EXPECT_EQ(by.get_external_port(1234)->external_port, std::nullopt);
    EXPECT_EQ(by.get_external_port(70'000).error().code, "INVALID_PORT");
    EXPECT_EQ(by.nat_status()->mapped_port, port);
    EXPECT_EQ(by.discover_nat(), true);
}

TEST_F(daemon_nat, a_mapped_port_is_reached_from_the_world_until_it_is_unmapped) {
    bed->start_gateway();
    daemon one{plan({{"nat.auto_map_ports", "false"}})};
    listener const ours{nat_bed::lan_address};
    auto events = one.events({"nat_mappings_changed"});
    EXPECT_FALSE(ours.hears_from(bed->world, "25.0.0.1", ours.port())) << "closed before";

    auto const port = mapped(one, ours);
    EXPECT_EQ(port, ours.port());
    auto const told = events.wait_for(
        "nat_mappings_changed", [](value const& data) { return data.number_or("total", 0) == 1; });
    EXPECT_GT(told.number_or("seq", 0), 0);
    EXPECT_TRUE(ours.hears_from(bed->world, "25.0.0.1", port)) << bed->rules();
    EXPECT_EQ(text_of(status(one), "mapped_port"), nobody) << "it is not the listen port";
    EXPECT_EQ(status(one).list_or_empty("mappings").size(), 1U);

    auto const gone = unmapped(one, port);
    EXPECT_EQ(gone.status, 200);
    EXPECT_EQ(gone.body, R"({"status":"unmapped","result":true})");
    events.wait_for(
        "nat_mappings_changed", [](value const& data) { return data.number_or("total", 9) == 0; });
    EXPECT_FALSE(ours.hears_from(bed->world, "25.0.0.1", port)) << bed->rules();
    EXPECT_EQ(
        one.get("/nat/external-port/" + std::to_string(ours.port())).json.text_or("external_port", "none"),
        "none");
    EXPECT_EQ(unmapped(one, port).body, R"({"status":"unmapped","result":false})") << "nothing of ours";
    EXPECT_EQ(unmapped(one, 4567, "udp").body, R"({"status":"unmapped","result":false})");
}

TEST_F(daemon_nat, a_named_external_port_is_that_one_or_none) {
    bed->start_gateway();
    for (std::string const upnp : {"true", "false"}) {
        daemon one{plan(
            {{"nat.auto_map_ports", "false"},
             {"nat.enable_upnp", upnp},
             {"nat.enable_nat_pmp", upnp == "true" ? "false" : "true"}})};
        listener const first{nat_bed::lan_address};
        listener const second{nat_bed::lan_address};
        EXPECT_EQ(mapped(one, first, R"(,"external_port":40123,"protocol":"TCP")"), 40123);
        EXPECT_TRUE(first.hears_from(bed->world, "25.0.0.1", 40123)) << bed->rules();
        EXPECT_FALSE(first.hears_from(bed->world, "25.0.0.1", first.port()));

        auto const taken = one.post(
            "/nat/map",
            R"({"internal_port":)" + std::to_string(second.port()) + R"(,"external_port":40123})");
        EXPECT_EQ(taken.status, 404) << taken.body;
        EXPECT_EQ(taken.code(), "NAT_MAP_FAILED");
        EXPECT_EQ(taken.json.find("details")->text_or("reason", ""), "taken");
        EXPECT_TRUE(first.hears_from(bed->world, "25.0.0.1", 40123)) << "it still leads to the first";
        EXPECT_EQ(status(one).list_or_empty("mappings").size(), 1U);
        EXPECT_EQ(mapped(one, first), 40123) << "mapped already: the same again";
        EXPECT_EQ(one.terminate(), 0);
    }
}

TEST_F(daemon_nat, another_hosts_mapping_is_neither_taken_nor_removed) {
    bed->start_gateway({.upnp = true, .nat_pmp = false});
    bed->lan.sh("ip addr add 192.168.77.3/24 dev eth0");
    daemon other{
        {.folder = root / "other", .interface = "192.168.77.3", .settings = {{"nat.enable_upnp", "true"}}}};
    listener const theirs{"192.168.77.3"};
    ASSERT_EQ(mapped(other, theirs, R"(,"external_port":40200)"), 40200);
    ASSERT_TRUE(theirs.hears_from(bed->world, "25.0.0.1", 40200))
        << "leads to the address listened at: " << bed->rules();

    daemon one{plan({{"nat.auto_map_ports", "false"}, {"network.listen_interface", "\"192.168.77.2\""}})};
    listener const ours{nat_bed::lan_address};
    auto const taken = one.post(
        "/nat/map", R"({"internal_port":)" + std::to_string(ours.port()) + R"(,"external_port":40200})");
    EXPECT_EQ(taken.code(), "NAT_MAP_FAILED") << taken.body;
    EXPECT_EQ(unmapped(one, 40200).body, R"({"status":"unmapped","result":false})");
    EXPECT_EQ(one.terminate(), 0);
    EXPECT_TRUE(theirs.hears_from(bed->world, "25.0.0.1", 40200)) << bed->rules();
}

TEST_F(daemon_nat, refresh_maps_again_after_the_gateway_restarted) {
    bed->start_gateway();
    daemon one{plan()};
    auto const listened = static_cast<int>(wait_until_mapped(one, 2).number_or("mapped_port", 0));
    listener const ours{nat_bed::lan_address};
    auto const port = mapped(one, ours);
    ASSERT_TRUE(ours.hears_from(bed->world, "25.0.0.1", port));

    bed->kill_gateway();
    ASSERT_FALSE(ours.hears_from(bed->world, "25.0.0.1", port));
    auto const nobody_there = one.post("/nat/refresh");
    EXPECT_EQ(nobody_there.status, 404);
    EXPECT_EQ(nobody_there.code(), "NAT_REFRESH_FAILED");
    EXPECT_EQ(nobody_there.json.find("details")->text_or("reason", ""), "no_gateway");

    bed->start_gateway();
    auto events = one.events({"nat_mappings_changed"});
    auto const again = one.post("/nat/refresh");
    EXPECT_EQ(again.status, 200) << again.body;
    EXPECT_EQ(again.json.text_or("status", ""), "refreshed");
    auto const* const result = again.json.find("result");
    ASSERT_NE(result, nullptr);
    EXPECT_EQ(result->number_or("mapped", 0), 3);
    EXPECT_EQ(result->number_or("failed", 9), 0);
    EXPECT_EQ(result->list_or_empty("mappings").size(), 3U);
    events.wait_for(
        "nat_mappings_changed", [](value const& data) { return data.number_or("total", 0) == 3; });
    EXPECT_TRUE(ours.hears_from(bed->world, "25.0.0.1", port)) << bed->rules();
    EXPECT_TRUE(bed->forwards("tcp", listened, listened)) << bed->rules();
    EXPECT_EQ(status(one).number_or("mapped_port", 0), listened);
}

TEST_F(daemon_nat, the_settings_choose_the_protocol) {
    struct expected {
        std::map<std::string, std::string> settings;
        nat_bed::service gateway;
        std::string method, source;
    };
    for (auto const& [settings, gateway, method, source] :
         {expected{{{"nat.enable_nat_pmp", "false"}}, {}, "UPnP", "upnp"},
          expected{{{"nat.enable_upnp", "false"}}, {}, "NAT-PMP", "natpmp"},
          expected{{}, {.upnp = true, .nat_pmp = false}, "UPnP", "upnp"}}) {
        bed->start_gateway(gateway);
        daemon one{plan(settings)};
        auto const now = wait_until_mapped(one, 2);
        EXPECT_EQ(now.text_or("method", ""), method);
        EXPECT_EQ(now.text_or("external_ip", ""), "25.0.0.1");
        EXPECT_EQ(now.list_or_empty("mappings").front().text_or("source", ""), source);
        auto const port = static_cast<int>(now.number_or("mapped_port", 0));
        EXPECT_TRUE(bed->forwards("tcp", port, port)) << bed->rules();
        listener const ours{nat_bed::lan_address};
        EXPECT_TRUE(ours.hears_from(bed->world, "25.0.0.1", mapped(one, ours))) << bed->rules();
        EXPECT_EQ(one.terminate(), 0);
        EXPECT_FALSE(bed->forwards("tcp", port, port)) << "gone at the exit: " << bed->rules();
        EXPECT_FALSE(bed->forwards("udp", port, port)) << bed->rules();
        EXPECT_FALSE(bed->forwards("tcp", ours.port(), ours.port())) << bed->rules();
        bed->kill_gateway();
    }
}

TEST_F(daemon_nat, what_is_mapped_of_the_listen_port_follows_the_settings) {
    bed->start_gateway();
    daemon one{plan({{"nat.map_udp_port", "false"}})};
    auto const port = static_cast<int>(wait_until_mapped(one, 1).number_or("mapped_port", 0));
    EXPECT_TRUE(bed->forwards("tcp", port, port)) << bed->rules();
    EXPECT_FALSE(bed->forwards("udp", port, port)) << bed->rules();

    one.plan().settings["nat.map_udp_port"] = "true";
    one.plan().settings["nat.map_tcp_port"] = "false";
    write_file(one.config_file(), configuration(one.plan()));
    one.running().signal(SIGHUP);
    wait_for(one, [](value const& s) {
        auto const& all = s.list_or_empty("mappings");
        return all.size() == 1 && all.front().text_or("protocol", "") == "udp";
    });
    EXPECT_TRUE(bed->forwards("udp", port, port)) << bed->rules();
    EXPECT_FALSE(bed->forwards("tcp", port, port)) << bed->rules();

    one.plan().settings["nat.enable_upnp"] = "false";
    one.plan().settings["nat.enable_nat_pmp"] = "false";
    write_file(one.config_file(), configuration(one.plan()));
    one.running().signal(SIGHUP);
    auto const off = wait_for(one, [](value const& s) { return text_of(s, "method") == nobody; });
    EXPECT_EQ(
        to_text(off),
        R"({"enabled":false,"method":null,"external_ip":null,"mapped_port":null,"mappings":[]})");
    EXPECT_FALSE(bed->forwards("udp", port, port)) << bed->rules();
}

TEST_F(daemon_nat, a_mapping_is_renewed_while_the_daemon_lives_and_ends_with_its_lease_when_it_is_killed) {
    bed->start_gateway();
    daemon one{plan({{"nat.port_mapping_lease_time", "4"}, {"nat.map_udp_port", "false"}})};
    auto const first = wait_until_mapped(one, 1);
    auto const port = static_cast<int>(first.number_or("mapped_port", 0));
    auto const ends = first.list_or_empty("mappings").front().number_or("expires_at", 0);
    // Renewed twice: what is there then was there when the first lease had ended.
    wait_for(one, [&](value const& s) {
        auto const& all = s.list_or_empty("mappings");
        return !all.empty() && all.front().number_or("expires_at", 0) > ends + 3.5;
    });
    EXPECT_TRUE(bed->forwards("tcp", port, port)) << bed->rules();
    one.kill9();
    EXPECT_TRUE(eventually(milliseconds{15'000}, [&] { return !bed->forwards("tcp", port, port); }))
        << bed->rules();
}

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
        for (int i = 0; i < 5; ++i) {
            auto const asked = steady_clock::now();
            EXPECT_EQ(one.get("/status").status, 200);
            EXPECT_LT(steady_clock::now() - asked, milliseconds{100}) << path;
        }
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
    EXPECT_LT(steady_clock::now() - asked, milliseconds{100});
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
