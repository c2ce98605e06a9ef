#include "gateway/port_keeper.hpp"

#include "base/net.hpp"

#include <algorithm>
#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <set>

namespace ccbt::gateway {

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string line_of(port_request const& what) {
    return std::string{contract::name_of(what.protocol)} + ' ' + std::to_string(what.internal_port) + "->" +
           std::to_string(what.external_port);
}

// What a gateway does, as a test wants it; asked on the worker's thread, told on the test's.
struct behaviour {
    std::mutex lock;
    bool is_there = true, hangs = false; // hangs: takes what is sent, and says nothing
    std::string address = "25.0.0.1";
    std::set<int> taken;
    std::map<std::string, int> mapped; // "tcp 6881" -> external port
    std::vector<std::string> log;
    int looks = 0, lease_of_last = -1;

    template <class What> auto with(What what) {
        auto const held = std::lock_guard{lock};
        return what(*this);
    }
};

class fake_protocol final : public protocol {
public:
    fake_protocol(std::shared_ptr<behaviour> how, std::string name)
        : how_{std::move(how)}, name_{std::move(name)} {}
    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] std::string_view source() const override { return "fake"; }

    outcome<std::string> find(patience const& within) override {
        how_->with([](auto& h) { ++h.looks; });
        return external_ip(within.at_most(1000ms));
    }
    outcome<std::string> external_ip(patience const& within) override {
        if (!answers(within)) return refuses(trouble::no_answer, "it does not answer");
        return how_->with([](auto& h) { return h.address; });
    }
    outcome<grant> map(
        port_request const& what, std::chrono::seconds lease, patience const& within) override {
        how_->with([&](auto& h) { h.log.push_back("map " + line_of(what)); });
        if (!answers(within.at_most(1500ms))) return refuses(trouble::no_answer, "it does not answer");
        return how_->with([&](behaviour& h) -> outcome<grant> {
            auto port = what.external_port != 0 ? what.external_port : what.internal_port;
            if (h.taken.contains(port)) {
                if (what.exactly) return refuses(trouble::taken, "it leads elsewhere");
                port += 10'000;
            }
            h.lease_of_last = static_cast<int>(lease.count());
            h.mapped
                [std::string{contract::name_of(what.protocol)} + ' ' + std::to_string(what.internal_port)] =
                port;
            return grant{port, lease};
        });
    }
    outcome<void> unmap(port_request const& what, patience const& within) override {
        how_->with([&](auto& h) { h.log.push_back("unmap " + line_of(what)); });
        if (!answers(within.at_most(1500ms))) return refuses(trouble::no_answer, "it does not answer");
        how_->with([&](auto& h) {
            h.mapped.erase(
                std::string{contract::name_of(what.protocol)} + ' ' + std::to_string(what.internal_port));
        });
        return {};
    }

private:
    bool answers(patience const& within) {
        auto const [there, hangs] = how_->with([](auto& h) { return std::pair{h.is_there, h.hangs}; });
        if (there && hangs) (void)within.wait(-1, 0); // no descriptor: until it is over
        return there && !hangs;
    }
    std::shared_ptr<behaviour> how_;
    std::string name_;
};

struct kept_ports : ::testing::Test {
    loop on{1};
    std::shared_ptr<behaviour> router = std::make_shared<behaviour>();
    contract::settings settings;
    std::vector<model::nat_seen> told;
    std::unique_ptr<port_keeper> keeper;

    void start() {
        keeper = std::make_unique<port_keeper>(
            on, settings, [this](model::nat_seen seen) { told.push_back(std::move(seen)); },
            [this](contract::settings const& s) {
                std::vector<std::unique_ptr<protocol>> all;
                if (s.nat.enable_nat_pmp) all.push_back(std::make_unique<fake_protocol>(router, "NAT-PMP"));
                if (s.nat.enable_upnp) all.push_back(std::make_unique<fake_protocol>(router, "UPnP"));
                return all;
            });
    }
    template <class Condition>
    [[nodiscard]] bool until(Condition is_so, std::chrono::milliseconds within = 10s) {
        auto const give_up = steady::now() + within;
        while (!is_so()) {
            if (steady::now() > give_up) return false;
            on.context().run_one_for(20ms);
        }
        return true;
    }
    template <class T, class Start> T answer(Start ask) {
        auto const got = std::make_shared<std::optional<T>>();
        ask([got](T said) { *got = std::move(said); });
        EXPECT_FALSE(got->has_value()) << "never from within the call";
        EXPECT_TRUE(until([&] { return got->has_value(); })) << "it was not answered";
        return std::move(got->value());
    }
    auto map(port_request what) {
        return answer<outcome<port_mapping>>([&](auto done) { keeper->map(what, std::move(done)); });
    }
    auto unmap(transport protocol, int port) {
        return answer<outcome<bool>>([&](auto done) { keeper->unmap(protocol, port, std::move(done)); });
    }
    auto refresh() {
        return answer<outcome<refreshed>>([&](auto done) { keeper->refresh(std::move(done)); });
    }
    bool discover() {
        return answer<bool>([&](auto done) { keeper->discover(std::move(done)); });
    }
    void stop(std::chrono::milliseconds within = 2500ms) {
        answer<bool>([&](auto done) { keeper->stop(within, [done]() mutable { done(true); }); });
    }
    template <class T> static std::string why(outcome<T> const& of) {
        return of ? "ok" : std::string{name_of(of.error().why)};
    }
    [[nodiscard]] auto mapped() {
        return router->with([](auto& h) { return h.mapped; });
    }
    [[nodiscard]] std::size_t held() const { return told.empty() ? 0 : told.back().mappings.size(); }
};

TEST_F(kept_ports, maps_the_port_that_is_listened_at_for_both_protocols) {
    start();
    keeper->listens_at(6881);
    ASSERT_TRUE(until([&] { return held() == 2; }));
    EXPECT_EQ(told.back().method, "NAT-PMP") << "the first that answers";
    EXPECT_EQ(told.back().external_ip, "25.0.0.1");
    EXPECT_EQ(told.back().mapped_port, 6881);
    EXPECT_EQ(told.back().mappings[0].source, "fake");
    EXPECT_NEAR(told.back().mappings[0].expires_at.value_or(0), unix_now() + 3600, 5);
    keeper->listens_at(6882); // moves
    ASSERT_TRUE(until([&] { return held() == 2 && told.back().mapped_port == 6882; }));
    EXPECT_THAT(mapped(), ElementsAre(std::pair{"tcp 6882", 6882}, std::pair{"udp 6882", 6882}));
}

TEST_F(kept_ports, on_loopback_nobody_is_asked_unless_a_client_asks) {
    for (std::string const interface : {"127.0.0.2", "::1", "lo"}) {
        settings.network.listen_interface = interface;
        start();
        keeper->listens_at(6881);
        EXPECT_FALSE(until([&] { return !told.empty(); }, 1100ms)) << interface;
        EXPECT_EQ(router->with([](auto& h) { return h.looks; }), 0) << interface;
    }
    EXPECT_TRUE(discover());
    EXPECT_EQ(told.back().method, "NAT-PMP");
}

TEST_F(kept_ports, without_mapping_by_itself_the_gateway_is_still_looked_for) {
    settings.nat.auto_map_ports = false;
    start();
    keeper->listens_at(6881);
    ASSERT_TRUE(until([&] { return !told.empty() && !told.back().method.empty(); }));
    EXPECT_THAT(mapped(), IsEmpty());
}

TEST_F(kept_ports, renews_before_the_lease_ends_and_looks_at_the_address_again) {
    settings.nat.port_mapping_lease_time = 2;
    settings.nat.map_udp_port = false;
    start();
    keeper->listens_at(6881);
    ASSERT_TRUE(until([&] { return held() == 1; }));
    router->with([](auto& h) { h.address = "25.0.0.9"; });
    auto const ends = told.back().mappings[0].expires_at.value_or(0);
    ASSERT_TRUE(until([&] { return told.back().mappings[0].expires_at.value_or(0) > ends; }));
    EXPECT_LT(unix_now(), ends) << "before it ended";
    EXPECT_EQ(told.back().external_ip, "25.0.0.9");
    for (auto const& one : told) EXPECT_LE(one.mappings.size(), 1U);
}

TEST_F(kept_ports, a_lease_that_nobody_renews_ends) {
    settings.nat.port_mapping_lease_time = 2;
    start();
    keeper->listens_at(6881);
    ASSERT_TRUE(until([&] { return held() == 2; }));
    router->with([](auto& h) { h.is_there = false; });
    ASSERT_TRUE(until([&] { return held() == 0; }));
    EXPECT_EQ(told.back().mapped_port, 0);
    EXPECT_EQ(told.back().method, "");
    router->with([](auto& h) { h.is_there = true; });
    auto const again = refresh();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->mappings.size(), 2U) << "what is wanted is not forgotten";
}

TEST_F(kept_ports, a_lease_without_an_end_is_one) {
    settings.nat.port_mapping_lease_time = 0;
    start();
    auto const got = map({transport::tcp, 8080});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->expires_at, std::nullopt);
    EXPECT_EQ(router->with([](auto& h) { return h.lease_of_last; }), 0);
}

TEST_F(kept_ports, what_is_told_comes_before_the_answer) {
    start();
    keeper->map({transport::tcp, 8080}, [&](outcome<port_mapping> got) {
        ASSERT_TRUE(got);
        ASSERT_EQ(held(), 1U);
        EXPECT_EQ(told.back().mappings[0], *got);
    });
    ASSERT_TRUE(until([&] { return held() == 1; }));
    EXPECT_EQ(told.back().mapped_port, 0) << "not of the listen port";
}

TEST_F(kept_ports, a_named_port_is_that_one_and_another_is_found_for_who_names_none) {
    router->taken = {8080};
    start();
    EXPECT_EQ(why(map({transport::tcp, 9000, 8080, true})), "taken");
    EXPECT_EQ(held(), 0U);
    auto const other = map({transport::tcp, 8080});
    ASSERT_TRUE(other);
    EXPECT_EQ(other->external_port, 18080);
    EXPECT_EQ(map({transport::tcp, 8080})->external_port, 18080) << "the same again";
    EXPECT_EQ(why(map({transport::tcp, 8080, 5000, true})), "taken") << "it has a port already";
    EXPECT_EQ(why(map({transport::tcp, 9001, 18080, true})), "taken") << "that leads to another of ours";
    EXPECT_TRUE(map({transport::udp, 9001, 18080, true})) << "another protocol";
    EXPECT_EQ(held(), 2U);
}

TEST_F(kept_ports, unmaps_its_own_and_no_other) {
    start();
    ASSERT_TRUE(map({transport::tcp, 8080}));
    EXPECT_EQ(unmap(transport::tcp, 8081), false);
    EXPECT_EQ(unmap(transport::udp, 8080), false);
    EXPECT_EQ(mapped().size(), 1U);
    EXPECT_EQ(unmap(transport::tcp, 8080), true);
    EXPECT_THAT(mapped(), IsEmpty());
    EXPECT_EQ(held(), 0U);
    EXPECT_EQ(unmap(transport::tcp, 8080), false);
}

TEST_F(kept_ports, what_could_not_be_unmapped_stays_told) {
    start();
    ASSERT_TRUE(map({transport::tcp, 8080}));
    router->with([](auto& h) { h.hangs = true; });
    EXPECT_EQ(why(unmap(transport::tcp, 8080)), "no_answer");
    EXPECT_EQ(held(), 1U);
    router->with([](auto& h) { h.hangs = false; });
    EXPECT_EQ(unmap(transport::tcp, 8080), true);
}

TEST_F(kept_ports, keeps_no_more_than_64) {
    start();
    for (int i = 0; i < 64; ++i) ASSERT_TRUE(map({transport::tcp, 2000 + i}));
    EXPECT_EQ(why(map({transport::tcp, 3000})), "too_many");
    EXPECT_TRUE(map({transport::tcp, 2000})) << "one that is there already";
    EXPECT_EQ(unmap(transport::tcp, 2000), true);
    EXPECT_TRUE(map({transport::tcp, 3000}));
}

TEST_F(kept_ports, a_failed_mapping_is_not_wanted_afterwards) {
    router->is_there = false;
    start();
    EXPECT_EQ(why(map({transport::tcp, 8080})), "no_gateway");
    router->with([](auto& h) { h.is_there = true; });
    EXPECT_EQ(refresh()->mappings.size(), 0U);
    EXPECT_THAT(mapped(), IsEmpty());
}

TEST_F(kept_ports, requests_without_a_gateway_share_the_searches) {
    router->is_there = false;
    start();
    int answered = 0;
    for (int i = 0; i < 100; ++i)
        keeper->map({transport::tcp, 2000 + i}, [&](outcome<port_mapping> const& got) {
            EXPECT_EQ(why(got), "no_gateway");
            ++answered;
        });
    for (int i = 0; i < 100; ++i)
        keeper->discover([&](bool found) {
            EXPECT_FALSE(found);
            ++answered;
        });
    ASSERT_TRUE(until([&] { return answered == 200; }));
    EXPECT_LE(router->with([](auto& h) { return h.looks; }), 6) << "a search asks by two protocols";
}

TEST_F(kept_ports, a_gateway_that_hangs_holds_nobody_longer_than_is_promised) {
    start();
    ASSERT_TRUE(map({transport::tcp, 8080}));
    router->with([](auto& h) { h.hangs = true; });
    auto const began = steady::now();
    int answered = 0;
    for (int i = 0; i < 300; ++i)
        keeper->map({transport::tcp, 2000 + i}, [&](outcome<port_mapping> const& got) {
            EXPECT_FALSE(got);
            ++answered;
        });
    on.context().poll();
    EXPECT_EQ(answered, 44) << "the queue holds 256; the others hear at once that it is busy";
    ASSERT_TRUE(until([&] { return answered == 300; }));
    EXPECT_LT(steady::now() - began, 5s);
    EXPECT_EQ(held(), 1U) << "its lease still runs";
    auto const left = steady::now();
    stop(1000ms);
    EXPECT_LT(steady::now() - left, 1500ms);
}

TEST_F(kept_ports, finds_the_gateway_again_when_the_one_it_knew_falls_silent) {
    start();
    ASSERT_TRUE(map({transport::tcp, 8080}));
    EXPECT_EQ(router->with([](auto& h) { return h.looks; }), 1);
    router->with([](auto& h) { h.is_there = false; });
    EXPECT_EQ(why(map({transport::tcp, 8081})), "no_gateway");
    EXPECT_GT(router->with([](auto& h) { return h.looks; }), 1);
    router->with([](auto& h) { h.is_there = true; });
    EXPECT_TRUE(discover());
    EXPECT_TRUE(map({transport::tcp, 8081}));
}

TEST_F(kept_ports, unmaps_all_when_it_stops_and_refuses_what_comes_then) {
    start();
    keeper->listens_at(6881);
    ASSERT_TRUE(until([&] { return held() == 2; }));
    ASSERT_TRUE(map({transport::tcp, 8080}));
    EXPECT_EQ(mapped().size(), 3U);
    stop();
    EXPECT_THAT(mapped(), IsEmpty());
    EXPECT_EQ(why(map({transport::tcp, 8081})), "stopping");
    EXPECT_EQ(why(unmap(transport::tcp, 8080)), "stopping");
    EXPECT_EQ(why(refresh()), "stopping");
    EXPECT_FALSE(discover());
    EXPECT_THAT(mapped(), IsEmpty());
}

TEST_F(kept_ports, a_stop_cuts_short_what_is_under_way_and_takes_back_what_may_have_come_of_it) {
    start();
    ASSERT_TRUE(discover());
    router->with([](auto& h) { h.hangs = true; });
    bool refused = false;
    keeper->map({transport::tcp, 8080}, [&](outcome<port_mapping> const& got) { refused = !got; });
    ASSERT_TRUE(until([&] { return router->with([](auto& h) { return !h.log.empty(); }); }));
    router->with([](auto& h) { h.mapped["tcp 8080"] = 8080; }); // it was heard, and done
    auto const began = steady::now();
    router->with([](auto& h) { h.hangs = false; });
    stop();
    EXPECT_LT(steady::now() - began, 1s);
    EXPECT_TRUE(refused);
    EXPECT_THAT(mapped(), IsEmpty());
}

TEST_F(kept_ports, the_settings_are_followed_while_it_runs) {
    start();
    keeper->listens_at(6881);
    ASSERT_TRUE(until([&] { return held() == 2; }));
    ASSERT_TRUE(map({transport::tcp, 8080}));
    settings.nat.map_udp_port = false;
    keeper->configure(settings);
    ASSERT_TRUE(until([&] { return held() == 2; }));
    EXPECT_THAT(mapped(), ElementsAre(std::pair{"tcp 6881", 6881}, std::pair{"tcp 8080", 8080}));
    settings.nat.enable_nat_pmp = false; // the same by another protocol
    keeper->configure(settings);
    ASSERT_TRUE(until([&] { return told.back().method == "UPnP" && held() == 2; }));
    settings.nat.auto_map_ports = false;
    keeper->configure(settings);
    ASSERT_TRUE(until([&] { return held() == 1; }));
    EXPECT_THAT(mapped(), ElementsAre(std::pair{"tcp 8080", 8080})) << "a client's stays";
    settings.nat.enable_upnp = false;
    keeper->configure(settings);
    ASSERT_TRUE(until([&] { return told.back() == model::nat_seen{}; }));
    EXPECT_THAT(mapped(), IsEmpty());
    EXPECT_EQ(why(map({transport::tcp, 8080})), "off");
    EXPECT_EQ(why(refresh()), "off");
    EXPECT_FALSE(discover());
}

TEST_F(kept_ports, what_is_mapped_is_left_alone_until_something_about_it_changes) {
    // Gateways replace a mapping by taking it away for a moment.
    auto const asked_for_8080 = [&] {
        return router->with([](auto& h) { return std::ranges::count(h.log, "map tcp 8080->8080"); });
    };
    start();
    ASSERT_TRUE(map({transport::tcp, 8080, 8080}));
    keeper->listens_at(6881);
    ASSERT_TRUE(until([&] { return held() == 3; }));
    settings.nat.map_udp_port = false;
    keeper->configure(settings);
    ASSERT_TRUE(until([&] { return held() == 2; }));
    EXPECT_EQ(asked_for_8080(), 1);
    settings.nat.port_mapping_lease_time = 1800;
    keeper->configure(settings);
    EXPECT_TRUE(until([&] { return asked_for_8080() == 2; }));
    EXPECT_EQ(router->with([](auto& h) { return h.lease_of_last; }), 1800);
}

TEST_F(kept_ports, other_settings_are_none_of_its_business) {
    start();
    ASSERT_TRUE(map({transport::tcp, 8080}));
    router->with([](auto& h) { h.log.clear(); });
    settings.limits.global_down_kib = 5;
    keeper->configure(settings);
    EXPECT_FALSE(until([&] { return router->with([](auto& h) { return !h.log.empty(); }); }, 300ms));
}

TEST_F(kept_ports, gone_while_it_waits_for_a_gateway_it_calls_nobody) {
    router->hangs = true;
    start();
    bool called = false;
    keeper->discover([&](bool) { called = true; });
    ASSERT_TRUE(until([&] { return router->with([](auto& h) { return h.looks == 1; }); }));
    auto const began = steady::now();
    keeper.reset();
    EXPECT_LT(steady::now() - began, 500ms);
    on.context().poll();
    EXPECT_FALSE(called);
}

TEST(trouble_, has_a_name_for_programs) {
    EXPECT_EQ(name_of(trouble::off), "off");
    EXPECT_EQ(name_of(trouble::stopping), "stopping");
}

TEST(address_or_nothing_, believes_no_nonsense) {
    EXPECT_EQ(address_or_nothing("25.0.0.1"), "25.0.0.1");
    EXPECT_EQ(address_or_nothing("10.1.2.3"), "10.1.2.3") << "a gateway behind another one";
    for (std::string const wrong :
         {"", "0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.1", "::1", "25.0.0", "25.0.0.1 ", "<b>",
          "1.2.3.4.5"})
        EXPECT_EQ(address_or_nothing(wrong), "") << wrong;
}

} // namespace

} // namespace ccbt::gateway
