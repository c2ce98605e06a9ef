// LD_PRELOAD: writes down, in the order in which a disk would hear of it, what a process does to the files below
// POWER_CUT_ROOT, and where it answers with success, into POWER_CUT_LOG (support/power_cut_log.hpp). tests/support/power_cut
// builds from it what a power cut may leave. Any thread of the process; it knows nothing of ccbtd.
#include "support/power_cut_log.hpp"

#include <atomic>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

using namespace power_cut;

namespace {

template <class F> F* next(char const* name) { return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name)); }
#define NEXT(name) static auto* const real = next<decltype(::name)>(#name)

// Constant from the beginning: libraries that begin before this one call us already.
struct state {
    std::mutex mutex;        // of the log's order, and over each call but the syncs
    std::string_view root{}; // without '/' at its end
    int log = -1;
    std::atomic<std::uint64_t> syncs{0};
};
constinit state shim;

[[gnu::constructor]] void begin() {
    auto const* const root = std::getenv("POWER_CUT_ROOT");
    auto const* const log = std::getenv("POWER_CUT_LOG");
    if (root == nullptr || log == nullptr) return;
    shim.root = root;
    NEXT(open);
    shim.log = real(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

std::string path_of(int at, char const* path) {
    if (shim.log < 0 || path == nullptr) return {};
    if (path[0] == '/') return path;
    char name[4096], link[64];
    if (at == AT_FDCWD) {
        if (::getcwd(name, sizeof name) == nullptr) return {};
        return std::string{name} + '/' + path;
    }
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    auto const n = ::readlink(link, name, sizeof name);
    return n <= 0 ? std::string{} : std::string{name, static_cast<std::size_t>(n)} + '/' + path;
}
bool is_ours(std::string_view path) {
    return path.size() > shim.root.size() && path.starts_with(shim.root) && path[shim.root.size()] == '/';
}

bool is_ours(int fd, struct stat& about) {
    if (shim.log < 0 || ::fstat(fd, &about) != 0 || !(S_ISREG(about.st_mode) || S_ISDIR(about.st_mode)))
        return false;
    char link[64], name[4096];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    auto const n = ::readlink(link, name, sizeof name);
    if (n <= 0) return false;
    std::string_view const path{name, static_cast<std::size_t>(n)};
    if (path == shim.root) about.st_ino = root_inode; // it has none in the log, since it was there before
    return is_ours(path) || path == shim.root;
}

void put(record what, std::string_view name, void const* data = nullptr, std::size_t bytes = 0) {
    what.name_bytes = name.size();
    what.data_bytes = bytes;
    std::string out{reinterpret_cast<char const*>(&what), sizeof what};
    out += name;
    if (bytes > 0) out.append(static_cast<char const*>(data), bytes);
    NEXT(write);
    if (real(shim.log, out.data(), out.size()) != static_cast<ssize_t>(out.size())) std::abort();
}

std::uint64_t inode(char const* path) {
    struct stat about {};
    return ::lstat(path, &about) == 0 ? about.st_ino : 0;
}
std::string relative(std::string const& path) { return path.substr(shim.root.size() + 1); }

// After a call that may have made or cut a file.
int opened(int fd, std::string const& path, int flags, bool was_there) {
    if (fd < 0 || !is_ours(path) || (flags & (O_CREAT | O_TRUNC)) == 0) return fd;
    struct stat about {};
    if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return fd;
    auto const kept = errno;
    if (!was_there)
        put({.what = kind::create, .inode = about.st_ino}, relative(path));
    else if ((flags & O_TRUNC) != 0)
        put({.what = kind::resize, .inode = about.st_ino}, "");
    errno = kept;
    return fd;
}

template <class Real> int open_at(Real real, int at, char const* name, int flags, mode_t mode) {
    auto const path = path_of(at, name);
    if (!is_ours(path)) return real(at, name, flags, mode);
    std::lock_guard const held{shim.mutex};
    auto const was_there = inode(path.c_str()) != 0;
    return opened(real(at, name, flags, mode), path, flags, was_there);
}

template <class Call> ssize_t written(int fd, off_t at, Call call, iovec const* parts, int count) {
    struct stat about {};
    if (!is_ours(fd, about)) return call();
    std::lock_guard const held{shim.mutex};
    if (at < 0) {
        auto const flags = ::fcntl(fd, F_GETFL);
        at = (flags & O_APPEND) != 0 ? (::fstat(fd, &about), about.st_size) : ::lseek(fd, 0, SEEK_CUR);
    }
    auto const n = call();
    auto const kept = errno;
    if (n > 0) {
        std::string data;
        for (int i = 0; i < count; ++i)
            data.append(static_cast<char const*>(parts[i].iov_base), parts[i].iov_len);
        put({.what = kind::write, .inode = about.st_ino, .at = static_cast<std::uint64_t>(at)}, "",
            data.data(), static_cast<std::size_t>(n));
    }
    errno = kept;
    return n;
}

template <class Call> int resized(int fd, Call call) {
    struct stat about {};
    if (!is_ours(fd, about)) return call();
    std::lock_guard const held{shim.mutex};
    auto const end = call();
    auto const kept = errno;
    if (end == 0 && ::fstat(fd, &about) == 0)
        put({.what = kind::resize, .inode = about.st_ino, .at = static_cast<std::uint64_t>(about.st_size)},
            "");
    errno = kept;
    return end;
}

// Not under the lock: an answer that leaves while a sync is under way must be seen to.
template <class Call> int synced(int fd, Call call, bool all = false) {
    struct stat about {};
    if (!is_ours(fd, about)) return call();
    if (all) about.st_ino = every_inode;
    auto const id = static_cast<std::uint64_t>(::getpid()) << 32 | ++shim.syncs;
    {
        std::lock_guard const held{shim.mutex};
        put({.what = kind::sync_begin, .inode = about.st_ino, .at = id}, "");
    }
    auto const end = call();
    auto const kept = errno;
    if (end == 0) {
        std::lock_guard const held{shim.mutex};
        put({.what = kind::sync_end, .inode = about.st_ino, .at = id}, "");
    }
    errno = kept;
    return end;
}

template <class Call> int named(kind what, std::string const& from, std::string const& to, Call call) {
    if (!is_ours(from) && !is_ours(to)) return call();
    std::lock_guard const held{shim.mutex};
    auto const of = inode(from.c_str());
    auto const end = call();
    auto const kept = errno;
    if (end == 0) {
        auto const now = what == kind::make_folder ? inode(from.c_str()) : of;
        auto const second = to.empty() ? std::string{} : relative(to);
        put({.what = what, .inode = now}, relative(from), second.data(), second.size());
    }
    errno = kept;
    return end;
}

void answered(void const* data, std::size_t bytes) {
    std::string_view const text{static_cast<char const*>(data), bytes};
    if (shim.log < 0 || !text.starts_with("HTTP/1.1 ")) return;
    std::lock_guard const held{shim.mutex};
    put({.what = kind::answer, .at = static_cast<std::uint64_t>(std::atoi(text.data() + 9))}, "");
}

mode_t mode_of(int flags, va_list rest) {
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(rest, int)) : 0;
}

} // namespace

extern "C" {

#define OPEN(name)                                                                                           \
    int name(char const* path, int flags, ...) {                                                             \
        NEXT(name);                                                                                          \
        va_list rest;                                                                                        \
        va_start(rest, flags);                                                                               \
        auto const mode = mode_of(flags, rest);                                                              \
        va_end(rest);                                                                                        \
        return open_at(                                                                                      \
            [](int, char const* p, int f, mode_t m) { return real(p, f, m); }, AT_FDCWD, path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
#define OPENAT(name)                                                                                         \
    int name(int at, char const* path, int flags, ...) {                                                     \
        NEXT(name);                                                                                          \
        va_list rest;                                                                                        \
        va_start(rest, flags);                                                                               \
        auto const mode = mode_of(flags, rest);                                                              \
        va_end(rest);                                                                                        \
        return open_at(                                                                                      \
            [](int a, char const* p, int f, mode_t m) { return real(a, p, f, m); }, at, path, flags, mode);  \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, void const* data, size_t bytes) {
    NEXT(write);
    iovec const one{const_cast<void*>(data), bytes};
    return written(
        fd, -1, [&] { return real(fd, data, bytes); }, &one, 1);
}
ssize_t pwrite(int fd, void const* data, size_t bytes, off_t at) {
    NEXT(pwrite);
    iovec const one{const_cast<void*>(data), bytes};
    return written(
        fd, at, [&] { return real(fd, data, bytes, at); }, &one, 1);
}
ssize_t pwrite64(int fd, void const* data, size_t bytes, off64_t at) {
    NEXT(pwrite64);
    iovec const one{const_cast<void*>(data), bytes};
    return written(
        fd, at, [&] { return real(fd, data, bytes, at); }, &one, 1);
}
ssize_t writev(int fd, iovec const* parts, int count) {
    NEXT(writev);
    if (count > 0) answered(parts[0].iov_base, parts[0].iov_len);
    return written(
        fd, -1, [&] { return real(fd, parts, count); }, parts, count);
}
ssize_t pwritev(int fd, iovec const* parts, int count, off_t at) {
    NEXT(pwritev);
    return written(
        fd, at, [&] { return real(fd, parts, count, at); }, parts, count);
}
ssize_t pwritev64(int fd, iovec const* parts, int count, off64_t at) {
    NEXT(pwritev64);
    return written(
        fd, at, [&] { return real(fd, parts, count, at); }, parts, count);
}
ssize_t send(int fd, void const* data, size_t bytes, int flags) {
    NEXT(send);
    answered(data, bytes);
    return real(fd, data, bytes, flags);
}
ssize_t sendmsg(int fd, msghdr const* what, int flags) {
    NEXT(sendmsg);
    if (what->msg_iovlen > 0) answered(what->msg_iov[0].iov_base, what->msg_iov[0].iov_len);
    return real(fd, what, flags);
}

int ftruncate(int fd, off_t size) noexcept {
    NEXT(ftruncate);
    return resized(fd, [&] { return real(fd, size); });
}
int ftruncate64(int fd, off64_t size) noexcept {
    NEXT(ftruncate64);
    return resized(fd, [&] { return real(fd, size); });
}
int posix_fallocate(int fd, off_t at, off_t size) {
    NEXT(posix_fallocate);
    return resized(fd, [&] { return real(fd, at, size); });
}
int posix_fallocate64(int fd, off64_t at, off64_t size) {
    NEXT(posix_fallocate64);
    return resized(fd, [&] { return real(fd, at, size); });
}
int fallocate(int fd, int mode, off_t at, off_t size) {
    NEXT(fallocate);
    return resized(fd, [&] { return real(fd, mode, at, size); });
}
int fallocate64(int fd, int mode, off64_t at, off64_t size) {
    NEXT(fallocate64);
    return resized(fd, [&] { return real(fd, mode, at, size); });
}
int fsync(int fd) {
    NEXT(fsync);
    return synced(fd, [&] { return real(fd); });
}
int fdatasync(int fd) {
    NEXT(fdatasync);
    return synced(fd, [&] { return real(fd); });
}

int syncfs(int fd) noexcept {
    NEXT(syncfs);
    return synced(
        fd, [&] { return real(fd); }, true);
}

int rename(char const* from, char const* to) noexcept {
    NEXT(rename);
    return named(
        kind::rename, path_of(AT_FDCWD, from), path_of(AT_FDCWD, to), [&] { return real(from, to); });
}
int renameat(int a, char const* from, int b, char const* to) noexcept {
    NEXT(renameat);
    return named(kind::rename, path_of(a, from), path_of(b, to), [&] { return real(a, from, b, to); });
}
int link(char const* from, char const* to) noexcept {
    NEXT(link);
    return named(kind::link, path_of(AT_FDCWD, from), path_of(AT_FDCWD, to), [&] { return real(from, to); });
}
int linkat(int a, char const* from, int b, char const* to, int flags) noexcept {
    NEXT(linkat);
    return named(kind::link, path_of(a, from), path_of(b, to), [&] { return real(a, from, b, to, flags); });
}
int unlink(char const* path) noexcept {
    NEXT(unlink);
    return named(kind::unlink, path_of(AT_FDCWD, path), {}, [&] { return real(path); });
}
int unlinkat(int at, char const* path, int flags) noexcept {
    NEXT(unlinkat);
    return named(kind::unlink, path_of(at, path), {}, [&] { return real(at, path, flags); });
}
int rmdir(char const* path) noexcept {
    NEXT(rmdir);
    return named(kind::unlink, path_of(AT_FDCWD, path), {}, [&] { return real(path); });
}
int remove(char const* path) noexcept {
    NEXT(remove);
    return named(kind::unlink, path_of(AT_FDCWD, path), {}, [&] { return real(path); });
}
int mkdir(char const* path, mode_t mode) noexcept {
    NEXT(mkdir);
    return named(kind::make_folder, path_of(AT_FDCWD, path), {}, [&] { return real(path, mode); });
}
int mkdirat(int at, char const* path, mode_t mode) noexcept {
    NEXT(mkdirat);
    return named(kind::make_folder, path_of(at, path), {}, [&] { return real(at, path, mode); });
}

} // extern "C"
