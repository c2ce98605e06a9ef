// Who gets a processor first: the daemon and who measures it, then the crowd, and then, where the test has the right to
// it, all else that runs on the machine: compilers beside it are no part of what is measured.
#pragma once

#include "support/process.hpp"

#include <fstream>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

namespace ccbt::load {

constexpr auto nice_first = "-15"; // for nice(1), which starts the program either way

/// Of this thread alone.
inline void be_first() { ::setpriority(PRIO_PROCESS, 0, -15); }
inline void be_second() {
    if (::setpriority(PRIO_PROCESS, 0, -10) != 0) ::setpriority(PRIO_PROCESS, 0, 10);
}
/// The session of a process, among all, for as long as this lives: where the kernel groups by sessions, what is nice
/// counts within one only.
class session_first {
public:
    explicit session_first(pid_t of) : file_{"/proc/" + std::to_string(of) + "/autogroup"} {
        if (::access(file_.c_str(), W_OK) != 0) return;
        auto const was = support::read_file(file_); // "/autogroup-17 nice 0"
        was_ = was.substr(was.rfind(' ') + 1);
        std::ofstream{file_} << nice_first;
    }
    ~session_first() {
        if (!was_.empty()) std::ofstream{file_} << was_;
    }
    session_first(session_first const&) = delete;
    session_first& operator=(session_first const&) = delete;

private:
    std::string file_, was_;
};

} // namespace ccbt::load
