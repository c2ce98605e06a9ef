// The words that ccbtd is started with. Knows which flags there are and nothing of what they lead to.
#pragma once

#include "base/result.hpp"
#include "daemon/config.hpp"
#include "daemon/exit_codes.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ccbt::daemon {

struct options {
    std::optional<std::filesystem::path> config; // --config FILE
    std::optional<std::string> state_dir;        // --state-dir DIR
    std::vector<flag_setting> set;               // --set section.key=value, in the order given
    std::optional<std::int64_t> demo;            // --demo N
    std::optional<int> engine_alerts; // --engine-alerts N, which --help does not name: for tests of losses
    bool version = false;             // --version
    bool check_config = false;        // --check-config
    bool recover = false;             // --recover

    /// Where the configuration comes from under these flags. --state-dir wins over --set.
    [[nodiscard]] config_sources sources() const;
};

/// What to print and leave with instead of running: --help, or flags that are wrong (to standard error then).
struct early_end {
    exit_code code = exit_code::clean;
    std::string text; // ends with a newline
};

[[nodiscard]] expected<options, early_end> parse_options(int argc, char const* const* argv);

} // namespace ccbt::daemon
