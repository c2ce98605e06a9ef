// Stops a magnet's torrent in the moment in which its metadata is known, where a file of it would overwrite the daemon's
// own marker or a larger file that is there, or its names or depth are beyond the limits or clash; keeps links from being
// made. lt_session judges the metadata as a whole and says so, but on other threads and later: by then pieces may be
// written. Lives on libtorrent's network thread.
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
        auto const& files = info->files();
        auto const raw = info->info_section();
        auto is_unfit = !check_info({raw.data(), static_cast<std::size_t>(raw.size())}) || names_clash(files);
        for (auto const i : files.file_range())
            is_unfit = is_unfit || model::names_a_marker(files.file_path(i));
        is_unfit = is_unfit || !larger_file(*info, folder_, make_priorities({}, info.get())).empty();
        // Paused or not, libtorrent makes the links and empty files of what is wanted.
        auto priorities = std::vector<libtorrent::download_priority_t>{};
        auto leaves_some = is_unfit;
        for (auto const i : files.file_range()) {
            auto const is_link = bool(files.file_flags(i) & libtorrent::file_storage::flag_symlink);
            leaves_some = leaves_some || is_link;
            priorities.push_back(
                is_unfit || is_link ? libtorrent::dont_download : libtorrent::default_priority);
        }
        if (leaves_some) of_.prioritize_files(priorities);
        if (is_unfit) of_.pause();
    }

private:
    libtorrent::torrent_handle of_;
    std::string folder_;
    bool looked_ = false;
};

} // namespace ccbt::engine
