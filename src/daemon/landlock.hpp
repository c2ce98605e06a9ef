// Landlock (Linux 5.13; landlock(7)): from here on this process, and all that it starts, writes, makes and removes files
// below some folders only, whatever goes wrong in it. Reading is not bound. To be called before the first thread is
// started: threads that run already would not be bound. Knows no configuration.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ccbt::daemon {

struct landlocked {
    int abi = 0; // of the kernel: 2 lets move between folders, 3 binds truncation
    std::vector<std::filesystem::path>
        missing; // these folders are not there: nothing is written there till a restart
};

/// The error is for people. What is bound is bound for good: there is no way back but another process.
[[nodiscard]] expected<landlocked, std::string> bind_writing(
    std::vector<std::filesystem::path> const& folders);

} // namespace ccbt::daemon
