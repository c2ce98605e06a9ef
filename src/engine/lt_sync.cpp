#include "engine/lt_sync.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <libtorrent/hex.hpp>
#include <linux/magic.h>
#include <map>
#include <set>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <vector>

namespace ccbt::engine {

namespace {

namespace lt = libtorrent;

bool sync_file(int fd) { return ::fdatasync(fd) == 0; }
bool sync_folder(int fd) { return ::fsync(fd) == 0 || errno == EINVAL; } // which has a file system without it
bool is_loss(int error) { return error == EIO || error == ENOSPC || error == EDQUOT; }

// Of what syncfs() has brought to the disk: whether all of this very file came there. Nothing is left to write, so it
// costs no flush of the disk. syncfs() alone does not say: it tells an error once, and maybe told another program.
bool lost_nothing(int fd) {
    if (::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE) == 0) return true;
    auto const is_refused = errno == ENOSYS || errno == EPERM || errno == ESPIPE || errno == EINVAL;
    return is_refused && ::fsync(fd) == 0;
}

// A file that is not there holds nothing of these pieces (its bytes lie in the part file).
bool with_opened(std::string const& path, int flags, bool (*is_safe)(int fd), int& error) {
    auto const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
    if (fd < 0)
        return errno == ENOENT || ((flags & O_DIRECTORY) && errno == EACCES); // passed through, not ours
    auto const ok = is_safe(fd);
    if (!ok && is_loss(errno)) {
        error = errno;
        // The cache may hold what the disk does not: who hashes it shall read the disk.
        static_cast<void>(::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
    }
    ::close(fd);
    return ok;
}

void name_folders(std::string path, std::string const& save_path, std::set<std::string>& folders) {
    while (path.size() > save_path.size()) {
        path.resize(path.find_last_of('/'));
        if (!folders.insert(path).second) return;
    }
    // save_path itself may be new
    auto const above = save_path.find_last_of('/');
    if (above != std::string::npos && above > 0) folders.insert(save_path.substr(0, above));
}

constexpr std::size_t together_from = 64; // names on one file system: one sync of all of it costs less

struct places {
    std::vector<std::string> files;
    std::set<std::string> folders;
    [[nodiscard]] std::size_t count() const { return files.size() + folders.size(); }
};

places places_of(claimed_pieces const& what) {
    auto const& files = what.torrent->files();
    auto out = places{{}, {what.save_path}};
    for (auto const i : files.file_range()) {
        if (files.pad_file_at(i) || files.file_size(i) == 0) continue;
        auto piece = files.map_file(i, 0, 0).piece;
        auto const last = files.map_file(i, files.file_size(i) - 1, 0).piece;
        while (piece <= last && !(piece < what.changed.end_index() && what.changed.get_bit(piece))) ++piece;
        if (piece > last) continue;
        out.files.push_back(files.file_path(i, what.save_path));
        name_folders(out.files.back(), what.save_path, out.folders);
    }
    auto const& names = what.torrent->info_hashes();
    if (names.has_v1()) out.files.push_back(what.save_path + "/." + lt::aux::to_hex(names.v1) + ".parts");
    if (names.has_v2()) {
        auto const cut = lt::sha1_hash{names.v2.data()}; // v2-only torrents go by 20 bytes of theirs
        out.files.push_back(what.save_path + "/." + lt::aux::to_hex(cut) + ".parts");
    }
    return out;
}

void see_each(places const& where, bool (*file)(int), bool (*folder)(int), claimed_pieces& of) {
    for (auto const& path : where.files) of.ok = with_opened(path, O_NOFOLLOW, file, of.error) && of.ok;
    for (auto const& path : where.folders) of.ok = with_opened(path, O_DIRECTORY, folder, of.error) && of.ok;
}

// The one file system that holds all of it; 0 where something is mounted below, or is no file or folder of ours.
dev_t device_of(places const& what) {
    auto device = dev_t{0};
    auto const fits = [&](std::string const& path, mode_t kind) {
        struct stat s {};
        auto const links =
            kind == S_IFDIR ? 0 : AT_SYMLINK_NOFOLLOW; // of a folder the user's own are followed
        if (::fstatat(AT_FDCWD, path.c_str(), &s, links) != 0) return errno == ENOENT;
        if (device == 0) device = s.st_dev;
        return s.st_dev == device && (s.st_mode & S_IFMT) == kind;
    };
    auto const all_fit = std::all_of(
                             what.folders.begin(), what.folders.end(),
                             [&](auto const& path) { return fits(path, S_IFDIR); }) &&
                         std::all_of(what.files.begin(), what.files.end(), [&](auto const& path) {
                             return fits(path, S_IFREG);
                         });
    return all_fit ? device : 0;
}

bool kernel_tells_errors() {
    utsname running{};
    return ::uname(&running) == 0 && syncfs_tells_errors(running.release);
}

// All of the file system; only of those whose syncfs() is known to reach the disk (that of FUSE does not).
bool sync_together(std::string const& folder, dev_t device, int (*sync)(int fd)) {
    static bool const tells = kernel_tells_errors();
    if (!tells) return false;
    auto const fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    struct statfs kind {};
    struct stat opened {}; // another disk may have been mounted there meanwhile
    constexpr std::array<std::uint64_t, 6> reach{EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC,
                                                 TMPFS_MAGIC,      F2FS_SUPER_MAGIC, 0x2FC12FC1 /* ZFS */};
    auto const ok =
        ::fstat(fd, &opened) == 0 && opened.st_dev == device && ::fstatfs(fd, &kind) == 0 &&
        std::find(reach.begin(), reach.end(), static_cast<std::uint64_t>(kind.f_type)) != reach.end() &&
        sync(fd) == 0 && ::fsync(fd) == 0; // the latter fails for a journal that was given up before
    ::close(fd);
    return ok;
}

} // namespace

bool syncfs_tells_errors(char const* release) {
    auto major = 0, minor = 0;
    if (std::sscanf(release, "%d.%d", &major, &minor) != 2) return false;
    return major > 5 || (major == 5 && minor >= 17);
}

sync_counts sync_pieces(std::span<claimed_pieces* const> all, int (*whole_file_system)(int fd)) {
    struct one_of {
        claimed_pieces* pieces;
        places where;
    };
    auto changed = std::vector<one_of>{};
    auto names = std::size_t{0};
    for (auto* const one : all) {
        if (one->changed.empty()) continue;
        changed.push_back({one, places_of(*one)});
        names += changed.back().where.count();
    }
    auto by_device = std::map<dev_t, std::vector<one_of>>{};
    for (auto& one : changed) {
        auto const device = names < together_from ? dev_t{0} : device_of(one.where);
        by_device[device].push_back(std::move(one));
    }
    auto counts = sync_counts{};
    for (auto& [device, some] : by_device) {
        names = 0;
        for (auto const& one : some) names += one.where.count();
        auto const together = device != 0 && names >= together_from &&
                              sync_together(some.front().pieces->save_path, device, whole_file_system);
        for (auto const& one : some)
            if (together)
                see_each(one.where, lost_nothing, lost_nothing, *one.pieces);
            else
                see_each(one.where, sync_file, sync_folder, *one.pieces);
        (together ? counts.together : counts.alone) += some.size();
    }
    return counts;
}

} // namespace ccbt::engine
