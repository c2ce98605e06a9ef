// How often libtorrent ticks: what a limit gives is shared out with each tick, and a peer is given what it asked for,
// three seconds' worth, at once or after 20 ticks. With the 500 ms of the default a limited transfer stands still for
// seconds between bursts; without any limit all those ticks are wake-ups for nothing. Loop thread.
#pragma once

#include "contract/settings.hpp"

#include <cstdint>
#include <libtorrent/session_handle.hpp>
#include <libtorrent/settings_pack.hpp>
#include <unordered_set>
#include <utility>

namespace ccbt::engine {

class lt_pace {
public:
    lt_pace(libtorrent::session_handle session, contract::limit_settings const& now)
        : session_{std::move(session)} {
        session_limits(now);
    }

    void session_limits(contract::limit_settings const& now) {
        session_limited_ = now.global_down_kib != 0 || now.global_up_kib != 0;
        keep();
    }
    /// A torrent by its serial: does it run, under a limit?
    void torrent_limited(std::uint64_t serial, bool is) {
        if (is)
            limited_.insert(serial);
        else
            limited_.erase(serial);
        keep();
    }

private:
    static constexpr int limited_ms = 20, unlimited_ms = 100; // a stop waits for one of them

    void keep() {
        auto const wanted = session_limited_ || !limited_.empty() ? limited_ms : unlimited_ms;
        if (std::exchange(now_ms_, wanted) == wanted) return;
        libtorrent::settings_pack p;
        p.set_int(libtorrent::settings_pack::tick_interval, wanted);
        session_.apply_settings(std::move(p));
    }

    libtorrent::session_handle session_;
    std::unordered_set<std::uint64_t> limited_;
    bool session_limited_ = false;
    int now_ms_ = 0;
};

} // namespace ccbt::engine
