// The command line as a whole: words in, exit code out. Knows CLI11; no other file of the room does.
#pragma once

#include "cli/terminal.hpp"

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace ccbt::cli {

struct surroundings {
    std::ostream& out;
    std::ostream& err;
    terminal term{};
    std::function<char const*(char const*)> environment{}; // the process's own where not given
};

/// `words`: what stands after the program's name.
[[nodiscard]] int run(std::vector<std::string> words, surroundings const& around);

} // namespace ccbt::cli
