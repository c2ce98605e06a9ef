// The one table of errors. An errc is what our code means; the table alone knows the code on the wire and the HTTP
// status. Several errc may share a wire code where the contract gives one code several statuses.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ccbt::contract {

enum class errc : std::uint8_t {
    // the door
    bad_request,
    request_timeout,
    uri_too_long,
    headers_too_large,
    body_too_large,
    unsupported_media_type,
    host_not_allowed,
    origin_not_allowed,
    forbidden_scope,
    rate_limited,
    not_found,
    method_not_allowed,
    auth_required,
    invalid_json,
    validation_error,
    invalid_info_hash,
    idempotency_conflict,
    starting,
    shutting_down,
    state_io_error,
    too_many_connections,
    state_storage_full,
    internal_error,
    // torrents
    torrent_not_found,
    add_torrent_error,
    add_torrent_forbidden,
    add_torrent_timeout,
    torrent_exists,
    announce_refused,
    announce_failed,
    export_forbidden,
    export_storage_full,
    import_not_found,
    import_forbidden,
    import_unusable,
    resume_error,
    resume_not_found,
    resume_forbidden,
    remove_failed,
    // content
    file_list_failed,
    file_select_failed,
    file_deselect_failed,
    file_priority_failed,
    file_verify_failed,
    // queue
    queue_add_failed,
    queue_not_found,
    queue_move_failed,
    // nat
    nat_discover_failed,
    nat_map_failed,
    nat_unmap_failed,
    nat_refresh_failed,
    nat_error,
    invalid_port,
    // scrape
    scrape_failed,
    scrape_not_found,
    // security
    security_malformed,
    security_not_found,
    security_unusable,
    // keys
    key_exists,
    key_not_found,
    // config
    config_update_failed,
    last_ = config_update_failed
};

struct error_row {
    errc code;
    std::string_view name; // on the wire
    int status;            // HTTP
};
[[nodiscard]] error_row const& row_of(errc code);

/// One thing wrong with one field of a request.
struct problem {
    std::string field; // "limits.global_down_kib", "torrents[3].labels"
    std::string message;
    bool operator==(problem const&) const = default;
};

struct detail {
    using value_type =
        std::variant<std::string, std::int64_t, bool, std::vector<problem>, std::vector<std::string>>;
    std::string name;
    value_type value;
};

/// An error as an answer: for people, for programs, and what helps to mend it. Never a path, secret or stack
/// where the status is 5xx.
struct failure {
    errc code = errc::internal_error;
    std::string message;
    std::vector<detail> details{};

    failure&& with(std::string name, detail::value_type value) && {
        details.push_back({std::move(name), std::move(value)});
        return std::move(*this);
    }
};

template <class T> using result = expected<T, failure>;

[[nodiscard]] inline unexpected<failure> fails(
    errc code, std::string message, std::vector<detail> details = {}) {
    return unexpected<failure>{failure{code, std::move(message), std::move(details)}};
}

} // namespace ccbt::contract
