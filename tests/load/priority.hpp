// Who gets a processor first: the daemon and who measures it, then the crowd, and then, where the test has the right to
// it, all else that runs on the machine: compilers beside it are no part of what is measured.
#pragma once

#include <sys/resource.h>

namespace ccbt::load {

constexpr auto nice_first = "-15"; // for nice(1), which starts the program either way

/// Of this thread alone.
inline void be_first() { ::setpriority(PRIO_PROCESS, 0, -15); }
inline void be_second() {
    if (::setpriority(PRIO_PROCESS, 0, -10) != 0) ::setpriority(PRIO_PROCESS, 0, 10);
}

} // namespace ccbt::load
