#include "support/strace.hpp"

#include <stdexcept>

namespace ccbt::support {

std::string const& no_strace() {
    static std::string const why = [] {
        try {
            auto const tried = run({"strace", "-qq", "-o", "/dev/null", "true"}, milliseconds{10'000});
            return tried.code == 0 ? std::string{} : "strace does not work here: " + tried.err;
        } catch (std::exception const& e) {
            return std::string{e.what()};
        }
    }();
    return why;
}

std::vector<std::string> strace_flags(std::string const& calls, std::string const& fault) {
    return {
        "strace", "-f", "-e", "signal=none", "-e", "trace=" + calls, "-e", "inject=" + calls + ':' + fault};
}

injection::injection(
    pid_t into, std::filesystem::path const& folder, std::string const& calls, std::string const& fault) {
    auto argv = strace_flags(calls, fault);
    auto const log = folder / "strace.log";
    std::filesystem::remove(log);
    argv.insert(argv.end(), {"-o", (folder / "strace.calls").string(), "-p", std::to_string(into)});
    strace_ = std::make_unique<process>(process_plan{.argv = argv, .log = log, .reads_output = false});
    // It says so when it has all threads: "strace: Process 7 attached with 20 threads".
    auto const is_attached = [&] { return strace_->log_text().find(" attached") != std::string::npos; };
    if (!eventually(milliseconds{10'000}, is_attached))
        throw std::runtime_error("strace does not attach: " + strace_->log_text());
}

// Who is traced goes on when its tracer dies. Asked to let go, strace waits for threads of one that was killed.
void injection::end() { strace_.reset(); }

} // namespace ccbt::support
