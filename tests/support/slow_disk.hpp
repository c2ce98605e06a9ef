// A daemon whose disk takes its time: support/preload/slow_disk.cpp, preloaded into it. Linux, glibc.
#pragma once

#include "support/daemon.hpp"
#include "support/payload.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace ccbt::support {

/// Reads, writes and syncs below a folder of the daemon take this long each, from begin() on, or only those writes that
/// fail.
class slow_disk {
public:
    enum class what { all, failures };
    slow_disk(daemon_plan& of, milliseconds each, std::string_view below = "downloads", what slow = what::all)
        : switch_(of.folder / "slow") {
        if (slow == what::failures) of.env.emplace_back("SLOW_DISK_FAILURES=1");
        of.env.emplace_back("LD_PRELOAD=" CCBT_BUILD_DIR "/tests/libslow_disk.so");
        of.env.push_back("SLOW_DISK_BELOW=" + (of.folder / below).string());
        of.env.push_back("SLOW_DISK_WHEN=" + switch_.string());
        of.env.push_back("SLOW_DISK_MS=" + std::to_string(each.count()));
        of.env.emplace_back("ASAN_OPTIONS=verify_asan_link_order=0");
    }
    void begin() const { write_file(switch_, "now"); }
    void end() const { std::filesystem::remove(switch_); }

private:
    std::filesystem::path switch_;
};

} // namespace ccbt::support
