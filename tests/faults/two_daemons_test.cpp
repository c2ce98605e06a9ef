// One daemon a state directory, by whatever path and in whatever state the first one is; the second leaves with 75 and
// every file as it was.
#include "support/daemon.hpp"
#include "support/temp_folder.hpp"

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <sys/stat.h>

namespace ccbt::support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct kept {
    std::string bytes;
    std::int64_t changed = 0; // in nanoseconds
    ino_t inode = 0;
    bool operator==(kept const&) const = default;
};
std::map<std::string, kept> all_below(fs::path const& folder) {
    std::map<std::string, kept> out;
    for (auto const& one : fs::recursive_directory_iterator{folder}) {
        struct stat facts {};
        if (::stat(one.path().c_str(), &facts) != 0) continue;
        out[one.path().filename()] = {
            one.is_regular_file() ? read_file(one.path()) : "",
            std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec, facts.st_ino};
    }
    return out;
}

struct two_daemons : testing::Test {
    temp_folder root{};
    daemon first{{.folder = root / "house"}};

    void SetUp() override {
        first.add_magnet("magnet:?xt=urn:btih:00000000000000000000000000000000000000aa");
    }
    void second_is_refused(
        std::vector<std::string> flags = {}, std::string const& says = "is in use by another ccbtd") {
        auto const before = all_below(first.state());
        std::vector<std::string> argv{program("ccbtd"), "--config", first.config_file().string()};
        argv.insert(argv.end(), flags.begin(), flags.end());
        auto const second = run(argv, milliseconds{20'000}, {"HOME=" + root.path().string()});
        EXPECT_EQ(second.code, 75) << second.err;
        EXPECT_THAT(second.err, HasSubstr(says));
        EXPECT_EQ(second.out, "");
        auto const after = all_below(first.state());
        EXPECT_EQ(before.size(), after.size());
        for (auto const& [name, was] : before)
            EXPECT_TRUE(after.contains(name) && after.at(name) == was) << name << " was touched";
    }
};

TEST_F(two_daemons, the_second_is_refused_by_every_path_to_the_directory) {
    second_is_refused({}, "(pid " + std::to_string(first.running().pid()) + ')');
    fs::create_directory_symlink(first.state(), root / "link");
    second_is_refused({"--state-dir", root / "link"});
    second_is_refused({"--state-dir", (first.state() / ".." / "state").string()});
    second_is_refused({"--recover"});
    EXPECT_EQ(first.get("/torrents").status, 200);
}

TEST_F(two_daemons, the_second_is_refused_while_the_first_is_stopped) {
    first.running().signal(SIGSTOP);
    second_is_refused();
    first.running().signal(SIGCONT);
    EXPECT_EQ(first.get("/torrents").status, 200);
}

TEST_F(two_daemons, the_second_is_refused_where_the_lock_s_file_was_removed_by_hand) {
    fs::remove(first.state() / "ccbtd.lock");
    second_is_refused();
    EXPECT_FALSE(fs::exists(first.state() / "ccbtd.lock"));
    EXPECT_EQ(first.terminate(), 0);
    first.start();
    EXPECT_TRUE(fs::exists(first.state() / "ccbtd.lock"));
    second_is_refused();
}

} // namespace
} // namespace ccbt::support
