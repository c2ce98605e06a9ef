// The rows of a database file, read page by page without SQLite, so that damage to one page costs that page: the
// tables' trees as far as they hold together, and the leaves that nothing leads to any more. Nothing that the file
// says is trusted. Reads only. One thread at a time; knows no table.
#pragma once

#include "store/sqlite_wal.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace ccbt::store {

struct blob_value {
    std::string bytes;
};
using stored_value = std::variant<std::monostate, std::int64_t, double, std::string, blob_value>;

struct stored_row {
    std::int64_t row = 0;             // its number
    std::vector<stored_value> values; // empty where they could not be read
};

class page_file {
public:
    using take_row = std::function<void(stored_row)>;
    using progress = std::function<void(std::uint32_t done, std::uint32_t of)>;

    page_file(std::filesystem::path const& database, wal_view log, std::uint32_t page_size);

    /// First pages of the tables, by their names, as far as they can be read.
    [[nodiscard]] std::map<std::string, std::uint32_t> tables();
    /// Every row below `root`. False: pages of it could not be read.
    [[nodiscard]] bool walk(std::uint32_t root, take_row const& take);
    /// Rows of the leaves that no walk came to and that are not given back as free.
    void scan_rest(take_row const& take, progress const& tell);

private:
    using page = std::vector<std::uint8_t>;
    [[nodiscard]] bool read(std::uint32_t number, page& into);
    [[nodiscard]] bool leaf_rows(page const& at, std::size_t head, take_row const& take);
    [[nodiscard]] std::optional<std::string> payload_at(page const& at, std::size_t from, std::uint64_t size);
    void mark_free();

    std::ifstream file_;
    std::int64_t file_size_ = 0;
    wal_view log_;
    std::ifstream log_file_;
    std::uint32_t page_size_, usable_, pages_ = 0;
    std::vector<bool> visited_;
};

/// The values of a record as SQLite writes them.
[[nodiscard]] std::optional<std::vector<stored_value>> decode_record(std::string const& payload);

} // namespace ccbt::store
