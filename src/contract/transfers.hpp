// How much a torrent may move, and telling its trackers of it now.
#pragma once

#include "contract/settings.hpp"
#include "contract/torrents.hpp"

namespace ccbt::contract {

struct set_rate_limits {
    static constexpr promise route{
        .name = "torrents.set_rate_limits",
        .method = verb::post,
        .path = "/torrents/{info_hash}/rate-limits",
        .needs = scope::control,
        .summary = "Limit a torrent's rates, KiB/s; 0 is no limit of its own",
        .command = "limit",
        .errors = {errc::torrent_not_found, errc::invalid_info_hash},
        .event = "torrent_status_changed"};

    struct request {
        contract::info_hash info_hash;
        std::int64_t download_kib = 0;
        std::int64_t upload_kib = 0;
        static constexpr auto fields = described_as{
            field<&request::info_hash>{
                "The torrent", {.required = true, .in = place::path, .positional = true}},
            field<&request::download_kib>{
                "Most that it may receive, KiB/s; 0: no limit of its own",
                {.required = true, .min = 0, .max = max_kib, .word = "down", .positional = true}},
            field<&request::upload_kib>{
                "Most that it may send, KiB/s; 0: no limit of its own",
                {.required = true, .min = 0, .max = max_kib, .word = "up", .positional = true}}};
    };
    struct response {
        bool set = true;
        std::int64_t download_kib = 0, upload_kib = 0;
        std::int64_t effective_download_kib = 0, effective_upload_kib = 0;
        bool capped = false;
        static constexpr auto fields = described_as{
            field<&response::set>{"true"},
            field<&response::download_kib>{"The torrent's own limit now, KiB/s; 0: none (+)", {.min = 0}},
            field<&response::upload_kib>{"The torrent's own limit now, KiB/s; 0: none (+)", {.min = 0}},
            field<&response::effective_download_kib>{
                "What holds: the least of its own limit, or limits.per_torrent_down_kib where it has "
                "none, and limits.global_down_kib; 0: nothing limits it (+)",
                {.min = 0}},
            field<&response::effective_upload_kib>{"The same of what it sends (+)", {.min = 0}},
            field<&response::capped>{
                "It asked for more than the global limits give, so that those hold (+)"}};
    };
};

enum class tracker_state : std::uint8_t { working, error, timeout, not_asked };
template <> inline constexpr auto names_of<tracker_state> = std::array{
    std::pair{tracker_state::working, std::string_view{"working"}},
    std::pair{tracker_state::error, std::string_view{"error"}},
    std::pair{tracker_state::timeout, std::string_view{"timeout"}},
    std::pair{tracker_state::not_asked, std::string_view{"not_asked"}}};

/// What one tracker of a torrent answered to an announce.
struct tracker_answer {
    std::string url;
    std::int64_t tier = 0;
    tracker_state status = tracker_state::not_asked;
    std::string message;
    std::optional<std::int64_t> seeders, leechers, peers;
    static constexpr auto fields = described_as{
        field<&tracker_answer::url>{"Its announce URL"},
        field<&tracker_answer::tier>{"Its tier: those of a lower one are asked first (BEP 12)", {.min = 0}},
        field<&tracker_answer::status>{"What came of it; not_asked: another tracker of its tier answered"},
        field<&tracker_answer::message>{"Why it failed, or the warning that came with its answer"},
        field<&tracker_answer::seeders>{"Peers with all of it, as it says; null: it does not", {.min = 0}},
        field<&tracker_answer::leechers>{"Peers that lack something; null: it does not say", {.min = 0}},
        field<&tracker_answer::peers>{"Addresses that came with its answer", {.min = 0}}};
};

/// A tracker's URL for logs, events and errors: user names, long parts of the path and the query are left out.
[[nodiscard]] std::string without_passkey(std::string_view url);

struct force_announce {
    static constexpr promise route{
        .name = "torrents.announce",
        .method = verb::post,
        .path = "/torrents/{info_hash}/announce",
        .needs = scope::control,
        .summary = "Tell a torrent's trackers of it now, and what they answer",
        .command = "announce",
        .errors =
            {errc::torrent_not_found, errc::invalid_info_hash, errc::announce_refused, errc::announce_failed},
        .event = "tracker_announce_success"};
    using request = names_a_torrent<force_announce>;
    struct response {
        bool announced = true;
        std::vector<tracker_answer> trackers;
        static constexpr auto fields = described_as{
            field<&response::announced>{"true: at least one tracker has answered"},
            field<&response::trackers>{"All its trackers, in the order in which they are asked (+)"}};
    };
};

using transfer_endpoints = endpoint_list<set_rate_limits, force_announce>;

} // namespace ccbt::contract
