#include "backup/checkpoint.hpp"

#include "wire/codec.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace ccbt::backup {

namespace {

using contract::problem;

constexpr wire::json_limits limits{.depth = 32, .elements = 2'000'000, .string_bytes = std::size_t{1} << 20};

struct named_priority {
    std::string_view name;
    std::uint8_t value;
};
constexpr std::array priorities{
    named_priority{"do_not_download", 0}, named_priority{"low", 1}, named_priority{"normal", 4},
    named_priority{"high", 6}, named_priority{"maximum", 7}};

unexpected<problem> wrong(std::string const& field, std::string message) {
    return unexpected<problem>{{field.empty() ? "checkpoint" : "checkpoint." + field, std::move(message)}};
}

expected<selected_file, problem> read_selection(std::string const& key, wire::value const& v) {
    auto const field = key.size() > 20 ? std::string{"file_selections"} : "file_selections." + key;
    selected_file made;
    auto const [end, failed] = std::from_chars(key.data(), key.data() + key.size(), made.index);
    // "00" would be a second selection of the file "0".
    if (failed != std::errc{} || made.index < 0 || key != std::to_string(made.index))
        return wrong(field, "must be named by a file's index");
    if (v.get_if<wire::value::object>() == nullptr) return wrong(field, "must be an object");
    bool selected = true;
    if (auto const* s = v.find("selected"); s != nullptr && !s->is_null()) {
        if (s->get_if<bool>() == nullptr) return wrong(field + ".selected", "must be true or false");
        selected = *s->get_if<bool>();
    }
    if (auto const* p = v.find("priority"); p != nullptr && !p->is_null()) {
        auto const* name = p->get_if<std::string>();
        auto const* const at = std::find_if(priorities.begin(), priorities.end(), [&](auto const& one) {
            return name != nullptr && text::equal_ignoring_case(one.name, *name);
        });
        if (at == priorities.end())
            return wrong(field + ".priority", "must be one of do_not_download, low, normal, high, maximum");
        made.priority = at->value;
    }
    if (!selected) made.priority = 0;
    return made;
}

} // namespace

expected<checkpoint_read, problem> read_checkpoint(std::string_view json) {
    auto const value = wire::parse(json, limits);
    if (!value) return wrong("", value.error());
    auto const* const members = value->get_if<wire::value::object>();
    if (members == nullptr) return wrong("", "must be an object");
    checkpoint_read made;
    wire::problems found;
    wire::decode_members(*members, made.said, "checkpoint", found);
    if (!found.none()) return unexpected<problem>{found.list.front()};
    auto const& said = made.said;
    if (said.version != "1.0") return wrong("version", "must be \"1.0\"");
    if (auto const& v = said.verified_pieces; !v.empty()) {
        made.verified.assign(v.begin(), v.end());
        std::sort(made.verified.begin(), made.verified.end());
        made.verified.erase(std::unique(made.verified.begin(), made.verified.end()), made.verified.end());
        if (made.verified.back() >= static_cast<std::uint64_t>(said.total_pieces))
            return wrong(
                "verified_pieces", "must be below total_pieces (" + std::to_string(said.total_pieces) +
                                       "), one is " + std::to_string(made.verified.back()));
    }
    auto const* const selections = value->find("file_selections");
    if (selections == nullptr || selections->is_null()) return made;
    auto const* const by_index = selections->get_if<wire::value::object>();
    if (by_index == nullptr) return wrong("file_selections", "must be an object");
    made.selections.emplace();
    for (auto const& [key, v] : *by_index) {
        auto const one = read_selection(key, v);
        if (!one) return unexpected<problem>{one.error()};
        made.selections->push_back(*one);
    }
    return made;
}

contract::json_text piece_states_of(std::vector<std::int64_t> const& verified) {
    wire::writer out;
    out.begin_object();
    for (auto const piece : verified) {
        out.key(std::to_string(piece));
        out.text("verified");
    }
    out.end_object();
    return {out.take_text()};
}

contract::json_text selections_of(std::vector<std::uint8_t> const& wanted) {
    if (std::all_of(wanted.begin(), wanted.end(), [](auto p) { return p == 4; })) return {};
    wire::writer out;
    out.begin_object();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        // Of libtorrent's eight the name that is nearest from below: 2 and 3 are low, 5 is normal.
        auto const* at = priorities.begin();
        for (auto const& one : priorities)
            if (one.value <= wanted[i]) at = &one;
        out.key(std::to_string(i));
        out.begin_object();
        out.key("selected");
        out.boolean(wanted[i] != 0);
        out.key("priority");
        out.text(wanted[i] == 0 ? std::string_view{"do_not_download"} : at->name);
        out.end_object();
    }
    out.end_object();
    return {out.take_text()};
}

} // namespace ccbt::backup
