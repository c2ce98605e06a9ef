// `ccbt config get|set|unset|explain`: values as people write them, and what became of them.
#include "base/text.hpp"
#include "cli/deeds.hpp"
#include "cli/print.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <ostream>

namespace ccbt::cli {

namespace {

using wire::field_kind;

int code(exit_code c) { return static_cast<int>(c); }

struct known_key {
    std::string name;
    wire::field_facts const* facts;
};
void collect(
    std::vector<wire::field_facts> const& from, std::string const& above, std::vector<known_key>& into) {
    for (auto const& f : from) {
        auto name = above.empty() ? std::string{f.name} : above + '.' + std::string{f.name};
        if (f.kind == field_kind::object)
            collect(f.members, name, into);
        else
            into.push_back({std::move(name), &f});
    }
}
std::vector<known_key> const& keys() {
    static auto const all = [] {
        std::vector<known_key> made;
        collect(wire::settings_facts(), {}, made);
        return made;
    }();
    return all;
}

std::string unknown(std::string_view key) {
    std::vector<std::string_view> names, leaves;
    for (auto const& k : keys()) names.push_back(k.name);
    auto near = std::string{text::nearest(key, names)};
    for (auto const& k : keys())
        if (near.empty() && k.name.substr(k.name.rfind('.') + 1) == key) near = k.name;
    return fmt::format(
        "\"{}\" is no key{}", printable(key), near.empty() ? "" : "; did you mean " + near + '?');
}

// As its type is written; what does not fit goes as text, and the daemon says what it should be.
wire::value value_of(wire::field_facts const& facts, std::string const& written) {
    switch (facts.kind) {
    case field_kind::flag:
        if (written == "true" || written == "yes" || written == "on" || written == "1")
            return wire::value{true};
        if (written == "false" || written == "no" || written == "off" || written == "0")
            return wire::value{false};
        return wire::value{written};
    case field_kind::whole:
    case field_kind::number: return wire::parse(written).value_or(wire::value{written});
    case field_kind::list: {
        if (written.starts_with('[')) return wire::parse(written).value_or(wire::value{written});
        wire::value::array items;
        for (auto const piece : text::split(written, ','))
            if (auto const item = text::trim(piece); !item.empty()) items.emplace_back(std::string{item});
        return wire::value{std::move(items)};
    }
    default: return wire::value{written};
    }
}

wire::value const* find(wire::value const& in, std::string_view key) {
    auto const* at = &in;
    for (auto const part : text::split(key, '.'))
        if (at != nullptr) at = at->find(part);
    return at;
}

int put(session& s, std::string const& key, wire::value v) {
    auto const parts = text::split(key, '.');
    for (auto at = parts.rbegin(); at != parts.rend(); ++at) {
        wire::value::object around;
        around.emplace_back(std::string{*at}, std::move(v));
        v = wire::value{std::move(around)};
    }
    auto const got = s.daemon.call(*wire::find_endpoint("config.update"), *v.get_if<wire::value::object>());
    if (!got) return code(s.tell(got.error()));
    if (s.json) {
        print_json(s.out, got->text, s.term);
        return 0;
    }
    auto const read = wire::parse(got->text).value_or(wire::value{});
    auto const* config = read.find("config");
    auto const* now = config == nullptr ? nullptr : find(*config, key);
    s.out << key << " = " << (now == nullptr ? "?" : printable(wire::to_text(*now))) << '\n';
    if (read.flag_or("restart_required", false))
        s.out << "takes effect at the next start: ccbt daemon restart\n";
    return 0;
}

known_key const* find_key(std::string_view name) {
    auto const at = std::find_if(keys().begin(), keys().end(), [&](auto const& k) { return k.name == name; });
    return at == keys().end() ? nullptr : &*at;
}

std::string text_of(wire::value const& row, std::string_view field) {
    auto const* v = row.find(field);
    return v == nullptr ? "" : printable(wire::to_text(*v));
}

} // namespace

int get_config(session& s, command const& what, given const& words) {
    auto const got = s.daemon.call(*what.endpoint, {});
    if (!got) return code(s.tell(got.error()));
    auto const read = wire::parse(got->text).value_or(wire::value{});
    auto const key = words.one("key");
    auto const* const part = key.empty() ? &read : find(read, key);
    if (part == nullptr) return code(s.wrong_usage(unknown(key)));
    if (s.json)
        print_json(s.out, wire::to_text(*part), s.term);
    else if (auto const* word = part->get_if<std::string>())
        s.out << printable(*word) << '\n';
    else if (part->get_if<wire::value::object>() == nullptr)
        s.out << printable(wire::to_text(*part)) << '\n';
    else
        for (auto const& k : keys())
            if (key.empty() || k.name.starts_with(key + '.'))
                if (auto const* v = find(read, k.name))
                    s.out << k.name << " = " << printable(wire::to_text(*v)) << '\n';
    return 0;
}

int set_config(session& s, command const&, given const& words) {
    auto key = words.one("key");
    auto written = words.one("value");
    if (!words.has("value")) {
        auto const equals = key.find('=');
        if (equals == std::string::npos) return code(s.wrong_usage("config set KEY VALUE, or KEY=VALUE"));
        written = key.substr(equals + 1);
        key.resize(equals);
    }
    auto const* known = find_key(key);
    if (known == nullptr) return code(s.wrong_usage(unknown(key)));
    return put(s, key, value_of(*known->facts, written));
}

int unset_config(session& s, command const&, given const& words) {
    auto const key = words.one("key");
    if (find_key(key) == nullptr) return code(s.wrong_usage(unknown(key)));
    return put(s, key, wire::value{});
}

void print_explained(std::ostream& out, wire::value const& answer, terminal const& where) {
    auto const& rows = answer.list_or_empty("keys");
    if (rows.size() != 1) {
        std::vector<std::vector<cell>> cells;
        for (auto const& row : rows)
            cells.push_back(
                {{text_of(row, "key").substr(1, text_of(row, "key").size() - 2)},
                 {text_of(row, "value")},
                 {printable(row.text_or("origin", ""))},
                 {row.flag_or("restart", false) ? "restart" : "at once"}});
        std::vector<column> const shape{{"KEY"}, {"VALUE", false, true}, {"FROM", false, true}, {"CHANGES"}};
        for (auto const& line : lay_out(shape, std::move(cells), where.width, where.colour))
            out << line << '\n';
        return;
    }
    auto const& row = rows.front();
    out << printable(row.text_or("key", "")) << ": " << printable(row.text_or("description", "")) << '\n';
    out << "type:     " << printable(row.text_or("type", ""));
    if (auto const* least = row.find("minimum"); least != nullptr && !least->is_null())
        out << fmt::format(", {} to {}", row.number_or("minimum", 0), row.number_or("maximum", 0));
    for (auto const& choice : row.list_or_empty("choices")) out << ' ' << printable(wire::to_text(choice));
    out << "\ndefault:  " << text_of(row, "default") << "\nvalue:    " << text_of(row, "value")
        << "\nfrom:     "
        << (row.text_or("origin", "") == "override" ? "set over the API (config set)"
                                                    : printable(row.text_or("origin", "")))
        << '\n';
    if (row.flag_or("laid_over", false))
        out << "without:  " << text_of(row, "beneath") << ", " << printable(row.text_or("beneath_origin", ""))
            << '\n';
    out << "changes:  "
        << (row.flag_or("restart", false) ? "take effect at the next start" : "take effect at once")
        << (row.flag_or("pending", false) ? "; one waits for it" : "") << '\n';
}

} // namespace ccbt::cli
