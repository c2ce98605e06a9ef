// The log of peers that were refused: a bounded number of lines a minute, whatever a swarm does. Loop thread.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"

#include <chrono>
#include <string_view>

namespace ccbt::engine {

class blocked_log {
public:
    void note(std::string_view address, steady::time_point now = steady::now()) {
        if (now - since_ >= std::chrono::minutes{1}) {
            if (lines_ > at_most)
                log::info("refused {} more peers that are blocked in the minute before", lines_ - at_most);
            since_ = now;
            lines_ = 0;
        }
        if (++lines_ <= at_most) log::info("refused a peer at {}: it is blocked", address);
    }

private:
    static constexpr int at_most = 20;
    steady::time_point since_ = steady::now();
    int lines_ = 0;
};

} // namespace ccbt::engine
