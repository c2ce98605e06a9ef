// The configuration as libtorrent's settings. Pure functions, any thread; every setting that matters is named, none is
// left to a default that might listen, map ports or announce by itself.
#pragma once

#include "contract/settings.hpp"

#include <libtorrent/settings_pack.hpp>
#include <string>

namespace ccbt::engine {

/// `listen` false: no peer can connect, nothing is announced to the local network or the gateway.
[[nodiscard]] libtorrent::settings_pack make_settings_pack(
    contract::settings const& from, bool listen = true);

/// Is the listen interface an address of the loopback network?
[[nodiscard]] bool listens_on_loopback(contract::settings const& from);

/// What each torrent gets of the session's settings.
struct per_torrent_settings {
    int max_connections = -1;
    int max_uploads = -1;
    bool pex = true;
    bool operator==(per_torrent_settings const&) const = default;
};
[[nodiscard]] per_torrent_settings make_per_torrent_settings(contract::settings const& from);

/// KiB/s as libtorrent's int of bytes a second; 0 stays 0, no limit.
[[nodiscard]] int bytes_per_second(std::int64_t kib);

/// May this tracker be announced to under these settings?
[[nodiscard]] bool tracker_allowed(contract::settings const& by, std::string_view url);

} // namespace ccbt::engine
