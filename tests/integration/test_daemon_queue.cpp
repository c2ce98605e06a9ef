// The queue on real daemons: its limits hold at every moment, its order decides, and both survive what daemons go through.
#include "client/client.hpp"
#include "support/process.hpp"
#include "swarm/swarm.hpp"

#include <atomic>
#include <csignal>
#include <set>
#include <thread>

namespace ccbt::support {

namespace {

using settings = std::map<std::string, std::string>;

settings limits(int in_all, int downloading, int seeding) {
    return {
        {"queue.auto_manage_queue", "true"},
        {"queue.max_active_torrents", std::to_string(in_all)},
        {"queue.max_active_downloading", std::to_string(downloading)},
        {"queue.max_active_seeding", std::to_string(seeding)}};
}

/// "7f3a high queued" by place, each hash cut to what tells it from the others.
std::vector<std::string> listed(daemon const& of) {
    std::vector<std::string> out;
    auto const said = of.get("/queue");
    for (auto const& entry : said.json.list_or_empty("entries")) {
        EXPECT_EQ(entry.number_or("queue_position", -1), static_cast<double>(out.size())) << said.body;
        out.push_back(
            std::string{entry.text_or("info_hash", "")} + ' ' + std::string{entry.text_or("priority", "")});
    }
    return out;
}
std::vector<std::string> hashes_in_order(daemon const& of) {
    auto out = listed(of);
    for (auto& one : out) one.resize(40);
    return out;
}
double number(daemon const& of, std::string const& which) {
    auto const said = of.get("/queue");
    return said.json.find("statistics")->number_or(which, -1);
}

/// Magnets that nobody has: each looks for its metadata as long as it may.
std::vector<std::string> add_magnets(daemon const& to, int count) {
    std::vector<std::string> out;
    for (int n = 0; n < count; ++n) {
        auto const digits = std::to_string(n);
        out.push_back(std::string(40 - digits.size(), 'a') + digits);
        to.add_magnet("magnet:?xt=urn:btih:" + out.back());
    }
    return out;
}

/// Looks at the daemon again and again, and counts what it sees at once.
class watcher {
public:
    watcher(daemon const& of, int in_all, int downloading, int seeding)
        : of_{of}, in_all_{in_all}, downloading_{downloading}, seeding_{seeding} {
        rows_ = std::thread{[this] { watch_rows(); }};
        peers_ = std::thread{[this] { watch_peers(); }};
    }
    ~watcher() { end(); }
    watcher(watcher const&) = delete;
    watcher& operator=(watcher const&) = delete;
    void end() {
        ended_ = true;
        if (rows_.joinable()) rows_.join();
        if (peers_.joinable()) peers_.join();
    }
    [[nodiscard]] std::string broken() const { return broken_; }
    int looks = 0, most_at_once = 0, looks_at_peers = 0;

private:
    void watch_rows() {
        while (!ended_) {
            int down = 0, up = 0;
            std::string active;
            auto const said = of_.get("/torrents?fields=status,num_peers,download_rate");
            for (auto const& row : said.json.list_or_empty("torrents")) {
                auto const state = state_of(row);
                down += state == "downloading" || state == "metadata" || state == "checking" ? 1 : 0;
                up += state == "seeding" ? 1 : 0;
                if (state != "queued")
                    active += std::string{row.text_or("info_hash", "").substr(0, 4)} + ' ' + state + ", ";
            }
            if (down > downloading_ || up > seeding_ || down + up > in_all_)
                broken_ = std::to_string(down) + " download and " + std::to_string(up) + " seed: " + active;
            ++looks;
            most_at_once = std::max(most_at_once, down + up);
        }
    }
    // What the engine has: one that waits is connected with nobody.
    void watch_peers() {
        while (!ended_) {
            auto const said = of_.get("/torrents?status=queued&fields=status");
            for (auto const& row : said.json.list_or_empty("torrents")) {
                auto const hash = std::string{row.text_or("info_hash", "")};
                auto const peers = of_.get("/torrents/" + hash + "/peers").json.number_or("count", 0);
                ++looks_at_peers;
                // Held a moment ago, its connections may still be closing; of one that goes on waiting none is left.
                if (peers == 0) {
                    suspects_.erase(hash);
                    continue;
                }
                if (state_of(of_.row(hash)) == "queued" && ++suspects_[hash] > 3)
                    peers_broken_ = hash + " waits and has peers";
            }
            if (!peers_broken_.empty()) broken_ = peers_broken_;
        }
    }
    daemon const& of_;
    int in_all_, downloading_, seeding_;
    std::atomic<bool> ended_ = false;
    std::string broken_, peers_broken_;
    std::map<std::string, int> suspects_;
    std::thread rows_, peers_;
};

TEST(daemon_queue, of_thirty_torrents_never_more_than_the_limits_run_and_each_gets_its_turn) {
    swarm in;
    constexpr int seeds = 14, downloads = 16;
    std::vector<torrent> all;
    for (int n = 0; n < seeds + downloads; ++n) {
        auto const name = "file" + std::to_string(n);
        auto const where = n < seeds ? in.root / "leecher" / "downloads" / name : in.data(name);
        make_file(where, (n < seeds ? 2 : 1) * mib, static_cast<std::uint64_t>(n));
        all.push_back(in.torrent_of(where));
    }
    daemon const seeder{in.seeder()};
    for (int n = seeds; n < seeds + downloads; ++n) seeder.add(all[static_cast<std::size_t>(n)]);
    for (int n = seeds; n < seeds + downloads; ++n)
        seeder.wait_until_seeding(all[static_cast<std::size_t>(n)].hash());

    daemon const leecher{in.leecher(limits(4, 3, 2))};
    auto told = leecher.events({"torrent_completed", "torrent_status_changed"});
    watcher watch{leecher, 4, 3, 2};
    for (auto const& one : all) leecher.add(one);
    // Each in its turn: all are whole, and two of them seed.
    std::map<std::string, std::string> states;
    std::set<std::string> whole, started;
    deadline const until{milliseconds{90'000}};
    auto const is_done = [&] {
        std::size_t complete = 0;
        auto const said = leecher.get("/torrents");
        for (auto const& row : said.json.list_or_empty("torrents"))
            complete += row.number_or("progress", 0) == 1 ? 1 : 0;
        return complete == all.size();
    };
    int most_told = 0;
    while (!is_done()) {
        auto const event = told.next(until);
        ASSERT_TRUE(event) << "not all came to their turn: " << leecher.get("/queue").body;
        auto const* const data = event->find("data");
        auto const hash = std::string{data->text_or("info_hash", "")};
        if (event->text_or("type", "") == "torrent_completed")
            whole.insert(hash);
        else
            states[hash] = std::string{data->text_or("status", "")};
        int seeding = 0;
        for (auto const& [which, state] : states) seeding += state == "seeding" ? 1 : 0;
        most_told = std::max(most_told, seeding);
    }
    watch.end();
    EXPECT_EQ(watch.broken(), "");
    EXPECT_LE(most_told, 2) << "by the events";
    EXPECT_GE(watch.looks, 50) << "a watcher that does not look sees nothing";
    EXPECT_GE(watch.looks_at_peers, 20);
    EXPECT_EQ(watch.most_at_once, 4) << "the limit is used";

    EXPECT_EQ(number(leecher, "total_torrents"), 30);
    EXPECT_EQ(number(leecher, "active_seeding"), 2);
    EXPECT_EQ(number(leecher, "active_downloading"), 0);
    EXPECT_EQ(number(leecher, "queued"), 28);
    auto const totals = leecher.get("/session/stats");
    EXPECT_EQ(totals.json.number_or("num_paused", -1), 0) << "to wait is not to be paused";
    auto const rows = leecher.get("/torrents");
    for (auto const& row : rows.json.list_or_empty("torrents"))
        if (state_of(row) == "queued") {
            EXPECT_EQ(row.number_or("num_peers", -1), 0) << to_text(row);
        }
    for (int n = seeds; n < seeds + downloads; ++n) {
        auto const name = "file" + std::to_string(n);
        EXPECT_EQ(sha256_of(leecher.downloads() / name), sha256_of(in.data(name)));
    }
}

TEST(daemon_queue, a_higher_priority_displaces_a_running_download_and_it_goes_on_later) {
    swarm in;
    std::vector<torrent> all;
    for (int n = 0; n < 2; ++n) {
        auto const where = in.data("file" + std::to_string(n));
        make_file(where, 24 * mib, static_cast<std::uint64_t>(n));
        all.push_back(in.torrent_of(where));
    }
    daemon const seeder{in.seeder({{"limits.global_up_kib", "4096"}})};
    for (auto const& one : all) {
        seeder.add(one);
        seeder.wait_until_seeding(one.hash());
    }
    daemon const leecher{in.leecher(limits(1, 1, 1))};
    client::client by{{.url = leecher.url(), .api_key = leecher.key()}};
    leecher.add(all[0]);
    leecher.add(all[1]);
    leecher.wait_for(all[0].hash(), [](auto const& row) { return row.number_or("num_peers", 0) > 0; });
    EXPECT_EQ(state_of(leecher.row(all[1].hash())), "queued");
    auto told = leecher.events({"torrent_status_changed"});
    ASSERT_TRUE(by.add_to_queue(all[1].hash(), "High"));
    auto const is = [&](torrent const& which, std::string_view status) {
        return [&which, status](value const& data) {
            return data.text_or("info_hash", "") == which.hash() && data.text_or("status", "") == status;
        };
    };
    told.wait_for("torrent_status_changed", is(all[0], "queued"));
    told.wait_for("torrent_status_changed", is(all[1], "downloading"));
    leecher.wait_for(all[1].hash(), [](auto const& row) { return row.number_or("num_peers", 0) > 0; });
    EXPECT_EQ(leecher.get("/torrents/" + all[0].hash() + "/peers").json.number_or("count", -1), 0);
    auto const refused = leecher.post("/torrents/" + all[0].hash() + "/announce");
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(refused.code(), "ANNOUNCE_ERROR");

    // The priority paused stops it, and the other goes on where it was.
    ASSERT_TRUE(by.add_to_queue(all[1].hash(), "paused"));
    leecher.wait_for(all[0].hash(), [](auto const& row) {
        return state_of(row) == "downloading" && row.number_or("num_peers", 0) > 0;
    });
    EXPECT_EQ(state_of(leecher.row(all[1].hash())), "paused");
    EXPECT_EQ(number(leecher, "paused"), 1);
    auto const queued = by.get_queue();
    ASSERT_TRUE(queued);
    EXPECT_EQ(queued->statistics.by_priority.paused, 1);
    // Out of the queue it runs beside the other.
    ASSERT_TRUE(by.remove_from_queue(all[1].hash()));
    leecher.wait_for(all[1].hash(), [](auto const& row) { return row.number_or("num_peers", 0) > 0; });
    EXPECT_EQ(state_of(leecher.row(all[0].hash())), "downloading");
    leecher.wait_until_seeding(all[0].hash());
    leecher.wait_until_seeding(all[1].hash());
}

TEST(daemon_queue, order_priorities_and_who_is_in_it_survive_kill_9_and_an_import) {
    temp_folder root;
    daemon one{{.folder = root / "one", .settings = limits(3, 3, 3)}};
    auto const hash = add_magnets(one, 8);
    client::client by{{.url = one.url(), .api_key = one.key()}};
    ASSERT_TRUE(by.move_in_queue(hash[7], 0));
    ASSERT_TRUE(by.move_in_queue(hash[0], 5));
    ASSERT_TRUE(by.add_to_queue(hash[4], "maximum"));
    ASSERT_TRUE(by.add_to_queue(hash[3], "paused"));
    ASSERT_TRUE(by.remove_from_queue(hash[2]));
    auto const before = listed(one);
    ASSERT_EQ(before.size(), 7U);
    EXPECT_EQ(before[0], hash[7] + " normal");
    EXPECT_EQ(before[4], hash[0] + " normal") << "one before it was taken out";
    one.kill9();
    one.start();
    EXPECT_EQ(listed(one), before);
    std::set<std::string> running;
    auto const rows = one.get("/torrents");
    for (auto const& row : rows.json.list_or_empty("torrents"))
        if (state_of(row) == "metadata" || state_of(row) == "starting")
            running.insert(std::string{row.text_or("info_hash", "")});
    EXPECT_EQ(running, (std::set<std::string>{hash[2], hash[4], hash[7], hash[1]}))
        << "the three of the queue, and the one that is not in it";

    auto const written = one.post("/torrents/export-state");
    ASSERT_EQ(written.status, 200) << written.body;
    daemon two{{.folder = root / "two", .interface = "127.0.0.3", .settings = limits(3, 3, 3)}};
    auto const from = std::filesystem::path{std::string{written.json.text_or("path", "")}};
    std::filesystem::copy_file(from, two.downloads() / "export.json");
    auto const imported = two.post(
        "/torrents/import-state", R"({"path":")" + (two.downloads() / "export.json").string() + "\"}");
    ASSERT_EQ(imported.status, 200) << imported.body;
    EXPECT_EQ(listed(two), before);
}

TEST(daemon_queue, changes_from_many_at_once_leave_consecutive_places) {
    temp_folder root;
    daemon const one{{.folder = root / "one", .settings = limits(2, 2, 2)}};
    auto const hash = add_magnets(one, 30);
    std::atomic<int> refused = 0;
    std::vector<std::thread> all;
    for (std::size_t t = 0; t < 4; ++t)
        all.emplace_back([&, t] {
            client::client by{{.url = one.url(), .api_key = one.key()}};
            for (std::size_t n = 0; n < 50; ++n) {
                auto const& which = hash[(n * 7 + t * 3) % 29];
                // To the same few places, beyond every gap; and one of them goes out and in.
                if (n % 10 == 9)
                    refused += by.add_to_queue(which, n % 20 == 9 ? "low" : "normal") ? 0 : 1;
                else
                    refused += by.move_in_queue(which, static_cast<std::int64_t>((n + t) % 3)) ? 0 : 1;
                if (t == 0 && n % 5 == 0)
                    refused += by.remove_from_queue(hash[29]) && by.add_to_queue(hash[29]) ? 0 : 1;
            }
        });
    for (auto& thread : all) thread.join();
    EXPECT_EQ(refused, 0);
    auto in_order = hashes_in_order(one);
    EXPECT_EQ(in_order.size(), 30U);
    std::sort(in_order.begin(), in_order.end());
    auto expected = hash;
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(in_order, expected);
}

TEST(daemon_queue, limits_that_are_changed_while_it_runs_hold_at_once) {
    temp_folder root;
    daemon one{{.folder = root / "one", .settings = limits(1, 1, 1)}};
    auto const hash = add_magnets(one, 4);
    auto const reread = [&](settings const& with) {
        one.plan().settings = with;
        write_file(one.config_file(), configuration(one.plan()));
        auto told = one.events({"config_updated"});
        one.running().signal(SIGHUP);
        told.wait_for("config_updated", [](auto const&) { return true; });
    };
    EXPECT_EQ(number(one, "active_downloading"), 1);
    reread(limits(0, 3, 0));
    one.wait_for(hash[2], [](auto const& row) { return state_of(row) == "metadata"; });
    EXPECT_EQ(state_of(one.row(hash[3])), "queued");
    reread(limits(2, 3, 0));
    one.wait_for(hash[2], [](auto const& row) { return state_of(row) == "queued"; });
    EXPECT_EQ(number(one, "active_downloading"), 2);
    reread({{"queue.auto_manage_queue", "false"}});
    one.wait_for(hash[3], [](auto const& row) { return state_of(row) == "metadata"; });
    EXPECT_EQ(number(one, "queued"), 0);
}

TEST(daemon_queue, mistakes_are_4xx_with_their_field_and_change_nothing) {
    temp_folder root;
    daemon const one{{.folder = root / "one", .settings = limits(1, 1, 1)}};
    auto const hash = add_magnets(one, 2);
    auto const before = listed(one);
    struct mistake {
        std::string method, path, body;
        int status;
        std::string code, field;
    };
    auto const nobody = std::string(40, 'f');
    for (auto const& m : std::vector<mistake>{
             {"POST", "/queue/add", R"({"info_hash":")" + hash[0] + R"("})", 400, "VALIDATION_ERROR",
              "priority"},
             {"POST", "/queue/add", R"({"priority":"low"})", 400, "VALIDATION_ERROR", "info_hash"},
             {"POST", "/queue/add", R"({"info_hash":")" + hash[0] + R"(","priority":"urgent"})", 400,
              "VALIDATION_ERROR", "priority"},
             {"POST", "/queue/add", R"({"info_hash":"xyz","priority":"low"})", 400, "INVALID_INFO_HASH", ""},
             {"POST", "/queue/add", R"({"info_hash":")" + nobody + R"(","priority":"low"})", 404,
              "TORRENT_NOT_FOUND", ""},
             {"POST", "/queue/add", "{", 400, "INVALID_JSON", ""},
             {"POST", "/queue/" + hash[0] + "/move", R"({"new_position":2})", 400, "QUEUE_MOVE_FAILED",
              "new_position"},
             {"POST", "/queue/" + hash[0] + "/move", R"({"new_position":-1})", 400, "VALIDATION_ERROR",
              "new_position"},
             {"POST", "/queue/" + hash[0] + "/move", R"({"new_position":"1"})", 400, "VALIDATION_ERROR",
              "new_position"},
             {"POST", "/queue/" + hash[0] + "/move", "", 400, "VALIDATION_ERROR", "new_position"},
             {"POST", "/queue/" + nobody + "/move", R"({"new_position":0})", 404, "QUEUE_NOT_FOUND", ""},
             {"DELETE", "/queue/" + nobody, "", 404, "QUEUE_NOT_FOUND", ""},
             {"DELETE", "/queue/abc", "", 400, "INVALID_INFO_HASH", ""},
             {"POST", "/queue/" + nobody + "/pause", "", 404, "TORRENT_NOT_FOUND", ""},
             {"POST", "/queue/" + nobody + "/resume", "", 404, "TORRENT_NOT_FOUND", ""},
             {"PUT", "/queue", "", 405, "METHOD_NOT_ALLOWED", ""}}) {
        auto const said = one.call(m.method, m.path, m.body);
        EXPECT_EQ(said.status, m.status) << m.path << ' ' << m.body << said.body;
        EXPECT_EQ(said.code(), m.code) << m.path << ' ' << m.body << said.body;
        if (!m.field.empty()) {
            EXPECT_EQ(said.json.find("details")->text_or("field", ""), m.field) << said.body;
        }
    }
    EXPECT_EQ(listed(one), before);
}

TEST(daemon_queue, the_command_line_shows_and_changes_it) {
    temp_folder root;
    daemon const one{{.folder = root / "one", .settings = limits(1, 1, 1)}};
    auto const hash = add_magnets(one, 3);
    auto const ccbt = [&](std::vector<std::string> const& words) {
        std::vector<std::string> argv{program("ccbt"), "--url", one.url(), "--api-key", one.key()};
        argv.insert(argv.end(), words.begin(), words.end());
        process run{process_plan{.argv = argv, .folder = root / "one"}};
        std::string out;
        while (auto const line = run.next_line(milliseconds{20'000})) out += *line + '\n';
        EXPECT_EQ(run.wait(milliseconds{20'000}), 0) << out;
        return out;
    };
    auto const shown = ccbt({"queue"});
    EXPECT_THAT(shown, ::testing::HasSubstr("PRIORITY"));
    EXPECT_THAT(shown, ::testing::HasSubstr(hash[1]));
    EXPECT_THAT(shown, ::testing::HasSubstr("3 torrents: 1 downloading, 0 seeding, 2 queued, 0 paused"));
    EXPECT_EQ(ccbt({"queue", "add", hash[2], "--priority", "high"}), "added " + hash[2] + '\n');
    EXPECT_EQ(listed(one)[2], hash[2] + " high");
    ccbt({"queue", "move", hash[2], "0"});
    EXPECT_EQ(listed(one)[0], hash[2] + " high");
    ccbt({"queue", "pause", hash[2]});
    EXPECT_EQ(state_of(one.row(hash[2])), "paused");
    ccbt({"queue", "resume", hash[2]});
    EXPECT_NE(state_of(one.row(hash[2])), "paused");
    ccbt({"queue", "remove", hash[2]});
    EXPECT_EQ(listed(one).size(), 2U);
    EXPECT_EQ(ccbt({"queue", "clear"}), "status: cleared\n");
    EXPECT_EQ(ccbt({"queue"}), "the queue is empty\n");
}

} // namespace

} // namespace ccbt::support
