// What a power cut may leave of what a process wrote, from the log of the shim that it ran under (LD_PRELOAD). Synced
// content stays, a name stays once its folder is synced; of the rest nothing, or whatever chance leaves of it.
#pragma once

#include "support/power_cut_log.hpp"

#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace ccbt::support {

/// How likely what was not synced stays: of a write each piece of 4 KiB and of a file each new size for itself, of a
/// folder's new names the first so many.
struct chances {
    double data = 0, sizes = 0, names = 0;
};

class power_cut_log {
public:
    explicit power_cut_log(std::filesystem::path const& log);

    [[nodiscard]] std::size_t size() const { return records_.size(); }
    /// Behind each answer of success, in order: a cut there leaves all that was acknowledged until then.
    [[nodiscard]] std::vector<std::size_t> behind_answers() const;

    /// Builds `root` anew from the first `cut` records: what was synced, and by chance of the rest.
    void leave(
        std::filesystem::path const& root, std::size_t cut, chances survives, std::mt19937_64& random) const;

private:
    struct entry {
        power_cut::record what;
        std::string name, data;
    };
    std::vector<entry> records_;
};

} // namespace ccbt::support
