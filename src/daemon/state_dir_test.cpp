#include "base/temporary_folder_test.hpp"
#include "daemon/state_dir.hpp"

#include "wire/json.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ccbt::daemon {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

struct state_directory : testing::Test {
    [[nodiscard]] fs::path folder() const { return root_ / "a" / "state"; }
    [[nodiscard]] state_dir opened() const {
        auto made = state_dir::open(folder());
        if (!made) {
            ADD_FAILURE() << made.error().message;
            std::abort();
        }
        return std::move(*made);
    }
    [[nodiscard]] static std::string text_of(fs::path const& path) {
        std::ostringstream out;
        out << std::ifstream{path}.rdbuf();
        return out.str();
    }
    static void put(fs::path const& path, std::string_view text, unsigned mode) {
        std::ofstream{path} << text;
        fs::permissions(path, fs::perms{mode});
    }
    [[nodiscard]] static unsigned mode_of(fs::path const& path) {
        struct stat facts {};
        EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
        return facts.st_mode & 07777;
    }
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (auto const& one : fs::directory_iterator{folder()})
            out.push_back(one.path().filename().string());
        std::sort(out.begin(), out.end());
        return out;
    }
    // Another process that holds the directory, from its birth until the end of this object.
    class other_daemon {
    public:
        explicit other_daemon(fs::path const& folder) {
            std::array<int, 2> ready{}, end{};
            EXPECT_EQ(::pipe(ready.data()), 0);
            EXPECT_EQ(::pipe(end.data()), 0);
            pid = ::fork();
            if (pid == 0) {
                ::close(end[1]);
                auto held = state_dir::open(folder);
                bool const good = held && held->announce({"http://127.0.0.1:1", "0", 1});
                char const said = good ? 'y' : 'n';
                char nothing = 0;
                if (::write(ready[1], &said, 1) == 1 && ::read(end[0], &nothing, 1) != 0) ::_exit(2);
                ::_exit(0); // without a word, as if killed
            }
            ::close(ready[1]);
            ::close(end[0]);
            char said = 'n';
            EXPECT_EQ(::read(ready[0], &said, 1), 1);
            EXPECT_EQ(said, 'y');
            ::close(ready[0]);
            end_ = end[1];
        }
        ~other_daemon() { leave(); }
        void leave() {
            if (end_ < 0) return;
            ::close(end_);
            end_ = -1;
            int status = -1;
            EXPECT_EQ(::waitpid(pid, &status, 0), pid);
            EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        }
        pid_t pid = -1;

    private:
        int end_ = -1;
    };

private:
    ccbt::temporary_folder root_;
};

TEST_F(state_directory, is_made_with_all_folders_above_it_for_its_user_alone_whatever_the_umask) {
    auto const before = ::umask(0);
    {
        auto const held = opened();
        EXPECT_THAT(held.warnings(), IsEmpty());
    }
    ::umask(before);
    EXPECT_EQ(mode_of(folder()), 0700U);
    EXPECT_EQ(mode_of(folder().parent_path()), 0700U);
    EXPECT_EQ(mode_of(folder() / "ccbtd.lock"), 0600U);
    EXPECT_THAT(names(), testing::ElementsAre("ccbtd.lock"));
}

TEST_F(state_directory, held_by_another_process_is_refused_with_75_and_not_touched) {
    other_daemon other{folder()};
    put(folder() / "ccbtd.lock", "kept", 0640);
    fs::permissions(folder(), fs::perms{0750});
    auto const note = text_of(folder() / "daemon.json");
    auto const before = names();

    auto const made = state_dir::open(folder());
    ASSERT_FALSE(made);
    EXPECT_EQ(static_cast<int>(made.error().code), 75);
    EXPECT_EQ(
        made.error().message, "the state directory " + folder().string() +
                                  " is in use by another ccbtd (pid " + std::to_string(other.pid) +
                                  "): stop it first, or name another directory with --state-dir");
    EXPECT_EQ(names(), before);
    EXPECT_EQ(text_of(folder() / "daemon.json"), note);
    EXPECT_EQ(text_of(folder() / "ccbtd.lock"), "kept");
    EXPECT_EQ(mode_of(folder()), 0750U);
    EXPECT_EQ(mode_of(folder() / "ccbtd.lock"), 0640U);
}

TEST_F(state_directory, is_free_again_when_its_holder_died_and_the_stale_announcement_goes) {
    other_daemon other{folder()};
    EXPECT_THAT(names(), testing::ElementsAre("ccbtd.lock", "daemon.json", "daemon.pid"));
    struct stat first {};
    ASSERT_EQ(::stat((folder() / "ccbtd.lock").c_str(), &first), 0);
    other.leave();
    EXPECT_THAT(names(), testing::ElementsAre("ccbtd.lock", "daemon.json", "daemon.pid"));
    auto const held = opened();
    EXPECT_THAT(names(), testing::ElementsAre("ccbtd.lock"));
    struct stat second {};
    ASSERT_EQ(::stat((folder() / "ccbtd.lock").c_str(), &second), 0);
    EXPECT_EQ(first.st_ino, second.st_ino); // never unlinked
}

TEST_F(state_directory, keeps_its_lock_through_a_move_and_lets_it_go_at_the_end) {
    {
        auto held = opened();
        auto moved = std::move(held);
        auto const second = state_dir::open(folder());
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, exit_code::locked);
    }
    EXPECT_TRUE(state_dir::open(folder()));
}

TEST_F(state_directory, open_to_others_is_closed_to_them_with_a_warning) {
    fs::create_directories(folder());
    fs::permissions(folder(), fs::perms{0755});
    auto const held = opened();
    EXPECT_EQ(mode_of(folder()), 0700U);
    ASSERT_EQ(held.warnings().size(), 1U);
    EXPECT_THAT(held.warnings()[0], HasSubstr("was open to other users (mode 0755)"));
}

TEST_F(state_directory, that_cannot_be_made_is_73) {
    put(folder().parent_path(), "a file", 0600);
    auto const made = state_dir::open(folder());
    ASSERT_FALSE(made);
    EXPECT_EQ(static_cast<int>(made.error().code), 73);
    EXPECT_EQ(
        made.error().message,
        "the state directory " + folder().string() + ": cannot be made: Not a directory");
    auto const nowhere = state_dir::open("/proc/ccbt/state");
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(static_cast<int>(nowhere.error().code), 73);
}

TEST_F(state_directory, whose_lock_is_a_link_is_refused_and_the_link_s_target_stays) {
    fs::create_directories(folder());
    put(folder() / "target", "kept", 0644);
    fs::create_symlink("target", folder() / "ccbtd.lock");
    auto const made = state_dir::open(folder());
    ASSERT_FALSE(made);
    EXPECT_EQ(static_cast<int>(made.error().code), 73);
    EXPECT_EQ(text_of(folder() / "target"), "kept");
}

TEST_F(state_directory, announces_the_daemon_and_withdraws_it) {
    auto held = opened();
    ASSERT_TRUE(held.announce({"http://127.0.0.1:64124", "0.1.0", 1700000000.25}));
    EXPECT_EQ(text_of(folder() / "daemon.pid"), std::to_string(::getpid()));
    EXPECT_EQ(
        text_of(folder() / "daemon.json"),
        "{\"url\":\"http://127.0.0.1:64124\",\"pid\":" + std::to_string(::getpid()) +
            ",\"version\":\"0.1.0\",\"started_at\":1700000000.25}\n");
    EXPECT_EQ(mode_of(folder() / "daemon.pid"), 0600U);
    EXPECT_EQ(mode_of(folder() / "daemon.json"), 0600U);
    EXPECT_THAT(names(), testing::ElementsAre("ccbtd.lock", "daemon.json", "daemon.pid"));
    held.withdraw();
    EXPECT_THAT(names(), testing::ElementsAre("ccbtd.lock"));
}

TEST_F(state_directory, withdraws_the_announcement_when_it_ends) {
    {
        auto held = opened();
        ASSERT_TRUE(held.announce({"http://127.0.0.1:1", "0", 1}));
    }
    EXPECT_THAT(names(), testing::ElementsAre("ccbtd.lock"));
}

TEST_F(state_directory, that_cannot_be_written_is_73) {
    auto held = opened();
    fs::create_directory(folder() / "daemon.pid"); // a file is not renamed over a folder
    auto const made = held.announce({"http://127.0.0.1:1", "0", 1});
    ASSERT_FALSE(made);
    EXPECT_EQ(static_cast<int>(made.error().code), 73);
    EXPECT_EQ(
        made.error().message,
        "the state directory " + folder().string() + ": daemon.pid cannot be renamed: Is a directory");
    EXPECT_THAT(names(), testing::ElementsAre("ccbtd.lock", "daemon.pid"));
}

TEST_F(state_directory, makes_a_key_once_and_keeps_it) {
    std::string key;
    {
        auto held = opened();
        put(folder() / ".api_key.new", "left by a crash", 0644);
        auto const made = held.api_key();
        ASSERT_TRUE(made) << made.error().message;
        key = *made;
        EXPECT_THAT(key, MatchesRegex("[0-9a-f]{64}"));
        EXPECT_EQ(mode_of(folder() / "api_key"), 0600U);
        EXPECT_EQ(text_of(folder() / "api_key"), key + '\n');
        EXPECT_THAT(names(), testing::ElementsAre("api_key", "ccbtd.lock"));
    }
    auto again = opened();
    EXPECT_EQ(*again.api_key(), key);
    fs::remove(folder() / "api_key");
    EXPECT_NE(*again.api_key(), key);
}

TEST_F(state_directory, closes_a_key_that_others_may_read_with_a_warning) {
    auto held = opened();
    auto const key = *held.api_key();
    fs::permissions(folder() / "api_key", fs::perms{0644});
    EXPECT_EQ(*held.api_key(), key);
    EXPECT_EQ(mode_of(folder() / "api_key"), 0600U);
    ASSERT_EQ(held.warnings().size(), 1U);
    EXPECT_THAT(held.warnings()[0], HasSubstr("was open to other users (mode 0644)"));
    EXPECT_THAT(held.warnings()[0], Not(HasSubstr(key)));
}

TEST_F(state_directory, refuses_a_damaged_key_and_leaves_it) {
    auto held = opened();
    for (auto const& bad :
         {std::string{}, std::string(63, 'a'), std::string(66, 'a'), std::string(64, 'g'),
          std::string(5000, 'a')}) {
        put(folder() / "api_key", bad, 0600);
        auto const made = held.api_key();
        ASSERT_FALSE(made) << bad;
        EXPECT_EQ(static_cast<int>(made.error().code), 65);
        EXPECT_THAT(
            made.error().message, HasSubstr("does not hold a key of 64 hex digits and is left as it is"));
        EXPECT_EQ(text_of(folder() / "api_key"), bad);
    }
    fs::remove(folder() / "api_key");
    ASSERT_EQ(::mkfifo((folder() / "api_key").c_str(), 0600), 0);
    EXPECT_EQ(held.api_key().error().code, exit_code::damaged_state);
    fs::remove(folder() / "api_key");
    fs::create_symlink("elsewhere", folder() / "api_key");
    EXPECT_EQ(held.api_key().error().code, exit_code::cannot_write);
}

TEST_F(state_directory, files_of_others_libraries_are_private_while_asked) {
    auto held = opened();
    auto const before = ::umask(0022);
    {
        private_files const strict;
        std::ofstream{folder() / "made_by_a_library"} << "x";
    }
    std::ofstream{folder() / "later"} << "x";
    ::umask(before);
    EXPECT_EQ(mode_of(folder() / "made_by_a_library"), 0600U);
    EXPECT_EQ(mode_of(folder() / "later"), 0644U);
}

} // namespace
} // namespace ccbt::daemon
