// What the process says when it leaves. Scripts and service managers read these; they never change meaning.
#pragma once

#include <string>

namespace ccbt::daemon {

enum class exit_code : int {
    clean = 0,
    damaged_state = 65, // state that cannot be read, or of a newer version; left untouched
    cannot_write = 73,  // the state directory cannot be made or written
    locked = 75,        // another daemon holds the state directory
    configuration = 78  // bad or unsafe configuration, wrong flags
};

/// Why the daemon does not start: the code to leave with, and a sentence for people.
struct start_failure {
    exit_code code = exit_code::configuration;
    std::string message;
};

} // namespace ccbt::daemon
