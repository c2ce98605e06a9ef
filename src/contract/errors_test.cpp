#include "contract/errors.hpp"

#include <gtest/gtest.h>
#include <regex>
#include <set>

namespace {

using ccbt::contract::errc;
using ccbt::contract::error_row;
using ccbt::contract::row_of;

std::vector<error_row> rows() {
    std::vector<error_row> out;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(errc::last_); ++i)
        out.push_back(row_of(static_cast<errc>(i)));
    return out;
}

TEST(errors, every_error_has_its_own_row) {
    auto const all = rows();
    for (std::size_t i = 0; i < all.size(); ++i)
        EXPECT_EQ(static_cast<std::size_t>(all[i].code), i) << all[i].name;
    EXPECT_EQ(all.back().name, "CONFIG_UPDATE_FAILED");
}

TEST(errors, names_on_the_wire_are_capitals_and_statuses_are_errors) {
    for (auto const& row : rows()) {
        EXPECT_TRUE(std::regex_match(std::string{row.name}, std::regex{"[A-Z]+(_[A-Z]+)*"})) << row.name;
        EXPECT_GE(row.status, 400) << row.name;
        EXPECT_LE(row.status, 507) << row.name;
    }
}

TEST(errors, no_two_rows_say_the_same) {
    std::set<std::pair<std::string_view, int>> seen;
    for (auto const& row : rows()) EXPECT_TRUE(seen.insert({row.name, row.status}).second) << row.name;
}

TEST(errors, codes_of_the_contract_have_its_statuses) {
    struct promised {
        errc code;
        std::string_view name;
        int status;
    };
    for (auto const& [code, name, status] : std::initializer_list<promised>{
             {errc::auth_required, "AUTH_REQUIRED", 401},
             {errc::forbidden_scope, "FORBIDDEN_SCOPE", 403},
             {errc::origin_not_allowed, "ORIGIN_NOT_ALLOWED", 403},
             {errc::host_not_allowed, "HOST_NOT_ALLOWED", 421},
             {errc::not_found, "NOT_FOUND", 404},
             {errc::method_not_allowed, "METHOD_NOT_ALLOWED", 405},
             {errc::body_too_large, "BODY_TOO_LARGE", 413},
             {errc::unsupported_media_type, "UNSUPPORTED_MEDIA_TYPE", 415},
             {errc::rate_limited, "RATE_LIMITED", 429},
             {errc::headers_too_large, "HEADERS_TOO_LARGE", 431},
             {errc::uri_too_long, "URI_TOO_LONG", 414},
             {errc::request_timeout, "REQUEST_TIMEOUT", 408},
             {errc::bad_request, "BAD_REQUEST", 400},
             {errc::invalid_json, "INVALID_JSON", 400},
             {errc::validation_error, "VALIDATION_ERROR", 400},
             {errc::invalid_info_hash, "INVALID_INFO_HASH", 400},
             {errc::idempotency_conflict, "IDEMPOTENCY_CONFLICT", 422},
             {errc::starting, "STARTING", 503},
             {errc::shutting_down, "SHUTTING_DOWN", 503},
             {errc::state_io_error, "STATE_IO_ERROR", 503},
             {errc::too_many_connections, "TOO_MANY_CONNECTIONS", 503},
             {errc::state_storage_full, "STATE_STORAGE_FULL", 507},
             {errc::internal_error, "INTERNAL_ERROR", 500},
             {errc::torrent_not_found, "TORRENT_NOT_FOUND", 404},
             {errc::add_torrent_error, "ADD_TORRENT_ERROR", 400},
             {errc::add_torrent_forbidden, "ADD_TORRENT_ERROR", 403},
             {errc::add_torrent_timeout, "ADD_TORRENT_TIMEOUT", 408},
             {errc::torrent_exists, "TORRENT_EXISTS", 409},
             {errc::announce_refused, "ANNOUNCE_ERROR", 409},
             {errc::announce_failed, "ANNOUNCE_ERROR", 502},
             {errc::import_unusable, "IMPORT_ERROR", 422},
             {errc::resume_not_found, "RESUME_ERROR", 404},
             {errc::file_list_failed, "FILE_LIST_FAILED", 409},
             {errc::queue_not_found, "QUEUE_NOT_FOUND", 404},
             {errc::nat_map_failed, "NAT_MAP_FAILED", 404},
             {errc::invalid_port, "INVALID_PORT", 400},
             {errc::scrape_failed, "SCRAPE_FAILED", 502},
             {errc::scrape_not_found, "SCRAPE_NOT_FOUND", 404},
             {errc::security_unusable, "SECURITY_ERROR", 422},
             {errc::config_update_failed, "CONFIG_UPDATE_FAILED", 400}}) {
        EXPECT_EQ(row_of(code).name, name);
        EXPECT_EQ(row_of(code).status, status) << name;
    }
}

TEST(errors, a_failure_gathers_what_helps) {
    auto const failure = ccbt::contract::failure{errc::torrent_exists, "it is here", {}}
                             .with("info_hash", std::string{"ab"})
                             .with("count", std::int64_t{3});
    ASSERT_EQ(failure.details.size(), 2U);
    EXPECT_EQ(failure.details[0].name, "info_hash");
    EXPECT_EQ(std::get<std::int64_t>(failure.details[1].value), 3);
    ccbt::contract::result<int> const answer = ccbt::contract::fails(errc::not_found, "no such thing");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, errc::not_found);
}

} // namespace
