// The torrents: adding, listing, watching, stopping, removing. Units: rates in bytes a second, sizes in bytes, times
// in Unix seconds, progress from 0.0 to 1.0.
#pragma once

#include "contract/endpoint.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ccbt::contract {

inline constexpr std::size_t max_magnet_length = 8192;
inline constexpr std::size_t max_torrent_bytes = std::size_t{16} << 20;

/// A row of the table of torrents (TorrentStatusResponse).
struct torrent_status {
    std::string info_hash; // canonical: v1 where there is one
    std::string name;      // never empty: a magnet's dn, else the hash, until the metadata is here
    torrent_state status = torrent_state::starting;
    double progress = 0;
    double download_rate = 0;
    double upload_rate = 0;
    std::int64_t num_peers = 0;
    std::int64_t num_seeds = 0;
    std::int64_t total_size = 0;
    std::int64_t downloaded = 0;
    std::int64_t uploaded = 0;
    bool is_private = false;
    std::optional<std::string> error;
    std::string output_dir;
    std::vector<std::string> labels;
    double added_at = 0;
    std::int64_t download_limit_kib = 0, upload_limit_kib = 0;

    static constexpr auto fields = described_as{
        field<&torrent_status::info_hash>{"The info-hash, hex in lower case; of a hybrid torrent the v1 one"},
        field<&torrent_status::name>{"The name; until a magnet's metadata is known its dn, else the hash"},
        field<&torrent_status::status>{"What it is doing"},
        field<&torrent_status::progress>{"The part of the wanted bytes that is here", {.min = 0, .max = 1}},
        field<&torrent_status::download_rate>{"Payload, bytes a second", {.min = 0}},
        field<&torrent_status::upload_rate>{"Payload, bytes a second", {.min = 0}},
        field<&torrent_status::num_peers>{"Connected peers, seeds included", {.min = 0}},
        field<&torrent_status::num_seeds>{"Connected peers that have everything", {.min = 0}},
        field<&torrent_status::total_size>{"Bytes in all files; 0 until the metadata is known", {.min = 0}},
        field<&torrent_status::downloaded>{"Payload bytes of all time", {.min = 0}},
        field<&torrent_status::uploaded>{"Payload bytes of all time", {.min = 0}},
        field<&torrent_status::is_private>{"BEP 27: peers from its trackers only"},
        field<&torrent_status::error>{"Why it is in status error, else null (+)"},
        field<&torrent_status::output_dir>{"The folder that its files are in (+)"},
        field<&torrent_status::labels>{"What users call it (+)"},
        field<&torrent_status::added_at>{"When it was added, Unix seconds (+)"},
        field<&torrent_status::download_limit_kib>{"Its own limit, KiB/s; 0: none (+)", {.min = 0}},
        field<&torrent_status::upload_limit_kib>{"Its own limit, KiB/s; 0: none (+)", {.min = 0}}};
};
using torrent_row_view = prepared<torrent_status>;

/// The request of an endpoint that names a torrent and nothing else; the tag makes it that endpoint's own type.
template <class Endpoint> struct names_a_torrent {
    contract::info_hash info_hash;
    static constexpr auto fields = described_as{field<&names_a_torrent::info_hash>{
        "The torrent", {.required = true, .in = place::path, .positional = true}}};
};

/// An answer that only says what was done.
struct done {
    std::string status;
    static constexpr auto fields = described_as{field<&done::status>{"What was done"}};
};

struct add_torrent {
    static constexpr promise route{
        .name = "torrents.add",
        .method = verb::post,
        .path = "/torrents/add",
        .needs = scope::add,
        .summary = "Add a torrent by file, magnet link or content",
        .command = "add",
        .errors =
            {errc::add_torrent_error, errc::add_torrent_forbidden, errc::add_torrent_timeout,
             errc::torrent_exists, errc::state_storage_full},
        .event = "torrent_added",
        .max_body = std::size_t{24} << 20};

    struct request {
        std::string path_or_magnet;
        std::optional<std::string> output_dir;
        bool resume = false;
        std::optional<std::string> torrent_data;
        bool paused = false;
        std::vector<std::string> labels;
        bool sequential = false;

        static constexpr auto fields = described_as{
            field<&request::path_or_magnet>{
                "A .torrent file that the daemon can read, or a magnet link (BEP 9); empty with torrent_data",
                {.max_length = max_magnet_length, .word = "source", .positional = true}},
            field<&request::output_dir>{
                "The folder for its files, within disk.allowed_paths; "
                "default: disk.download_path",
                {.max_length = 4096, .word = "output"}},
            field<&request::resume>{
                "Use the checkpoint kept when this torrent was last removed without its data"},
            field<&request::torrent_data>{
                "A .torrent file's bytes in base64, instead of path_or_magnet (+)",
                {.max_length = (max_torrent_bytes + 2) / 3 * 4, .format = "byte"}},
            field<&request::paused>{"Do not start it (+)"},
            field<&request::labels>{
                "What to call it, to find it by (+)", {.max_length = 255, .max_items = 64, .word = "label"}},
            field<&request::sequential>{"Fetch the pieces in their order (+)"}};
    };
    struct response {
        std::string info_hash;
        std::string status = "added";
        static constexpr auto fields =
            described_as{field<&response::info_hash>{"Its info-hash"}, field<&response::status>{"\"added\""}};
    };
};

struct remove_torrent {
    static constexpr promise route{
        .name = "torrents.remove",
        .method = verb::del,
        .path = "/torrents/{info_hash}",
        .needs = scope::remove,
        .summary = "Remove a torrent, and its files where asked",
        .command = "rm",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash, errc::remove_failed},
        .event = "torrent_removed"};

    struct request {
        contract::info_hash info_hash;
        bool delete_files = false;
        static constexpr auto fields = described_as{
            field<&request::info_hash>{
                "The torrent", {.required = true, .in = place::path, .positional = true}},
            field<&request::delete_files>{
                "Also delete its files, and the folders they leave empty; the answer "
                "comes when they are gone (+)",
                {.in = place::query, .word = "data"}}};
    };
    using response = done; // "removed"
};

struct list_torrents {
    static constexpr promise route{
        .name = "torrents.list",
        .method = verb::get,
        .path = "/torrents",
        .needs = scope::read,
        .summary = "All torrents, or what changed since a revision",
        .command = "ls"};

    struct request {
        std::optional<std::string> since;
        std::optional<std::string> fields_wanted;
        std::optional<std::string> status;
        std::optional<std::string> label;
        std::optional<std::string> sort;
        std::int64_t offset = 0;
        std::optional<std::int64_t> limit;
        std::optional<std::string> if_none_match;
        bool as_text = false; // not on the wire: it is only to be written, so many rows may stand in one

        static constexpr auto fields = described_as{
            field<&request::since>{
                "A revision: answer only what changed after it (+)", {.max_length = 64, .in = place::query}},
            field<&request::fields_wanted>{
                "Names of row fields, comma between; info_hash is always there (+)",
                {.max_length = 1024, .in = place::query, .wire = "fields"}},
            field<&request::status>{
                "Only torrents in one of these states, comma between (+)",
                {.max_length = 256, .in = place::query}},
            field<&request::label>{
                "Only torrents with this label (+)", {.max_length = 255, .in = place::query}},
            field<&request::sort>{
                "A row field to sort by, '-' before it for the greatest first (+)",
                {.max_length = 64, .in = place::query}},
            field<&request::offset>{
                "Leave out so many from the start (+)", {.min = 0, .max = 1e9, .in = place::query}},
            field<&request::limit>{"At most so many (+)", {.min = 0, .max = 1e9, .in = place::query}},
            field<&request::if_none_match>{
                "The ETag of an answer: 304 where it still holds (+)",
                {.max_length = 256, .in = place::header, .wire = "If-None-Match"}}};
    };
    struct answer {
        std::vector<torrent_row_view> torrents;
        std::optional<std::string> revision;             // with since
        std::optional<bool> full;                        // with since
        std::optional<std::vector<std::string>> removed; // with since
        static constexpr auto fields = described_as{
            field<&answer::torrents>{"The rows, in order of adding where no sort was asked"},
            field<&answer::revision>{"With since: the revision of this answer, for the next since (+)"},
            field<&answer::full>{
                "With since: true where these are all rows, since the revision was unknown or too "
                "old (+)"},
            field<&answer::removed>{"With since: the info-hashes that went (+)"}};
        static constexpr bool omit_absent = true; // members without a value are left out instead of null
    };
    using response = tagged<answer>;
};

struct get_torrent {
    static constexpr promise route{
        .name = "torrents.get",
        .method = verb::get,
        .path = "/torrents/{info_hash}",
        .needs = scope::read,
        .summary = "One torrent",
        .command = "show",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash}};
    struct request {
        contract::info_hash info_hash;
        std::optional<std::string> if_none_match;
        static constexpr auto fields = described_as{
            field<&request::info_hash>{
                "The torrent", {.required = true, .in = place::path, .positional = true}},
            field<&request::if_none_match>{
                "The ETag of an answer: 304 where it still holds (+)",
                {.max_length = 256, .in = place::header, .wire = "If-None-Match"}}};
    };
    using response = tagged<torrent_row_view>;
};

struct pause_torrent {
    static constexpr promise route{
        .name = "torrents.pause",
        .method = verb::post,
        .path = "/torrents/{info_hash}/pause",
        .needs = scope::control,
        .summary = "Stop a torrent's transfers until it is resumed",
        .command = "pause",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash},
        .event = "torrent_status_changed"};
    using request = names_a_torrent<pause_torrent>;
    using response = done; // "paused"
};

struct resume_torrent {
    static constexpr promise route{
        .name = "torrents.resume",
        .method = verb::post,
        .path = "/torrents/{info_hash}/resume",
        .needs = scope::control,
        .summary = "Let a paused torrent go on",
        .command = "resume",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash},
        .event = "torrent_status_changed"};
    using request = names_a_torrent<resume_torrent>;
    using response = done; // "resumed"
};

/// A connected peer of one torrent (PeerInfo).
struct peer {
    std::string ip;
    std::int64_t port = 0;
    double download_rate = 0; // what we get from it
    double upload_rate = 0;   // what it gets from us
    bool choked = false;      // it chokes us
    std::optional<std::string> client;
    double progress = 0;
    std::string direction; // "in", "out"
    std::string transport; // "tcp", "utp"
    bool encrypted = false;
    std::string flags;
    std::string encryption = "none";
    bool is_seed = false;
    std::int64_t downloaded = 0, uploaded = 0;
    std::int64_t requests_sent = 0, requests_waiting = 0;
    std::int64_t hash_failures = 0;
    std::vector<std::string> source;

    static constexpr auto fields = described_as{
        field<&peer::ip>{"Its address"},
        field<&peer::port>{"Its port", {.min = 0, .max = 65535}},
        field<&peer::download_rate>{"Payload that we get from it, bytes a second", {.min = 0}},
        field<&peer::upload_rate>{"Payload that it gets from us, bytes a second", {.min = 0}},
        field<&peer::choked>{"It chokes us"},
        field<&peer::client>{"The program, as it names itself, or null"},
        field<&peer::progress>{"The part of the torrent that it has (+)", {.min = 0, .max = 1}},
        field<&peer::direction>{"\"in\" where it connected to us, else \"out\" (+)"},
        field<&peer::transport>{"\"tcp\" or \"utp\" (+)"},
        field<&peer::encrypted>{"The stream is encrypted (MSE) (+)"},
        field<&peer::flags>{
            "Letters: D we download, d we want to, U we upload, u it wants us to, S it snubs us, "
            "O optimistic unchoke, H from DHT, X from peer exchange, L local, I incoming, "
            "E encrypted, P uTP (+)"},
        field<&peer::encryption>{
            "\"none\", \"handshake\" where only that was (MSE), \"rc4\" where all is, \"tls\" (+)"},
        field<&peer::is_seed>{"It has all of it (+)"},
        field<&peer::downloaded>{"Payload bytes that came from it over this connection (+)", {.min = 0}},
        field<&peer::uploaded>{"Payload bytes that went to it over this connection (+)", {.min = 0}},
        field<&peer::requests_sent>{"Blocks that we asked of it and that have not come (+)", {.min = 0}},
        field<&peer::requests_waiting>{"Blocks that it asked of us and that have not gone (+)", {.min = 0}},
        field<&peer::hash_failures>{"Pieces with a part of it that were damaged (+)", {.min = 0}},
        field<&peer::source>{"How it was found: tracker, dht, pex, lsd, resume, incoming (+)"}};
};

struct get_peers {
    static constexpr promise route{
        .name = "torrents.peers",
        .method = verb::get,
        .path = "/torrents/{info_hash}/peers",
        .needs = scope::read,
        .summary = "A torrent's connected peers",
        .command = "peers",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash}};
    using request = names_a_torrent<get_peers>;
    struct response {
        std::string info_hash;
        std::vector<peer> peers;
        std::int64_t count = 0;
        static constexpr auto fields = described_as{
            field<&response::info_hash>{"The torrent"}, field<&response::peers>{"Its connected peers"},
            field<&response::count>{"How many", {.min = 0}}};
    };
};

using torrent_endpoints = endpoint_list<
    add_torrent, list_torrents, get_torrent, remove_torrent, pause_torrent, resume_torrent, get_peers>;

} // namespace ccbt::contract
