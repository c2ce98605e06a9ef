// Idempotency-Key: a repeat is answered as the first time and not done again, through kills too.
#include "base/text.hpp"
#include "swarm/swarm.hpp"

#include <gmock/gmock.h>
#include <random>
#include <thread>

namespace ccbt::support {

namespace {

using testing::HasSubstr;

struct daemon_idempotency : testing::Test {
    temp_folder root{};
    daemon one{{.folder = root / "one"}};

    static std::string magnet(unsigned n) {
        std::string digits = std::to_string(n);
        return "magnet:?xt=urn:btih:" + std::string(40 - digits.size(), '0') + digits;
    }
    static std::string adding(unsigned n) {
        return R"({"path_or_magnet":")" + magnet(n) + R"(","paused":true})";
    }
    static std::string hash_of(unsigned n) { return magnet(n).substr(20); }
    answer with(
        std::string_view method, std::string_view path, std::string const& key,
        std::string_view body = {}) const {
        return one.call(method, path, body, {{"Idempotency-Key", key}});
    }
    [[nodiscard]] std::size_t count() const {
        return one.get("/torrents").json.list_or_empty("torrents").size();
    }
};

constexpr char const* key_a = "0123456789abcdef";

TEST_F(daemon_idempotency, the_same_request_is_answered_the_same_and_done_once_also_after_a_kill) {
    auto const first = with("POST", "/torrents/add", key_a, adding(1));
    ASSERT_EQ(first.status, 200) << first.body;
    auto const again = with("POST", "/torrents/add", key_a, adding(1));
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(count(), 1U);

    // Resumed by another meanwhile: the repeat of the pause pauses nothing.
    ASSERT_EQ(one.post("/torrents/" + hash_of(1) + "/resume").status, 200);
    auto const paused = with("POST", "/torrents/" + hash_of(1) + "/pause", "pause-pause-pause", "");
    ASSERT_EQ(paused.status, 200);
    ASSERT_EQ(one.post("/torrents/" + hash_of(1) + "/resume").status, 200);
    EXPECT_EQ(with("POST", "/torrents/" + hash_of(1) + "/pause", "pause-pause-pause", "").body, paused.body);
    EXPECT_NE(state_of(one.row(hash_of(1))), "paused");

    std::string const remove_key(64, 'r');
    auto const gone = with("DELETE", "/torrents/" + hash_of(1), remove_key);
    ASSERT_EQ(gone.status, 200) << gone.body;
    one.kill9();
    one.start();
    auto const gone_again = with("DELETE", "/torrents/" + hash_of(1), remove_key);
    EXPECT_EQ(gone_again.status, 200) << gone_again.body;
    EXPECT_EQ(gone_again.body, R"({"status":"removed"})");
    EXPECT_EQ(with("POST", "/torrents/add", key_a, adding(1)).body, first.body);
    EXPECT_EQ(count(), 0U) << "the repeat of an add adds nothing";
    EXPECT_EQ(one.del("/torrents/" + hash_of(1)).status, 404) << "without the key it is a new request";
}

TEST_F(daemon_idempotency, the_command_line_sends_one_too) {
    auto const ccbt = [&](std::vector<std::string> const& words) {
        std::vector<std::string> argv{program("ccbt"), "--url", one.url(), "--api-key", one.key()};
        argv.insert(argv.end(), words.begin(), words.end());
        return run(argv, milliseconds{20'000});
    };
    ASSERT_EQ(ccbt({"--idempotency-key", key_a, "add", "--paused", magnet(1)}).code, 0);
    ASSERT_EQ(ccbt({"rm", hash_of(1)}).code, 0);
    ASSERT_EQ(count(), 0U);
    auto const again = ccbt({"--idempotency-key", key_a, "add", "--paused", magnet(1)});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(count(), 0U) << "it is not added a second time";
    auto const other = ccbt({"--idempotency-key", key_a, "add", "--paused", magnet(2)});
    EXPECT_NE(other.code, 0);
    EXPECT_THAT(other.err, HasSubstr("that Idempotency-Key was used for another request"));
    EXPECT_EQ(count(), 0U);
}

TEST_F(daemon_idempotency, another_request_under_the_key_is_422_and_changes_nothing) {
    ASSERT_EQ(with("POST", "/torrents/add", key_a, adding(1)).status, 200);
    for (auto const& other :
         {with("POST", "/torrents/add", key_a, adding(2)),
          with("POST", "/torrents/" + hash_of(1) + "/resume", key_a),
          with("DELETE", "/torrents/" + hash_of(1), key_a), with("POST", "/torrents/add", key_a, "{")}) {
        EXPECT_EQ(other.status, 422) << other.body;
        EXPECT_EQ(other.code(), "IDEMPOTENCY_CONFLICT");
        EXPECT_NE(other.header("x-ccbt-revision"), "");
    }
    EXPECT_EQ(count(), 1U);
    EXPECT_EQ(state_of(one.row(hash_of(1))), "paused");
    EXPECT_EQ(with("GET", "/torrents/" + hash_of(1), key_a).status, 200) << "a GET takes no key";
}

TEST_F(daemon_idempotency, a_key_has_16_to_64_characters) {
    for (auto const size : {0U, 1U, 15U, 65U}) {
        auto const said = with("POST", "/torrents/add", std::string(size, 'k'), adding(1));
        EXPECT_EQ(said.status, 400) << size;
        EXPECT_EQ(said.code(), "VALIDATION_ERROR") << size;
        EXPECT_THAT(said.body, HasSubstr(R"("field":"Idempotency-Key")"));
    }
    EXPECT_EQ(count(), 0U);
    EXPECT_EQ(with("POST", "/torrents/add", std::string(16, 'k'), adding(1)).status, 200);
    EXPECT_EQ(with("POST", "/torrents/add", std::string(64, 'k'), adding(2)).status, 200);
}

TEST_F(daemon_idempotency, an_error_is_not_kept) {
    auto const path = "/torrents/" + hash_of(1) + "/resume";
    EXPECT_EQ(with("POST", path, key_a).status, 404);
    ASSERT_EQ(one.post("/torrents/add", adding(1)).status, 200);
    EXPECT_EQ(with("POST", path, key_a).status, 200);
}

TEST_F(daemon_idempotency, a_key_is_its_callers_own_and_a_new_keys_secret_is_not_kept) {
    auto const made = one.post("/keys", R"({"name":"phone","scopes":["add","read"]})");
    ASSERT_EQ(made.status, 200) << made.body;
    auto const mine = with("POST", "/torrents/add", key_a, adding(1));
    ASSERT_EQ(mine.status, 200);
    http_connection other{"127.0.0.1", one.port()};
    auto const theirs = other.ask(
        "POST", "/api/v1/torrents/add",
        {{"Host", "127.0.0.1:" + std::to_string(one.port())},
         {"X-CCBT-API-Key", std::string{made.json.text_or("secret", "")}},
         {"Content-Type", "application/json"},
         {"Idempotency-Key", key_a}},
        adding(2));
    EXPECT_EQ(theirs.status, 200) << theirs.body;
    EXPECT_EQ(theirs.json.text_or("info_hash", ""), hash_of(2));

    auto const refused = with("POST", "/keys", "a-key-for-a-new-key", R"({"name":"tv","scopes":["read"]})");
    EXPECT_EQ(refused.status, 400);
    EXPECT_THAT(refused.body, HasSubstr(R"("field":"Idempotency-Key")"));
    EXPECT_EQ(one.get("/keys").json.list_or_empty("keys").size(), 1U);
    auto const revoked = with("DELETE", "/keys/phone", "revoke-revoke-revoke");
    EXPECT_EQ(revoked.status, 200);
    EXPECT_EQ(with("DELETE", "/keys/phone", "revoke-revoke-revoke").body, revoked.body);
}

TEST_F(daemon_idempotency, lists_queue_and_batches_too) {
    auto const listed = with("POST", "/security/blacklist", key_a, R"({"ip":"10.9.8.7"})");
    ASSERT_EQ(listed.status, 200);
    auto const off = with("DELETE", "/security/blacklist/10.9.8.7", "take-it-off-the-list");
    ASSERT_EQ(off.status, 200);
    EXPECT_EQ(with("POST", "/security/blacklist", key_a, R"({"ip":"10.9.8.7"})").body, listed.body);
    EXPECT_EQ(one.get("/security/blacklist").json.number_or("count", -1), 0);
    EXPECT_EQ(with("DELETE", "/security/blacklist/10.9.8.7", "take-it-off-the-list").body, off.body);

    std::string const two = R"({"torrents":[)" + adding(1) + "," + adding(2) + "," + adding(1) + "]}";
    auto const added = with("POST", "/torrents/batch/add", "add-both-of-them", two);
    ASSERT_EQ(added.status, 200);
    auto const path = "/queue/" + hash_of(1);
    auto const out = with("DELETE", path, "out-of-the-queue");
    ASSERT_EQ(out.status, 200) << out.body;
    std::string const both = R"({"info_hashes":[")" + hash_of(1) + R"(",")" + hash_of(2) + R"(","12"]})";
    auto const gone = with("POST", "/torrents/batch/remove", "remove-both-of-them", both);
    ASSERT_EQ(gone.status, 200);
    one.kill9();
    one.start();
    EXPECT_EQ(with("POST", "/torrents/batch/add", "add-both-of-them", two).body, added.body);
    EXPECT_EQ(with("DELETE", path, "out-of-the-queue").body, out.body);
    EXPECT_EQ(with("POST", "/torrents/batch/remove", "remove-both-of-them", both).body, gone.body);
    EXPECT_EQ(count(), 0U);
}

TEST_F(daemon_idempotency, of_two_at_once_the_second_gets_the_first_ones_answer) {
    for (unsigned n = 1; n <= 10; ++n) {
        std::vector<answer> said(4);
        std::vector<std::thread> all;
        auto const key = "at-the-same-time-" + std::to_string(n);
        for (auto& one_answer : said)
            all.emplace_back([&, n] { one_answer = with("POST", "/torrents/add", key, adding(n)); });
        for (auto& t : all) t.join();
        for (auto const& a : said) {
            EXPECT_EQ(a.status, 200) << a.body;
            EXPECT_EQ(a.body, said[0].body);
        }
        EXPECT_EQ(count(), n);
    }
}

// Killed at any moment after the request was sent. Done or not, the repeat answers as if for the first time, and a
// removal that was done is not answered with 404.
TEST_F(daemon_idempotency, killed_at_any_moment_a_repeat_is_answered_as_the_first_time) {
    std::mt19937 random{7};
    int done_before = 0;
    for (unsigned n = 1; n <= 30; ++n) {
        bool const adds = n % 2 == 1;
        auto const of = adds ? n : n - 1;
        auto const key = "killed-at-any-moment-" + std::to_string(n);
        auto const path = adds ? std::string{"/torrents/add"} : "/torrents/" + hash_of(of);
        auto const* const method = adds ? "POST" : "DELETE";
        auto const body = adds ? adding(of) : std::string{};
        {
            http_connection to{"127.0.0.1", one.port()};
            headers const more{
                {"Host", "127.0.0.1:" + std::to_string(one.port())},
                {"X-CCBT-API-Key", one.key()},
                {"Content-Type", "application/json"},
                {"Idempotency-Key", key}};
            ASSERT_TRUE(to.send(request_text(method, "/api/v1" + path, more, body)));
            std::this_thread::sleep_for(std::chrono::microseconds{random() % 6000}); // the moment is the test
            one.kill9();
        }
        one.start();
        done_before += (one.get("/torrents/" + hash_of(of)).status == 200) == adds ? 1 : 0;
        auto const said = with(method, path, key, body);
        ASSERT_EQ(said.status, 200) << said.body << " in round " << n;
        EXPECT_EQ(
            said.body, adds ? R"({"info_hash":")" + hash_of(of) + R"(","status":"added"})"
                            : std::string{R"({"status":"removed"})"});
        EXPECT_EQ(with(method, path, key, body).body, said.body);
        EXPECT_EQ(count(), adds ? 1U : 0U);
    }
    RecordProperty("done_before_the_kill", done_before);
    EXPECT_GT(done_before, 0) << "no round was killed after its commit: the moments are wrong";
    EXPECT_LT(done_before, 30) << "no round was killed before its commit: the moments are wrong";
}

} // namespace

} // namespace ccbt::support
