// The two clocks of the house: Unix seconds for people and the wire, a steady one for spans.
#pragma once

#include <chrono>

namespace ccbt {

using unix_seconds = double;
using steady = std::chrono::steady_clock;

[[nodiscard]] inline unix_seconds unix_now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

} // namespace ccbt
