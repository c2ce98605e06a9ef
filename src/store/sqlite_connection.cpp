#include "store/sqlite_connection.hpp"

#include <utility>

namespace ccbt::store {

statement::statement(statement&& other) noexcept
    : stmt_{std::exchange(other.stmt_, nullptr)}, failed_{std::exchange(other.failed_, SQLITE_OK)} {}

statement& statement::operator=(statement&& other) noexcept {
    std::swap(stmt_, other.stmt_);
    std::swap(failed_, other.failed_);
    return *this;
}

void statement::note(int code) {
    if (failed_ == SQLITE_OK) failed_ = code;
}

void statement::bind(int at, std::int64_t value) { note(sqlite3_bind_int64(stmt_, at, value)); }
void statement::bind(int at, double value) { note(sqlite3_bind_double(stmt_, at, value)); }
void statement::bind_null(int at) { note(sqlite3_bind_null(stmt_, at)); }

void statement::bind_text(int at, std::string_view value) {
    // a null pointer would bind NULL
    note(sqlite3_bind_text64(
        stmt_, at, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void statement::bind_blob(int at, byte_view value) {
    if (value.empty())
        note(sqlite3_bind_zeroblob(stmt_, at, 0));
    else
        note(sqlite3_bind_blob64(stmt_, at, value.data(), value.size(), SQLITE_STATIC));
}

int statement::step() { return failed_ != SQLITE_OK ? failed_ : sqlite3_step(stmt_); }

void statement::reset() {
    sqlite3_reset(stmt_);
    sqlite3_clear_bindings(stmt_);
    failed_ = SQLITE_OK;
}

int statement::run() {
    auto const code = step();
    reset();
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

std::string_view statement::text(int at) const {
    auto const* const data = reinterpret_cast<char const*>(sqlite3_column_text(stmt_, at));
    auto const size = static_cast<std::size_t>(sqlite3_column_bytes(stmt_, at));
    return data ? std::string_view{data, size} : std::string_view{};
}

byte_view statement::blob(int at) const {
    auto const* const data = static_cast<std::uint8_t const*>(sqlite3_column_blob(stmt_, at));
    auto const size = static_cast<std::size_t>(sqlite3_column_bytes(stmt_, at));
    return data ? byte_view{data, size} : byte_view{};
}

int connection::open(std::string const& path, bool create) {
    auto const code = sqlite3_open_v2(
        path.c_str(), &db_,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE |
            (create ? SQLITE_OPEN_CREATE : 0),
        nullptr);
    if (code != SQLITE_OK) return code;
    checkpoint_at_close(false);
    sqlite3_wal_hook( // in the place of SQLite's own checkpoints; PRAGMA wal_autocheckpoint would take it away
        db_,
        [](void* self, sqlite3*, char const*, int pages) {
            static_cast<connection*>(self)->wal_pages_ = pages;
            return SQLITE_OK;
        },
        this);
    return SQLITE_OK;
}

int connection::close() {
    auto const code = sqlite3_close(db_);
    if (code == SQLITE_OK) db_ = nullptr;
    return code;
}

int connection::run(char const* sql) { return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr); }

statement connection::prepare(std::string_view sql, int* code) {
    sqlite3_stmt* made = nullptr;
    auto const rc = sqlite3_prepare_v3(
        db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    if (code && rc != SQLITE_OK) *code = rc;
    return statement{made};
}

int connection::query_integer(char const* sql, std::int64_t& value) {
    int code = SQLITE_OK;
    auto asked = prepare(sql, &code);
    if (!asked) return code;
    code = asked.step();
    if (code != SQLITE_ROW) return code == SQLITE_DONE ? SQLITE_MISMATCH : code;
    value = asked.integer(0);
    return SQLITE_OK;
}

int connection::query_lines(char const* sql, std::vector<std::string>& lines) {
    int code = SQLITE_OK;
    auto asked = prepare(sql, &code);
    if (!asked) return code;
    while ((code = asked.step()) == SQLITE_ROW) lines.emplace_back(asked.text(0));
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int connection::read_raw(std::span<std::uint8_t> into, std::int64_t from, std::int64_t& file_size) {
    sqlite3_file* file = nullptr;
    auto code = sqlite3_file_control(db_, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK) return code;
    if (!file || !file->pMethods) return SQLITE_CANTOPEN;
    sqlite3_int64 size = 0;
    code = file->pMethods->xFileSize(file, &size);
    if (code != SQLITE_OK) return code;
    file_size = size;
    return file->pMethods->xRead(file, into.data(), static_cast<int>(into.size()), from);
}

int connection::checkpoint(int mode) {
    auto const code = sqlite3_wal_checkpoint_v2(db_, "main", mode, nullptr, nullptr);
    if (code == SQLITE_OK) wal_pages_ = 0;
    return code;
}

void connection::checkpoint_at_close(bool yes) {
    sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, yes ? 0 : 1, nullptr);
}

} // namespace ccbt::store
