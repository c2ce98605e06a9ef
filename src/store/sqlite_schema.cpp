#include "store/sqlite_schema.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/safeguard.hpp"
#include "store/sqlite_wal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace ccbt::store {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t application_id = 0x63636274; // "ccbt"

// Hashes have no UNIQUE constraint: a damaged row stays where it is and must not keep its torrent from being
// added again. The writer checks them.
constexpr char const* tables = R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL, checksum INTEGER NOT NULL) STRICT;
CREATE TABLE torrents(row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, v1 BLOB, v2 BLOB, name TEXT NOT NULL,
    magnet TEXT NOT NULL, has_metainfo INTEGER NOT NULL, is_private INTEGER NOT NULL, total_size INTEGER NOT NULL,
    root BLOB NOT NULL, folder TEXT NOT NULL, paused INTEGER NOT NULL, sequential INTEGER NOT NULL,
    labels BLOB NOT NULL, added_at REAL NOT NULL, down_kib INTEGER NOT NULL, up_kib INTEGER NOT NULL,
    file_priorities BLOB NOT NULL, queue_order INTEGER NOT NULL, priority INTEGER NOT NULL,
    in_queue INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;
CREATE INDEX torrents_v1 ON torrents(v1) WHERE v1 IS NOT NULL;
CREATE INDEX torrents_v2 ON torrents(v2) WHERE v2 IS NOT NULL;
CREATE TABLE metainfo(row INTEGER PRIMARY KEY, id BLOB NOT NULL, bytes BLOB NOT NULL, checksum INTEGER NOT NULL)
    STRICT;
CREATE TABLE journal(row INTEGER PRIMARY KEY, id BLOB NOT NULL, progress REAL NOT NULL, downloaded INTEGER NOT NULL,
    uploaded INTEGER NOT NULL, completed_at REAL NOT NULL, checksum INTEGER NOT NULL) STRICT;
CREATE TABLE resume(row INTEGER PRIMARY KEY, id BLOB NOT NULL, bytes BLOB NOT NULL, checksum INTEGER NOT NULL)
    STRICT;
CREATE TABLE totals(row INTEGER PRIMARY KEY, downloaded INTEGER NOT NULL, uploaded INTEGER NOT NULL,
    checksum INTEGER NOT NULL) STRICT;
CREATE TABLE roots(row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, path TEXT NOT NULL, checksum INTEGER NOT NULL)
    STRICT;
CREATE TABLE settings(row INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, json TEXT NOT NULL,
    checksum INTEGER NOT NULL) STRICT;
CREATE TABLE deletions(row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, root_path TEXT NOT NULL,
    files BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;
CREATE TABLE checkpoints(row INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL,
    checksum INTEGER NOT NULL) STRICT;
CREATE TABLE operations(id TEXT PRIMARY KEY, at INTEGER NOT NULL, answer BLOB NOT NULL,
    checksum INTEGER NOT NULL) STRICT;
CREATE INDEX operations_at ON operations(at);
CREATE TABLE lists(row INTEGER PRIMARY KEY, list INTEGER NOT NULL, range TEXT NOT NULL, reason TEXT NOT NULL,
    added_at REAL NOT NULL, checksum INTEGER NOT NULL, UNIQUE(list, range)) STRICT;
CREATE TABLE keys(row INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, signs INTEGER NOT NULL, id BLOB NOT NULL,
    scopes TEXT NOT NULL, created_at REAL NOT NULL, expires_at REAL NOT NULL, last_used REAL NOT NULL,
    checksum INTEGER NOT NULL) STRICT;
)";

constexpr migration migrations[] = {
    {1,
     "CREATE TABLE lists(row INTEGER PRIMARY KEY, list INTEGER NOT NULL, range TEXT NOT NULL, "
     "reason TEXT NOT NULL, added_at REAL NOT NULL, checksum INTEGER NOT NULL, UNIQUE(list, range)) STRICT"},
    {2, "CREATE TABLE keys(row INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, signs INTEGER NOT NULL, "
        "id BLOB NOT NULL, scopes TEXT NOT NULL, created_at REAL NOT NULL, expires_at REAL NOT NULL, "
        "last_used REAL NOT NULL, checksum INTEGER NOT NULL) STRICT"},
    {3, "DROP TABLE operations; CREATE TABLE operations(id TEXT PRIMARY KEY, at INTEGER NOT NULL, "
        "answer BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT; "
        "CREATE INDEX operations_at ON operations(at)"}};

open_failure failed(open_failure::kind why, fs::path const& file, std::string what) {
    return {why, fmt::format("{}: {}", file.string(), what)};
}

open_failure of_code(int code, connection const& on, fs::path const& file) {
    using kind = open_failure::kind;
    switch (primary(code)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return failed(kind::locked, file, "another process has it open");
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_FULL: return failed(kind::unwritable, file, "cannot be written: " + on.message());
    default: return failed(kind::damaged, file, "cannot be read: " + on.message());
    }
}

std::string errno_text() { return std::generic_category().message(errno); }

bool create_private(fs::path const& file) {
    auto const fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd >= 0 && ::close(fd) == 0;
}

fs::path beside(fs::path const& file, std::string_view suffix) {
    auto out = file;
    return out += suffix;
}

std::uint32_t big_endian(std::span<std::uint8_t const> bytes) {
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
           bytes[3];
}

std::string newer_text(std::int64_t found, schema const& as) {
    return fmt::format(
        "version {} of the store, made by a newer ccbtd; this one knows up to version {}", found, as.version);
}

// The header as it lies in the file: what is refused here SQLite has not touched, its log not replayed.
std::optional<open_failure> judge_header(
    connection& on, fs::path const& file, schema const& as, std::uint32_t& page_size) {
    using kind = open_failure::kind;
    std::array<std::uint8_t, 100> header{};
    std::int64_t size = 0;
    auto const code = on.read_raw(header, 0, size);
    if (size < std::int64_t{header.size()}) return failed(kind::damaged, file, "too short for a store");
    if (code != SQLITE_OK) return of_code(code, on, file);
    if (std::memcmp(header.data(), "SQLite format 3", 16) != 0)
        return failed(kind::damaged, file, "not a store");
    auto const bytes = std::span{header};
    if (big_endian(bytes.subspan(68, 4)) != application_id)
        return failed(kind::damaged, file, "a database, but not a store of ccbtd");
    auto const version = big_endian(bytes.subspan(60, 4));
    if (version > static_cast<std::uint32_t>(as.version) && in_force(safeguard::newer_refused))
        return failed(kind::newer, file, newer_text(version, as));
    // With another journal mode than it has, SQLite would pass its log by, or take it for read-only.
    if (header[18] != header[19] || header[18] < 1 || header[18] > 2)
        return failed(kind::damaged, file, "its header is damaged");
    page_size = std::uint32_t{header[16]} << 8 | header[17];
    if (page_size == 1) page_size = 65536;
    return std::nullopt;
}

enum class checking { all_of_it, what_is_loaded };

// A value of a wrong type is one row's damage, which its checksum finds; an index follows from its table and is made
// anew; all else is the structure's. The large tables' rows are found damaged one by one, when they are read.
std::optional<open_failure> check_structure(
    connection& on, fs::path const& file, checking how, std::vector<std::string>& stale_indexes) {
    std::vector<std::string> lines;
    auto code = SQLITE_OK;
    if (how == checking::what_is_loaded)
        for (auto const* const table :
             {"meta", "torrents", "journal", "totals", "roots", "settings", "deletions", "lists", "keys"})
            if (code == SQLITE_OK)
                code = on.query_lines(fmt::format("PRAGMA integrity_check({})", table).c_str(), lines);
    if (how == checking::all_of_it ||
        (code == SQLITE_OK && lines.size() >= 100)) { // it says no more than 100
        lines.clear();
        code = on.query_lines("PRAGMA integrity_check(1000000)", lines);
    }
    if (code != SQLITE_OK) return of_code(code, on, file);
    for (auto const& line : lines) {
        if (line == "ok" || line.find(" value in ") != std::string::npos) continue;
        auto const index = line.find("index ");
        if (index == std::string::npos || line.find("age ") != std::string::npos)
            return failed(open_failure::kind::damaged, file, line);
        auto name = line.substr(index + 6);
        if (std::find(stale_indexes.begin(), stale_indexes.end(), name) == stale_indexes.end())
            stale_indexes.push_back(std::move(name));
    }
    return std::nullopt;
}

std::optional<open_failure> back_up(connection& on, fs::path const& file, std::int64_t version) {
    using kind = open_failure::kind;
    auto const made = beside(file, ".backup.new");
    std::error_code ignored;
    fs::remove(made, ignored);
    if (!create_private(made)) return failed(kind::unwritable, made, errno_text());
    auto into = on.prepare("VACUUM INTO ?1");
    auto const name = made.string();
    into.bind_text(1, name);
    auto const code = into.run();
    if (code != SQLITE_OK) {
        auto refused = failed(
            kind::unwritable, file,
            fmt::format(
                "is of version {}, and the backup before it is brought up to date cannot be written: {}. Nothing was "
                "changed",
                version, on.message()));
        for (auto const* const suffix : {"", "-journal"}) fs::remove(beside(made, suffix), ignored);
        return refused;
    }
    auto const fd = ::open(made.c_str(), O_RDONLY | O_CLOEXEC);
    auto const synced = fd >= 0 && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (!synced) return failed(kind::unwritable, made, errno_text());
    for (int n = 0; n < 1000; ++n) { // an earlier backup is kept
        auto const place =
            beside(file, fmt::format(".version-{}.backup{}", version, n == 0 ? "" : fmt::format("-{}", n)));
        if (::link(made.c_str(), place.c_str()) != 0) {
            if (errno == EEXIST) continue;
            return failed(kind::unwritable, place, errno_text());
        }
        fs::remove(made, ignored);
        if (!sync_directory(file.parent_path())) return failed(kind::unwritable, place, errno_text());
        return std::nullopt;
    }
    return failed(kind::unwritable, made, "too many backups beside it");
}

std::optional<open_failure> migrate(
    connection& on, fs::path const& file, schema const& as, std::int64_t from) {
    std::vector<char const*> steps;
    for (auto version = from; version < as.version; ++version)
        for (auto const& step : as.steps)
            if (step.from == version) steps.push_back(step.sql);
    if (static_cast<std::int64_t>(steps.size()) != as.version - from)
        return failed(open_failure::kind::damaged, file, fmt::format("version {} was never released", from));
    std::vector<std::string> stale;
    if (auto broken = check_structure(on, file, checking::all_of_it, stale)) return broken;
    if (in_force(safeguard::backup_before_migration))
        if (auto refused = back_up(on, file, from)) return refused;
    auto code = on.run("BEGIN IMMEDIATE");
    for (auto const* const sql : steps)
        if (code == SQLITE_OK) code = on.run(sql);
    if (code == SQLITE_OK) code = on.run(fmt::format("PRAGMA user_version={}", as.version).c_str());
    if (code == SQLITE_OK) code = on.run("COMMIT");
    if (code == SQLITE_OK) return std::nullopt;
    auto refused = of_code(code, on, file);
    if (on.in_transaction()) static_cast<void>(on.run("ROLLBACK"));
    return refused;
}

} // namespace

schema const& current_schema() {
    static constexpr schema current{4, tables, migrations};
    return current;
}

bool sync_directory(fs::path const& directory) {
    if (!in_force(safeguard::directory_fsync)) return true;
    auto const fd = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    auto const synced = ::fsync(fd) == 0;
    ::close(fd);
    return synced;
}

std::optional<open_failure> create_database(fs::path const& file, schema const& as) {
    using kind = open_failure::kind;
    std::error_code ignored;
    for (auto const* const suffix : {"-wal", "-journal"})
        if (auto const log = beside(file, suffix);
            fs::exists(log, ignored) && fs::file_size(log, ignored) != 0)
            return failed(kind::damaged, file, "is gone, but its log is there: " + log.filename().string());
    auto const made = beside(file, ".new");
    for (auto const* const suffix : {"", "-journal"}) fs::remove(beside(made, suffix), ignored);
    if (!create_private(made)) return failed(kind::unwritable, made, errno_text());
    connection on;
    auto code = on.open(made.string(), true);
    if (code == SQLITE_OK) {
        auto const sql = fmt::format(
            "PRAGMA synchronous=FULL; BEGIN IMMEDIATE; {}; PRAGMA application_id={}; "
            "PRAGMA user_version={}; COMMIT",
            as.create, application_id, as.version);
        code = on.run(sql.c_str());
    }
    if (code != SQLITE_OK) return failed(kind::unwritable, made, on.message());
    if (on.close() != SQLITE_OK || ::rename(made.c_str(), file.c_str()) != 0 ||
        !sync_directory(file.parent_path()))
        return failed(kind::unwritable, file, errno_text());
    return std::nullopt;
}

std::optional<open_failure> open_database(
    connection& on, fs::path const& file, schema const& as, bool& clean) {
    using kind = open_failure::kind;
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) return failed(kind::damaged, file, "not a regular file");
    if (::access(file.c_str(), R_OK | W_OK) != 0) return failed(kind::unwritable, file, errno_text());
    auto code = on.open(file.string(), false);
    if (code != SQLITE_OK) return of_code(code, on, file);
    std::uint32_t page_size = 0;
    if (auto refused = judge_header(on, file, as, page_size)) return refused;

    code = on.run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=FULL;"
                  "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY;"
                  "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON");
    if (code == SQLITE_OK && !in_force(safeguard::synchronous_full))
        code = on.run("PRAGMA synchronous=NORMAL");
    std::int64_t version = 0;
    if (code == SQLITE_OK) code = on.query_integer("PRAGMA user_version", version);
    if (code != SQLITE_OK) return of_code(code, on, file);
    if (version > as.version && in_force(safeguard::newer_refused))
        return failed(kind::newer, file, newer_text(version, as)); // told by its log alone
    if (auto const log = read_wal(beside(file, "-wal"), page_size); !log.damage.empty())
        return failed(kind::damaged, file, log.damage);

    std::vector<std::string> mode;
    code = on.query_lines("PRAGMA journal_mode=WAL", mode);
    if (code != SQLITE_OK) return of_code(code, on, file);
    if (mode.empty() || mode.front() != "wal")
        return failed(kind::unwritable, file, "its log cannot be written");

    if (version < as.version)
        if (auto refused = migrate(on, file, as, version)) return refused;
    std::int64_t marked = 0;
    code = on.query_integer("SELECT count(*) FROM meta WHERE key='clean' AND value='1'", marked);
    if (code != SQLITE_OK) return of_code(code, on, file);
    clean = marked == 1;
    std::vector<std::string> stale;
    auto const how = clean ? checking::what_is_loaded : checking::all_of_it;
    auto const began = steady::now();
    if (auto broken = check_structure(on, file, how, stale)) return broken;
    if (!clean)
        log::info(
            "store: the last run did not end cleanly; {} was checked in {:.2f} s", file.filename().string(),
            std::chrono::duration<double>(steady::now() - began).count());
    for (auto const& name : stale) {
        log::error("store: the index {} did not fit its table and is made anew", name);
        code = on.run(fmt::format("REINDEX \"{}\"", name).c_str());
        if (code != SQLITE_OK)
            return failed(kind::damaged, file, fmt::format("the index {}: {}", name, on.message()));
    }
    ::chmod(file.c_str(), 0600); // a restored backup may have come with another mode
    return std::nullopt;
}

} // namespace ccbt::store
