#include "daemon/config_world_test.hpp"

#include "daemon/config_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace ccbt::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(config, beyond_loopback_without_tls_names_the_key_that_allows_it) {
    file("[daemon]\nipc_port = 1\nipc_host = \"0.0.0.0\"\n");
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_THAT(
        problems().front(), AllOf(
                                testing::StartsWith("ccbt.toml:3: daemon.ipc_host: \"0.0.0.0\" may be "
                                                    "reached from beyond this machine"),
                                HasSubstr("daemon.allow_insecure_bind = true")));
    file("[daemon]\nipc_host = \"0.0.0.0\"\nallow_insecure_bind = true\n");
    EXPECT_EQ(load().settings.daemon.ipc_host, "0.0.0.0");
    file("[daemon]\nipc_host = \"0.0.0.0\"\ntls_enabled = true\n");
    EXPECT_EQ(load().settings.daemon.ipc_host, "0.0.0.0");
}

TEST_F(config, takes_a_host_as_people_write_it_and_only_what_can_be_bound) {
    for (auto const& [written, meant] : std::initializer_list<std::pair<char const*, char const*>>{
             {"[::1]", "::1"}, {"LocalHost", "localhost"}, {"::ffff:127.0.0.1", "127.0.0.1"}}) {
        file("[daemon]\nipc_host = \"" + std::string{written} + "\"\n");
        EXPECT_EQ(load().settings.daemon.ipc_host, meant);
    }
    file("[daemon]\nallow_insecure_bind = true\nipc_host = \"999.1.1.1\"\n");
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("must be an IP address or localhost")));
}

TEST_F(config, refuses_a_key_that_no_header_can_carry_without_showing_it) {
    for (auto const* key : {" padded ", "line\\nbreak", "gr\xC3\xBCn"}) {
        file("[daemon]\napi_key = \"" + std::string{key} + "\"\n");
        auto const told = problems();
        ASSERT_THAT(told, ElementsAre(HasSubstr("daemon.api_key")));
        EXPECT_THAT(told[0], Not(HasSubstr("padded")));
    }
}

TEST_F(config, tells_no_secret_in_the_words_of_the_parser) {
    file("[daemon]\napi_key = 99999999999999999999\n");
    auto const told = problems();
    ASSERT_THAT(told, ElementsAre(HasSubstr("ccbt.toml:2:")));
    EXPECT_THAT(told[0], Not(HasSubstr("9999")));
}

TEST_F(config, what_it_repeats_of_a_value_drives_no_terminal) {
    file("[queue]\ndefault_priority = \"a\\u001b[31mb\"\n");
    auto const told = problems();
    ASSERT_THAT(told, ElementsAre(HasSubstr("\\u001b[31m")));
}

TEST_F(config, that_is_a_pipe_is_refused_and_not_waited_for) {
    ASSERT_EQ(::mkfifo((here() / "ccbt.toml").c_str(), 0600), 0);
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("cannot be read")));
}

TEST_F(config, with_a_key_of_a_great_many_parts_is_refused_before_anything_goes_down_it) {
    std::string key = "a";
    for (int i = 0; i < 20'000; ++i) key += ".a";
    file(key + " = 1\n");
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("ccbt.toml:1: a key has too many parts")));
}

TEST(loopback, is_this_machine_alone) {
    for (auto const* host :
         {"127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LOCALHOST", "::ffff:127.0.0.1"})
        EXPECT_TRUE(is_loopback_host(host)) << host;
    for (auto const* host :
         {"", "0.0.0.0", "::", "[::]", "192.168.1.1", "128.0.0.1", "::ffff:10.0.0.1", "127.0.0.1.x",
          "localhost.example", "*"})
        EXPECT_FALSE(is_loopback_host(host)) << host;
}

TEST_F(config, takes_addresses_of_proxies_and_no_names) {
    file("[daemon]\ntrusted_proxies = [\"10.0.0.1\", \"fe80::1\", \"nginx\"]\n");
    EXPECT_THAT(
        problems(),
        ElementsAre(of_file(2, "daemon.trusted_proxies: must be IP addresses, but one is \"nginx\"")));
}

TEST_F(config, checks_what_one_key_alone_cannot_say) {
    file(
        "[daemon]\ntls_enabled = true\ntls_certificate_path = \"/c\"\n"
        "trusted_keys = [\"" +
        std::string(63, 'a') +
        "\"]\nallowed_hosts = [\"*.example\"]\n"
        "[queue]\ndefault_priority = \"urgent\"\n[observability]\nlog_level = \"LOUD\"\n"
        "[proxy]\nenable_proxy = true\nproxy_type = \"carrier\"\n"
        "[discovery]\ndht_bootstrap_nodes = [\"no.port\", \"a:0\", \"ok:1\"]\n"
        "[security.ip_filter]\nfilter_urls = [\"ftp://a/\"]\n");
    EXPECT_THAT(
        problems(),
        ElementsAre(
            "proxy.proxy_host: must be set where proxy.enable_proxy is",
            of_file(
                7,
                "queue.default_priority: must be one of paused, low, normal, high, maximum, is \"urgent\""),
            of_file(12, "proxy.proxy_type: must be one of http, socks4, socks5, is \"carrier\""),
            of_file(
                9, "observability.log_level: must be one of DEBUG, INFO, WARNING, ERROR, OFF, is \"LOUD\""),
            of_file(14, "discovery.dht_bootstrap_nodes: must be host:port each, but one is \"no.port\""),
            of_file(14, "discovery.dht_bootstrap_nodes: must be host:port each, but one is \"a:0\""),
            of_file(
                16, "security.ip_filter.filter_urls: must be http:// or https:// addresses, but one is "
                    "\"ftp://a/\""),
            of_file(
                4, "daemon.trusted_keys: must be Ed25519 public keys of 64 hex digits, but one is \"" +
                       std::string(63, 'a') + '"'),
            of_file(
                5,
                "daemon.allowed_hosts: must be plain host names, never wildcards, but one is \"*.example\""),
            "daemon.tls_key_path: must be set where daemon.tls_certificate_path is"));
}

TEST_F(config, overrides_lie_over_the_file_below_environment_and_flags_and_derived_defaults_follow) {
    file("[limits]\nglobal_up_kib = 3\n");
    flags = {{"limits.global_down_kib", "3"}};
    environment = {{"CCBT_MAX_ACTIVE_SEEDING", "4"}};
    auto c = load();
    ASSERT_TRUE(apply_overrides(
        c, {{"limits.global_up_kib", "8"},
            {"limits.global_down_kib", "8"},
            {"queue.max_active_seeding", "8"},
            {"disk.download_path", "\"~/elsewhere\""},
            {"disk.preallocate", "\"NONE\""},
            {"security.ip_filter.filter_files", "[\"a\"]"}}));
    EXPECT_EQ(c.settings.limits.global_up_kib, 8);
    EXPECT_EQ(c.origins.at("limits.global_up_kib"), "override");
    EXPECT_EQ(c.settings.limits.global_down_kib, 3);
    EXPECT_EQ(c.origins.at("limits.global_down_kib"), "flag --set");
    EXPECT_EQ(c.settings.queue.max_active_seeding, 4);
    EXPECT_THAT(c.settings.disk.allowed_paths, ElementsAre((home() / "elsewhere").string()));
    EXPECT_EQ(c.settings.disk.preallocate, contract::preallocate_mode::none);
    EXPECT_THAT(c.settings.security.ip_filter.filter_files, ElementsAre((here() / "a").string()));
    EXPECT_THAT(c.warnings, IsEmpty());
}

TEST_F(config, an_override_that_no_longer_fits_is_left_out_with_a_warning) {
    auto c = load();
    ASSERT_TRUE(apply_overrides(
        c, {{"limits.global_up_kib", "-1"},
            {"limits.gone", "1"},
            {"daemon.state_dir", "\"/x\""},
            {"discovery.dht_bootstrap_nodes", "[\"a:1\", 2]"},
            {"limits.global_down_kib", "nonsense"},
            {"queue.max_active_seeding", "9"}}));
    EXPECT_EQ(c.settings.limits.global_up_kib, 0);
    EXPECT_EQ(c.settings.queue.max_active_seeding, 9);
    EXPECT_EQ(c.settings.discovery.dht_bootstrap_nodes, contract::discovery_settings{}.dht_bootstrap_nodes);
    ASSERT_EQ(c.warnings.size(), 5U);
    EXPECT_EQ(c.warnings[0], "override: limits.global_up_kib: must be between 0 and 2097151, is -1, ignored");
    EXPECT_EQ(c.warnings[1], "override: limits.gone: is no key, ignored");
    EXPECT_THAT(c.warnings[2], HasSubstr("daemon.state_dir"));
}

TEST_F(config, overrides_that_make_it_unsafe_change_nothing) {
    auto c = load();
    auto const made = apply_overrides(c, {{"limits.global_up_kib", "8"}, {"daemon.ipc_host", "\"0.0.0.0\""}});
    ASSERT_FALSE(made);
    EXPECT_THAT(
        made.error().message(),
        AllOf(testing::StartsWith("override: daemon.ipc_host: "), HasSubstr("daemon.allow_insecure_bind")));
    EXPECT_EQ(c.settings.limits.global_up_kib, 0);
    EXPECT_EQ(c.settings.daemon.ipc_host, "127.0.0.1");
}

TEST_F(config, a_single_key_is_set_as_put_config_gets_it) {
    contract::settings s;
    EXPECT_THAT(set_key(s, "limits.global_up_kib", "5"), IsEmpty());
    EXPECT_EQ(s.limits.global_up_kib, 5);
    EXPECT_THAT(
        set_key(s, "limits.global_up_kib", "null"),
        ElementsAre(contract::problem{"limits.global_up_kib", "must not be null"}));
    EXPECT_THAT(
        set_key(s, "limits.global_up_kb", "5"),
        ElementsAre(
            contract::problem{"limits.global_up_kb", "is no key; did you mean limits.global_up_kib?"}));
    EXPECT_EQ(s.limits.global_up_kib, 5);
}

TEST_F(config, tells_what_changed_and_what_of_it_needs_a_restart) {
    contract::settings const before;
    auto after = before;
    after.limits.global_up_kib = 1;
    after.daemon.ipc_port = 1;
    after.disk.allowed_paths = {"/x"};
    auto const changes = changes_between(before, after);
    EXPECT_THAT(changes.keys, ElementsAre("disk.allowed_paths", "limits.global_up_kib", "daemon.ipc_port"));
    EXPECT_THAT(changes.restart, ElementsAre("daemon.ipc_port"));
    EXPECT_THAT(changes_between(before, before).keys, IsEmpty());
}

TEST_F(config, checked_alone_says_ok_with_the_warnings_or_the_errors) {
    EXPECT_EQ(check_config(sources()).text, "OK: no configuration file, defaults\n");
    file("[daemon]\nicp_port = 1\n");
    auto good = check_config(sources());
    EXPECT_EQ(good.code, exit_code::clean);
    EXPECT_EQ(
        good.text,
        "warning: ccbt.toml:2: daemon.icp_port: unknown key, ignored; did you mean daemon.ipc_port?\n"
        "OK: " +
            (here() / "ccbt.toml").string() + '\n');
    file("[daemon]\nipc_port = 70000\n");
    auto bad = check_config(sources());
    EXPECT_EQ(static_cast<int>(bad.code), 78);
    EXPECT_EQ(bad.text, "ccbt.toml:2: daemon.ipc_port: must be between 0 and 65535, is 70000\n");
}

} // namespace
} // namespace ccbt::daemon
