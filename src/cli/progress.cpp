#include "cli/progress.hpp"

#include "base/text.hpp"
#include "cli/terminal.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>

namespace ccbt::cli {

using contract::torrent_state;
using contract::torrent_status;

outcome outcome_of(torrent_status const& row) {
    switch (row.status) {
    case torrent_state::error: return outcome::failed;
    case torrent_state::seeding: return outcome::complete;
    case torrent_state::paused:
    case torrent_state::stopped:
    case torrent_state::queued:
        return row.progress >= 1 && row.total_size > 0 ? outcome::complete : outcome::going;
    default: return outcome::going; // starting and checking may still find that pieces are missing
    }
}

std::string percent(double progress) {
    if (progress >= 1) return "100 %";
    return fmt::format("{:.1f} %", std::floor(std::max(progress, 0.0) * 1000) / 10);
}

std::string rate(double bytes_a_second) { return text::human_bytes(bytes_a_second) + "/s"; }

std::string eta(torrent_status const& row) {
    auto const left = static_cast<double>(row.total_size) * (1 - row.progress);
    if (row.status != torrent_state::downloading || row.download_rate < 1 || left <= 0) return "-";
    return text::human_duration(left / row.download_rate);
}

std::string progress_bar(torrent_status const& row, std::size_t width) {
    auto const name = printable(row.name);
    auto tail = fmt::format("{:>6}", percent(row.progress));
    if (row.status == torrent_state::downloading || row.status == torrent_state::seeding)
        tail += fmt::format(
            "  {} down  {} up  {} peer{}  ETA {}", rate(row.download_rate), rate(row.upload_rate),
            row.num_peers, row.num_peers == 1 ? "" : "s", eta(row));
    else
        tail += fmt::format("  {}", contract::name_of(row.status));
    if (width == 0) width = 120;
    auto const fixed = columns(tail) + 4;
    // The bar is kept short, so that it seldom changes its width with the texts behind it.
    auto const left = width > fixed ? width - fixed : 0;
    auto const named = std::min(columns(name), std::max(left / 2, std::min<std::size_t>(left, 12)));
    auto const bar = std::min<std::size_t>(left > named + 2 ? left - named - 2 : 0, 24);
    std::string out;
    if (named > 0) out += cut_to(name, named) + "  ";
    if (bar >= 4) {
        auto const full =
            static_cast<std::size_t>(std::clamp(row.progress, 0.0, 1.0) * static_cast<double>(bar));
        out += '[' + std::string(full, '#') + std::string(bar - full, '-') + "]  ";
    }
    return cut_to(out + tail, width);
}

std::optional<std::string> progress_log::line_for(torrent_status const& row) {
    auto const tenth = static_cast<int>(std::floor(std::clamp(row.progress, 0.0, 1.0) * 10));
    auto [at, is_new] = told_.try_emplace(row.info_hash);
    auto& last = at->second;
    if (!is_new && last.status == row.status && tenth <= last.tenth) return std::nullopt;
    last = {tenth, row.status};
    auto line =
        fmt::format("{}: {} {}", printable(row.name), contract::name_of(row.status), percent(row.progress));
    if (row.status == torrent_state::downloading)
        line += fmt::format(", {} down, {} peers, ETA {}", rate(row.download_rate), row.num_peers, eta(row));
    if (row.error) line += ": " + printable(*row.error);
    return line;
}

} // namespace ccbt::cli
