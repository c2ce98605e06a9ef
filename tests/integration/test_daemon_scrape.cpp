// POST /scrape/{ih}: what the trackers say of the swarm; and the answers that are kept.
#include "client/client.hpp"
#include "support/http_tracker.hpp"
#include "swarm/swarm.hpp"

#include <future>

namespace ccbt::support {

namespace {

using testing::HasSubstr;
using testing::Not;

struct daemon_scrape : testing::Test {
    temp_folder root{};
    http_tracker tracks{};
    daemon one{{.folder = root / "one"}};

    torrent adds(std::string const& name, std::vector<std::string> trackers, bool paused = true) {
        make_file(root / "data" / name, 100'000, std::hash<std::string>{}(name));
        auto made = make_torrent(root / "data" / name, {.trackers = std::move(trackers)});
        one.add(made, paused);
        return made;
    }
    [[nodiscard]] answer scrape(torrent const& what, std::string_view body = {}) const {
        return one.post("/scrape/" + what.hash(), body);
    }
    static void expect(answer const& said, double seeders, double leechers, double completed, double times) {
        ASSERT_EQ(said.status, 200) << said.body;
        EXPECT_EQ(said.json.number_or("seeders", -1), seeders);
        EXPECT_EQ(said.json.number_or("leechers", -1), leechers);
        EXPECT_EQ(said.json.number_or("completed", -1), completed);
        EXPECT_EQ(said.json.number_or("scrape_count", -1), times);
    }
};

std::string nobody() { return "http://127.0.0.1:" + std::to_string(free_port()) + "/announce"; }

TEST_F(daemon_scrape, asks_the_tracker_once_and_again_only_where_that_is_forced) {
    auto const what = adds("paused", {tracks.url()});
    auto const none = one.get("/scrape/" + what.hash());
    EXPECT_EQ(none.status, 404);
    EXPECT_EQ(none.code(), "SCRAPE_NOT_FOUND");
    EXPECT_EQ(to_text(one.get("/scrape").json), R"({"results":[]})");

    auto const first = scrape(what);
    expect(first, 5, 8, 20, 1);
    EXPECT_EQ(first.json.text_or("info_hash", ""), what.hash());
    EXPECT_GT(first.json.number_or("last_scrape_time", 0), 1.6e9);
    expect(scrape(what), 5, 8, 20, 1);
    EXPECT_EQ(tracks.scrapes(), 1U);
    expect(scrape(what, R"({"force":true})"), 5, 8, 20, 2);
    EXPECT_EQ(tracks.scrapes(), 2U);
    EXPECT_EQ(tracks.count(what.hash()), 0U) << "it is paused: nothing was announced";

    expect(one.get("/scrape/" + what.hash()), 5, 8, 20, 2);
    auto const listed = one.get("/scrape").json.list_or_empty("results");
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0].text_or("info_hash", ""), what.hash());
    EXPECT_EQ(tracks.scrapes(), 2U);

    client::client asks{{.url = one.url(), .api_key = one.key()}};
    EXPECT_EQ(asks.scrape_torrent(what.hash(), true)->scrape_count, 3);
    EXPECT_EQ(asks.get_scrape_result(what.hash())->seeders, 5);
    EXPECT_EQ(asks.list_scrape_results()->size(), 1U);
    EXPECT_FALSE(asks.get_xet_protocol()->enabled);
    EXPECT_EQ(asks.get_ipfs_protocol()->status, "not_available");

    ASSERT_EQ(one.del("/torrents/" + what.hash()).status, 200);
    EXPECT_EQ(one.get("/scrape/" + what.hash()).code(), "SCRAPE_NOT_FOUND");
    EXPECT_EQ(scrape(what).code(), "TORRENT_NOT_FOUND");
    EXPECT_EQ(one.post("/scrape/12").code(), "INVALID_INFO_HASH");
}

TEST_F(daemon_scrape, of_several_trackers_the_one_that_knows_the_most_seeders_is_believed) {
    expect(scrape(adds("two", {tracks.url("few"), tracks.url()})), 5, 8, 20, 1);
    expect(scrape(adds("one is dead", {nobody(), tracks.url("few")})), 2, 1, 3, 1);
    expect(scrape(adds("one is silent", {tracks.url("few"), tracks.url("silent")})), 2, 1, 3, 1);
}

TEST_F(daemon_scrape, where_all_trackers_fail_it_says_how_each_did_and_no_passkey) {
    auto const secret = std::string{"0123456789abcdef0123"};
    auto const hidden =
        tracks.url().substr(0, tracks.url().rfind('/')) + '/' + secret + "/announce/breaks?k=" + secret;
    auto const what = adds("dead", {nobody(), tracks.url("refuses"), hidden});
    auto const said = scrape(what);
    EXPECT_EQ(said.status, 502);
    EXPECT_EQ(said.code(), "SCRAPE_FAILED");
    ASSERT_NE(said.json.find("details"), nullptr) << said.body;
    EXPECT_EQ(said.json.find("details")->list_or_empty("trackers").size(), 3U) << said.body;
    EXPECT_THAT(said.body, HasSubstr("it cannot be connected to"));
    EXPECT_THAT(said.body, HasSubstr("/announce/refuses"));
    EXPECT_THAT(said.body, Not(HasSubstr(secret)));
    EXPECT_THAT(one.log(), Not(HasSubstr(secret)));
    EXPECT_EQ(one.get("/scrape/" + what.hash()).code(), "SCRAPE_NOT_FOUND");

    auto const none = scrape(adds("none", {}));
    EXPECT_EQ(none.status, 502);
    EXPECT_EQ(none.code(), "SCRAPE_FAILED");
    EXPECT_EQ(none.json.find("details")->text_or("reason", ""), "no_tracker");
}

TEST_F(daemon_scrape, a_tracker_that_never_answers_holds_it_for_ten_seconds_at_most) {
    auto const what = adds("silent", {tracks.url("silent")});
    auto const began = std::chrono::steady_clock::now();
    std::vector<std::future<answer>> asked;
    for (int i = 0; i < 4; ++i) asked.push_back(std::async(std::launch::async, [&] { return scrape(what); }));
    for (auto& each : asked) {
        auto const said = each.get();
        EXPECT_EQ(said.status, 502);
        EXPECT_THAT(said.body, HasSubstr("no answer in time"));
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{10});
    EXPECT_EQ(tracks.scrapes(), 1U) << "four asked at once";
}

TEST(daemon_scrape_swarm, a_real_tracker_tells_its_numbers_over_http_and_udp) {
    temp_folder root;
    tracker real{root / "tracker"};
    daemon one{{.folder = root / "one"}};
    for (auto const& url : {real.http(), real.udp()}) {
        auto const name = url.substr(0, url.find(':'));
        make_file(one.downloads() / name, 100'000, std::hash<std::string>{}(name));
        auto const what = make_torrent(one.downloads() / name, {.trackers = {url}});
        real.let_in(what.tracker_hashes());
        real.announce(what.hash(), "127.0.0.7", 7001);
        real.announce(what.hash(), "127.0.0.8", 7002);
        one.add(what, true);
        auto const said = one.post("/scrape/" + what.hash());
        ASSERT_EQ(said.status, 200) << said.body;
        EXPECT_EQ(said.json.number_or("seeders", -1), 0) << name;
        EXPECT_EQ(said.json.number_or("leechers", -1), 2) << name;
        // It seeds now, and the tracker counts it.
        ASSERT_EQ(one.post("/torrents/" + what.hash() + "/resume").status, 200);
        real.wait_for_peers(what.hash(), 3);
        auto const later = one.post("/scrape/" + what.hash(), R"({"force":true})");
        ASSERT_EQ(later.status, 200) << later.body;
        EXPECT_EQ(later.json.number_or("seeders", -1), 1) << name;
        EXPECT_EQ(later.json.number_or("leechers", -1), 2) << name;
    }
    EXPECT_TRUE(real.stop());
    make_file(root / "data", 1000, 1);
    auto const gone = make_torrent(root / "data", {.trackers = {real.udp()}});
    one.add(gone, true);
    auto const said = one.post("/scrape/" + gone.hash());
    EXPECT_EQ(said.status, 502);
    EXPECT_THAT(said.body, HasSubstr("nobody listens there"));
}

TEST(daemon_scrape_settings, kinds_of_trackers_that_are_switched_off_are_not_asked) {
    temp_folder root;
    http_tracker tracks;
    daemon one{{.folder = root / "one", .settings = {{"discovery.enable_http_trackers", "false"}}}};
    make_file(root / "data", 1000, 1);
    auto const what = make_torrent(root / "data", {.trackers = {tracks.url()}});
    one.add(what, true);
    auto const said = one.post("/scrape/" + what.hash());
    EXPECT_EQ(said.status, 502);
    EXPECT_EQ(said.json.find("details")->text_or("reason", ""), "no_tracker");
    EXPECT_EQ(tracks.scrapes(), 0U);
    EXPECT_EQ(
        to_text(one.get("/protocols/xet").json),
        R"({"enabled":false,"status":"not_available","details":{"reason":"this daemon has no Xet transport"}})");
    EXPECT_EQ(one.get("/protocols/ipfs").json.text_or("status", ""), "not_available");
}

} // namespace

} // namespace ccbt::support
