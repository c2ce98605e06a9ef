#include "engine/lt_sync.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <libtorrent/hex.hpp>
#include <linux/magic.h>
#include <map>
#include <set>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <vector>

namespace ccbt::engine {

namespace {

namespace lt = libtorrent;

// A file that is not there holds nothing of these pieces (its bytes lie in the part file).
bool sync_path(std::string const& path, int flags) {
    auto const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
    if (fd < 0)
        return errno == ENOENT || ((flags & O_DIRECTORY) && errno == EACCES); // passed through, not ours
    auto const ok = (flags & O_DIRECTORY) ? ::fsync(fd) == 0 : ::fdatasync(fd) == 0;
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

constexpr std::size_t together_from = 8; // torrents of one file system: one sync of all of it costs less

struct places {
    std::vector<std::string> files;
    std::set<std::string> folders;
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

bool sync_each(places const& what) {
    auto ok = true;
    for (auto const& file : what.files) ok = sync_path(file, O_NOFOLLOW) && ok;
    for (auto const& folder : what.folders) ok = sync_path(folder, O_DIRECTORY) && ok;
    return ok;
}

dev_t device_of(std::string const& path) {
    struct stat s {};
    return ::lstat(path.c_str(), &s) == 0 ? s.st_dev : 0;
}

// What lies on another file system, mounted below, is not synced with its own.
bool lies_on(dev_t device, places const& what) {
    auto const fits = [&](std::string const& path) {
        auto const on = device_of(path);
        return on == device || (on == 0 && errno == ENOENT);
    };
    return device != 0 && std::all_of(what.files.begin(), what.files.end(), fits) &&
           std::all_of(what.folders.begin(), what.folders.end(), fits);
}

// All of the file system; only of those whose syncfs() is known to reach the disk (that of FUSE does not).
bool sync_together(std::string const& folder) {
    auto const fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    struct statfs kind {};
    constexpr std::array<std::uint64_t, 6> reach{EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC,
                                                 TMPFS_MAGIC,      F2FS_SUPER_MAGIC, 0x2FC12FC1 /* ZFS */};
    auto const ok =
        ::fstatfs(fd, &kind) == 0 &&
        std::find(reach.begin(), reach.end(), static_cast<std::uint64_t>(kind.f_type)) != reach.end() &&
        ::syncfs(fd) == 0;
    ::close(fd);
    return ok;
}

} // namespace

void sync_pieces(std::span<claimed_pieces* const> all) {
    auto by_device = std::map<dev_t, std::vector<std::pair<claimed_pieces*, places>>>{};
    for (auto* const one : all) {
        if (one->changed.empty()) continue;
        auto where = places_of(*one);
        auto device = all.size() < together_from ? dev_t{0} : device_of(one->save_path);
        if (!lies_on(device, where)) device = 0;
        by_device[device].emplace_back(one, std::move(where));
    }
    for (auto& [device, some] : by_device) {
        if (device != 0 && some.size() >= together_from && sync_together(some.front().first->save_path))
            continue;
        for (auto& [one, where] : some) one->ok = sync_each(where);
    }
}

} // namespace ccbt::engine
