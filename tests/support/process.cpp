#include "support/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ccbt::support {

namespace {

[[noreturn]] void fail(char const* what) { throw std::system_error(errno, std::generic_category(), what); }

// A process that changes its user (opentracker) loses PR_SET_PDEATHSIG, and grandchildren never had it. So a guard
// is told of each group, and kills what is left of them when the test's end of the pipe closes.
class guard {
public:
    static guard& of_this_test() {
        static guard one;
        return one;
    }
    void tell(pid_t group) const { // negative: it is done
        auto const written = ::write(pipe_, &group, sizeof group);
        if (written != static_cast<ssize_t>(sizeof group)) fail("guard");
    }

private:
    guard() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe2");
        auto const child = ::fork();
        if (child < 0) fail("fork");
        if (child == 0) {
            ::setsid();
            ::dup2(ends[0], 0);
            ::syscall(SYS_close_range, 1U, ~0U, 0U);
            keep();
        }
        ::close(ends[0]);
        pipe_ = ends[1];
    }
    [[noreturn]] static void keep() {
        std::array<pid_t, 1024> groups{};
        pid_t told = 0;
        while (::read(0, &told, sizeof told) == static_cast<ssize_t>(sizeof told))
            for (auto& group : groups)
                if (group == (told > 0 ? 0 : -told)) {
                    group = told > 0 ? told : 0;
                    break;
                }
        for (auto const group : groups)
            if (group > 0) ::kill(-group, SIGKILL);
        ::_exit(0);
    }
    int pipe_ = -1;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (auto& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

std::vector<std::string> environment(std::vector<std::string> const& over) {
    auto out = over;
    for (char** at = environ; *at != nullptr; ++at) {
        std::string_view const one{*at};
        auto const name = one.substr(0, one.find('=') + 1);
        // What is asked here is on this machine: a proxy that apt needs has no part in it.
        bool taken = name.ends_with("_proxy=") || name.ends_with("_PROXY=");
        for (auto const& mine : over) taken = taken || std::string_view{mine}.starts_with(name);
        if (!taken) out.emplace_back(one);
    }
    return out;
}

std::string which(std::string const& program) {
    if (program.find('/') != std::string::npos) return program;
    auto const* const path = std::getenv("PATH");
    std::string_view left = path != nullptr ? path : "/usr/bin:/bin";
    while (!left.empty()) {
        auto const end = std::min(left.find(':'), left.size());
        auto candidate = std::string{left.substr(0, end)} + '/' + program;
        if (::access(candidate.c_str(), X_OK) == 0) return candidate;
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    throw std::runtime_error(program + " is not installed: ./dev setup test");
}

int wait_for(int fd, short what, deadline const& until) {
    pollfd one{fd, what, 0};
    for (;;) {
        auto const ready = ::poll(&one, 1, static_cast<int>(until.left().count()));
        if (ready >= 0 || errno != EINTR) return ready;
    }
}

} // namespace

milliseconds deadline::left() const {
    auto const left = std::chrono::ceil<milliseconds>(at_ - std::chrono::steady_clock::now());
    return std::max(left, milliseconds{0});
}

process::process(process_plan plan) : plan_(std::move(plan)) {
    auto const program = which(plan_.argv.at(0));
    auto env_texts = environment(plan_.env);
    auto const argv = pointers(plan_.argv);
    auto const env = pointers(env_texts);
    auto const log_path = plan_.log.empty() ? std::string{"/dev/null"} : plan_.log.string();
    auto const& keeper = guard::of_this_test();

    std::array<int, 2> ends{-1, -1};
    if (plan_.reads_output && ::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe2");
    auto const log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    auto const nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (log < 0 || nothing < 0) fail(log_path.c_str());
    auto const parent = ::getpid();

    pid_ = ::fork();
    if (pid_ < 0) fail("fork");
    if (pid_ == 0) {
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(127);
        ::dup2(nothing, 0);
        ::dup2(plan_.reads_output ? ends[1] : log, 1);
        ::dup2(log, 2);
        if (!plan_.folder.empty() && ::chdir(plan_.folder.c_str()) != 0) ::_exit(126);
        ::execve(program.c_str(), argv.data(), env.data());
        ::_exit(127);
    }
    ::setpgid(pid_, pid_); // whoever comes first
    ::close(log);
    ::close(nothing);
    if (plan_.reads_output) ::close(ends[1]);
    output_ = ends[0];
    keeper.tell(pid_);
}

process::~process() {
    kill9();
    if (output_ >= 0) ::close(output_);
}

bool process::fill(deadline until) {
    if (output_ < 0 || output_ended_ || wait_for(output_, POLLIN, until) <= 0) return false;
    std::array<char, 65536> piece{};
    auto const got = ::read(output_, piece.data(), piece.size());
    if (got <= 0) {
        output_ended_ = true;
        return false;
    }
    read_.append(piece.data(), static_cast<std::size_t>(got));
    return true;
}

std::optional<std::string> process::next_line(deadline until) {
    for (;;) {
        if (auto const end = read_.find('\n'); end != std::string::npos) {
            auto line = read_.substr(0, end);
            read_.erase(0, end + 1);
            return line;
        }
        if (!fill(until)) return std::nullopt;
    }
}

std::string process::rest_of_output(deadline until) {
    while (fill(until)) {}
    return std::exchange(read_, {});
}

void process::signal(int number) const {
    if (!end_) ::kill(pid_, number);
}

std::optional<int> process::wait(deadline until) {
    if (end_) return end_;
    auto const fd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0U));
    if (fd < 0) fail("pidfd_open");
    auto const ready = wait_for(fd, POLLIN, until);
    ::close(fd);
    if (ready <= 0) return std::nullopt;
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) fail("waitpid");
    end_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (!leaves_something()) settle();
    return end_;
}

// With the last of the group its number is free for others.
void process::settle() {
    if (is_settled_) return;
    is_settled_ = true;
    guard::of_this_test().tell(-pid_);
}

void process::kill9() {
    if (leaves_something()) ::kill(-pid_, SIGKILL);
    if (wait(milliseconds{10'000}) && !leaves_something()) settle();
}

bool process::is_running() { return !wait(milliseconds{0}); }

bool process::leaves_something() const { return !is_settled_ && ::kill(-pid_, 0) == 0; }

std::string process::log_text() const { return plan_.log.empty() ? std::string{} : read_file(plan_.log); }

outcome run(
    std::vector<std::string> argv, milliseconds within, std::vector<std::string> env,
    std::filesystem::path folder) {
    deadline const until{within};
    auto log = std::filesystem::temp_directory_path() / "ccbt-run-XXXXXX";
    auto name = log.string();
    auto const fd = ::mkstemp(name.data());
    if (fd < 0) fail("mkstemp");
    ::close(fd);
    outcome out;
    {
        process one{
            {.argv = std::move(argv), .env = std::move(env), .folder = std::move(folder), .log = name}};
        out.out = one.rest_of_output(until);
        out.code = one.wait(until).value_or(-1);
    }
    out.err = read_file(name);
    std::filesystem::remove(name);
    return out;
}

void wait_a_moment() { ::poll(nullptr, 0, 20); }

std::string read_file(std::filesystem::path const& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void write_file(std::filesystem::path const& path, std::string_view content) {
    std::ofstream out{path, std::ios::binary | std::ios::trunc};
    out << content;
    if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

} // namespace ccbt::support
