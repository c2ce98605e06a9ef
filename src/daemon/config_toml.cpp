#include "daemon/config_toml.hpp"

#include "base/text.hpp"

#include <algorithm>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ASSERT(...) static_assert(true) // docs/hazards/toml-asserts.md
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wconversion"
#endif
#include <toml++/toml.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

namespace ccbt::daemon {

namespace {

// TOML's bare keys; any other is shown in quotes, so that a dot in it is not taken for a section.
std::string shown(std::string_view name) {
    bool const bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    });
    return bare ? std::string{name} : wire::to_text(wire::value{std::string{name}});
}

std::string alien_type_of(toml::node const& node) {
    switch (node.type()) {
    case toml::node_type::date: return "a date";
    case toml::node_type::time: return "a time";
    case toml::node_type::date_time: return "a date and time";
    default: return {};
    }
}

wire::value value_of(toml::node const& node, std::string& alien) {
    if (auto const* s = node.as_string()) return wire::value{std::string{s->get()}};
    if (auto const* b = node.as_boolean()) return wire::value{b->get()};
    if (auto const* i = node.as_integer()) return wire::value{i->get()};
    if (auto const* d = node.as_floating_point()) return wire::value{d->get()};
    if (auto const* list = node.as_array()) {
        wire::value::array out;
        for (auto const& item : *list) out.push_back(value_of(item, alien));
        return wire::value{std::move(out)};
    }
    if (node.is_table()) return wire::value{wire::value::object{}};
    if (alien.empty()) alien = alien_type_of(node);
    return {};
}

constexpr int deepest = 32; // the deepest key there is has three parts
constexpr std::ptrdiff_t most_dots = 100;

void flatten(
    toml::table const& table, std::string const& above, std::vector<toml_entry>& out, int depth = 0) {
    for (auto const& [name, node] : table) {
        auto const key = above.empty() ? shown(name.str()) : above + '.' + shown(name.str());
        toml_entry entry{key, static_cast<std::uint32_t>(node.source().begin.line), node.is_table(), {}, {}};
        if (auto const* members = node.as_table()) {
            out.push_back(std::move(entry));
            if (depth < deepest) flatten(*members, key, out, depth + 1);
        } else {
            entry.value = value_of(node, entry.alien_type);
            out.push_back(std::move(entry));
        }
    }
}

} // namespace

expected<std::vector<toml_entry>, toml_error> read_toml(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return unexpected<toml_error>{{1, "holds a NUL byte"}};
    // toml++ goes down a key's parts by recursion, without a bound.
    std::uint32_t number = 0;
    for (auto const line : ccbt::text::split(text, '\n')) {
        ++number;
        auto const key = line.substr(0, line.find('='));
        if (std::count(key.begin(), key.end(), '.') > most_dots)
            return unexpected<toml_error>{{number, "a key has too many parts"}};
    }
    auto const read = toml::parse(text);
    if (!read)
        return unexpected<toml_error>{
            {static_cast<std::uint32_t>(read.error().source().begin.line),
             std::string{read.error().description()}}};
    std::vector<toml_entry> out;
    flatten(read.table(), {}, out);
    // toml++ keeps a table's members by name; people read by line.
    std::stable_sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.line < b.line; });
    return out;
}

} // namespace ccbt::daemon
