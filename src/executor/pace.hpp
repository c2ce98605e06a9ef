// How often each caller may have something done: so many times within a minute, each key for itself. Loop thread.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

namespace ccbt::executor {

class pace {
public:
    /// Counts one more for `whom` and answers 0; where he had `most` within the last minute, the seconds to wait for.
    [[nodiscard]] std::int64_t wait(std::string const& whom, std::int64_t most, steady::time_point now) {
        for (auto& [who, times] : done_)
            while (!times.empty() && now - times.front() >= minute) times.pop_front();
        std::erase_if(done_, [](auto const& one) { return one.second.empty(); });
        auto& times = done_[whom];
        if (static_cast<std::int64_t>(times.size()) >= most)
            return std::chrono::ceil<std::chrono::seconds>(times.front() + minute - now).count();
        times.push_back(now);
        return 0;
    }

private:
    static constexpr std::chrono::seconds minute{60};
    std::unordered_map<std::string, std::deque<steady::time_point>> done_; // bounded: keys, times `most`
};

} // namespace ccbt::executor
