// GET /torrents/{ih}/peers: each torrent's own, with what they truly move.
#include "client/client.hpp"
#include "swarm/swarm.hpp"

#include <array>
#include <thread>

namespace ccbt::support {

namespace {

using testing::AnyOf;
using testing::Each;
using clock = std::chrono::steady_clock;

std::vector<contract::peer> peers_of(daemon const& of, std::string const& hash) {
    client::client by{{.url = of.url(), .api_key = of.key()}};
    auto told = by.get_peers_for_torrent(hash);
    if (!told) throw std::runtime_error(told.error().message);
    EXPECT_EQ(told->info_hash, hash);
    EXPECT_EQ(told->count, static_cast<std::int64_t>(told->peers.size()));
    return told->peers;
}

/// The only peer of it, once it has said who it is and what it has.
contract::peer peer_of(daemon const& of, std::string const& hash) {
    std::vector<contract::peer> found;
    of.wait_for(hash, [&](value const& row) {
        if (row.number_or("num_peers", 0) > 0) found = peers_of(of, hash);
        return !found.empty() && found[0].is_seed && found[0].client.value_or("").starts_with("ccbtd");
    });
    EXPECT_EQ(found.size(), 1U);
    return found.front();
}

TEST(torrent_extended_peers, each_torrent_has_its_own_with_the_rates_that_are_moved) {
    swarm in;
    make_file(in.root / "second" / "downloads" / "b", 64 * mib, 2);
    make_file(in.data("a"), 64 * mib, 1);
    auto const a = in.torrent_of(in.data("a"), {.piece_size = 1 << 18});
    auto const b = in.torrent_of(in.root / "second" / "downloads" / "b", {.piece_size = 1 << 18});
    daemon const first{in.seeder()};
    daemon const second{{.folder = in.root / "second", .interface = "127.0.0.4"}};
    first.add(a);
    second.add(b);
    first.wait_until_seeding(a.hash());
    second.wait_until_seeding(b.hash());
    daemon const leecher{in.leecher({{"limits.per_torrent_down_kib", "3072"}})};
    leecher.add(a);
    leecher.add(b);

    auto const of_a = peer_of(leecher, a.hash()), of_b = peer_of(leecher, b.hash());
    EXPECT_EQ(of_a.ip, "127.0.0.2");
    EXPECT_EQ(of_b.ip, "127.0.0.4");
    for (auto const& peer : {of_a, of_b}) {
        EXPECT_EQ(peer.client.value_or("").substr(0, 6), "ccbtd/");
        EXPECT_EQ(peer.progress, 1.0);
        EXPECT_TRUE(peer.is_seed);
        EXPECT_THAT(peer.direction, AnyOf("in", "out"));
        EXPECT_EQ(peer.transport, "tcp");
        EXPECT_EQ(peer.encryption, "none");
        EXPECT_FALSE(peer.encrypted);
        EXPECT_THAT(peer.source, Each(AnyOf("tracker", "incoming")));
        EXPECT_FALSE(peer.source.empty());
        EXPECT_EQ(peer.uploaded, 0);
        EXPECT_EQ(peer.hash_failures, 0);
    }
    leecher.wait_for(a.hash(), [](value const& row) { return row.number_or("download_rate", 0) > 2e6; });

    // What each end tells, look by look, against what it has itself counted over some of the seconds before: the two ends'
    // counts differ by what lies in the buffers between them, and no flow is even on a busy machine.
    struct end {
        daemon const& asked;
        std::int64_t contract::peer::*count;
        double contract::peer::*rate;
        contract::peer last{};
        std::vector<std::pair<clock::time_point, std::int64_t>> counted{};
    };
    std::array ends{
        end{leecher, &contract::peer::downloaded, &contract::peer::download_rate},
        end{first, &contract::peer::uploaded, &contract::peer::upload_rate}};
    constexpr std::chrono::milliseconds between{700};
    for (int look = 0; look < 10; ++look) {
        for (auto& one : ends) {
            auto const listed = peers_of(one.asked, a.hash());
            ASSERT_EQ(listed.size(), 1U);
            one.last = listed[0];
            one.counted.emplace_back(clock::now(), one.last.*one.count);
            if (look < 6) continue; // the first rates are those of the engine
            double least = 1e12, most = 0;
            for (auto const& [when, count] : one.counted) {
                std::chrono::duration<double> const span = one.counted.back().first - when;
                if (span < 3 * between || span > 6 * between + between / 2) continue;
                auto const moved = static_cast<double>(one.counted.back().second - count) / span.count();
                least = std::min(least, moved);
                most = std::max(most, moved);
            }
            EXPECT_GT(least, 2e6);
            EXPECT_GT(one.last.*one.rate, least * 0.9);
            EXPECT_LT(one.last.*one.rate, most * 1.1);
        }
        std::this_thread::sleep_for(between); // time is what is measured
    }
    auto const& received = ends[0].last;
    auto const& sent = ends[1].last;
    EXPECT_FALSE(received.choked);
    EXPECT_GT(received.requests_sent, 0);
    EXPECT_EQ(sent.ip, "127.0.0.3");
    EXPECT_EQ(sent.downloaded, 0);
    EXPECT_NEAR(static_cast<double>(sent.uploaded), static_cast<double>(received.downloaded), 4e6);
    EXPECT_LT(sent.progress, 1.0);
    EXPECT_FALSE(sent.is_seed);
    EXPECT_EQ(leecher.get("/torrents/" + std::string(40, 'a') + "/peers").code(), "TORRENT_NOT_FOUND");
    EXPECT_EQ(leecher.get("/torrents/xyz/peers").code(), "INVALID_INFO_HASH");
}

TEST(torrent_extended_peers, who_is_choked_is_told_and_an_encrypted_stream_too) {
    swarm in;
    make_file(in.data("one slot"), 48 * mib, 1);
    auto const what = in.torrent_of(in.data("one slot"), {.piece_size = 1 << 18});
    std::map<std::string, std::string> const secret{
        {"security.enable_encryption", "true"}, {"security.encryption_mode", "\"required\""}};
    auto open_handed = secret;
    open_handed["network.max_upload_slots"] = "1";
    open_handed["limits.per_torrent_up_kib"] = "1024";
    daemon const seeder{in.seeder(open_handed)};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    daemon const one{in.leecher(secret)};
    daemon const two{{.folder = in.root / "two", .interface = "127.0.0.4", .settings = secret}};
    one.add(what);
    two.add(what);
    auto told = one.events({"torrents_changed"});
    auto const of_seeder = [&](daemon const& asked) {
        for (auto const& peer : peers_of(asked, what.hash()))
            if (peer.ip == "127.0.0.2") return std::optional{peer};
        return std::optional<contract::peer>{};
    };
    deadline const until{milliseconds{20'000}};
    std::optional<contract::peer> a, b;
    do {
        a = of_seeder(one);
        b = of_seeder(two);
        if (a && b && a->choked != b->choked) break;
    } while (told.next(until));
    ASSERT_TRUE(a && b);
    EXPECT_NE(a->choked, b->choked) << "there is one slot";
    for (auto const& peer : {*a, *b}) {
        EXPECT_EQ(peer.encryption, "handshake");
        EXPECT_TRUE(peer.encrypted);
        EXPECT_NE(peer.flags.find('E'), std::string::npos);
    }
}

} // namespace

} // namespace ccbt::support
