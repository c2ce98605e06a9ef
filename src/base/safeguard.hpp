// The safeguards whose loss a test must notice, by name. Any thread. In every build that is shipped a safeguard is
// constantly in force and the question is compiled out; in the test build of the preset "mutants" (CCBT_MUTANTS) the
// environment variable CCBT_MUTANT names one that is switched off. Knows nothing of what they guard.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace ccbt {

enum class safeguard : std::uint8_t {
    answer_after_commit,     // P1: a change is answered when it is committed
    synchronous_full,        // P1: a commit is synced before it is told of
    directory_fsync,         // P1: a new or renamed file's folder is synced
    payload_fsync,           // P4: files are synced before resume data claims their pieces
    recorded_removal,        // P2: what is to be deleted is recorded before the first file goes
    read_only_after_failure, // P1: after a failed write or fsync nothing is taken until a restart
    newer_refused,           // P5: a store of a newer version is left alone
    backup_before_migration, // P5
    lock_by_flock,           // P6: else by what daemon.pid says
    root_marker,             // P3: a folder without its marker is offline
    count
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(safeguard::count)> safeguard_names{
    "answer_after_commit", "synchronous_full",        "directory_fsync",
    "payload_fsync",       "recorded_removal",        "read_only_after_failure",
    "newer_refused",       "backup_before_migration", "lock_by_flock",
    "root_marker"};

#ifdef CCBT_MUTANTS
inline constexpr bool has_mutants = true;
/// The name in CCBT_MUTANT, or empty.
inline std::string_view switched_off() {
    static auto const* const name = std::getenv("CCBT_MUTANT");
    return name != nullptr ? name : "";
}
inline bool in_force(safeguard which) {
    return switched_off() != safeguard_names[static_cast<std::size_t>(which)];
}
#else
inline constexpr bool has_mutants = false;
constexpr std::string_view switched_off() { return {}; }
constexpr bool in_force(safeguard) { return true; }
#endif

/// Asked at the start: a name that is none switches nothing off and would be believed to.
inline bool switches_off_what_is_not_there() {
    auto const name = switched_off();
    return !name.empty() &&
           std::find(safeguard_names.begin(), safeguard_names.end(), name) == safeguard_names.end();
}

} // namespace ccbt
