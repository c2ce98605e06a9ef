#include "cli/app.hpp"

#include "client/fake_daemon.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace ccbt::cli {
namespace {

using client::fake_daemon;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char const* hash = "0123456789abcdef0123456789abcdef01234567";
constexpr char const* other = "beef456789abcdef0123456789abcdef01234567";

std::string row(
    std::string_view h, std::string_view name, std::string_view status, std::string_view progress) {
    return R"({"info_hash":")" + std::string{h} + R"(","name":")" + std::string{name} + R"(","status":")" +
           std::string{status} + R"(","progress":)" + std::string{progress} +
           R"(,"download_rate":2048.0,"upload_rate":0.0,"num_peers":3,"total_size":1048576})";
}
std::string two_rows() {
    return R"({"torrents":[)" + row(hash, "debian.iso", "downloading", "0.5") + ',' +
           row(other, R"(evil\u001b[2J)", "error", "0.0") + "]}";
}

struct outcome {
    int code = -1;
    std::string out, err;
};
outcome ccbt(std::string const& url, std::vector<std::string> words, terminal term = {}) {
    words.insert(words.end(), {"--url", url});
    std::ostringstream out;
    std::ostringstream err;
    auto const no_environment = [](char const* name) {
        return std::string_view{name} == "HOME"           ? "/nonexistent"
               : std::string_view{name} == "CCBT_API_KEY" ? "key"
                                                          : nullptr;
    };
    outcome made;
    made.code = run(std::move(words), {out, err, term, no_environment});
    made.out = out.str();
    made.err = err.str();
    return made;
}

TEST(ccbt, ls_is_a_table_and_with_json_the_very_answer) {
    fake_daemon daemon{[](auto const&) { return fake_daemon::json(200, two_rows()); }};
    auto const table = ccbt(daemon.url(), {"ls"});
    EXPECT_EQ(table.code, 0);
    EXPECT_EQ(
        table.out,
        "ID        NAME           STATUS         DONE       DOWN     UP  PEERS     SIZE         ETA\n"
        "01234567  debian.iso     downloading  50.0 %  2.0 KiB/s  0 B/s      3  1.0 MiB  4 min 16 s\n"
        "beef4567  evil\\u001b[2J  error         0.0 %  2.0 KiB/s  0 B/s      3  1.0 MiB           -\n");
    auto const json = ccbt(daemon.url(), {"--json", "ls", "--status", "error,paused", "--label=a b"});
    EXPECT_EQ(json.out, two_rows() + "\n");
    EXPECT_EQ(
        daemon.requests().back().line, "GET /api/v1/torrents?status=error%2Cpaused&label=a%20b HTTP/1.1");
    EXPECT_EQ(daemon.requests().back().header("X-CCBT-API-Key"), "key");
}

TEST(ccbt, a_terminal_gets_lines_that_fit_and_colour_only_there) {
    fake_daemon daemon{[](auto const&) { return fake_daemon::json(200, two_rows()); }};
    auto const narrow = ccbt(daemon.url(), {"ls"}, {.out_is_terminal = true, .width = 40});
    std::istringstream lines{narrow.out};
    for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 40U) << line;
    EXPECT_THAT(narrow.out, Not(HasSubstr("\x1b")));
    EXPECT_THAT(
        ccbt(daemon.url(), {"ls"}, {.out_is_terminal = true, .width = 80, .colour = true}).out,
        HasSubstr("\x1b[31merror\x1b[0m"));
}

TEST(ccbt, several_torrents_are_found_by_prefix_and_name_before_any_is_touched) {
    fake_daemon daemon{[](fake_daemon::request const& r) {
        return r.line.starts_with("GET")
                   ? fake_daemon::json(200, two_rows())
                   : fake_daemon::json(
                         200, R"({"results":[)"
                              R"({"info_hash":"beef456789abcdef0123456789abcdef01234567",)"
                              R"("success":true,"error":null,"code":null},)"
                              R"({"info_hash":"0123456789abcdef0123456789abcdef01234567",)"
                              R"("success":true,"error":null,"code":null}]})");
    }};
    auto const gone = ccbt(daemon.url(), {"rm", "beef", "debian.iso", "--data"});
    EXPECT_EQ(gone.code, 0) << gone.err;
    EXPECT_EQ(
        gone.out, "removed beef456789abcdef0123456789abcdef01234567\n"
                  "removed 0123456789abcdef0123456789abcdef01234567\n");
    EXPECT_EQ(daemon.requests()[0].line, "GET /api/v1/torrents?fields=info_hash%2Cname HTTP/1.1");
    EXPECT_EQ(daemon.requests()[2].line, "POST /api/v1/torrents/batch/remove HTTP/1.1");
    EXPECT_EQ(
        daemon.requests()[2].body,
        R"({"remove_data":true,"info_hashes":["beef456789abcdef0123456789abcdef01234567",)"
        R"("0123456789abcdef0123456789abcdef01234567"]})");
    auto const before = daemon.requests().size();
    auto const slip = ccbt(daemon.url(), {"rm", "beef", "nobody"});
    EXPECT_EQ(slip.code, 5);
    EXPECT_THAT(slip.err, HasSubstr("no torrent is named \"nobody\""));
    for (auto i = before; i < daemon.requests().size(); ++i)
        EXPECT_TRUE(daemon.requests()[i].line.starts_with("GET"));
}

TEST(ccbt, each_of_several_torrents_has_its_outcome_and_one_that_failed_is_the_exit_code) {
    fake_daemon daemon{[](auto const&) {
        return fake_daemon::json(
            200, R"({"results":[{"info_hash":"0123456789abcdef0123456789abcdef01234567","success":true},)"
                 R"({"info_hash":"beef456789abcdef0123456789abcdef01234567","success":false,)"
                 R"("error":"there is no torrent of that info-hash","code":"TORRENT_NOT_FOUND"}]})");
    }};
    std::string const first{hash}, second{other};
    auto const paused = ccbt(daemon.url(), {"pause", first, second});
    EXPECT_EQ(paused.code, 5);
    EXPECT_EQ(paused.out, "paused " + first + '\n');
    EXPECT_EQ(
        paused.err, "ccbt: " + second + ": there is no torrent of that info-hash (TORRENT_NOT_FOUND)\n");
    ASSERT_EQ(daemon.requests().size(), 1U) << "one request, so one commit";
    EXPECT_EQ(daemon.requests()[0].line, "POST /api/v1/torrents/batch/pause HTTP/1.1");
    EXPECT_EQ(ccbt(daemon.url(), {"resume", first, second}).out, "resumed " + first + '\n');
    EXPECT_EQ(ccbt(daemon.url(), {"--json", "pause", first, second}).code, 5);
}

TEST(ccbt, exit_codes_say_what_went_wrong) {
    auto const answering = [](int status, std::string code) {
        return [=](auto const&) {
            return fake_daemon::json(
                status, R"({"error":"because","code":")" + code + R"(","details":null})");
        };
    };
    fake_daemon missing{answering(404, "TORRENT_NOT_FOUND")};
    auto const lost = ccbt(missing.url(), {"show", hash});
    EXPECT_EQ(lost.code, 5);
    EXPECT_EQ(lost.err, "ccbt: because (TORRENT_NOT_FOUND)\n");
    EXPECT_EQ(lost.out, "");
    fake_daemon conflict{answering(409, "TORRENT_EXISTS")};
    EXPECT_EQ(ccbt(conflict.url(), {"pause", hash}).code, 1);
    EXPECT_EQ(
        ccbt(conflict.url(), {"pause", hash, "--json"}).err,
        R"({"error":"because","code":"TORRENT_EXISTS","details":null})"
        "\n");
    fake_daemon stranger{answering(401, "AUTH_REQUIRED")};
    auto const shut = ccbt(stranger.url(), {"status"});
    EXPECT_EQ(shut.code, 4);
    EXPECT_THAT(shut.err, HasSubstr("give --api-key or CCBT_API_KEY"));
    auto const nobody = ccbt("http://127.0.0.1:1", {"ls"});
    EXPECT_EQ(nobody.code, 3);
    EXPECT_THAT(
        nobody.err, HasSubstr("no daemon answers at http://127.0.0.1:1: start one with `ccbt daemon start`"));
}

TEST(ccbt, wrong_words_are_two_and_say_what_was_meant) {
    auto const typo = ccbt("http://127.0.0.1:1", {"statsu"});
    EXPECT_EQ(typo.code, 2);
    EXPECT_THAT(typo.err, HasSubstr("did you mean `ccbt stat"));
    EXPECT_EQ(ccbt("http://127.0.0.1:1", {"show"}).code, 2);
    EXPECT_EQ(ccbt("http://127.0.0.1:1", {"ls", "--limit", "x"}).code, 2);
    EXPECT_EQ(ccbt("http://127.0.0.1:1", {"ls", "--nonsense"}).code, 2);
    EXPECT_EQ(ccbt("http://127.0.0.1:1", {"daemon"}).code, 2);
    EXPECT_EQ(ccbt("http://127.0.0.1:1", {}).code, 2);
    EXPECT_EQ(ccbt("ftp://x", {"ls"}).code, 2);
}

TEST(ccbt, help_names_the_commands_the_codes_and_the_arguments) {
    auto const help = ccbt("http://127.0.0.1:1", {"--help"});
    EXPECT_EQ(help.code, 0);
    for (auto const* word : {"add", "ls", "daemon", "completion", "Exit codes: 0 done", "--api-key"})
        EXPECT_THAT(help.out, HasSubstr(word));
    EXPECT_THAT(ccbt("http://127.0.0.1:1", {"add", "--help"}).out, HasSubstr("--wait"));
    EXPECT_THAT(ccbt("http://127.0.0.1:1", {"help", "daemon", "start"}).out, HasSubstr("--within"));
    EXPECT_EQ(ccbt("http://127.0.0.1:1", {"help"}).out, help.out);
    EXPECT_THAT(
        ccbt("http://127.0.0.1:1", {"completion", "bash"}).out,
        HasSubstr("complete -o default -F _ccbt ccbt"));
}

TEST(ccbt, a_local_file_travels_as_its_bytes_and_a_magnet_as_it_is) {
    auto const file =
        std::filesystem::temp_directory_path() / ("ccbt_app_test_" + std::to_string(::getpid()));
    std::ofstream{file} << "d4:infodee";
    fake_daemon daemon{[](auto const&) {
        return fake_daemon::json(
            200, R"({"results":[{"info_hash":"aa","success":true},{"info_hash":"bb","success":true}]})");
    }};
    auto const added = ccbt(
        daemon.url(), {"add", file.string(), "magnet:?xt=urn:btih:x", "--label", "a", "--label", "b",
                       "--paused", "--output", "/data"});
    std::filesystem::remove(file);
    EXPECT_EQ(added.code, 0) << added.err;
    EXPECT_EQ(added.out, "added aa\nadded bb\n");
    auto const seen = daemon.requests();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].line, "POST /api/v1/torrents/batch/add HTTP/1.1");
    EXPECT_EQ(
        seen[0].body,
        R"({"torrents":[)"
        R"({"output_dir":"/data","paused":true,"labels":["a","b"],"torrent_data":"ZDQ6aW5mb2RlZQ=="},)"
        R"({"output_dir":"/data","paused":true,"labels":["a","b"],"path_or_magnet":"magnet:?xt=urn:btih:x"}]})");
    EXPECT_EQ(ccbt(daemon.url(), {"add", "no-such-file.torrent"}).code, 2);
}

// A daemon whose one torrent moves on with each question, told by events.
class moving_daemon {
public:
    explicit moving_daemon(std::vector<std::string> states)
        : states_{std::move(states)},
          daemon_{
              [this](fake_daemon::request const& r) { return answer(r); },
              [this](auto& peer) { talk(peer); }} {}
    [[nodiscard]] std::string url() const { return daemon_.url(); }

private:
    std::string answer(fake_daemon::request const& r) {
        if (r.line.starts_with("POST"))
            return fake_daemon::json(200, R"({"info_hash":")" + std::string{hash} + R"(","status":"added"})");
        auto const at = std::min<std::size_t>(asked_++, states_.size() - 1);
        return fake_daemon::json(
            200, R"({"torrents":[)" + states_[at] + R"(],"revision":"r","full":true,"removed":[]})",
            "X-CCBT-Revision: r\r\n");
    }
    void talk(fake_daemon::web_socket& peer) {
        if (!peer.receive()) return;
        for (std::size_t i = 1; i < states_.size(); ++i) {
            while (asked_ < i) std::this_thread::yield();
            peer.send(R"({"type":"torrents_changed","timestamp":1.0,"data":{"revision":"r"},"seq":1})");
        }
        while (peer.receive()) continue;
    }

    std::vector<std::string> states_;
    std::atomic<std::size_t> asked_ = 0;
    fake_daemon daemon_;
};

TEST(ccbt, add_and_wait_follows_the_torrent_to_its_end) {
    moving_daemon daemon{
        {row(hash, "d", "checking", "0.0"), row(hash, "d", "downloading", "0.5"),
         row(hash, "d", "downloading", "0.52"), row(hash, "d", "seeding", "1.0")}};
    auto const done = ccbt(daemon.url(), {"add", "magnet:?x", "--wait"});
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(
        done.out, "added 0123456789abcdef0123456789abcdef01234567\n"
                  "d: checking 0.0 %\n"
                  "d: downloading 50.0 %, 2.0 KiB/s down, 3 peers, ETA 4 min 16 s\n"
                  "d: seeding 100 %\n"
                  "complete d 0123456789abcdef0123456789abcdef01234567\n");
}

TEST(ccbt, a_wait_that_would_never_end_is_refused_before_anything_is_added) {
    fake_daemon daemon{[](auto const&) { return fake_daemon::json(500, "{}"); }};
    auto const refused = ccbt(daemon.url(), {"add", "magnet:?x", "--paused", "--wait"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, HasSubstr("--wait would never end with --paused"));
    EXPECT_TRUE(daemon.requests().empty());
}

TEST(ccbt, add_and_wait_draws_a_bar_on_a_terminal) {
    moving_daemon daemon{{row(hash, "d", "downloading", "0.5"), row(hash, "d", "seeding", "1.0")}};
    auto const done =
        ccbt(daemon.url(), {"add", "magnet:?x", "--wait"}, {.out_is_terminal = true, .width = 100});
    EXPECT_EQ(done.code, 0);
    EXPECT_THAT(done.out, HasSubstr("[############------------]  50.0 %"));
    EXPECT_THAT(done.out, HasSubstr("\x1b[1A\r\x1b[J"));
}

TEST(ccbt, add_and_wait_leaves_with_six_when_the_torrent_fails_or_goes) {
    moving_daemon fails{{row(hash, "d", "downloading", "0.5"), row(hash, "d", "error", "0.5")}};
    EXPECT_EQ(ccbt(fails.url(), {"add", "magnet:?x", "--wait"}).code, 6);
    moving_daemon goes{{row(hash, "d", "downloading", "0.5"), row(other, "e", "seeding", "1.0")}};
    auto const gone = ccbt(goes.url(), {"add", "magnet:?x", "--wait"});
    EXPECT_EQ(gone.code, 6);
    EXPECT_THAT(gone.err, HasSubstr("was removed"));
}

TEST(ccbt, watch_prints_so_many_events_and_as_json_the_very_text) {
    constexpr char const* event =
        R"({"type":"torrent_added","timestamp":1.0,"data":{"info_hash":"0123456789abcdef","name":"a\u001bb"},"seq":7})";
    fake_daemon daemon{
        [](auto const&) { return fake_daemon::json(500, "{}"); },
        [&](auto& peer) {
            peer.send(R"({"type":"resync","timestamp":1.0,"data":{},"seq":6})"); // where the events are
            peer.send(event);
            peer.send(event);
            while (peer.receive()) continue;
        }};
    auto const json = ccbt(daemon.url(), {"watch", "torrent_added", "--count", "2", "--json"});
    EXPECT_EQ(json.code, 0) << json.err;
    EXPECT_EQ(json.out, std::string{event} + "\n" + event + "\n");
    auto const text = ccbt(daemon.url(), {"watch", "--count", "1", "torrent_added"});
    EXPECT_THAT(text.out, HasSubstr("torrent_added info_hash=01234567 name=a\\u001bb\n"));
    EXPECT_EQ(ccbt(daemon.url(), {"watch", "nonsense"}).code, 2);
}

TEST(ccbt, watch_since_asks_for_what_came_after_that) {
    fake_daemon daemon{
        [](auto const&) { return fake_daemon::json(500, "{}"); },
        [&](auto& peer) {
            peer.send(R"({"type":"torrent_added","timestamp":1.0,"data":{"name":"a"},"seq":8})");
            while (peer.receive()) continue;
        }};
    auto const seen = ccbt(daemon.url(), {"watch", "--since", "7", "--count", "1"});
    EXPECT_EQ(seen.code, 0) << seen.err;
    EXPECT_THAT(seen.out, HasSubstr("torrent_added name=a"));
    EXPECT_THAT(daemon.requests().front().line, HasSubstr("/events?since=7"));
    EXPECT_EQ(ccbt(daemon.url(), {"watch", "--since", "now"}).code, 2);
}

TEST(ccbt, events_that_are_followed_are_waited_for_less_long_than_an_answer_is) {
    int asked = 0;
    fake_daemon daemon{[&](auto const&) {
        switch (asked++) {
        case 0:
            return fake_daemon::json(
                200,
                R"({"events":[{"type":"torrent_added","timestamp":1.0,"data":{"name":"a"},"seq":8}],"next":8,"resync":true})");
        case 1: return fake_daemon::json(200, R"({"events":[],"next":8,"resync":false})");
        default: return fake_daemon::json(503, R"({"error":"x","code":"SHUTTING_DOWN","details":null})");
        }
    }};
    auto const seen = ccbt(daemon.url(), {"events", "--since", "3", "--follow", "--timeout", "8"});
    EXPECT_NE(seen.code, 0);
    EXPECT_THAT(seen.out, HasSubstr("torrent_added name=a"));
    EXPECT_THAT(seen.err, HasSubstr("no longer known"));
    ASSERT_GE(daemon.requests().size(), 3U);
    EXPECT_THAT(daemon.requests()[0].line, AllOf(HasSubstr("since=3"), HasSubstr("wait=4")));
    for (auto const at : {1U, 2U})
        EXPECT_THAT(daemon.requests()[at].line, AllOf(HasSubstr("since=8"), HasSubstr("wait=4")))
            << "from where it was";
}

TEST(ccbt, any_answer_is_lines_with_units_and_tables) {
    fake_daemon daemon{[](auto const&) {
        return fake_daemon::json(
            200, R"({"info_hash":"aa","peers":[{"ip":"127.0.0.2","port":6881,"download_rate":1536.0,)"
                 R"("client":null}],"count":1,"more":{"progress":0.25}})");
    }};
    EXPECT_EQ(
        ccbt(daemon.url(), {"stats"}).out, "info_hash: aa\n"
                                           "count:     1\n"
                                           "more:\n"
                                           "  progress: 25.0 %\n"
                                           "\n"
                                           "IP         PORT  DOWNLOAD RATE\n"
                                           "127.0.0.2  6881      1.5 KiB/s\n");
}

TEST(ccbt, peers_are_a_table_with_the_fastest_first) {
    fake_daemon daemon{[](auto const&) {
        return fake_daemon::json(
            200,
            R"({"info_hash":"aa","count":2,"peers":[{"ip":"127.0.0.2","port":6881,"download_rate":0.0,)"
            R"("upload_rate":0.0,"choked":true,"client":null,"progress":0.5,"flags":"dI","encryption":"none",)"
            R"("downloaded":1024,"uploaded":0,"source":["incoming"]},{"ip":"::1","port":6882,)"
            R"("download_rate":1536.0,"upload_rate":0.0,"choked":false,"client":"a\u001bb","progress":1.0,)"
            R"("flags":"D","encryption":"rc4","downloaded":2048,"uploaded":512,"source":["tracker","pex"]}]})");
    }};
    EXPECT_EQ(
        ccbt(daemon.url(), {"peers", hash}).out,
        "ADDRESS         CLIENT      DONE       DOWN     UP  RECEIVED   SENT  FLAGS  ENCRYPTION  FOUND BY\n"
        "[::1]:6882      a\\u001bb   100 %  1.5 KiB/s  0 B/s   2.0 KiB  512 B  D      rc4         tracker, "
        "pex\n"
        "127.0.0.2:6881  -         50.0 %      0 B/s  0 B/s   1.0 KiB    0 B  dI     none        incoming\n");
    fake_daemon empty{
        [](auto const&) { return fake_daemon::json(200, R"({"info_hash":"aa","peers":[],"count":0})"); }};
    EXPECT_EQ(ccbt(empty.url(), {"peers", hash}).out, "no peers\n");
}

TEST(ccbt, limit_takes_both_limits_by_position_and_says_what_holds) {
    fake_daemon daemon{[](auto const&) {
        return fake_daemon::json(
            200, R"({"set":true,"download_kib":500,"upload_kib":0,"effective_download_kib":200,)"
                 R"("effective_upload_kib":0,"capped":true})");
    }};
    auto const said = ccbt(daemon.url(), {"limit", hash, "500", "0"});
    EXPECT_EQ(said.out, "down  500 KiB/s; 200 KiB/s by the global limit\nup    unlimited\n") << said.err;
    ASSERT_EQ(daemon.requests().size(), 1U);
    EXPECT_EQ(
        daemon.requests()[0].line, "POST /api/v1/torrents/" + std::string{hash} + "/rate-limits HTTP/1.1");
    EXPECT_EQ(daemon.requests()[0].body, R"({"download_kib":500,"upload_kib":0})");
    EXPECT_EQ(ccbt(daemon.url(), {"limit", hash, "500"}).code, 2);
}

TEST(ccbt, announce_shows_each_tracker) {
    fake_daemon daemon{[](auto const&) {
        return fake_daemon::json(
            200, R"({"announced":true,"trackers":[{"url":"http://a/announce","tier":0,"status":"working",)"
                 R"("message":"","seeders":3,"leechers":4,"peers":7},{"url":"http://b/announce","tier":1,)"
                 R"("status":"timeout","message":"no answer in time","seeders":null,"leechers":null,)"
                 R"("peers":null}]})");
    }};
    EXPECT_EQ(
        ccbt(daemon.url(), {"announce", hash}).out,
        "TIER  TRACKER            STATUS   SEEDS  LEECHERS  PEERS  MESSAGE\n"
        "   0  http://a/announce  working      3         4      7\n"
        "   1  http://b/announce  timeout      -         -      -  no answer in time\n");
}

TEST(ccbt, files_are_a_table_and_have_commands_of_their_own) {
    fake_daemon daemon{[](fake_daemon::request const& r) {
        if (r.line.find("/priority") != r.line.npos)
            return fake_daemon::json(200, R"({"status":"priority_set","file_index":2,"priority":"high"})");
        if (r.line.starts_with("POST"))
            return fake_daemon::json(200, R"({"status":"deselected","file_indices":[0,2]})");
        return fake_daemon::json(
            200,
            R"({"info_hash":"aa","files":[{"index":0,"name":"t/a","size":1024,"selected":true,)"
            R"("priority":"high","progress":0.5,"attributes":null},{"index":2,"name":"t/b\u001b[2J","size":0,)"
            R"("selected":false,"priority":"do_not_download","progress":1.0,"attributes":"x"}]})");
    }};
    auto const table = ccbt(daemon.url(), {"files", hash});
    EXPECT_EQ(
        table.out, "INDEX  PRIORITY    DONE     SIZE  ATTR  FILE\n"
                   "    0  high      50.0 %  1.0 KiB  -     t/a\n"
                   "    2  -          100 %      0 B  x     t/b\\u001b[2J\n")
        << table.err;
    auto const changed = ccbt(daemon.url(), {"files", "deselect", hash, "0", "2"});
    EXPECT_EQ(changed.out, "deselected files 0, 2\n") << changed.err;
    EXPECT_EQ(
        daemon.requests().back().line,
        "POST /api/v1/torrents/" + std::string{hash} + "/files/deselect HTTP/1.1");
    EXPECT_EQ(daemon.requests().back().body, R"({"file_indices":[0,2]})");
    EXPECT_EQ(ccbt(daemon.url(), {"files", "priority", hash, "2", "high"}).out, "file 2: high\n");
    EXPECT_EQ(daemon.requests().back().body, R"({"file_index":2,"priority":"high"})");
    auto const asked = daemon.requests().size();
    EXPECT_EQ(ccbt(daemon.url(), {"files"}).code, 2);
    EXPECT_THAT(ccbt(daemon.url(), {"files"}).err, HasSubstr("info-hash is required"));
    EXPECT_EQ(ccbt(daemon.url(), {"files", "select", hash}).code, 2);
    EXPECT_EQ(daemon.requests().size(), asked);
}

TEST(ccbt, verify_names_what_failed_first_and_exits_with_one) {
    bool wrong = true;
    fake_daemon daemon{[&](auto const&) {
        return fake_daemon::json(
            200, wrong ? R"({"status":"completed","info_hash":"aa","verified_files":["/d/t/a"],)"
                         R"("failed_files":["/d/t/b"],"total_files":2,"verified_count":1,"failed_count":1})"
                       : R"({"status":"completed","info_hash":"aa","verified_files":["/d/t/a"],)"
                         R"("failed_files":[],"total_files":1,"verified_count":1,"failed_count":0})");
    }};
    auto const failed = ccbt(daemon.url(), {"verify", hash});
    EXPECT_EQ(failed.code, 1);
    EXPECT_EQ(
        failed.out, "RESULT  FILE\n"
                    "failed  /d/t/b\n"
                    "ok      /d/t/a\n"
                    "1 of 2 files are right\n");
    wrong = false;
    EXPECT_EQ(ccbt(daemon.url(), {"verify", hash}).code, 0);
    EXPECT_EQ(
        daemon.requests().back().line,
        "GET /api/v1/torrents/" + std::string{hash} + "/files/verify HTTP/1.1");
}

TEST(ccbt, lists_of_addresses_are_a_table_and_a_change_names_what_changed) {
    fake_daemon daemon{[](fake_daemon::request const& r) {
        if (r.line.starts_with("POST")) return fake_daemon::json(200, R"({"added":true})");
        if (r.line.starts_with("DELETE")) return fake_daemon::json(200, R"({"removed":true})");
        return fake_daemon::json(
            200,
            R"({"ips":["10.0.0.0/8","::1"],"count":2,"entries":[{"ip":"10.0.0.0/8","reason":"noise","added_at":0.0},)"
            R"({"ip":"::1","reason":null,"added_at":0.0}]})");
    }};
    EXPECT_EQ(
        ccbt(daemon.url(), {"blacklist", "ls"}).out, "ADDRESSES   ADDED  REASON\n"
                                                     "10.0.0.0/8  -      noise\n"
                                                     "::1         -      -\n");
    EXPECT_EQ(
        ccbt(daemon.url(), {"blacklist", "add", "10.0.0.0/8", "--reason", "noise"}).out,
        "added 10.0.0.0/8\n");
    EXPECT_EQ(daemon.requests().back().body, R"({"ip":"10.0.0.0/8","reason":"noise"})");
    EXPECT_EQ(ccbt(daemon.url(), {"whitelist", "rm", "10.0.0.0/8"}).out, "removed 10.0.0.0/8\n");
    EXPECT_EQ(daemon.requests().back().line, "DELETE /api/v1/security/whitelist/10.0.0.0%2F8 HTTP/1.1");
}

} // namespace
} // namespace ccbt::cli
