// GET and PUT /config and SIGHUP on a real daemon: what is answered is in force, kept, and told.
#include "client/client.hpp"
#include "support/bt_peer.hpp"
#include "swarm/swarm.hpp"

#include <csignal>
#include <thread>

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
