#include "engine/payload.hpp"

#include "base/beneath.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace ccbt::engine {

namespace {

std::string parent_of(std::string const& relative) {
    auto const slash = relative.rfind('/');
    return slash == std::string::npos ? std::string{} : relative.substr(0, slash);
}

} // namespace

deleted delete_payload(std::string const& folder, std::vector<std::string> const& files) {
    deleted out;
    auto const top = open_folder(folder);
    if (!top) {
        if (errno != ENOENT) out.failed.push_back(std::string{".: "} + std::strerror(errno));
        return out;
    }
    // The deepest first, so that a folder is empty by the time it is tried.
    std::set<std::string, std::function<bool(std::string const&, std::string const&)>> folders{
        [](std::string const& a, std::string const& b) {
            auto const depth = [](std::string const& s) { return std::count(s.begin(), s.end(), '/'); };
            return depth(a) != depth(b) ? depth(a) > depth(b) : a < b;
        }};
    for (auto const& relative : files) {
        auto const above = parent_of(relative);
        auto const name = above.empty() ? relative : relative.substr(above.size() + 1);
        auto const in = open_beneath(top.get(), above, O_PATH | O_DIRECTORY);
        if (!in) {
            if (errno != ENOENT) out.failed.push_back(relative + ": " + std::strerror(errno));
            continue;
        }
        for (auto up = above; !up.empty(); up = parent_of(up)) folders.insert(up);
        struct stat at {};
        if (::fstatat(in.get(), name.c_str(), &at, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno != ENOENT) out.failed.push_back(relative + ": " + std::strerror(errno));
            continue;
        }
        if (!S_ISREG(at.st_mode)) continue; // not what the torrent wrote
        if (::unlinkat(in.get(), name.c_str(), 0) == 0)
            ++out.files;
        else if (errno != ENOENT)
            out.failed.push_back(relative + ": " + std::strerror(errno));
    }
    for (auto const& relative : folders) {
        auto const above = parent_of(relative);
        auto const in = open_beneath(top.get(), above, O_PATH | O_DIRECTORY);
        auto const name = above.empty() ? relative : relative.substr(above.size() + 1);
        if (in && ::unlinkat(in.get(), name.c_str(), AT_REMOVEDIR) == 0) ++out.folders;
    }
    return out;
}

std::vector<std::string> without_larger(
    std::string const& folder, std::vector<std::string> files, std::vector<std::int64_t> const& sizes) {
    auto const top = open_folder(folder);
    if (!top) return files;
    std::vector<std::string> out;
    for (std::size_t i = 0; i < files.size(); ++i) {
        auto const file = open_beneath(top.get(), files[i], O_PATH | O_NOFOLLOW);
        struct stat at {};
        auto const is_larger = file && i < sizes.size() && ::fstat(file.get(), &at) == 0 &&
                               S_ISREG(at.st_mode) && at.st_size > sizes[i];
        if (!is_larger) out.push_back(std::move(files[i]));
    }
    return out;
}

} // namespace ccbt::engine
