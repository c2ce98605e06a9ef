// TLS: what is served, what is refused, and that nothing is ever served in the clear instead.
#include "daemon_door.hpp"
#include "support/http.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct daemon_tls : testing::Test {
    temp_folder root{};
    [[nodiscard]] daemon_plan plan() const {
        return {
            .folder = root / "one", .interface = "127.0.0.4", .settings = {{"daemon.tls_enabled", "true"}}};
    }
    // As users make them.
    void make_pair(std::string const& name, std::string const& subject) const {
        auto const made = run(
            {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "2", "-subj", "/CN=" + subject, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", (root / (name + ".key")).string(), "-out", (root / (name + ".pem")).string()},
            milliseconds{20'000});
        ASSERT_EQ(made.code, 0) << made.err;
    }
    [[nodiscard]] daemon_plan with_pair(std::string const& certificate, std::string const& key) const {
        auto made = plan();
        made.settings["daemon.tls_certificate_path"] = '"' + (root / certificate).string() + '"';
        made.settings["daemon.tls_key_path"] = '"' + (root / key).string() + '"';
        return made;
    }
    [[nodiscard]] static std::string refusal_of(daemon_plan const& what) {
        try {
            door_daemon const one{what};
        } catch (std::runtime_error const& why) {
            return why.what();
        }
        return "it serves";
    }
    [[nodiscard]] static std::string subject_at(door_daemon const& one) {
        return run({"sh", "-c",
                    "openssl s_client -connect 127.0.0.1:" + one.port() +
                        " </dev/null 2>/dev/null | openssl x509 -noout -subject"},
                   milliseconds{20'000})
            .out;
    }
    [[nodiscard]] outcome cli(door_daemon const& one, std::vector<std::string> words) const {
        words.insert(words.begin(), {program("ccbt"), "--state-dir", one.state().string()});
        return run(std::move(words), milliseconds{20'000}, {"HOME=" + root.path().string()});
    }
};

TEST_F(daemon_tls, a_certificate_of_its_own_is_made_at_first_use_and_kept) {
    door_daemon one{plan()};
    EXPECT_THAT(one.url, StartsWith("https://127.0.0.1:"));
    EXPECT_EQ(one.told().text_or("url", ""), one.url);
    EXPECT_EQ(one.told().text_or("certificate", ""), one.certificate());
    struct stat is {};
    ASSERT_EQ(::stat((one.state() / "tls_key.pem").c_str(), &is), 0);
    EXPECT_EQ(is.st_mode & 07777U, 0600U);

    auto const key = "X-CCBT-API-Key: " + one.key;
    auto const said = curl({"--cacert", one.certificate(), "-H", key, one.url + "/api/v1/status"});
    EXPECT_EQ(said.status, 200) << said.err;
    EXPECT_THAT(said.body, HasSubstr(R"("ipc_url":")" + one.url + '"'));
    auto const by_name = "https://localhost:" + one.port() + "/health";
    EXPECT_EQ(curl({"--cacert", one.certificate(), by_name}).status, 200);
    EXPECT_EQ(curl({one.url + "/health"}).code, 60) << "it is no authority's";
    EXPECT_EQ(curl({"--cacert", one.certificate(), "--tls-max", "1.1", by_name}).status, 0);
    EXPECT_EQ(curl({"--cacert", one.certificate(), "--tls-max", "1.2", by_name}).status, 200);

    auto const first = read_file(one.certificate());
    EXPECT_EQ(one.terminate(), 0);
    one.start();
    EXPECT_EQ(read_file(one.certificate()), first);
    EXPECT_EQ(one.terminate(), 0);
    one.plan().settings["daemon.allowed_hosts"] = R"(["nas.example"])";
    one.start();
    EXPECT_NE(read_file(one.certificate()), first) << "a name that it lacked";
    auto const named = curl(
        {"--cacert", one.certificate(), "--resolve", "nas.example:" + one.port() + ":127.0.0.1",
         "https://nas.example:" + one.port() + "/health"});
    EXPECT_EQ(named.status, 200) << named.err;
}

TEST_F(daemon_tls, http_in_the_clear_is_told_so_and_gets_nothing) {
    door_daemon one{plan()};
    auto const said =
        curl({"-H", "X-CCBT-API-Key: " + one.key, "http://127.0.0.1:" + one.port() + "/api/v1/status"});
    EXPECT_EQ(said.status, 400);
    EXPECT_THAT(said.body, HasSubstr(R"("code":"BAD_REQUEST")"));
    EXPECT_THAT(said.body, Not(HasSubstr("uptime")));
}

TEST_F(daemon_tls, a_handshake_that_does_not_come_is_ended) {
    auto with = plan();
    with.settings["limits.header_seconds"] = "0.5";
    door_daemon one{with};
    socket const silent{"127.0.0.1", static_cast<std::uint16_t>(std::stoi(one.port()))};
    deadline const until{milliseconds{20'000}};
    EXPECT_EQ(silent.receive(until), "");
    EXPECT_FALSE(until.is_over()) << "it is closed on the silent one";
    auto const metrics = curl({"--cacert", one.certificate(), one.url + "/metrics"});
    EXPECT_THAT(metrics.body, HasSubstr(R"(ccbt_api_refused_total{code="TLS_HANDSHAKE_TIMEOUT"} 1)"));
}

TEST_F(daemon_tls, a_large_body_and_a_large_answer_go_through_and_a_refused_one_is_told) {
    door_daemon one{plan()};
    auto const key = "X-CCBT-API-Key: " + one.key;
    write_file(root / "small", R"({"ip":"203.0.113.9","reason":")" + std::string(60'000, 'r') + "\"}");
    auto const longest = curl(
        {"--cacert", one.certificate(), "-H", key, "-H", "Content-Type: application/json", "--data-binary",
         "@" + (root / "small").string(), one.url + "/api/v1/security/blacklist"});
    EXPECT_EQ(longest.status, 400) << "a reason has its own bound: " << longest.body.substr(0, 200);
    write_file(root / "large", std::string(std::size_t{3} << 20, ' ') + "{}");
    auto const refused = curl(
        {"--cacert", one.certificate(), "-H", key, "-H", "Content-Type: application/json", "-H", "Expect:",
         "--data-binary", "@" + (root / "large").string(), one.url + "/api/v1/torrents/batch/pause"});
    EXPECT_EQ(refused.status, 413) << refused.err;
    EXPECT_THAT(refused.body, HasSubstr("BODY_TOO_LARGE"));
    auto const document = curl({"--cacert", one.certificate(), one.url + "/openapi.json"});
    EXPECT_EQ(document.status, 200);
    EXPECT_TRUE(wire::parse(document.body, {.depth = 64, .elements = 10'000'000, .string_bytes = 1 << 24}));
}

TEST_F(daemon_tls, the_user_s_pair_is_served_and_read_again_at_sighup_and_a_bad_one_changes_nothing) {
    make_pair("first", "first");
    make_pair("second", "second");
    door_daemon one{with_pair("first.pem", "first.key")};
    EXPECT_THAT(subject_at(one), HasSubstr("CN = first"));
    EXPECT_FALSE(fs::exists(one.certificate())) << "none of its own is made";
    EXPECT_EQ(curl({"--cacert", (root / "first.pem").string(), one.url + "/health"}).status, 200);

    fs::copy_file(root / "second.pem", root / "first.pem", fs::copy_options::overwrite_existing);
    one.running().signal(SIGHUP); // the key does not fit yet
    EXPECT_TRUE(one.logs("the certificate in force stays: daemon.tls_key_path"));
    EXPECT_THAT(subject_at(one), HasSubstr("CN = first"));
    fs::copy_file(root / "second.key", root / "first.key", fs::copy_options::overwrite_existing);
    one.running().signal(SIGHUP);
    EXPECT_TRUE(one.logs("the certificate was read again"));
    EXPECT_THAT(subject_at(one), HasSubstr("CN = second"));
}

TEST_F(daemon_tls, fails_closed_and_names_the_key) {
    make_pair("good", "good");
    make_pair("other", "other");
    write_file(root / "rubbish", "no PEM");
    struct trial {
        std::string certificate, key, named;
    };
    for (auto const& [certificate, key, named] :
         {trial{"missing", "good.key", "daemon.tls_certificate_path"},
          trial{"rubbish", "good.key", "daemon.tls_certificate_path"},
          trial{"good.pem", "missing", "daemon.tls_key_path"},
          trial{"good.pem", "rubbish", "daemon.tls_key_path"},
          trial{"good.pem", "other.key", "daemon.tls_key_path"}}) {
        auto const why = refusal_of(with_pair(certificate, key));
        EXPECT_THAT(why, HasSubstr("exit 78")) << certificate << ' ' << key;
        EXPECT_THAT(why, HasSubstr(named)) << certificate << ' ' << key;
    }
    auto half = plan();
    half.settings["daemon.tls_certificate_path"] = '"' + (root / "good.pem").string() + '"';
    EXPECT_THAT(refusal_of(half), HasSubstr("daemon.tls_key_path"));
    auto insecure = plan();
    insecure.settings["daemon.tls_enabled"] = "false";
    insecure.settings["daemon.ipc_host"] = "\"0.0.0.0\"";
    EXPECT_THAT(refusal_of(insecure), HasSubstr("daemon.allow_insecure_bind"));
}

TEST_F(daemon_tls, beyond_loopback_it_serves_with_tls) {
    auto with = plan();
    with.settings["daemon.ipc_host"] = "\"0.0.0.0\"";
    door_daemon one{with};
    EXPECT_EQ(curl({"--cacert", one.certificate(), one.url + "/health"}).status, 200);
    EXPECT_EQ(curl({"--cacert", one.certificate(), one.url + "/metrics"}).status, 401)
        << "not on loopback alone";
}

TEST_F(daemon_tls, the_command_line_trusts_the_daemon_of_this_machine_and_no_other) {
    auto with = plan();
    with.settings["daemon.unix_socket"] = "\"none\"";
    door_daemon one{with};
    auto const found = cli(one, {"--json", "status"});
    EXPECT_EQ(found.code, 0) << found.err;
    EXPECT_THAT(found.out, HasSubstr(one.url));
    auto const by_ca =
        run({program("ccbt"), "--url", one.url, "--api-key", one.key, "--ca", one.certificate(), "--json",
             "status"},
            milliseconds{20'000}, {"HOME=" + root.path().string()});
    EXPECT_EQ(by_ca.code, 0) << by_ca.err;
    auto const by_faith =
        run({program("ccbt"), "--url", one.url, "--api-key", one.key, "status"}, milliseconds{20'000},
            {"HOME=" + root.path().string()});
    EXPECT_EQ(by_faith.code, 4);
    EXPECT_THAT(by_faith.err, HasSubstr("is not trusted"));

    make_pair("impostor", "impostor");
    fs::copy_file(root / "impostor.pem", one.certificate(), fs::copy_options::overwrite_existing);
    auto const refused = cli(one, {"--json", "status"});
    EXPECT_EQ(refused.code, 4);
    EXPECT_THAT(refused.err, HasSubstr("another certificate"));
}

TEST_F(daemon_tls, events_come_over_wss) {
    auto with = plan();
    with.settings["daemon.unix_socket"] = "\"none\"";
    door_daemon one{with};
    process watch{
        {.argv = {program("ccbt"), "--state-dir", one.state().string(), "--json", "watch"},
         .env = {"HOME=" + root.path().string()},
         .log = root / "watch.log"}};
    auto const key = "X-CCBT-API-Key: " + one.key;
    ASSERT_TRUE(eventually(milliseconds{20'000}, [&] {
        return curl({"--cacert", one.certificate(), one.url + "/metrics"})
                   .body.find("ccbt_event_watchers 1") != std::string::npos;
    })) << watch.log_text();
    auto const added = curl(
        {"--cacert", one.certificate(), "-H", key, "-H", "Content-Type: application/json", "-d",
         R"({"path_or_magnet":"magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567"})",
         one.url + "/api/v1/torrents/add"});
    ASSERT_EQ(added.status, 200) << added.body;
    deadline const until{milliseconds{20'000}};
    std::string seen;
    while (auto const line = watch.next_line(until)) {
        seen += *line + '\n';
        if (line->find("torrent_added") != std::string::npos) break;
    }
    EXPECT_THAT(seen, HasSubstr("torrent_added")) << watch.log_text();
}

} // namespace

} // namespace ccbt::support
