// What the queue looks like: who runs, who waits, in which order.
#include "cli/print.hpp"
#include "cli/table.hpp"

#include <fmt/format.h>
#include <ostream>

namespace ccbt::cli {

void print_queue(std::ostream& out, wire::value const& answer, terminal const& where) {
    auto const entries = answer.list_or_empty("entries");
    if (entries.empty()) {
        out << "the queue is empty\n";
        return;
    }
    std::vector<column> const shape{{"POSITION", true}, {"TORRENT", false, true}, {"PRIORITY"},
                                    {"STATUS"},         {"DOWN LIMIT", true},     {"UP LIMIT", true}};
    auto const limit = [](wire::value const& entry, std::string_view field) {
        auto const kib = entry.number_or(field, 0);
        return kib == 0 ? std::string{"-"} : fmt::format("{:.0f} KiB/s", kib);
    };
    std::vector<std::vector<cell>> cells;
    for (auto const& entry : entries) {
        auto const priority = entry.text_or("priority", "");
        auto const status = entry.text_or("status", "");
        auto const colour = status == "seeding"       ? tint::green
                            : status == "downloading" ? tint::cyan
                            : status == "error"       ? tint::red
                                                      : tint::dim;
        cells.push_back(
            {{fmt::format("{:.0f}", entry.number_or("queue_position", 0))},
             {printable(entry.text_or("info_hash", ""))},
             {printable(priority), priority == "normal" ? tint::none : tint::bold},
             {printable(status), colour},
             {limit(entry, "allocated_down_kib")},
             {limit(entry, "allocated_up_kib")}});
    }
    for (auto const& line : lay_out(shape, std::move(cells), where.width, where.colour)) out << line << '\n';
    if (auto const* const all = answer.find("statistics"))
        out << fmt::format(
            "{:.0f} torrents: {:.0f} downloading, {:.0f} seeding, {:.0f} queued, {:.0f} paused\n",
            all->number_or("total_torrents", 0), all->number_or("active_downloading", 0),
            all->number_or("active_seeding", 0), all->number_or("queued", 0), all->number_or("paused", 0));
}

} // namespace ccbt::cli
