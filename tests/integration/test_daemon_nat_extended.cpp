// NAT traversal against a real gateway (miniupnpd) in network namespaces: what is mapped is reached from the world, and
// what is unmapped is not.
#include "client/client.hpp"
#include "integration/daemon_nat.hpp"

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::support {

namespace {

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
    EXPECT_EQ(text_of(status(one), "mapped_port"), "null") << "it is not the listen port";
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

TEST_F(daemon_nat, client_and_command_line_map_and_unmap) {
    bed->start_gateway();
    daemon one{plan({{"nat.auto_map_ports", "false"}})};
    listener const ours{nat_bed::lan_address};
    client::client by{{.url = one.url(), .api_key = one.key()}};
    auto const mapping = by.map_port(ours.port(), "TCP", 40300);
    ASSERT_TRUE(mapping) << mapping.error().message;
    EXPECT_EQ(mapping->external_port, 40300);
    EXPECT_TRUE(ours.hears_from(bed->world, "25.0.0.1", 40300)) << bed->rules();
    EXPECT_EQ(by.refresh_nat()->mapped, 1);
    EXPECT_EQ(by.unmap_port(40300), true);
    EXPECT_EQ(by.unmap_port(40300), false);

    auto const ccbt = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {program("ccbt"), "--url", one.url(), "nat"});
        return run(std::move(words), milliseconds{20'000}, {"CCBT_API_KEY=" + one.key()}, root.path());
    };
    auto const port = std::to_string(ours.port());
    EXPECT_THAT(ccbt({"discover"}).out, testing::HasSubstr("yes"));
    EXPECT_EQ(ccbt({"map", port, "--external-port", "40301"}).code, 0);
    EXPECT_TRUE(ours.hears_from(bed->world, "25.0.0.1", 40301)) << bed->rules();
    EXPECT_THAT(ccbt({"port", port}).out, testing::HasSubstr("40301"));
    EXPECT_THAT(ccbt({"ip"}).out, testing::HasSubstr("25.0.0.1"));
    EXPECT_THAT(ccbt({"status"}).out, testing::HasSubstr("40301"));
    EXPECT_EQ(ccbt({"refresh"}).code, 0);
    EXPECT_EQ(ccbt({"unmap", "40301"}).code, 0);
    EXPECT_FALSE(ours.hears_from(bed->world, "25.0.0.1", 40301)) << bed->rules();
    EXPECT_NE(ccbt({"map", "70000"}).code, 0);
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
    auto const off = wait_for(one, [](value const& s) { return text_of(s, "method") == "null"; });
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

} // namespace

} // namespace ccbt::support
