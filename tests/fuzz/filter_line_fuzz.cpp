// filter/line: one line of a list of addresses.
#include "filter/line.hpp"
#include "fuzz.hpp"

namespace ccbt::fuzz {

void look_at(std::string_view bytes) {
    auto const line = filter::read_line(bytes);
    if (line.means != filter::meaning::rule && line.means != filter::meaning::idle) return;
    require(line.range.first <= line.range.last, "a range has an order", bytes);
    require(line.range.first.is_v4() == line.range.last.is_v4(), "a range is of one family", bytes);
    require(bytes.size() <= filter::longest_line, "a long line says nothing", bytes);
    auto const plain = filter::read_line(line.range.text());
    require(plain.means == filter::meaning::rule && plain.range == line.range, "a range reads back", bytes);
    auto const p2p = filter::read_line("some name: of it:" + line.range.text());
    require(
        p2p.means == filter::meaning::rule && p2p.range == line.range, "a name in front changes nothing",
        bytes);
}

} // namespace ccbt::fuzz
