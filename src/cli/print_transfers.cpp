// What the transfers of a torrent look like: its peers, its trackers, its limits.
#include "base/text.hpp"
#include "cli/print.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <ostream>

namespace ccbt::cli {

namespace {

std::string count_of(wire::value const& row, std::string_view field) {
    auto const* held = row.find(field);
    return held == nullptr ? "-" : human(field, *held);
}

std::string in_kib(double kib) { return kib == 0 ? "unlimited" : fmt::format("{:.0f} KiB/s", kib); }

} // namespace

void print_peers(std::ostream& out, wire::value const& answer, terminal const& where) {
    std::vector<column> const shape{{"ADDRESS"},    {"CLIENT", false, true}, {"DONE", true}, {"DOWN", true},
                                    {"UP", true},   {"RECEIVED", true},      {"SENT", true}, {"FLAGS"},
                                    {"ENCRYPTION"}, {"FOUND BY", false}};
    auto peers = answer.list_or_empty("peers");
    if (peers.empty()) {
        out << "no peers\n";
        return;
    }
    auto const moves = [](auto const& p) {
        return p.number_or("download_rate", 0) + p.number_or("upload_rate", 0);
    };
    std::stable_sort(
        peers.begin(), peers.end(), [&](auto const& a, auto const& b) { return moves(a) > moves(b); });
    std::vector<std::vector<cell>> cells;
    for (auto const& p : peers) {
        auto const ip = p.text_or("ip", "");
        bool const is_v6 = ip.find(':') != std::string_view::npos;
        auto const* source = p.find("source");
        cells.push_back(
            {{printable(fmt::format(
                 "{}{}{}:{:.0f}", is_v6 ? "[" : "", ip, is_v6 ? "]" : "", p.number_or("port", 0)))},
             {printable(p.text_or("client", "-"))},
             {percent(p.number_or("progress", 0))},
             {rate(p.number_or("download_rate", 0))},
             {rate(p.number_or("upload_rate", 0))},
             {text::human_bytes(p.number_or("downloaded", 0))},
             {text::human_bytes(p.number_or("uploaded", 0))},
             {printable(p.text_or("flags", "")), p.flag_or("choked", false) ? tint::dim : tint::none},
             {printable(p.text_or("encryption", ""))},
             {source == nullptr ? "-" : human("source", *source)}});
    }
    for (auto const& line : lay_out(shape, std::move(cells), where.width, where.colour)) out << line << '\n';
}

void print_trackers(std::ostream& out, wire::value const& answer, terminal const& where) {
    std::vector<column> const shape{{"TIER", true},     {"TRACKER", false, true}, {"STATUS"}, {"SEEDS", true},
                                    {"LEECHERS", true}, {"PEERS", true},          {"MESSAGE"}};
    std::vector<std::vector<cell>> cells;
    for (auto const& t : answer.list_or_empty("trackers")) {
        auto const status = t.text_or("status", "");
        auto const colour = status == "working" ? tint::green : status == "not_asked" ? tint::dim : tint::red;
        cells.push_back(
            {{count_of(t, "tier")},
             {printable(t.text_or("url", ""))},
             {printable(status), colour},
             {count_of(t, "seeders")},
             {count_of(t, "leechers")},
             {count_of(t, "peers")},
             {printable(t.text_or("message", ""))}});
    }
    for (auto const& line : lay_out(shape, std::move(cells), where.width, where.colour)) out << line << '\n';
}

void print_scrapes(std::ostream& out, wire::value const& answer, terminal const& where) {
    auto const& results = answer.list_or_empty("results");
    if (results.empty()) {
        out << "nothing was scraped yet: ccbt scrape HASH\n";
        return;
    }
    std::vector<column> const shape{{"TORRENT"},         {"SEEDERS", true}, {"LEECHERS", true},
                                    {"COMPLETED", true}, {"ASKED"},         {"TIMES", true}};
    std::vector<std::vector<cell>> cells;
    for (auto const& one : results)
        cells.push_back(
            {{count_of(one, "info_hash")},
             {count_of(one, "seeders")},
             {count_of(one, "leechers")},
             {count_of(one, "completed")},
             {count_of(one, "last_scrape_time")},
             {count_of(one, "scrape_count")}});
    for (auto const& line : lay_out(shape, std::move(cells), where.width, where.colour)) out << line << '\n';
}

void print_limits(std::ostream& out, wire::value const& answer, terminal const&) {
    for (auto const& [way, name] : {std::pair{"download", "down"}, std::pair{"upload", "up"}}) {
        auto const asked = answer.number_or(fmt::format("{}_kib", way), 0);
        auto const holds = answer.number_or(fmt::format("effective_{}_kib", way), 0);
        out << fmt::format("{:<5} {}", name, in_kib(asked));
        if (asked != holds)
            out << fmt::format(
                "; {} by the {}", in_kib(holds), asked == 0 ? "daemon's limits" : "global limit");
        out << '\n';
    }
}

} // namespace ccbt::cli
