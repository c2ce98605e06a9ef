#include "filter/new_file.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ccbt::filter {

namespace fs = std::filesystem;

new_file::new_file(std::string path, std::string part, int fd)
    : path_{std::move(path)}, part_{std::move(part)}, fd_{fd} {}

new_file::new_file(new_file&& other) noexcept
    : path_{std::move(other.path_)}, part_{std::move(other.part_)}, fd_{std::exchange(other.fd_, -1)} {}

new_file::~new_file() {
    if (fd_ < 0) return;
    ::unlink(part_.c_str());
    ::close(fd_);
}

std::optional<new_file> new_file::open(std::string path) {
    auto part = path + ".part";
    int const fd = ::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0) return std::nullopt;
    struct stat ours {
    }, named{};
    // Whoever had the lock before may have renamed what we opened: then it is no longer ours to empty.
    bool const is_ours = ::flock(fd, LOCK_EX | LOCK_NB) == 0 && ::fstat(fd, &ours) == 0 &&
                         S_ISREG(ours.st_mode) && ::lstat(part.c_str(), &named) == 0 &&
                         ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
    if (!is_ours) {
        ::close(fd);
        return std::nullopt;
    }
    new_file made{std::move(path), std::move(part), fd};
    if (::fchmod(fd, 0600) != 0 || ::ftruncate(fd, 0) != 0) return std::nullopt;
    return made;
}

bool new_file::write(std::string_view bytes) {
    while (!bytes.empty()) {
        auto const n = ::write(fd_, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

bool new_file::keep() {
    if (::fsync(fd_) != 0 || ::rename(part_.c_str(), path_.c_str()) != 0) return false;
    ::close(std::exchange(fd_, -1));
    int const folder = ::open(fs::path{path_}.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool const synced = folder >= 0 && ::fsync(folder) == 0;
    if (folder >= 0) ::close(folder);
    return synced;
}

bool make_folder(std::string const& path) {
    fs::path so_far;
    for (auto const& part : fs::path{path}) {
        so_far /= part;
        if (::mkdir(so_far.c_str(), 0700) != 0 && !fs::is_directory(so_far)) return false;
    }
    return true;
}

bool replace_file(std::string const& path, std::string_view bytes) {
    auto file = new_file::open(path);
    return file && file->write(bytes) && file->keep();
}

std::optional<std::string> read_small_file(std::string const& path) {
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return std::nullopt;
    std::array<char, 8192> buffer{};
    auto const n = ::read(fd, buffer.data(), buffer.size());
    ::close(fd);
    if (n < 0) return std::nullopt;
    return std::string{buffer.data(), static_cast<std::size_t>(n)};
}

} // namespace ccbt::filter
