// The engine on libtorrent: made here, used through the port. This header knows no libtorrent, so that the daemon that
// makes the engine compiles without it.
#pragma once

#include "base/loop.hpp"
#include "engine/engine.hpp"

#include <memory>

namespace ccbt::engine {

struct lt_options {
    loop& on;
    contract::settings settings;
    fact_sink facts;        // called on the loop
    progress_sink progress; // called on the loop
    bool listen = true;
    int alert_queue =
        200'000; // alerts that may wait; past it they are lost, and everything is looked at again
    bool await_block_list =
        false; // until block_addresses() has taken effect it neither listens nor takes torrents in
    std::function<void()> left_unsaved{}; // at a stop, before it is told: there is progress that is not saved
};

/// From the loop's thread, or before it runs. The loop must outlive the engine. Throws std::exception where libtorrent
/// cannot start at all; a port that cannot be listened at is no such case (listen_port() stays 0, and it is logged).
[[nodiscard]] std::unique_ptr<engine> make_lt_engine(lt_options with);

/// Dials a peer of a torrent; false where `to` is no libtorrent engine, the torrent is not in it yet, or the address is
/// none.
bool connect_peer(engine& to, torrent_id id, std::string const& ip, int port);

[[nodiscard]] std::string lt_version(); // libtorrent's own, as it runs

} // namespace ccbt::engine
