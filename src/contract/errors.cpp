#include "contract/errors.hpp"

#include <array>

namespace ccbt::contract {

namespace {

constexpr std::array rows{
    error_row{errc::bad_request, "BAD_REQUEST", 400},
    error_row{errc::request_timeout, "REQUEST_TIMEOUT", 408},
    error_row{errc::uri_too_long, "URI_TOO_LONG", 414},
    error_row{errc::headers_too_large, "HEADERS_TOO_LARGE", 431},
    error_row{errc::body_too_large, "BODY_TOO_LARGE", 413},
    error_row{errc::unsupported_media_type, "UNSUPPORTED_MEDIA_TYPE", 415},
    error_row{errc::host_not_allowed, "HOST_NOT_ALLOWED", 421},
    error_row{errc::origin_not_allowed, "ORIGIN_NOT_ALLOWED", 403},
    error_row{errc::forbidden_scope, "FORBIDDEN_SCOPE", 403},
    error_row{errc::rate_limited, "RATE_LIMITED", 429},
    error_row{errc::not_found, "NOT_FOUND", 404},
    error_row{errc::method_not_allowed, "METHOD_NOT_ALLOWED", 405},
    error_row{errc::auth_required, "AUTH_REQUIRED", 401},
    error_row{errc::invalid_json, "INVALID_JSON", 400},
    error_row{errc::validation_error, "VALIDATION_ERROR", 400},
    error_row{errc::invalid_info_hash, "INVALID_INFO_HASH", 400},
    error_row{errc::idempotency_conflict, "IDEMPOTENCY_CONFLICT", 422},
    error_row{errc::starting, "STARTING", 503},
    error_row{errc::shutting_down, "SHUTTING_DOWN", 503},
    error_row{errc::state_io_error, "STATE_IO_ERROR", 503},
    error_row{errc::too_many_connections, "TOO_MANY_CONNECTIONS", 503},
    error_row{errc::state_storage_full, "STATE_STORAGE_FULL", 507},
    error_row{errc::internal_error, "INTERNAL_ERROR", 500},
    error_row{errc::torrent_not_found, "TORRENT_NOT_FOUND", 404},
    error_row{errc::add_torrent_error, "ADD_TORRENT_ERROR", 400},
    error_row{errc::add_torrent_forbidden, "ADD_TORRENT_ERROR", 403},
    error_row{errc::add_torrent_timeout, "ADD_TORRENT_TIMEOUT", 408},
    error_row{errc::torrent_exists, "TORRENT_EXISTS", 409},
    error_row{errc::announce_refused, "ANNOUNCE_ERROR", 409},
    error_row{errc::announce_failed, "ANNOUNCE_ERROR", 502},
    error_row{errc::export_forbidden, "EXPORT_ERROR", 403},
    error_row{errc::export_storage_full, "EXPORT_ERROR", 507},
    error_row{errc::import_not_found, "IMPORT_ERROR", 404},
    error_row{errc::import_forbidden, "IMPORT_ERROR", 403},
    error_row{errc::import_unusable, "IMPORT_ERROR", 422},
    error_row{errc::resume_error, "RESUME_ERROR", 400},
    error_row{errc::resume_not_found, "RESUME_ERROR", 404},
    error_row{errc::resume_forbidden, "RESUME_ERROR", 403},
    error_row{errc::remove_failed, "REMOVE_ERROR", 409},
    error_row{errc::file_list_failed, "FILE_LIST_FAILED", 409},
    error_row{errc::file_select_failed, "FILE_SELECT_FAILED", 400},
    error_row{errc::file_deselect_failed, "FILE_DESELECT_FAILED", 400},
    error_row{errc::file_priority_failed, "FILE_PRIORITY_FAILED", 400},
    error_row{errc::file_verify_failed, "FILE_VERIFY_FAILED", 409},
    error_row{errc::queue_add_failed, "QUEUE_ADD_FAILED", 400},
    error_row{errc::queue_not_found, "QUEUE_NOT_FOUND", 404},
    error_row{errc::queue_move_failed, "QUEUE_MOVE_FAILED", 400},
    error_row{errc::nat_discover_failed, "NAT_DISCOVER_FAILED", 404},
    error_row{errc::nat_map_failed, "NAT_MAP_FAILED", 404},
    error_row{errc::nat_unmap_failed, "NAT_UNMAP_FAILED", 404},
    error_row{errc::nat_refresh_failed, "NAT_REFRESH_FAILED", 404},
    error_row{errc::nat_error, "NAT_ERROR", 404},
    error_row{errc::invalid_port, "INVALID_PORT", 400},
    error_row{errc::scrape_failed, "SCRAPE_FAILED", 502},
    error_row{errc::scrape_not_found, "SCRAPE_NOT_FOUND", 404},
    error_row{errc::security_malformed, "SECURITY_ERROR", 400},
    error_row{errc::security_not_found, "SECURITY_ERROR", 404},
    error_row{errc::security_unusable, "SECURITY_ERROR", 422},
    error_row{errc::key_exists, "KEY_EXISTS", 409},
    error_row{errc::key_not_found, "KEY_NOT_FOUND", 404},
    error_row{errc::config_update_failed, "CONFIG_UPDATE_FAILED", 400},
};

// Looked up by position, so the table must stand in the enumeration's order and be whole.
consteval bool in_order() {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (static_cast<std::size_t>(rows[i].code) != i) return false;
    return rows.size() == static_cast<std::size_t>(errc::last_) + 1;
}
static_assert(in_order());

} // namespace

error_row const& row_of(errc code) { return rows[static_cast<std::size_t>(code)]; }

} // namespace ccbt::contract
