// Rows of cells as lines that fit a width. Pure; cells are printable text already.
#pragma once

#include "cli/terminal.hpp"

#include <string>
#include <vector>

namespace ccbt::cli {

struct column {
    std::string head;
    bool to_the_right = false; // numbers
    bool gives_way = false;    // is cut first where the width is short
};
struct cell {
    std::string text;
    tint colour = tint::none;
};

/// A head line and one line a row, without a newline at their ends. Where it does not fit, the columns that give way
/// are cut down to a few columns; where that is not enough, the last columns are left out, the first always stays.
/// Width 0 bounds nothing.
[[nodiscard]] std::vector<std::string> lay_out(
    std::vector<column> columns, std::vector<std::vector<cell>> rows, std::size_t width, bool colour);

} // namespace ccbt::cli
