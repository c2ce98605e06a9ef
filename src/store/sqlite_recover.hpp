// A store that is damaged is read as far as it can be, into a new one; the damaged one is kept beside it. For a state
// that no daemon uses: the caller holds its lock. Blocks.
#pragma once

#include "base/result.hpp"
#include "store/open_failure.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace ccbt::store {

struct recovery {
    bool needed = false;             // false: nothing is damaged, and nothing was changed
    std::filesystem::path kept;      // the damaged store, under its new name
    std::vector<std::string> report; // lines for people: what was read, what was lost
    std::size_t lost = 0;            // records that could not be read
};

/// `tell` hears how far it is, a line at a time. The store is replaced in the end, whole; until then, and where this
/// fails, nothing of it is touched. Failure: no store at all or one that is not ours (65), of a newer version (65),
/// no space for the new one (73).
[[nodiscard]] expected<recovery, open_failure> recover(
    std::filesystem::path const& database, std::function<void(std::string const&)> const& tell);

} // namespace ccbt::store
