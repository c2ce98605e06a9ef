// Has libtorrent tell of a torrent each time so much of it has come, beside the look once a second: what is saved by bytes
// (P4) must not wait a second at hundreds of MB/s. One a torrent; lives on libtorrent's network thread. Knows nothing of
// saves.
#pragma once

#include <cstdint>
#include <libtorrent/extensions.hpp>
#include <libtorrent/session_handle.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>
#include <memory>
#include <utility>

namespace ccbt::engine {

class lt_pulse final : public libtorrent::torrent_plugin {
public:
    lt_pulse(libtorrent::session_handle session, libtorrent::torrent_handle of, std::int64_t each)
        : session_{std::move(session)}, of_{std::move(of)}, each_{each} {}

    void on_piece_pass(libtorrent::piece_index_t piece) override {
        if (!info_) info_ = of_.torrent_file(); // we are on its thread: answered at once
        if (!info_) return;
        came_ += info_->piece_size(piece);
        if (came_ < each_) return;
        came_ = 0;
        session_.post_torrent_updates(libtorrent::torrent_handle::query_accurate_download_counters);
    }

private:
    libtorrent::session_handle session_;
    libtorrent::torrent_handle of_;
    std::shared_ptr<libtorrent::torrent_info const> info_;
    std::int64_t each_, came_ = 0;
};

} // namespace ccbt::engine
