#include "cli/print.hpp"

#include "base/text.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <ctime>
#include <fmt/core.h>
#include <ostream>

namespace ccbt::cli {

namespace {

bool is_scalar(wire::value const& v) {
    return v.get_if<wire::value::object>() == nullptr && v.get_if<wire::value::array>() == nullptr;
}
bool is_number(wire::value const& v) {
    return v.get_if<double>() != nullptr || v.get_if<std::int64_t>() != nullptr ||
           v.get_if<std::uint64_t>() != nullptr;
}
bool is_table(wire::value const& v) {
    auto const* list = v.get_if<wire::value::array>();
    return list != nullptr && !list->empty() && std::all_of(list->begin(), list->end(), [](auto const& item) {
               return item.template get_if<wire::value::object>() != nullptr;
           });
}
double number_of(wire::value const& v) {
    if (auto const* d = v.get_if<double>()) return *d;
    if (auto const* i = v.get_if<std::int64_t>()) return static_cast<double>(*i);
    if (auto const* u = v.get_if<std::uint64_t>()) return static_cast<double>(*u);
    return 0;
}

std::string moment(double unix_seconds) {
    if (!(unix_seconds > 0 && unix_seconds < 1e11)) return "-"; // a daemon's number: perhaps no time at all
    auto const at = static_cast<std::time_t>(unix_seconds);
    std::tm parts{};
    std::array<char, 32> out{};
    if (::localtime_r(&at, &parts) == nullptr ||
        std::strftime(out.data(), out.size(), "%Y-%m-%d %H:%M:%S", &parts) == 0)
        return "-";
    return out.data();
}

std::string head_of(std::string_view field) {
    std::string out{field};
    for (auto& c : out) c = c == '_' ? ' ' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return printable(out);
}

void print_table(std::ostream& out, wire::value::array const& rows, terminal const& where) {
    std::vector<column> shape;
    std::vector<std::string> keys;
    for (auto const& [key, first] : *rows.front().get_if<wire::value::object>()) {
        bool const says_anything = std::any_of(rows.begin(), rows.end(), [&](auto const& row) {
            auto const* v = row.find(key);
            return v != nullptr && human(key, *v) != "-" && !human(key, *v).empty();
        });
        if (!says_anything) continue;
        keys.push_back(key);
        shape.push_back({head_of(key), is_number(first), !is_number(first)});
    }
    std::vector<std::vector<cell>> cells;
    for (auto const& row : rows) {
        auto& made = cells.emplace_back();
        for (auto const& key : keys) {
            auto const* v = row.find(key);
            made.push_back({v == nullptr ? "-" : human(key, *v)});
        }
    }
    for (auto const& line : lay_out(std::move(shape), std::move(cells), where.width, where.colour))
        out << line << '\n';
}

void print_members(
    std::ostream& out, wire::value::object const& members, terminal const& where, std::size_t indent) {
    std::size_t widest = 0;
    for (auto const& [key, v] : members)
        if (!is_table(v) && v.get_if<wire::value::object>() == nullptr)
            widest = std::max(widest, columns(printable(key)));
    std::string const margin(indent, ' ');
    for (auto const& [key, v] : members) {
        if (is_table(v) || v.get_if<wire::value::object>() != nullptr) continue;
        auto const name = printable(key);
        out << margin << tinted(name + ':', tint::bold, where.colour)
            << std::string(widest - columns(name) + 1, ' ') << human(key, v) << '\n';
    }
    for (auto const& [key, v] : members) {
        auto const* inner = v.get_if<wire::value::object>();
        if (inner == nullptr) continue;
        out << margin << tinted(printable(key) + ':', tint::bold, where.colour) << '\n';
        print_members(out, *inner, where, indent + 2);
    }
    for (auto const& [key, v] : members)
        if (is_table(v)) {
            out << '\n';
            print_table(out, *v.get_if<wire::value::array>(), where);
        }
}

} // namespace

tint colour_of(std::string_view status) {
    if (status == "error") return tint::red;
    if (status == "seeding") return tint::green;
    if (status == "downloading") return tint::cyan;
    if (status == "checking" || status == "metadata" || status == "starting") return tint::yellow;
    return tint::dim;
}

std::string human(std::string_view field, wire::value const& v) {
    if (v.is_null()) return "-";
    if (auto const* s = v.get_if<std::string>()) return printable(*s);
    if (auto const* b = v.get_if<bool>()) return *b ? "yes" : "no";
    if (auto const* list = v.get_if<wire::value::array>()) {
        std::string out;
        for (auto const& item : *list) {
            if (!out.empty()) out += ", ";
            out += is_scalar(item) ? human("", item) : printable(wire::to_text(item));
        }
        return out.empty() ? "-" : out;
    }
    if (!is_number(v)) return printable(wire::to_text(v));
    auto const n = number_of(v);
    if (field.ends_with("_rate")) return rate(n);
    if (field.ends_with("progress")) return percent(n);
    if (field.ends_with("downloaded") || field.ends_with("uploaded") || field.ends_with("size") ||
        field == "bytes")
        return text::human_bytes(n);
    if (field == "uptime") return text::human_duration(n);
    if (field.ends_with("_at") || field.ends_with("_time") || field == "last_update" ||
        field == "last_used" || field == "timestamp")
        return moment(n);
    return wire::to_text(v);
}

void print_answer(std::ostream& out, wire::value const& v, terminal const& where) {
    if (auto const* members = v.get_if<wire::value::object>())
        print_members(out, *members, where, 0);
    else if (is_table(v))
        print_table(out, *v.get_if<wire::value::array>(), where);
    else
        out << human("", v) << '\n';
}

void print_json(std::ostream& out, std::string_view json, terminal const& where) {
    if (where.out_is_terminal) {
        if (auto const read = wire::parse(
                json, {.depth = 64, .elements = 50'000'000, .string_bytes = std::size_t{1} << 30})) {
            out << printable(wire::to_text(*read, 2), true) << '\n';
            return;
        }
    }
    out << (where.out_is_terminal ? printable(json, true) : std::string{json});
    if (!json.ends_with('\n')) out << '\n';
}

void print_addresses(std::ostream& out, wire::value::array const& entries, terminal const& where) {
    std::vector<std::vector<cell>> cells;
    for (auto const& entry : entries)
        cells.push_back(
            {{printable(entry.text_or("ip", ""))},
             {moment(entry.number_or("added_at", 0)), tint::dim},
             {printable(entry.text_or("reason", "-"))}});
    std::vector<column> const shape{{"ADDRESSES"}, {"ADDED"}, {"REASON", false, true}};
    for (auto const& line : lay_out(shape, std::move(cells), where.width, where.colour)) out << line << '\n';
}

void print_torrents(std::ostream& out, wire::value::array const& rows, terminal const& where) {
    std::vector<column> const shape{{"ID"},          {"NAME", false, true}, {"STATUS"},
                                    {"DONE", true},  {"DOWN", true},        {"UP", true},
                                    {"PEERS", true}, {"SIZE", true},        {"ETA", true}};
    std::vector<std::vector<cell>> cells;
    for (auto const& row : rows) {
        auto const status = row.text_or("status", "");
        contract::torrent_status typed;
        wire::problems ignored; // a state of a newer daemon has no ETA
        wire::decode(row, typed, "", {}, ignored);
        cells.push_back(
            {{printable(row.text_or("info_hash", "").substr(0, 8)), tint::dim},
             {printable(row.text_or("name", ""))},
             {printable(status), colour_of(status)},
             {percent(row.number_or("progress", 0))},
             {rate(row.number_or("download_rate", 0))},
             {rate(row.number_or("upload_rate", 0))},
             {fmt::format("{:.0f}", row.number_or("num_peers", 0))},
             {text::human_bytes(row.number_or("total_size", 0))},
             {eta(typed)}});
    }
    for (auto const& line : lay_out(shape, std::move(cells), where.width, where.colour)) out << line << '\n';
}

} // namespace ccbt::cli
