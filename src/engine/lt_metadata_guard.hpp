// Stops a magnet's torrent in the moment in which its metadata is known, where a file of it would overwrite the daemon's
// own marker, or its names or depth are beyond the limits. lt_session judges the metadata as a whole and says so, but on
// other threads and later: by then pieces may be written. Lives on libtorrent's network thread.
#pragma once

#include "engine/lt_source.hpp"
#include "model/facts.hpp"

#include <libtorrent/extensions.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>
#include <utility>

namespace ccbt::engine {

class lt_metadata_guard final : public libtorrent::torrent_plugin {
public:
    explicit lt_metadata_guard(libtorrent::torrent_handle of) : of_{std::move(of)} {}

    void on_state(libtorrent::torrent_status::state_t now) override {
        if (looked_ || now == libtorrent::torrent_status::downloading_metadata) return;
        auto const info = of_.torrent_file(); // we are on its thread: answered at once
        if (!info) return;
        looked_ = true;
        auto const raw = info->info_section();
        if (!check_info({raw.data(), static_cast<std::size_t>(raw.size())})) return of_.pause();
        auto const& files = info->files();
        for (auto const i : files.file_range())
            if (model::names_a_marker(files.file_path(i))) return of_.pause();
    }

private:
    libtorrent::torrent_handle of_;
    bool looked_ = false;
};

} // namespace ccbt::engine
