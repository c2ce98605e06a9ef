// What `ccbt top` shows and what its keys do: the torrents that are asked for, in order, as many lines as fit. Pure;
// knows nothing of the terminal's modes or of the daemon.
#pragma once

#include "contract/torrents.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::cli {

class top_view {
public:
    using rows = std::map<std::string, contract::torrent_status>;
    enum class column { name, status, done, down, up, peers, size, ratio, eta };
    enum class wish { nothing, leave, pause_or_resume }; // of the selected torrent

    explicit top_view(column by = column::down) : by_{by}, largest_first_{starts_with_largest(by)} {}

    struct frame_size {
        std::size_t width = 80, height = 24; // columns, lines
        bool colour = false;
    };
    /// At most so many lines, each of them at most so wide. `head` stands on top, `note` below: what is to be told now.
    [[nodiscard]] std::vector<std::string> frame(
        rows const& all, std::string_view head, std::string_view note, frame_size size);
    /// Every torrent that is asked for, in order, without a selection: for output that is no terminal.
    [[nodiscard]] std::vector<std::string> whole(rows const& all, std::size_t width, bool colour) const;

    /// One key as a terminal sends it: a character, or an escape sequence.
    [[nodiscard]] wish press(std::string_view key);
    [[nodiscard]] std::string const& selected() const {
        return selected_;
    } // its info-hash, "" where there is none

private:
    using listed = std::vector<contract::torrent_status const*>;
    static bool starts_with_largest(column by) {
        return by != column::name && by != column::status && by != column::eta;
    }
    [[nodiscard]] listed sorted(rows const& all) const;
    [[nodiscard]] std::vector<std::string> table(listed const& some, std::size_t width, bool colour) const;
    void sort_by(column by);
    void type(std::string_view key);

    column by_;
    bool largest_first_;
    bool active_only_ = false, is_typing_ = false, shows_keys_ = false;
    std::string filter_, selected_;
    std::size_t first_ = 0, page_ = 1; // the first line shown, and how many are
    long moves_ = 0; // lines that the selection is to move by; carried out by the next frame
};

/// "name", "status", …: what --sort takes.
[[nodiscard]] std::vector<std::string> top_columns();
[[nodiscard]] std::optional<top_view::column> top_column(std::string_view named);

/// "12 torrents: 3 downloading, 9 seeding   1.5 MiB/s down   3.0 KiB/s up"
[[nodiscard]] std::string sums_of(top_view::rows const& all);
/// The keys in what a terminal sent at once.
[[nodiscard]] std::vector<std::string_view> keys_in(std::string_view bytes);

} // namespace ccbt::cli
