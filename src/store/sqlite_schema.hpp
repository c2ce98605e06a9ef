// The database file: making it, judging it before a byte of it is written, bringing an older version up with
// a backup. Knows the tables' shapes, not what stands in them. Called while the store opens, before its
// thread runs.
#pragma once

#include "store/open_failure.hpp"
#include "store/sqlite_connection.hpp"

#include <filesystem>
#include <optional>
#include <span>

namespace ccbt::store {

struct migration { // from one version to the next
    int from;
    char const* sql;
};

struct schema {
    int version;
    char const* create;
    std::span<migration const> steps; // every version from the oldest that still opens
};
[[nodiscard]] schema const& current_schema();

/// Makes a database beside its place and puts it there whole, so that a crash leaves it or nothing.
[[nodiscard]] std::optional<open_failure> create_database(
    std::filesystem::path const& file, schema const& as);

/// Opens what is there, alone and ready for durable commits. `clean`: the last run closed it; then the structure of
/// what is loaded at the start has been checked, else that of the whole file and its log. A file that is refused is
/// left as it was.
[[nodiscard]] std::optional<open_failure> open_database(
    connection& on, std::filesystem::path const& file, schema const& as, bool& clean);

/// So that a name made or changed in it survives a power cut.
[[nodiscard]] bool sync_directory(std::filesystem::path const& directory);

} // namespace ccbt::store
