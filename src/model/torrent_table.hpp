// The rows of the torrents: what was asked and what was seen of each, its answer ready made, found by id and by either
// hash, listed in order of adding, and in order of change for deltas whose cost follows the changes. Loop thread; no
// I/O, no clock.
#pragma once

#include "contract/torrents.hpp"
#include "model/facts.hpp"

#include <array>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace ccbt::model {

using contract::torrent_row_view;
using contract::torrent_state;

struct row_page;

struct torrent_row {
    std::shared_ptr<torrent_asked const> asked;
    torrent_seen seen;
    std::string failed;   // the engine's complaint; empty: none
    bool offline = false; // its root is not there
    queue_hold hold = queue_hold::none;
    bool restored = false;     // known from before this start, and the engine has not told of it yet
    torrent_row_view view;     // as the wire shows it; replaced, never changed
    std::uint64_t changed = 0; // the revision's number

    torrent_row* added_before = nullptr; // in order of adding
    torrent_row* added_after = nullptr;
    torrent_row* changed_before = nullptr; // in order of change
    torrent_row* changed_after = nullptr;
    std::list<row_page>::iterator page{};
};

/// Rows that follow each other in order of adding: a whole list is written from few texts, and what changes costs its own
/// page; who looks for a status passes over the pages that have none of it.
struct row_page {
    torrent_row* first = nullptr;
    std::size_t count = 0;
    mutable torrent_row_view joined{}, narrowed{}; // nothing until they are asked for, and after a change
    mutable std::uint64_t narrowed_to = 0;         // the mask of all rows in `narrowed`
    std::array<std::uint8_t, 9> by_state{};        // rows, by torrent_state

    [[nodiscard]] std::uint16_t states() const { // bit by torrent_state
        unsigned all = 0;
        for (unsigned s = 0; s < by_state.size(); ++s) all |= by_state[s] != 0 ? 1U << s : 0U;
        return static_cast<std::uint16_t>(all);
    }
    void changed() {
        joined = {};
        narrowed = {};
    }
};

/// Sums over all rows, kept in step with each change.
struct table_sums {
    std::array<std::int64_t, 9> by_state{}; // by torrent_state
    std::int64_t downloaded = 0, uploaded = 0, num_peers = 0;
    double download_rate = 0, upload_rate = 0, progress = 0; // progress: the sum, not the mean
    [[nodiscard]] std::int64_t in(torrent_state s) const { return by_state[static_cast<std::size_t>(s)]; }
};

class torrent_table {
public:
    torrent_table() = default;
    torrent_table(torrent_table const&) = delete;
    torrent_table& operator=(torrent_table const&) = delete;

    [[nodiscard]] torrent_row const* find(torrent_id id) const;
    [[nodiscard]] torrent_row const* find(info_hash const& either) const;
    [[nodiscard]] std::size_t size() const { return rows_.size(); }
    [[nodiscard]] table_sums const& sums() const { return sums_; }
    [[nodiscard]] torrent_row const* first() const { return first_added_; }   // then added_after
    [[nodiscard]] std::uint64_t changed() const { return changed_; }          // the last change of any row
    [[nodiscard]] std::list<row_page> const& pages() const { return pages_; } // all rows in order of adding
    /// The rows of a page in one view, each narrowed to the fields of `mask`; 0: all fields.
    [[nodiscard]] static torrent_row_view joined(row_page const& page, std::uint64_t mask = 0);

    /// What changed after revision number `since`, newest first; nothing where that is too long ago to be known.
    struct delta {
        std::vector<torrent_row const*> rows;
        std::vector<std::string> removed; // canonical hashes
    };
    [[nodiscard]] std::optional<delta> changes_since(std::uint64_t since) const;

    // Only state calls these; `at` is the revision's number.
    void expect(std::size_t rows) { // so many come at once
        rows_.reserve(rows);
        by_hash_.reserve(rows);
    }
    torrent_row& insert(std::shared_ptr<torrent_asked const> asked, std::uint64_t at);
    torrent_row* row(torrent_id id);
    void replace_asked(torrent_row& row, std::shared_ptr<torrent_asked const> asked, std::uint64_t at);
    /// Makes the view anew and moves the row to the end of the order of change. False where nothing changed.
    bool refresh(torrent_row& row, std::string const& root_path, std::uint64_t at);
    void erase(torrent_id id, std::uint64_t at);

private:
    void count(torrent_row const& row, int sign);
    void link_changed(torrent_row& row, std::uint64_t at);
    void unlink_changed(torrent_row& row);
    void name(torrent_row& row);
    void unname(torrent_row const& row);
    void note_gone(info_hash const& hash, std::uint64_t at);

    struct gone {
        std::uint64_t at;
        info_hash hash; // canonical
    };
    static constexpr std::size_t most_gone = 20'000;

    std::unordered_map<torrent_id, std::unique_ptr<torrent_row>> rows_;
    std::unordered_map<info_hash, torrent_row*> by_hash_;
    torrent_row* first_added_ = nullptr;
    torrent_row* last_added_ = nullptr;
    std::list<row_page> pages_;
    torrent_row* last_changed_ = nullptr;
    std::deque<gone> gone_;
    std::uint64_t gone_known_since_ = 0; // removals after this number are all in gone_
    std::uint64_t changed_ = 0;
    table_sums sums_;
};

/// What a row's status is, from what was asked and what was seen.
[[nodiscard]] torrent_state status_of(torrent_row const& row);

} // namespace ccbt::model
