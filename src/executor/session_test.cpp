#include "executor/session.hpp"

#include "engine/fake_engine.hpp"
#include "executor/test_house.hpp"
#include "store/memory_store.hpp"

#include <gmock/gmock.h>
#include <map>
#include <regex>
#include <sstream>

namespace ccbt::executor {
namespace {

using namespace testing;
using contract::torrent_state;

struct session : ::testing::Test, test_house<store::memory_store, engine::fake_engine> {
    auto status() { return *wait(deeds.handle(contract::get_status::request{}, who)); }
    auto stats() { return *wait(deeds.handle(contract::get_global_stats::request{}, who)); }
    auto health() { return *wait(deeds.handle(contract::get_health::request{}, who)); }
    auto metrics() { return wait(deeds.handle(contract::get_metrics::request{}, who)); }

    std::string magnet(char digit) {
        return "magnet:?xt=urn:btih:" + std::string(40, digit) + "&dn=torrent+" + digit;
    }
    void see(
        char digit, torrent_state s, std::int64_t downloaded, double rate, std::int64_t peers,
        double progress) {
        model::torrent_seen sample;
        sample.id = row(std::string(40, digit))->asked->id;
        sample.state = s;
        sample.downloaded = downloaded;
        sample.uploaded = downloaded / 2;
        sample.download_rate = rate;
        sample.upload_rate = rate / 4;
        sample.num_peers = peers;
        sample.progress = progress;
        engine.see(sample);
        settle();
    }
};

TEST_F(session, status_says_who_it_is_and_how_many_torrents_it_has) {
    auto const before = status();
    EXPECT_EQ(before.status, "running");
    EXPECT_EQ(before.pid, 42);
    EXPECT_EQ(before.version, "1.2.3");
    EXPECT_EQ(before.ipc_url, "http://127.0.0.1:1");
    EXPECT_EQ(before.lineage, store.asked_now().lineage);
    EXPECT_EQ(before.node_id, "bb");
    EXPECT_GE(before.uptime, 0);
    EXPECT_EQ(before.num_torrents, 0);
    ASSERT_EQ(said(add(magnet('a'))), "ok");
    EXPECT_EQ(status().num_torrents, 1);
    EXPECT_GE(status().uptime, before.uptime);
}

TEST_F(session, stats_are_the_sums_over_all_torrents) {
    for (char const digit : {'a', 'b', 'c'}) ASSERT_EQ(said(add(magnet(digit))), "ok");
    see('a', torrent_state::downloading, 1000, 400, 3, 0.5);
    see('b', torrent_state::seeding, 3000, 0, 2, 1);
    ASSERT_EQ(said(pause(std::string(40, 'c'))), "ok");
    engine.tell(model::session_seen{17, 111, 222});
    settle();
    auto const s = stats();
    EXPECT_EQ(s.num_torrents, 3);
    EXPECT_EQ(s.num_paused, 1);
    EXPECT_EQ(s.num_active, 1) << "neither paused nor seeding";
    EXPECT_EQ(s.total_download_rate, 400);
    EXPECT_EQ(s.total_upload_rate, 100);
    EXPECT_EQ(s.total_downloaded, 4000);
    EXPECT_EQ(s.total_uploaded, 2000);
    EXPECT_EQ(s.stats.num_torrents, 3);
    EXPECT_EQ(s.stats.num_active, 1);
    EXPECT_EQ(s.stats.num_paused, 1);
    EXPECT_EQ(s.stats.num_seeding, 1);
    EXPECT_EQ(s.stats.download_rate, 400);
    EXPECT_EQ(s.stats.upload_rate, 100);
    EXPECT_DOUBLE_EQ(s.stats.average_progress, 0.5);
    EXPECT_EQ(s.stats.num_peers, 5);
    EXPECT_EQ(s.stats.dht_nodes, 17);
    EXPECT_EQ(s.stats.session_downloaded, 111);
    EXPECT_EQ(s.stats.session_uploaded, 222);

    ASSERT_EQ(said(remove(std::string(40, 'b'))), "ok");
    EXPECT_EQ(stats().total_downloaded, 4000) << "of all time";
    EXPECT_EQ(stats().num_torrents, 2);
    EXPECT_EQ(store.done_now().removed_downloaded, 3000) << "and a restart finds them";
    EXPECT_EQ(store.done_now().removed_uploaded, 1500);
}

TEST_F(session, stats_of_nothing_are_zeros) {
    auto const s = stats();
    EXPECT_EQ(s.num_torrents, 0);
    EXPECT_EQ(s.stats.average_progress, 0);
}

TEST_F(session, health_is_degraded_while_no_change_can_be_kept) {
    EXPECT_EQ(health().status, "ok");
    EXPECT_EQ(health().http_status(), 200);
    store.fail_next(store::outcome::io_error);
    EXPECT_EQ(said(add(magnet('a'))), "503 STATE_IO_ERROR");
    EXPECT_EQ(health().status, "degraded");
    EXPECT_EQ(health().http_status(), 503);
    EXPECT_EQ(said(add(magnet('a'))), "ok");
    EXPECT_EQ(health().status, "ok") << "a change was kept since";
}

TEST_F(session, a_conflict_or_a_full_disk_is_no_damage) {
    ASSERT_EQ(said(add(magnet('a'))), "ok");
    EXPECT_EQ(said(add(magnet('a'))), "409 TORRENT_EXISTS");
    store.fail_next(store::outcome::full);
    EXPECT_EQ(said(add(magnet('b'))), "507 STATE_STORAGE_FULL");
    EXPECT_EQ(health().status, "ok");
}

TEST_F(session, shutdown_answers_and_then_begins) {
    auto const answered = wait(deeds.handle(contract::shut_down::request{}, who));
    EXPECT_EQ(answered->status, "shutting_down");
    EXPECT_EQ(shutdowns, 1);
}

TEST_F(session, its_document_is_json) {
    auto const page = wait(deeds.handle(contract::get_openapi::request{}, who));
    EXPECT_EQ(page->content_type, "application/json");
    EXPECT_EQ(page->text, "{}");
}

TEST_F(session, every_line_of_the_metrics_is_one_that_prometheus_reads_and_each_family_stands_once) {
    ASSERT_EQ(said(add(magnet('a'))), "ok");
    see('a', torrent_state::downloading, 1000, 400.5, 3, 0.5);
    door.requests[{"torrents.list", 200}] = 3;
    door.requests[{"torrents.list", 400}] = 1;
    door.refused["AUTH_REQUIRED"] = 2;
    door.latency.observe(0.0007);
    door.latency.observe(99);
    self.version = "1.2\"\\\n";
    auto const page = metrics();
    ASSERT_TRUE(page);
    EXPECT_EQ(page->content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(page->text.back(), '\n');

    std::regex const help{R"(# HELP (ccbt_[a-z0-9_]+) \S.*)"},
        type{R"(# TYPE (ccbt_[a-z0-9_]+) (counter|gauge|histogram))"},
        sample{
            R"re((ccbt_[a-z0-9_]+?)(_bucket|_sum|_count)?(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)+\})? (-?[0-9.]+(e[+-]?[0-9]+)?))re"};
    std::map<std::string, std::string> families; // name -> type
    std::map<std::string, double> values;        // a whole series -> its value
    std::string described, typed;
    std::istringstream lines{page->text};
    for (std::string line; std::getline(lines, line);) {
        std::smatch m;
        if (std::regex_match(line, m, help)) {
            described = m[1];
            EXPECT_FALSE(families.contains(described)) << "twice: " << line;
        } else if (std::regex_match(line, m, type)) {
            typed = m[1];
            EXPECT_EQ(typed, described);
            families[typed] = m[2];
        } else if (std::regex_match(line, m, sample)) {
            auto const whole = line.substr(0, line.rfind(' '));
            auto const name = whole.substr(0, whole.find('{'));
            bool const is_part =
                families[typed] == "histogram" &&
                (name == typed + "_bucket" || name == typed + "_sum" || name == typed + "_count");
            EXPECT_TRUE(name == typed || is_part) << line << " stands below " << typed;
            EXPECT_TRUE(values.emplace(whole, std::stod(m[6])).second) << "twice: " << line;
        } else {
            ADD_FAILURE() << "no line for Prometheus: " << line;
        }
    }
    for (auto const& [name, kind] : families)
        EXPECT_EQ(name.ends_with("_total"), kind == "counter") << name << " is a " << kind;
    for (auto const* wanted :
         {"ccbt_build_info", "ccbt_torrents", "ccbt_download_rate_bytes", "ccbt_downloaded_bytes_total",
          "ccbt_api_requests_total", "ccbt_api_request_seconds", "ccbt_event_queue_bytes",
          "ccbt_store_commits_total"})
        EXPECT_TRUE(families.contains(wanted)) << wanted;

    EXPECT_EQ(values[R"(ccbt_torrents{status="downloading"})"], 1);
    EXPECT_EQ(values[R"(ccbt_torrents{status="seeding"})"], 0);
    EXPECT_EQ(values["ccbt_download_rate_bytes"], 400.5);
    EXPECT_EQ(values["ccbt_downloaded_bytes_total"], 1000);
    EXPECT_EQ(values[R"(ccbt_api_requests_total{endpoint="torrents.list",status="200"})"], 3);
    EXPECT_EQ(values[R"(ccbt_api_refused_total{code="AUTH_REQUIRED"})"], 2);
    EXPECT_EQ(values[R"(ccbt_api_request_seconds_bucket{le="0.0005"})"], 0);
    EXPECT_EQ(values[R"(ccbt_api_request_seconds_bucket{le="0.001"})"], 1);
    EXPECT_EQ(values[R"(ccbt_api_request_seconds_bucket{le="10"})"], 1);
    EXPECT_EQ(values[R"(ccbt_api_request_seconds_bucket{le="+Inf"})"], 2);
    EXPECT_EQ(values["ccbt_api_request_seconds_count"], 2);
    EXPECT_EQ(values["ccbt_store_changes_total"], 1);
}

TEST_F(session, metrics_that_are_switched_off_are_not_there) {
    settings.observability.enable_metrics = false;
    EXPECT_EQ(said(metrics()), "404 NOT_FOUND");
}

} // namespace
} // namespace ccbt::executor
