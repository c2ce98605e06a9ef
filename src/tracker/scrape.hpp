// Asks one tracker how many seed and download a torrent: BEP 48 over HTTP, BEP 15 over UDP. Blocks the caller's thread, at
// most as long as it is told, whatever the tracker does. Knows no torrent but its 20 bytes. libtorrent is not asked for
// this: it throws away how often a torrent was downloaded, and its UDP scrapes have no socket to go out by.
#pragma once

#include "contract/settings.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ccbt::tracker {

using swarm_hash = std::array<std::uint8_t, 20>;
using deadline = std::chrono::steady_clock::time_point;

struct counts {
    std::int64_t seeders = 0, leechers = 0, completed = 0;
    bool operator==(counts const&) const = default;
};

/// `failed` is for people, and has no URL in it.
struct answer {
    std::optional<counts> found;
    std::string failed;
};

/// How to reach it: by the proxy, from the address, both as the configuration says.
struct way {
    contract::proxy_settings proxy;
    std::string from; // network.listen_interface
};

[[nodiscard]] answer scrape(
    std::string const& announce_url, swarm_hash const& of, way const& by, deadline until,
    std::atomic<bool> const& stop);

// Its parts; the first two are pure.

/// BEP 48: the last part of the path that begins with "announce" becomes "scrape"; nothing where there is none. (Some put
/// a passkey behind it.)
[[nodiscard]] std::optional<std::string> scrape_url(std::string_view announce_url, swarm_hash const& of);
/// What the body of an HTTP scrape says of the torrent.
[[nodiscard]] answer read_scrape(std::string_view body, swarm_hash const& of);

[[nodiscard]] answer scrape_http(
    std::string const& url, swarm_hash const& of, way const& by, deadline until,
    std::atomic<bool> const& stop);
[[nodiscard]] answer scrape_udp(
    std::string const& announce_url, swarm_hash const& of, way const& by, deadline until,
    std::atomic<bool> const& stop);

} // namespace ccbt::tracker
