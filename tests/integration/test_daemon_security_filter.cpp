// The IP filter as peers meet it: a real daemon, real connections from and to several loopback addresses, real files
// and web servers.
#include "client/client.hpp"
#include "support/bt_peer.hpp"
#include "support/daemon.hpp"
#include "support/list_server.hpp"
#include "support/temp_folder.hpp"
#include "support/tracker.hpp"

#include <csignal>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr auto here = "127.0.0.2";
constexpr auto listed = "127.0.0.8", other = "127.0.0.9";

struct daemon_security_filter : testing::Test {
    temp_folder root{};
    fs::path const list = root / "list.p2p";
    std::uint16_t const port = free_port(here);
    torrent what{};
    std::unique_ptr<daemon> one{};

    /// TOML of a list.
    static std::string texts(std::vector<std::string> const& items) {
        std::string out = "[";
        for (auto const& item : items) out += (out.size() == 1 ? "\"" : ", \"") + item + '"';
        return out + ']';
    }
    daemon_plan plan(std::map<std::string, std::string> settings = {}) {
        daemon_plan made{.folder = root / "one", .interface = here, .settings = std::move(settings)};
        made.settings.try_emplace("security.ip_filter.enable_ip_filter", "true");
        made.settings.try_emplace("security.ip_filter.filter_files", texts({list.string()}));
        made.settings.try_emplace(
            "security.ip_filter.filter_cache_dir", '"' + (root / "cache").string() + '"');
        made.settings["network.listen_port_tcp"] = std::to_string(port);
        made.env = {"no_proxy=*"};
        return made;
    }
    daemon& start(std::map<std::string, std::string> settings = {}) {
        one = std::make_unique<daemon>(plan(std::move(settings)));
        return *one;
    }
    /// Of URLs alone.
    daemon& start_with_url(std::string const& url, std::vector<std::string> env = {}) {
        auto made = plan(
            {{"security.ip_filter.filter_files", "[]"}, {"security.ip_filter.filter_urls", texts({url})}});
        made.env.insert(made.env.end(), env.begin(), env.end());
        one = std::make_unique<daemon>(std::move(made));
        return *one;
    }
    /// The daemon has a torrent that it lacks the data of.
    void add_torrent(std::vector<std::string> const& trackers = {}) {
        make_file(root / "data", 200'000, 7);
        what = make_torrent(root / "data", {.trackers = trackers});
        one->add(what);
        one->wait_for(what.hash(), [](value const& row) { return state_of(row) == "downloading"; });
    }
    [[nodiscard]] bool takes_in_from(std::string const& from) const {
        try {
            return bt_peer{from, here, port, what.hash()}.is_let_in();
        } catch (std::system_error const&) {
            return false; // nobody listens
        }
    }
    [[nodiscard]] answer load() const { return one->post("/security/ip-filter/load"); }
    [[nodiscard]] value stats() const { return one->get("/security/ip-filter/stats").json; }
    [[nodiscard]] double stat(std::string_view name) const {
        return stats().find("stats")->number_or(name, -1);
    }
    /// Counters come once a second.
    [[nodiscard]] bool comes_to(std::string_view name, double at_least) const {
        return eventually(milliseconds{10'000}, [&] { return stat(name) >= at_least; });
    }
};

double rules_of(answer const& said) { return said.json.number_or("rules", -1); }

TEST_F(daemon_security_filter, refuses_who_is_listed_in_both_directions_and_counts_them) {
    write_file(
        list, fmt::format(
                  "# a list\nsomebody:{}-{}\nnonsense\n127.0.0.64/26\n127.0.0.100\n2001:db8::/32\n", listed,
                  listed));
    tracker announce{root / "tracker"};
    start();
    make_file(root / "data", 200'000, 7);
    auto const hash = make_torrent(root / "data", {.trackers = {announce.http()}}).hash();
    announce.let_in({hash});
    bt_listener const bad{listed}, bad_too{"127.0.0.70"}, good{other};
    announce.announce(hash, listed, bad.port());
    announce.announce(hash, "127.0.0.70", bad_too.port());
    announce.announce(hash, other, good.port());
    announce.wait_for_peers(hash, 3);
    add_torrent({announce.http()});

    EXPECT_TRUE(good.is_dialled(milliseconds{20'000}));
    EXPECT_FALSE(bad.is_dialled(milliseconds{1'000}));
    EXPECT_FALSE(bad_too.is_dialled(milliseconds{0}));
    EXPECT_TRUE(comes_to("blocks", 2)) << "what is not dialled is refused too";
    auto const before = stats();
    EXPECT_TRUE(before.find("enabled")->get_if<bool>() != nullptr && *before.find("enabled")->get_if<bool>());
    EXPECT_EQ(before.number_or("total_rules", -1), 4);
    EXPECT_EQ(before.find("stats")->number_or("total_rules", -1), 4);
    EXPECT_EQ(before.find("stats")->number_or("ipv4_ranges", -1), 2) << "merged";
    EXPECT_EQ(before.find("stats")->number_or("ipv6_ranges", -1), 1);
    EXPECT_GT(before.find("stats")->number_or("last_update", -1), 1.6e9);

    auto const blocks = stat("blocks"), allows = stat("allows");
    EXPECT_FALSE(takes_in_from(listed));
    EXPECT_FALSE(takes_in_from("127.0.0.127"));
    EXPECT_TRUE(takes_in_from(other));
    EXPECT_TRUE(takes_in_from("127.0.0.128")) << "the first behind the block";
    EXPECT_TRUE(comes_to("blocks", blocks + 2));
    EXPECT_TRUE(comes_to("allows", allows + 2));
    auto const after = stats();
    EXPECT_EQ(after.number_or("blocked_count", -1), after.find("stats")->number_or("blocks", -2));
    EXPECT_EQ(after.number_or("allowed_count", -1), after.find("stats")->number_or("allows", -2));
    EXPECT_EQ(after.find("stats")->number_or("matches", -1), after.find("stats")->number_or("blocks", -2));
}

TEST_F(daemon_security_filter, in_mode_allow_only_who_is_listed_gets_through) {
    write_file(list, fmt::format("{}\n127.0.0.1\n", listed));
    start({{"security.ip_filter.filter_mode", "\"allow\""}});
    add_torrent();
    EXPECT_TRUE(takes_in_from(listed));
    EXPECT_FALSE(takes_in_from(other));
    EXPECT_TRUE(comes_to("blocks", 1));
    EXPECT_TRUE(comes_to("allows", 1));
    auto const now = stats();
    EXPECT_EQ(now.find("stats")->number_or("matches", -1), now.find("stats")->number_or("allows", -2));
    EXPECT_EQ(now.find("stats")->number_or("ipv4_ranges", -1), 2) << "what is listed, not its complement";
}

TEST_F(daemon_security_filter, who_is_whitelisted_passes_and_the_blacklist_stays_beside_the_filter) {
    write_file(list, "127.0.0.8-127.0.0.15\n");
    start();
    add_torrent();
    EXPECT_FALSE(takes_in_from(listed));
    ASSERT_EQ(one->post("/security/whitelist", fmt::format(R"({{"ip":"{}"}})", listed)).status, 200);
    EXPECT_TRUE(takes_in_from(listed));
    EXPECT_FALSE(takes_in_from(other));
    ASSERT_EQ(load().status, 200);
    EXPECT_TRUE(takes_in_from(listed)) << "a load keeps it";
    ASSERT_EQ(one->post("/security/blacklist", R"({"ip":"127.0.0.20"})").status, 200);
    EXPECT_FALSE(takes_in_from("127.0.0.20"));
    ASSERT_EQ(load().status, 200);
    EXPECT_FALSE(takes_in_from("127.0.0.20"));
    EXPECT_TRUE(takes_in_from("127.0.0.21"));
    ASSERT_EQ(one->del(fmt::format("/security/whitelist/{}", listed)).status, 200);
    EXPECT_FALSE(takes_in_from(listed));
}

TEST_F(daemon_security_filter, a_load_swaps_the_whole_filter_and_cuts_who_is_listed_now) {
    write_file(list, fmt::format("{}\n", listed));
    start();
    add_torrent();
    auto told = one->events({"security_ip_filter_loaded"});
    bt_peer connected{other, here, port, what.hash()};
    ASSERT_TRUE(connected.is_let_in());
    write_file(list, fmt::format("{}\n127.0.0.10\nbad\n\nworse\n", other));
    auto const said = load();
    EXPECT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.json.find("loaded")->get_if<bool>() != nullptr, true);
    EXPECT_EQ(rules_of(said), 2);
    EXPECT_EQ(said.json.number_or("error_count", -1), 2);
    auto const errors = said.json.list_or_empty("errors");
    ASSERT_EQ(errors.size(), 2U) << said.body;
    EXPECT_EQ(errors[0].text_or("file", ""), list.string());
    EXPECT_EQ(errors[0].number_or("line", 0), 3);
    EXPECT_EQ(errors[1].number_or("line", 0), 5);
    EXPECT_TRUE(connected.is_cut(milliseconds{1'000}));
    EXPECT_FALSE(takes_in_from(other));
    EXPECT_TRUE(takes_in_from(listed));
    told.wait_for(
        "security_ip_filter_loaded", [](value const& data) { return data.number_or("rules", -1) == 2; });
}

TEST_F(daemon_security_filter, what_cannot_be_loaded_leaves_the_filter_in_force) {
    auto const second = root / "second.dat";
    write_file(list, fmt::format("{}\n", listed));
    write_file(second, "127.0.0.20\n");
    start({{"security.ip_filter.filter_files", texts({list.string(), second.string()})}});
    add_torrent();
    auto const stays = [&] {
        EXPECT_FALSE(takes_in_from(listed));
        EXPECT_TRUE(takes_in_from(other));
        EXPECT_EQ(stat("total_rules"), 2);
    };
    write_file(list, fmt::format("{}\n", other));
    fs::remove(second);
    auto const missing = load();
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(missing.code(), "SECURITY_ERROR");
    EXPECT_EQ(missing.json.find("details")->text_or("file", ""), second.string());
    stays();
    for (std::string const& bytes :
         {std::string{"# nothing\nnonsense\n"}, std::string{}, std::string{"\x1f\x8b\x08 cut"},
          std::string{"BZh9 not"}}) {
        write_file(second, bytes);
        auto const unusable = load();
        EXPECT_EQ(unusable.status, 422) << unusable.body;
        EXPECT_EQ(unusable.code(), "SECURITY_ERROR");
        EXPECT_EQ(unusable.json.find("details")->text_or("file", ""), second.string());
        stays();
    }
    fs::remove(second);
    ASSERT_EQ(::mkfifo(second.c_str(), 0600), 0);
    EXPECT_EQ(load().status, 422) << "and it does not wait for somebody to write";
    stays();
    fs::remove(second);
    write_file(second, "127.0.0.30\n127.0.0.31\n");
    EXPECT_EQ(rules_of(load()), 3);
    EXPECT_TRUE(takes_in_from(listed));
    EXPECT_FALSE(takes_in_from(other));
}

TEST_F(daemon_security_filter, a_signal_reads_the_files_again_and_the_settings_that_changed) {
    write_file(list, fmt::format("{}\n", listed));
    start();
    add_torrent();
    auto told = one->events({"security_ip_filter_loaded"});
    write_file(list, fmt::format("{}\n127.0.0.20\n", other));
    one->running().signal(SIGHUP);
    told.wait_for(
        "security_ip_filter_loaded", [](value const& data) { return data.number_or("rules", -1) == 2; });
    EXPECT_FALSE(takes_in_from(other));
    EXPECT_TRUE(takes_in_from(listed));

    one->plan().settings["security.ip_filter.filter_mode"] = "\"allow\"";
    write_file(one->config_file(), configuration(one->plan()));
    one->running().signal(SIGHUP);
    told.wait_for("security_ip_filter_loaded", [](value const&) { return true; });
    EXPECT_TRUE(takes_in_from(other));
    EXPECT_FALSE(takes_in_from(listed));

    one->plan().settings["security.ip_filter.enable_ip_filter"] = "false";
    write_file(one->config_file(), configuration(one->plan()));
    one->running().signal(SIGHUP);
    EXPECT_TRUE(eventually(milliseconds{10'000}, [&] { return takes_in_from(listed); }));
    EXPECT_EQ(stat("total_rules"), 0);
}

TEST_F(daemon_security_filter, switched_off_it_blocks_nobody_and_answers_zeros) {
    write_file(list, fmt::format("{}\n", listed));
    start({{"security.ip_filter.enable_ip_filter", "false"}});
    add_torrent();
    auto const said = load();
    EXPECT_EQ(said.status, 200);
    EXPECT_EQ(rules_of(said), 0);
    EXPECT_EQ(said.json.number_or("error_count", -1), 0);
    EXPECT_TRUE(takes_in_from(listed));
    EXPECT_EQ(
        one->get("/security/ip-filter/stats").body,
        R"({"enabled":false,"total_rules":0,"blocked_count":0,"allowed_count":0,)"
        R"("stats":{"total_rules":0,"ipv4_ranges":0,"ipv6_ranges":0,"matches":0,"blocks":0,"allows":0,"last_update":null}})");
}

TEST_F(daemon_security_filter, is_in_force_before_the_port_opens_after_a_restart_and_a_kill) {
    std::string many = fmt::format("{}\n", listed);
    for (unsigned i = 0; i < 150'000; ++i)
        many += fmt::format("many:10.{}.{}.0-10.{}.{}.99\n", i >> 8 & 255, i & 255, i >> 8 & 255, i & 255);
    write_file(list, many);
    start();
    add_torrent();
    ASSERT_FALSE(takes_in_from(listed));
    for (bool const killed : {false, true}) {
        if (killed)
            one->kill9();
        else
            ASSERT_EQ(one->terminate(), 0);
        one->start();
        // From before the port is open until the daemon takes peers in.
        bool slipped = false;
        EXPECT_TRUE(eventually(milliseconds{20'000}, [&] {
            slipped = slipped || takes_in_from(listed);
            return takes_in_from(other);
        }));
        EXPECT_FALSE(slipped);
        EXPECT_EQ(stat("total_rules"), 150'001);
    }
}

TEST_F(daemon_security_filter, a_start_without_its_files_runs_on_the_last_good_filter_and_says_so) {
    write_file(list, fmt::format("{}\n", listed));
    start();
    add_torrent();
    ASSERT_EQ(one->terminate(), 0);
    fs::remove(list);
    one->start();
    EXPECT_TRUE(eventually(milliseconds{20'000}, [&] { return takes_in_from(other); }));
    EXPECT_FALSE(takes_in_from(listed));
    EXPECT_EQ(stat("total_rules"), 1);
    EXPECT_THAT(one->log(), HasSubstr("the last good IP filter is in force: 1 rules"));
    EXPECT_EQ(load().status, 404);
    EXPECT_FALSE(takes_in_from(listed));
    struct stat is {};
    ASSERT_EQ(::stat((one->state() / "ip_filter.last").c_str(), &is), 0);
    EXPECT_EQ(is.st_mode & 07777U, 0600U);
}

TEST_F(
    daemon_security_filter,
    a_first_start_without_its_files_says_that_no_filter_is_in_force_or_lets_nobody_in) {
    start();
    add_torrent();
    EXPECT_TRUE(takes_in_from(listed));
    EXPECT_THAT(one->log(), HasSubstr("NO IP FILTER IS IN FORCE"));
    auto const now = stats();
    EXPECT_TRUE(*now.find("enabled")->get_if<bool>());
    EXPECT_TRUE(now.find("stats")->find("last_update")->is_null());
    ASSERT_EQ(one->terminate(), 0);
    one->plan().settings["security.ip_filter.filter_mode"] = "\"allow\"";
    one->start();
    one->wait_for(what.hash(), [](value const& row) { return state_of(row) == "downloading"; });
    EXPECT_TRUE(eventually(milliseconds{20'000}, [&] { return somebody_listens(here, port); }));
    EXPECT_FALSE(takes_in_from(listed));
    EXPECT_THAT(one->log(), HasSubstr("mode allow: no peer is let through"));
}

TEST_F(daemon_security_filter, long_loads_tell_their_progress_and_one_at_a_time_they_all_answer) {
    std::string many;
    for (unsigned i = 0; i < 1'200'000; ++i)
        many += fmt::format(
            "somebody, number {}:{}.{}.{}.0-{}.{}.{}.99\n", i, 11 + (i >> 16), i >> 8 & 255, i & 255,
            11 + (i >> 16), i >> 8 & 255, i & 255);
    write_file(list, "1.2.3.4\n");
    start();
    auto told = one->events({"progress_updated", "security_ip_filter_loaded"});
    // What is over within half a second is not told of: packed like this it takes more than twice that to read.
    write_file(root / "many", many);
    ASSERT_EQ(run({"bzip2", "-1", (root / "many").string()}, milliseconds{60'000}).code, 0);
    std::filesystem::rename(root / "many.bz2", list);
    auto const bytes = static_cast<double>(std::filesystem::file_size(list));
    auto const said = load();
    EXPECT_EQ(said.status, 200);
    EXPECT_EQ(rules_of(said), 1'200'000);
    told.wait_for("progress_updated", [&](value const& data) {
        EXPECT_EQ(data.text_or("what", ""), "ip_filter");
        return data.number_or("total", -1) == bytes && data.number_or("done", -1) > 0;
    });
    EXPECT_EQ(stat("ipv4_ranges"), 1'200'000);
    auto const still = one->get("/status");
    EXPECT_EQ(still.status, 200);
}

// ---- URLs

TEST_F(daemon_security_filter, a_url_is_fetched_kept_and_asked_for_again_by_its_etag) {
    list_server web{root / "web"};
    web.put("list", fmt::format("{}\n", listed));
    start_with_url(web.url("/list"));
    add_torrent();
    EXPECT_FALSE(takes_in_from(listed)) << "fetched before the port opened: there was no earlier filter";
    EXPECT_THAT(web.requests(), testing::MatchesRegex("/list - 200\n"));
    ASSERT_EQ(load().status, 200);
    EXPECT_THAT(web.requests(), testing::MatchesRegex("/list - 200\n/list \"[0-9a-f]+\" 304\n"));
    EXPECT_FALSE(takes_in_from(listed));
    web.put("list", fmt::format("{}\n127.0.0.20\n", other));
    EXPECT_EQ(rules_of(load()), 2);
    EXPECT_TRUE(takes_in_from(listed));
    EXPECT_FALSE(takes_in_from(other));

    web.stop();
    auto const degraded = load();
    EXPECT_EQ(degraded.status, 200) << "its last good copy stands in";
    EXPECT_EQ(rules_of(degraded), 2);
    EXPECT_THAT(one->log(), HasSubstr("the last good copy is used"));
    ASSERT_EQ(one->terminate(), 0);
    fs::remove(one->state() / "ip_filter.last");
    one->start();
    EXPECT_TRUE(eventually(milliseconds{20'000}, [&] { return takes_in_from(listed); }));
    EXPECT_FALSE(takes_in_from(other)) << "from the cache, without a network";
}

TEST_F(daemon_security_filter, a_copy_older_than_the_interval_is_renewed_behind_the_start) {
    list_server web{root / "web"};
    web.put("list", fmt::format("{}\n", listed));
    start_with_url(web.url("/list"));
    ASSERT_TRUE(comes_to("total_rules", 1));
    ASSERT_EQ(one->terminate(), 0);
    for (auto const& entry : fs::directory_iterator{root / "cache"})
        if (entry.path().extension() == ".note") {
            auto const note = read_file(entry.path());
            write_file(entry.path(), "1000000000" + note.substr(note.find('\n')));
        }
    web.put("list", "127.0.0.20\n127.0.0.21\n127.0.0.22\n");
    one->start();
    EXPECT_TRUE(comes_to("total_rules", 3));
}

TEST_F(daemon_security_filter, what_a_server_sends_wrong_is_not_taken_and_not_kept) {
    list_server web{root / "web"};
    web.put("list", "127.0.0.20\n");
    std::string const zeros(std::size_t{40} << 20, '\n');
    write_file(root / "zeros", zeros);
    ASSERT_EQ(run({"xz", "-1", (root / "zeros").string()}, milliseconds{30'000}).code, 0);
    web.put("bomb", read_file(root / "zeros.xz"));
    write_file(list, fmt::format("{}\n", listed));
    start();
    add_torrent();
    for (auto const* path : {"/none", "/broken", "/to-file", "/page", "/cut", "/bomb", "/huge", "/endless"}) {
        one->plan().settings["security.ip_filter.filter_urls"] = texts({web.url(path)});
        write_file(one->config_file(), configuration(one->plan()));
        auto told = one->events({"config_updated"});
        one->running().signal(SIGHUP);
        told.wait_for("config_updated", [](value const&) { return true; });
        auto const said = load();
        EXPECT_EQ(said.status, 404) << path << said.body;
        EXPECT_EQ(said.code(), "SECURITY_ERROR");
        EXPECT_EQ(said.json.find("details")->text_or("file", ""), web.url(path));
        EXPECT_FALSE(takes_in_from(listed));
        EXPECT_EQ(stat("total_rules"), 1);
        for (auto const& entry : fs::directory_iterator{root / "cache"}) ADD_FAILURE() << entry.path();
    }
    one->plan().settings["security.ip_filter.filter_urls"] = texts({web.url("/to-list")});
    write_file(one->config_file(), configuration(one->plan()));
    one->running().signal(SIGHUP);
    EXPECT_TRUE(comes_to("total_rules", 2)) << "a redirect that stays with http is followed";
}

TEST_F(daemon_security_filter, a_certificate_is_verified) {
    list_server web{root / "web", true};
    web.put("list", fmt::format("{}\n", listed));
    start_with_url(web.url("/list"), {"SSL_CERT_FILE=", "CURL_CA_BUNDLE="});
    auto const refused = load();
    EXPECT_EQ(refused.status, 404) << refused.body;
    EXPECT_EQ(web.requests(), "");
    EXPECT_EQ(one->terminate(), 0);
    for (std::string const name : {"SSL_CERT_FILE=", "CURL_CA_BUNDLE="}) {
        auto const other_name = name == "SSL_CERT_FILE=" ? "CURL_CA_BUNDLE=" : "SSL_CERT_FILE=";
        start_with_url(web.url("/list"), {other_name, name + web.authority().string()});
        EXPECT_EQ(rules_of(load()), 1) << name;
        EXPECT_EQ(one->terminate(), 0);
    }
}

TEST_F(daemon_security_filter, secrets_in_a_url_are_shown_nowhere) {
    list_server web{root / "web"};
    auto url = web.url("/none?pin=verysecret");
    url.insert(7, "user:topsecret@");
    start_with_url(url);
    auto const said = load();
    EXPECT_EQ(said.status, 404);
    EXPECT_EQ(said.json.find("details")->text_or("file", ""), web.url("/none"));
    EXPECT_THAT(said.body, Not(HasSubstr("secret")));
    EXPECT_THAT(web.requests(), HasSubstr("/none?pin=verysecret")) << "it was asked with it";
    EXPECT_THAT(one->log(), Not(HasSubstr("secret")));
    EXPECT_THAT(one->log(), HasSubstr(web.url("/none")));
}

TEST_F(daemon_security_filter, a_url_is_asked_through_the_proxy_where_there_is_one) {
    list_server proxy{root / "web"};
    proxy.put("list", fmt::format("{}\n", listed));
    start(
        {{"security.ip_filter.filter_files", "[]"},
         {"security.ip_filter.filter_urls", texts({"http://lists.invalid/list"})},
         {"proxy.enable_proxy", "true"},
         {"proxy.proxy_type", "\"http\""},
         {"proxy.proxy_host", "\"127.0.0.1\""},
         {"proxy.proxy_port", std::to_string(proxy.port())}});
    EXPECT_EQ(rules_of(load()), 1);
    EXPECT_THAT(proxy.requests(), HasSubstr("http://lists.invalid/list - 200"));
}

TEST_F(daemon_security_filter, a_server_that_never_ends_does_not_hold_the_daemon_up) {
    list_server web{root / "web"};
    write_file(list, fmt::format("{}\n", listed));
    web.put("list", "127.0.0.20\n");
    start();
    one->plan().settings["security.ip_filter.filter_urls"] = texts({web.url("/slow")});
    write_file(one->config_file(), configuration(one->plan()));
    one->running().signal(SIGHUP);
    EXPECT_TRUE(
        eventually(milliseconds{10'000}, [&] { return web.requests().find("/slow") != std::string::npos; }));
    EXPECT_EQ(one->get("/status").status, 200);
    EXPECT_EQ(one->terminate(milliseconds{6'000}), 0);
}

// ---- the log, the client, the command line

TEST_F(daemon_security_filter, refused_peers_are_logged_a_bounded_number_a_minute_where_that_is_asked_for) {
    write_file(list, fmt::format("{}\n", listed));
    start();
    add_torrent();
    for (int i = 0; i < 40; ++i) EXPECT_FALSE(takes_in_from(listed));
    ASSERT_TRUE(comes_to("blocks", 40));
    auto const count = [&] {
        std::size_t n = 0;
        auto const log = one->log();
        for (auto at = log.find("refused a peer at"); at != std::string::npos;
             at = log.find("refused a peer at", at + 1))
            ++n;
        return n;
    };
    EXPECT_EQ(count(), 20U);
    EXPECT_THAT(one->log(), HasSubstr(fmt::format("refused a peer at {}", listed)));
    ASSERT_EQ(one->terminate(), 0);
    fs::remove(root / "one" / "log");
    one->plan().settings["security.ip_filter.filter_log_blocked"] = "false";
    one->start();
    EXPECT_TRUE(eventually(milliseconds{20'000}, [&] { return takes_in_from(other); }));
    EXPECT_FALSE(takes_in_from(listed));
    ASSERT_TRUE(comes_to("blocks", 1));
    EXPECT_EQ(count(), 0U);
}

TEST_F(daemon_security_filter, the_client_and_the_command_line_load_it_and_show_what_it_holds) {
    write_file(list, fmt::format("{}\nnonsense\n", listed));
    start();
    client::client ask{{.url = one->url(), .api_key = one->key()}};
    auto const loaded = ask.load_ip_filter();
    ASSERT_TRUE(loaded);
    EXPECT_TRUE(loaded->loaded);
    EXPECT_EQ(loaded->rules, 1);
    EXPECT_EQ(loaded->error_count, 1);
    ASSERT_EQ(loaded->errors.size(), 1U);
    EXPECT_EQ(loaded->errors[0].line, 2);
    auto const held = ask.get_ip_filter_stats();
    ASSERT_TRUE(held);
    EXPECT_TRUE(held->enabled);
    EXPECT_EQ(held->stats.ipv4_ranges, 1);
    EXPECT_GT(held->stats.last_update.value_or(0), 1.6e9);

    auto const cli = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {program("ccbt"), "--url", one->url()});
        return run(
            words, milliseconds{20'000}, {"CCBT_API_KEY=" + one->key(), "HOME=" + root.path().string()},
            root.path());
    };
    auto const load_said = cli({"filter", "load"});
    EXPECT_EQ(load_said.code, 0) << load_said.err;
    EXPECT_THAT(load_said.out, HasSubstr("rules:       1"));
    EXPECT_THAT(load_said.out, HasSubstr(list.string()));
    auto const stats_said = cli({"filter", "stats"});
    EXPECT_EQ(stats_said.code, 0);
    EXPECT_THAT(stats_said.out, HasSubstr("ipv4_ranges: 1"));
    EXPECT_THAT(stats_said.out, testing::ContainsRegex("last_update: 20[0-9][0-9]-"));
    fs::remove(list);
    auto const failed = ask.load_ip_filter();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().status, 404);
    EXPECT_EQ(failed.error().code, "SECURITY_ERROR");
    auto const failed_said = cli({"filter", "load"});
    EXPECT_NE(failed_said.code, 0);
    EXPECT_THAT(failed_said.err, HasSubstr("is not there"));
}

} // namespace

} // namespace ccbt::support
