// Preloaded into a daemon by tests: reads, writes and syncs below a folder take their time, as those of a dying disk do,
// while a file says so. SLOW_DISK_BELOW: the folder; SLOW_DISK_MS: how long each takes; SLOW_DISK_WHEN: the file;
// SLOW_DISK_FAILURES: set where writes that fail are slow alone, and to say so.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

namespace {

void wait_at(int fd) {
    char const* const below = std::getenv("SLOW_DISK_BELOW");
    char const* const when = std::getenv("SLOW_DISK_WHEN");
    char const* const how_long = std::getenv("SLOW_DISK_MS");
    if (below == nullptr || when == nullptr || how_long == nullptr) return;
    std::array<char, 4096> path{};
    auto const link = "/proc/self/fd/" + std::to_string(fd);
    if (::readlink(link.c_str(), path.data(), path.size() - 1) <= 0) return;
    if (std::strncmp(path.data(), below, std::strlen(below)) != 0 || ::access(when, F_OK) != 0) return;
    auto const ms = std::atol(how_long);
    timespec left{ms / 1000, ms % 1000 * 1'000'000};
    while (::nanosleep(&left, &left) != 0) {}
}

bool failures_alone() { return std::getenv("SLOW_DISK_FAILURES") != nullptr; }

void take_time(int fd) {
    if (!failures_alone()) wait_at(fd);
}

template <class Write> ssize_t slow_write(int fd, Write write) {
    take_time(fd);
    auto const n = write();
    if (n < 0 && failures_alone()) {
        auto const why = errno;
        wait_at(fd);
        errno = why;
    }
    return n;
}

template <class F> F* real(char const* name) { return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name)); }

} // namespace

extern "C" {

ssize_t pread(int fd, void* bytes, size_t size, off_t at) {
    take_time(fd);
    return real<ssize_t(int, void*, size_t, off_t)>("pread")(fd, bytes, size, at);
}
ssize_t pread64(int fd, void* bytes, size_t size, off64_t at) {
    take_time(fd);
    return real<ssize_t(int, void*, size_t, off64_t)>("pread64")(fd, bytes, size, at);
}
ssize_t pwrite(int fd, void const* bytes, size_t size, off_t at) {
    return slow_write(
        fd, [&] { return real<ssize_t(int, void const*, size_t, off_t)>("pwrite")(fd, bytes, size, at); });
}
ssize_t pwrite64(int fd, void const* bytes, size_t size, off64_t at) {
    return slow_write(fd, [&] {
        return real<ssize_t(int, void const*, size_t, off64_t)>("pwrite64")(fd, bytes, size, at);
    });
}
ssize_t pwritev(int fd, iovec const* parts, int count, off_t at) {
    return slow_write(
        fd, [&] { return real<ssize_t(int, iovec const*, int, off_t)>("pwritev")(fd, parts, count, at); });
}
ssize_t pwritev64(int fd, iovec const* parts, int count, off64_t at) {
    return slow_write(fd, [&] {
        return real<ssize_t(int, iovec const*, int, off64_t)>("pwritev64")(fd, parts, count, at);
    });
}
int posix_fallocate64(
    int fd, off64_t at, off64_t size) { // room for a whole file: the first that a full disk refuses
    take_time(fd);
    auto const failed = real<int(int, off64_t, off64_t)>("posix_fallocate64")(fd, at, size);
    if (failed != 0 && failures_alone()) wait_at(fd);
    return failed;
}
int fsync(int fd) {
    take_time(fd);
    return real<int(int)>("fsync")(fd);
}
int fdatasync(int fd) {
    take_time(fd);
    return real<int(int)>("fdatasync")(fd);
}
} // extern "C"
