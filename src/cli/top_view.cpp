#include "cli/top_view.hpp"

#include "base/text.hpp"
#include "cli/print.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <limits>

namespace ccbt::cli {

namespace {

using contract::torrent_state;
using contract::torrent_status;
using column = top_view::column;

constexpr std::string_view up = "\x1b[A", down = "\x1b[B", left = "\x1b[D", right = "\x1b[C",
                           page_up = "\x1b[5~", page_down = "\x1b[6~", home = "\x1b[H", end = "\x1b[F",
                           escape = "\x1b";
constexpr long all_the_way = std::numeric_limits<int>::max();
constexpr std::size_t head_lines = 2; // what is on top, and the names of the columns

struct column_facts {
    column which;
    std::string_view head;
    char key;
};
constexpr std::array columns_shown{
    column_facts{column::name, "NAME", 'n'}, column_facts{column::status, "STATUS", 's'},
    column_facts{column::done, "DONE", '%'}, column_facts{column::down, "DOWN", 'd'},
    column_facts{column::up, "UP", 'u'},     column_facts{column::peers, "PEERS", 'c'},
    column_facts{column::size, "SIZE", 'z'}, column_facts{column::ratio, "RATIO", 'o'},
    column_facts{column::eta, "ETA", 'e'}};

constexpr std::array<std::string_view, 10> keys_told{
    "  up, down, PgUp, PgDn, Home, End   move",
    "  p, space                          pause the marked torrent, or resume it",
    "  left, right                       sort by the column beside",
    "  n s % d u                         sort by name, status, done, down, up",
    "  c z o e                           sort by peers, size, ratio, ETA; the same again: the other way round",
    "  r                                 the other way round",
    "  /                                 only names with what is typed then; Esc: all again",
    "  a                                 only those that have peers, move or are checked",
    "  ?                                 back to the table",
    "  q                                 leave"};

double ratio_of(torrent_status const& row) {
    return row.downloaded > 0 ? static_cast<double>(row.uploaded) / static_cast<double>(row.downloaded)
           : row.uploaded > 0 ? std::numeric_limits<double>::infinity()
                              : 0;
}

double seconds_left(torrent_status const& row) {
    return row.status == torrent_state::downloading && row.download_rate >= 1
               ? static_cast<double>(row.total_size) * (1 - row.progress) / row.download_rate
               : std::numeric_limits<double>::infinity();
}

double number_of(torrent_status const& row, column by) {
    switch (by) {
    case column::status: return static_cast<double>(row.status);
    case column::done: return row.progress;
    case column::down: return row.download_rate;
    case column::up: return row.upload_rate;
    case column::peers: return static_cast<double>(row.num_peers);
    case column::size: return static_cast<double>(row.total_size);
    case column::ratio: return ratio_of(row);
    case column::eta: return seconds_left(row);
    case column::name: break;
    }
    return 0;
}

bool is_active(torrent_status const& row) {
    return row.download_rate > 0 || row.upload_rate > 0 || row.num_peers > 0 ||
           row.status == torrent_state::checking || row.status == torrent_state::metadata;
}

std::string told_ratio(torrent_status const& row) {
    return row.downloaded > 0 ? fmt::format("{:.2f}", ratio_of(row)) : "-";
}

} // namespace

top_view::listed top_view::sorted(rows const& all) const {
    listed out;
    auto const wanted = text::lower(filter_);
    auto const is_asked_for = [&](torrent_status const& row) {
        return (!active_only_ || is_active(row)) &&
               (wanted.empty() || text::lower(row.name).find(wanted) != std::string::npos);
    };
    for (auto const& [hash, row] : all)
        if (is_asked_for(row)) out.push_back(&row);
    // Equal ones stand in the order of their names, so that they do not jump.
    std::sort(out.begin(), out.end(), [&](auto const* a, auto const* b) {
        auto const mine = number_of(*a, by_), other = number_of(*b, by_);
        if (mine != other) return largest_first_ ? mine > other : mine < other;
        auto const order = a->name.compare(b->name);
        if (order != 0) return by_ == column::name && largest_first_ ? order > 0 : order < 0;
        return a->info_hash < b->info_hash;
    });
    return out;
}

std::vector<std::string> top_view::table(listed const& some, std::size_t width, bool colour) const {
    std::vector<cli::column> shape{{""}, {"ID"}};
    for (auto const& one : columns_shown) {
        auto head = std::string{one.head};
        if (one.which == by_) head += largest_first_ ? " v" : " ^";
        shape.push_back({std::move(head), one.which > column::status, one.which == column::name});
    }
    std::vector<std::vector<cell>> cells;
    for (auto const* row : some) {
        auto const is_selected = !selected_.empty() && row->info_hash == selected_;
        auto const status = contract::name_of(row->status);
        cells.push_back(
            {{is_selected ? ">" : " ", tint::bold},
             {printable(row->info_hash.substr(0, 8)), tint::dim},
             {printable(row->name), is_selected ? tint::bold : tint::none},
             {std::string{status}, colour_of(status)},
             {percent(row->progress)},
             {rate(row->download_rate)},
             {rate(row->upload_rate)},
             {fmt::format("{}", row->num_peers)},
             {text::human_bytes(static_cast<double>(row->total_size))},
             {told_ratio(*row)},
             {eta(*row)}});
    }
    return lay_out(std::move(shape), std::move(cells), width, colour);
}

std::vector<std::string> top_view::whole(rows const& all, std::size_t width, bool colour) const {
    return table(sorted(all), width, colour);
}

std::vector<std::string> top_view::frame(
    rows const& all, std::string_view head, std::string_view note, frame_size size) {
    auto const shown = sorted(all);
    page_ = size.height > head_lines + 1 ? size.height - head_lines - 1 : 1;
    auto const found = std::find_if(
        shown.begin(), shown.end(), [&](auto const* row) { return row->info_hash == selected_; });
    auto const last = shown.empty() ? 0L : static_cast<long>(shown.size()) - 1;
    // One that went leaves the selection where it was on the screen.
    auto const was = found != shown.end() ? found - shown.begin() : std::min(static_cast<long>(first_), last);
    auto const at = static_cast<std::size_t>(std::clamp(was + std::exchange(moves_, 0), 0L, last));
    selected_ = shown.empty() ? std::string{} : shown[at]->info_hash;
    first_ = std::clamp(first_, at + 1 > page_ ? at + 1 - page_ : 0, at);
    if (first_ + page_ > shown.size()) first_ = shown.size() > page_ ? shown.size() - page_ : 0;
    listed const part{
        shown.begin() + static_cast<long>(first_),
        shown.begin() + static_cast<long>(std::min(shown.size(), first_ + page_))};

    std::vector<std::string> lines{cut_to(printable(head), size.width)};
    if (shows_keys_)
        for (auto const line : keys_told) lines.push_back(cut_to(line, size.width));
    else
        for (auto& line : table(part, size.width, size.colour)) lines.push_back(std::move(line));
    if (!shows_keys_ && shown.empty() && lines.size() + 1 < size.height)
        lines.emplace_back(all.empty() ? "  no torrents" : "  none of them");
    auto below = std::string{note};
    if (is_typing_)
        below = "find: " + filter_ + "_";
    else if (below.empty())
        below = fmt::format(
            "{} of {}{}{}  ? keys  q leave", shown.size(), all.size(), active_only_ ? ", only active" : "",
            filter_.empty() ? "" : ", with \"" + filter_ + '"');
    lines.resize(std::min(lines.size(), size.height > 0 ? size.height - 1 : 0));
    lines.push_back(cut_to(printable(below), size.width));
    return lines;
}

void top_view::sort_by(column by) {
    largest_first_ = by == by_ ? !largest_first_ : starts_with_largest(by);
    by_ = by;
}

void top_view::type(std::string_view key) {
    if (key == "\r" || key == "\n") {
        is_typing_ = false;
    } else if (key == escape) {
        is_typing_ = false;
        filter_.clear();
    } else if (key == "\x7f" || key == "\b") {
        while (!filter_.empty() && (static_cast<unsigned char>(filter_.back()) & 0xC0U) == 0x80U)
            filter_.pop_back();
        if (!filter_.empty()) filter_.pop_back();
    } else if (static_cast<unsigned char>(key.front()) >= ' ') {
        filter_ += key;
    }
}

top_view::wish top_view::press(std::string_view key) {
    if (key.empty()) return wish::nothing;
    if (is_typing_) {
        type(key);
        return wish::nothing;
    }
    auto const page = static_cast<long>(page_);
    if (key == "q" || key == "\x03") return wish::leave;
    if (key == "p" || key == " ") return wish::pause_or_resume;
    if (key == up || key == "k") moves_ -= 1;
    if (key == down || key == "j") moves_ += 1;
    if (key == page_up) moves_ -= page;
    if (key == page_down) moves_ += page;
    if (key == home) moves_ = -all_the_way;
    if (key == end) moves_ = all_the_way;
    if (key == "r") largest_first_ = !largest_first_;
    if (key == "a") active_only_ = !active_only_;
    if (key == "/") is_typing_ = true;
    if (key == "?" || key == "h") shows_keys_ = !shows_keys_;
    if (key == escape) filter_.clear();
    auto const here = static_cast<std::size_t>(by_);
    if (key == right || key == ">") sort_by(columns_shown[(here + 1) % columns_shown.size()].which);
    if (key == left || key == "<")
        sort_by(columns_shown[(here + columns_shown.size() - 1) % columns_shown.size()].which);
    for (auto const& one : columns_shown)
        if (key.size() == 1 && key.front() == one.key) sort_by(one.which);
    return wish::nothing;
}

std::vector<std::string> top_columns() {
    std::vector<std::string> names;
    for (auto const& one : columns_shown) names.push_back(text::lower(one.head));
    return names;
}

std::optional<top_view::column> top_column(std::string_view named) {
    for (auto const& one : columns_shown)
        if (text::lower(one.head) == named) return one.which;
    return std::nullopt;
}

std::string sums_of(top_view::rows const& all) {
    std::map<torrent_state, std::size_t> in;
    double received = 0, sent = 0;
    for (auto const& [hash, row] : all) {
        ++in[row.status];
        received += row.download_rate;
        sent += row.upload_rate;
    }
    auto out = fmt::format("{} torrent{}", all.size(), all.size() == 1 ? "" : "s");
    auto const* between = ": ";
    for (auto const& [state, count] : in)
        out += fmt::format("{}{} {}", std::exchange(between, ", "), count, contract::name_of(state));
    return out + fmt::format("   {} down   {} up", rate(received), rate(sent));
}

std::vector<std::string_view> keys_in(std::string_view bytes) {
    std::vector<std::string_view> out;
    while (!bytes.empty()) {
        std::size_t size = 1;
        auto const lead = static_cast<unsigned char>(bytes.front());
        if (bytes.starts_with("\x1b[") || bytes.starts_with("\x1bO")) {
            size = 2;
            while (size < bytes.size() && (bytes[size] < '@' || bytes[size] > '~')) ++size;
            size = std::min(size + 1, bytes.size());
        } else if (lead >= 0xC0) {
            size = std::min<std::size_t>(lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4, bytes.size());
        }
        out.push_back(bytes.substr(0, size));
        bytes.remove_prefix(size);
    }
    return out;
}

} // namespace ccbt::cli
