// Real processes for tests: each in a process group of its own, with a log, and gone when its object is, or when the
// test that started it dies in whatever way. For the test's main thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace ccbt::support {

using std::chrono::milliseconds;

/// A moment in the future; what is left of it never is negative.
class deadline {
public:
    explicit(false) deadline(milliseconds within) : at_(std::chrono::steady_clock::now() + within) {}
    [[nodiscard]] milliseconds left() const;
    [[nodiscard]] bool is_over() const { return left().count() == 0; }

private:
    std::chrono::steady_clock::time_point at_;
};

struct process_plan {
    std::vector<std::string> argv;
    std::vector<std::string> env{}; // "NAME=value", over the test's own environment
    std::filesystem::path folder{}; // where it runs; empty: where the test does
    std::filesystem::path log{}; // its standard error, appended; and its output where that is not read here
    bool reads_output = true;    // lines of its output are wanted by next_line()
};

class process {
public:
    explicit process(process_plan plan);
    ~process(); // kills what is left of the group, and reaps
    process(process const&) = delete;
    process& operator=(process const&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// The next line of its output, without the newline; nothing at its end or after `until`.
    [[nodiscard]] std::optional<std::string> next_line(deadline until);
    /// All of its output that next_line did not give, until it closes it or `until` is over.
    [[nodiscard]] std::string rest_of_output(deadline until);
    void signal(int number) const;
    /// How it ended: its exit code, 128 + n after signal n; nothing while it runs.
    [[nodiscard]] std::optional<int> wait(deadline until);
    void kill9(); // and reaps
    [[nodiscard]] bool is_running();
    /// Something of its group still lives, be it a child that it left behind.
    [[nodiscard]] bool leaves_something() const;
    [[nodiscard]] std::string log_text() const;

private:
    bool fill(deadline until);
    void settle();

    process_plan plan_;
    pid_t pid_ = -1;
    int output_ = -1;
    std::string read_;
    bool output_ended_ = false;
    std::optional<int> end_;
    bool is_settled_ = false; // nothing of the group is left
};

struct outcome {
    int code = -1; // -1: it did not end in time and was killed
    std::string out, err;
};
/// Runs a program to its end.
[[nodiscard]] outcome run(
    std::vector<std::string> argv, milliseconds within, std::vector<std::string> env = {},
    std::filesystem::path folder = {});

/// Asks again until it is so. Only for what tells nobody when it becomes so.
void wait_a_moment();
template <class Ask> [[nodiscard]] bool eventually(milliseconds within, Ask ask) {
    deadline const until{within};
    while (!ask()) {
        if (until.is_over()) return false;
        wait_a_moment();
    }
    return true;
}

[[nodiscard]] std::string read_file(std::filesystem::path const& path);
void write_file(std::filesystem::path const& path, std::string_view content);

} // namespace ccbt::support
