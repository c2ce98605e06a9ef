// The rate of a transfer over its last few seconds, from how much it has moved in all. libtorrent's own rates are a
// low-pass filter that still shows a tenth of the rate ten seconds after the last byte; users want to see it stop.
// Where a look is left out it is taken to be as at the one before, as libtorrent tells what changed alone. One thread at a
// time; no clock of its own.
#pragma once

#include "base/clock.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>

namespace ccbt::engine {

class rate_window {
public:
    struct rates {
        double down = 0, up = 0; // bytes a second
    };
    static constexpr std::chrono::milliseconds reach{3500};

    /// What has been moved in all by `now`; the rates since the oldest look within reach.
    rates look(steady::time_point now, std::int64_t down, std::int64_t up) {
        if (!moving_) {
            if (!has_moved_since_it_rested(now, down, up)) return {};
            moving_ = std::make_unique<run>();
            moving_->push(rest_);
        }
        auto& looks = *moving_;
        if (now - looks.at(looks.count - 1).when >= spacing) looks.push({now, down, up});
        while (looks.count > 2 && now - looks.at(0).when > reach) looks.pop();
        auto const oldest = looks.at(0);
        if (down == oldest.down && up == oldest.up) {
            rest_ = oldest;
            moving_.reset();
            return {};
        }
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
    static constexpr std::chrono::milliseconds spacing{900};

    struct run { // looks at one that moves; most torrents do not
        std::array<point, 5> points;
        std::size_t first = 0, count = 0;

        point& at(std::size_t i) { return points[(first + i) % points.size()]; }
        void push(point p) {
            if (count == points.size()) pop();
            at(count++) = p;
        }
        void pop() {
            first = (first + 1) % points.size();
            --count;
        }
    };

    // Keeps the oldest time within reach at which it was as at the last look; true where it has moved since.
    bool has_moved_since_it_rested(steady::time_point now, std::int64_t down, std::int64_t up) {
        auto const never = rest_.when == steady::time_point{};
        if (never) rest_ = {now, down, up};
        rest_.when = std::max(rest_.when, now - reach);
        return down != rest_.down || up != rest_.up;
    }

    point rest_;
    std::unique_ptr<run> moving_;
};

} // namespace ccbt::engine
