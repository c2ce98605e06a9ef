// A disk of a few MiB that can be filled and emptied: a tmpfs that only this test and its children see.
#pragma once

#include "support/process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <sys/mount.h>
#include <unistd.h>
#include <vector>

namespace ccbt::support {

/// A mount namespace of this process; false where it may not have one.
[[nodiscard]] inline bool has_own_mounts() {
    static bool const has =
        ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    return has;
}
#define CCBT_NEEDS_OWN_MOUNTS                                                                                \
    if (!ccbt::support::has_own_mounts()) GTEST_SKIP() << "needs a mount namespace: run it as root"

class small_disk {
public:
    small_disk(std::filesystem::path at, std::size_t mib) : at_{std::move(at)} {
        std::filesystem::create_directories(at_);
        auto const size = "mode=0700,size=" + std::to_string(mib) + "m";
        if (::mount("tmpfs", at_.c_str(), "tmpfs", 0, size.c_str()) != 0)
            throw std::runtime_error{"no tmpfs at " + at_.string()};
    }
    ~small_disk() { ::umount2(at_.c_str(), MNT_DETACH); }
    small_disk(small_disk const&) = delete;
    small_disk& operator=(small_disk const&) = delete;

    /// Takes all its space.
    void fill() const {
        auto const fd = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        std::vector<char> const block(64 << 10, 'x');
        for (std::size_t size = block.size(); fd >= 0 && size > 0;)
            if (::write(fd, block.data(), size) <= 0) size /= 2;
        ::close(fd);
    }
    void make_room() const { std::filesystem::remove(filler()); }
    [[nodiscard]] bool read_only(bool yes) const {
        return ::mount("none", at_.c_str(), nullptr, yes ? MS_REMOUNT | MS_RDONLY : MS_REMOUNT, nullptr) == 0;
    }

private:
    [[nodiscard]] std::filesystem::path filler() const { return at_ / "filler"; }
    std::filesystem::path at_;
};

/// While it lives, these calls of a process fail for one file: "fdatasync", "EIO".
class failing_calls {
public:
    failing_calls(
        pid_t of, std::filesystem::path const& file, std::string const& calls, std::string const& error)
        : strace_{
              {.argv = {
                   "strace", "-f", "-p", std::to_string(of), "-P", file.string(), "-e", "trace=" + calls,
                   "-e", "inject=" + calls + ":error=" + error}}} {
        // It says so on standard error, which is not read here; what it holds stands in /proc.
        auto const status = "/proc/" + std::to_string(of) + "/status";
        auto const traced = "TracerPid:\t" + std::to_string(strace_.pid());
        if (!eventually(
                milliseconds{10'000}, [&] { return read_file(status).find(traced) != std::string::npos; }))
            throw std::runtime_error{"strace does not attach"};
        // Each thread is attached on its own; the store's is one of them.
        for (auto const& task : std::filesystem::directory_iterator{"/proc/" + std::to_string(of) + "/task"})
            if (!eventually(milliseconds{10'000}, [&] {
                    std::error_code gone;
                    return !std::filesystem::exists(task.path(), gone) ||
                           read_file(task.path() / "status").find(traced) != std::string::npos;
                }))
                throw std::runtime_error{"strace does not attach to each thread"};
    }
    void end() {
        strace_.signal(SIGINT);
        static_cast<void>(strace_.wait(milliseconds{10'000}));
    }

private:
    process strace_;
};

} // namespace ccbt::support
