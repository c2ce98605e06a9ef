// The state directory: made, locked, and what stands in it beside the store: daemon.pid, daemon.json, api_key.
// One daemon a directory, decided by flock on the folder and on an open ccbtd.lock that is never cut and never unlinked;
// nothing else is written before the lock is held. Folders are 0700, files 0600, and each is written under another name, synced and
// renamed. Blocking, before and after the loop runs; knows nothing of the store and of what the API serves.
#pragma once

#include "base/result.hpp"
#include "daemon/exit_codes.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace ccbt::daemon {

/// While it lives every file that this process makes is its user's alone, whatever library makes it. Process-wide.
class private_files {
public:
    private_files();
    ~private_files();
    private_files(private_files const&) = delete;
    private_files& operator=(private_files const&) = delete;

private:
    mode_t before_;
};

/// What a running daemon tells others of itself in daemon.json; the pid is added.
struct announcement {
    std::string url; // "http://127.0.0.1:64124"
    std::string version;
    double started_at = 0;     // Unix seconds
    std::string unix_socket{}; // its path; "": none, and not told
    std::string certificate{}; // of its own, over TLS: what clients of this machine trust; "": not told
};

class state_dir {
public:
    /// Makes the folder where it is missing and takes its lock. What an unclean stop left of daemon.pid and
    /// daemon.json is removed. Failure: locked (75), or cannot be made or written (73).
    [[nodiscard]] static expected<state_dir, start_failure> open(std::filesystem::path const& folder);
    state_dir(state_dir&& other) noexcept { swap(other); }
    state_dir& operator=(state_dir&& other) noexcept {
        swap(other);
        return *this;
    }
    ~state_dir(); // lets the lock go; the announcement is withdrawn first

    [[nodiscard]] std::filesystem::path const& folder() const { return folder_; }
    /// What was mended at opening, a sentence each, for the log.
    [[nodiscard]] std::vector<std::string> const& warnings() const { return warnings_; }

    /// The key kept in api_key, made there at first: 64 hex digits. A file that holds something else is left as it is
    /// (65); one that others may read is closed to them, with a warning.
    [[nodiscard]] expected<std::string, start_failure> api_key();

    /// Writes daemon.pid and daemon.json: the API answers now.
    [[nodiscard]] expected<void, start_failure> announce(announcement const& what);
    void withdraw(); // removes both; the daemon is stopping

    /// A file of the daemon's own beside them, whole or not at all.
    [[nodiscard]] expected<void, start_failure> keep(std::string const& name, std::string_view text) {
        return write(name, text);
    }

private:
    state_dir() = default;
    void swap(state_dir& other) noexcept {
        folder_.swap(other.folder_);
        warnings_.swap(other.warnings_);
        std::swap(folder_fd_, other.folder_fd_);
        std::swap(lock_fd_, other.lock_fd_);
        std::swap(announced_, other.announced_);
    }
    [[nodiscard]] expected<void, start_failure> write(std::string const& name, std::string_view text);
    [[nodiscard]] start_failure cannot(std::string const& what, int error_number) const;
    [[nodiscard]] start_failure held_by_another() const;

    std::filesystem::path folder_;
    std::vector<std::string> warnings_;
    int folder_fd_ = -1;
    int lock_fd_ = -1;
    bool announced_ = false;
};

} // namespace ccbt::daemon
