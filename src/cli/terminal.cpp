#include "cli/terminal.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace ccbt::cli {

namespace {

struct point {
    char32_t code = 0;
    std::size_t bytes = 1;
};

// `utf8` is well-formed and not empty.
point first_of(std::string_view utf8) {
    auto const lead = static_cast<unsigned char>(utf8[0]);
    std::size_t const bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t code = bytes == 1 ? lead : lead & (0xFFU >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i)
        code = (code << 6U) | (static_cast<unsigned char>(utf8[i]) & 0x3FU);
    return {code, bytes};
}

using range = std::pair<char32_t, char32_t>;
template <std::size_t N> bool within(char32_t code, std::array<range, N> const& ranges) {
    return std::any_of(
        ranges.begin(), ranges.end(), [&](range const& r) { return code >= r.first && code <= r.second; });
}

constexpr std::array wide{range{0x1100, 0x115F},   range{0x2E80, 0x303E},   range{0x3041, 0xA4CF},
                          range{0xAC00, 0xD7A3},   range{0xF900, 0xFAFF},   range{0xFE30, 0xFE6F},
                          range{0xFF00, 0xFF60},   range{0xFFE0, 0xFFE6},   range{0x1F300, 0x1F64F},
                          range{0x1F680, 0x1F6FF}, range{0x1F900, 0x1F9FF}, range{0x20000, 0x3FFFD}};
constexpr std::array without_width{range{0x0300, 0x036F}, range{0x1AB0, 0x1AFF}, range{0x1DC0, 0x1DFF},
                                   range{0x200B, 0x200F}, range{0x20D0, 0x20FF}, range{0xFE00, 0xFE0F},
                                   range{0xFE20, 0xFE2F}, range{0xFEFF, 0xFEFF}};
// C0, DEL and C1; marks that turn or isolate direction, and line separators.
constexpr std::array driving{range{0x00, 0x1F},     range{0x7F, 0x9F},     range{0x061C, 0x061C},
                             range{0x200E, 0x200F}, range{0x2028, 0x202E}, range{0x2066, 0x2069}};

std::size_t columns_of(char32_t code) { return within(code, without_width) ? 0 : within(code, wide) ? 2 : 1; }

} // namespace

terminal look_at_terminal() {
    terminal made;
    made.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
    made.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
    if (made.out_is_terminal) {
        winsize size{};
        made.width = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    }
    char const* no_colour = std::getenv("NO_COLOR");
    char const* kind = std::getenv("TERM");
    made.colour = made.out_is_terminal && (no_colour == nullptr || *no_colour == '\0') &&
                  (kind == nullptr || std::string_view{kind} != "dumb");
    return made;
}

std::string printable(std::string_view text, bool keep_newlines) {
    auto const valid = text::to_valid_utf8(text);
    std::string out;
    out.reserve(valid.size());
    for (std::string_view rest = valid; !rest.empty();) {
        auto const p = first_of(rest);
        if (within(p.code, driving) && !(keep_newlines && p.code == '\n'))
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(p.code));
        else
            out += rest.substr(0, p.bytes);
        rest.remove_prefix(p.bytes);
    }
    return out;
}

std::size_t columns(std::string_view utf8) {
    std::size_t sum = 0;
    for (; !utf8.empty(); utf8.remove_prefix(first_of(utf8).bytes)) sum += columns_of(first_of(utf8).code);
    return sum;
}

std::string cut_to(std::string_view utf8, std::size_t width) {
    if (columns(utf8) <= width) return std::string{utf8};
    if (width == 0) return {};
    std::size_t taken = 0;
    std::size_t bytes = 0;
    while (bytes < utf8.size()) {
        auto const p = first_of(utf8.substr(bytes));
        if (taken + columns_of(p.code) > width - 1) break;
        taken += columns_of(p.code);
        bytes += p.bytes;
    }
    return std::string{utf8.substr(0, bytes)} + "…";
}

std::string tinted(std::string_view text, tint colour, bool wanted) {
    constexpr std::array codes{"0", "1", "2", "31", "32", "33", "36"};
    if (!wanted || colour == tint::none) return std::string{text};
    return fmt::format("\x1b[{}m{}\x1b[0m", codes[static_cast<std::size_t>(colour)], text);
}

} // namespace ccbt::cli
