// `ccbt daemon …` against a script in the place of ccbtd and a fake server in the place of its API.
#include "base/temporary_folder_test.hpp"
#include "cli/app.hpp"
#include "client/fake_daemon.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>

namespace ccbt::cli {
namespace {

namespace fs = std::filesystem;
using client::fake_daemon;
using ::testing::HasSubstr;

struct daemon_command : ::testing::Test {
    ~daemon_command() override { ::unsetenv("CCBTD"); }
    void ccbtd_is(std::string_view script) const {
        std::ofstream{folder / "ccbtd"} << "#!/bin/sh\n" << script << '\n';
        fs::permissions(folder / "ccbtd", fs::perms::owner_all);
        ::setenv("CCBTD", (folder / "ccbtd").c_str(), 1);
    }
    int ccbt(std::vector<std::string> words) {
        words.insert(words.end(), {"--state-dir", (folder / "state").string()});
        std::ostringstream to_out;
        std::ostringstream to_err;
        auto const code =
            run(std::move(words), {to_out, to_err, {}, [](char const*) -> char const* { return nullptr; }});
        out = to_out.str();
        err = to_err.str();
        return code;
    }
    ccbt::temporary_folder at;
    fs::path const folder = at.path();
    std::string out, err;
};

TEST_F(daemon_command, start_waits_for_the_ready_line_and_passes_what_was_given) {
    ccbtd_is(
        "echo \"$@\" >\"$(dirname \"$0\")/words\"; echo starting >&2; echo ready http://127.0.0.1:4711; exec sleep 60");
    EXPECT_EQ(ccbt({"daemon", "start", "--url", "http://127.0.0.1:1", "--config", "c.toml", "--json"}), 0)
        << err;
    EXPECT_THAT(out, HasSubstr(R"({"status":"started","url":"http://127.0.0.1:4711","pid":)"));
    auto const pid = std::atoi(out.c_str() + out.find("\"pid\":") + 6);
    ASSERT_GT(pid, 1);
    EXPECT_EQ(::getsid(pid), pid); // of no terminal
    EXPECT_EQ(::kill(pid, SIGKILL), 0);
    EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
    std::string words;
    std::getline(std::ifstream{folder / "words"} >> std::ws, words);
    EXPECT_EQ(words, "--config c.toml --state-dir " + (folder / "state").string());
    std::string log;
    std::getline(std::ifstream{folder / "state/ccbtd.log"} >> std::ws, log);
    EXPECT_EQ(log, "starting");
    struct stat seen {};
    EXPECT_EQ(::stat((folder / "state").c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777, 0700U);
    EXPECT_EQ(::stat((folder / "state/ccbtd.log").c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777, 0600U);
}

TEST_F(daemon_command, a_start_that_fails_says_why) {
    ccbtd_is("echo 'network.port: no such key' >&2; exit 78");
    EXPECT_EQ(ccbt({"daemon", "start", "--url", "http://127.0.0.1:1"}), 1);
    EXPECT_THAT(err, HasSubstr("it left with 78, its configuration is bad or unsafe"));
    EXPECT_THAT(err, HasSubstr("  network.port: no such key\n"));
}

TEST_F(daemon_command, a_daemon_that_runs_is_not_started_again) {
    fake_daemon daemon{[](auto const&) { return fake_daemon::json(200, R"({"pid":17})"); }};
    ccbtd_is("exit 1");
    EXPECT_EQ(ccbt({"daemon", "start", "--url", daemon.url()}), 0);
    EXPECT_EQ(out, "running " + daemon.url() + " (process 17)\n");
    EXPECT_EQ(ccbt({"daemon", "status", "--url", daemon.url()}), 0);
    EXPECT_EQ(ccbt({"daemon", "status", "--url", "http://127.0.0.1:1"}), 3);
}

TEST_F(daemon_command, stop_returns_when_the_process_is_gone_and_not_before) {
    pid_t const child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    bool obeys = false;
    fake_daemon daemon{[&](fake_daemon::request const& r) {
        if (r.line.starts_with("POST") && obeys) ::kill(child, SIGKILL);
        return fake_daemon::json(200, R"({"pid":)" + std::to_string(child) + R"(,"status":"x"})");
    }};
    fs::create_directories(folder / "state");
    std::ofstream{folder / "state/daemon.json"} << R"({"url":")" << daemon.url() << R"(","pid":)" << child
                                                << "}";
    EXPECT_EQ(ccbt({"daemon", "stop", "--within", "0.05"}), 1);
    EXPECT_THAT(err, HasSubstr("is not gone yet"));
    obeys = true;
    EXPECT_EQ(ccbt({"daemon", "stop"}), 0) << err;
    EXPECT_THAT(out, HasSubstr("stopped " + daemon.url()));
    EXPECT_EQ(::waitpid(child, nullptr, WNOHANG), child); // gone already
}

} // namespace
} // namespace ccbt::cli
