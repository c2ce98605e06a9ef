// Sets of ranges as libtorrent's IP filter, built on a thread of its own: two million ranges take a second or two. Loop
// thread.
#pragma once

#include "base/worker.hpp"
#include "engine/engine.hpp"

#include <deque>
#include <libtorrent/address.hpp>
#include <libtorrent/ip_filter.hpp>
#include <libtorrent/session_handle.hpp>

namespace ccbt::engine {

[[nodiscard]] libtorrent::address to_lt(ip_address const& a);
[[nodiscard]] ip_address from_lt(libtorrent::address const& a);
[[nodiscard]] libtorrent::ip_filter make_ip_filter(ip_range_set const& blocked);

class lt_address_filter {
public:
    lt_address_filter(loop& on, libtorrent::session_handle session)
        : session_{std::move(session)}, worker_{on, 64} {}

    /// `done` when libtorrent's own thread has it: no connection is let through by what was before.
    void set(std::shared_ptr<ip_range_set const> blocked, job done);

private:
    libtorrent::session_handle session_;
    worker worker_;
};

} // namespace ccbt::engine
