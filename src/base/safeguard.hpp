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
    // Durability.
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
    // The door's, and those of what comes in through it.
    host_check,             // DNS rebinding: a Host that is not ours
    origin_check,           // another page's requests, and its WebSockets
    content_type_check,     // a form that a browser sends without asking
    target_host_counts,     // http://host/path: that host, not the header
    random_first_key,       // 32 random bytes, nobody's default
    key_compared_whole,     // the beginning of a key is none
    pinned_signatures_only, // a key that the caller brings signs nothing
    signature_covers_body,
    signature_once,            // no replay
    signature_no_fall_through, // a wrong signature is not mended by a key
    scopes_by_route,
    revoked_key_refused, // on what is open, too
    masked_secrets,      // in URLs of the configuration, as it is shown
    masked_log,          // passkeys, in logs, events and errors
    failed_key_slowdown,
    valid_key_passes_slowdown,
    unix_peer_uid, // by the kernel's word
    forwarded_is_not_own_user,
    trusted_proxy_only, // X-Forwarded-For of others is nobody's word
    tls_fail_closed,
    tls_min_version,      // 1.2
    certificate_pinned,   // by our own tool
    inherited_bind_check, // a service manager's socket
    insecure_bind_refused,
    header_deadline_absolute, // no byte sets it back
    handshake_deadline,       // of TLS
    body_deadline,
    body_limit_before_read,
    framed_two_ways, // smuggling
    header_limits,
    per_source_limit, // of connections
    total_connection_limit,
    ws_queue_bound, // what waits for a client that does not read
    ws_message_limit,
    ws_client_limit,
    json_depth_limit,
    json_element_limit,
    confined_output_dir,
    confined_export,
    confined_import,
    delete_only_own_files, // none that another torrent names
    stale_socket_only,     // nothing else is unlinked for a socket
    limits_for_admins,
    added_limits,        // of what a torrent or magnet brings
    state_file_pace,     // exports and imports a minute
    filter_ratio_cap,    // decompression bombs
    state_modes,         // 0600, 0700
    resume_hash_checked, // what a checkpoint or export claims
    count
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(safeguard::count)> safeguard_names{
    "answer_after_commit",
    "synchronous_full",
    "directory_fsync",
    "payload_fsync",
    "recorded_removal",
    "read_only_after_failure",
    "newer_refused",
    "backup_before_migration",
    "lock_by_flock",
    "root_marker",
    "host_check",
    "origin_check",
    "content_type_check",
    "target_host_counts",
    "random_first_key",
    "key_compared_whole",
    "pinned_signatures_only",
    "signature_covers_body",
    "signature_once",
    "signature_no_fall_through",
    "scopes_by_route",
    "revoked_key_refused",
    "masked_secrets",
    "masked_log",
    "failed_key_slowdown",
    "valid_key_passes_slowdown",
    "unix_peer_uid",
    "forwarded_is_not_own_user",
    "trusted_proxy_only",
    "tls_fail_closed",
    "tls_min_version",
    "certificate_pinned",
    "inherited_bind_check",
    "insecure_bind_refused",
    "header_deadline_absolute",
    "handshake_deadline",
    "body_deadline",
    "body_limit_before_read",
    "framed_two_ways",
    "header_limits",
    "per_source_limit",
    "total_connection_limit",
    "ws_queue_bound",
    "ws_message_limit",
    "ws_client_limit",
    "json_depth_limit",
    "json_element_limit",
    "confined_output_dir",
    "confined_export",
    "confined_import",
    "delete_only_own_files",
    "stale_socket_only",
    "limits_for_admins",
    "added_limits",
    "state_file_pace",
    "filter_ratio_cap",
    "state_modes",
    "resume_hash_checked"};

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
