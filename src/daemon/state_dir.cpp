#include "daemon/state_dir.hpp"

#include "base/beneath.hpp"
#include "base/safeguard.hpp"
#include "base/text.hpp"
#include "wire/json.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ccbt::daemon {

namespace fs = std::filesystem;

namespace {

constexpr mode_t folder_mode = 0700;
constexpr mode_t file_mode = 0600;
constexpr std::size_t key_bytes = 32;
constexpr char const* lock_name = "ccbtd.lock";
constexpr char const* pid_name = "daemon.pid";
constexpr char const* note_name = "daemon.json";
constexpr char const* key_name = "api_key";

int write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        auto const n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return 0;
}

// Up to `most` bytes of a small file.
expected<std::string, int> read_some(int fd, std::size_t most) {
    std::string out(most, '\0');
    std::size_t have = 0;
    while (have < most) {
        auto const n = ::read(fd, out.data() + have, most - have);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return unexpected<int>{errno};
        if (n == 0) break;
        have += static_cast<std::size_t>(n);
    }
    out.resize(have);
    return out;
}

// The folder and what is missing above it, each 0700; 0 or errno.
int make_folders(fs::path const& folder) {
    fs::path so_far;
    for (auto const& part : folder) {
        so_far /= part;
        if (::mkdir(so_far.c_str(), folder_mode) == 0) {
            // A umask may have taken more than it should.
            if (::chmod(so_far.c_str(), folder_mode) != 0) return errno;
            descriptor const above{::open((so_far / "..").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
            if (in_force(safeguard::directory_fsync) && above.get() >= 0 && ::fsync(above.get()) != 0)
                return errno; // a folder may be writable and not readable
            continue;
        }
        int const failed = errno;
        struct stat facts {};
        // What is there need not be writable, or not even allow the question in mkdir's way.
        if (::stat(so_far.c_str(), &facts) != 0) return failed;
        if (!S_ISDIR(facts.st_mode)) return ENOTDIR;
    }
    return 0;
}

// What a lock by PID file would go by; only a mutant asks.
bool names_a_process(int folder) {
    descriptor const file{::openat(folder, pid_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (file.get() < 0) return false;
    auto const pid = read_some(file.get(), 20);
    return pid && !pid->empty() && ::kill(static_cast<pid_t>(std::strtol(pid->c_str(), nullptr, 10)), 0) == 0;
}

std::string random_key() {
    std::array<std::uint8_t, key_bytes> bytes{};
    std::size_t have = 0;
    while (have < bytes.size()) {
        auto const n = ::getrandom(bytes.data() + have, bytes.size() - have, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return {};
        have += static_cast<std::size_t>(n);
    }
    return text::to_hex(bytes);
}

} // namespace

private_files::private_files() : before_{::umask(0077)} {}
private_files::~private_files() { ::umask(before_); }

start_failure state_dir::cannot(std::string const& what, int error_number) const {
    return {
        exit_code::cannot_write,
        fmt::format("the state directory {}: {}: {}", folder_.string(), what, std::strerror(error_number))};
}

start_failure state_dir::held_by_another() const {
    std::string who = "another ccbtd";
    descriptor const file{::openat(folder_fd_, pid_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (file.get() >= 0)
        if (auto const pid = read_some(file.get(), 20);
            pid && !pid->empty() &&
            std::all_of(pid->begin(), pid->end(), [](char c) { return c >= '0' && c <= '9'; }))
            who += " (pid " + *pid + ')';
    return {
        exit_code::locked, fmt::format(
                               "the state directory {} is in use by {}: stop it first, or name another "
                               "directory with --state-dir",
                               folder_.string(), who)};
}

expected<state_dir, start_failure> state_dir::open(fs::path const& folder) {
    state_dir made;
    made.folder_ = folder;
    auto const fail = [&](std::string const& what) {
        return unexpected<start_failure>{made.cannot(what, errno)};
    };
    if (int const failed = make_folders(folder); failed != 0) {
        errno = failed;
        return fail("cannot be made");
    }
    made.folder_fd_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (made.folder_fd_ < 0) return fail("cannot be opened");
    // A ccbtd.lock that someone removed by hand could be made and locked a second time; the folder cannot. Where a file
    // system locks no folders, ccbtd.lock alone decides.
    if (in_force(safeguard::lock_by_flock) && ::flock(made.folder_fd_, LOCK_EX | LOCK_NB) != 0 &&
        errno == EWOULDBLOCK)
        return unexpected<start_failure>{made.held_by_another()};
    made.lock_fd_ = ::openat(
        made.folder_fd_, lock_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, file_mode);
    if (made.lock_fd_ < 0) return fail("ccbtd.lock cannot be opened");
    if (!in_force(safeguard::lock_by_flock) && names_a_process(made.folder_fd_))
        return unexpected<start_failure>{made.held_by_another()};
    while (in_force(safeguard::lock_by_flock) && ::flock(made.lock_fd_, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno == EWOULDBLOCK) return unexpected<start_failure>{made.held_by_another()};
        return fail("ccbtd.lock cannot be locked");
    }

    struct stat facts {};
    if (::fstat(made.folder_fd_, &facts) != 0) return fail("cannot be examined");
    if (facts.st_uid != ::geteuid())
        made.warnings_.push_back(fmt::format(
            "the state directory {} belongs to user {}, not to the one that ccbtd "
            "runs as",
            folder.string(), facts.st_uid));
    if ((facts.st_mode & 0777) != folder_mode) {
        if (::fchmod(made.folder_fd_, folder_mode) != 0) return fail("cannot be closed to other users");
        made.warnings_.push_back(fmt::format(
            "the state directory {} was open to other users (mode {:04o}): it is "
            "0700 now",
            folder.string(), facts.st_mode & 07777));
    }
    if (::fchmod(made.lock_fd_, file_mode) != 0) return fail("ccbtd.lock cannot be closed to other users");
    made.announced_ = true; // by the one before, perhaps
    made.withdraw();
    return made;
}

state_dir::~state_dir() {
    withdraw();
    if (lock_fd_ >= 0) ::close(lock_fd_);
    if (folder_fd_ >= 0) ::close(folder_fd_);
}

expected<void, start_failure> state_dir::write(std::string const& name, std::string_view text) {
    auto const other_name = '.' + name + ".new";
    auto const fail = [&](std::string const& what) {
        int const failed = errno;
        ::unlinkat(folder_fd_, other_name.c_str(), 0);
        return unexpected<start_failure>{cannot(name + ' ' + what, failed)};
    };
    ::unlinkat(folder_fd_, other_name.c_str(), 0); // left by an unclean stop
    descriptor const file{::openat(
        folder_fd_, other_name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, file_mode)};
    if (file.get() < 0) return fail("cannot be made");
    mode_t const mode = in_force(safeguard::state_modes) ? file_mode : 0644;
    if (::fchmod(file.get(), mode) != 0) return fail("cannot be closed to other users");
    if (int const failed = write_all(file.get(), text); failed != 0) {
        errno = failed;
        return fail("cannot be written");
    }
    if (::fsync(file.get()) != 0) return fail("cannot be synced");
    if (::renameat(folder_fd_, other_name.c_str(), folder_fd_, name.c_str()) != 0)
        return fail("cannot be renamed");
    if (in_force(safeguard::directory_fsync) && ::fsync(folder_fd_) != 0) return fail("cannot be synced");
    return {};
}

expected<std::string, start_failure> state_dir::api_key() {
    descriptor const file{::openat(folder_fd_, key_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    if (file.get() < 0 && errno != ENOENT)
        return unexpected<start_failure>{cannot("api_key cannot be opened", errno)};
    if (file.get() < 0) {
        auto const key =
            in_force(safeguard::random_first_key) ? random_key() : std::string(2 * key_bytes, '0');
        if (key.empty()) return unexpected<start_failure>{cannot("no random bytes for api_key", errno)};
        if (auto const written = write(key_name, key + '\n'); !written)
            return unexpected<start_failure>{written.error()};
        return key;
    }
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0)
        return unexpected<start_failure>{cannot("api_key cannot be examined", errno)};
    auto const read =
        S_ISREG(facts.st_mode) ? read_some(file.get(), 4096) : expected<std::string, int>{std::string{}};
    if (!read) return unexpected<start_failure>{cannot("api_key cannot be read", read.error())};
    auto const key = text::trim(*read);
    auto const bytes = text::from_hex(key);
    if (!bytes || bytes->size() != key_bytes)
        return unexpected<start_failure>{
            {exit_code::damaged_state, fmt::format(
                                           "{} does not hold a key of {} hex digits and is left as it is: "
                                           "remove it to have a new key made, or set daemon.api_key",
                                           (folder_ / key_name).string(), 2 * key_bytes)}};
    if ((facts.st_mode & 0177) != 0) {
        if (::fchmod(file.get(), file_mode) != 0)
            return unexpected<start_failure>{cannot("api_key cannot be closed to other users", errno)};
        warnings_.push_back(fmt::format(
            "{} was open to other users (mode {:04o}): it is 0600 now; remove it to have "
            "a new key made, should one of them have read it",
            (folder_ / key_name).string(), facts.st_mode & 07777));
    }
    return std::string{key};
}

expected<void, start_failure> state_dir::announce(announcement const& what) {
    auto const pid = static_cast<std::int64_t>(::getpid());
    wire::writer out;
    out.begin_object();
    out.key("url");
    out.text(what.url);
    out.key("pid");
    out.integer(pid);
    out.key("version");
    out.text(what.version);
    out.key("started_at");
    out.number(what.started_at);
    for (auto const& [name, value] :
         {std::pair{"unix_socket", &what.unix_socket}, std::pair{"certificate", &what.certificate}}) {
        if (value->empty()) continue;
        out.key(name);
        out.text(*value);
    }
    out.end_object();
    announced_ = true;
    // Who finds daemon.json finds a daemon.pid too.
    if (auto written = write(pid_name, std::to_string(pid)); !written) return written;
    return write(note_name, out.take_text() + '\n');
}

void state_dir::withdraw() {
    if (!announced_ || folder_fd_ < 0) return;
    announced_ = false;
    for (char const* name : {note_name, pid_name}) ::unlinkat(folder_fd_, name, 0);
}

} // namespace ccbt::daemon
