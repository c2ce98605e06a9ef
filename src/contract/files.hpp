// The files of a torrent: which there are, which are wanted and how much, and whether what lies on the disk is right.
#pragma once

#include "contract/torrents.hpp"

namespace ccbt::contract {

/// Its values are the levels that libtorrent knows and the store keeps.
enum class file_priority : std::uint8_t { do_not_download = 0, low = 1, normal = 4, high = 6, maximum = 7 };
template <> inline constexpr auto names_of<file_priority> = std::array{
    std::pair{file_priority::do_not_download, std::string_view{"do_not_download"}},
    std::pair{file_priority::low, std::string_view{"low"}},
    std::pair{file_priority::normal, std::string_view{"normal"}},
    std::pair{file_priority::high, std::string_view{"high"}},
    std::pair{file_priority::maximum, std::string_view{"maximum"}}};
template <> inline constexpr bool ignores_case<file_priority> = true;

/// Of a level between two names the lower one: 2 and 3 are low, 5 is normal.
[[nodiscard]] constexpr file_priority file_priority_of(std::uint8_t level) {
    auto found = file_priority::do_not_download;
    for (auto const& [value, name] : names_of<file_priority>)
        if (static_cast<std::uint8_t>(value) <= level) found = value;
    return found;
}

struct file_info {
    std::int64_t index = 0;
    std::string name;
    std::int64_t size = 0;
    bool selected = true;
    file_priority priority = file_priority::normal;
    double progress = 0;
    std::optional<std::string> attributes;
    static constexpr auto fields = described_as{
        field<&file_info::index>{"Its index in the torrent, padding files counted", {.min = 0}},
        field<&file_info::name>{"Its path below output_dir"},
        field<&file_info::size>{"Bytes", {.min = 0}},
        field<&file_info::selected>{"It is downloaded"},
        field<&file_info::priority>{"How much it is wanted beside the others"},
        field<&file_info::progress>{
            "The part of it that is here; 1.0 of an empty file", {.min = 0, .max = 1}},
        field<&file_info::attributes>{"BEP 47: x executable, h hidden, l symbolic link; null: none"}};
};

struct get_files {
    static constexpr promise route{
        .name = "files.list",
        .method = verb::get,
        .path = "/torrents/{info_hash}/files",
        .needs = scope::read,
        .summary = "A torrent's files",
        .command = "files",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash, errc::file_list_failed}};
    using request = names_a_torrent<get_files>;
    struct response {
        std::string info_hash;
        std::vector<file_info> files;
        static constexpr auto fields = described_as{
            field<&response::info_hash>{"The torrent"},
            field<&response::files>{"Its files, those that only pad (BEP 47) left out"}};
    };
};

/// The request of an endpoint that names files of a torrent; the tag makes it that endpoint's own type.
template <class Endpoint> struct names_files {
    contract::info_hash info_hash;
    std::vector<std::int64_t> file_indices;
    static constexpr auto fields = described_as{
        field<&names_files::info_hash>{
            "The torrent", {.required = true, .in = place::path, .positional = true}},
        field<&names_files::file_indices>{
            "Which files, by index", {.required = true, .word = "index", .positional = true}}};
};
struct files_named {
    std::string status;
    std::vector<std::int64_t> file_indices;
    static constexpr auto fields = described_as{
        field<&files_named::status>{"What was done"}, field<&files_named::file_indices>{"Which files"}};
};

struct select_files {
    static constexpr promise route{
        .name = "files.select",
        .method = verb::post,
        .path = "/torrents/{info_hash}/files/select",
        .needs = scope::files,
        .summary = "Download files of a torrent; one that had a priority keeps it",
        .command = "files select",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash, errc::file_select_failed},
        .event = "file_selection_changed"};
    using request = names_files<select_files>;
    using response = files_named;
};

struct deselect_files {
    static constexpr promise route{
        .name = "files.deselect",
        .method = verb::post,
        .path = "/torrents/{info_hash}/files/deselect",
        .needs = scope::files,
        .summary = "Do not download files of a torrent; what is there of them stays",
        .command = "files deselect",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash, errc::file_deselect_failed},
        .event = "file_selection_changed"};
    using request = names_files<deselect_files>;
    using response = files_named;
};

struct set_file_priority {
    static constexpr promise route{
        .name = "files.priority",
        .method = verb::post,
        .path = "/torrents/{info_hash}/files/priority",
        .needs = scope::files,
        .summary = "How much a file of a torrent is wanted beside the others",
        .command = "files priority",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash, errc::file_priority_failed},
        .event = "file_priority_changed"};
    struct request {
        contract::info_hash info_hash;
        std::int64_t file_index = 0;
        file_priority priority = file_priority::normal;
        static constexpr auto fields = described_as{
            field<&request::info_hash>{
                "The torrent", {.required = true, .in = place::path, .positional = true}},
            field<&request::file_index>{
                "Which file, by index", {.required = true, .word = "index", .positional = true}},
            field<&request::priority>{
                "How much it is wanted; do_not_download deselects it",
                {.required = true, .positional = true}}};
    };
    struct response {
        std::string status = "priority_set";
        std::int64_t file_index = 0;
        file_priority priority = file_priority::normal;
        static constexpr auto fields = described_as{
            field<&response::status>{"\"priority_set\""}, field<&response::file_index>{"Which file"},
            field<&response::priority>{"Its priority now"}};
    };
};

struct verify_files {
    static constexpr promise route{
        .name = "files.verify",
        .method = verb::get,
        .path = "/torrents/{info_hash}/files/verify",
        .needs = scope::files,
        .summary = "Hash what lies on the disk of a torrent's selected files; nothing is changed by it",
        .command = "verify",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash, errc::file_verify_failed}};
    using request = names_a_torrent<verify_files>;
    struct response {
        std::string status = "completed";
        std::string info_hash;
        std::vector<std::string> verified_files, failed_files;
        std::int64_t total_files = 0, verified_count = 0, failed_count = 0;
        static constexpr auto fields = described_as{
            field<&response::status>{"\"completed\""},
            field<&response::info_hash>{"The torrent"},
            field<&response::verified_files>{"Absolute paths of the files that are whole and right"},
            field<&response::failed_files>{
                "Absolute paths of the others: missing, longer, shorter, not regular, or with a piece whose "
                "hash does not fit"},
            field<&response::total_files>{"Selected files", {.min = 0}},
            field<&response::verified_count>{"How many are right", {.min = 0}},
            field<&response::failed_count>{"How many are not", {.min = 0}}};
    };
};

using file_endpoints =
    endpoint_list<get_files, select_files, deselect_files, set_file_priority, verify_files>;

} // namespace ccbt::contract
