// strace as a hand that reaches into a running daemon: the n-th call of some name kills it, or fails.
#pragma once

#include "support/process.hpp"

#include <memory>
#include <string>
#include <vector>

namespace ccbt::support {

/// Why faults cannot be injected here (no strace, or ptrace is not permitted), or empty.
[[nodiscard]] std::string const& no_strace();

/// "-e inject=…" and what belongs to it. `calls` are names with commas, `fault` is "signal=KILL:when=3" and the like.
/// strace counts the calls of each thread for itself.
[[nodiscard]] std::vector<std::string> strace_flags(std::string const& calls, std::string const& fault);

/// Attached to a process and all its threads until it is destroyed.
class injection {
public:
    injection(
        pid_t into, std::filesystem::path const& folder, std::string const& calls, std::string const& fault);

    /// Lets go: the calls are the kernel's again.
    void end();

private:
    std::unique_ptr<process> strace_;
};

} // namespace ccbt::support
