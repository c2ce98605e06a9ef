// A daemon's state as a file, out and in; and one torrent's checkpoint, in the form of the Python daemon, by which the
// two daemons hand torrents to each other.
#pragma once

#include "contract/torrents.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ccbt::contract {

struct export_state {
    static constexpr promise route{
        .name = "torrents.export_state",
        .method = verb::post,
        .path = "/torrents/export-state",
        .needs = scope::files,
        .summary = "Write everything that the daemon knows into a file",
        .command = "export",
        .errors = {errc::export_forbidden, errc::export_storage_full, errc::rate_limited}};
    struct request {
        std::optional<std::string> path;
        static constexpr auto fields = described_as{field<&request::path>{
            "The file, within daemon.export_dir; default: a new name there",
            {.max_length = 4096, .format = "path", .positional = true}}};
    };
    struct response {
        bool exported = true;
        std::string path;
        std::int64_t torrents = 0;
        std::int64_t bytes = 0;
        static constexpr auto fields = described_as{
            field<&response::exported>{"true"}, field<&response::path>{"The file"},
            field<&response::torrents>{"How many torrents are in it (+)", {.min = 0}},
            field<&response::bytes>{"Its size (+)", {.min = 0}}};
    };
};

struct import_state {
    static constexpr promise route{
        .name = "torrents.import_state",
        .method = verb::post,
        .path = "/torrents/import-state",
        .needs = scope::files,
        .summary = "Take back what an export wrote; torrents that are here already are left alone",
        .command = "import",
        .errors = {errc::import_not_found, errc::import_forbidden, errc::import_unusable, errc::rate_limited},
        .event = "torrent_added"};
    struct request {
        std::string path;
        static constexpr auto fields = described_as{field<&request::path>{
            "The file, within daemon.export_dir or disk.allowed_paths",
            {.required = true, .max_length = 4096, .format = "path", .positional = true}}};
    };
    struct restored {
        std::string version = "1.0";
        json_text torrents{"{}"};
        static constexpr auto fields = described_as{
            field<&restored::version>{"Of this form"},
            field<&restored::torrents>{"The rows of the file's torrents, by info-hash"}};
    };
    struct not_restored {
        std::string info_hash;
        std::string error;
        static constexpr auto fields = described_as{
            field<&not_restored::info_hash>{"The torrent"},
            field<&not_restored::error>{"Why it could not be added"}};
    };
    struct response {
        restored state;
        std::int64_t imported = 0;
        std::int64_t skipped = 0;
        std::vector<not_restored> failed;
        static constexpr auto fields = described_as{
            field<&response::state>{"What of the file is here now"},
            field<&response::imported>{"Torrents added (+)", {.min = 0}},
            field<&response::skipped>{"Torrents that were here already (+)", {.min = 0}},
            field<&response::failed>{"Torrents that could not be added (+)"}};
    };
};

/// The Python daemon's checkpoint of one torrent, version "1.0". Members of its that mean nothing here are left out.
struct checkpoint {
    struct stats {
        std::int64_t bytes_downloaded = 0;
        double download_time = 0;
        double average_speed = 0;
        double start_time = 0;
        double last_update = 0;
        static constexpr auto fields = described_as{
            field<&stats::bytes_downloaded>{"Payload bytes of all time", {.min = 0, .max = 9e15}},
            field<&stats::download_time>{"Seconds since it was added", {.min = 0}},
            field<&stats::average_speed>{"Bytes a second over that time", {.min = 0}},
            field<&stats::start_time>{"When it was added, Unix seconds"},
            field<&stats::last_update>{"When this was written, Unix seconds"}};
    };
    struct file {
        std::string path;
        std::int64_t size = 0;
        bool exists = false;
        static constexpr auto fields = described_as{
            field<&file::path>{"Its path below output_dir"}, field<&file::size>{"Bytes", {.min = 0}},
            field<&file::exists>{"It is on the disk"}};
    };

    std::string version = "1.0";
    std::string info_hash;
    std::string torrent_name;
    double created_at = 0;
    double updated_at = 0;
    std::int64_t total_pieces = 0;
    std::int64_t piece_length = 0;
    std::int64_t total_length = 0;
    std::vector<std::int64_t> verified_pieces;
    json_text piece_states{"{}"};
    stats download_stats;
    std::string output_dir;
    std::vector<file> files;
    std::optional<std::string> torrent_file_path;
    std::optional<std::string> magnet_uri;
    std::vector<std::string> announce_urls;
    std::optional<std::string> display_name;
    json_text file_selections{};

    static constexpr auto fields = described_as{
        field<&checkpoint::version>{"\"1.0\"", {.max_length = 16}},
        field<&checkpoint::info_hash>{"The info-hash, hex", {.max_length = 64}},
        field<&checkpoint::torrent_name>{"Its name"},
        field<&checkpoint::created_at>{"When the torrent was added, Unix seconds"},
        field<&checkpoint::updated_at>{"When this was written, Unix seconds"},
        field<&checkpoint::total_pieces>{
            "How many pieces; 0 without metadata", {.min = 0, .max = 16'777'216}},
        field<&checkpoint::piece_length>{"Bytes of a piece but the last", {.min = 0, .max = 2'147'483'647}},
        field<&checkpoint::total_length>{"Bytes in all files", {.min = 0, .max = 9e15}},
        field<&checkpoint::verified_pieces>{
            "Indices of the pieces that are here", {.min = 0, .max = 16'777'215, .max_items = 16'777'216}},
        field<&checkpoint::piece_states>{"\"verified\" by index, for the same pieces"},
        field<&checkpoint::download_stats>{"How the download went"},
        field<&checkpoint::output_dir>{"The folder that its files are in", {.max_length = 4096}},
        field<&checkpoint::files>{"Its files", {.max_items = 4'000'000}},
        field<&checkpoint::torrent_file_path>{"Its .torrent file, where one is kept", {.max_length = 4096}},
        field<&checkpoint::magnet_uri>{"A magnet link to it"},
        field<&checkpoint::announce_urls>{"Its trackers", {.max_length = 4096}},
        field<&checkpoint::display_name>{"What to show"},
        field<&checkpoint::file_selections>{
            "By file index: {selected, priority, bytes_downloaded}; null: all files are wanted"}};
};

struct resume_checkpoint {
    static constexpr promise route{
        .name = "torrents.resume_checkpoint",
        .method = verb::post,
        .path = "/torrents/resume-checkpoint",
        .needs = scope::add,
        .summary = "Go on with a torrent from a checkpoint; its pieces are hashed before they are believed",
        .command = "resume-checkpoint",
        .errors =
            {errc::invalid_info_hash, errc::resume_error, errc::resume_not_found, errc::resume_forbidden,
             errc::state_storage_full},
        .event = "torrent_added",
        .max_body = std::size_t{64} << 20};
    struct request {
        contract::info_hash info_hash;
        json_text checkpoint;
        std::optional<std::string> torrent_path;
        static constexpr auto fields = described_as{
            field<&request::info_hash>{"The torrent that the checkpoint is of", {.required = true}},
            field<&request::checkpoint>{
                "The checkpoint, an object", {.required = true, .max_items = 2'000'000, .positional = true}},
            field<&request::torrent_path>{
                "Its .torrent file; default: the checkpoint's torrent_file_path, else its magnet_uri, else what the "
                "daemon has of it",
                {.max_length = 4096, .format = "path", .word = "torrent"}}};
    };
    struct response {
        std::string info_hash;
        static constexpr auto fields = described_as{field<&response::info_hash>{"Its info-hash"}};
    };
};

struct get_checkpoint {
    static constexpr promise route{
        .name = "torrents.checkpoint",
        .method = verb::get,
        .path = "/torrents/{info_hash}/checkpoint",
        .needs = scope::read,
        .summary = "A torrent's checkpoint, for another daemon to go on from (+)",
        .command = "checkpoint",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash}};
    using request = names_a_torrent<get_checkpoint>;
    using response = contract::checkpoint;
};

using backup_endpoints = endpoint_list<export_state, import_state, resume_checkpoint, get_checkpoint>;

} // namespace ccbt::contract
