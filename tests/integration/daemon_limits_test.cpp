// The table of limits of reliability.md, row by row, at a real daemon: what is past a limit gets its status and code,
// changes nothing, and is counted. The limits are set small, so that nothing takes long.
#include "base/text.hpp"
#include "support/daemon.hpp"
#include "support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::support {

namespace {

using testing::HasSubstr;

struct daemon_limits : testing::Test {
    temp_folder root{};
    std::unique_ptr<daemon> one;
    std::string before;

    void start(std::map<std::string, std::string> limits) {
        std::map<std::string, std::string> settings;
        for (auto& [name, value] : limits) settings["limits." + name] = value;
        one = std::make_unique<daemon>(
            daemon_plan{.folder = root / "one", .interface = "127.0.0.5", .settings = settings});
        before = state();
    }
    [[nodiscard]] std::string state() const {
        return one->get("/torrents").body + one->get("/queue").body + one->get("/config").body +
               one->get("/security/blacklist").body;
    }
    [[nodiscard]] std::string host() const {
        return "Host: 127.0.0.1:" + std::to_string(one->port()) + "\r\n";
    }
    [[nodiscard]] std::string key() const { return host() + "X-CCBT-API-Key: " + one->key() + "\r\n"; }
    [[nodiscard]] std::string post(std::string const& path, std::string const& length) const {
        return "POST /api/v1" + path + " HTTP/1.1\r\n" + key() +
               "Content-Type: application/json\r\nContent-Length: " + length + "\r\n\r\n";
    }
    [[nodiscard]] http_connection connect(std::string const& from = {}) const {
        return {"127.0.0.1", one->port(), from};
    }
    [[nodiscard]] answer to(std::string const& bytes) const {
        auto line = connect();
        line.send(bytes);
        return line.receive();
    }
    [[nodiscard]] std::string refused(std::string const& bytes) const {
        auto const said = to(bytes);
        return std::to_string(said.status) + ' ' + said.code();
    }
    [[nodiscard]] bool counted(std::string const& code, int at_least = 1) const {
        auto const page = one->get("/metrics").body;
        auto const name = "ccbt_api_refused_total{code=\"" + code + "\"} ";
        auto const at = page.find(name);
        return at != std::string::npos && std::stoi(page.substr(at + name.size())) >= at_least;
    }
    void TearDown() override {
        if (!one) return;
        EXPECT_EQ(state(), before) << "what is refused changes nothing";
        EXPECT_EQ(one->terminate(), 0);
    }
};

TEST_F(daemon_limits, of_a_head_are_414_and_431) {
    start({{"request_line_bytes", "600"}, {"header_block_bytes", "1100"}, {"header_fields", "10"}});
    auto const line = [](std::size_t n) { return "GET /" + std::string(n - 16, 'a') + " HTTP/1.1\r\n"; };
    EXPECT_EQ(refused(line(600) + host() + "\r\n"), "404 NOT_FOUND");
    EXPECT_EQ(refused(line(601) + host() + "\r\n"), "414 URI_TOO_LONG");
    auto const large = [&](std::size_t n) {
        auto const start = host() + "A: ";
        return "GET /health HTTP/1.1\r\n" + start + std::string(n - start.size() - 4, 'a') + "\r\n\r\n";
    };
    EXPECT_EQ(to(large(1100)).status, 200);
    EXPECT_EQ(refused(large(1101)), "431 HEADERS_TOO_LARGE");
    std::string many = "GET /health HTTP/1.1\r\n" + host();
    for (int i = 0; i < 9; ++i) many += "A: b\r\n";
    EXPECT_EQ(to(many + "\r\n").status, 200);
    EXPECT_EQ(refused(many + "A: b\r\n\r\n"), "431 HEADERS_TOO_LARGE");
    EXPECT_TRUE(counted("URI_TOO_LONG"));
    EXPECT_TRUE(counted("HEADERS_TOO_LARGE", 2));
}

TEST_F(daemon_limits, of_time_are_408_or_a_close_and_no_byte_sets_them_back) {
    start({{"header_seconds", "1"}, {"body_seconds", "1"}, {"idle_seconds", "1"}});
    auto slow_head = connect();
    auto const began = std::chrono::steady_clock::now();
    slow_head.send("GET /health HTTP/1.1\r\n" + host() + "A: ");
    while (slow_head.send("a") && std::chrono::steady_clock::now() - began < std::chrono::seconds{4}) {
        if (!slow_head.receive(milliseconds{100}).headers.empty()) break;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{4}) << "it went on by trickling";

    auto quiet_head = connect(), slow_body = connect(), idle = connect();
    quiet_head.send("GET /health HT");
    slow_body.send(post("/security/blacklist", "50") + "{");
    auto const head = quiet_head.receive();
    EXPECT_EQ(std::to_string(head.status) + head.code(), "408REQUEST_TIMEOUT");
    EXPECT_TRUE(quiet_head.is_closed(milliseconds{10'000}));
    auto const body = slow_body.receive();
    EXPECT_EQ(std::to_string(body.status) + body.code(), "408REQUEST_TIMEOUT");
    EXPECT_TRUE(idle.is_closed(milliseconds{10'000})) << "without a word";
    EXPECT_TRUE(counted("REQUEST_TIMEOUT", 2));
}

TEST_F(daemon_limits, of_a_body_are_413_before_it_is_read_by_kind_of_route) {
    start({{"json_body_bytes", "1024"}, {"add_body_bytes", "2048"}, {"batch_body_bytes", "4096"}});
    EXPECT_EQ(refused(post("/security/blacklist", "1025")), "413 BODY_TOO_LARGE");
    EXPECT_EQ(refused(post("/torrents/add", "2049")), "413 BODY_TOO_LARGE");
    EXPECT_EQ(refused(post("/torrents/batch/add", "4097")), "413 BODY_TOO_LARGE");
    EXPECT_EQ(refused(post("/torrents/resume-checkpoint", "4097")), "413 BODY_TOO_LARGE");
    EXPECT_EQ(refused(post("/torrents/add", "2048") + std::string(2046, ' ') + "{}"), "400 VALIDATION_ERROR");
    EXPECT_EQ(
        refused(post("/security/blacklist", "1024") + std::string(1022, ' ') + "{}"), "400 VALIDATION_ERROR");
    EXPECT_TRUE(counted("BODY_TOO_LARGE", 4));
}

TEST_F(daemon_limits, of_a_body_are_as_the_table_has_them_where_nothing_is_set) {
    start({});
    EXPECT_EQ(refused(post("/security/blacklist", "1048577")), "413 BODY_TOO_LARGE");
    EXPECT_EQ(refused(post("/torrents/add", "25165825")), "413 BODY_TOO_LARGE");
    EXPECT_EQ(refused(post("/torrents/batch/add", "67108865")), "413 BODY_TOO_LARGE");
    EXPECT_EQ(refused(post("/torrents/resume-checkpoint", "67108865")), "413 BODY_TOO_LARGE");
}

TEST_F(daemon_limits, of_json_are_400) {
    start(
        {{"json_depth", "4"},
         {"json_elements", "100"},
         {"json_string_bytes", "300"},
         {"json_batch_elements", "120"}});
    auto const says = [&](std::string const& path, std::string const& body) {
        return refused(post(path, std::to_string(body.size())) + body);
    };
    auto const list = [](int n) {
        std::string all = R"({"x":[0)";
        for (int i = 1; i < n; ++i) all += ",0";
        return all + "]}";
    };
    EXPECT_EQ(says("/security/blacklist", R"({"x":[[[0]]]})"), "400 VALIDATION_ERROR");
    EXPECT_EQ(says("/security/blacklist", R"({"x":[[[[0]]]]})"), "400 INVALID_JSON");
    EXPECT_EQ(says("/security/blacklist", list(90)), "400 VALIDATION_ERROR");
    EXPECT_EQ(says("/security/blacklist", list(101)), "400 INVALID_JSON");
    EXPECT_EQ(says("/torrents/batch/add", list(110)), "400 VALIDATION_ERROR");
    EXPECT_EQ(says("/torrents/batch/add", list(121)), "400 INVALID_JSON");
    EXPECT_EQ(
        says("/security/blacklist", R"({"x":")" + std::string(300, 'a') + "\"}"), "400 VALIDATION_ERROR");
    EXPECT_EQ(says("/security/blacklist", R"({"x":")" + std::string(301, 'a') + "\"}"), "400 INVALID_JSON");
    EXPECT_EQ(
        says("/torrents/add", R"({"torrent_data":")" + std::string(4000, 'A') + "\"}"),
        "400 ADD_TORRENT_ERROR")
        << "base64 has a bound of its own";
    EXPECT_TRUE(counted("INVALID_JSON", 4));
}

TEST_F(daemon_limits, of_connections_in_all_are_503) {
    start({{"connections", "8"}});
    std::vector<http_connection> held;
    held.reserve(8);
    for (int i = 0; i < 8; ++i) {
        held.push_back(connect());
        held.back().send("GET /health HTTP/1.1\r\n" + host() + "\r\n");
        EXPECT_EQ(held.back().receive().status, 200);
    }
    auto more = connect();
    auto const said = more.receive();
    EXPECT_EQ(std::to_string(said.status) + said.code(), "503TOO_MANY_CONNECTIONS");
    EXPECT_TRUE(more.is_closed(milliseconds{10'000}));
    held.clear();
    EXPECT_TRUE(eventually(milliseconds{10'000}, [&] { return one->get("/status").status == 200; }));
    EXPECT_TRUE(counted("TOO_MANY_CONNECTIONS"));
}

TEST_F(daemon_limits, of_failed_keys_are_429_and_the_right_key_passes) {
    start({{"failed_keys", "2"}, {"failed_keys_seconds", "3600"}});
    auto const wrong = [&] {
        auto line = connect("127.7.0.1");
        return line.ask(
            "GET", "/api/v1/status",
            {{"Host", "127.0.0.1:" + std::to_string(one->port())}, {"X-CCBT-API-Key", "wrong"}});
    };
    EXPECT_EQ(wrong().status, 401);
    EXPECT_EQ(wrong().status, 401);
    auto const third = wrong();
    EXPECT_EQ(third.status, 429);
    EXPECT_EQ(third.code(), "RATE_LIMITED");
    EXPECT_GT(std::stoi(third.header("retry-after")), 3000);
    auto line = connect("127.7.0.1");
    EXPECT_EQ(
        line.ask(
                "GET", "/api/v1/status",
                {{"Host", "127.0.0.1:" + std::to_string(one->port())}, {"X-CCBT-API-Key", one->key()}})
            .status,
        200);
    EXPECT_TRUE(counted("RATE_LIMITED"));
    EXPECT_TRUE(counted("AUTH_REQUIRED", 2));
}

TEST_F(daemon_limits, of_websockets_are_503_1009_and_a_close) {
    start(
        {{"websocket_clients", "1"},
         {"websocket_message_bytes", "200"},
         {"websocket_ping_seconds", "0.5"},
         {"websocket_pong_seconds", "1"}});
    headers const keyed{{"X-CCBT-API-Key", one->key()}};
    {
        web_socket first{"127.0.0.1", one->port(), "/api/v1/events", keyed};
        auto const second =
            to("GET /api/v1/events HTTP/1.1\r\n" + key() +
               "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        EXPECT_EQ(std::to_string(second.status) + second.code(), "503TOO_MANY_CONNECTIONS");
        first.send(R"({"action":"ping","data":")" + std::string(200, 'x') + "\"}");
        deadline const until{milliseconds{20'000}};
        while (first.next(until)) {}
        ASSERT_TRUE(first.closing());
        EXPECT_EQ(first.closing()->first, 1009);
    }
    EXPECT_TRUE(counted("TOO_MANY_CONNECTIONS"));
    EXPECT_TRUE(eventually(milliseconds{10'000}, [&] { return counted("WEBSOCKET_MESSAGE_TOO_BIG"); }));
    // One that answers no ping: a handshake, and then silence.
    std::optional<http_connection> deaf;
    ASSERT_TRUE(eventually(milliseconds{10'000}, [&] {
        deaf.emplace("127.0.0.1", one->port());
        deaf->send(
            "GET /api/v1/events HTTP/1.1\r\n" + key() +
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        return deaf->receive().status == 101;
    }));
    EXPECT_TRUE(eventually(milliseconds{10'000}, [&] { return counted("WEBSOCKET_NO_PONG"); }));
    EXPECT_THAT(one->get("/metrics").body, HasSubstr("ccbt_event_watchers 0"));
}

TEST_F(daemon_limits, of_what_is_added_are_400) {
    start(
        {{"magnet_bytes", "200"},
         {"trackers", "2"},
         {"web_seeds", "1"},
         {"torrent_bytes", "1024"},
         {"torrent_path_depth", "2"},
         {"torrent_name_bytes", "20"}});
    std::string const hash = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567";
    auto const magnet = [&](std::string const& more) {
        auto const said = one->post("/torrents/add", R"({"path_or_magnet":")" + hash + more + "\"}");
        return std::to_string(said.status) + ' ' + said.code() + ' ' +
               std::string{said.json.text_or("error", "")};
    };
    auto const starts = [](std::string const& text) {
        return testing::StartsWith("400 ADD_TORRENT_ERROR " + text);
    };
    EXPECT_THAT(magnet("&dn=" + std::string(200, 'a')), starts("the bytes of the magnet link are"));
    EXPECT_THAT(
        magnet("&tr=http://a/announce&tr=http://b/announce&tr=http://c/announce"),
        starts("its trackers are 3"));
    EXPECT_THAT(magnet("&ws=http://a/&ws=http://b/"), starts("its web seeds are 2"));
    auto const torrent = [&](std::string const& bytes) {
        auto const data = text::to_base64(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
        auto const said = one->post("/torrents/add", R"({"torrent_data":")" + data + "\"}");
        return std::to_string(said.status) + ' ' + said.code() + ' ' +
               std::string{said.json.text_or("error", "")};
    };
    auto const made = [](std::string const& name, std::string const& path, std::size_t more) {
        auto const text = [](std::string const& s) { return std::to_string(s.size()) + ':' + s; };
        return "d7:comment" + text(std::string(more, 'c')) + "4:infod5:filesld6:lengthi1e4:pathl" + path +
               "eee4:name" + text(name) + "12:piece lengthi16384e6:pieces20:" + std::string(20, 'h') + "ee";
    };
    EXPECT_THAT(torrent(made("n", "1:a", 1000)), starts("the bytes of the torrent file are"));
    EXPECT_THAT(torrent(made("n", "1:a1:b", 1)), starts("the folders of a path are 3"));
    EXPECT_THAT(torrent(made(std::string(21, 'n'), "1:a", 1)), starts("the bytes of a name are 21"));
    EXPECT_TRUE(counted("ADD_TORRENT_ERROR", 6));
}

TEST_F(daemon_limits, of_an_ip_filter_are_422_and_the_one_in_force_stays) {
    auto const list = (root / "list").string();
    write_file(list, "192.0.2.1\n");
    one = std::make_unique<daemon>(daemon_plan{
        .folder = root / "one",
        .interface = "127.0.0.5",
        .settings = {
            {"limits.filter_file_bytes", "1024"},
            {"security.ip_filter.enable_ip_filter", "true"},
            {"security.ip_filter.filter_files", "[\"" + list + "\"]"}}});
    ASSERT_EQ(one->post("/security/ip-filter/load").status, 200);
    before = state();
    write_file(list, std::string(1025, '#') + "\n192.0.2.2\n");
    auto const said = one->post("/security/ip-filter/load");
    EXPECT_EQ(std::to_string(said.status) + said.code(), "422SECURITY_ERROR");
    EXPECT_EQ(one->get("/security/ip-filter/stats").json.number_or("total_rules", 0), 1);
}

TEST_F(daemon_limits, can_be_changed_by_an_administrator_alone_and_hold_at_once) {
    start({});
    auto const made = one->post("/keys", R"({"name":"configurer","scopes":["config","read"]})");
    ASSERT_EQ(made.status, 200) << made.body;
    auto const secret = std::string{made.json.text_or("secret", "")};
    http_connection by_other{"127.0.0.1", one->port()};
    auto const said = by_other.ask(
        "PUT", "/api/v1/config",
        {{"Host", "127.0.0.1:" + std::to_string(one->port())},
         {"X-CCBT-API-Key", secret},
         {"Content-Type", "application/json"}},
        R"({"limits":{"header_fields":9}})");
    EXPECT_EQ(std::to_string(said.status) + said.code(), "403FORBIDDEN_SCOPE");
    auto const past = one->call(
        "PUT", "/config", R"({"limits":{"header_fields":1001}})", {{"Content-Type", "application/json"}});
    EXPECT_EQ(std::to_string(past.status) + past.code(), "400CONFIG_UPDATE_FAILED")
        << "there is a hard maximum";
    auto const set = one->call(
        "PUT", "/config", R"({"limits":{"header_fields":9}})", {{"Content-Type", "application/json"}});
    EXPECT_EQ(set.status, 200) << set.body;
    std::string many = "GET /health HTTP/1.1\r\n" + host();
    for (int i = 0; i < 9; ++i) many += "A: b\r\n";
    EXPECT_EQ(refused(many + "\r\n"), "431 HEADERS_TOO_LARGE");
    before = state();
}

} // namespace

} // namespace ccbt::support
