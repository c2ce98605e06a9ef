// Cuts connections with addresses that are to be blocked at once, where libtorrent's own filter takes a second or two to
// be built. One a torrent, made when it is first needed. It lives on libtorrent's network thread; cut_blocked() is for
// the loop's.
#pragma once

#include "base/ip_range.hpp"

#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <memory>
#include <vector>

namespace ccbt::engine {

class lt_guard final : public libtorrent::torrent_plugin {
public:
    /// Cuts who is in `blocked` now, and who comes as long as that set is held by somebody.
    void cut(std::weak_ptr<ip_range_set const> blocked);

    std::shared_ptr<libtorrent::peer_plugin> new_connection(
        libtorrent::peer_connection_handle const& peer) override;
    void tick() override; // about once a second

private:
    std::vector<libtorrent::peer_connection_handle> peers_;
    std::weak_ptr<ip_range_set const> blocked_;
};

/// Never blocks. `guard` is the torrent's, null before the first time.
void cut_blocked(
    libtorrent::torrent_handle of, std::shared_ptr<lt_guard>& guard,
    std::weak_ptr<ip_range_set const> blocked);

} // namespace ccbt::engine
