// The same to many torrents: one request, one commit for all of them, each with its own outcome. A torrent that is named
// twice is done once and answered twice, alike.
#pragma once

#include "contract/torrents.hpp"

namespace ccbt::contract {

inline constexpr std::size_t most_in_a_batch = 1000;

struct batch_result {
    std::optional<std::string> info_hash;
    bool success = false;
    std::optional<std::string> error, code;
    static constexpr auto fields = described_as{
        field<&batch_result::info_hash>{"The torrent; null where it could not be read"},
        field<&batch_result::success>{"Was it done"},
        field<&batch_result::error>{"Why not, for people; else null"},
        field<&batch_result::code>{
            "Why not, for programs: the code that the single route answers; else null"}};
};
struct batch_answer {
    std::vector<batch_result> results;
    static constexpr auto fields =
        described_as{field<&batch_answer::results>{"One for each that was asked for, in that order"}};
};

struct batch_add {
    static constexpr promise route{
        .name = "torrents.batch_add",
        .method = verb::post,
        .path = "/torrents/batch/add",
        .needs = scope::add,
        .summary = "Add many torrents at once (+)",
        .errors = {errc::state_storage_full},
        .event = "torrent_added",
        .max_body = std::size_t{64} << 20};
    struct request {
        std::vector<add_torrent::request> torrents;
        static constexpr auto fields = described_as{field<&request::torrents>{
            "What POST /torrents/add takes, for each", {.required = true, .max_items = most_in_a_batch}}};
    };
    using response = batch_answer;
};

/// The request of those that name torrents and nothing else.
template <class Endpoint> struct names_torrents {
    std::vector<std::string> info_hashes;
    static constexpr auto fields = described_as{field<&names_torrents::info_hashes>{
        "The torrents", {.required = true, .max_length = 64, .max_items = most_in_a_batch}}};
};

struct batch_pause {
    static constexpr promise route{
        .name = "torrents.batch_pause",
        .method = verb::post,
        .path = "/torrents/batch/pause",
        .needs = scope::control,
        .summary = "Pause many torrents at once (+)",
        .errors = {errc::state_storage_full},
        .event = "torrent_status_changed"};
    using request = names_torrents<batch_pause>;
    using response = batch_answer;
};

struct batch_resume {
    static constexpr promise route{
        .name = "torrents.batch_resume",
        .method = verb::post,
        .path = "/torrents/batch/resume",
        .needs = scope::control,
        .summary = "Resume many torrents at once (+)",
        .errors = {errc::state_storage_full},
        .event = "torrent_status_changed"};
    using request = names_torrents<batch_resume>;
    using response = batch_answer;
};

struct batch_remove {
    static constexpr promise route{
        .name = "torrents.batch_remove",
        .method = verb::post,
        .path = "/torrents/batch/remove",
        .needs = scope::remove,
        .summary = "Remove many torrents at once, and their files where asked (+)",
        .errors = {errc::state_storage_full},
        .event = "torrent_removed"};
    struct request {
        std::vector<std::string> info_hashes;
        bool remove_data = false;
        static constexpr auto fields = described_as{
            field<&request::info_hashes>{
                "The torrents", {.required = true, .max_length = 64, .max_items = most_in_a_batch}},
            field<&request::remove_data>{"Also delete their files; the answer comes when they are gone"}};
    };
    using response = batch_answer;
};

using batch_endpoints = endpoint_list<batch_add, batch_pause, batch_resume, batch_remove>;

} // namespace ccbt::contract
