// Addresses that are blocked: cut, refused, let in again, and in force before anything listens.
#include "base/net.hpp"
#include "engine/lt_engine_test.hpp"

namespace {

using namespace ccbt;
using namespace ccbt::engine::testing;
using namespace ccbt::test_engines;
using namespace std::chrono_literals;
using contract::torrent_state;

std::shared_ptr<ip_range_set const> ranges(std::vector<char const*> const& texts) {
    std::vector<ip_range> all;
    for (auto const* text : texts) all.push_back(*ip_range::parse(text));
    return std::make_shared<ip_range_set const>(std::move(all));
}

bool block(side& s, std::vector<char const*> const& texts) {
    bool told = false;
    s.it->block_addresses(ranges(texts), [&told] { told = true; });
    return until([&told] { return told; });
}

// A seed and two that download from it.
struct blocked_addresses : lt_engine {
    static void slow(contract::settings& s) { s.limits.global_down_kib = 16; } // so that they stay connected

    std::string const torrent = make_torrent(payload, kind::v1);
    side seed{"127.0.0.2"}, leech{"127.0.0.3", slow}, other{"127.0.0.4", slow};
    temporary_folder other_dir;

    bool connects() {
        seeds(seed, torrent);
        leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
        other.it->ask(wish_for(id, torrent, other_dir.path()), load_of(torrent));
        return leech.dial(id, seed) && other.dial(id, seed) &&
               until([&] { return seed.seen[id].num_peers == 2; });
    }
};

TEST_F(blocked_addresses, are_cut_refused_and_let_in_again) {
    ASSERT_TRUE(connects());
    EXPECT_TRUE(until([&] { return seed.session.allowed_connections >= 2; }));
    EXPECT_EQ(seed.session.blocked_connections, 0);

    ASSERT_TRUE(block(seed, {"127.0.0.3"}));
    EXPECT_TRUE(until([&] { return seed.seen[id].num_peers == 1; }, 3s)) << "cut";
    EXPECT_TRUE(until([&] { return seed.session.blocked_connections >= 1; }));
    auto const cut = seed.session.blocked_connections;
    auto const let_in = seed.session.allowed_connections;
    ASSERT_TRUE(leech.dial(id, seed));
    EXPECT_TRUE(until([&] { return seed.session.blocked_connections > cut; })) << "refused";
    EXPECT_EQ(seed.session.allowed_connections, let_in) << "a refused one is not let through";
    auto const refused = seed.session.blocked_connections;
    ASSERT_TRUE(seed.dial(id, leech));
    EXPECT_TRUE(until([&] { return seed.session.blocked_connections > refused; })) << "not dialled";
    EXPECT_EQ(seed.seen[id].num_peers, 1);

    ASSERT_TRUE(block(seed, {"127.0.0.9"}));
    leech.restart(); // without the failures that libtorrent makes a known peer wait for
    leech.it->ask(wish_for(id, torrent, leech_dir.path()), load_of(torrent));
    ASSERT_TRUE(leech.dial(id, seed));
    EXPECT_TRUE(until([&] { return seed.seen[id].num_peers == 2; }, 20s)) << "let in again";
}

TEST_F(blocked_addresses, listed_beside_two_million_ranges_is_cut_within_a_second) {
    ASSERT_TRUE(connects());
    std::vector<ip_range> many;
    for (std::uint32_t i = 0; i < 2'000'000; ++i)
        many.push_back({ip_address::v4(0x80000000 + i * 1000), ip_address::v4(0x80000000 + i * 1000 + 500)});
    auto const huge = ip_range_set{many};
    auto const with_one = std::make_shared<ip_range_set const>(huge.united_with(*ranges({"127.0.0.3"})));
    bool told = false;
    auto const began = std::chrono::steady_clock::now();
    auto const since = [&] { return std::chrono::steady_clock::now() - began; };
    seed.it->block_addresses(with_one, [&told] { told = true; });
    auto const connected = [&] {
        std::optional<std::string> ips;
        seed.it->peers(id, [&ips](contract::result<std::vector<contract::peer>> all) {
            ips.emplace();
            for (auto const& one : *all) *ips += one.ip + ' ';
        });
        EXPECT_TRUE(until([&] { return ips.has_value(); }));
        return *ips;
    };
    EXPECT_TRUE(until([&] { return connected() == "127.0.0.4 "; }));
    EXPECT_LT(since(), 1s);
    EXPECT_FALSE(told) << "libtorrent's own filter takes longer";
    ASSERT_TRUE(until([&] { return told; }, 30s));
    RecordProperty("in_force_after_ms", static_cast<int>(since() / 1ms));
    EXPECT_EQ(connected(), "127.0.0.4 ");
    EXPECT_TRUE(until([&] { return seed.session.blocked_connections >= 1; }));
}

TEST_F(lt_engine, one_that_awaits_its_block_list_neither_listens_nor_takes_torrents_in_before) {
    auto const torrent = make_torrent(payload, kind::v1);
    auto s = side{"127.0.0.2", {}, 200'000, true};
    s.it->ask(wish_for(id, torrent, seed_dir.path()), load_of(torrent));
    s.it->configure(s.settings);
    EXPECT_TRUE(until([&] { return s.told_of_session >= 2; })) << "it turns";
    EXPECT_EQ(s.it->listen_port(), 0);
    EXPECT_FALSE(s.seen.contains(id));
    EXPECT_EQ(s.caught_up, 0);
    EXPECT_EQ(s.it->backlog(), 1U) << "it waits, as all that is handed over does";
    ASSERT_TRUE(block(s, {"127.0.0.3"}));
    EXPECT_TRUE(s.listens());
    EXPECT_TRUE(s.reaches(id, torrent_state::seeding));
    EXPECT_TRUE(until([&] { return s.caught_up == 1; }));
    EXPECT_EQ(s.it->backlog(), 0U);
}

} // namespace
