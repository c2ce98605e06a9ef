// The queue: which torrents run at once, in which order they get their turn.
#pragma once

#include "contract/session.hpp"
#include "contract/torrents.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ccbt::contract {

struct get_queue {
    static constexpr promise route{
        .name = "queue.get",
        .method = verb::get,
        .path = "/queue",
        .needs = scope::read,
        .summary = "The torrents of the queue, in their order, and what they do",
        .command = "queue"};
    using request = asks_nothing<get_queue>;

    struct entry {
        std::string info_hash;
        std::int64_t queue_position = 0;
        queue_priority priority = queue_priority::normal;
        torrent_state status = torrent_state::queued;
        double allocated_down_kib = 0, allocated_up_kib = 0;
        static constexpr auto fields = described_as{
            field<&entry::info_hash>{"The torrent"},
            field<&entry::queue_position>{"Its place, from 0", {.min = 0}},
            field<&entry::priority>{"A higher one goes before any lower one, whatever its place"},
            field<&entry::status>{"As in its row; queued: it waits for its turn"},
            field<&entry::allocated_down_kib>{
                "The limit in force of what it receives, KiB/s; 0: none", {.min = 0, .format = "float"}},
            field<&entry::allocated_up_kib>{
                "The limit in force of what it sends, KiB/s; 0: none", {.min = 0, .format = "float"}}};
    };
    struct priorities {
        std::int64_t paused = 0, low = 0, normal = 0, high = 0, maximum = 0;
        static constexpr auto fields = described_as{
            field<&priorities::paused>{"Torrents of that priority", {.min = 0}},
            field<&priorities::low>{"Torrents of that priority", {.min = 0}},
            field<&priorities::normal>{"Torrents of that priority", {.min = 0}},
            field<&priorities::high>{"Torrents of that priority", {.min = 0}},
            field<&priorities::maximum>{"Torrents of that priority", {.min = 0}}};
    };
    struct numbers {
        std::int64_t total_torrents = 0, active_downloading = 0, active_seeding = 0, queued = 0, paused = 0;
        priorities by_priority;
        static constexpr auto fields = described_as{
            field<&numbers::total_torrents>{
                "In the queue: the four below, and those that an error stopped", {.min = 0}},
            field<&numbers::active_downloading>{
                "That download, look for their metadata or are being checked", {.min = 0}},
            field<&numbers::active_seeding>{"That seed", {.min = 0}},
            field<&numbers::queued>{"That wait for their turn", {.min = 0}},
            field<&numbers::paused>{"That are paused, by a user or by the priority paused", {.min = 0}},
            field<&numbers::by_priority>{"How many have which priority"}};
    };
    struct response {
        std::vector<entry> entries;
        numbers statistics;
        static constexpr auto fields = described_as{
            field<&response::entries>{"By place"}, field<&response::statistics>{"How many do what"}};
    };
};

/// An answer that says what was done to which torrent.
template <class Endpoint> struct done_to_a_torrent {
    std::string status;
    std::string info_hash;
    static constexpr auto fields = described_as{
        field<&done_to_a_torrent::status>{"What was done"},
        field<&done_to_a_torrent::info_hash>{"The torrent"}};
};

struct add_to_queue {
    static constexpr promise route{
        .name = "queue.add",
        .method = verb::post,
        .path = "/queue/add",
        .needs = scope::control,
        .summary = "Give a torrent a priority; one that is not in the queue is put back, at its end",
        .command = "queue add",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash, errc::queue_add_failed}};
    struct request {
        contract::info_hash info_hash;
        queue_priority priority = queue_priority::normal;
        static constexpr auto fields = described_as{
            field<&request::info_hash>{"The torrent", {.required = true, .positional = true}},
            field<&request::priority>{
                "paused, low, normal, high or maximum; paused stops it", {.required = true}}};
    };
    using response = done_to_a_torrent<add_to_queue>; // "added"
};

struct remove_from_queue {
    static constexpr promise route{
        .name = "queue.remove",
        .method = verb::del,
        .path = "/queue/{info_hash}",
        .needs = scope::control,
        .summary = "Take a torrent out of the queue: it is neither started nor stopped by it any more",
        .command = "queue remove",
        .errors = {errc::queue_not_found, errc::invalid_info_hash}};
    using request = names_a_torrent<remove_from_queue>;
    using response = done_to_a_torrent<remove_from_queue>; // "removed"
};

struct move_in_queue {
    static constexpr promise route{
        .name = "queue.move",
        .method = verb::post,
        .path = "/queue/{info_hash}/move",
        .needs = scope::control,
        .summary = "Move a torrent to another place of the queue, counted from 0",
        .command = "queue move",
        .errors = {errc::queue_not_found, errc::invalid_info_hash, errc::queue_move_failed}};
    struct request {
        contract::info_hash info_hash;
        std::int64_t new_position = 0;
        static constexpr auto fields = described_as{
            field<&request::info_hash>{
                "The torrent", {.required = true, .in = place::path, .positional = true}},
            field<&request::new_position>{
                "Its place, from 0 to one less than there are in the queue",
                {.required = true, .min = 0, .word = "position", .positional = true}}};
    };
    struct response {
        std::string status;
        std::string info_hash;
        std::int64_t new_position = 0;
        static constexpr auto fields = described_as{
            field<&response::status>{"What was done"}, field<&response::info_hash>{"The torrent"},
            field<&response::new_position>{"Its place now", {.min = 0}}};
    };
};

struct clear_queue {
    static constexpr promise route{
        .name = "queue.clear",
        .method = verb::post,
        .path = "/queue/clear",
        .needs = scope::control,
        .summary = "Take every torrent out of the queue",
        .command = "queue clear"};
    using request = asks_nothing<clear_queue>;
    using response = done; // "cleared"
};

struct pause_in_queue {
    static constexpr promise route{
        .name = "queue.pause",
        .method = verb::post,
        .path = "/queue/{info_hash}/pause",
        .needs = scope::control,
        .summary = "Stop a torrent; it keeps its place",
        .command = "queue pause",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash},
        .event = "torrent_status_changed"};
    using request = names_a_torrent<pause_in_queue>;
    using response = done_to_a_torrent<pause_in_queue>; // "paused"
};

struct resume_in_queue {
    static constexpr promise route{
        .name = "queue.resume",
        .method = verb::post,
        .path = "/queue/{info_hash}/resume",
        .needs = scope::control,
        .summary = "Let a paused torrent go on, when it is its turn",
        .command = "queue resume",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash},
        .event = "torrent_status_changed"};
    using request = names_a_torrent<resume_in_queue>;
    using response = done_to_a_torrent<resume_in_queue>; // "resumed"
};

using queue_endpoints = endpoint_list<
    get_queue, add_to_queue, remove_from_queue, move_in_queue, clear_queue, pause_in_queue, resume_in_queue>;

} // namespace ccbt::contract
