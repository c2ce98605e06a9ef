// POST /torrents/{ih}/announce: it reaches the trackers now, and says what each of them answered.
#include "client/client.hpp"
#include "support/http_tracker.hpp"
#include "swarm/swarm.hpp"

#include <future>

namespace ccbt::support {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

struct torrent_extended_announce : testing::Test {
    temp_folder root{};
    http_tracker tracks{};
    daemon one{{.folder = root / "one"}};

    /// Of a small file that is there already, added.
    torrent seeds(std::string const& name, torrent_plan const& plan) {
        make_file(one.downloads() / name, 100'000, std::hash<std::string>{}(name));
        auto made = make_torrent(one.downloads() / name, plan);
        one.add(made);
        one.wait_until_seeding(made.hash());
        return made;
    }
    [[nodiscard]] static std::string path_of(torrent const& what) {
        return "/torrents/" + what.hash() + "/announce";
    }
    [[nodiscard]] answer announce(torrent const& what) const { return one.post(path_of(what)); }
};

std::vector<std::string> column(answer const& of, std::string_view field) {
    std::vector<std::string> out;
    for (auto const& row : of.json.list_or_empty("trackers")) {
        auto const* held = row.find(field);
        out.push_back(held == nullptr ? "-" : to_text(*held));
    }
    return out;
}

std::string nobody() { // listens there
    return "http://127.0.0.1:" + std::to_string(free_port()) + "/announce";
}

TEST_F(torrent_extended_announce, it_reaches_the_tracker_now_whatever_its_interval_is) {
    auto told = one.events({"tracker_announce_success"});
    auto const what = seeds("now", {.trackers = {tracks.url()}});
    auto const event = told.wait_for("tracker_announce_success", [](auto const&) { return true; });
    EXPECT_EQ(event.find("data")->text_or("info_hash", ""), what.hash());
    EXPECT_EQ(event.find("data")->text_or("name", ""), "now");
    EXPECT_EQ(event.find("data")->text_or("url", ""), tracks.url());
    EXPECT_EQ(event.find("data")->text_or("message", ""), "0 peers");
    ASSERT_EQ(tracks.count(what.hash()), 1U);
    EXPECT_THAT(tracks.announces_of(what.hash()).back(), HasSubstr("event=started"));

    for (std::size_t const times : {2U, 3U}) { // the tracker says "min interval" 900
        auto const said = announce(what);
        ASSERT_EQ(said.status, 200) << said.body;
        EXPECT_TRUE(said.json.flag_or("announced", false));
        EXPECT_EQ(
            to_text(said.json.list_or_empty("trackers").at(0)),
            R"({"url":")" + tracks.url() +
                R"(","tier":0,"status":"working","message":"","seeders":3,"leechers":4,"peers":0})");
        EXPECT_EQ(tracks.count(what.hash()), times);
        EXPECT_THAT(tracks.announces_of(what.hash()).back(), Not(HasSubstr("event=")));
        told.wait_for("tracker_announce_success", [](auto const&) { return true; });
    }
}

TEST_F(torrent_extended_announce, one_that_comes_while_the_first_of_the_torrent_is_under_way_is_made_too) {
    make_file(one.downloads() / "soon", 100'000, 3);
    auto const what = make_torrent(one.downloads() / "soon", {.trackers = {tracks.url("slow")}});
    one.add(what);
    ASSERT_TRUE(eventually(milliseconds{10'000}, [&] { return tracks.count(what.hash()) == 1; }));
    ASSERT_EQ(announce(what).status, 200);
    EXPECT_EQ(tracks.count(what.hash()), 2U) << "the one at its start, and the forced one";

    // Asked for before it is loaded: it waits for that.
    make_file(one.downloads() / "sooner", 100'000, 4);
    auto const next = make_torrent(one.downloads() / "sooner", {.trackers = {tracks.url()}});
    one.add(next);
    auto const said = announce(next);
    EXPECT_EQ(said.status, 200) << said.body;
    EXPECT_GE(tracks.count(next.hash()), 1U);
}

TEST_F(torrent_extended_announce, announces_asked_for_together_share_one) {
    auto told = one.events({"tracker_announce_success"});
    auto const what = seeds("shared", {.trackers = {tracks.url()}});
    told.wait_for("tracker_announce_success", [](auto const&) { return true; });
    std::vector<std::future<answer>> asked;
    for (int i = 0; i < 8; ++i)
        asked.push_back(std::async(std::launch::async, [&] { return announce(what); }));
    for (auto& one_answer : asked) {
        auto const said = one_answer.get();
        EXPECT_EQ(said.status, 200) << said.body;
        EXPECT_THAT(column(said, "status"), ElementsAre("\"working\""));
    }
    EXPECT_GE(tracks.count(what.hash()), 2U);
    EXPECT_LE(tracks.count(what.hash()), 3U) << "eight asked";
}

TEST_F(torrent_extended_announce, where_one_of_two_trackers_is_dead_both_are_told) {
    auto const dead = nobody();
    auto const tiers = seeds("tiers", {.trackers = {dead, tracks.url("warns")}});
    auto const said = announce(tiers);
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_THAT(column(said, "url"), ElementsAre('"' + dead + '"', '"' + tracks.url("warns") + '"'));
    EXPECT_THAT(column(said, "tier"), ElementsAre("0", "1"));
    EXPECT_THAT(column(said, "status"), ElementsAre("\"error\"", "\"working\""));
    EXPECT_THAT(column(said, "message"), ElementsAre("\"Connection refused\"", "\"be nice\""));
    EXPECT_THAT(column(said, "seeders"), ElementsAre("null", "3"));

    // Of one tier only one is asked, as long as it answers (BEP 12).
    auto const same = seeds("same tier", {.trackers = {dead, tracks.url()}, .one_tier = true});
    auto const again = announce(same);
    ASSERT_EQ(again.status, 200) << again.body;
    EXPECT_EQ(again.json.list_or_empty("trackers").size(), 2U);
    for (auto const& row : again.json.list_or_empty("trackers")) {
        bool const works = row.text_or("url", "") == tracks.url();
        EXPECT_THAT(
            std::string{row.text_or("status", "")},
            testing::AnyOf(works ? "working" : "not_asked", works ? "working" : "error"));
    }
}

TEST_F(torrent_extended_announce, what_every_tracker_failed_is_502_and_says_how) {
    for (auto const& [url, why] :
         {std::pair{tracks.url("refuses"), "not for me"}, std::pair{nobody(), "Connection refused"},
          std::pair{tracks.url("closes"), "it closed the connection without an answer"},
          std::pair{tracks.url("breaks"), "Broken"}}) {
        auto told = one.events({"tracker_announce_error"});
        auto const what = seeds("bad " + std::string{why}, {.trackers = {url}});
        auto const said = announce(what);
        EXPECT_EQ(said.status, 502) << said.body;
        EXPECT_EQ(said.code(), "ANNOUNCE_ERROR");
        EXPECT_EQ(said.json.text_or("error", ""), "no tracker took the announce: " + url + ": " + why);
        auto const* details = said.json.find("details");
        ASSERT_NE(details, nullptr);
        ASSERT_EQ(details->list_or_empty("trackers").size(), 1U);
        EXPECT_EQ(to_text(details->list_or_empty("trackers")[0]), '"' + url + ": " + why + '"');
        auto const event = told.wait_for("tracker_announce_error", [&](value const& data) {
            return data.text_or("info_hash", "") == what.hash();
        });
        EXPECT_EQ(event.find("data")->text_or("url", ""), url);
        EXPECT_EQ(event.find("data")->text_or("message", ""), why);
        EXPECT_EQ(state_of(one.row(what.hash())), "seeding")
            << "a tracker's failure is none of the torrent's";
    }
}

TEST_F(
    torrent_extended_announce, a_tracker_that_takes_the_question_and_never_answers_is_a_timeout_within_10_s) {
    auto const alone = seeds("alone", {.trackers = {tracks.url("silent")}});
    auto const beside = seeds("beside", {.trackers = {tracks.url("silent"), tracks.url()}});
    auto const begun = std::chrono::steady_clock::now();
    auto other = std::async(std::launch::async, [&] { return announce(beside); });
    auto const said = announce(alone);
    auto const mixed = other.get();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{10});
    EXPECT_EQ(said.status, 502) << said.body;
    EXPECT_EQ(said.code(), "ANNOUNCE_ERROR");
    EXPECT_THAT(std::string{said.json.text_or("error", "")}, HasSubstr("no answer in time"));
    ASSERT_EQ(mixed.status, 200) << mixed.body;
    EXPECT_THAT(column(mixed, "status"), ElementsAre("\"timeout\"", "\"working\""));
    EXPECT_THAT(column(mixed, "message"), ElementsAre("\"no answer in time\"", "\"\""));
}

TEST_F(torrent_extended_announce, a_torrent_without_tracker_or_paused_is_409) {
    auto const bare = seeds("bare", {});
    auto said = announce(bare);
    EXPECT_EQ(said.status, 409);
    EXPECT_EQ(said.code(), "ANNOUNCE_ERROR");
    EXPECT_EQ(said.json.find("details")->text_or("reason", ""), "no_tracker");

    auto const what = seeds("paused", {.trackers = {tracks.url()}});
    ASSERT_EQ(announce(what).status, 200);
    ASSERT_EQ(one.post("/torrents/" + what.hash() + "/pause").status, 200);
    said = announce(what);
    EXPECT_EQ(said.status, 409);
    EXPECT_EQ(said.code(), "ANNOUNCE_ERROR");
    EXPECT_EQ(said.json.find("details")->text_or("reason", ""), "paused");
    ASSERT_EQ(one.post("/torrents/" + what.hash() + "/resume").status, 200);
    one.wait_until_seeding(what.hash());
    EXPECT_EQ(announce(what).status, 200);

    said = one.post("/torrents/" + std::string(40, 'a') + "/announce");
    EXPECT_EQ(said.status, 404);
    EXPECT_EQ(said.code(), "TORRENT_NOT_FOUND");
    said = one.post("/torrents/abc/announce");
    EXPECT_EQ(said.status, 400);
    EXPECT_EQ(said.code(), "INVALID_INFO_HASH");
}

TEST_F(torrent_extended_announce, a_passkey_is_in_the_answer_and_in_no_log_event_or_error) {
    std::string const key = "0123456789abcdef0123456789abcdef";
    auto told = one.events({"tracker_announce_success", "tracker_announce_error"});
    auto const good = seeds("good", {.trackers = {tracks.url(key)}});
    auto const said = announce(good);
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_THAT(column(said, "url"), ElementsAre('"' + tracks.url(key) + '"'));
    auto const success = told.wait_for("tracker_announce_success", [](auto const&) { return true; });
    EXPECT_EQ(success.find("data")->text_or("url", ""), tracks.url("***"));
    auto const bad = seeds("bad", {.trackers = {tracks.url(key + "/refuses")}});
    EXPECT_THAT(announce(bad).body, Not(HasSubstr(key)));
    auto const failure = told.wait_for("tracker_announce_error", [](auto const&) { return true; });
    EXPECT_THAT(to_text(failure), Not(HasSubstr(key)));
    EXPECT_THAT(one.log(), Not(HasSubstr(key)));
}

TEST(torrent_extended_announce_real, opentracker_takes_it_by_http_and_by_udp_and_tells_of_the_swarm) {
    swarm in;
    make_file(in.data("real"), 300'000, 4);
    auto const what = in.torrent_of(in.data("real"), {.trackers = {in.announce.http(), in.announce.udp()}});
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    client::client by{{.url = seeder.url(), .api_key = seeder.key()}};
    auto told = by.force_announce(what.hash());
    ASSERT_TRUE(told) << told.error().message;
    EXPECT_TRUE(told->announced);
    ASSERT_EQ(told->trackers.size(), 2U);
    for (auto const& row : told->trackers) {
        EXPECT_EQ(contract::name_of(row.status), "working") << row.url << ": " << row.message;
        EXPECT_EQ(row.seeders, 1);
        EXPECT_EQ(row.leechers, 0);
    }
    EXPECT_EQ(in.announce.peers_of(what.hash()), 1);

    // A magnet announces too, before it knows what it is; and a client's mistakes are told apart.
    daemon const leecher{in.leecher()};
    in.announce.let_in({std::string(40, 'b')});
    auto const magnet = leecher.add_magnet(
        "magnet:?xt=urn:btih:" + std::string(40, 'b') + "&tr=" + text::percent_encode(in.announce.http()));
    EXPECT_EQ(leecher.post("/torrents/" + magnet + "/announce").status, 200);
    EXPECT_EQ(in.announce.peers_of(magnet), 1);
    EXPECT_EQ(by.force_announce(std::string(40, 'a')).error().code, "TORRENT_NOT_FOUND");
    EXPECT_EQ(by.force_announce("abc").error().kind, client::error_kind::unsupported);
}

} // namespace

} // namespace ccbt::support
