// Named keys, their scopes, and signatures, over real sockets. What signs is openssl, not our own code.
#include "base/crypto.hpp"
#include "base/text.hpp"
#include "support/daemon.hpp"
#include "support/signer.hpp"
#include "support/temp_folder.hpp"
#include "wire/catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::support {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string next_source() { // wrong signatures are counted by the address that they come from
    static int count = 0;
    ++count;
    return "127.2." + std::to_string(count / 250) + '.' + std::to_string(count % 250 + 1);
}

answer ask(
    daemon const& of, std::string_view method, std::string_view target, headers more,
    std::string_view body = {}) {
    http_connection to{"127.0.0.1", of.port(), next_source()};
    more.emplace_back("Host", "127.0.0.1:" + std::to_string(of.port()));
    return to.ask(method, target, more, body);
}

std::vector<std::string> texts_of(wire::value const* list) {
    std::vector<std::string> out;
    if (auto const* all = list == nullptr ? nullptr : list->get_if<wire::value::array>())
        for (auto const& one : *all)
            if (auto const* text = one.get_if<std::string>()) out.push_back(*text);
    return out;
}

std::string detail(answer const& said, std::string const& name) {
    auto const* details = said.json.find("details");
    return details == nullptr ? "" : std::string{details->text_or(name, "")};
}

std::string const status = "/api/v1/status", blacklist = "/api/v1/security/blacklist";

struct daemon_named_keys : testing::Test {
    temp_folder root{};
    daemon one{{.folder = root / "one"}};

    std::string make_key(std::string const& name, std::string const& scopes, std::string const& more = "") {
        auto const said =
            one.post("/keys", R"({"name":")" + name + R"(","scopes":[)" + scopes + ']' + more + '}');
        EXPECT_EQ(said.status, 200) << said.body;
        return std::string{said.json.text_or("secret", "")};
    }
    answer trust(signer const& who, std::string const& name, std::string const& scopes) const {
        return one.post(
            "/keys/trust", R"({"public_key":")" + who.public_key() + R"(","name":")" + name +
                               R"(","scopes":[)" + scopes + "]}");
    }
    std::string ips() const { return wire::to_text(*one.get("/security/blacklist").json.find("ips")); }
};

// ---- keys

TEST_F(daemon_named_keys, are_made_with_a_secret_that_is_answered_once) {
    auto const said = one.post("/keys", R"({"name":"phone","scopes":["read","add"],"expires_in":3600})");
    EXPECT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.json.text_or("name", ""), "phone");
    auto const secret = std::string{said.json.text_or("secret", "")};
    EXPECT_THAT(secret, testing::MatchesRegex("[0-9a-f]+"));
    EXPECT_EQ(secret.size(), 64U);
    EXPECT_THAT(texts_of(said.json.find("scopes")), ElementsAre("read", "add"));
    EXPECT_GT(said.json.number_or("expires_at", 0), 1.7e9);
    EXPECT_EQ(ask(one, "GET", status, {{"X-CCBT-API-Key", secret}}).status, 200);

    auto const listed = one.get("/keys");
    EXPECT_EQ(listed.json.number_or("count", 0), 1);
    auto const& key = listed.json.list_or_empty("keys").at(0);
    EXPECT_EQ(key.text_or("name", ""), "phone");
    EXPECT_EQ(key.text_or("kind", ""), "api_key");
    EXPECT_TRUE(key.find("public_key")->is_null());
    EXPECT_GT(key.number_or("last_used", 0), 1.7e9);
    EXPECT_THAT(listed.body, Not(HasSubstr(secret)));
    EXPECT_EQ(one.terminate(), 0);
    EXPECT_THAT(one.log(), Not(HasSubstr(secret)));
    for (auto const& file : std::filesystem::recursive_directory_iterator{one.state()})
        if (file.is_regular_file()) {
            EXPECT_THAT(read_file(file.path()), Not(HasSubstr(secret))) << file.path();
        }
}

TEST_F(daemon_named_keys, mistakes_are_4xx_and_change_nothing) {
    make_key("phone", R"("read")");
    auto const before = one.get("/keys").body;
    for (auto const& [body, field] : std::vector<std::pair<std::string, std::string>>{
             {"{}", "name"},
             {R"({"name":"a"})", "scopes"},
             {R"({"name":"a","scopes":[]})", "scopes"},
             {R"({"name":"a","scopes":["open"]})", "scopes[0]"},
             {R"({"name":"a","scopes":["read","fly"]})", "scopes[1]"},
             {R"({"name":"a","scopes":"read"})", "scopes"},
             {R"({"name":"","scopes":["read"]})", "name"},
             {R"({"name":"a b","scopes":["read"]})", "name"},
             {R"({"name":"../a","scopes":["read"]})", "name"},
             {R"({"name":"trust","scopes":["read"]})", "name"},
             {R"({"name":"configured","scopes":["read"]})", "name"},
             {R"({"name":")" + std::string(65, 'a') + R"(","scopes":["read"]})", "name"},
             {R"({"name":"a","scopes":["read"],"expires_in":0})", "expires_in"},
             {R"({"name":"a","scopes":["read"],"expires_in":-5})", "expires_in"},
             {R"({"name":"a","scopes":["read"],"expires_in":"90d"})", "expires_in"}}) {
        auto const said = one.post("/keys", body);
        EXPECT_EQ(said.status, 400) << body;
        EXPECT_EQ(said.code(), "VALIDATION_ERROR") << body;
        EXPECT_EQ(detail(said, "field"), field) << said.body;
    }
    auto const again = one.post("/keys", R"({"name":"phone","scopes":["admin"]})");
    EXPECT_EQ(again.status, 409);
    EXPECT_EQ(again.code(), "KEY_EXISTS");
    EXPECT_EQ(detail(again, "name"), "phone");
    for (auto const* key :
         {"", "12", "zz", "0100000000000000000000000000000000000000000000000000000000000000"}) {
        auto const said = one.post(
            "/keys/trust", R"({"public_key":")" + std::string{key} + R"(","name":"b","scopes":["read"]})");
        EXPECT_EQ(said.status, 400) << key;
        EXPECT_EQ(detail(said, "field"), "public_key") << said.body;
    }
    auto const gone = one.del("/keys/nobody");
    EXPECT_EQ(gone.status, 404);
    EXPECT_EQ(gone.code(), "KEY_NOT_FOUND");
    EXPECT_EQ(one.get("/keys").body, before);
}

TEST_F(daemon_named_keys, without_the_scope_every_route_answers_403_and_nothing_happens) {
    std::map<std::string, std::string> keys; // by the scope that it has not: all the others but admin
    for (std::string const lacks :
         {"read", "add", "control", "delete", "files", "net", "config", "metrics", "admin"}) {
        std::string scopes;
        for (std::string const one_of :
             {"read", "add", "control", "delete", "files", "net", "config", "metrics"})
            if (one_of != lacks) scopes += (scopes.empty() ? "\"" : ",\"") + one_of + '"';
        keys[lacks] = make_key("no-" + lacks, scopes);
    }
    auto const listed = one.get("/keys");
    int asked = 0;
    for (auto const& what : wire::catalogue()) {
        auto const needs = std::string{contract::name_of(what.route.needs)};
        if (what.is_socket || needs == "open" || needs == "metrics") continue;
        std::string target = what.route.at_root ? "" : "/api/v1";
        for (auto rest = what.route.path; !rest.empty();) {
            auto const open = rest.find('{');
            target += rest.substr(0, open);
            if (open == std::string_view::npos) break;
            target += rest.substr(open).starts_with("{info_hash") ? std::string(40, 'a')
                      : rest.substr(open).starts_with("{name")    ? "no-read"
                                                                  : "1";
            rest.remove_prefix(rest.find('}') + 1);
        }
        auto const method = contract::name_of(what.route.method);
        auto const body = std::string{method == "GET" ? "" : R"({"ip":"10.0.0.1","name":"x"})"};
        auto const said = ask(one, method, target, {{"X-CCBT-API-Key", keys[needs]}}, body);
        EXPECT_EQ(said.status, 403) << what.route.name << ' ' << said.body;
        EXPECT_EQ(said.code(), "FORBIDDEN_SCOPE") << what.route.name;
        EXPECT_EQ(detail(said, "needs"), needs) << what.route.name;
        auto const* details = said.json.find("details");
        EXPECT_THAT(texts_of(details->find("has")), Not(testing::Contains(needs))) << said.body;
        ++asked;
    }
    EXPECT_GE(asked, 15);
    EXPECT_EQ(ips(), "[]");
    EXPECT_EQ(one.get("/keys").json.number_or("count", 0), listed.json.number_or("count", 1));
    EXPECT_TRUE(one.running().is_running());
    auto const reading = ask(one, "GET", status, {{"X-CCBT-API-Key", keys["add"]}});
    EXPECT_EQ(reading.status, 200) << "with the scope it is let through";

    web_socket events{"127.0.0.1", one.port(), "/api/v1/events", {{"X-CCBT-API-Key", keys["read"]}}};
    EXPECT_FALSE(events.next(milliseconds{5000}));
    ASSERT_TRUE(events.closing());
    EXPECT_EQ(events.closing()->first, 4001) << "events need the scope read";
}

TEST_F(daemon_named_keys, of_the_scope_config_set_no_more_than_transfers) {
    headers const key{{"X-CCBT-API-Key", make_key("tuner", R"("read","config")")}};
    std::string const config = "/api/v1/config";
    auto const before = one.get("/config").body;
    for (auto const* part :
         {R"({"daemon":{"allowed_hosts":["evil"]}})",
          R"({"limits":{"global_up_kib":9},"daemon":{"trusted_keys":[]},"disk":{"allowed_paths":["/"]}})",
          R"({"disk":{"download_path":"/tmp"}})", R"({"proxy":{"proxy_host":"evil"}})",
          R"({"security":{"ip_filter":{"filter_cache_dir":"/tmp"}}})"}) {
        auto const said = ask(one, "PUT", config, key, part);
        EXPECT_EQ(said.status, 403) << part << said.body;
        EXPECT_EQ(said.code(), "FORBIDDEN_SCOPE");
    }
    // Nobody sets the first key here, and nothing is learned by guessing it.
    auto const refused = ask(one, "PUT", config, key, R"({"daemon":{"api_key":"0123456789abcdef"}})");
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(refused.code(), "CONFIG_UPDATE_FAILED");
    auto const guess = R"({"daemon":{"api_key":")" + one.key() + R"("}})";
    EXPECT_EQ(ask(one, "PUT", config, key, guess).body, refused.body);
    EXPECT_EQ(one.get("/config").body, before);
    EXPECT_EQ(ask(one, "PUT", config, key, before).status, 200) << "all of it as it was shown";
    EXPECT_EQ(ask(one, "PUT", config, key, R"({"limits":{"global_up_kib":9}})").status, 200);
}

TEST_F(daemon_named_keys, of_the_scope_metrics_read_metrics_and_nothing_else) {
    daemon const careful{{.folder = root / "two", .settings = {{"observability.metrics_need_key", "true"}}}};
    auto const made = careful.post("/keys", R"({"name":"scraper","scopes":["metrics"]})");
    headers const key{{"X-CCBT-API-Key", std::string{made.json.text_or("secret", "")}}};
    EXPECT_EQ(ask(careful, "GET", "/metrics", {}).status, 401);
    EXPECT_EQ(ask(careful, "GET", "/metrics", key).status, 200);
    EXPECT_EQ(ask(careful, "GET", status, key).code(), "FORBIDDEN_SCOPE");
}

TEST_F(daemon_named_keys, end_by_their_time_and_close_what_is_open) {
    auto const secret = make_key("short", R"("read")", R"(,"expires_in":2)");
    headers const key{{"X-CCBT-API-Key", secret}};
    EXPECT_EQ(ask(one, "GET", status, key).status, 200);
    web_socket events{"127.0.0.1", one.port(), "/api/v1/events", key};
    EXPECT_FALSE(events.next(milliseconds{20'000})) << "nothing happens until it ends";
    ASSERT_TRUE(events.closing());
    EXPECT_EQ(events.closing()->first, 4001);
    auto const said = ask(one, "GET", status, key);
    EXPECT_EQ(said.status, 401);
    EXPECT_EQ(said.code(), "AUTH_REQUIRED");
}

TEST_F(daemon_named_keys, are_revoked_at_once) {
    auto const secret = make_key("phone", R"("read")");
    headers const key{{"X-CCBT-API-Key", secret}, {"Host", "127.0.0.1:" + std::to_string(one.port())}};
    web_socket events{"127.0.0.1", one.port(), "/api/v1/events?api_key=" + secret};
    events.send(R"({"action":"ping"})");
    ASSERT_TRUE(events.next(milliseconds{5000}));
    http_connection open{"127.0.0.1", one.port()};
    EXPECT_EQ(open.ask("GET", status, key).status, 200);

    auto const revoked = one.del("/keys/phone");
    EXPECT_EQ(revoked.body, R"({"status":"revoked","name":"phone"})");
    EXPECT_EQ(open.ask("GET", status, key).status, 401) << "on the connection that was open";
    EXPECT_FALSE(events.next(milliseconds{10'000}));
    ASSERT_TRUE(events.closing());
    EXPECT_EQ(events.closing()->first, 4001);
    EXPECT_EQ(events.closing()->second, "Unauthorized");
    EXPECT_EQ(one.get("/keys").body, R"({"keys":[],"count":0})");
}

TEST_F(daemon_named_keys, and_trust_are_there_after_a_kill_and_a_restart) {
    auto const secret = make_key("phone", R"("read")");
    auto const ended = make_key("gone", R"("read")");
    signer const laptop{root / "keys", "laptop"};
    EXPECT_EQ(trust(laptop, "laptop", R"("read","control")").status, 200);
    EXPECT_EQ(one.del("/keys/gone").status, 200);
    one.kill9();
    one.start();
    EXPECT_EQ(ask(one, "GET", status, {{"X-CCBT-API-Key", secret}}).status, 200);
    EXPECT_EQ(ask(one, "GET", status, {{"X-CCBT-API-Key", ended}}).status, 401);
    EXPECT_EQ(ask(one, "GET", status, laptop.sign("GET", status)).status, 200);
    EXPECT_EQ(one.terminate(), 0);
    one.start();
    auto const keys = one.get("/keys");
    auto const& all = keys.json.list_or_empty("keys");
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].text_or("name", ""), "laptop");
    EXPECT_EQ(all[0].text_or("public_key", ""), laptop.public_key());
    EXPECT_EQ(all[0].text_or("kind", ""), "ed25519");
    for (auto const& key : all) EXPECT_GT(key.number_or("last_used", 0), 1.7e9) << "kept at a clean stop";
}

// ---- signatures

struct daemon_signatures : daemon_named_keys {
    signer const laptop{root / "keys", "laptop"};

    void SetUp() override {
        EXPECT_EQ(
            trust(laptop, "laptop", R"("read","control")").body,
            R"({"status":"trusted","name":"laptop","public_key":")" + laptop.public_key() +
                R"(","scopes":["read","control"]})");
    }
};

TEST_F(daemon_signatures, by_openssl_cover_the_body_and_are_good_once) {
    std::string const body = R"({"ip":"10.0.0.1","reason":"ÿ"})";
    auto const signed_so = laptop.sign("POST", blacklist, body);
    EXPECT_EQ(ask(one, "POST", blacklist, signed_so, body).body, R"({"added":true})");
    EXPECT_EQ(ips(), R"(["10.0.0.1"])");
    EXPECT_EQ(one.del("/security/blacklist/10.0.0.1").status, 200);

    auto const replayed = ask(one, "POST", blacklist, signed_so, body);
    EXPECT_EQ(replayed.status, 401);
    EXPECT_EQ(replayed.code(), "AUTH_REQUIRED");
    auto const refusal = replayed.body;
    std::string const other = R"({"ip":"10.0.0.2","reason":"ÿ"})";
    auto const tampered = ask(one, "POST", blacklist, laptop.sign("POST", blacklist, body), other);
    EXPECT_EQ(tampered.status, 401);
    EXPECT_EQ(tampered.body, refusal) << "the same words whatever was wrong";
    EXPECT_EQ(ask(one, "POST", blacklist, laptop.sign("POST", blacklist, body), "{").body, refusal)
        << "it is not decoded before";
    EXPECT_EQ(ask(one, "POST", blacklist, laptop.sign("PUT", blacklist, body), body).body, refusal);
    EXPECT_EQ(ask(one, "POST", blacklist + "?a=1", laptop.sign("POST", blacklist, body), body).body, refusal);
    EXPECT_EQ(ask(one, "POST", blacklist, laptop.sign("POST", "", body), body).body, refusal);
    EXPECT_EQ(ips(), "[]");

    auto const query = "/api/v1/torrents?limit=1&label=a%20b";
    EXPECT_EQ(ask(one, "GET", query, laptop.sign("GET", query)).status, 200);
    EXPECT_EQ(ask(one, "GET", status, laptop.sign("GET", status)).status, 200);
    EXPECT_EQ(
        ask(one, "POST", "/api/v1/shutdown", laptop.sign("POST", "/api/v1/shutdown")).code(),
        "FORBIDDEN_SCOPE");
}

TEST_F(daemon_signatures, of_strangers_other_times_and_beside_a_right_key_are_401) {
    signer const stranger{root / "keys", "stranger"};
    EXPECT_EQ(ask(one, "GET", status, stranger.sign("GET", status)).status, 401);
    for (double const shift : {-290.0, 290.0}) {
        auto const when = signer::now_text(shift);
        EXPECT_EQ(ask(one, "GET", status, laptop.sign("GET", status, "", when)).status, shift < 0 ? 401 : 200)
            << (shift < 0 ? "before the daemon started" : "a clock that is ahead");
    }
    EXPECT_EQ(ask(one, "GET", status, laptop.sign("GET", status, "", signer::now_text(310))).status, 401);
    for (auto const& when : std::vector<std::string>{
             "+" + signer::now_text(), " " + signer::now_text(), std::string{"1e9"}, std::string{"nan"}})
        EXPECT_EQ(ask(one, "GET", status, laptop.sign("GET", status, "", when)).status, 401) << when;
    auto wrong = stranger.sign("GET", status);
    wrong.emplace_back("X-CCBT-API-Key", one.key());
    EXPECT_EQ(ask(one, "GET", status, wrong).status, 401) << "a wrong signature is not mended by a key";
    headers half{{"X-CCBT-Signature", std::string(128, '0')}, {"X-CCBT-API-Key", one.key()}};
    EXPECT_EQ(ask(one, "GET", status, half).status, 401);
}

TEST_F(daemon_signatures, of_strangers_have_no_body_read) {
    signer const stranger{root / "keys", "stranger"};
    auto head = stranger.sign("POST", "/api/v1/torrents/add");
    head.emplace_back("Content-Length", "20000000");
    head.emplace_back("Content-Type", "application/json");
    head.emplace_back("Host", "127.0.0.1:" + std::to_string(one.port()));
    http_connection to{"127.0.0.1", one.port(), next_source()};
    std::string text = "POST /api/v1/torrents/add HTTP/1.1\r\n";
    for (auto const& [name, held] : head) text += name + ": " + held + "\r\n";
    ASSERT_TRUE(to.send(text + "\r\n"));
    EXPECT_EQ(to.receive().status, 401) << "answered while nothing of the body was sent";
}

TEST_F(daemon_signatures, with_a_large_body_are_taken) {
    std::string const body = R"({"torrent_data":")" + std::string(3'000'000, 'A') + R"("})";
    auto const target = "/api/v1/torrents/add";
    signer const adder{root / "keys", "adder"};
    EXPECT_EQ(trust(adder, "adder", R"("add")").status, 200);
    auto const said = ask(one, "POST", target, adder.sign("POST", target, body), body);
    EXPECT_EQ(said.status, 400);
    EXPECT_EQ(said.code(), "ADD_TORRENT_ERROR") << said.body.substr(0, 300);
    auto other = body;
    other[1'500'000] = 'B';
    EXPECT_EQ(ask(one, "POST", target, adder.sign("POST", target, body), other).status, 401);
}

TEST_F(daemon_signatures, open_the_websocket_by_headers_and_by_query) {
    std::string const path = "/api/v1/events";
    auto const opens = [&](std::string const& target, headers const& more) {
        web_socket events{"127.0.0.1", one.port(), target, more, next_source()};
        events.send(R"({"action":"ping"})");
        while (auto const said = events.next(milliseconds{5000}))
            if (said->find("action") != nullptr) return std::string{said->text_or("action", "")};
        return events.closing() ? std::to_string(events.closing()->first) : std::string{"silence"};
    };
    auto const of_socket = [&](std::string const& when) {
        return headers{
            {"X-CCBT-Public-Key", laptop.public_key()},
            {"X-CCBT-Timestamp", when},
            {"X-CCBT-Signature", laptop.sign_text("GET " + path + '\n' + when)}};
    };
    auto const by_headers = of_socket(signer::now_text());
    EXPECT_EQ(opens(path, by_headers), "pong");
    EXPECT_EQ(opens(path, by_headers), "4001") << "good once";
    EXPECT_EQ(opens(path + "?since=1", of_socket(signer::now_text())), "pong")
        << "the query is no part of it";
    EXPECT_EQ(opens(path, laptop.sign("GET", path)), "pong") << "or as any request";

    auto const when = signer::now_text();
    auto const query = [&](std::string const& text) {
        return path + "?public_key=" + laptop.public_key() + "&timestamp=" + when +
               "&signature=" + laptop.sign_text(text);
    };
    auto const by_query = query("GET " + path + '\n' + when);
    EXPECT_EQ(opens(by_query, {}), "pong");
    EXPECT_EQ(opens(by_query, {}), "4001");
    EXPECT_EQ(opens(query("GET /api/v1/other\n" + when), {}), "4001");
    signer const stranger{root / "keys", "stranger"};
    EXPECT_EQ(opens(path, stranger.sign("GET", path)), "4001");

    web_socket events{"127.0.0.1", one.port(), path, of_socket(signer::now_text())};
    events.send(R"({"action":"ping"})");
    ASSERT_TRUE(events.next(milliseconds{5000}));
    EXPECT_EQ(one.del("/keys/laptop").status, 200);
    EXPECT_FALSE(events.next(milliseconds{10'000}));
    ASSERT_TRUE(events.closing());
    EXPECT_EQ(events.closing()->first, 4001) << "it was revoked";
    EXPECT_EQ(ask(one, "GET", status, laptop.sign("GET", status)).status, 401);
}

TEST_F(daemon_signatures, are_refused_after_a_restart) {
    auto const once = laptop.sign("GET", status);
    EXPECT_EQ(ask(one, "GET", status, once).status, 200);
    one.kill9();
    one.start();
    EXPECT_EQ(ask(one, "GET", status, once).status, 401) << "from before the start: it may have been used";
    EXPECT_EQ(ask(one, "GET", status, laptop.sign("GET", status)).status, 200);
}

TEST_F(daemon_signatures, of_the_configuration_are_admin) {
    signer const owner{root / "keys", "owner"};
    daemon const two{
        {.folder = root / "two", .settings = {{"daemon.trusted_keys", "[\"" + owner.public_key() + "\"]"}}}};
    std::string const keys = "/api/v1/keys";
    std::string const body = R"({"name":"made-by-owner","scopes":["read"]})";
    EXPECT_EQ(ask(two, "POST", keys, owner.sign("POST", keys, body), body).status, 200);
    EXPECT_EQ(ask(two, "GET", status, laptop.sign("GET", status)).status, 401) << "another daemon's";
}

TEST_F(daemon_signatures, are_trusted_under_one_name) {
    EXPECT_EQ(trust(laptop, "laptop", R"("read","control")").status, 200) << "the same again is harmless";
    auto const twice = trust(laptop, "notebook", R"("admin")");
    EXPECT_EQ(twice.status, 409);
    EXPECT_EQ(twice.code(), "KEY_EXISTS");
    EXPECT_EQ(detail(twice, "name"), "laptop");
    EXPECT_EQ(trust(laptop, "laptop", R"("admin")").status, 409) << "other scopes: revoke first";
    EXPECT_EQ(one.get("/keys").json.number_or("count", 0), 1);
}

// ---- the tool

TEST_F(daemon_named_keys, are_made_used_listed_and_revoked_by_the_tool) {
    auto const home = root / "home";
    std::filesystem::create_directories(home);
    auto const ccbt = [&](std::vector<std::string> words) {
        words.insert(words.begin(), program("ccbt"));
        return run(
            words, milliseconds{20'000},
            {"HOME=" + home.string(), "CCBT_URL=" + one.url(), "CCBT_API_KEY=" + one.key()}, home);
    };
    auto const made = ccbt({"key", "new", "phone", "--scope", "read,add", "--expires", "90d"});
    ASSERT_EQ(made.code, 0) << made.err;
    auto const secret = made.out.substr(0, made.out.find('\n'));
    EXPECT_EQ(made.out, secret + '\n') << "the secret alone, for scripts";
    EXPECT_EQ(secret.size(), 64U);
    EXPECT_EQ(ccbt({"status", "--api-key", secret}).code, 0);
    EXPECT_EQ(ccbt({"shutdown", "--api-key", secret}).code, 4);
    EXPECT_EQ(ccbt({"key", "new", "x", "--expires", "90 days"}).code, 2);
    EXPECT_EQ(ccbt({"key", "new", "x", "--scope", "fly"}).code, 1);

    auto const pair = ccbt({"key", "new", "laptop", "--ed25519", "--scope", "read,admin"});
    ASSERT_EQ(pair.code, 0) << pair.err;
    auto const file = home / ".config/ccbt/keys/laptop";
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms{0600});
    auto const kept = read_file(file);
    EXPECT_EQ(ccbt({"key", "new", "laptop", "--ed25519"}).code, 2) << "a key is never written over";
    EXPECT_EQ(read_file(file), kept);
    auto const signing = [&](std::vector<std::string> words) {
        words.insert(words.begin(), program("ccbt"));
        return run(
            words, milliseconds{20'000},
            {"HOME=" + home.string(), "CCBT_URL=" + one.url(), "CCBT_SIGN=laptop"}, home);
    };
    EXPECT_EQ(signing({"status"}).code, 0) << signing({"status"}).err;
    EXPECT_EQ(signing({"blacklist", "add", "10.0.0.1"}).code, 0) << "a body is signed too; admin is all";
    EXPECT_EQ(ips(), R"(["10.0.0.1"])");
    EXPECT_EQ(ccbt({"--sign", file.string(), "key", "list"}).code, 0) << "by its file";
    EXPECT_EQ(ccbt({"--sign", "nobody", "status"}).code, 2);

    auto const listed = signing({"key", "list"});
    EXPECT_THAT(listed.out, HasSubstr("phone"));
    EXPECT_THAT(listed.out, HasSubstr("read, add"));
    EXPECT_THAT(listed.out, HasSubstr(pair.out.substr(0, 64)));
    EXPECT_THAT(listed.out, Not(HasSubstr(secret)));
    EXPECT_THAT(listed.out, Not(HasSubstr(text::to_hex(crypto::sha256(secret)))));
    auto const watched = std::make_unique<process>(process_plan{
        .argv = {program("ccbt"), "watch", "security_blacklist_updated", "--count", "1"},
        .env = {"HOME=" + home.string(), "CCBT_URL=" + one.url(), "CCBT_SIGN=laptop"},
        .folder = home});
    EXPECT_TRUE(eventually(milliseconds{10'000}, [&] { // until it listens
        return one.del("/security/blacklist/10.0.0.1").status != 500 &&
               one.post("/security/blacklist", R"({"ip":"10.0.0.1"})").status == 200 &&
               watched->wait(milliseconds{50}).has_value();
    })) << "the WebSocket is signed as well";
    EXPECT_EQ(watched->wait(milliseconds{1000}), 0);

    EXPECT_EQ(ccbt({"key", "revoke", "laptop"}).code, 0);
    EXPECT_EQ(signing({"status"}).code, 4);
    EXPECT_EQ(ccbt({"key", "trust", pair.out.substr(0, 64), "again", "--scope", "read"}).code, 0);
    EXPECT_EQ(signing({"status"}).code, 0);
    EXPECT_EQ(ccbt({"key", "new", "other", "--ed25519", "--no-trust"}).code, 0);
    EXPECT_EQ(ccbt({"--sign", "other", "status"}).code, 4);
    std::filesystem::permissions(file, std::filesystem::perms{0644});
    EXPECT_EQ(signing({"status"}).code, 2) << "others may read it";
}

} // namespace

} // namespace ccbt::support
