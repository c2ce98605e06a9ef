// Stops a magnet's torrent in the moment in which its metadata is known, where a file of it would overwrite the daemon's
// own marker, or its names or depth are beyond the limits or clash; and keeps links from being created. lt_session judges the metadata as a whole and says so, but on
// other threads and later: by then pieces may be written. Lives on libtorrent's network thread.
#pragma once

#include "engine/lt_prepare.hpp"
#include "engine/lt_source.hpp"
#include "model/facts.hpp"

#include <libtorrent/extensions.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ccbt::engine {

class lt_metadata_guard final : public libtorrent::torrent_plugin {
public:
    lt_metadata_guard(libtorrent::torrent_handle of, std::string folder)
        : of_{std::move(of)}, folder_{std::move(folder)} {}

    void on_state(libtorrent::torrent_status::state_t now) override {
        if (looked_ || now == libtorrent::torrent_status::downloading_metadata) return;
        auto const info = of_.torrent_file(); // we are on its thread: answered at once
        if (!info) return;
        looked_ = true;
        auto const raw = info->info_section();
        auto const bytes = std::string_view{raw.data(), static_cast<std::size_t>(raw.size())};
        if (!check_info(bytes)) return stop(*info);
        auto const stored = parse_torrent("d4:info" + std::string{bytes} + "e"); // as it is read from now on
        if (!stored) return stop(*info);
        auto const& files = info->files();
        auto const& names = (*stored)->files();
        for (auto const i : files.file_range())
            if (model::names_a_marker(names.file_path(i))) return stop(*info);
        auto const wanted = make_priorities({}, info.get());
        if (!larger_file(**stored, folder_, wanted).empty()) return stop(*info);
        if (!wanted.empty()) of_.prioritize_files(wanted);
        for (auto const i : files.file_range())
            if (!files.pad_file_at(i) && files.file_path(i) != names.file_path(i))
                of_.rename_file(i, names.file_path(i));
    }

private:
    void stop(libtorrent::torrent_info const& info) {
        of_.prioritize_files(std::vector<libtorrent::download_priority_t>(
            static_cast<std::size_t>(info.num_files()), libtorrent::dont_download));
        of_.pause();
    }

    libtorrent::torrent_handle of_;
    std::string folder_;
    bool looked_ = false;
};

} // namespace ccbt::engine
