// That the lists hold: peers at loopback addresses of their own are refused, cut, not dialled, and let in again.
#include "support/bt_peer.hpp"
#include "support/daemon.hpp"
#include "support/peers.hpp"
#include "support/temp_folder.hpp"
#include "support/tracker.hpp"

#include <charconv>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

namespace ccbt::support {

namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

// A daemon at a known port, with a small torrent that it seeds.
struct daemon_security_enforced : testing::Test {
    temp_folder root{};
    tracker announce{root / "tracker"};
    std::string const here = "127.0.0.2";
    std::uint16_t const port = free_port(here);
    daemon_plan plan{
        .folder = root / "one",
        .interface = here,
        .settings = {{"network.listen_port_tcp", std::to_string(port)}}};
    torrent what{};

    daemon_security_enforced() { make_file(plan.folder / "downloads" / "data", 2 * mib, 1); }
    void seed(daemon const& one, bool announced = false) {
        make(announced);
        one.add(what);
        one.wait_until_seeding(what.hash());
    }
    /// Announced: to the tracker, which names each peer to all, to itself too.
    void make(bool announced) {
        torrent_plan how;
        if (announced) how.trackers = {announce.http()};
        what = make_torrent(plan.folder / "downloads" / "data", how);
        announce.let_in(what.tracker_hashes());
    }
    [[nodiscard]] bt_peer peer(std::string const& from) const { return {from, here, port, what.hash()}; }
    /// Tried until it is: what a change lets in is in at the answer, what a start does is in when it listens.
    [[nodiscard]] bool is_let_in(std::string const& from) const { return peer(from).is_let_in(); }

    static void change(daemon const& on, std::string const& list, std::string const& ip) {
        auto const said = on.post("/security/" + list, R"({"ip":")" + ip + "\"}");
        ASSERT_EQ(said.status, 200) << said.body;
    }
    static void take_back(daemon const& on, std::string const& list, std::string const& ip) {
        auto const said = on.del("/security/" + list + '/' + ip);
        ASSERT_EQ(said.status, 200) << said.body;
    }
    static double blocked(daemon const& of) { return of.metric("ccbt_connections_blocked_total"); }
    static double allowed(daemon const& of) { return of.metric("ccbt_connections_allowed_total"); }
    static std::vector<std::string> peers_of(daemon const& of, std::string const& hash) {
        std::vector<std::string> out;
        auto const said = of.get("/torrents/" + hash + "/peers");
        for (auto const& peer : said.json.list_or_empty("peers")) out.emplace_back(peer.text_or("ip", ""));
        return out;
    }
};

TEST_F(daemon_security_enforced, the_listed_address_is_cut_within_a_second_and_refused_and_others_go_on) {
    daemon const one{plan};
    seed(one);
    auto listed = peer("127.0.0.11"), other = peer("127.0.0.12");
    ASSERT_TRUE(listed.is_let_in());
    ASSERT_TRUE(other.is_let_in());
    change(one, "blacklist", "127.0.0.11");
    EXPECT_TRUE(listed.is_cut(milliseconds{1000}));
    EXPECT_FALSE(is_let_in("127.0.0.11"));
    EXPECT_FALSE(other.is_cut(milliseconds{300}));
    EXPECT_TRUE(is_let_in("127.0.0.13"));
    take_back(one, "blacklist", "127.0.0.11");
    EXPECT_TRUE(is_let_in("127.0.0.11")) << "it may connect again";
    EXPECT_FALSE(other.is_cut(milliseconds{10}));
}

TEST_F(daemon_security_enforced, blocks_and_ranges_hold_to_their_edges_and_the_whitelist_goes_through_them) {
    daemon const one{plan};
    seed(one);
    change(one, "blacklist", "127.0.1.0/24");
    change(one, "blacklist", "127.0.2.10-127.0.2.12");
    for (auto const* const ip :
         {"127.0.1.1", "127.0.1.128", "127.0.1.254", "127.0.2.10", "127.0.2.11", "127.0.2.12"})
        EXPECT_FALSE(is_let_in(ip)) << ip;
    for (auto const* const ip : {"127.0.0.254", "127.0.2.1", "127.0.2.9", "127.0.2.13"})
        EXPECT_TRUE(is_let_in(ip)) << ip;
    change(one, "whitelist", "127.0.1.128");
    EXPECT_TRUE(is_let_in("127.0.1.128"));
    EXPECT_FALSE(is_let_in("127.0.1.127"));
    auto friendly = peer("127.0.1.128");
    ASSERT_TRUE(friendly.is_let_in());
    take_back(one, "whitelist", "127.0.1.128");
    EXPECT_TRUE(friendly.is_cut(milliseconds{1000})) << "and refused again";
    EXPECT_FALSE(is_let_in("127.0.1.128"));
}

TEST_F(daemon_security_enforced, ipv6_is_held_to_as_well) {
    plan.interface = "::1";
    auto const listens = free_port("127.0.0.1");
    plan.settings["network.listen_port_tcp"] = std::to_string(listens);
    plan.settings["network.enable_ipv6"] = "true";
    daemon const one{plan};
    seed(one);
    auto const dial = [&] { return bt_peer{"::1", "::1", listens, what.hash()}; };
    auto before = dial();
    ASSERT_TRUE(before.is_let_in());
    change(one, "blacklist", "127.0.0.0/8");
    change(one, "blacklist", "::/127");
    EXPECT_TRUE(before.is_cut(milliseconds{1000}));
    EXPECT_FALSE(dial().is_let_in());
    change(one, "whitelist", "0:0::1");
    EXPECT_TRUE(dial().is_let_in());
}

TEST_F(daemon_security_enforced, connections_are_counted_as_they_are_refused_cut_and_let_through) {
    daemon const one{plan};
    seed(one);
    auto const is = [&](double (*of)(daemon const&), double wanted) {
        auto const became = eventually(milliseconds{10'000}, [&] { return of(one) == wanted; });
        EXPECT_EQ(of(one), wanted);
        return became;
    };
    ASSERT_TRUE(is(blocked, 0));
    auto first = peer("127.0.0.11"), second = peer("127.0.0.12");
    ASSERT_TRUE(first.is_let_in());
    ASSERT_TRUE(second.is_let_in());
    EXPECT_TRUE(is(allowed, 2));
    change(one, "blacklist", "127.0.0.11");
    ASSERT_TRUE(first.is_cut(milliseconds{1000}));
    EXPECT_TRUE(is(blocked, 1)) << "the one that was cut";
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(is_let_in("127.0.0.11"));
    EXPECT_TRUE(is(blocked, 4)) << "each refused connection is one, of one address too";
    EXPECT_EQ(allowed(one), 2);
    EXPECT_TRUE(is_let_in("127.0.0.13"));
    EXPECT_TRUE(is(allowed, 3));
    EXPECT_EQ(blocked(one), 4);
}

TEST_F(daemon_security_enforced, the_lists_are_in_force_before_the_port_is_open_after_a_restart_and_a_kill) {
    daemon one{plan};
    seed(one);
    change(one, "blacklist", "127.0.0.0/8");
    change(one, "whitelist", "127.0.0.12");
    ASSERT_TRUE(is_let_in("127.0.0.12"));
    for (bool const killed : {false, true}) {
        if (killed)
            one.kill9();
        else
            ASSERT_EQ(one.terminate(), 0);
        // Dials from before the start until after it: not one gets through.
        std::atomic<bool> over = false;
        std::atomic<int> dialled = 0, let_in = 0;
        std::jthread const stranger{[&] {
            while (!over) {
                try {
                    let_in += is_let_in("127.0.0.11") ? 1 : 0;
                    ++dialled;
                } catch (std::system_error const&) {
                    std::this_thread::yield(); // nobody listens yet
                }
            }
        }};
        one.start();
        one.wait_until_seeding(what.hash());
        EXPECT_TRUE(eventually(milliseconds{10'000}, [&] { return dialled > 5; }));
        EXPECT_TRUE(is_let_in("127.0.0.12")) << "the whitelist holds too";
        over = true;
        EXPECT_EQ(let_in, 0);
    }
}

TEST_F(daemon_security_enforced, a_listed_peer_that_the_tracker_names_is_not_dialled_until_it_is_taken_off) {
    make(true);
    plan.folder = root / "leecher"; // it has nothing, and so dials
    bt_listener const listed{"127.0.0.11"}, other{"127.0.0.12"};
    announce.announce(what.hash(), "127.0.0.11", listed.port());
    announce.announce(what.hash(), "127.0.0.12", other.port());
    daemon const one{plan};
    change(one, "blacklist", "127.0.0.11");
    one.add(what);
    EXPECT_TRUE(other.is_dialled(milliseconds{20'000}));
    EXPECT_TRUE(eventually(milliseconds{10'000}, [&] { return blocked(one) >= 1; }))
        << "it was named, and refused";
    EXPECT_FALSE(listed.is_dialled(milliseconds{0}));
    take_back(one, "blacklist", "127.0.0.11");
    // The tracker is asked anew when a torrent starts.
    ASSERT_EQ(one.post("/torrents/" + what.hash() + "/pause").status, 200);
    ASSERT_EQ(one.post("/torrents/" + what.hash() + "/resume").status, 200);
    EXPECT_TRUE(listed.is_dialled(milliseconds{20'000}));
}

TEST_F(daemon_security_enforced, of_two_downloads_the_listed_one_stops_and_the_other_gets_all) {
    plan.settings["limits.global_up_kib"] = "400";
    daemon const one{plan};
    seed(one, true);
    daemon_plan slow{.folder = root / "two", .interface = "127.0.0.3"};
    daemon const two{slow};
    change(two, "blacklist", "127.0.0.4"); // so that the two do not help each other
    two.add(what);
    aria2 third{{.folder = root / "three", .address = "127.0.0.4", .of = &what, .plays = part::downloads}};
    two.wait_for(what.hash(), [](value const& row) { return row.number_or("downloaded", 0) > 0; });
    ASSERT_TRUE(eventually(milliseconds{20'000}, [&] { return peers_of(one, what.hash()).size() == 2; }));
    change(one, "blacklist", "127.0.0.3");
    EXPECT_TRUE(eventually(milliseconds{1000}, [&] {
        return peers_of(one, what.hash()) == std::vector<std::string>{"127.0.0.4"};
    }));
    third.wait_until_complete(milliseconds{40'000});
    EXPECT_EQ(sha256_of(third.files() / "data"), sha256_of(plan.folder / "downloads" / "data"));
    EXPECT_LT(two.row(what.hash()).number_or("progress", 1), 1) << "it got no more from us";
    take_back(one, "blacklist", "127.0.0.3");
    ASSERT_EQ(two.post("/torrents/" + what.hash() + "/pause").status, 200);
    ASSERT_EQ(two.post("/torrents/" + what.hash() + "/resume").status, 200);
    two.wait_until_seeding(what.hash());
}

} // namespace

} // namespace ccbt::support
