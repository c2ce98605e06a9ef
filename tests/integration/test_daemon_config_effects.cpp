// PUT /config on a real daemon: what a change does beyond the answer, seen by peers, clients, the gateway and the log.
#include "integration/daemon_nat.hpp"
#include "support/bt_peer.hpp"
#include "support/socket.hpp"
#include "swarm/swarm.hpp"

namespace ccbt::support {

namespace {

answer put(daemon const& to, std::string_view body) { return to.call("PUT", "/config", body); }

std::size_t times(std::string const& in, std::string_view what) {
    std::size_t out = 0;
    for (auto at = in.find(what); at != in.npos; at = in.find(what, at + 1)) ++out;
    return out;
}

struct daemon_config_effects : testing::Test {
    temp_folder root{};
    [[nodiscard]] daemon_plan plan(std::map<std::string, std::string> settings = {}) const {
        return {.folder = root / "one", .settings = std::move(settings)};
    }
};

TEST_F(daemon_config_effects, the_log_says_as_much_as_it_is_told_to) {
    daemon const one{plan()};
    constexpr std::string_view line = "of the configuration changed";
    ASSERT_EQ(put(one, R"({"limits":{"global_up_kib":1}})").status, 200);
    ASSERT_EQ(times(one.log(), line), 1U) << one.log();
    ASSERT_EQ(put(one, R"({"observability":{"log_level":"ERROR"}})").status, 200);
    ASSERT_EQ(put(one, R"({"limits":{"global_up_kib":2}})").status, 200);
    EXPECT_EQ(times(one.log(), line), 1U) << one.log();
    ASSERT_EQ(put(one, R"({"observability":{"log_level":"INFO"}})").status, 200);
    ASSERT_EQ(put(one, R"({"limits":{"global_up_kib":3}})").status, 200);
    EXPECT_EQ(times(one.log(), line), 3U) << one.log();
    auto const wrong = put(one, R"({"observability":{"log_level":"LOUD"}})");
    EXPECT_EQ(wrong.status, 400);
    EXPECT_EQ(wrong.code(), "CONFIG_UPDATE_FAILED");
}

TEST_F(daemon_config_effects, event_clients_that_are_there_hear_the_heart_beat_as_often_as_it_is_told_to) {
    daemon const one{plan({{"daemon.websocket_heartbeat_interval", "3600"}})};
    web_socket client{"127.0.0.1", one.port(), "/api/v1/events", {{"X-CCBT-API-Key", one.key()}}};
    client.send(R"({"action":"ping"})");
    auto const pong = client.next(deadline{milliseconds{20'000}});
    ASSERT_TRUE(pong);
    EXPECT_EQ(pong->text_or("action", ""), "pong") << "no heartbeat so far";
    ASSERT_EQ(put(one, R"({"daemon":{"websocket_heartbeat_interval":1}})").status, 200);
    for (int beats = 0; beats < 2;) {
        auto const next = client.next(deadline{milliseconds{20'000}});
        ASSERT_TRUE(next) << "no heartbeat";
        if (next->text_or("action", "") == "ping") ++beats;
    }
}

TEST_F(daemon_config_effects, progress_is_saved_as_often_as_it_is_told_to) {
    swarm in;
    make_file(in.data("big"), 32 * mib, 7);
    auto const what = in.torrent_of(in.data("big"), {.piece_size = 1 << 16});
    daemon const seeder{in.seeder({{"limits.global_up_kib", "256"}})};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    daemon const leecher{in.leecher({{"daemon.auto_save_interval", "3600"}})};
    leecher.add(what);
    leecher.wait_for(what.hash(), has_progress(0.01));
    auto const before = leecher.metric("ccbt_store_commits_total");
    leecher.wait_for(what.hash(), has_progress(0.05));
    EXPECT_EQ(leecher.metric("ccbt_store_commits_total"), before) << "nothing is due for an hour";
    ASSERT_EQ(put(leecher, R"({"daemon":{"auto_save_interval":1}})").status, 200);
    auto const after = leecher.metric("ccbt_store_commits_total"); // the change itself
    leecher.wait_for(
        what.hash(), [&](value const&) { return leecher.metric("ccbt_store_commits_total") >= after + 2; });
}

struct daemon_config_nat : daemon_nat {};

TEST_F(daemon_config_effects, peers_are_offered_the_exchange_of_peers_as_soon_as_it_is_switched_on) {
    auto const listens = free_port("127.0.0.2");
    daemon const one{
        plan({{"discovery.enable_pex", "false"}, {"network.listen_port_tcp", std::to_string(listens)}})};
    make_file(one.downloads() / "film", 100'000, 1);
    auto const what = make_torrent(one.downloads() / "film", {});
    one.add(what);
    one.wait_until_seeding(what.hash());
    auto const offered = [&](char const* from) {
        bt_peer peer{from, "127.0.0.2", listens, what.hash()};
        EXPECT_TRUE(peer.is_let_in());
        auto const said = peer.extensions();
        EXPECT_THAT(said, testing::HasSubstr("11:ut_metadata"));
        return said.find("6:ut_pex") != said.npos;
    };
    EXPECT_FALSE(offered("127.0.0.5"));
    auto const on = put(one, R"({"discovery":{"enable_pex":true}})");
    ASSERT_EQ(on.status, 200) << on.body;
    EXPECT_FALSE(on.json.flag_or("restart_required", true));
    EXPECT_TRUE(offered("127.0.0.6"));
}

TEST_F(daemon_config_nat, switched_off_it_takes_its_ports_back_from_the_gateway_and_refuses) {
    bed->start_gateway();
    daemon const one{plan()};
    auto const port = static_cast<int>(wait_until_mapped(one, 2).number_or("mapped_port", 0));
    ASSERT_TRUE(bed->forwards("tcp", port, port));
    auto const off = put(one, R"({"nat":{"enable_upnp":false,"enable_nat_pmp":false}})");
    ASSERT_EQ(off.status, 200) << off.body;
    wait_until_mapped(one, 0);
    EXPECT_FALSE(bed->forwards("tcp", port, port)) << bed->rules();
    EXPECT_FALSE(bed->forwards("udp", port, port)) << bed->rules();
    EXPECT_EQ(text_of(status(one), "enabled"), "false");
    EXPECT_EQ(one.post("/nat/map", R"({"internal_port":5000})").code(), "NAT_MAP_FAILED");
    EXPECT_EQ(one.post("/nat/discover").status, 404);
    ASSERT_EQ(put(one, R"({"nat":{"enable_nat_pmp":true}})").status, 200);
    wait_until_mapped(one, 2);
}

} // namespace

} // namespace ccbt::support
