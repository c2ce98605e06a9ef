// `ccbt top` on a terminal, as somebody sits before it.
#include "support/daemon.hpp"
#include "support/temp_folder.hpp"

#include <csignal>
#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ccbt::support {

namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

class at_a_terminal {
public:
    at_a_terminal(daemon const& of, winsize size) {
        auto const tool = program("ccbt"), url = of.url(), key = "CCBT_API_KEY=" + of.key();
        child_ = ::forkpty(&fd_, nullptr, nullptr, &size);
        if (child_ == 0) {
            std::array<char const*, 5> const words{tool.c_str(), "--url", url.c_str(), "top", nullptr};
            std::array<char const*, 3> const env{key.c_str(), "TERM=xterm", nullptr};
            ::execve(
                tool.c_str(), const_cast<char* const*>(words.data()),
                const_cast<char* const*>(env.data())); // NOLINT
            ::_exit(127);
        }
    }
    ~at_a_terminal() {
        if (child_ > 0) {
            ::kill(child_, SIGKILL);
            ::waitpid(child_, nullptr, 0);
        }
        ::close(fd_);
    }
    at_a_terminal(at_a_terminal const&) = delete;
    at_a_terminal& operator=(at_a_terminal const&) = delete;

    void press(std::string_view keys) const {
        ASSERT_EQ(::write(fd_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
    }
    /// What was shown since the last time, once that is in it.
    std::string until(std::string_view wanted) {
        std::string seen;
        for (deadline const by{milliseconds{20'000}}; seen.find(wanted) == seen.npos && !by.is_over();) {
            pollfd waits{fd_, POLLIN, 0};
            if (::poll(&waits, 1, 200) <= 0) continue;
            std::array<char, 4096> bytes{};
            auto const n = ::read(fd_, bytes.data(), bytes.size());
            if (n <= 0) break; // it has gone
            seen.append(bytes.data(), static_cast<std::size_t>(n));
        }
        EXPECT_THAT(seen, HasSubstr(std::string{wanted}));
        return seen;
    }
    [[nodiscard]] int exit_code() {
        int status = 0;
        ::waitpid(child_, &status, 0);
        child_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    void send(int signal) const { ::kill(child_, signal); }

private:
    int fd_ = -1;
    pid_t child_ = -1;
};

TEST(ccbt_top, the_table_keeps_up_a_key_pauses_and_the_terminal_is_given_back) {
    temp_folder folder;
    daemon one{{.folder = folder / "one"}};
    auto const magnet = [](char digit) {
        return "magnet:?xt=urn:btih:" + std::string(40, digit) + "&dn=torrent+" + digit;
    };
    auto const first = one.add_magnet(magnet('a'));
    at_a_terminal here{one, {.ws_row = 12, .ws_col = 100}};
    EXPECT_THAT(here.until("torrent a"), HasSubstr("\x1b[?1049h"));
    one.add_magnet(magnet('b'));
    here.until("torrent b"); // nothing was pressed
    here.press("n\x1b[H");   // by name, the first
    here.press("p");
    here.until("paused torrent a");
    EXPECT_EQ(state_of(one.row(first)), "paused");
    here.press("p");
    here.until("resumed torrent a");
    EXPECT_NE(state_of(one.row(first)), "paused");
    one.kill9();
    here.until("waiting for it to come back");
    here.press("q");
    EXPECT_THAT(here.until("\x1b[?1049l"), HasSubstr("\x1b[?25h")) << "the cursor, too";
    EXPECT_EQ(here.exit_code(), 0);
}

TEST(ccbt_top, an_interrupt_gives_the_terminal_back_as_well) {
    temp_folder folder;
    daemon const one{{.folder = folder / "one"}};
    at_a_terminal here{one, {.ws_row = 12, .ws_col = 100}};
    here.until("no torrents");
    here.send(SIGTERM);
    here.until("\x1b[?1049l");
    EXPECT_EQ(here.exit_code(), 0);
}

} // namespace

} // namespace ccbt::support
