#include "cli/table.hpp"

#include <algorithm>
#include <numeric>

namespace ccbt::cli {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t narrowest = 8; // that a column which gives way is cut to

std::size_t total(std::vector<std::size_t> const& widths) {
    return std::accumulate(widths.begin(), widths.end(), std::size_t{0}) + gap * (widths.size() - 1);
}

std::string line_of(
    std::vector<column> const& shape, std::vector<std::size_t> const& widths, std::vector<cell> const& row,
    bool colour) {
    std::string out;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        auto const text = cut_to(i < row.size() ? row[i].text : std::string{}, widths[i]);
        std::string const pad(widths[i] - columns(text), ' ');
        auto const shown = tinted(text, i < row.size() ? row[i].colour : tint::none, colour && !text.empty());
        if (i > 0) out.append(gap, ' ');
        out += shape[i].to_the_right ? pad + shown : shown + pad;
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
}

} // namespace

std::vector<std::string> lay_out(
    std::vector<column> shape, std::vector<std::vector<cell>> rows, std::size_t width, bool colour) {
    if (shape.empty()) return {};
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        auto widest = columns(shape[i].head);
        for (auto const& row : rows)
            if (i < row.size()) widest = std::max(widest, columns(row[i].text));
        widths.push_back(widest);
    }
    if (width > 0) {
        for (std::size_t i = 0; i < shape.size() && total(widths) > width; ++i) {
            if (!shape[i].gives_way || widths[i] <= narrowest) continue;
            widths[i] = std::max(narrowest, widths[i] - std::min(widths[i], total(widths) - width));
        }
        while (widths.size() > 1 && total(widths) > width) widths.pop_back();
        if (total(widths) > width) widths[0] = width;
        // What leaving out gave back goes to the columns that were cut.
        for (std::size_t i = 0; i < widths.size() && total(widths) < width; ++i) {
            if (!shape[i].gives_way) continue;
            auto widest = columns(shape[i].head);
            for (auto const& row : rows)
                if (i < row.size()) widest = std::max(widest, columns(row[i].text));
            widths[i] = std::min(widest, widths[i] + width - total(widths));
        }
    }
    std::vector<cell> heads;
    for (auto& one : shape) heads.push_back({one.head, tint::bold});
    std::vector<std::string> lines{line_of(shape, widths, heads, colour)};
    for (auto const& row : rows) lines.push_back(line_of(shape, widths, row, colour));
    return lines;
}

} // namespace ccbt::cli
