#include "executor/state_files.hpp"

#include "base/safeguard.hpp"
#include "contract/types.hpp"
#include "executor/roots.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace ccbt::executor {

namespace {

namespace fs = std::filesystem;
using kind = file_trouble::kind;

constexpr std::string_view temporary_begins = ".ccbt-export-", temporary_ends = ".part";

unexpected<file_trouble> trouble(kind what, std::string why, std::string reason = {}) {
    return unexpected<file_trouble>{{what, std::move(why), std::move(reason)}};
}
unexpected<file_trouble> outside() {
    return trouble(kind::not_allowed, "that path is not within a folder that is allowed", "path_not_allowed");
}

// What the system said of opening or writing.
unexpected<file_trouble> system_trouble(int error) {
    switch (error) {
    case EXDEV:
    case ELOOP: return outside();
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG: return trouble(kind::not_found, "there is no such file", "not_found");
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return trouble(kind::full, "the disk is full: nothing was written");
    case EACCES:
    case EPERM:
    case EROFS:
        return trouble(kind::no_permission, "the daemon's user may not do that there", "no_permission");
    default: return trouble(kind::unusable, std::string{"that cannot be used: "} + std::strerror(error));
    }
}

std::string own_name() {
    std::time_t const now = std::time(nullptr);
    std::tm parts{};
    std::array<char, 32> text{};
    ::gmtime_r(&now, &parts);
    std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", &parts);
    return fmt::format("state-{}-{:08x}.json", text.data(), contract::make_torrent_id().low & 0xffffffffU);
}

// Left by a daemon that was killed while it wrote.
void sweep(int folder) {
    auto const again = open_beneath(folder, "", O_RDONLY | O_DIRECTORY);
    if (!again) return;
    int const fd = ::dup(again.get());
    std::unique_ptr<DIR, int (*)(DIR*)> const listed{fd < 0 ? nullptr : ::fdopendir(fd), &::closedir};
    if (!listed) return;
    while (auto const* const entry = ::readdir(listed.get())) {
        std::string_view const name{entry->d_name};
        struct stat about {};
        if (name.starts_with(temporary_begins) && name.ends_with(temporary_ends) &&
            ::fstatat(folder, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
            about.st_mtime < std::time(nullptr) - 3600) // else perhaps another daemon's, at work
            ::unlinkat(folder, entry->d_name, 0);
    }
}

bool begins_so(int folder, std::string const& name, std::string_view begins) {
    auto const file = open_beneath(folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    std::string read(begins.size(), '\0');
    return file && ::pread(file.get(), read.data(), read.size(), 0) == static_cast<ssize_t>(read.size()) &&
           read == begins;
}

} // namespace

expected<file_place, file_trouble> place_for(
    std::string const& folder, std::optional<std::string> const& path, std::string_view begins) {
    bool const anywhere = path && path->starts_with('/') && !in_force(safeguard::confined_export);
    auto const top_path = anywhere ? std::string{"/"} : plain_path(folder);
    auto const wanted = path && !path->empty() ? *path : own_name();
    if (wanted.find('\0') != wanted.npos) return outside();
    auto const whole = plain_path(wanted.front() == '/' ? wanted : top_path + '/' + wanted);
    if (whole == top_path || !lies_below(whole, top_path)) return outside();

    std::error_code failed;
    if (!fs::exists(top_path, failed)) {
        fs::create_directories(fs::path{top_path}.parent_path(), failed);
        if (::mkdir(top_path.c_str(), 0700) != 0 && errno != EEXIST) return system_trouble(errno);
    }
    auto const top = open_folder(top_path);
    if (!top) return system_trouble(errno);
    fs::path const below{relative_to(top_path, whole)};
    file_place made{
        open_beneath(top.get(), below.parent_path().string(), O_PATH | O_DIRECTORY),
        below.filename().string(), whole};
    if (!made.folder) {
        if (errno == ENOENT || errno == ENOTDIR)
            return trouble(kind::not_allowed, "there is no such folder", "no_such_folder");
        return system_trouble(errno);
    }
    struct stat there {};
    if (::fstatat(made.folder.get(), made.name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? expected<file_place, file_trouble>{std::move(made)} : system_trouble(errno);
    if (S_ISLNK(there.st_mode)) return outside();
    if (!S_ISREG(there.st_mode)) return trouble(kind::not_allowed, "that is no file", "not_a_file");
    if (!begins_so(made.folder.get(), made.name, begins))
        return trouble(
            kind::not_allowed, "there is a file of that name that no export wrote: it stays", "file_exists");
    return made;
}

expected<new_file, file_trouble> new_file::make(file_place at) {
    sweep(at.folder.get());
    auto name = fmt::format("{}{:016x}{}", temporary_begins, contract::make_torrent_id().low, temporary_ends);
    descriptor file{
        ::openat(at.folder.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!file) return system_trouble(errno);
    return new_file{std::move(at), std::move(file), std::move(name)};
}

void new_file::discard() {
    if (at_.folder && !temporary_.empty()) ::unlinkat(at_.folder.get(), temporary_.c_str(), 0);
    temporary_.clear();
}

expected<void, file_trouble> new_file::write(std::string_view bytes) {
    while (!bytes.empty()) {
        auto const n = ::write(file_.get(), bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_trouble(errno);
        bytes_ += n;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

expected<void, file_trouble> new_file::finish() {
    int const folder = at_.folder.get();
    if (::fsync(file_.get()) != 0 || ::renameat(folder, temporary_.c_str(), folder, at_.name.c_str()) != 0)
        return system_trouble(errno);
    temporary_.clear();
    auto const again = open_beneath(folder, "", O_RDONLY | O_DIRECTORY);
    if (!again || ::fsync(again.get()) != 0) return system_trouble(errno);
    return {};
}

expected<found_file, file_trouble> open_within(
    std::vector<std::string> const& folders, std::string const& path, std::int64_t largest) {
    if (path.empty() || path.find('\0') != path.npos) return outside();
    auto const whole = plain_path(path.front() == '/' ? path : folders.front() + '/' + path);
    std::string const* best = nullptr;
    for (auto const& folder : folders)
        if (lies_below(whole, folder) && (best == nullptr || folder.size() > best->size())) best = &folder;
    static std::string const anywhere{"/"};
    if (!in_force(safeguard::confined_import)) best = &anywhere;
    if (best == nullptr) return outside();
    auto const top = open_folder(*best);
    if (!top) return system_trouble(errno);
    // O_NONBLOCK: a pipe must not hold the reader before it is known to be none.
    found_file found{open_beneath(top.get(), relative_to(*best, whole), O_RDONLY | O_NONBLOCK | O_NOCTTY), 0};
    if (!found.file)
        return errno == ENXIO ? trouble(kind::unusable, "that is no regular file") : system_trouble(errno);
    struct stat about {};
    if (::fstat(found.file.get(), &about) != 0) return system_trouble(errno);
    if (!S_ISREG(about.st_mode)) return trouble(kind::unusable, "that is no regular file");
    if (about.st_size > largest) return trouble(kind::unusable, "that is larger than a state file may be");
    found.size = about.st_size;
    return found;
}

bool is_unchanged(int fd, std::int64_t& ctime_was) {
    struct stat about {};
    if (::fstat(fd, &about) != 0) return false;
    auto const now = about.st_ctim.tv_sec * 1'000'000'000 + about.st_ctim.tv_nsec;
    if (ctime_was == 0) ctime_was = now;
    return now == ctime_was;
}

} // namespace ccbt::executor
