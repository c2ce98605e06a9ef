#include "store/sqlite_swap.hpp"

#include "store/sqlite_schema.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/core.h>
#include <fstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace ccbt::store {

namespace fs = std::filesystem;

bool sync_file(fs::path const& file) {
    auto const fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    auto const done = fd >= 0 && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    return done;
}

std::optional<open_failure> swap_in(fs::path const& made, fs::path const& database, fs::path const& kept) {
    auto const failed = [&](std::string const& then) {
        return open_failure{
            open_failure::kind::unwritable,
            fmt::format("{}: {}; {}", database.string(), std::generic_category().message(errno), then)};
    };
    fs::path const log = database.string() + "-wal";
    auto const folder = database.parent_path();
    std::error_code ignored;
    auto const has_log = fs::exists(log, ignored);
    if (::link(database.c_str(), kept.c_str()) != 0 ||
        (has_log && ::link(log.c_str(), (kept.string() + "-wal").c_str()) != 0))
        return failed("nothing was changed");
    // One byte is no log to SQLite, and yet keeps a daemon from beginning a new store where none is.
    auto const no_log = made.parent_path() / "no-log";
    std::ofstream{no_log} << 'x';
    ::chmod(no_log.c_str(), 0600);
    auto const bar = [&] { return ::rename(no_log.c_str(), log.c_str()) == 0 && sync_directory(folder); };
    if (!sync_file(no_log) || !sync_directory(folder) || (!has_log && !bar()))
        return failed("nothing was changed");
    if (::unlink(database.c_str()) != 0 || !sync_directory(folder) || (has_log && !bar()) ||
        ::rename(made.c_str(), database.c_str()) != 0 || !sync_directory(folder) ||
        ::unlink(log.c_str()) != 0 || !sync_directory(folder))
        return failed("the state is kept as " + kept.string());
    return std::nullopt;
}

void take_up_again(fs::path const& database, std::function<void(std::string const&)> const& tell) {
    fs::path const log = database.string() + "-wal";
    std::error_code ignored;
    if (fs::exists(database, ignored) || !fs::exists(log, ignored)) return;
    std::string kept; // the newest
    for (auto const& one : fs::directory_iterator{database.parent_path(), ignored}) {
        auto const path = one.path().string();
        if (path.starts_with(database.string() + ".damaged-") &&
            one.path().extension().string().find('-') != std::string::npos && !path.ends_with("-wal") &&
            one.is_regular_file(ignored))
            kept = std::max(kept, path);
    }
    if (kept.empty()) return;
    tell(fmt::format("an earlier --recover was cut short: {} is taken up again", kept));
    auto const again = log.string() + ".again";
    fs::remove(again, ignored);
    if (fs::exists(kept + "-wal", ignored) &&
        (::link((kept + "-wal").c_str(), again.c_str()) != 0 || ::rename(again.c_str(), log.c_str()) != 0))
        return;
    fs::remove(again, ignored); // a rename over another name of the same file leaves both
    if (::link(kept.c_str(), database.c_str()) == 0)
        static_cast<void>(sync_directory(database.parent_path()));
}

} // namespace ccbt::store
