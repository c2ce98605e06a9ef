#include "daemon/service_manager.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace ccbt::daemon {

namespace {

constexpr int first_handed_over = 3;
constexpr int most_handed_over = 64;

std::string taken(char const* name) {
    char const* held = std::getenv(name);
    std::string value{held == nullptr ? "" : held};
    ::unsetenv(name);
    return value;
}

long long number(std::string const& text) {
    long long n = -1;
    auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
    return failed == std::errc{} && end == text.data() + text.size() ? n : -1;
}

} // namespace

service_manager::service_manager() {
    auto const count = number(taken("LISTEN_FDS"));
    bool const ours = number(taken("LISTEN_PID")) == ::getpid();
    ::unsetenv("LISTEN_FDNAMES");
    if (ours)
        for (int i = 0; i < count && i < most_handed_over; ++i) {
            int const fd = first_handed_over + i;
            if (::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) sockets_.push_back(fd);
        }
    notify_at_ = taken("NOTIFY_SOCKET");
    auto const microseconds = number(taken("WATCHDOG_USEC"));
    auto const watched = number(taken("WATCHDOG_PID"));
    if (microseconds > 0 && (watched < 0 || watched == ::getpid()))
        watched_every_ = std::chrono::milliseconds{std::max(1LL, microseconds / 2000)}; // twice in that time
}

void service_manager::ready(std::string_view status) const { tell("READY=1\nSTATUS=" + std::string{status}); }

void service_manager::reloading() const {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.tv_sec * 1'000'000LL + now.tv_nsec / 1000));
}

void service_manager::stopping() const { tell("STOPPING=1"); }

void service_manager::tell(std::string const& text) const {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    bool const known = notify_at_.size() > 1 && (notify_at_[0] == '/' || notify_at_[0] == '@');
    if (!known || notify_at_.size() >= sizeof at.sun_path) return;
    notify_at_.copy(at.sun_path, sizeof at.sun_path);
    if (notify_at_[0] == '@') at.sun_path[0] = '\0'; // Linux's abstract names
    auto const size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + notify_at_.size());
    int const fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return;
    [[maybe_unused]] auto const told =
        ::sendto(fd, text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr const*>(&at), size);
    ::close(fd);
}

} // namespace ccbt::daemon
