// What the swarm tests share: a folder, a tracker, and daemons that each have a folder and an address of their own.
#pragma once

#include "support/daemon.hpp"
#include "support/payload.hpp"
#include "support/peers.hpp"
#include "support/temp_folder.hpp"
#include "support/tracker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::support {

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

struct swarm {
    temp_folder root{};
    tracker announce{root / "tracker"};

    [[nodiscard]] daemon_plan seeder(std::map<std::string, std::string> settings = {}) const {
        return {.folder = root / "seeder", .interface = "127.0.0.2", .settings = std::move(settings)};
    }
    [[nodiscard]] daemon_plan leecher(std::map<std::string, std::string> settings = {}) const {
        return {.folder = root / "leecher", .interface = "127.0.0.3", .settings = std::move(settings)};
    }
    /// Where the seeder's data lies before the seeder is started.
    [[nodiscard]] std::filesystem::path data(std::string_view name) const {
        return root / "seeder" / "downloads" / name;
    }
    /// A torrent of it that the tracker serves.
    [[nodiscard]] torrent torrent_of(std::filesystem::path const& source, torrent_plan plan = {}) {
        if (plan.trackers.empty()) plan.trackers = {announce.http()};
        auto made = make_torrent(source, plan);
        announce.let_in(made.tracker_hashes());
        return made;
    }
};

[[nodiscard]] inline double progress_of(value const& row) { return row.number_or("progress", -1); }
[[nodiscard]] inline auto has_progress(double at_least) {
    return [at_least](value const& row) { return progress_of(row) >= at_least; };
}

} // namespace ccbt::support
