// GET and PUT /config and SIGHUP on a real daemon: what is answered is in force, kept, and told.
#include "client/client.hpp"
#include "support/bt_peer.hpp"
#include "swarm/swarm.hpp"

#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace ccbt::support {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct daemon_config : testing::Test {
    temp_folder root;
    std::unique_ptr<daemon> one;

    void start(std::map<std::string, std::string> settings = {}) {
        one = std::make_unique<daemon>(daemon_plan{.folder = root / "one", .settings = std::move(settings)});
    }
    [[nodiscard]] answer put(std::string_view body) const { return one->call("PUT", "/config", body, json); }
    [[nodiscard]] double number(std::string_view section, std::string_view key) const {
        auto const said = one->get("/config");
        auto const* held = said.json.find(section);
        return held == nullptr ? -1 : held->number_or(key, -1);
    }
    static std::vector<std::string> texts(value const& in, std::string_view list) {
        std::vector<std::string> out;
        for (auto const& item : in.list_or_empty(list)) out.push_back(*item.get_if<std::string>());
        return out;
    }
    [[nodiscard]] std::vector<std::string> next_keys(event_stream& told) const {
        auto const event = told.wait_for("config_updated", [](value const&) { return true; });
        return texts(*event.find("data"), "keys");
    }
    headers const json{{"Content-Type", "application/json"}};
};

TEST_F(daemon_config, is_changed_at_once_told_of_and_kept_through_a_kill) {
    start();
    auto told = one->events({"config_updated"});
    auto const said =
        put(R"({"limits":{"global_down_kib":321,"globl":1},"daemon":{"unix_socket":"/tmp/x"}})");
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.json.text_or("status", ""), "updated");
    EXPECT_TRUE(said.json.flag_or("restart_required", false));
    EXPECT_THAT(texts(said.json, "restart_keys"), ElementsAre("daemon.unix_socket"));
    EXPECT_THAT(texts(said.json, "ignored"), ElementsAre("limits.globl"));
    EXPECT_EQ(said.json.find("config")->find("limits")->number_or("global_down_kib", -1), 321);
    EXPECT_THAT(next_keys(told), ElementsAre("limits.global_down_kib", "daemon.unix_socket"));

    auto const again = put(R"({"limits":{"global_down_kib":321}})");
    EXPECT_FALSE(again.json.flag_or("restart_required", true));
    ASSERT_EQ(put(R"({"limits":{"global_up_kib":5}})").status, 200);
    EXPECT_THAT(next_keys(told), ElementsAre("limits.global_up_kib")) << "what changed nothing was not told";
    one->kill9();
    one->start();
    EXPECT_EQ(number("limits", "global_down_kib"), 321);
    ASSERT_EQ(put(R"({"limits":{"global_down_kib":null},"daemon":{"unix_socket":null}})").status, 200);
    EXPECT_EQ(number("limits", "global_down_kib"), 0);
}

TEST_F(daemon_config, is_checked_whole_and_what_is_wrong_changes_nothing) {
    start();
    auto const said =
        put(R"({"limits":{"global_down_kib":7,"global_up_kib":-1},"daemon":{"ipc_host":"0.0.0.0"}})");
    EXPECT_EQ(said.status, 400);
    EXPECT_EQ(said.code(), "CONFIG_UPDATE_FAILED");
    EXPECT_EQ(said.json.find("details")->text_or("field", ""), "limits.global_up_kib");
    EXPECT_EQ(said.json.find("details")->list_or_empty("problems").size(), 2U);
    EXPECT_EQ(number("limits", "global_down_kib"), 0);
    EXPECT_EQ(put("{").code(), "INVALID_JSON");
    EXPECT_EQ(put("[]").code(), "VALIDATION_ERROR");
}

TEST_F(daemon_config, shows_no_secret_and_can_be_put_back_as_it_was_shown) {
    start({{"proxy.proxy_password", "\"topsecret\""}});
    ASSERT_EQ(
        put(R"({"security":{"ip_filter":{"filter_urls":["http://me:topsecret@127.0.0.1:1/l?pin=topsecret"]}}})")
            .status,
        200);
    auto const shown = one->get("/config");
    EXPECT_THAT(shown.body, Not(HasSubstr("topsecret")));
    EXPECT_EQ(shown.json.find("proxy")->text_or("proxy_password", ""), "***");
    auto const back = put(shown.body);
    EXPECT_EQ(back.status, 200) << back.body;
    EXPECT_EQ(back.body.find("topsecret"), std::string::npos);
    EXPECT_EQ(one->get("/config").body, shown.body);
    EXPECT_THAT(one->get("/config/explain").body, Not(HasSubstr("topsecret")));
}

TEST_F(daemon_config, of_several_at_once_none_is_lost) {
    start();
    std::vector<std::thread> all;
    std::vector<std::string> const keys{
        "global_down_kib", "global_up_kib", "per_torrent_down_kib", "per_torrent_up_kib"};
    for (auto const& key : keys)
        all.emplace_back([&, key] {
            client::client by{{.url = one->url(), .api_key = one->key()}};
            for (int n = 1; n <= 20; ++n)
                EXPECT_TRUE(by.update_config(R"({"limits":{")" + key + "\":" + std::to_string(n) + "}}"));
        });
    for (auto& thread : all) thread.join();
    for (auto const& key : keys) EXPECT_EQ(number("limits", key), 20) << key;
    one->kill9();
    one->start();
    for (auto const& key : keys) EXPECT_EQ(number("limits", key), 20) << key;
}

TEST_F(daemon_config, is_read_again_at_sighup_below_what_is_laid_over_and_a_broken_file_changes_nothing) {
    start({{"limits.global_up_kib", "5"}});
    ASSERT_EQ(put(R"({"limits":{"global_down_kib":321}})").status, 200);
    auto told = one->events({"config_updated"});
    write_file(one->config_file(), "[[[");
    one->running().signal(SIGHUP);
    EXPECT_TRUE(eventually(milliseconds{10'000}, [&] {
        return one->log().find("the configuration was not taken over") != std::string::npos;
    }));
    EXPECT_EQ(number("limits", "global_up_kib"), 5);
    one->plan().settings["limits.global_up_kib"] = "6";
    one->plan().settings["limits.global_down_kib"] = "1";
    write_file(one->config_file(), configuration(one->plan()));
    one->running().signal(SIGHUP);
    EXPECT_THAT(next_keys(told), ElementsAre("limits.global_up_kib"));
    EXPECT_EQ(number("limits", "global_up_kib"), 6);
    EXPECT_EQ(number("limits", "global_down_kib"), 321);
}

TEST_F(daemon_config, encryption_that_is_required_refuses_a_plain_peer_at_once) {
    auto const port = free_port("127.0.0.2");
    start({{"network.listen_port_tcp", std::to_string(port)}});
    make_file(root / "data", 100'000, 1);
    auto const what = make_torrent(root / "data", {});
    one->add(what);
    one->wait_for(what.hash(), [](value const& row) { return state_of(row) == "downloading"; });
    bt_peer before{"127.0.0.30", "127.0.0.2", port, what.hash()};
    EXPECT_TRUE(before.is_let_in());
    ASSERT_EQ(put(R"({"security":{"enable_encryption":true,"encryption_mode":"required"}})").status, 200);
    bt_peer after{"127.0.0.31", "127.0.0.2", port, what.hash()};
    EXPECT_FALSE(after.is_let_in());
}

TEST_F(daemon_config, limits_hold_in_a_transfer_that_runs) {
    swarm in;
    make_file(in.data("big"), 64 * mib, 7);
    auto const what = in.torrent_of(in.data("big"), {.piece_size = 1 << 18});
    daemon const seeder{in.seeder({{"limits.global_up_kib", "256"}})};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    daemon const leecher{in.leecher()};
    leecher.add(what);
    leecher.wait_for(what.hash(), [](value const& row) { return row.number_or("download_rate", 0) > 0; });
    EXPECT_LT(leecher.row(what.hash()).number_or("progress", 1), 1) << "at 256 KiB/s it takes four minutes";
    ASSERT_EQ(seeder.call("PUT", "/config", R"({"limits":{"global_up_kib":0}})", json).status, 200);
    leecher.wait_until_seeding(what.hash());
}

TEST_F(daemon_config, the_dht_answers_while_it_is_on) {
    auto const port = free_port("127.0.0.2");
    start({{"network.listen_port_tcp", std::to_string(port)}, {"discovery.dht_bootstrap_nodes", "[]"}});
    auto const answers = [&](milliseconds within) {
        int const fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(port);
        ::inet_pton(AF_INET, "127.0.0.2", &at.sin_addr);
        std::string_view const ping = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
        std::array<char, 512> read{};
        auto const got = eventually(within, [&] {
            ::sendto(fd, ping.data(), ping.size(), 0, reinterpret_cast<sockaddr*>(&at), sizeof at);
            return ::recv(fd, read.data(), read.size(), MSG_DONTWAIT) > 0;
        });
        ::close(fd);
        return got;
    };
    EXPECT_FALSE(answers(milliseconds{1'000}));
    ASSERT_EQ(put(R"({"discovery":{"enable_dht":true}})").status, 200);
    EXPECT_TRUE(answers(milliseconds{20'000}));
    ASSERT_EQ(put(R"({"discovery":{"enable_dht":false}})").status, 200);
    EXPECT_FALSE(answers(milliseconds{1'000}));
}

TEST_F(daemon_config, a_filter_that_is_switched_on_refuses_whom_it_lists_and_lets_in_again_when_off) {
    auto const port = free_port("127.0.0.2");
    start({{"network.listen_port_tcp", std::to_string(port)}});
    make_file(root / "data", 100'000, 1);
    auto const what = make_torrent(root / "data", {});
    one->add(what);
    one->wait_for(what.hash(), [](value const& row) { return state_of(row) == "downloading"; });
    write_file(root / "list", "127.0.0.30\n");
    auto told = one->events({"security_ip_filter_loaded"});
    ASSERT_EQ(
        put(R"({"security":{"ip_filter":{"enable_ip_filter":true,"filter_files":[")" +
            (root / "list").string() + "\"]}}}")
            .status,
        200);
    told.wait_for(
        "security_ip_filter_loaded", [](value const& data) { return data.number_or("rules", 0) == 1; });
    bt_peer listed{"127.0.0.30", "127.0.0.2", port, what.hash()};
    EXPECT_FALSE(listed.is_let_in());
    bt_peer other{"127.0.0.31", "127.0.0.2", port, what.hash()};
    EXPECT_TRUE(other.is_let_in());
    ASSERT_EQ(put(R"({"security":{"ip_filter":{"enable_ip_filter":false}}})").status, 200);
    EXPECT_TRUE(eventually(milliseconds{10'000}, [&] {
        bt_peer again{"127.0.0.30", "127.0.0.2", port, what.hash()};
        return again.is_let_in();
    }));
}

TEST_F(daemon_config, what_an_import_laid_over_stays_through_sighup) {
    start();
    ASSERT_EQ(put(R"({"limits":{"global_down_kib":321},"daemon":{"allowed_hosts":["nas"]}})").status, 200);
    auto const file = std::string{one->post("/torrents/export-state").json.text_or("path", "")};
    ASSERT_EQ(put(R"({"limits":{"global_down_kib":null},"daemon":{"allowed_hosts":null}})").status, 200);
    ASSERT_EQ(number("limits", "global_down_kib"), 0);
    ASSERT_EQ(one->call("POST", "/torrents/import-state", R"({"path":")" + file + "\"}", json).status, 200);
    EXPECT_EQ(number("limits", "global_down_kib"), 321);
    auto told = one->events({"config_updated"});
    one->plan().settings["limits.global_down_kib"] = "1";
    one->plan().settings["limits.global_up_kib"] = "6";
    write_file(one->config_file(), configuration(one->plan()));
    one->running().signal(SIGHUP);
    EXPECT_THAT(next_keys(told), ElementsAre("limits.global_up_kib"));
    EXPECT_EQ(number("limits", "global_down_kib"), 321);
    EXPECT_TRUE(one->get("/config").json.find("daemon")->list_or_empty("allowed_hosts").empty());
}

TEST_F(daemon_config, the_door_takes_over_host_names_and_switches) {
    start();
    headers const by_name{{"Host", "nas.lan:" + std::to_string(one->port())}, {"X-CCBT-API-Key", one->key()}};
    auto const status = [&] {
        http_connection door{"127.0.0.1", one->port()};
        return door.ask("GET", "/api/v1/status", by_name).status;
    };
    EXPECT_EQ(status(), 421);
    EXPECT_EQ(one->get("/metrics").status, 200);
    ASSERT_EQ(
        put(R"({"daemon":{"allowed_hosts":["nas.lan"]},"observability":{"enable_metrics":false}})").status,
        200);
    EXPECT_EQ(status(), 200);
    EXPECT_EQ(one->get("/metrics").status, 404);
    ASSERT_EQ(put(R"({"daemon":{"allowed_hosts":null}})").status, 200);
    EXPECT_EQ(status(), 421);
}

TEST_F(daemon_config, further_folders_are_allowed_as_soon_as_it_is_answered) {
    start();
    make_file(root / "data", 100'000, 1);
    std::filesystem::create_directories(root / "more");
    auto const more = (root / "more").string(), link = make_torrent(root / "data", {}).magnet();
    auto const add = R"({"path_or_magnet":")" + link + R"(","output_dir":")" + more + "\"}";
    EXPECT_EQ(one->call("POST", "/torrents/add", add, json).status, 403);
    auto const said =
        put(R"({"disk":{"allowed_paths":[")" + one->downloads().string() + R"(",")" + more + "\"]}}");
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_FALSE(said.json.flag_or("restart_required", true));
    EXPECT_EQ(one->call("POST", "/torrents/add", add, json).status, 200);
}

} // namespace

} // namespace ccbt::support
