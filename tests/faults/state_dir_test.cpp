// P6, P5 and P3 from outside: one daemon a state directory, a newer store refused untouched, a folder whose drive is
// gone left alone.
#include "faults/rounds.hpp"
#include "support/ledger.hpp"
#include "support/temp_folder.hpp"

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <memory>
#include <unistd.h>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;

TEST(state_dir, of_twenty_daemons_started_at_once_one_is_ready_and_the_others_leave_with_75) {
    temp_folder folder;
    daemon_plan const plan{.folder = folder.path()};
    fs::create_directories(folder / "downloads");
    write_file(folder / "ccbt.toml", configuration(plan));
    auto const times = faults::rounds(1, 5) > 5 ? 5 : faults::rounds(1, 5);
    for (int time = 0; time < times; ++time) {
        std::vector<std::unique_ptr<process>> all;
        for (int n = 0; n < 20; ++n)
            all.push_back(std::make_unique<process>(process_plan{
                .argv = {program("ccbtd"), "--config", (folder / "ccbt.toml").string()},
                .env = {"HOME=" + folder.path().string()},
                .folder = folder.path(),
                .log = folder / "log"}));
        std::vector<process*> ready;
        std::vector<int> ends;
        for (auto& one : all) {
            if (auto const line = one->next_line(milliseconds{60'000}); line && line->starts_with("ready "))
                ready.push_back(one.get());
            else
                ends.push_back(one->wait(milliseconds{60'000}).value_or(-1));
        }
        ASSERT_EQ(ready.size(), 1U) << all[0]->log_text();
        EXPECT_EQ(std::count(ends.begin(), ends.end(), 75), 19) << all[0]->log_text();
        EXPECT_EQ(read_file(folder / "state/daemon.pid"), std::to_string(ready[0]->pid()))
            << "the others leave it alone";
        ready[0]->signal(SIGTERM);
        EXPECT_EQ(ready[0]->wait(milliseconds{20'000}).value_or(-1), 0);
    }
    faults::say("lock", "{} times 20 daemons at once: one ready, 19 left with 75", times);
}

TEST(state_dir, a_pid_file_that_names_a_living_process_is_no_lock) {
    temp_folder folder;
    daemon under{{.folder = folder.path()}};
    under.kill9();
    write_file(under.state() / "daemon.pid", std::to_string(::getpid())); // the number was given out again
    under.start();
    EXPECT_EQ(under.get("/status").json.number_or("pid", 0), under.running().pid());
}

TEST(state_dir, a_store_of_a_newer_version_is_refused_with_65_and_not_a_byte_of_it_changes) {
    temp_folder folder;
    daemon under{{.folder = folder.path()}};
    ASSERT_EQ(under.post("/security/blacklist", R"({"ip":"10.1.2.3"})").status, 200);
    ASSERT_EQ(under.terminate(), 0);
    auto const db = (under.state() / "ccbt.db").string();
    ASSERT_EQ(run({"sqlite3", db, "PRAGMA user_version=99"}, milliseconds{10'000}).code, 0);
    auto const before = digests_of(under.state());
    auto const tried =
        run({program("ccbtd"), "--config", under.config_file().string()}, milliseconds{5000},
            {"HOME=" + folder.path().string()}, folder.path());
    EXPECT_EQ(tried.code, 65) << tried.err;
    EXPECT_NE(tried.err.find("99"), std::string::npos) << tried.err;
    EXPECT_EQ(digests_of(under.state()), before);
}

TEST(state_dir, a_folder_without_its_marker_is_offline_and_nothing_is_written_there) {
    temp_folder folder;
    daemon under{{.folder = folder.path()}};
    make_file(under.downloads() / "data", 100'000, 7);
    auto const what = make_torrent(under.downloads() / "data", {});
    under.add(what);
    under.wait_until_seeding(what.hash());
    under.kill9();
    fs::rename(under.downloads(), folder / "drive"); // unmounted: its mount point is there, and empty
    fs::create_directories(under.downloads());
    under.start();
    auto const row = under.row(what.hash());
    EXPECT_EQ(state_of(row), "error");
    EXPECT_NE(row.text_or("error", "").find("drive mounted"), std::string_view::npos) << to_text(row);
    EXPECT_TRUE(fs::is_empty(under.downloads()));
    under.kill9();
    fs::remove(under.downloads());
    fs::rename(folder / "drive", under.downloads());
    under.start();
    under.wait_until_seeding(what.hash());
}

} // namespace

} // namespace ccbt::support
