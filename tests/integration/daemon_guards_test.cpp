// What broke daemons of this kind before, at the door of a real one: pages of other sites, guessed keys, requests framed
// two ways, who sends slowly, who never reads, bombs. tests/faults/mutants.sh runs these with each guard switched off.
#include "daemon_door.hpp"
#include "support/daemon.hpp"
#include "support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::support {

namespace {

std::string const status = "/api/v1/status", blacklist = "/api/v1/security/blacklist";

struct daemon_guards : testing::Test {
    temp_folder root{};
    std::unique_ptr<daemon> one;

    void start(std::map<std::string, std::string> settings = {}) {
        one = std::make_unique<daemon>(
            daemon_plan{.folder = root / "one", .interface = "127.0.0.11", .settings = std::move(settings)});
    }
    [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(one->port()); }
    /// A head with the right key: what is refused of it is refused for something else.
    [[nodiscard]] std::string head(
        std::string const& line, std::string const& host_name, std::string const& more = {}) const {
        return line + " HTTP/1.1\r\nHost: " + host_name + "\r\nX-CCBT-API-Key: " + one->key() + "\r\n" +
               more + "\r\n";
    }
    [[nodiscard]] std::string said_to(std::string const& bytes) const {
        http_connection line{"127.0.0.1", one->port()};
        line.send(bytes);
        auto const said = line.receive(milliseconds{10'000});
        return said.code().empty() ? std::to_string(said.status)
                                   : std::to_string(said.status) + ' ' + said.code();
    }
    [[nodiscard]] std::string ips() const {
        return wire::to_text(*one->get("/security/blacklist").json.find("ips"));
    }
};

std::string const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

TEST_F(daemon_guards, a_name_that_was_rebound_to_this_machine_is_421_with_the_right_key) {
    start();
    auto const port = std::to_string(one->port());
    EXPECT_EQ(said_to(head("GET " + status, host())), "200");
    EXPECT_EQ(said_to(head("GET " + status, "evil.example:" + port)), "421 HOST_NOT_ALLOWED");
    EXPECT_EQ(said_to(head("GET " + status, "127.0.0.1.evil.example:" + port)), "421 HOST_NOT_ALLOWED");
    EXPECT_EQ(said_to(head("GET /api/v1/events", "evil.example:" + port, upgrade)), "421 HOST_NOT_ALLOWED");
}

TEST_F(daemon_guards, the_host_in_the_target_counts_and_not_the_header_beside_it) {
    start();
    EXPECT_EQ(said_to(head("GET http://evil.example" + status, host())), "421 HOST_NOT_ALLOWED");
    EXPECT_EQ(said_to(head("GET http://" + host() + status, host())), "200");
}

TEST_F(daemon_guards, a_page_of_another_origin_is_403_and_opens_no_websocket) {
    start();
    for (std::string const origin : {"http://evil.example", "null", "http://127.0.0.1:1"}) {
        auto const more = "Origin: " + origin + "\r\n";
        EXPECT_EQ(said_to(head("GET " + status, host(), more)), "403 ORIGIN_NOT_ALLOWED") << origin;
        EXPECT_EQ(said_to(head("GET /api/v1/events", host(), more + upgrade)), "403 ORIGIN_NOT_ALLOWED")
            << origin;
    }
    auto const own = "Origin: http://" + host() + "\r\n";
    EXPECT_EQ(said_to(head("GET " + status, host(), own)), "200");
    EXPECT_EQ(said_to(head("GET /api/v1/events", host(), own + upgrade)), "101");
}

TEST_F(daemon_guards, what_a_form_sends_without_asking_is_415_and_changes_nothing) {
    start();
    std::string const body = R"({"ip":"203.0.113.1"})";
    for (std::string const type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"})
        EXPECT_EQ(
            said_to(
                head("POST " + blacklist, host(), "Content-Type: " + type + "\r\nContent-Length: 20\r\n") +
                body),
            "415 UNSUPPORTED_MEDIA_TYPE")
            << type;
    EXPECT_EQ(ips(), "[]");
}

TEST_F(daemon_guards, the_beginning_of_a_key_is_no_key) {
    start();
    auto const with = [&](std::string const& key) {
        http_connection line{"127.0.0.1", one->port(), "127.3.0.1"};
        return line.ask("GET", status, {{"Host", host()}, {"X-CCBT-API-Key", key}}).status;
    };
    EXPECT_EQ(with(one->key().substr(0, 32)), 401);
    EXPECT_EQ(with(one->key().substr(0, 63)), 401);
    EXPECT_EQ(with(one->key() + '0'), 401);
    EXPECT_EQ(with(one->key().substr(0, 32) + std::string(32, '0')), 401);
    EXPECT_EQ(with(one->key()), 200);
}

TEST_F(daemon_guards, a_key_of_fewer_scopes_changes_nothing_that_is_not_in_them) {
    start();
    auto const made = one->post("/keys", R"({"name":"reader","scopes":["read"]})");
    ASSERT_EQ(made.status, 200) << made.body;
    headers const key{
        {"Host", host()},
        {"X-CCBT-API-Key", std::string{made.json.text_or("secret", "")}},
        {"Content-Type", "application/json"}};
    auto const tries = [&](std::string_view method, std::string const& path, std::string_view body) {
        http_connection line{"127.0.0.1", one->port()};
        auto const said = line.ask(method, path, key, body);
        return std::to_string(said.status) + ' ' + said.code();
    };
    EXPECT_EQ(tries("GET", status, ""), "200 ");
    EXPECT_EQ(tries("POST", blacklist, R"({"ip":"203.0.113.1"})"), "403 FORBIDDEN_SCOPE");
    EXPECT_EQ(tries("POST", "/api/v1/keys", R"({"name":"own","scopes":["admin"]})"), "403 FORBIDDEN_SCOPE");
    EXPECT_EQ(tries("POST", "/api/v1/queue/clear", ""), "403 FORBIDDEN_SCOPE");
    EXPECT_EQ(tries("PUT", "/api/v1/config", R"({"limits":{"global_up_kib":9}})"), "403 FORBIDDEN_SCOPE");
    EXPECT_EQ(ips(), "[]");
    EXPECT_EQ(one->get("/keys").json.number_or("count", 0), 1);
}

TEST_F(daemon_guards, a_body_that_two_readers_could_end_at_different_places_is_400_and_the_end) {
    start();
    auto const post = "POST " + blacklist;
    std::string const json = "Content-Type: application/json\r\n";
    for (auto const& framing :
         {std::string{"Transfer-Encoding: gzip, chunked\r\n"},
          std::string{"Transfer-Encoding: identity, chunked\r\n"},
          std::string{"Transfer-Encoding: chunked, chunked\r\n"},
          std::string{"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"},
          std::string{"Content-Length: 20\r\nContent-Length: 5\r\n"}}) {
        http_connection line{"127.0.0.1", one->port()};
        line.send(
            head(post, host(), json + framing) + "14\r\n{\"ip\":\"203.0.113.1\"}\r\n0\r\n\r\n" +
            head("GET " + status, host()));
        auto const said = line.receive();
        EXPECT_EQ(std::to_string(said.status) + ' ' + said.code(), "400 BAD_REQUEST") << framing;
        EXPECT_TRUE(line.is_closed(milliseconds{10'000})) << "nothing behind it is a request: " << framing;
    }
    EXPECT_EQ(ips(), "[]");
}

TEST_F(daemon_guards, a_body_that_is_too_large_is_413_while_none_of_it_was_sent) {
    start();
    EXPECT_EQ(
        said_to(head(
            "POST " + blacklist, host(), "Content-Type: application/json\r\nContent-Length: 1048577\r\n")),
        "413 BODY_TOO_LARGE");
}

TEST_F(daemon_guards, of_time_a_head_that_trickles_has_no_more_than_any_other) {
    start({{"limits.header_seconds", "1"}});
    http_connection slow{"127.0.0.1", one->port()};
    slow.send("GET /health HTTP/1.1\r\nHost: " + host() + "\r\nA: ");
    answer said;
    deadline const until{milliseconds{10'000}};
    while (said.status == 0 && !until.is_over() && slow.send("a")) said = slow.receive(milliseconds{100});
    EXPECT_EQ(std::to_string(said.status) + ' ' + said.code(), "408 REQUEST_TIMEOUT")
        << "it went on by trickling";
}

TEST_F(daemon_guards, of_time_a_body_that_does_not_come_has_its_own) {
    start({{"limits.body_seconds", "1"}});
    auto const length = "Content-Type: application/json\r\nContent-Length: 50\r\n";
    EXPECT_EQ(said_to(head("POST " + blacklist, host(), length) + "{"), "408 REQUEST_TIMEOUT");
}

TEST_F(daemon_guards, a_websocket_that_never_reads_is_let_go_before_its_queue_grows) {
    start({{"limits.websocket_queue_bytes", "65536"}});
    http_connection deaf{"127.0.0.1", one->port()};
    deaf.send(head("GET /api/v1/events", host(), upgrade));
    ASSERT_EQ(deaf.receive().status, 101);
    ASSERT_EQ(one->metric("ccbt_event_watchers"), 1);
    // Answers as long as the questions, more of them than the buffers between us hold.
    std::string text = R"({"action":"subscribe","data":{"event_types":["torrent_added")";
    for (int i = 0; i < 900; ++i) text += R"(,"security_whitelist_updated")";
    text += "]}}";
    std::string frame{"\x81\xfe", 2};
    frame += static_cast<char>(text.size() >> 8);
    frame += static_cast<char>(text.size() & 0xff);
    frame += std::string(4, '\0') + text; // masked with zeros
    double most = 0;
    for (int i = 0; i < 1500 && one->metric("ccbt_watchers_resynced_total") < 1; ++i) {
        if (!deaf.send(frame, milliseconds{5000})) break;
        most = std::max(most, one->metric("ccbt_event_queue_bytes"));
    }
    EXPECT_LT(most, 200'000) << "one queue, and what is on its way";
    EXPECT_EQ(one->metric("ccbt_watchers_resynced_total"), 1);
    EXPECT_EQ(one->get("/status").status, 200);
}

TEST_F(daemon_guards, an_output_dir_beyond_the_allowed_folders_is_403_and_nothing_is_made_there) {
    start();
    auto const outside = root / "outside";
    std::filesystem::create_directories(outside);
    std::filesystem::create_symlink(outside, one->downloads() / "link");
    std::string const link = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567";
    for (auto const& where :
         {outside.string(), std::string{"/etc"}, std::string{"../outside"},
          (one->downloads() / "../outside").string(), std::string{"link"}}) {
        auto const said = one->post(
            "/torrents/add", R"({"path_or_magnet":")" + link + R"(","output_dir":")" + where + "\"}");
        EXPECT_EQ(std::to_string(said.status) + ' ' + said.code(), "403 ADD_TORRENT_ERROR") << where;
        auto const* details = said.json.find("details");
        EXPECT_EQ(details == nullptr ? "" : details->text_or("reason", ""), "path_not_allowed") << where;
    }
    EXPECT_EQ(one->get("/torrents").json.list_or_empty("torrents").size(), 0U);
    EXPECT_TRUE(std::filesystem::is_empty(outside));
}

TEST_F(
    daemon_guards, a_filter_that_unpacks_to_more_than_200_times_its_size_is_422_and_the_one_in_force_stays) {
    auto const list = root / "list", bomb = root / "bomb";
    write_file(list, "192.0.2.1\n");
    write_file(bomb, std::string(std::size_t{40} << 20, '\n') + "192.0.2.2\n");
    ASSERT_EQ(run({"xz", "-1", bomb.string()}, milliseconds{30'000}).code, 0);
    start(
        {{"security.ip_filter.enable_ip_filter", "true"},
         {"security.ip_filter.filter_files", "[\"" + list.string() + "\"]"}});
    ASSERT_EQ(one->post("/security/ip-filter/load").status, 200);
    std::filesystem::copy_file(
        bomb.string() + ".xz", list, std::filesystem::copy_options::overwrite_existing);
    auto const said = one->post("/security/ip-filter/load");
    EXPECT_EQ(std::to_string(said.status) + ' ' + said.code(), "422 SECURITY_ERROR") << said.body;
    EXPECT_EQ(one->get("/security/ip-filter/stats").json.number_or("total_rules", 0), 1);
}

TEST_F(daemon_guards, exports_and_imports_beyond_their_folders_are_403_and_touch_nothing) {
    start();
    auto const outside = root / "outside", exports = one->state() / "exports";
    std::filesystem::create_directories(outside);
    std::filesystem::create_directories(exports);
    std::filesystem::create_symlink(outside, exports / "link");
    auto const says = [&](std::string const& route, std::string const& path) {
        auto const said = one->post("/torrents/" + route, R"({"path":")" + path + "\"}");
        auto const* details = said.json.find("details");
        return std::to_string(said.status) + ' ' + said.code() + ' ' +
               std::string{details == nullptr ? "" : details->text_or("reason", "")};
    };
    for (auto const& path : {(outside / "x").string(), std::string{"../x"}, std::string{"link/x"}})
        EXPECT_EQ(says("export-state", path), "403 EXPORT_ERROR path_not_allowed") << path;
    EXPECT_TRUE(std::filesystem::is_empty(outside));
    EXPECT_FALSE(std::filesystem::exists(one->state() / "x"));

    ASSERT_EQ(says("export-state", "good"), "200  ");
    std::filesystem::copy_file(exports / "good", outside / "good");
    for (auto const& path :
         {(outside / "good").string(), std::string{"/etc/passwd"}, std::string{"link/good"}})
        EXPECT_EQ(says("import-state", path), "403 IMPORT_ERROR path_not_allowed") << path;
    EXPECT_EQ(says("import-state", "good"), "200  ");
}

TEST_F(daemon_guards, what_is_deleted_with_a_torrent_is_its_own_and_no_other_names_it) {
    start();
    auto const file = one->downloads() / "both", mine = one->downloads() / "mine.txt";
    make_file(file, 100'000, 1);
    write_file(mine, "nobody's");
    auto const first = make_torrent(file, {.piece_size = 16 << 10});
    auto const second = make_torrent(file, {.piece_size = 32 << 10});
    ASSERT_NE(first.hash(), second.hash());
    one->add(first);
    one->add(second);
    one->wait_until_seeding(first.hash());
    one->wait_until_seeding(second.hash());
    EXPECT_EQ(one->del("/torrents/" + first.hash() + "?delete_files=true").status, 200);
    EXPECT_TRUE(std::filesystem::exists(file)) << "the other one names it";
    EXPECT_EQ(one->del("/torrents/" + second.hash() + "?delete_files=true").status, 200);
    EXPECT_FALSE(std::filesystem::exists(file));
    EXPECT_EQ(read_file(mine), "nobody's");
}

TEST_F(daemon_guards, tls_of_before_2008_is_refused_to_who_would_speak_it) {
    door_daemon const two{
        {.folder = root / "two", .interface = "127.0.0.11", .settings = {{"daemon.tls_enabled", "true"}}}};
    auto const with = [&](std::string const& version) {
        // OpenSSL's own bound is taken away on our side, so that it is the daemon who refuses.
        return run({"sh", "-c",
                    "OPENSSL_CONF=/dev/null openssl s_client -connect 127.0.0.1:" + two.port() + ' ' +
                        version + " -cipher ALL:@SECLEVEL=0 </dev/null 2>&1"},
                   milliseconds{20'000})
            .out;
    };
    EXPECT_THAT(with("-tls1_2"), testing::HasSubstr("Protocol  : TLSv1.2"));
    EXPECT_THAT(with("-tls1_1"), testing::Not(testing::ContainsRegex("Cipher +: [A-Z]+-")));
    EXPECT_THAT(with("-tls1"), testing::Not(testing::ContainsRegex("Cipher +: [A-Z]+-")));
}

} // namespace

} // namespace ccbt::support
