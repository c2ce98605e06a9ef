// One connection to SQLite and its prepared statements: RAII, result codes instead of exceptions. One thread
// at a time. Knows no table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <sqlite3.h>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::store {

using byte_view = std::span<std::uint8_t const>;

/// A prepared statement. A bind that fails is told by the next step().
class statement {
public:
    statement() = default;
    explicit statement(sqlite3_stmt* made) : stmt_{made} {}
    ~statement() { sqlite3_finalize(stmt_); }
    statement(statement&& other) noexcept;
    statement& operator=(statement&& other) noexcept;
    explicit operator bool() const { return stmt_ != nullptr; }

    // What is bound is not copied: it stays alive until reset(). Places count from 1.
    void bind(int at, std::int64_t value);
    void bind(int at, double value);
    void bind_text(int at, std::string_view value);
    void bind_blob(int at, byte_view value);
    void bind_null(int at);

    [[nodiscard]] int step(); // SQLITE_ROW, SQLITE_DONE or an extended error code
    void reset();             // and lets go of what was bound
    [[nodiscard]] int run();  // step() of what answers no row, then reset(): SQLITE_OK or the error

    // Columns count from 0 and are valid until the next step() or reset().
    [[nodiscard]] int columns() const { return sqlite3_column_count(stmt_); }
    [[nodiscard]] int type(int at) const { return sqlite3_column_type(stmt_, at); }
    [[nodiscard]] std::int64_t integer(int at) const { return sqlite3_column_int64(stmt_, at); }
    [[nodiscard]] double real(int at) const { return sqlite3_column_double(stmt_, at); }
    [[nodiscard]] std::string_view text(int at) const;
    [[nodiscard]] byte_view blob(int at) const;

private:
    void note(int code);
    sqlite3_stmt* stmt_ = nullptr;
    int failed_ = SQLITE_OK;
};

class connection {
public:
    connection() = default;
    ~connection() { close(); }
    connection(connection const&) = delete;
    connection& operator=(connection const&) = delete;

    [[nodiscard]] int open(std::string const& path, bool create);
    int close();                            // statements of it are gone by then
    [[nodiscard]] int run(char const* sql); // any number of statements, rows are dropped
    [[nodiscard]] statement prepare(
        std::string_view sql, int* code = nullptr);                        // kept for long; empty on an error
    [[nodiscard]] int query_integer(char const* sql, std::int64_t& value); // the first column of the one row
    [[nodiscard]] int query_lines(char const* sql, std::vector<std::string>& lines);

    /// Bytes of the file itself, past every cache, without a second descriptor: closing one would drop the
    /// locks.
    [[nodiscard]] int read_raw(std::span<std::uint8_t> into, std::int64_t from, std::int64_t& file_size);

    [[nodiscard]] std::string message() const { return db_ ? sqlite3_errmsg(db_) : "no connection"; }
    [[nodiscard]] std::int64_t changes() const {
        return sqlite3_changes64(db_);
    } // rows of the last statement
    [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }
    [[nodiscard]] int wal_pages() const { return wal_pages_; } // after the last commit
    [[nodiscard]] int checkpoint(int mode);
    void checkpoint_at_close(bool yes);
    void give_memory_back() { sqlite3_db_release_memory(db_); }

private:
    sqlite3* db_ = nullptr;
    int wal_pages_ = 0;
};

[[nodiscard]] inline int primary(int code) { return code & 0xff; }

} // namespace ccbt::store
