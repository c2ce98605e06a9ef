// The state file: a whole daemon as text, for export and import. JSON with a line for its head, a line a torrent and a
// line with the SHA-256 of all bytes before it, so that it is written and read a torrent at a time and nobody holds the
// whole. Pure but for the reader's source; any thread. Knows no file system, no model, no engine.
//
//     {"format":"ccbt-state","version":1,"state":{…},"torrents":[
//     {"v1":"…","name":"…",…},
//     {…}
//     ],"count":2,
//     "checksum":"<sha-256, hex>"}
#pragma once

#include "base/result.hpp"
#include "contract/settings.hpp"
#include "contract/torrents.hpp"
#include "wire/json.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ccbt::backup {

inline constexpr std::string_view file_begins = R"({"format":"ccbt-state","version":)";
inline constexpr std::int64_t file_version = 1;
inline constexpr std::size_t longest_line = std::size_t{96}
                                            << 20; // a torrent of 16 MiB, its resume data, in base64

struct kept_setting {
    std::string key;
    contract::json_text value;
    static constexpr auto fields = contract::described_as{
        contract::field<&kept_setting::key>{"As \"limits.global_down_kib\"", {.required = true}},
        contract::field<&kept_setting::value>{"What is laid over the configuration", {.required = true}}};
};

/// An entry of the blacklist or the whitelist.
struct kept_address {
    std::string ip;
    std::optional<std::string> reason;
    double added_at = 0;
    static constexpr auto fields = contract::described_as{
        contract::field<&kept_address::ip>{
            "Address, CIDR block or range", {.required = true, .max_length = 128}},
        contract::field<&kept_address::reason>{"Why", {.max_length = 4096}},
        contract::field<&kept_address::added_at>{"When, Unix seconds"}};
};

struct kept_head {
    double created_at = 0;
    std::string daemon_version;
    std::string lineage;
    std::vector<kept_setting> settings;
    std::vector<kept_address> blacklist, whitelist;
    std::int64_t removed_downloaded = 0, removed_uploaded = 0;
    static constexpr auto fields = contract::described_as{
        contract::field<&kept_head::created_at>{"When it was written, Unix seconds"},
        contract::field<&kept_head::daemon_version>{"By which version"},
        contract::field<&kept_head::lineage>{"Of which daemon's store"},
        contract::field<&kept_head::settings>{"What is laid over its configuration; no secrets"},
        contract::field<&kept_head::blacklist>{"Refused addresses"},
        contract::field<&kept_head::whitelist>{"Addresses that are let through"},
        contract::field<&kept_head::removed_downloaded>{
            "Payload of torrents that are gone", {.min = 0, .max = 9e15}},
        contract::field<&kept_head::removed_uploaded>{
            "Payload of torrents that are gone", {.min = 0, .max = 9e15}}};
};

struct kept_torrent {
    std::optional<contract::info_hash> v1, v2;
    std::string name;
    std::string magnet;
    std::optional<std::string> metainfo; // base64
    std::optional<std::string> resume;   // base64
    std::string output_dir;              // absolute
    std::string folder;                  // the same, relative to its storage root
    bool paused = false;
    bool sequential = false;
    std::vector<std::string> labels;
    double added_at = 0;
    std::int64_t down_kib = 0, up_kib = 0;
    std::vector<std::uint8_t> file_priorities;
    std::int64_t queue_order = 0;
    contract::queue_priority priority = contract::queue_priority::normal;
    bool in_queue = true;
    double progress = 0;
    std::int64_t downloaded = 0, uploaded = 0;

    static constexpr contract::rules limit{.min = 0, .max = contract::max_kib};
    static constexpr contract::rules blob{.max_length = std::size_t{32} << 20};
    static constexpr auto fields = contract::described_as{
        contract::field<&kept_torrent::v1>{"Info-hash, v1"},
        contract::field<&kept_torrent::v2>{"Info-hash, v2"},
        contract::field<&kept_torrent::name>{"Its name"},
        contract::field<&kept_torrent::magnet>{
            "The link it came by", {.max_length = contract::max_magnet_length}},
        contract::field<&kept_torrent::metainfo>{"The .torrent file, base64", blob},
        contract::field<&kept_torrent::resume>{"The engine's resume data, base64", blob},
        contract::field<&kept_torrent::output_dir>{"Where its files lie", {.max_length = 4096}},
        contract::field<&kept_torrent::folder>{"The same, below its storage root", {.max_length = 4096}},
        contract::field<&kept_torrent::paused>{"Not running"},
        contract::field<&kept_torrent::sequential>{"Pieces in their order"},
        contract::field<&kept_torrent::labels>{"Labels", {.max_length = 255, .max_items = 64}},
        contract::field<&kept_torrent::added_at>{"When, Unix seconds"},
        contract::field<&kept_torrent::down_kib>{"Its own limit, KiB/s", limit},
        contract::field<&kept_torrent::up_kib>{"Its own limit, KiB/s", limit},
        contract::field<&kept_torrent::file_priorities>{
            "By file index, 0 to 7; empty: all normal", {.min = 0, .max = 7, .max_items = 4'000'000}},
        contract::field<&kept_torrent::queue_order>{"Place in the queue", {.min = 0, .max = 9e15}},
        contract::field<&kept_torrent::priority>{"In the queue"},
        contract::field<&kept_torrent::in_queue>{"It is managed by the queue"},
        contract::field<&kept_torrent::progress>{"The part that is here", {.min = 0, .max = 1}},
        contract::field<&kept_torrent::downloaded>{"Payload of all time", {.min = 0, .max = 9e15}},
        contract::field<&kept_torrent::uploaded>{"Payload of all time", {.min = 0, .max = 9e15}}};
};

class digest { // SHA-256
public:
    digest();
    ~digest();
    digest(digest&&) noexcept;
    digest& operator=(digest&&) = delete;
    void take(std::string_view bytes);
    [[nodiscard]] std::string hex(); // of all that was taken; the end of it

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

/// Makes the text piece by piece: head, torrents, end.
class state_writer {
public:
    [[nodiscard]] std::string begin(kept_head const& head);
    [[nodiscard]] std::string add(kept_torrent const& one);
    [[nodiscard]] std::string end();
    [[nodiscard]] std::int64_t count() const { return count_; }

private:
    std::string summed(std::string text);
    digest sum_;
    std::int64_t count_ = 0;
};

struct damage {
    enum class kind : std::uint8_t { foreign, newer, damaged, unreadable };
    kind what = kind::damaged;
    std::string why; // for people
};

/// Reads it in the same order. Whoever reads until next() gives nothing has held the checksum against every byte.
class state_reader {
public:
    /// Fills and answers how many bytes; 0 at the end, less where it cannot be read.
    using source = std::function<std::ptrdiff_t(char*, std::size_t)>;
    explicit state_reader(source from) : from_{std::move(from)} {}

    [[nodiscard]] expected<kept_head, damage> head();
    [[nodiscard]] expected<std::optional<kept_torrent>, damage> next();
    [[nodiscard]] std::int64_t count() const { return count_; }
    [[nodiscard]] std::int64_t bytes() const { return taken_; } // read so far

private:
    expected<std::string_view, damage> line(); // without its newline; true until the next call
    expected<void, damage> end(std::string_view counted);

    source from_;
    digest sum_;
    std::string buffer_;
    std::size_t at_ = 0;
    std::int64_t count_ = 0, taken_ = 0;
};

/// Rows by info-hash, the members of a JSON object: what an import answers. A piece at a time.
class row_map {
public:
    void add(contract::torrent_row_view const& row);
    [[nodiscard]] contract::json_text take();

private:
    wire::writer out_;
    bool begun_ = false;
};

} // namespace ccbt::backup
