// The rate of a transfer over its last few seconds, from how much it has moved in all. libtorrent's own rates are a
// low-pass filter that still shows a tenth of the rate ten seconds after the last byte; users want to see it stop.
// One thread at a time; no clock of its own.
#pragma once

#include "base/clock.hpp"

#include <array>
#include <chrono>
#include <cstdint>

namespace ccbt::engine {

class rate_window {
public:
    struct rates {
        double down = 0, up = 0; // bytes a second
    };

    /// What has been moved in all by `now`; the rates since the oldest look within reach.
    rates look(steady::time_point now, std::int64_t down, std::int64_t up) {
        if (count_ == 0 || now - at(count_ - 1).when >= spacing) push({now, down, up});
        while (count_ > 2 && now - at(0).when > reach) pop();
        auto const& oldest = at(0);
        auto const span = std::chrono::duration<double>(now - oldest.when).count();
        // What libtorrent had counted before it was restarted or rechecked is not a rate.
        if (span < 0.2 || down < oldest.down || up < oldest.up) return {};
        return {static_cast<double>(down - oldest.down) / span, static_cast<double>(up - oldest.up) / span};
    }

private:
    struct point {
        steady::time_point when;
        std::int64_t down = 0, up = 0;
    };
    static constexpr std::chrono::milliseconds spacing{900}, reach{3500};

    point& at(std::size_t i) { return points_[(first_ + i) % points_.size()]; }
    void push(point p) {
        if (count_ == points_.size()) pop();
        at(count_++) = p;
    }
    void pop() {
        first_ = (first_ + 1) % points_.size();
        --count_;
    }

    std::array<point, 5> points_;
    std::size_t first_ = 0, count_ = 0;
};

} // namespace ccbt::engine
