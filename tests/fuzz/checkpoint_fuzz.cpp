// backup/checkpoint: a checkpoint of the Python daemon, as a client sends it.
#include "backup/checkpoint.hpp"
#include "base/text.hpp"
#include "fuzz.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <set>

namespace ccbt::fuzz {

void look_at(std::string_view bytes) {
    auto const read = backup::read_checkpoint(bytes);
    if (!read) {
        require(read.error().field.starts_with("checkpoint"), "a refusal names a field", read.error().field);
        require(text::is_valid_utf8(read.error().message), "a refusal is told in UTF-8", bytes);
        return;
    }
    require(
        std::adjacent_find(read->verified.begin(), read->verified.end(), std::greater_equal<>{}) ==
            read->verified.end(),
        "pieces are in order and none stands twice", bytes);
    require(
        read->verified.empty() || read->verified.back() < read->said.total_pieces,
        "pieces are below their number", bytes);
    std::set<std::int64_t> files;
    if (read->selections)
        for (auto const& one : *read->selections) {
            require(one.index >= 0 && one.priority <= 7, "a selection is of a file, with a priority", bytes);
            require(files.insert(one.index).second, "no file is selected twice", bytes);
        }
    auto const written = wire::to_json(read->said);
    auto const again = backup::read_checkpoint(written);
    require(again.has_value(), "what is written is a checkpoint", written);
    require(
        wire::to_json(again->said) == written && again->verified == read->verified, "it reads back", written);
    require(
        again->selections.has_value() == read->selections.has_value(), "its selections read back", written);
}

} // namespace ccbt::fuzz
