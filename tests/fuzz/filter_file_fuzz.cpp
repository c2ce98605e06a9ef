// filter/list and filter/expand: a list as a file, plain or compressed, within its bounds. The first byte says in what
// pieces it is expanded.
#include "base/text.hpp"
#include "filter/expand.hpp"
#include "filter/list.hpp"
#include "fuzz.hpp"

#include <algorithm>

namespace ccbt::fuzz {

namespace {

constexpr std::size_t most_text = std::size_t{1} << 20;
constexpr filter::bounds within{
    .file = 64 << 10, .text = std::int64_t{most_text}, .ratio = 50, .line = 200, .rules = 50};

struct expanded {
    std::string text;
    bool good = true;
};

std::optional<expanded> expand(std::string_view bytes, std::size_t piece) {
    auto const packed = filter::expander_for(bytes.substr(0, 6));
    if (!packed) return std::nullopt;
    expanded out;
    auto const take = [&](std::string_view some) {
        out.text += some;
        return out.text.size() <= most_text;
    };
    for (std::size_t at = 0; out.good && at < bytes.size(); at += piece)
        out.good = packed->feed(bytes.substr(at, piece), take);
    out.good = out.good && packed->is_whole();
    return out;
}

} // namespace

void look_at(std::string_view bytes) {
    static memory_file const file;
    auto const piece = take_byte(bytes) + 1;
    file.hold(bytes);
    filter::progress told;
    auto const read = filter::read_list(file.path(), "list", within, told);
    auto const packed = expand(bytes, std::max<std::size_t>(bytes.size(), 1));
    if (packed && packed->good) {
        auto const again = expand(bytes, piece);
        require(
            again && again->good && again->text == packed->text, "pieces of any size are the same text",
            bytes);
    }
    if (!read) {
        require(read.error().file == "list" && !read.error().why.empty(), "a refusal says why", bytes);
        return;
    }
    require(bytes.size() <= static_cast<std::size_t>(within.file), "a file keeps within its size");
    require(!packed || packed->good, "what is taken is whole", bytes);
    require(
        read->rules <= within.rules && std::int64_t(read->ranges.size()) <= read->rules, "rules are bounded",
        bytes);
    require(
        read->bad.size() == std::min<std::size_t>(filter::bad_lines_told, std::size_t(read->bad_count)),
        "the first bad lines are told", bytes);
    // The same, line by line.
    std::string_view text = packed ? std::string_view{packed->text} : bytes;
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    ip_range_list ranges;
    std::int64_t bad = 0;
    for (auto const line : text::split(text, '\n')) {
        auto const says = filter::read_line(line);
        bool const is_long = line.size() > within.line;
        if (says.means == filter::meaning::rule && !is_long) ranges.push_back(says.range);
        if (says.means == filter::meaning::malformed || is_long) ++bad;
    }
    require(ranges == read->ranges && bad == read->bad_count, "a file says what its lines say", bytes);
}

} // namespace ccbt::fuzz
