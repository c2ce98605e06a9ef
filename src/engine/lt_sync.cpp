#include "engine/lt_sync.hpp"

#include <fcntl.h>
#include <libtorrent/hex.hpp>
#include <set>
#include <unistd.h>

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

} // namespace

bool sync_pieces(lt::torrent_info const& torrent, std::string const& save_path, piece_set const& changed) {
    auto const& files = torrent.files();
    auto ok = true;
    auto folders = std::set<std::string>{save_path};
    for (auto const i : files.file_range()) {
        if (files.pad_file_at(i) || files.file_size(i) == 0) continue;
        auto piece = files.map_file(i, 0, 0).piece;
        auto const last = files.map_file(i, files.file_size(i) - 1, 0).piece;
        while (piece <= last && !(piece < changed.end_index() && changed.get_bit(piece))) ++piece;
        if (piece > last) continue;
        auto const path = files.file_path(i, save_path);
        ok = sync_path(path, O_NOFOLLOW) && ok;
        name_folders(path, save_path, folders);
    }
    auto const& names = torrent.info_hashes();
    if (names.has_v1())
        ok = sync_path(save_path + "/." + lt::aux::to_hex(names.v1) + ".parts", O_NOFOLLOW) && ok;
    if (names.has_v2()) {
        auto const cut = lt::sha1_hash{names.v2.data()}; // v2-only torrents go by 20 bytes of theirs
        ok = sync_path(save_path + "/." + lt::aux::to_hex(cut) + ".parts", O_NOFOLLOW) && ok;
    }
    for (auto const& folder : folders) ok = sync_path(folder, O_DIRECTORY) && ok;
    return ok;
}

} // namespace ccbt::engine
