// The events, each by what truly happened, over a real WebSocket; and catching up from the log.
#include "client/client.hpp"
#include "client/watch.hpp"
#include "support/http_tracker.hpp"
#include "swarm/swarm.hpp"

#include <future>

namespace ccbt::support {

namespace {

using testing::HasSubstr;

auto of(std::string const& hash) {
    return [hash](value const& data) { return data.text_or("info_hash", "") == hash; };
}
value const& data_of(value const& event) { return *event.find("data"); }

TEST(daemon_events, a_download_tells_of_its_metadata_its_peers_the_totals_and_its_end) {
    swarm all;
    make_file(all.data("film"), 4 * mib, 1);
    auto const what = all.torrent_of(all.data("film"));
    daemon seeds{all.seeder()};
    daemon leeches{all.leecher()};
    auto came = seeds.events({"peer_connected", "peer_disconnected"});
    auto told = leeches.events(
        {"metadata_ready", "torrent_completed", "peer_connected", "peer_disconnected", "global_stats_updated",
         "tracker_announce_success"});
    auto const first = told.wait_for("global_stats_updated", [](auto const&) { return true; });
    EXPECT_EQ(data_of(first).number_or("num_torrents", -1), 0);
    seeds.add(what);
    seeds.wait_until_seeding(what.hash());
    all.announce.wait_for_peers(what.hash(), 1);
    leeches.add_magnet(what.magnet());

    auto const ready = told.wait_for("metadata_ready", of(what.hash()));
    EXPECT_EQ(data_of(ready).text_or("name", ""), "film");
    auto const done = told.wait_for("torrent_completed", of(what.hash()));
    EXPECT_EQ(data_of(done).text_or("name", ""), "film");
    auto const stats = told.wait_for("global_stats_updated", [](value const& data) {
        return data.number_or("total_downloaded", 0) >= 4 * mib &&
               data.find("stats")->number_or("session_downloaded", -1) >= 4 * mib;
    });
    EXPECT_EQ(data_of(stats).number_or("num_torrents", -1), 1);

    // The tracker names the seeder to itself too, so that it may have tried that first.
    auto const the_leecher = [&](value const& data) {
        return data.text_or("info_hash", "") == what.hash() && data.text_or("ip", "") == "127.0.0.3";
    };
    auto const peer = came.wait_for("peer_connected", the_leecher);
    EXPECT_GT(data_of(peer).number_or("port", 0), 0);
    EXPECT_THAT(
        std::string{data_of(peer).text_or("direction", "")},
        testing::AnyOf(std::string{"in"}, std::string{"out"}));
    ASSERT_EQ(leeches.post("/torrents/" + what.hash() + "/pause").status, 200);
    auto const left = came.wait_for("peer_disconnected", the_leecher);
    EXPECT_NE(data_of(left).text_or("message", ""), "");
}

TEST(daemon_events, announces_are_told_with_what_came_of_them) {
    temp_folder root;
    http_tracker tracks;
    daemon one{{.folder = root / "one"}};
    auto told = one.events({"tracker_announce_success", "tracker_announce_error"});
    for (auto const& [url, type] :
         {std::pair{tracks.url(), "tracker_announce_success"},
          std::pair{tracks.url("refuses"), "tracker_announce_error"}}) {
        make_file(one.downloads() / type, 1000, 1);
        auto const what = make_torrent(one.downloads() / type, {.trackers = {url}});
        one.add(what);
        auto const event = told.wait_for(type, of(what.hash()));
        EXPECT_EQ(data_of(event).text_or("url", ""), url);
    }
}

TEST(daemon_events, a_storage_folder_that_goes_and_comes_back_is_told) {
    temp_folder root;
    daemon one{{.folder = root / "one"}};
    auto told = one.events({"storage_offline", "storage_online"});
    auto const away = root / "away";
    std::filesystem::rename(one.downloads(), away);
    auto const gone = told.wait_for("storage_offline", [](auto const&) { return true; });
    EXPECT_EQ(data_of(gone).text_or("path", ""), one.downloads().string());
    std::filesystem::rename(away, one.downloads());
    auto const back = told.wait_for("storage_online", [](auto const&) { return true; });
    EXPECT_EQ(data_of(back).text_or("path", ""), one.downloads().string());
}

struct daemon_event_log : testing::Test {
    temp_folder root{};
    daemon one{{.folder = root / "one"}};
    client::client asks{{.url = one.url(), .api_key = one.key()}};

    std::string adds(int n) const {
        return one.add_magnet("magnet:?xt=urn:btih:" + std::string(39, 'b') + std::to_string(n));
    }
    [[nodiscard]] value log(std::string const& query = "") const {
        auto const said = one.get("/events/log" + query);
        EXPECT_EQ(said.status, 200) << said.body;
        return said.json;
    }
    static std::int64_t next_of(value const& page) {
        return static_cast<std::int64_t>(page.number_or("next", -1));
    }
};

TEST_F(daemon_event_log, it_pages_through_what_was_and_says_where_some_is_lost) {
    auto const before = next_of(log());
    for (int i = 0; i < 3; ++i) adds(i);
    auto const added = [](value const& page) {
        int n = 0;
        for (auto const& e : page.list_or_empty("events"))
            n += e.text_or("type", "") == "torrent_added" ? 1 : 0;
        return n;
    };
    auto const all = log("?since=" + std::to_string(before));
    EXPECT_EQ(added(all), 3);
    EXPECT_FALSE(all.flag_or("resync", true));
    auto const first = log("?limit=1&since=" + std::to_string(before));
    EXPECT_EQ(first.list_or_empty("events").size(), 1U);
    EXPECT_EQ(next_of(first), before + 1);
    auto const end = log("?since=" + std::to_string(next_of(all)));
    EXPECT_TRUE(end.list_or_empty("events").empty());
    EXPECT_EQ(next_of(end), next_of(all));

    one.kill9();
    one.start();
    auto const later = log("?since=" + std::to_string(next_of(all)));
    EXPECT_TRUE(later.flag_or("resync", false)) << "of the run before: not known here";
    EXPECT_GE(next_of(later), next_of(all));
    EXPECT_TRUE(log("?since=9000000000000000").flag_or("resync", false)) << "of no run";
    EXPECT_EQ(one.get("/events/log?since=x").status, 400);
    EXPECT_EQ(one.get("/events/log?wait=61").status, 400);
}

TEST_F(daemon_event_log, who_waits_is_woken_by_the_next_event_or_has_nothing_in_the_end) {
    auto const before = next_of(log());
    auto const none = log("?wait=0.2&since=" + std::to_string(before));
    EXPECT_TRUE(none.list_or_empty("events").empty());
    std::vector<std::future<value>> waiting;
    for (int i = 0; i < 5; ++i)
        waiting.push_back(
            std::async(std::launch::async, [&] { return log("?wait=50&since=" + std::to_string(before)); }));
    for (auto const& one_of : waiting)
        EXPECT_EQ(one_of.wait_for(std::chrono::milliseconds{100}), std::future_status::timeout);
    auto const hash = adds(1);
    for (auto& one_of : waiting) {
        auto const page = one_of.get();
        ASSERT_FALSE(page.list_or_empty("events").empty());
        EXPECT_EQ(data_of(page.list_or_empty("events")[0]).text_or("info_hash", ""), hash);
    }
    auto const got = asks.get_event_log(before);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->events.at(0)->type, contract::event_type::torrent_added);
    // And the daemon does not wait for them when it stops.
    auto const path = "/events/log?wait=50&since=" + std::to_string(next_of(log()));
    auto last = std::async(std::launch::async, [&] { return one.get(path).status; });
    EXPECT_EQ(last.wait_for(std::chrono::milliseconds{300}), std::future_status::timeout);
    EXPECT_EQ(one.post("/shutdown").status, 200);
    EXPECT_THAT(last.get(), testing::AnyOf(200, 503));
}

TEST_F(daemon_event_log, a_websocket_that_comes_back_is_told_what_it_missed_first) {
    auto const before = next_of(log());
    auto const hash = adds(1);
    client::options const how{.url = one.url(), .api_key = one.key()};
    std::vector const types{contract::event_type::torrent_added};
    auto stream = client::event_stream::open(how, types, before);
    ASSERT_TRUE(stream);
    auto const missed = stream->next(std::chrono::seconds{10});
    ASSERT_TRUE(missed && *missed);
    EXPECT_EQ((*missed)->type, contract::event_type::torrent_added);
    EXPECT_EQ((*missed)->data.info_hash, hash);
    EXPECT_EQ((*missed)->seq, before + 1);
    auto const second = adds(2);
    auto const now = stream->next(std::chrono::seconds{10});
    ASSERT_TRUE(now && *now);
    EXPECT_EQ((*now)->data.info_hash, second);

    auto old = client::event_stream::open(how, types, 1);
    ASSERT_TRUE(old);
    auto const told = old->next(std::chrono::seconds{10});
    ASSERT_TRUE(told && *told);
    EXPECT_EQ((*told)->type, contract::event_type::resync);
}

} // namespace

} // namespace ccbt::support
