// The files of web/ that stand in the binary, put there by the build (src/base/web_files.cpp.in). Any thread.
#pragma once

#include <string_view>

namespace ccbt {

struct web_file {
    std::string_view name; // "docs/docs.js"
    std::string_view type; // of its content
    std::string_view text;
};

/// Null where there is none of that name.
[[nodiscard]] web_file const* find_web_file(std::string_view name);

} // namespace ccbt
