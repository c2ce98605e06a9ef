// ccbtd as a process: how it starts, what it writes, how it ends, and with which exit code.
#include "support/daemon.hpp"
#include "support/temp_folder.hpp"

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

struct daemon_process : testing::Test {
    temp_folder root{};
    fs::path config = root / "ccbt.toml";

    [[nodiscard]] daemon_plan plan() const { return {.folder = root / "one", .interface = "127.0.0.2"}; }
    // To its end, whatever that is.
    [[nodiscard]] outcome runs(std::vector<std::string> flags) const {
        flags.insert(flags.begin(), program("ccbtd"));
        return run(std::move(flags), milliseconds{20'000}, {"HOME=" + root.path().string()}, root.path());
    }
    [[nodiscard]] outcome runs_with(std::string const& toml) const {
        write_file(config, toml);
        return runs({"--config", config.string()});
    }
};

unsigned mode_of(fs::path const& path) {
    struct stat is {};
    return ::lstat(path.c_str(), &is) == 0 ? is.st_mode & 07777U : 0U;
}

TEST_F(daemon_process, says_when_it_is_ready_and_writes_where_it_is) {
    daemon one{plan()};
    EXPECT_THAT(one.url(), MatchesRegex("http://127\\.0\\.0\\.1:[0-9]+"));
    auto const pid = std::to_string(one.running().pid());
    EXPECT_EQ(read_file(one.state() / "daemon.pid"), pid);
    auto const told = wire::parse(read_file(one.state() / "daemon.json"));
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->text_or("url", ""), one.url());
    EXPECT_EQ(told->number_or("pid", 0), one.running().pid());
    EXPECT_EQ(told->text_or("version", ""), "0.1.0");
    EXPECT_GT(told->number_or("started_at", 0), 1.6e9);

    auto const status = one.get("/status");
    EXPECT_EQ(status.status, 200);
    EXPECT_EQ(status.json.text_or("status", ""), "running");
    EXPECT_EQ(status.json.number_or("pid", 0), one.running().pid());
    EXPECT_EQ(status.json.text_or("version", ""), "0.1.0");
    EXPECT_EQ(status.json.text_or("ipc_url", ""), one.url());
    EXPECT_EQ(status.json.number_or("num_torrents", -1), 0);
    EXPECT_EQ(one.running().rest_of_output(milliseconds{0}), "") << "one line and no more";

    EXPECT_EQ(one.terminate(), 0);
    EXPECT_FALSE(fs::exists(one.state() / "daemon.pid"));
    EXPECT_FALSE(fs::exists(one.state() / "daemon.json"));
    EXPECT_TRUE(fs::exists(one.state() / "ccbtd.lock"));
    EXPECT_EQ(one.running().rest_of_output(milliseconds{0}), "");
    EXPECT_FALSE(one.running().leaves_something());
}

TEST_F(daemon_process, keeps_its_state_from_other_users) {
    daemon one{plan()};
    EXPECT_EQ(mode_of(one.state()), 0700U);
    int files = 0;
    for (auto const& entry : fs::recursive_directory_iterator{one.state()}) {
        EXPECT_EQ(mode_of(entry.path()), entry.is_directory() ? 0700U : 0600U) << entry.path();
        ++files;
    }
    EXPECT_GE(files, 5) << "api_key, ccbtd.lock, daemon.json, daemon.pid and the database";
}

TEST_F(daemon_process, makes_a_key_at_its_first_start_and_keeps_it) {
    daemon one{plan()};
    auto const key = one.key();
    EXPECT_THAT(key, MatchesRegex("[0-9a-f]+"));
    EXPECT_EQ(key.size(), 64U);
    ASSERT_EQ(one.terminate(), 0);
    one.start();
    EXPECT_EQ(one.key(), key);
    EXPECT_EQ(one.get("/status").status, 200);
    EXPECT_THAT(one.log(), testing::Not(HasSubstr(key)));

    daemon const other{{.folder = root / "two"}};
    EXPECT_NE(other.key(), key);
}

TEST_F(daemon_process, ends_with_0_at_every_way_to_ask_for_it) {
    daemon one{plan()};
    one.running().signal(SIGINT);
    EXPECT_EQ(one.running().wait(milliseconds{5000}), 0);
    one.start();
    one.running().signal(SIGTERM);
    one.running().signal(SIGTERM); // twice
    EXPECT_EQ(one.running().wait(milliseconds{5000}), 0);
    one.start();
    auto told = one.events({"shutdown"});
    auto const said = one.post("/shutdown");
    EXPECT_EQ(said.status, 200);
    EXPECT_EQ(said.json.text_or("status", ""), "shutting_down");
    told.wait_for("shutdown", [](value const&) { return true; });
    EXPECT_EQ(one.running().wait(milliseconds{5000}), 0);
    EXPECT_FALSE(one.running().leaves_something());
    EXPECT_FALSE(somebody_listens("127.0.0.1", one.port()));
}

TEST_F(daemon_process, a_second_one_on_the_same_state_ends_with_75_and_the_first_goes_on) {
    daemon one{plan()};
    auto const before = read_file(one.state() / "daemon.json");
    auto const second = runs({"--config", one.config_file().string()});
    EXPECT_EQ(second.code, 75) << second.err;
    EXPECT_EQ(second.out, "");
    EXPECT_THAT(second.err, HasSubstr(std::to_string(one.running().pid()))) << "it says who holds it";
    EXPECT_EQ(read_file(one.state() / "daemon.json"), before);
    EXPECT_EQ(one.get("/status").status, 200);
}

TEST_F(daemon_process, starts_over_what_a_killed_one_left) {
    daemon one{plan()};
    one.kill9();
    ASSERT_TRUE(fs::exists(one.state() / "daemon.pid"));
    one.start();
    EXPECT_EQ(one.get("/status").json.number_or("pid", 0), one.running().pid());
}

TEST_F(daemon_process, a_wrong_value_ends_with_78_and_is_named_with_file_line_and_key) {
    auto const range = runs_with("[limits]\n# KiB/s\nglobal_down_kib = -5\n");
    EXPECT_EQ(range.code, 78);
    EXPECT_EQ(range.out, "");
    EXPECT_THAT(range.err, HasSubstr("ccbt.toml:3: limits.global_down_kib"));
    auto const type = runs_with("[network]\nlisten_port_tcp = \"many\"\n");
    EXPECT_EQ(type.code, 78);
    EXPECT_THAT(type.err, HasSubstr("ccbt.toml:2: network.listen_port_tcp"));
    auto const syntax = runs_with("[network]\n\nlisten_port_tcp = = 1\n");
    EXPECT_EQ(syntax.code, 78);
    EXPECT_THAT(syntax.err, HasSubstr("ccbt.toml:3"));
    EXPECT_FALSE(fs::exists(root / ".ccbt")) << "nothing is made before the configuration is right";
}

TEST_F(daemon_process, an_unsafe_bind_ends_with_78_and_names_the_key_that_allows_it) {
    auto const ended = runs_with("[daemon]\nipc_host = \"0.0.0.0\"\n");
    EXPECT_EQ(ended.code, 78);
    EXPECT_THAT(ended.err, HasSubstr("daemon.allow_insecure_bind"));
}

TEST_F(daemon_process, wrong_flags_and_a_missing_file_end_with_78) {
    EXPECT_EQ(runs({"--no-such-flag"}).code, 78);
    auto const missing = runs({"--config", (root / "none.toml").string()});
    EXPECT_EQ(missing.code, 78);
    EXPECT_THAT(missing.err, HasSubstr("none.toml"));
}

TEST_F(daemon_process, a_database_that_is_none_ends_with_65_and_is_left_as_it_is) {
    fs::path database;
    {
        daemon one{plan()};
        for (auto const& entry : fs::directory_iterator{one.state()})
            if (read_file(entry.path()).starts_with("SQLite format 3")) database = entry.path();
        ASSERT_FALSE(database.empty());
        ASSERT_EQ(one.terminate(), 0);
    }
    std::string const garbage(20'000, 'x');
    write_file(database, garbage);
    auto const ended = runs({"--config", (root / "one" / "ccbt.toml").string()});
    EXPECT_EQ(ended.code, 65) << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_NE(ended.err, "");
    EXPECT_EQ(read_file(database), garbage);
}

TEST_F(daemon_process, a_state_folder_that_cannot_be_made_ends_with_73) {
    write_file(root / "a file", "");
    auto const ended = runs({"--state-dir", (root / "a file" / "state").string()});
    EXPECT_EQ(ended.code, 73) << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, HasSubstr("a file"));
}

TEST_F(daemon_process, tells_its_version_and_those_of_libtorrent_and_boost) {
    auto const said = runs({"--version"});
    EXPECT_EQ(said.code, 0);
    EXPECT_THAT(said.out, StartsWith("ccbtd 0.1.0"));
    EXPECT_THAT(said.out, HasSubstr("libtorrent 2.0.8"));
    EXPECT_THAT(said.out, HasSubstr("Boost 1.74"));
    EXPECT_EQ(said.err, "");
}

TEST_F(daemon_process, checks_a_configuration_without_running) {
    write_file(config, "[limits]\nglobal_down_kib = 7\nglobal_donw_kib = 8\n");
    auto const good = runs({"--check-config", "--config", config.string()});
    EXPECT_EQ(good.code, 0);
    EXPECT_THAT(good.out + good.err, HasSubstr("limits.global_down_kib"))
        << "the unknown key's nearest is named";
    write_file(config, "[limits]\nglobal_down_kib = \"7\"\n");
    auto const bad = runs({"--check-config", "--config", config.string()});
    EXPECT_EQ(bad.code, 78);
    EXPECT_THAT(bad.out + bad.err, HasSubstr("ccbt.toml:2: limits.global_down_kib"));
    EXPECT_FALSE(fs::exists(root / ".ccbt"));
}

TEST_F(daemon_process, the_environment_goes_before_the_file_and_flags_before_both) {
    auto one = plan();
    auto const elsewhere = root / "by flag";
    one.settings["limits.global_down_kib"] = "\"not a number\"";
    one.env = {
        "CCBT_LIMITS_GLOBAL_DOWN_KIB=9", "CCBT_DAEMON_STATE_DIR=" + (root / "by environment").string()};
    EXPECT_THROW(daemon{one}, std::runtime_error) << "what the file says is checked all the same";
    one.settings.clear();
    fs::create_directories(one.folder);
    write_file(one.folder / "ccbt.toml", configuration(one));
    process started{
        {.argv =
             {program("ccbtd"), "--config", (one.folder / "ccbt.toml").string(), "--state-dir",
              elsewhere.string()},
         .env = one.env,
         .folder = one.folder,
         .log = one.folder / "log"}};
    EXPECT_THAT(started.next_line(milliseconds{20'000}).value_or(""), StartsWith("ready http://127.0.0.1:"));
    EXPECT_TRUE(fs::exists(elsewhere / "daemon.json"));
    EXPECT_FALSE(fs::exists(root / "by environment"));
    EXPECT_FALSE(fs::exists(one.folder / "state"));
}

TEST_F(daemon_process, reads_the_log_level_again_at_sighup) {
    auto quiet = plan();
    quiet.settings["observability.log_level"] = "\"ERROR\"";
    daemon one{quiet};
    auto const before = one.log();
    auto loud = quiet;
    loud.settings["observability.log_level"] = "\"DEBUG\"";
    write_file(one.config_file(), configuration(loud));
    one.running().signal(SIGHUP);
    EXPECT_TRUE(eventually(milliseconds{10'000}, [&] {
        return one.get("/status").status == 200 && one.log().size() > before.size();
    })) << "at DEBUG it writes something";
    EXPECT_TRUE(one.running().is_running());

    write_file(one.config_file(), "[limits]\nglobal_down_kib = \"wrong\"\n");
    one.running().signal(SIGHUP);
    EXPECT_TRUE(eventually(milliseconds{10'000}, [&] {
        return one.log().find("ccbt.toml:2: limits.global_down_kib") != std::string::npos;
    })) << "a file that is wrong is told";
    EXPECT_EQ(one.get("/status").status, 200) << "and changes nothing";
    EXPECT_EQ(one.terminate(), 0);
}

TEST_F(daemon_process, shows_torrents_that_are_not_real) {
    auto demo = plan();
    demo.flags = {
        "--demo", "1000", "--state-dir", (demo.folder / "state").string()}; // it has one of its own else
    daemon one{demo};
    auto const said = one.get("/torrents");
    ASSERT_EQ(said.status, 200);
    auto const& rows = said.json.list_or_empty("torrents");
    ASSERT_EQ(rows.size(), 1000U);
    EXPECT_EQ(one.get("/status").json.number_or("num_torrents", 0), 1000);
    auto const hash = std::string{rows[500].text_or("info_hash", "")};
    EXPECT_THAT(hash, MatchesRegex("[0-9a-f]+"));
    EXPECT_EQ(one.row(hash).text_or("info_hash", ""), hash);
    EXPECT_EQ(one.terminate(), 0);
}

} // namespace

} // namespace ccbt::support
