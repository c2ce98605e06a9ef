#include "server/authority.hpp"

#include "base/text.hpp"
#include "contract/signature.hpp"

#include <gtest/gtest.h>

namespace ccbt::server {
namespace {

using contract::scope;
using std::chrono::seconds;

std::string name_of(authority::verdict const& v) {
    return v ? "passed" : std::string{contract::row_of(v.error().why).name};
}

class keys : public ::testing::Test {
protected:
    keys() { all.trust_key("secret", "configured"); }
    authority all;
    moment now{steady::time_point{seconds{1000}}, 1'700'000'000};
    [[nodiscard]] moment later(int s) const { return {now.steady_now + seconds{s}, now.unix_now + s}; }
};

TEST_F(keys, the_right_key_passes_and_has_its_name) {
    auto const v = all.check("secret", "10.0.0.1", now);
    ASSERT_TRUE(v);
    EXPECT_TRUE(v->who.is_admin);
    EXPECT_EQ(v->who.principal, "configured");
    for (auto const& [one, name] : contract::names_of<scope>) EXPECT_TRUE(v->who.scopes.has(one)) << name;
}

TEST_F(keys, a_wrong_key_is_refused) {
    for (auto const* key : {"", "secre", "secrets", "Secret"})
        EXPECT_EQ(name_of(all.check(key, key, now)), "AUTH_REQUIRED") << key;
}

TEST_F(keys, an_empty_key_is_trusted_by_no_configuration) {
    authority none;
    none.trust_key("", "empty");
    EXPECT_FALSE(none.check("", "10.0.0.1", now));
}

TEST_F(keys, the_eleventh_wrong_key_of_a_minute_is_slowed) {
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(name_of(all.check("wrong", "10.0.0.1", later(i))), "AUTH_REQUIRED");
    auto const v = all.check("wrong", "10.0.0.1", later(20));
    EXPECT_EQ(name_of(v), "RATE_LIMITED");
    EXPECT_EQ(v.error().retry_after, 41) << "the first of them is forgotten after 60 s";
    EXPECT_EQ(name_of(all.check("wrong", "10.0.0.2", now)), "AUTH_REQUIRED") << "another source";
    EXPECT_EQ(name_of(all.check("wrong", "10.0.0.1", later(61))), "AUTH_REQUIRED");
}

TEST_F(keys, a_valid_key_passes_however_many_wrong_ones_came_before) {
    for (int i = 0; i < 50; ++i) (void)all.check("wrong", "10.0.0.1", now);
    EXPECT_TRUE(all.check("secret", "10.0.0.1", now));
}

TEST_F(keys, no_key_at_all_is_no_guess) {
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(name_of(all.check(std::nullopt, "10.0.0.1", now)), "AUTH_REQUIRED");
    EXPECT_EQ(name_of(all.check("wrong", "10.0.0.1", now)), "AUTH_REQUIRED");
}

TEST_F(keys, many_sources_are_remembered_within_a_bound) {
    for (int i = 0; i < 10'000; ++i) (void)all.check("wrong", std::to_string(i), now);
    EXPECT_TRUE(all.check("secret", "1", now));
    EXPECT_LE(all.sources(), 4096U);
}

TEST_F(keys, of_the_store_pass_with_their_scopes_until_they_end) {
    contract::key_ring ring;
    all.ask(ring);
    contract::access_key key{.name = "reader", .id = crypto::sha256("s3cret"), .scopes = {scope::read}};
    key.expires_at = now.unix_now + 10;
    ring.put(key);
    auto const v = all.check("s3cret", "1", now);
    ASSERT_TRUE(v);
    EXPECT_EQ(v->who.principal, "reader");
    EXPECT_FALSE(v->who.is_admin);
    EXPECT_TRUE(v->who.scopes.has(scope::read));
    EXPECT_FALSE(v->who.scopes.has(scope::add));
    EXPECT_EQ(ring.find("reader")->last_used, now.unix_now);
    EXPECT_TRUE(all.holds(*v, now.unix_now + 9));
    EXPECT_FALSE(all.holds(*v, now.unix_now + 10));
    EXPECT_EQ(name_of(all.check("s3cret", "1", later(10))), "AUTH_REQUIRED") << "it has ended";
    key.scopes = {scope::read, scope::add};
    ring.put(key);
    EXPECT_FALSE(all.holds(*v, now.unix_now)) << "it has other scopes";
    ring.drop("reader");
    EXPECT_EQ(name_of(all.check("s3cret", "1", now)), "AUTH_REQUIRED");
    EXPECT_FALSE(all.check(text::to_hex(key.id), "1", now)) << "what is kept is no key";
}

class signed_requests : public keys {
protected:
    crypto::secret_key const secret = crypto::sha256("a seed");
    crypto::public_key const known = crypto::public_key_of(secret).value();
    std::string const target = "/api/v1/torrents/add?x=1", body = R"({"path_or_magnet":"m"})";

    signed_requests() {
        all.trust_signer(known);
        all.begins_at(now.unix_now - 1000);
    }

    struct sent {
        std::string by, timestamp, signature;
    };
    [[nodiscard]] sent sign(std::string const& timestamp, crypto::secret_key const& with) const {
        auto const covered = contract::signed_text("POST", target, timestamp, crypto::sha256(body));
        return {
            text::to_hex(crypto::public_key_of(with).value()), timestamp,
            text::to_hex(crypto::sign(with, covered).value())};
    }
    [[nodiscard]] sent sign(std::string const& timestamp = "1700000000") const {
        return sign(timestamp, secret);
    }
    std::string ask(
        sent const& what, std::string_view method, std::string_view at, std::string_view with,
        std::optional<moment> when = {}) {
        auto const source = std::to_string(++sources); // none of them is slowed
        auto const at_which = when.value_or(now);
        auto const claim = all.read({what.by, what.timestamp, what.signature}, source, at_which);
        if (!claim) return std::string{contract::row_of(claim.error().why).name};
        std::array const texts{contract::signed_text(method, at, what.timestamp, crypto::sha256(with))};
        return name_of(all.verify(*claim, texts, source, at_which));
    }
    std::string ask(sent const& what, std::optional<moment> when = {}) {
        return ask(what, "POST", target, body, when);
    }
    int sources = 0;
};

TEST_F(signed_requests, pass_once) {
    auto const one = sign();
    EXPECT_EQ(ask(one), "passed");
    EXPECT_EQ(ask(one), "AUTH_REQUIRED");
    auto upper = one;
    for (auto& c : upper.signature) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(ask(upper), "AUTH_REQUIRED") << "the same signature in other letters";
    EXPECT_EQ(ask(sign("1700000000.1")), "passed") << "another timestamp is another signature";
    EXPECT_EQ(ask(one, later(300)), "AUTH_REQUIRED");
    EXPECT_EQ(ask(one, later(100'000)), "AUTH_REQUIRED");
}

TEST_F(signed_requests, of_a_configured_key_are_admin) {
    auto const one = sign();
    auto const claim = all.read({one.by, one.timestamp, one.signature}, "1", now);
    ASSERT_TRUE(claim);
    std::array const texts{contract::signed_text("POST", target, one.timestamp, crypto::sha256(body))};
    auto const v = all.verify(*claim, texts, "1", now);
    ASSERT_TRUE(v);
    EXPECT_TRUE(v->who.is_admin);
    EXPECT_EQ(v->who.principal, "signature:" + text::to_hex(known));
}

TEST_F(signed_requests, cover_method_target_query_and_body) {
    auto const one = sign();
    EXPECT_EQ(ask(one, "PUT", target, body), "AUTH_REQUIRED");
    EXPECT_EQ(ask(one, "POST", "/api/v1/torrents/add?x=2", body), "AUTH_REQUIRED");
    EXPECT_EQ(ask(one, "POST", "/api/v1/torrents/add", body), "AUTH_REQUIRED");
    EXPECT_EQ(ask(one, "POST", "/api/v1/torrents/other?x=1", body), "AUTH_REQUIRED");
    EXPECT_EQ(ask(one, "POST", target, body + ' '), "AUTH_REQUIRED");
    EXPECT_EQ(ask(one, "POST", target, ""), "AUTH_REQUIRED");
    EXPECT_EQ(ask(one), "passed") << "what failed did not use it up";
}

TEST_F(signed_requests, are_refused_with_one_flipped_digit_anywhere) {
    auto const flip = [](char& c) { c = c == '0' ? '1' : '0'; };
    for (std::size_t at = 0; at < 128; ++at) {
        auto other = sign();
        flip(other.signature[at]);
        EXPECT_EQ(ask(other), "AUTH_REQUIRED") << at;
    }
    for (std::size_t at = 0; at < 64; ++at) {
        auto other = sign();
        flip(other.by[at]);
        EXPECT_EQ(ask(other), "AUTH_REQUIRED") << at;
    }
    auto other = sign();
    other.timestamp.back() = '1';
    EXPECT_EQ(ask(other), "AUTH_REQUIRED");
    for (auto const part : {&sent::by, &sent::timestamp, &sent::signature}) {
        auto cut = sign();
        (cut.*part).pop_back();
        EXPECT_EQ(ask(cut), "AUTH_REQUIRED");
        (cut.*part).clear();
        EXPECT_EQ(ask(cut), "AUTH_REQUIRED");
    }
}

TEST_F(signed_requests, of_a_stranger_are_refused) {
    EXPECT_EQ(ask(sign("1700000000", crypto::sha256("another seed"))), "AUTH_REQUIRED");
}

TEST_F(signed_requests, are_taken_within_300_seconds_and_not_from_before_the_start) {
    EXPECT_EQ(ask(sign("1699999700")), "passed");
    EXPECT_EQ(ask(sign("1699999699.9")), "AUTH_REQUIRED");
    EXPECT_EQ(ask(sign("1700000300")), "passed");
    EXPECT_EQ(ask(sign("1700000300.1")), "AUTH_REQUIRED");
    all.begins_at(now.unix_now - 10);
    EXPECT_EQ(ask(sign("1699999990")), "passed");
    EXPECT_EQ(ask(sign("1699999989.9")), "AUTH_REQUIRED");
    for (auto const* wrong : {"+1700000000", " 1700000000", "1.7e9", "01700000000", "nan", "0x6553f100"})
        EXPECT_EQ(ask(sign(wrong)), "AUTH_REQUIRED") << wrong;
}

TEST_F(signed_requests, are_looked_at_again_when_their_body_is_here) {
    auto const one = sign("1699999700");
    auto const claim = all.read({one.by, one.timestamp, one.signature}, "1", now);
    ASSERT_TRUE(claim);
    std::array const texts{contract::signed_text("POST", target, one.timestamp, crypto::sha256(body))};
    EXPECT_EQ(name_of(all.verify(*claim, texts, "1", later(1))), "AUTH_REQUIRED") << "the body took too long";
}

TEST_F(signed_requests, of_a_revoked_key_are_refused) {
    contract::key_ring ring;
    authority others;
    others.ask(ring);
    others.begins_at(0);
    contract::access_key key{.name = "laptop", .signs = true, .id = known, .scopes = {scope::add}};
    ring.put(key);
    auto const one = sign();
    auto const claim = others.read({one.by, one.timestamp, one.signature}, "1", now);
    ASSERT_TRUE(claim);
    std::array const texts{contract::signed_text("POST", target, one.timestamp, crypto::sha256(body))};
    ring.drop("laptop");
    EXPECT_EQ(name_of(others.verify(*claim, texts, "1", now)), "AUTH_REQUIRED") << "while its body came";
    ring.put(key);
    auto const v = others.verify(*claim, texts, "1", now);
    ASSERT_TRUE(v);
    EXPECT_EQ(v->who.principal, "laptop");
    EXPECT_FALSE(v->who.is_admin);
    EXPECT_FALSE(others.check(one.by, "1", now)) << "its public key is no API key";
}

TEST_F(signed_requests, count_as_guesses_where_they_are_wrong) {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(all.read({"", "", ""}, "1", now).error().retry_after, 0);
    auto const slowed = all.read({"", "", ""}, "1", now);
    EXPECT_EQ(contract::row_of(slowed.error().why).name, "RATE_LIMITED");
    auto const one = sign();
    EXPECT_TRUE(all.read({one.by, one.timestamp, one.signature}, "1", now)) << "a good one passes";
}

TEST(replays, are_remembered_within_a_bound_and_refused_where_it_is_full) {
    replay_memory seen{8};
    crypto::public_key const a{1}, b{2};
    auto const made = [](int n) { return crypto::signature{static_cast<std::uint8_t>(n)}; };
    EXPECT_EQ(seen.take(a, made(1), 1000, 1000), replay_memory::said::fresh);
    EXPECT_EQ(seen.take(a, made(2), 1001.5, 1001), replay_memory::said::fresh);
    EXPECT_EQ(seen.take(a, made(3), 1002, 1002), replay_memory::said::full) << "a quarter for one signer";
    EXPECT_EQ(seen.take(b, made(3), 1002, 1002), replay_memory::said::fresh);
    EXPECT_EQ(seen.take(a, made(1), 1000, 1002), replay_memory::said::seen)
        << "what is known is not forgotten";
    EXPECT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen.take(a, made(3), 1302, 1302), replay_memory::said::fresh)
        << "the first is out of the window";
    EXPECT_EQ(seen.take(a, made(1), 1000, 1302), replay_memory::said::seen) << "forgotten, and still refused";
    EXPECT_EQ(seen.size(), 3U);
    replay_memory small{4};
    for (int n = 0; n < 4; ++n)
        EXPECT_EQ(
            small.take({static_cast<std::uint8_t>(n)}, made(n), 1000, 1000), replay_memory::said::fresh);
    EXPECT_EQ(small.take({9}, made(9), 1000, 1000), replay_memory::said::full);
}

TEST(replays, are_seen_after_the_clock_was_set_back) {
    replay_memory seen;
    EXPECT_EQ(seen.take({1}, {1}, 1000, 1000), replay_memory::said::fresh);
    EXPECT_EQ(seen.take({1}, {2}, 5000, 5000), replay_memory::said::fresh) << "the clock was wrong";
    EXPECT_EQ(seen.take({1}, {1}, 1000, 1000), replay_memory::said::seen);
    EXPECT_EQ(seen.take({1}, {3}, 1100, 1100), replay_memory::said::fresh);
}

} // namespace
} // namespace ccbt::server
