// daemon.landlock: what the daemon does it still does, and writes nowhere else, whoever lets it.
#include "support/daemon.hpp"
#include "support/strace.hpp"
#include "swarm/swarm.hpp"

#include <fstream>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

bool kernel_has_landlock() {
    return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

std::string quoted(fs::path const& path) { return '"' + path.string() + '"'; }

struct daemon_landlock : testing::Test {
    swarm in;

    void SetUp() override {
        if (!kernel_has_landlock()) GTEST_SKIP() << "this kernel has no Landlock";
    }
    // "NoNewPrivs:\t1", of every thread that it has: it is inherited, and was set with the rules.
    static std::vector<std::string> privileges(daemon& of) {
        std::vector<std::string> out;
        for (auto const& task :
             fs::directory_iterator{"/proc/" + std::to_string(of.running().pid()) + "/task"}) {
            std::ifstream status{task.path() / "status"};
            for (std::string line; std::getline(status, line);)
                if (line.starts_with("NoNewPrivs")) out.push_back(line);
        }
        return out;
    }
};

TEST_F(daemon_landlock, what_the_daemon_does_it_does_below_the_configured_folders) {
    make_files(in.data("much"), {{"a", 3 * mib}, {"deep/b", 1 * mib}}, 211);
    auto const what = in.torrent_of(in.data("much"));
    daemon seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    auto const other = in.root / "leecher" / "other";
    daemon bound{in.leecher(
        {{"daemon.landlock", "true"},
         {"disk.allowed_paths",
          '[' + quoted(in.root / "leecher" / "downloads") + ", " + quoted(other) + ']'}})};
    EXPECT_THAT(bound.log(), HasSubstr("writing is bound to the configured folders"));
    auto const threads = privileges(bound);
    EXPECT_GT(threads.size(), 3U);
    EXPECT_THAT(threads, Each("NoNewPrivs:\t1"));

    bound.add(what);
    bound.wait_until_seeding(what.hash());
    EXPECT_EQ(digests_of(bound.downloads() / "much"), digests_of(in.data("much")));
    auto const exported = bound.post("/torrents/export-state");
    ASSERT_EQ(exported.status, 200) << exported.body;
    EXPECT_TRUE(fs::exists(exported.json.text_or("path", "")));
    EXPECT_EQ(bound.call("PUT", "/config", R"({"limits":{"global_down_kib":9000}})").status, 200);
    EXPECT_EQ(bound.post("/security/blacklist", R"({"ip":"192.0.2.1"})").status, 200);
    ASSERT_EQ(bound.del("/torrents/" + what.hash() + "?delete_files=true").status, 200);
    EXPECT_FALSE(fs::exists(bound.downloads() / "much"));
    auto const imported = bound.post(
        "/torrents/import-state", R"({"path":)" + quoted(fs::path{exported.json.text_or("path", "")}) + '}');
    ASSERT_EQ(imported.status, 200) << imported.body;
    bound.wait_until_seeding(what.hash());
    write_file(in.root / "t.torrent", what.bytes);
    ASSERT_EQ(bound.del("/torrents/" + what.hash()).status, 200);
    auto const elsewhere = bound.post(
        "/torrents/add",
        R"({"path_or_magnet":)" + quoted(in.root / "t.torrent") + R"(,"output_dir":)" + quoted(other) + '}');
    ASSERT_EQ(elsewhere.status, 200) << elsewhere.body;
    bound.wait_until_seeding(what.hash());
    EXPECT_TRUE(fs::exists(other / "much" / "deep" / "b"));
    EXPECT_EQ(bound.terminate(), 0);
    bound.start();
    EXPECT_EQ(progress_of(bound.wait_until_seeding(what.hash())), 1);
    EXPECT_THAT(bound.log(), Not(HasSubstr("error")));
}

TEST_F(daemon_landlock, a_folder_that_is_let_in_later_is_written_after_the_restart_and_not_before) {
    for (bool const is_bound : {true, false}) {
        temp_folder folder;
        auto const later = folder / "later";
        daemon one{
            {.folder = folder / "one", .settings = {{"daemon.landlock", is_bound ? "true" : "false"}}}};
        auto const let_in = one.call(
            "PUT", "/config",
            R"({"disk":{"allowed_paths":[)" + quoted(one.downloads()) + ',' + quoted(later) + "]}}");
        ASSERT_EQ(let_in.status, 200) << let_in.body;
        fs::create_directories(later);
        auto const add = [&] {
            return one.post(
                "/torrents/add", R"({"path_or_magnet":"magnet:?xt=urn:btih:)" + std::string(40, 'a') +
                                     R"(","output_dir":)" + quoted(later) + '}');
        };
        auto const first = add();
        if (!is_bound) {
            EXPECT_EQ(first.status, 200) << first.body;
            EXPECT_FALSE(fs::is_empty(later)) << "its marker";
            continue;
        }
        EXPECT_EQ(first.status, 403) << first.body;
        EXPECT_TRUE(fs::is_empty(later));
        EXPECT_EQ(one.get("/torrents").json.list_or_empty("torrents").size(), 0U);
        ASSERT_EQ(one.terminate(), 0);
        one.start();
        auto const again = add();
        EXPECT_EQ(again.status, 200) << again.body;
        EXPECT_FALSE(fs::is_empty(later));
    }
}

TEST_F(daemon_landlock, where_the_kernel_has_none_it_does_not_start_with_it) {
    temp_folder folder;
    daemon_plan plan{.folder = folder / "one", .settings = {{"daemon.landlock", "true"}}};
    plan.under = {
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=landlock_create_ruleset",
        "-e",
        "inject=landlock_create_ruleset:error=ENOSYS"};
    try {
        daemon const one{plan};
        ADD_FAILURE() << "it started";
    } catch (std::exception const& why) {
        EXPECT_THAT(why.what(), HasSubstr("78"));
        EXPECT_THAT(why.what(), HasSubstr("daemon.landlock is on, and cannot be"));
    }
}

} // namespace

} // namespace ccbt::support
