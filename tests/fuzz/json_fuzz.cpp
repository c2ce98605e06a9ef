// wire/json: the text of a body or a message to a value, and back.
#include "base/text.hpp"
#include "fuzz.hpp"
#include "wire/json.hpp"

#include <set>

namespace ccbt::fuzz {

namespace {

struct measure {
    wire::json_limits const& limits;
    std::size_t values = 0;

    void text(std::string const& s) const {
        require(s.size() <= limits.string_bytes, "a string keeps within its limit");
        require(text::is_valid_utf8(s), "a string is UTF-8", s);
    }
    void look(wire::value const& v, std::size_t depth) {
        ++values;
        if (auto const* s = v.get_if<std::string>()) text(*s);
        if (auto const* list = v.get_if<wire::value::array>()) {
            require(depth < limits.depth, "depth keeps within its limit");
            for (auto const& item : *list) look(item, depth + 1);
        }
        if (auto const* members = v.get_if<wire::value::object>()) {
            require(depth < limits.depth, "depth keeps within its limit");
            std::set<std::string_view> names;
            for (auto const& [name, member] : *members) {
                text(name);
                require(names.insert(name).second, "no key stands twice", name);
                look(member, depth + 1);
            }
        }
    }
};

void hold(std::string_view bytes, wire::json_limits const& limits) {
    auto const read = wire::parse(bytes, limits);
    if (!read) {
        require(!read.error().empty() && text::is_valid_utf8(read.error()), "a refusal is told in UTF-8");
        return;
    }
    measure m{limits};
    m.look(*read, 0);
    require(m.values <= limits.elements, "values keep within their limit");
    require(text::is_valid_utf8(bytes), "what is read is UTF-8", bytes);
    for (int const indent : {0, 2}) {
        auto const written = wire::to_text(*read, indent);
        require(text::is_valid_utf8(written), "what is written is UTF-8", written);
        auto const again = wire::parse(written, {.string_bytes = limits.string_bytes});
        require(again && *again == *read, "what is written reads back the same", written);
    }
}

} // namespace

void look_at(std::string_view bytes) {
    hold(bytes, {});
    hold(bytes, {.depth = 3, .elements = 20, .string_bytes = 16});
    wire::writer out;
    out.text(bytes); // any bytes at all
    auto const written = out.take_text();
    auto const read = wire::parse(written, {.string_bytes = bytes.size() * 3});
    require(read && read->get_if<std::string>() != nullptr, "any bytes are written as a string", written);
    if (text::is_valid_utf8(bytes) && bytes.find('\0') == bytes.npos)
        require(*read->get_if<std::string>() == bytes, "UTF-8 is written as it is", written);
}

} // namespace ccbt::fuzz
