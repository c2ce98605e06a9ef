// The rates of a torrent's peers, measured between one look at them and the next. libtorrent's own rates of a peer are a
// low-pass filter: ten seconds after a transfer has begun they still lack a tenth, ten seconds after its end they still
// show one. Who looks once is told those; who looks again within a few seconds is told what was moved meanwhile. One
// thread; no clock of its own.
#pragma once

#include "contract/torrents.hpp"
#include "engine/rate_window.hpp"

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ccbt::engine {

class peer_rates {
public:
    /// Sets the rates of the peers of a torrent, named by any number, from what they have moved in all by `now`.
    void look(std::uint64_t of_torrent, steady::time_point now, std::vector<contract::peer>& peers) {
        std::erase_if(torrents_, [&](auto const& one) { return now - one.second.last > forgotten_after; });
        auto& known = torrents_[of_torrent];
        known.last = now;
        auto before = std::exchange(known.peers, {});
        for (auto& peer : peers) {
            auto const name = peer.ip + ' ' + std::to_string(peer.port);
            auto const [at, is_first] = known.peers.try_emplace(name);
            if (!is_first) continue; // over TCP and uTP: which of the two was which before is not known
            auto& of = at->second;
            if (auto was = before.extract(name)) of = std::move(was.mapped());
            // Fewer than before: it is another connection of the same peer.
            if (peer.downloaded < of.downloaded || peer.uploaded < of.uploaded) of = {};
            if (of.since == steady::time_point{}) of.since = now;
            of.downloaded = peer.downloaded;
            of.uploaded = peer.uploaded;
            auto const measured = of.window.look(now, peer.downloaded, peer.uploaded);
            if (now - of.since < worth_it_after) continue;
            peer.download_rate = measured.down;
            peer.upload_rate = measured.up;
        }
    }
    [[nodiscard]] std::size_t size() const { return torrents_.size(); }

private:
    struct connection {
        rate_window window;
        steady::time_point since{};
        std::int64_t downloaded = 0, uploaded = 0;
    };
    struct torrent {
        steady::time_point last;
        std::unordered_map<std::string, connection> peers;
    };
    static constexpr std::chrono::milliseconds worth_it_after{900};
    // The window takes what it did not see for a rest, and a peer that nobody looked at may have moved all the while.
    static constexpr auto forgotten_after = rate_window::reach;

    std::unordered_map<std::uint64_t, torrent> torrents_;
};

} // namespace ccbt::engine
