// What the text goes to, and how wide it is there. Pure but for look_at_terminal(). Knows nothing of torrents.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ccbt::cli {

struct terminal {
    bool out_is_terminal = false;
    bool err_is_terminal = false;
    std::size_t width = 0; // of standard output, columns; 0: no bound, it is a file or a pipe
    bool colour = false;   // a terminal, and neither NO_COLOR nor TERM=dumb
};
[[nodiscard]] terminal look_at_terminal(); // of this process, now

/// Well-formed UTF-8 in which nothing drives a terminal: control characters and marks that turn the direction of
/// text are written as \u001b. `keep_newlines` for JSON laid out for people: there the rest reads back the same.
[[nodiscard]] std::string printable(std::string_view text, bool keep_newlines = false);

/// Columns that it takes; wide characters take two, combining ones none.
[[nodiscard]] std::size_t columns(std::string_view utf8);
/// At most so many columns, "…" in the place of what was cut; never within a code point.
[[nodiscard]] std::string cut_to(std::string_view utf8, std::size_t width);

enum class tint { none, bold, dim, red, green, yellow, cyan };
[[nodiscard]] std::string tinted(std::string_view text, tint colour, bool wanted);

} // namespace ccbt::cli
