// State files for the tests of export and import: written by a daemon, changed by a hand that knows how to sum them.
#pragma once

#include "support/daemon.hpp"
#include "support/temp_folder.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <string>

namespace ccbt::support {

/// The file that POST /torrents/export-state wrote.
[[nodiscard]] inline std::string exported(daemon const& by) {
    auto const said = by.post("/torrents/export-state");
    EXPECT_EQ(said.status, 200) << said.body;
    return std::string{said.json.text_or("path", "")};
}
inline answer import_of(daemon const& into, std::filesystem::path const& file) {
    return into.post("/torrents/import-state", R"({"path":)" + to_text(value{file.string()}) + '}');
}

[[nodiscard]] inline value* member(value& of, std::string_view name) {
    for (auto& [key, held] : *of.get_if<value::object>())
        if (key == name) return &held;
    throw std::runtime_error("no member " + std::string{name});
}
[[nodiscard]] inline value read_state(std::filesystem::path const& file) {
    auto read = wire::parse(read_file(file), {.elements = 1'000'000, .string_bytes = 1 << 26});
    if (!read) throw std::runtime_error(read.error());
    return std::move(*read);
}
/// As an export lays it out, with the checksum of what is in it.
inline void write_state(std::filesystem::path const& file, value const& state) {
    std::string text = R"({"format":"ccbt-state","version":1,"state":)" + to_text(*state.find("state")) +
                       ",\"torrents\":[\n";
    auto const& torrents = state.list_or_empty("torrents");
    for (std::size_t i = 0; i < torrents.size(); ++i) text += (i == 0 ? "" : ",\n") + to_text(torrents[i]);
    text += (torrents.empty() ? "" : "\n") + std::string{"],\"count\":"} + std::to_string(torrents.size()) +
            ",\n";
    write_file(file, text);
    write_file(file, text + "\"checksum\":\"" + sha256_of(file) + "\"}\n");
}
/// What two daemons with the same torrents say alike: all but who wrote it, when, and the engine's own data.
[[nodiscard]] inline std::string essence(value state) {
    value::object out;
    for (auto const& [key, held] : *state.find("state")->get_if<value::object>())
        if (key != "created_at" && key != "lineage") out.emplace_back(key, held);
    value::array torrents;
    for (auto const& one : state.list_or_empty("torrents")) {
        value::object made;
        for (auto const& [key, held] : *one.get_if<value::object>())
            if (key != "resume") made.emplace_back(key, held);
        torrents.emplace_back(std::move(made));
    }
    out.emplace_back("torrents", std::move(torrents));
    return to_text(value{std::move(out)}, 1);
}

[[nodiscard]] inline bool is_settled(value const& row) {
    return state_of(row) != "starting" && state_of(row) != "checking";
}

} // namespace ccbt::support
