#include "daemon/config_update.hpp"

#include "daemon/config_world_test.hpp"
#include "wire/codec.hpp"

namespace ccbt::daemon {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using laid = std::pair<std::string, std::string>;

config_update planned(loaded_config const& now, std::string_view json) {
    auto made = plan_update(now, json);
    if (made) return *made;
    for (auto const& p : made.error()) ADD_FAILURE() << p.field << ": " << p.message;
    return {{}, now, {}, {}};
}
std::vector<std::string> fields_wrong(loaded_config const& now, std::string_view json) {
    auto const made = plan_update(now, json);
    std::vector<std::string> out;
    if (!made)
        for (auto const& p : made.error()) out.push_back(p.field);
    return out;
}

TEST_F(config, an_update_is_a_nested_part_and_tells_what_is_no_key) {
    auto const made = planned(
        load(),
        R"({"limits":{"global_down_kib":5,"globl":1},"security":{"ip_filter":{"enable_ip_filter":true}},"x":1})");
    EXPECT_THAT(
        made.puts,
        ElementsAre(
            laid{"limits.global_down_kib", "5"}, laid{"security.ip_filter.enable_ip_filter", "true"}));
    EXPECT_THAT(made.ignored, ElementsAre("limits.globl", "x"));
    EXPECT_EQ(made.next.settings.limits.global_down_kib, 5);
    EXPECT_THAT(made.changes.restart, IsEmpty());
}

TEST_F(config, an_update_may_ask_for_tls_at_the_next_start) {
    auto const made = planned(load(), R"({"daemon":{"tls_enabled":true}})");
    EXPECT_THAT(made.puts, ElementsAre(laid{"daemon.tls_enabled", "true"}));
    EXPECT_THAT(made.changes.restart, ElementsAre("daemon.tls_enabled"));
}

TEST_F(config, an_update_of_what_is_so_already_keeps_nothing) {
    file("[limits]\nglobal_down_kib = 5\n[disk]\ndownload_path = \"~/d\"\n");
    auto const now = load();
    EXPECT_THAT(
        planned(now, R"({"limits":{"global_down_kib":5},"disk":{"download_path":"~/d"}})").puts, IsEmpty());
    EXPECT_THAT(planned(now, wire::to_json(shown_settings(now.settings))).puts, IsEmpty())
        << "the answer of GET /config, put back";
}

TEST_F(config, an_update_with_null_takes_back_what_is_laid_over) {
    file("[limits]\nglobal_down_kib = 5\n");
    auto now = load();
    ASSERT_TRUE(apply_overrides(now, {{"limits.global_down_kib", "9"}, {"limits.global_up_kib", "9"}}));
    auto const one = planned(now, R"({"limits":{"global_down_kib":null,"per_torrent_up_kib":null}})");
    EXPECT_THAT(one.puts, ElementsAre(laid{"limits.global_down_kib", ""}));
    EXPECT_EQ(one.next.settings.limits.global_down_kib, 5);
    EXPECT_EQ(one.next.settings.limits.global_up_kib, 9);
    EXPECT_EQ(planned(now, R"({"limits":null})").puts.size(), 2U);
}

TEST_F(config, an_update_is_checked_whole_and_every_problem_is_told) {
    EXPECT_THAT(
        fields_wrong(
            load(),
            R"({"limits":{"global_down_kib":-1,"global_up_kib":"x"},"daemon":{"ipc_host":"0.0.0.0"}})"),
        ElementsAre("limits.global_down_kib", "limits.global_up_kib", "daemon.ipc_host"));
    EXPECT_THAT(fields_wrong(load(), R"({"limits":3})"), ElementsAre("limits"));
    EXPECT_THAT(fields_wrong(load(), R"({"daemon":{"state_dir":"/x"}})"), ElementsAre("daemon.state_dir"));
}

TEST_F(config, an_update_of_what_a_flag_sets_is_refused_and_names_it) {
    flags = {{"limits.global_down_kib", "3"}};
    auto const made = plan_update(load(), R"({"limits":{"global_down_kib":4}})");
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().front().message, testing::HasSubstr("flag --set"));
    EXPECT_THAT(planned(load(), R"({"limits":{"global_down_kib":3}})").puts, IsEmpty());
}

TEST_F(config, shows_no_secret_and_takes_masks_back_as_what_they_hide) {
    auto now = load();
    ASSERT_TRUE(apply_overrides(
        now, {{"proxy.proxy_password", "\"topsecret\""},
              {"security.ip_filter.filter_urls", R"(["https://me:topsecret@h/l?pin=topsecret"])"}}));
    auto const shown = wire::to_json(shown_settings(now.settings));
    EXPECT_EQ(shown.find("topsecret"), shown.npos);
    EXPECT_NE(shown.find("https://***@h/l?***"), shown.npos);
    EXPECT_THAT(planned(now, shown).puts, IsEmpty());
    for (auto const& one : explain_keys(now, now.settings))
        EXPECT_EQ((one.value.text + one.beneath.text).find("topsecret"), std::string::npos) << one.key;
}

TEST_F(config, of_two_addresses_that_look_the_same_masked_each_comes_back_once) {
    auto now = load();
    ASSERT_TRUE(apply_overrides(
        now, {{"security.ip_filter.filter_urls", R"(["https://h/l?t=A","https://h/l?t=B","http://u@h/"])"}}));
    EXPECT_THAT(planned(now, wire::to_json(shown_settings(now.settings))).puts, IsEmpty());
    auto const put = [&](std::string const& urls) {
        return R"({"security":{"ip_filter":{"filter_urls":)" + urls + "}}}";
    };
    EXPECT_THAT(
        planned(now, put(R"(["http://***@h/","https://h/l?***"])")).puts,
        ElementsAre(laid{"security.ip_filter.filter_urls", R"(["http://u@h/","https://h/l?t=A"])"}));
    for (auto const* urls : {R"(["https://h/other?***"])", R"(["https://***@h/l"])"})
        EXPECT_THAT(fields_wrong(now, put(urls)), ElementsAre("security.ip_filter.filter_urls")) << urls;
}

TEST_F(config, a_member_with_a_dot_is_no_key_and_a_secret_is_put_though_it_is_so_already) {
    file("[proxy]\nproxy_password = \"a-password\"\n");
    auto const now = load();
    auto const dotted = planned(now, R"({"limits.global_down_kib":5,"daemon":{"x.api_key":"k"}})");
    EXPECT_THAT(dotted.puts, IsEmpty());
    EXPECT_THAT(dotted.ignored, ElementsAre("limits.global_down_kib", "daemon.x.api_key"));
    auto const guessed = planned(now, R"({"proxy":{"proxy_password":"a-password"}})");
    EXPECT_EQ(guessed.puts.size(), 1U) << "a guess that is right is not told from one that is wrong";
    EXPECT_THAT(guessed.changes.keys, IsEmpty());
}

TEST_F(config, the_api_key_is_not_set_by_an_update_and_its_mask_means_nothing) {
    file("[daemon]\napi_key = \"a-configured-key-of-some-length\"\n");
    auto const now = load();
    for (auto const* key : {"a-configured-key-of-some-length", "another-key-of-some-length", ""}) {
        auto const made = plan_update(now, std::string{R"({"daemon":{"api_key":")"} + key + R"("}})");
        ASSERT_FALSE(made) << key;
        EXPECT_EQ(made.error().front().field, "daemon.api_key");
        EXPECT_THAT(made.error().front().message, testing::HasSubstr("CCBT_DAEMON_API_KEY"));
    }
    EXPECT_THAT(planned(now, R"({"daemon":{"api_key":"***"}})").puts, IsEmpty());
}

TEST_F(config, what_follows_from_another_key_stays_as_it_was_put_back_beside_it) {
    file("[disk]\ndownload_path = \"/old\"\n");
    auto const now = load();
    auto const alone = planned(now, R"({"disk":{"download_path":"/new"}})");
    EXPECT_THAT(alone.next.settings.disk.allowed_paths, ElementsAre("/new"));
    auto const both = planned(now, R"({"disk":{"download_path":"/new","allowed_paths":["/old"]}})");
    EXPECT_EQ(both.next.settings.disk.download_path, "/new");
    EXPECT_THAT(both.next.settings.disk.allowed_paths, ElementsAre("/old"));
    EXPECT_THAT(
        both.puts,
        ElementsAre(laid{"disk.download_path", R"("/new")"}, laid{"disk.allowed_paths", R"(["/old"])"}));
}

TEST_F(config, an_import_may_lay_over_what_steers_transfers_and_nothing_else) {
    auto const fit = fitting_overrides(
        load(), {{"limits.global_down_kib", "5"},
                 {"network.max_global_peers", "7"},
                 {"discovery.enable_dht", "false"},
                 {"queue.max_active_seeding", "3"},
                 {"daemon.ipc_host", "\"0.0.0.0\""},
                 {"daemon.api_key", "\"k\""},
                 {"disk.download_path", "\"/x\""},
                 {"proxy.proxy_host", "\"evil\""},
                 {"network.listen_interface", "\"0.0.0.0\""},
                 {"limits.global_up_kib", "-1"},
                 {"limits.connections", "1"},
                 {"limits.gone", "1"}});
    std::vector<std::string> keys;
    for (auto const& [key, json] : fit) keys.push_back(key);
    EXPECT_THAT(
        keys, ElementsAre(
                  "limits.global_down_kib", "network.max_global_peers", "discovery.enable_dht",
                  "queue.max_active_seeding"));
}

} // namespace

} // namespace ccbt::daemon
