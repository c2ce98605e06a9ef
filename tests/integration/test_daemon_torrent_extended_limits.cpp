// POST /torrents/{ih}/rate-limits: they hold on the wire, in both directions, under the global ones, through restarts.
#include "client/client.hpp"
#include "swarm/swarm.hpp"

#include <thread>

namespace ccbt::support {

namespace {

using clock = std::chrono::steady_clock;

/// What the connected peers have sent and taken, at a moment: read at the time of asking, not once a second.
struct meter {
    double received = 0, sent = 0;
    clock::time_point at;
};
meter read(daemon const& of, std::string const& hash) {
    auto const before = clock::now();
    auto const said = of.get("/torrents/" + hash + "/peers");
    meter out{.at = before + (clock::now() - before) / 2};
    for (auto const& peer : said.json.list_or_empty("peers")) {
        out.received += peer.number_or("downloaded", 0);
        out.sent += peer.number_or("uploaded", 0);
    }
    return out;
}
double seconds(clock::duration d) { return std::chrono::duration<double>(d).count(); }
double received_rate(meter const& from, meter const& to) {
    return (to.received - from.received) / seconds(to.at - from.at);
}

/// Time is what is measured, so here it passes.
void let_pass(std::chrono::milliseconds span) { std::this_thread::sleep_for(span); }

// Its first two seconds are left out: it begins slowly and catches up then.
void wait_until_it_flows(daemon const& of, std::string const& hash) {
    of.wait_for(hash, [](value const& row) { return row.number_or("download_rate", 0) > 0; });
    let_pass(std::chrono::milliseconds{2'000});
}

answer limit(daemon const& of, std::string const& hash, int down, int up) {
    return of.post(
        "/torrents/" + hash + "/rate-limits",
        R"({"download_kib":)" + std::to_string(down) + R"(,"upload_kib":)" + std::to_string(up) + '}');
}

// A limit is of all bytes, with headers; what is counted is payload.
#define EXPECT_HOLDS(rate, kib)                                                                              \
    EXPECT_LE(rate, 1.10 * 1024 * (kib));                                                                    \
    EXPECT_GE(rate, 0.90 * 1024 * (kib))

TEST(torrent_extended_limits, hold_within_a_tenth_in_both_directions_while_another_torrent_runs_free) {
    swarm in;
    std::map<std::string, torrent> all;
    for (auto const& [name, size] : {std::pair{"down", 80 * mib}, {"up", 60 * mib}, {"free", 96 * mib}}) {
        make_file(in.data(name), size, size);
        all[name] = in.torrent_of(in.data(name), {.piece_size = 1 << 18});
    }
    daemon const seeder{in.seeder()};
    daemon const leecher{in.leecher()};
    for (auto const& [name, what] : all) {
        seeder.add(what);
        seeder.wait_until_seeding(what.hash());
    }
    auto const down = all["down"].hash(), up = all["up"].hash(), free = all["free"].hash();
    for (auto const* name : {"down", "up"}) leecher.add(all[name], true);
    ASSERT_EQ(limit(leecher, down, 4096, 0).status, 200);
    ASSERT_EQ(limit(seeder, up, 0, 3072).status, 200);
    for (auto const& hash : {down, up}) ASSERT_EQ(leecher.post("/torrents/" + hash + "/resume").status, 200);
    for (auto const& hash : {down, up}) wait_until_it_flows(leecher, hash);

    auto const down_before = read(leecher, down), up_before = read(leecher, up);
    leecher.add(all["free"]);
    auto const free_before = clock::now();
    leecher.wait_until_seeding(free);
    EXPECT_LT(seconds(clock::now() - free_before), 8) << "it has no limit";
    let_pass(std::chrono::duration_cast<std::chrono::milliseconds>(
        down_before.at + std::chrono::seconds{10} - clock::now()));
    auto const down_after = read(leecher, down), up_after = read(leecher, up);
    auto const down_rate = received_rate(down_before, down_after),
               up_rate = received_rate(up_before, up_after);
    EXPECT_HOLDS(down_rate, 4096);
    EXPECT_HOLDS(up_rate, 3072);
    EXPECT_LT(progress_of(leecher.row(down)), 1) << "the measure ended while it ran";
    EXPECT_LT(progress_of(leecher.row(up)), 1) << "the measure ended while it ran";

    auto const lifted = limit(leecher, down, 0, 0);
    EXPECT_EQ(
        lifted.body,
        R"({"set":true,"download_kib":0,"upload_kib":0,"effective_download_kib":0,"effective_upload_kib":0,)"
        R"("capped":false})");
    ASSERT_EQ(limit(seeder, up, 0, 0).status, 200);
    auto const lifted_at = clock::now();
    leecher.wait_until_seeding(down);
    leecher.wait_until_seeding(up);
    EXPECT_LT(seconds(clock::now() - lifted_at), 5) << "at the limits it would have taken 9 s";
    EXPECT_EQ(sha256_of(leecher.downloads() / "down"), sha256_of(in.data("down")));
}

TEST(torrent_extended_limits, survive_a_kill_and_a_restart_and_hold_again) {
    swarm in;
    make_file(in.data("kept"), 64 * mib, 2);
    auto const what = in.torrent_of(in.data("kept"), {.piece_size = 1 << 18});
    daemon seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    ASSERT_EQ(limit(seeder, what.hash(), 77, 2048).status, 200);
    seeder.kill9();
    seeder.start();
    auto row = seeder.row(what.hash());
    EXPECT_EQ(row.number_or("download_limit_kib", -1), 77);
    EXPECT_EQ(row.number_or("upload_limit_kib", -1), 2048);
    ASSERT_EQ(seeder.terminate(), 0);
    seeder.start();
    seeder.wait_until_seeding(what.hash());
    EXPECT_EQ(seeder.row(what.hash()).number_or("upload_limit_kib", -1), 2048);

    daemon const leecher{in.leecher()};
    leecher.add(what);
    wait_until_it_flows(leecher, what.hash());
    auto const before = read(leecher, what.hash());
    let_pass(std::chrono::milliseconds{5'000});
    auto const rate = received_rate(before, read(leecher, what.hash()));
    EXPECT_HOLDS(rate, 2048);
}

TEST(torrent_extended_limits, above_the_global_one_are_taken_and_the_global_one_holds) {
    swarm in;
    make_file(in.data("capped"), 64 * mib, 3);
    auto const what = in.torrent_of(in.data("capped"), {.piece_size = 1 << 18});
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    daemon const leecher{in.leecher({{"limits.global_down_kib", "3072"}})};
    leecher.add(what, true);
    EXPECT_EQ(
        limit(leecher, what.hash(), 50'000, 10).body,
        R"({"set":true,"download_kib":50000,"upload_kib":10,"effective_download_kib":3072,)"
        R"("effective_upload_kib":10,"capped":true})");
    ASSERT_EQ(leecher.post("/torrents/" + what.hash() + "/resume").status, 200);
    wait_until_it_flows(leecher, what.hash());
    auto const before = read(leecher, what.hash());
    let_pass(std::chrono::milliseconds{5'000});
    auto const rate = received_rate(before, read(leecher, what.hash()));
    EXPECT_HOLDS(rate, 3072);
}

// Shared out too seldom, a limit stands still for a second or two and then lets all of it through at once.
TEST(torrent_extended_limits, of_the_session_alone_flow_evenly_from_a_start_and_from_a_change) {
    swarm in;
    make_file(in.data("even"), 64 * mib, 4);
    auto const what = in.torrent_of(in.data("even"), {.piece_size = 1 << 18});
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    daemon const started{in.leecher({{"limits.global_down_kib", "3072"}})};
    daemon const changed{{.folder = in.root / "changed", .interface = "127.0.0.4"}};
    ASSERT_EQ(changed.call("PUT", "/config", R"({"limits":{"global_down_kib":3072}})").status, 200);
    for (auto const* one : {&started, &changed}) one->add(what);
    for (auto const* one : {&started, &changed}) wait_until_it_flows(*one, what.hash());
    std::map<daemon const*, meter> before;
    for (auto const* one : {&started, &changed}) before[one] = read(*one, what.hash());
    for (int second = 0; second < 5; ++second) {
        let_pass(std::chrono::milliseconds{1'000});
        for (auto const* one : {&started, &changed}) {
            auto const now = read(*one, what.hash());
            auto const rate = received_rate(before[one], now);
            EXPECT_GE(rate, 0.5 * 1024 * 3072)
                << (one == &started ? "from a start, " : "changed, ") << second;
            EXPECT_LE(rate, 1.5 * 1024 * 3072)
                << (one == &started ? "from a start, " : "changed, ") << second;
            before[one] = now;
        }
    }
}

TEST(torrent_extended_limits, are_told_in_the_row_and_by_an_event_and_mistakes_change_nothing) {
    temp_folder root;
    daemon const one{{.folder = root / "one"}};
    make_file(root / "data", 100'000, 1);
    auto const what = make_torrent(root / "data", {});
    one.add(what, true);
    auto told = one.events({"torrent_status_changed"});
    client::client by{{.url = one.url(), .api_key = one.key()}};
    auto const set = by.set_rate_limits(what.hash(), 2'097'151, 1);
    ASSERT_TRUE(set) << set.error().message;
    EXPECT_TRUE(set->set);
    EXPECT_EQ(set->download_kib, 2'097'151);
    EXPECT_EQ(set->effective_upload_kib, 1);
    auto const event = told.wait_for("torrent_status_changed", [](auto const&) { return true; });
    EXPECT_EQ(event.find("data")->text_or("info_hash", ""), what.hash());
    EXPECT_EQ(event.find("data")->text_or("status", ""), "paused");

    auto const path = "/torrents/" + what.hash() + "/rate-limits";
    struct mistake {
        std::string body, code, field;
    };
    for (auto const& [body, code, field] : std::vector<mistake>{
             {R"({"download_kib":2097152,"upload_kib":1})", "VALIDATION_ERROR", "download_kib"},
             {R"({"download_kib":1,"upload_kib":-1})", "VALIDATION_ERROR", "upload_kib"},
             {R"({"download_kib":1})", "VALIDATION_ERROR", "upload_kib"},
             {R"({"download_kib":"1","upload_kib":1})", "VALIDATION_ERROR", "download_kib"},
             {R"({"download_kib":1.5,"upload_kib":1})", "VALIDATION_ERROR", "download_kib"},
             {R"({"download_kib":null,"upload_kib":1})", "VALIDATION_ERROR", "download_kib"},
             {"", "VALIDATION_ERROR", "download_kib"},
             {"{", "INVALID_JSON", ""}}) {
        auto const said = one.post(path, body);
        EXPECT_EQ(said.status, 400) << body;
        EXPECT_EQ(said.code(), code) << body;
        if (!field.empty()) {
            EXPECT_EQ(said.json.find("details")->text_or("field", ""), field) << said.body;
        }
    }
    auto const row = one.row(what.hash());
    EXPECT_EQ(row.number_or("download_limit_kib", -1), 2'097'151);
    EXPECT_EQ(row.number_or("upload_limit_kib", -1), 1);

    auto said = one.post(
        "/torrents/" + std::string(40, 'a') + "/rate-limits", R"({"download_kib":1,"upload_kib":1})");
    EXPECT_EQ(said.status, 404);
    EXPECT_EQ(said.code(), "TORRENT_NOT_FOUND");
    said = one.post("/torrents/abc/rate-limits", R"({"download_kib":1,"upload_kib":1})");
    EXPECT_EQ(said.code(), "INVALID_INFO_HASH");
    EXPECT_EQ(one.get(path).status, 405);
    EXPECT_EQ(by.set_rate_limits("abc", 1, 1).error().kind, client::error_kind::unsupported);
}

} // namespace

} // namespace ccbt::support
