// What the files of a torrent look like: the table, what was changed, what came of hashing them.
#include "base/text.hpp"
#include "cli/print.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"

#include <fmt/format.h>
#include <ostream>

namespace ccbt::cli {

void print_files(std::ostream& out, wire::value const& answer, terminal const& where) {
    std::vector<column> const shape{{"INDEX", true}, {"PRIORITY"}, {"DONE", true},
                                    {"SIZE", true},  {"ATTR"},     {"FILE", false, true}};
    std::vector<std::vector<cell>> cells;
    for (auto const& f : answer.list_or_empty("files")) {
        bool const selected = f.flag_or("selected", true);
        auto const colour = selected ? tint::none : tint::dim;
        cells.push_back(
            {{fmt::format("{:.0f}", f.number_or("index", 0))},
             {printable(selected ? f.text_or("priority", "") : "-"), colour},
             {percent(f.number_or("progress", 0))},
             {text::human_bytes(f.number_or("size", 0))},
             {printable(f.text_or("attributes", "-"))},
             {printable(f.text_or("name", "")), colour}});
    }
    for (auto const& line : lay_out(shape, std::move(cells), where.width, where.colour)) out << line << '\n';
}

void print_changed_files(std::ostream& out, wire::value const& answer, terminal const&) {
    if (auto const* index = answer.find("file_index")) {
        out << fmt::format(
            "file {}: {}\n", human("index", *index), printable(answer.text_or("priority", "")));
        return;
    }
    auto const* indices = answer.find("file_indices");
    out << fmt::format(
        "{} files {}\n", printable(answer.text_or("status", "")),
        indices == nullptr ? "-" : human("index", *indices));
}

void print_verified(std::ostream& out, wire::value const& answer, terminal const& where) {
    std::vector<column> const shape{{"RESULT"}, {"FILE", false, true}};
    std::vector<std::vector<cell>> cells;
    for (auto const& [list, said, colour] :
         {std::tuple{"failed_files", "failed", tint::red}, std::tuple{"verified_files", "ok", tint::green}})
        for (auto const& path : answer.list_or_empty(list))
            cells.push_back({{said, colour}, {human("path", path)}});
    if (!cells.empty())
        for (auto const& line : lay_out(shape, std::move(cells), where.width, where.colour))
            out << line << '\n';
    out << fmt::format(
        "{:.0f} of {:.0f} files are right\n", answer.number_or("verified_count", 0),
        answer.number_or("total_files", 0));
}

} // namespace ccbt::cli
