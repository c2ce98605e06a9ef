// systemd's protocols as the daemon speaks them: sockets handed over, and what it tells of its state.
#include "daemon_door.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace ccbt::support {

namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Where a service manager hears of its services.
class notify_socket {
public:
    explicit notify_socket(std::string path)
        : path_{std::move(path)}, fd_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        path_.copy(at.sun_path, sizeof at.sun_path - 1);
        if (::bind(fd_, reinterpret_cast<sockaddr const*>(&at), sizeof at) != 0)
            throw std::runtime_error{"bind"};
    }
    ~notify_socket() { ::close(fd_); }
    notify_socket(notify_socket const&) = delete;
    notify_socket& operator=(notify_socket const&) = delete;

    // The next message that begins so, others passed over; "" where none comes.
    [[nodiscard]] std::string next(std::string const& begins) const {
        deadline const until{milliseconds{20'000}};
        for (;;) {
            pollfd one{fd_, POLLIN, 0};
            if (::poll(&one, 1, static_cast<int>(until.left().count())) <= 0) return {};
            char text[4096];
            auto const n = ::recv(fd_, text, sizeof text, 0);
            std::string const said{text, static_cast<std::size_t>(std::max<ssize_t>(n, 0))};
            if (said.starts_with(begins)) return said;
        }
    }
    [[nodiscard]] std::string const& path() const { return path_; }

private:
    std::string path_;
    int fd_;
};

struct daemon_service_manager : testing::Test {
    temp_folder root{};
    [[nodiscard]] daemon_plan plan() const { return {.folder = root / "one", .interface = "127.0.0.7"}; }
    // What systemd does: binds, leaves the sockets at 3 and 4, tells the process of them, becomes it.
    [[nodiscard]] static std::vector<std::string> handing_over(
        std::string const& address, std::string const& path) {
        return {
            "python3", "-c",
            "import os, socket, sys\n"
            "t = socket.socket(); t.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
            "t.bind((sys.argv[1], 0)); t.listen(64)\n"
            "u = socket.socket(socket.AF_UNIX); u.bind(sys.argv[2]); u.listen(64)\n"
            "a, b = os.dup2(t.fileno(), 100), os.dup2(u.fileno(), 101)\n"
            "os.dup2(a, 3, True); os.dup2(b, 4, True); os.closerange(5, 200)\n"
            "os.environ['LISTEN_FDS'] = '2'; os.environ['LISTEN_PID'] = str(os.getpid())\n"
            "os.execv(sys.argv[3], sys.argv[3:])\n",
            address, path};
    }
};

TEST_F(daemon_service_manager, is_told_of_readiness_reloading_stopping_and_life) {
    notify_socket const manager{root / "notify"};
    auto with = plan();
    with.env = {"NOTIFY_SOCKET=" + manager.path(), "WATCHDOG_USEC=200000"};
    door_daemon one{with};
    EXPECT_THAT(manager.next("READY=1"), HasSubstr("STATUS=serves at " + one.url));
    EXPECT_EQ(manager.next("WATCHDOG=1"), "WATCHDOG=1");
    EXPECT_EQ(manager.next("WATCHDOG=1"), "WATCHDOG=1");
    one.running().signal(SIGHUP);
    EXPECT_THAT(manager.next("RELOADING=1"), HasSubstr("MONOTONIC_USEC="));
    EXPECT_THAT(manager.next("READY=1"), StartsWith("READY=1"));
    one.running().signal(SIGTERM);
    EXPECT_EQ(manager.next("STOPPING=1"), "STOPPING=1");
    EXPECT_EQ(one.running().wait(milliseconds{10'000}), 0);
}

TEST_F(daemon_service_manager, hands_over_sockets_that_are_served_in_place_of_our_own) {
    auto const path = (root / "handed").string();
    door_daemon one{plan(), handing_over("127.0.0.1", path)};
    auto const port = one.port();
    EXPECT_EQ(curl({"-H", "X-CCBT-API-Key: " + one.key, one.url + "/api/v1/status"}).status, 200);
    EXPECT_EQ(curl({"--unix-socket", path, "http://localhost/api/v1/status"}).status, 200) << "its own user";
    EXPECT_FALSE(std::filesystem::exists(one.socket())) << "none of its own beside it";
    EXPECT_EQ(one.terminate(), 0);
    EXPECT_TRUE(std::filesystem::exists(path)) << "the manager's to remove";
}

TEST_F(daemon_service_manager, a_socket_beyond_loopback_needs_what_such_a_bind_needs) {
    try {
        door_daemon const one{plan(), handing_over("0.0.0.0", root / "handed")};
        FAIL() << "it serves in the clear";
    } catch (std::runtime_error const& why) {
        EXPECT_THAT(why.what(), HasSubstr("exit 78"));
        EXPECT_THAT(why.what(), HasSubstr("daemon.allow_insecure_bind"));
    }
    auto with = plan();
    with.settings["daemon.tls_enabled"] = "true";
    std::filesystem::remove(root / "handed");
    door_daemon one{with, handing_over("0.0.0.0", root / "handed")};
    EXPECT_THAT(one.url, StartsWith("https://"));
}

TEST_F(daemon_service_manager, what_is_meant_for_another_process_is_left_alone) {
    auto with = plan();
    with.env = {"LISTEN_FDS=1", "LISTEN_PID=1"};
    door_daemon one{with};
    EXPECT_EQ(curl({"--unix-socket", one.socket(), "http://localhost/api/v1/status"}).status, 200);
}

} // namespace

} // namespace ccbt::support
