#include "engine/fake_engine.hpp"
#include "executor/test_house.hpp"
#include "gateway/fake_gateway.hpp"
#include "store/memory_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::executor::testing {

namespace {

using contract::transport;
using gateway::fake_gateway;
using gateway::trouble;

struct nat_deeds : ::testing::Test {
    test_house<store::memory_store, engine::fake_engine> at{};
    fake_gateway gateway{at.on};
    contract::port_mapping const mapping{transport::udp, 6881, 16881, "upnp", 1234.5};

    nat_deeds() { at.house.gateway = &gateway; }
    template <class E> auto ask(typename E::request request = {}) {
        return at.wait(at.deeds.handle(std::move(request), at.who));
    }
    void switch_off() { at.settings.nat.enable_upnp = at.settings.nat.enable_nat_pmp = false; }
    void see() { at.house.apply(model::nat_seen{"UPnP", "25.0.0.1", 16881, {mapping}}); }
};

TEST_F(nat_deeds, the_status_is_what_was_seen) {
    auto const before = ask<contract::get_nat_status>();
    ASSERT_TRUE(before);
    EXPECT_TRUE(before->enabled);
    EXPECT_EQ(before->method, std::nullopt);
    EXPECT_EQ(before->external_ip, std::nullopt);
    EXPECT_EQ(before->mapped_port, std::nullopt);
    EXPECT_TRUE(before->mappings.empty());

    see();
    EXPECT_THAT(at.events, ::testing::ElementsAre("nat_mappings_changed "));
    auto const now = ask<contract::get_nat_status>();
    EXPECT_EQ(now->method, "UPnP");
    EXPECT_EQ(now->external_ip, "25.0.0.1");
    EXPECT_EQ(now->mapped_port, 16881);
    EXPECT_THAT(now->mappings, ::testing::ElementsAre(mapping));
    auto const ip = ask<contract::get_external_ip>();
    EXPECT_EQ(ip->external_ip, "25.0.0.1");
    EXPECT_EQ(ip->method, "UPnP");
    EXPECT_EQ(gateway.asked, 0) << "reads ask nobody";
}

TEST_F(nat_deeds, the_same_seen_again_is_no_event) {
    see();
    see();
    at.house.apply(
        model::nat_seen{"UPnP", "25.0.0.2", 16881, {mapping}}); // another address, the same mappings
    EXPECT_EQ(at.events.size(), 1U);
    EXPECT_EQ(ask<contract::get_external_ip>()->external_ip, "25.0.0.2");
    at.house.apply(model::nat_seen{});
    EXPECT_EQ(at.events.size(), 2U);
    EXPECT_EQ(ask<contract::get_external_ip>()->external_ip, std::nullopt);
}

TEST_F(nat_deeds, an_external_port_is_told_by_port_and_protocol) {
    see();
    EXPECT_EQ(ask<contract::get_external_port>({"6881", transport::udp})->external_port, 16881);
    auto const other = ask<contract::get_external_port>({"6881", transport::tcp});
    EXPECT_EQ(other->external_port, std::nullopt);
    EXPECT_EQ(other->internal_port, 6881);
    EXPECT_EQ(other->protocol, transport::tcp);
}

TEST_F(nat_deeds, what_is_no_port_is_400_invalid_port_also_while_it_is_off) {
    for (int i = 0; i < 2; ++i) {
        for (std::string const port : {"0", "65536", "-1", "", "68 81", "0x50", "6881.0", "+6881"}) {
            auto const said_ = ask<contract::get_external_port>({port, transport::tcp});
            EXPECT_EQ(said(said_), "400 INVALID_PORT") << port;
            EXPECT_EQ(detail(said_, "field"), "internal_port");
        }
        switch_off();
    }
}

TEST_F(nat_deeds, a_port_is_mapped_as_it_is_asked_for) {
    gateway.will_map = mapping;
    auto const got = ask<contract::map_port>({.internal_port = 6881, .protocol = transport::udp});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, "mapped");
    EXPECT_EQ(got->result, mapping);
    EXPECT_EQ(gateway.asked_to_map.internal_port, 6881);
    EXPECT_EQ(gateway.asked_to_map.protocol, transport::udp);
    EXPECT_FALSE(gateway.asked_to_map.exactly);
    ASSERT_TRUE(ask<contract::map_port>({.internal_port = 6881, .external_port = 80}));
    EXPECT_EQ(gateway.asked_to_map.external_port, 80);
    EXPECT_TRUE(gateway.asked_to_map.exactly) << "who names a port wants that one";
}

TEST_F(nat_deeds, why_it_was_not_done_stands_in_the_details) {
    for (auto const& [why, name] :
         {std::pair{trouble::no_gateway, "no_gateway"}, std::pair{trouble::no_answer, "no_answer"},
          std::pair{trouble::refused, "refused"}, std::pair{trouble::taken, "taken"},
          std::pair{trouble::too_many, "too_many"}, std::pair{trouble::busy, "busy"},
          std::pair{trouble::stopping, "stopping"}, std::pair{trouble::off, "off"}}) {
        gateway.will_map = fake_gateway::refusal_of(why);
        gateway.will_unmap = fake_gateway::refusal_of(why);
        gateway.will_refresh = fake_gateway::refusal_of(why);
        auto const mapped = ask<contract::map_port>({.internal_port = 6881});
        EXPECT_EQ(said(mapped), "404 NAT_MAP_FAILED");
        EXPECT_EQ(detail(mapped, "reason"), name);
        EXPECT_EQ(mapped.error().message, "said the fake");
        auto const gone = ask<contract::unmap_port>({.port = 6881});
        EXPECT_EQ(said(gone), "404 NAT_UNMAP_FAILED");
        EXPECT_EQ(detail(gone, "reason"), name);
        auto const again = ask<contract::refresh_nat>();
        EXPECT_EQ(said(again), "404 NAT_REFRESH_FAILED");
        EXPECT_EQ(detail(again, "reason"), name);
    }
}

TEST_F(nat_deeds, unmapping_tells_whether_it_was_ours) {
    auto const gone = ask<contract::unmap_port>({.port = 16881, .protocol = transport::udp});
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->status, "unmapped");
    EXPECT_TRUE(gone->result);
    EXPECT_EQ(gateway.asked_to_unmap, std::pair(transport::udp, 16881));
    gateway.will_unmap = false;
    EXPECT_FALSE(ask<contract::unmap_port>({.port = 16881})->result);
}

TEST_F(nat_deeds, a_refresh_tells_what_is_mapped_and_what_is_not) {
    gateway.will_refresh = gateway::refreshed{2, {mapping}};
    auto const got = ask<contract::refresh_nat>();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, "refreshed");
    EXPECT_EQ(got->result.mapped, 1);
    EXPECT_EQ(got->result.failed, 2);
    EXPECT_THAT(got->result.mappings, ::testing::ElementsAre(mapping));
}

TEST_F(nat_deeds, discovering_tells_whether_there_is_a_gateway) {
    auto const found = ask<contract::discover_nat>();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->status, "discovered");
    EXPECT_TRUE(found->result);
    gateway.is_there = false;
    EXPECT_FALSE(ask<contract::discover_nat>()->result);
}

TEST_F(nat_deeds, switched_off_nobody_is_asked) {
    auto const all_say_off = [&] {
        EXPECT_FALSE(ask<contract::get_nat_status>()->enabled);
        EXPECT_EQ(said(ask<contract::discover_nat>()), "404 NAT_DISCOVER_FAILED");
        EXPECT_EQ(said(ask<contract::map_port>({.internal_port = 6881})), "404 NAT_MAP_FAILED");
        EXPECT_EQ(said(ask<contract::unmap_port>({.port = 6881})), "404 NAT_UNMAP_FAILED");
        EXPECT_EQ(said(ask<contract::refresh_nat>()), "404 NAT_REFRESH_FAILED");
        EXPECT_EQ(said(ask<contract::get_external_ip>()), "404 NAT_ERROR");
        auto const port = ask<contract::get_external_port>({"6881", transport::tcp});
        EXPECT_EQ(said(port), "404 NAT_ERROR");
        EXPECT_EQ(detail(port, "reason"), "off");
    };
    at.house.gateway = nullptr; // a house without a network
    all_say_off();
    at.house.gateway = &gateway;
    switch_off();
    all_say_off();
    EXPECT_EQ(gateway.asked, 0);
    at.settings.nat.enable_nat_pmp = true; // one is enough
    EXPECT_TRUE(ask<contract::get_nat_status>()->enabled);
    EXPECT_TRUE(ask<contract::discover_nat>()->result);
}

} // namespace

} // namespace ccbt::executor::testing
