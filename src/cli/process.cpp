// `ccbt daemon …`: starting ccbtd in the background and seeing it really gone.
#include "base/beneath.hpp"
#include "base/text.hpp"
#include "cli/deeds.hpp"
#include "cli/session.hpp"
#include "client/connection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <fstream>
#include <ostream>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace ccbt::cli {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

int code(exit_code c) { return static_cast<int>(c); }

expected<milliseconds, std::string> bound_of(given const& words) {
    auto const written = words.one("within", "30");
    double seconds = 0;
    auto const [end, failed] = std::from_chars(written.data(), written.data() + written.size(), seconds);
    if (failed != std::errc{} || end != written.data() + written.size() || !(seconds > 0) || seconds > 86400)
        return unexpected<std::string>{"--within must be a number of seconds"};
    return milliseconds{static_cast<std::int64_t>(seconds * 1000)};
}

int left_until(steady_clock::time_point deadline) {
    auto const left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 86'400'000));
}

// What CCBTD names, else beside this very binary, else what the PATH has.
std::string daemon_binary() {
    if (char const* named = std::getenv("CCBTD"); named != nullptr && *named != '\0') return named;
    std::error_code failed;
    auto const self = fs::read_symlink("/proc/self/exe", failed);
    auto const beside = self.parent_path() / "ccbtd";
    return ::access(beside.c_str(), X_OK) == 0 ? beside.string() : "ccbtd";
}

// In the child of a fork: nothing that allocates.
[[noreturn]] void become_daemon(char* const* arguments, int ready, int log) {
    ::setsid();
    int const nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(ready, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::close_range(STDERR_FILENO + 1, ~0U, 0); // whatever the shell had open stays the shell's
    ::execvp(arguments[0], arguments);
    constexpr std::string_view told = "ccbtd was not found, neither beside ccbt nor in the PATH\n";
    [[maybe_unused]] auto const written = ::write(STDERR_FILENO, told.data(), told.size());
    ::_exit(127);
}

// The first line that the process prints; nothing when it ended or the time was up.
std::optional<std::string> first_line(int fd, steady_clock::time_point deadline, bool& ended) {
    std::string read;
    while (read.find('\n') == std::string::npos) {
        pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
        int const ready = ::poll(&one, 1, left_until(deadline));
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return std::nullopt;
        std::array<char, 512> bytes{};
        auto const got = ::read(fd, bytes.data(), bytes.size());
        if (got <= 0) {
            ended = true;
            return std::nullopt;
        }
        read.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return read.substr(0, read.find('\n'));
}

void print_log_from(session& s, fs::path const& log, std::uintmax_t from) {
    std::ifstream in{log};
    in.seekg(static_cast<std::streamoff>(from));
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
    auto const first = lines.size() > 10 ? lines.size() - 10 : 0;
    for (auto i = first; i < lines.size(); ++i) s.err << "  " << printable(lines[i]) << '\n';
}

std::string_view meaning(int daemon_exit) {
    switch (daemon_exit) {
    case 65: return "its state is damaged or of a newer version";
    case 73: return "it can not write its state";
    case 75: return "another daemon holds this state directory";
    case 78: return "its configuration is bad or unsafe";
    case 127: return "ccbtd was not found";
    default: return "see its log";
    }
}

void tell_running(session& s, std::string_view how, std::string_view url, std::int64_t pid) {
    if (s.json) {
        wire::writer w;
        w.begin_object();
        w.key("status");
        w.text(how);
        w.key("url");
        w.text(url);
        w.key("pid");
        w.integer(pid);
        w.end_object();
        s.out << w.take_text() << std::endl;
    } else {
        s.out << how << ' ' << printable(url) << " (process " << pid << ')' << std::endl;
    }
}

// What others reach it at, where we came through its Unix socket.
std::string shown_url(session const& s, contract::get_status::response const& there) {
    return s.where.how.url.starts_with("unix:") ? there.ipc_url : s.where.how.url;
}

int open_process(std::int64_t pid) {
    return static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0U));
}

// Whether it was gone in time. Of a daemon elsewhere nothing but its silence can be seen.
bool wait_until_gone(session& s, descriptor const& process, steady_clock::time_point deadline) {
    if (process) {
        pollfd one{.fd = process.get(), .events = POLLIN, .revents = 0};
        int ready = 0;
        while ((ready = ::poll(&one, 1, left_until(deadline))) < 0 && errno == EINTR) continue;
        return ready > 0;
    }
    while (steady_clock::now() < deadline) {
        auto const still = s.daemon.status();
        if (!still && still.error().kind == client::error_kind::unreachable) return true;
        std::this_thread::sleep_for(milliseconds{100});
    }
    return false;
}

} // namespace

int start_daemon(session& s, command const&, given const& words) {
    auto const bound = bound_of(words);
    if (!bound) return code(s.wrong_usage(bound.error()));
    // Without daemon.json none runs on this state; who answers at the default port is another's.
    if (s.where.named || s.where.pid) {
        if (auto const there = s.daemon.status()) {
            tell_running(s, "running", shown_url(s, *there), there->pid);
            return 0;
        }
    }
    std::error_code failed;
    // Only what is made here is closed to others: a folder named by mistake keeps its mode.
    if (fs::create_directories(s.where.state_dir, failed) && !failed)
        fs::permissions(s.where.state_dir, fs::perms::owner_all, failed);
    auto const log_file = s.where.state_dir / "ccbtd.log";
    descriptor const log{::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    std::array<int, 2> ends{-1, -1};
    if (!log || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
        s.err << "ccbt: " << log_file.string() << ": " << std::strerror(errno) << '\n';
        return code(exit_code::refused);
    }
    descriptor const ready{ends[0]};
    descriptor write_end{ends[1]};
    auto const log_start = fs::file_size(log_file, failed);

    std::vector<std::string> arguments{daemon_binary()};
    if (s.config) arguments.insert(arguments.end(), {"--config", *s.config});
    if (s.state_dir) arguments.insert(arguments.end(), {"--state-dir", *s.state_dir});
    std::vector<char*> raw;
    for (auto& a : arguments) raw.push_back(a.data());
    raw.push_back(nullptr);
    auto const deadline = steady_clock::now() + *bound;
    pid_t const child = ::fork();
    if (child == 0) become_daemon(raw.data(), write_end.get(), log.get());
    write_end = descriptor{};
    if (child < 0) {
        s.err << "ccbt: no process can be made: " << std::strerror(errno) << '\n';
        return code(exit_code::refused);
    }
    bool ended = false;
    auto const line = first_line(ready.get(), deadline, ended);
    if (line && line->starts_with("ready ")) {
        tell_running(s, "started", text::trim(std::string_view{*line}.substr(6)), child);
        return 0;
    }
    if (ended) {
        int how = 0;
        ::waitpid(child, &how, 0);
        s.err << "ccbt: the daemon did not start: "
              << (WIFEXITED(how)
                      ? fmt::format("it left with {}, {}", WEXITSTATUS(how), meaning(WEXITSTATUS(how)))
                      : fmt::format("signal {} ended it", WTERMSIG(how)))
              << "; " << log_file.string() << '\n';
        print_log_from(s, log_file, log_start);
        return code(exit_code::refused);
    }
    s.err << "ccbt: the daemon (process " << child << ") was not ready in time; see " << log_file.string()
          << '\n';
    return code(exit_code::no_daemon);
}

int stop_daemon(session& s, command const&, given const& words) {
    auto const bound = bound_of(words);
    if (!bound) return code(s.wrong_usage(bound.error()));
    auto const there = s.daemon.status();
    if (!there) return code(s.tell(there.error()));
    auto const at = client::parse_url(s.where.how.url);
    // Opened before it is asked to go, so that no later process of the same number is taken for it.
    descriptor const process{
        at && at->is_loopback() && s.where.pid == there->pid ? open_process(there->pid) : -1};
    auto const deadline = steady_clock::now() + *bound;
    if (auto const asked = s.daemon.shutdown(); !asked) return code(s.tell(asked.error()));
    if (!wait_until_gone(s, process, deadline)) {
        s.err << "ccbt: the daemon (process " << there->pid << ") was asked to stop and is not gone yet\n";
        return code(exit_code::refused);
    }
    tell_running(s, "stopped", shown_url(s, *there), there->pid);
    return 0;
}

int restart_daemon(session& s, command const& what, given const& words) {
    if (auto const there = s.daemon.status(); there || there.error().kind != client::error_kind::unreachable)
        if (auto const stopped = stop_daemon(s, what, words); stopped != 0) return stopped;
    return start_daemon(s, what, words);
}

int tell_daemon(session& s, command const&, given const&) {
    auto const there = s.daemon.status();
    if (!there) return code(s.tell(there.error()));
    tell_running(s, "running", shown_url(s, *there), there->pid);
    return 0;
}

} // namespace ccbt::cli
