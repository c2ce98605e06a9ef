// What a power cut may leave of what a process wrote, from the log of the shim that it ran under (LD_PRELOAD). Synced
// content stays, a name stays once its folder is synced; of the rest nothing, or whatever chance leaves of it.
#pragma once

#include "support/power_cut_log.hpp"

#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace ccbt::support {

class power_cut_log {
public:
    explicit power_cut_log(std::filesystem::path const& log);

    [[nodiscard]] std::size_t size() const { return records_.size(); }
    /// Behind each answer of success, in order: a cut there leaves all that was acknowledged until then.
    [[nodiscard]] std::vector<std::size_t> behind_answers() const;

    /// Builds `root` anew from the first `cut` records. What was not synced stays with the probability `survives`: of
    /// a write each piece of 4 KiB for itself, of a folder's changes the first so many.
    void leave(
        std::filesystem::path const& root, std::size_t cut, double survives, std::mt19937_64& random) const;

private:
    struct entry {
        power_cut::record what;
        std::string name, data;
    };
    std::vector<entry> records_;
};

} // namespace ccbt::support
