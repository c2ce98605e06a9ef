// daemon/config_toml: TOML to keys and lines, without asking what the keys mean.
#include "base/text.hpp"
#include "daemon/config_toml.hpp"
#include "fuzz.hpp"
#include "wire/json.hpp"

#include <algorithm>
#include <set>

namespace ccbt::fuzz {

void look_at(std::string_view bytes) {
    auto const read = daemon::read_toml(bytes);
    auto const lines = static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n')) + 1;
    if (!read) {
        require(!read.error().message.empty(), "a refusal says why", bytes);
        require(text::is_valid_utf8(read.error().message), "a refusal is UTF-8", bytes);
        require(read.error().line <= lines + 1, "a refusal is of a line that there is", bytes);
        return;
    }
    require(text::is_valid_utf8(bytes), "what is read is UTF-8", bytes);
    std::uint32_t line = 0;
    std::set<std::string> keys;
    for (auto const& e : *read) {
        require(e.line >= line && e.line <= lines, "entries come by line", bytes);
        line = e.line;
        require(!e.key.empty() && text::is_valid_utf8(e.key), "a key is UTF-8", bytes);
        require(keys.insert(e.key).second, "no key stands twice", e.key);
        require(!e.is_table || e.value.is_null(), "a section has no value", e.key);
        require(text::is_valid_utf8(wire::to_text(e.value)), "a value is UTF-8", e.key);
    }
}

} // namespace ccbt::fuzz
