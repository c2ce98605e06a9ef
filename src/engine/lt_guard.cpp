#include "engine/lt_guard.hpp"

#include "engine/lt_address_filter.hpp"

#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>

namespace ccbt::engine {

namespace lt = libtorrent;

void lt_guard::cut(std::weak_ptr<ip_range_set const> blocked) {
    blocked_ = std::move(blocked);
    tick();
}

std::shared_ptr<lt::peer_plugin> lt_guard::new_connection(lt::peer_connection_handle const& peer) {
    // Not cut here: libtorrent is in the midst of its connections.
    std::erase_if(peers_, [](auto const& one) { return one.native_handle() == nullptr; });
    peers_.push_back(peer);
    return nullptr;
}

void lt_guard::tick() {
    auto const blocked = blocked_.lock();
    if (!blocked) return;
    for (auto& peer : peers_)
        if (peer.native_handle() != nullptr && !peer.is_disconnecting() &&
            blocked->contains(from_lt(peer.remote().address())))
            peer.disconnect(lt::errors::banned_by_ip_filter, lt::operation_t::bittorrent);
}

void cut_blocked(
    lt::torrent_handle of, std::shared_ptr<lt_guard>& guard, std::weak_ptr<ip_range_set const> blocked) {
    if (!guard) {
        guard = std::make_shared<lt_guard>();
        of.add_extension([guard](lt::torrent_handle const&, lt::client_data_t) { return guard; });
    }
    // Adds nothing: what is given to add_extension() is called on the network thread.
    of.add_extension([guard, blocked = std::move(blocked)](lt::torrent_handle const&, lt::client_data_t) {
        guard->cut(blocked);
        return std::shared_ptr<lt::torrent_plugin>{};
    });
}

} // namespace ccbt::engine
