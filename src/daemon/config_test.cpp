#include "daemon/config_world_test.hpp"

#include "daemon/config_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <sys/stat.h>

namespace ccbt::daemon {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(config, without_any_source_is_the_contract_s_defaults) {
    auto const c = load();
    EXPECT_TRUE(c.file.empty());
    EXPECT_THAT(c.warnings, IsEmpty());
    EXPECT_EQ(c.settings.network.listen_port_tcp, 64122);
    EXPECT_EQ(c.settings.daemon.ipc_port, 64124);
    EXPECT_EQ(c.settings.daemon.ipc_host, "127.0.0.1");
    EXPECT_EQ(c.settings.disk.download_path, (home() / "Downloads").string());
    EXPECT_THAT(c.settings.disk.allowed_paths, ElementsAre((home() / "Downloads").string()));
    EXPECT_EQ(c.settings.daemon.state_dir, (home() / ".ccbt/daemon").string());
    EXPECT_EQ(c.settings.daemon.export_dir, (home() / ".ccbt/daemon/exports").string());
    EXPECT_EQ(c.settings.daemon.tls_certificate_path, "");
    EXPECT_EQ(c.settings.daemon.unix_socket, "");
    EXPECT_EQ(c.origins.at("daemon.ipc_port"), "default");
    EXPECT_EQ(c.origins.size(), all_keys().size());
}

TEST_F(config, is_found_here_then_in_the_two_places_of_the_home) {
    put(home() / ".ccbt.toml", "[daemon]\nipc_port = 3\n");
    EXPECT_EQ(load().settings.daemon.ipc_port, 3);
    put(home() / ".config/ccbt/ccbt.toml", "[daemon]\nipc_port = 2\n");
    EXPECT_EQ(load().settings.daemon.ipc_port, 2);
    EXPECT_EQ(load().origins.at("daemon.ipc_port"), (home() / ".config/ccbt/ccbt.toml").string() + ":2");
    file("[daemon]\nipc_port = 1\n");
    EXPECT_EQ(load().settings.daemon.ipc_port, 1);
    EXPECT_EQ(load().file, here() / "ccbt.toml");
    put(here() / "other.toml", "[daemon]\nipc_port = 4\n");
    auto named = sources();
    named.file = "other.toml";
    EXPECT_EQ(load_config(named)->settings.daemon.ipc_port, 4);
    EXPECT_EQ(load_config(named)->origins.at("daemon.ipc_port"), "other.toml:2");
}

TEST_F(config, named_and_not_there_is_an_error_though_another_would_be_found) {
    file("");
    auto named = sources();
    named.file = "absent.toml";
    auto const made = load_config(named);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().problems, ElementsAre("absent.toml: cannot be read: No such file or directory"));
}

TEST_F(config, that_is_a_folder_or_no_toml_is_refused_with_its_line) {
    fs::create_directory(here() / "ccbt.toml");
    EXPECT_THAT(problems(), ElementsAre("ccbt.toml: cannot be read: Is a directory"));
    fs::remove(here() / "ccbt.toml");
    file("[daemon]\nipc_port = \n");
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_THAT(problems().front(), testing::StartsWith("ccbt.toml:2: "));
    file(std::string("[daemon]\n\0", 10));
    EXPECT_THAT(problems(), ElementsAre("ccbt.toml:1: holds a NUL byte"));
    file("a = " + std::string(2000, '['));
    EXPECT_EQ(problems().size(), 1U);
    file('#' + std::string(std::size_t{1} << 20, 'x'));
    EXPECT_THAT(problems(), ElementsAre("ccbt.toml: cannot be read: File too large"));
}

TEST_F(config, tells_every_problem_at_once_with_file_line_and_key) {
    file("[limits]\n"
         "global_down_kib = -5\n"
         "global_up_kib = 2097152\n"
         "[network]\n"
         "listen_port_tcp = \"64122\"\n"
         "enable_tcp = 1\n"
         "max_global_peers = 10.5\n"
         "[daemon]\n"
         "websocket_heartbeat_interval = nan\n"
         "auto_save_interval = 1979-05-27\n"
         "[security]\n"
         "encryption_mode = \"rot13\"\n"
         "[security.ip_filter]\n"
         "filter_files = \"one\"\n"
         "filter_urls = [\"http://a/\", 5]\n");
    EXPECT_THAT(
        problems(),
        ElementsAre(
            of_file(2, "limits.global_down_kib: must be between 0 and 2097151, is -5"),
            of_file(3, "limits.global_up_kib: must be between 0 and 2097151, is 2097152"),
            of_file(5, "network.listen_port_tcp: must be a whole number, is the string \"64122\""),
            of_file(6, "network.enable_tcp: must be true or false, is a number"),
            of_file(7, "network.max_global_peers: must be a whole number, is a number"),
            of_file(9, "daemon.websocket_heartbeat_interval: must be a finite number"),
            of_file(10, "daemon.auto_save_interval: must not be or hold a date"),
            AllOf(
                HasSubstr("ccbt.toml:12: security.encryption_mode: must be one of "), HasSubstr("disabled"),
                testing::EndsWith(", is \"rot13\"")),
            of_file(14, "security.ip_filter.filter_files: must be a list, is the string \"one\""),
            of_file(15, "security.ip_filter.filter_urls[1]: must be a string, is a number")));
}

TEST_F(config, takes_both_ends_of_a_range_and_nothing_beyond) {
    each_key(defaults, [&](std::string const& key, contract::rules const& rule, auto const& member) {
        using type = std::remove_cvref_t<decltype(member)>;
        if constexpr (std::is_same_v<type, std::int64_t>) {
            if (rule.max > 1e300) return;
            auto const low = static_cast<std::int64_t>(rule.min), high = static_cast<std::int64_t>(rule.max);
            for (auto const n : {low - 1, low, high, high + 1}) {
                flags = {{key, std::to_string(n)}};
                EXPECT_EQ(load_config(sources()).has_value(), n >= low && n <= high) << key << '=' << n;
            }
        }
    });
}

TEST_F(
    config,
    takes_a_whole_float_for_an_integer_as_the_python_project_s_file_has_it_and_an_integer_for_a_float) {
    file("[discovery]\ntracker_announce_interval = 900.0\n[daemon]\nauto_save_interval = 5\n");
    EXPECT_EQ(load().settings.discovery.tracker_announce_interval, 900);
    EXPECT_EQ(load().settings.daemon.auto_save_interval, 5.0);
}

TEST_F(config, takes_names_in_any_letter_case) {
    file("[disk]\npreallocate = \"Sparse\"\n[security]\nencryption_mode = \"REQUIRED\"\n"
         "[queue]\ndefault_priority = \"High\"\n[observability]\nlog_level = \"debug\"\n"
         "[proxy]\nproxy_type = \"HTTP\"\n");
    auto const c = load();
    EXPECT_EQ(c.settings.disk.preallocate, contract::preallocate_mode::sparse);
    EXPECT_EQ(c.settings.security.encryption_mode, contract::encryption_policy::required);
    EXPECT_EQ(c.settings.queue.default_priority, "high");
    EXPECT_EQ(c.settings.proxy.proxy_type, "http");
    EXPECT_EQ(c.settings.observability.log_level, "debug");
}

// Another value than the default, as TOML, for each kind of key.
template <class T>
std::string toml_of_another(std::string const& key, contract::rules const& rule, T const& now) {
    if constexpr (std::is_same_v<T, bool>) {
        return now ? "false" : "true";
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
        return std::to_string(static_cast<double>(now) + 1 <= rule.max ? now + 1 : now - 1);
    } else if constexpr (std::is_same_v<T, double>) {
        return std::to_string(now + 0.5);
    } else if constexpr (std::is_enum_v<T>) {
        for (auto const& [value, name] : contract::names_of<T>)
            if (value != now) return '"' + std::string{name} + '"';
        return {};
    } else if constexpr (std::is_same_v<T, std::string>) {
        if (key == "queue.default_priority") return "\"low\"";
        if (key == "proxy.proxy_type") return "\"socks4\"";
        if (key == "observability.log_level") return "\"ERROR\"";
        if (key == "daemon.ipc_host") return "\"::1\"";
        if (rule.format == "path") return "\"/of/" + key + '"';
        return "\"other\"";
    } else {
        if (key == "daemon.trusted_keys") return "[\"" + std::string(64, 'a') + "\"]";
        if (key == "daemon.trusted_proxies") return "[\"10.0.0.1\", \"fe80::1\"]";
        if (key == "discovery.dht_bootstrap_nodes") return "[\"node.example:1\", \"[::1]:65535\"]";
        if (key == "security.ip_filter.filter_urls") return "[\"https://lists.example/a.gz\"]";
        return "[\"/one\", \"/two\"]";
    }
}

TEST_F(config, with_every_key_set_to_another_value_loads_and_every_value_arrives) {
    std::string text;
    int line = 0;
    std::map<std::string, int> lines;
    each_key(defaults, [&](std::string const& key, contract::rules const& rule, auto const& member) {
        // Hosts hold no slash, lists of paths do.
        auto value =
            key == "daemon.allowed_hosts" ? "[\"seedbox.example\"]" : toml_of_another(key, rule, member);
        text += key + " = " + value + '\n';
        lines[key] = ++line;
    });
    file(text);
    auto const c = load();
    EXPECT_THAT(c.warnings, IsEmpty());
    auto const changed = changes_between(load_config({{}, {}, home(), {}, {}})->settings, c.settings).keys;
    EXPECT_EQ(changed.size(), all_keys().size());
    for (auto const& k : all_keys()) {
        EXPECT_THAT(changed, Contains(k.key));
        EXPECT_EQ(c.origins.at(k.key), "ccbt.toml:" + std::to_string(lines[k.key]));
    }
    EXPECT_EQ(c.settings.security.ip_filter.filter_mode, contract::filter_policy::allow);
    EXPECT_EQ(c.settings.limits.global_down_kib, 1);
    EXPECT_EQ(c.settings.daemon.unix_socket, "/of/daemon.unix_socket");
    EXPECT_THAT(c.settings.discovery.dht_bootstrap_nodes, ElementsAre("node.example:1", "[::1]:65535"));
}

TEST_F(config, names_the_key_that_an_unknown_one_most_likely_meant) {
    file("[limits]\nglobal_dwn_kib = 1\n"
         "[network]\napi_key = \"x\"\nlisten_port = 1\nenable_encryption = true\n"
         "[deamon]\nipc_port = 1\n"
         "[security.ipfilter]\nfilter_mode = \"allow\"\n");
    EXPECT_THAT(
        load().warnings,
        ElementsAre(
            of_file(
                2, "limits.global_dwn_kib: unknown key, ignored; did you mean "
                   "limits.global_down_kib?"),
            of_file(4, "network.api_key: unknown key, ignored; did you mean daemon.api_key?"),
            of_file(
                5, "network.listen_port: unknown key, ignored; did you mean "
                   "network.listen_port_tcp?"),
            of_file(
                6, "network.enable_encryption: unknown key, ignored; did you mean "
                   "security.enable_encryption?"),
            of_file(7, "deamon: unknown section, ignored; did you mean daemon?"),
            of_file(
                9, "security.ipfilter: unknown section, ignored; did you mean "
                   "security.ip_filter?")));
    EXPECT_EQ(load().settings.daemon.ipc_port, 64124);
}

TEST_F(config, of_the_python_project_is_accepted_and_what_means_nothing_here_is_named_in_one_line) {
    file("[network]\nmax_global_peers = 100\nsocket_rcvbuf_kib = 256\n"
         "[network.utp]\nmtu = 1500\n"
         "[disk.attributes]\nxet_enabled = false\n"
         "[strategy]\npiece_selection = \"rarest_first\"\n"
         "[discovery]\ntracker_announce_interval = 1800.0\n"
         "[security.ip_filter]\nfilter_files = []\nfilter_update_interval = 3600.0\n"
         "[security.ssl]\nssl_protocol_version = \"TLSv1.2\"\n"
         "[ml]\npeer_selection_enabled = false\n[ml.more]\ndeep = { er = 1 }\n"
         "[dashboard]\nhost = \"127.0.0.1\"\nport = 64125\n"
         "[webtorrent]\nwebtorrent_stun_servers = [\n  \"stun:example:1\"\n]\n"
         "[daemon]\nipc_host = \"127.0.0.1\"\n");
    auto const c = load();
    EXPECT_THAT(
        c.warnings,
        ElementsAre(
            "ccbt.toml: means nothing here, ignored: sections network.utp, disk.attributes, strategy, "
            "security.ssl, ml, dashboard, webtorrent; keys network.socket_rcvbuf_kib (line 3)"));
    EXPECT_EQ(c.settings.network.max_global_peers, 100);
    EXPECT_EQ(c.settings.security.ip_filter.filter_update_interval, 3600);
}

TEST_F(config, tells_a_section_from_a_value) {
    file("limits = 5\n[daemon.ipc_port]\nx = 1\n");
    EXPECT_THAT(
        problems(), ElementsAre(
                        of_file(1, "limits: must be a section, is a value"),
                        of_file(2, "daemon.ipc_port: must be a value, is a section")));
}

TEST_F(config, takes_inline_and_dotted_forms_and_does_not_split_a_quoted_name) {
    file("limits = { global_down_kib = 7 }\nsecurity.ip_filter.filter_mode = \"allow\"\n"
         "\"limits.global_up_kib\" = 9\n\"\\u001b[31m\" = 1\n");
    auto const c = load();
    EXPECT_EQ(c.settings.limits.global_down_kib, 7);
    EXPECT_EQ(c.settings.security.ip_filter.filter_mode, contract::filter_policy::allow);
    EXPECT_EQ(c.settings.limits.global_up_kib, 0);
    ASSERT_EQ(c.warnings.size(), 2U);
    EXPECT_THAT(c.warnings[0], HasSubstr("\"limits.global_up_kib\": unknown key"));
    EXPECT_THAT(c.warnings[1], Not(HasSubstr("\x1b")));
}

TEST_F(config, many_alien_tables_are_read_in_reasonable_time) {
    std::string text;
    for (int i = 0; i < 30000; ++i) text += "[zz" + std::to_string(i) + "zzzzzzzzzzzz]\nx = 1\n";
    file(text);
    EXPECT_EQ(load().warnings.size(), 1U);
}

TEST_F(config, variables_win_over_the_file_and_flags_over_both) {
    file("[limits]\nglobal_down_kib = 1\nglobal_up_kib = 1\nper_torrent_up_kib = 1\n");
    environment = {{"CCBT_LIMITS_GLOBAL_UP_KIB", "2"}, {"CCBT_LIMITS_PER_TORRENT_UP_KIB", "2"}};
    flags = {{"limits.per_torrent_up_kib", "3"}};
    auto const c = load();
    EXPECT_EQ(c.settings.limits.global_down_kib, 1);
    EXPECT_EQ(c.settings.limits.global_up_kib, 2);
    EXPECT_EQ(c.settings.limits.per_torrent_up_kib, 3);
    EXPECT_EQ(c.origins.at("limits.global_down_kib"), "ccbt.toml:2");
    EXPECT_EQ(c.origins.at("limits.global_up_kib"), "environment CCBT_LIMITS_GLOBAL_UP_KIB");
    EXPECT_EQ(c.origins.at("limits.per_torrent_up_kib"), "flag --set");
}

TEST_F(config, reads_each_kind_of_key_from_the_environment) {
    environment = {
        {"CCBT_SECURITY_IP_FILTER_ENABLE_IP_FILTER", "Yes"},
        {"CCBT_SECURITY_IP_FILTER_FILTER_FILES", "/a.txt, /b.dat,"},
        {"CCBT_DISK_PREALLOCATE", "SPARSE"},
        {"CCBT_DAEMON_AUTO_SAVE_INTERVAL", "2.5"},
        {"CCBT_DISCOVERY_TRACKER_ANNOUNCE_INTERVAL", "1800.0"},
        {"CCBT_NETWORK_ENABLE_TCP", "on"},
        {"CCBT_NETWORK_ENABLE_IPV6", "0"},
        {"CCBT_API_KEY", "not-spaced"},
        {"CCBT_NETWORK_MAX_GLOBAL_PEERS", ""}};
    auto const c = load();
    EXPECT_TRUE(c.settings.security.ip_filter.enable_ip_filter);
    EXPECT_THAT(c.settings.security.ip_filter.filter_files, ElementsAre("/a.txt", "/b.dat"));
    EXPECT_EQ(c.settings.disk.preallocate, contract::preallocate_mode::sparse);
    EXPECT_EQ(c.settings.daemon.auto_save_interval, 2.5);
    EXPECT_EQ(c.settings.discovery.tracker_announce_interval, 1800);
    EXPECT_TRUE(c.settings.network.enable_tcp);
    EXPECT_FALSE(c.settings.network.enable_ipv6);
    EXPECT_EQ(c.settings.daemon.api_key, "not-spaced");
    EXPECT_EQ(c.settings.network.max_global_peers, 200);
    EXPECT_EQ(c.origins.at("network.max_global_peers"), "default");
    EXPECT_THAT(c.warnings, IsEmpty());
}

TEST_F(config, reads_a_variable_without_the_section_where_it_fits_one_key_and_prefers_the_whole_name) {
    environment = {{"CCBT_LISTEN_PORT_TCP", "1001"}, {"CCBT_STATE_DIR", "/short"}};
    EXPECT_EQ(load().settings.network.listen_port_tcp, 1001);
    EXPECT_EQ(load().settings.daemon.state_dir, "/short");
    environment = {{"CCBT_NETWORK_LISTEN_PORT_TCP", "1002"}, {"CCBT_LISTEN_PORT_TCP", "1001"}};
    EXPECT_EQ(load().settings.network.listen_port_tcp, 1002);
}

TEST_F(config, names_the_variable_of_a_bad_value) {
    environment = {
        {"CCBT_DAEMON_IPC_PORT", "65536"},
        {"CCBT_ENABLE_DHT", "perhaps"},
        {"CCBT_LIMITS_GLOBAL_UP_KIB", "12x"}};
    EXPECT_THAT(
        problems(),
        testing::UnorderedElementsAre(
            "environment CCBT_DAEMON_IPC_PORT: daemon.ipc_port: must be between 0 and 65535, is 65536",
            "environment CCBT_ENABLE_DHT: discovery.enable_dht: must be true or false, is the string "
            "\"perhaps\"",
            "environment CCBT_LIMITS_GLOBAL_UP_KIB: limits.global_up_kib: must be a whole number, is the "
            "string \"12x\""));
}

TEST_F(config, names_variables_that_fit_no_key) {
    environment = {{"CCBT_DAEMON_IPC_PROT", "1"}, {"CCBT_SOMETHING_ELSE_ENTIRELY", "1"}, {"CCBT_XET", "1"}};
    EXPECT_THAT(
        load().warnings,
        ElementsAre(
            "environment CCBT_DAEMON_IPC_PROT: unknown, ignored; did you mean CCBT_DAEMON_IPC_PORT?",
            "environment: means nothing here, ignored: CCBT_SOMETHING_ELSE_ENTIRELY, CCBT_XET"));
}

TEST(config_keys, have_variables_of_their_own) {
    std::set<std::string> names;
    for (auto const& k : all_keys()) {
        EXPECT_TRUE(names.insert(k.variable).second) << k.variable;
        if (!k.short_variable.empty()) {
            EXPECT_TRUE(names.insert(k.short_variable).second) << k.short_variable;
        }
    }
    EXPECT_EQ(find_key("limits.global_down_kib")->variable, "CCBT_LIMITS_GLOBAL_DOWN_KIB");
    EXPECT_THAT(
        all_sections(), testing::IsSupersetOf({"network", "security", "security.ip_filter", "daemon"}));
}

TEST_F(config, refuses_flags_for_no_key_and_secrets_on_a_command_line) {
    flags = {{"limits.global_down_kb", "1"}, {"daemon.api_key", "hunter2"}, {"zzz", "1"}};
    EXPECT_THAT(
        problems(), ElementsAre(
                        "--set: limits.global_down_kb: is no key; did you mean limits.global_down_kib?",
                        "--set: daemon.api_key: does not belong on a command line: set it in the file or in "
                        "CCBT_DAEMON_API_KEY",
                        "--set: zzz: is no key"));
}

TEST_F(config, never_shows_a_secret) {
    file("[daemon]\napi_key = \"" + std::string(513, 'k') + "\"\n[proxy]\nproxy_password = 8675309\n");
    EXPECT_THAT(
        problems(), ElementsAre(
                        of_file(2, "daemon.api_key: must have at most 512 bytes"),
                        of_file(4, "proxy.proxy_password: must be a string, is a number")));
}

TEST_F(config, that_holds_a_secret_and_is_open_to_others_is_warned_of) {
    file("[daemon]\napi_key = \"secret\"\n");
    EXPECT_THAT(load().warnings, IsEmpty());
    fs::permissions(here() / "ccbt.toml", fs::perms{0644});
    EXPECT_THAT(
        load().warnings,
        ElementsAre("ccbt.toml: holds daemon.api_key and other users may read it: chmod 600 ccbt.toml"));
}

TEST_F(config, makes_paths_absolute_from_the_home_and_from_where_it_was_started) {
    file("[disk]\ndownload_path = \"~\"\nallowed_paths = [\"~/a/../b\", \"c/\", \"/d\"]\n"
         "[daemon]\nstate_dir = \"state\"\ntls_certificate_path = \"./cert.pem\"\n");
    auto const c = load();
    EXPECT_EQ(c.settings.disk.download_path, home().string());
    EXPECT_THAT(
        c.settings.disk.allowed_paths, ElementsAre((home() / "b").string(), (here() / "c").string(), "/d"));
    EXPECT_EQ(c.settings.daemon.state_dir, (here() / "state").string());
    EXPECT_EQ(c.settings.daemon.export_dir, (here() / "state/exports").string());
    EXPECT_EQ(c.settings.daemon.tls_certificate_path, (here() / "cert.pem").string());
}

TEST_F(config, refuses_paths_that_cannot_be_meant) {
    file(
        "[disk]\ndownload_path = \"\"\nallowed_paths = [\"~nobody/x\"]\n"
        "[daemon]\nunix_socket = \"" +
        std::string(107, 's') + "\"\n");
    EXPECT_THAT(
        problems(),
        ElementsAre(
            of_file(2, "disk.download_path: must name a path, is empty"),
            of_file(3, "disk.allowed_paths: \"~user\" is not expanded here: write the folder out"),
            HasSubstr("ccbt.toml:5: daemon.unix_socket: must have at most 107 bytes once it is /")));
    file("[disk]\ndownload_path = \"~/x\"\n");
    auto homeless = sources();
    homeless.home.clear();
    auto const made = load_config(homeless);
    ASSERT_FALSE(made);
    EXPECT_THAT(
        made.error().problems, Contains("ccbt.toml:2: disk.download_path: begins with ~, but there is no "
                                        "home: HOME is not set"));
}

} // namespace
} // namespace ccbt::daemon
