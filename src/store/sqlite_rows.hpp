// Rows with a checksum: what is bound is summed as it is bound, what is read is summed as it is read, so that
// the two cannot fall apart. The checksum is the last column, the first eight bytes of a SHA-256 over the
// table's name and every value with its type. One thread at a time.
#pragma once

#include "contract/types.hpp"
#include "store/sqlite_connection.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::store {

class row_checksum {
public:
    row_checksum();
    ~row_checksum();
    row_checksum(row_checksum const&) = delete;
    row_checksum& operator=(row_checksum const&) = delete;

    void begin(std::string_view table);
    void add_null();
    void add(std::int64_t value);
    void add(double value);
    void add_text(std::string_view value);
    void add_blob(byte_view value);
    [[nodiscard]] std::int64_t finish();

private:
    void add(char type, void const* data, std::size_t size);
    struct digest;
    std::unique_ptr<digest> digest_;
};

using id_bytes = std::array<std::uint8_t, 16>;
[[nodiscard]] id_bytes to_bytes(contract::torrent_id id);
[[nodiscard]] contract::torrent_id to_id(byte_view bytes); // 16 of them; else the zero id

/// Binds the values of one row in order, then the checksum.
class row_writer {
public:
    row_writer(statement& into, row_checksum& sum, std::string_view table) : into_{into}, sum_{sum} {
        sum_.begin(table);
    }
    row_writer& null();
    row_writer& integer(std::int64_t value);
    row_writer& real(double value); // NaN, which SQLite has not, becomes 0
    row_writer& text(std::string_view value);
    row_writer& blob(byte_view value);
    row_writer& id(contract::torrent_id value);
    row_writer& hash(contract::info_hash const& value); // null where there is none
    /// Binds the checksum, then `row` where it is not 0, and runs.
    [[nodiscard]] int run(std::int64_t row = 0);

private:
    statement& into_;
    row_checksum& sum_;
    std::array<id_bytes, 2> ids_{}; // what is bound outlives the run; no row has more ids
    std::size_t ids_used_ = 0;
    int at_ = 1;
};

/// Is the row that the statement stands on what was written? Columns [first, last) are the values, `last` the
/// checksum.
[[nodiscard]] bool intact(statement const& at, row_checksum& sum, std::string_view table, int first);

// Lists of strings in one blob: each with its length before it, four bytes, little-endian.
[[nodiscard]] std::vector<std::uint8_t> pack(std::vector<std::string> const& strings);
[[nodiscard]] bool unpack(byte_view packed, std::vector<std::string>& strings);

[[nodiscard]] inline byte_view bytes_of(std::string_view text) {
    return {reinterpret_cast<std::uint8_t const*>(text.data()), text.size()};
}

} // namespace ccbt::store
