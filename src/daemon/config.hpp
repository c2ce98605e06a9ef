// The configuration as the daemon runs with it: defaults, then the file, then what PUT /config keeps in the store, then
// the environment and the flags, each laid over what came before. Every key comes from contract/settings.hpp.
//
// Any thread, blocking reads of small files; nothing is written, least of all the user's file. A relative path in any
// source is relative to the folder that the daemon was started in, as with the Python daemon, and "~" is the home.
#pragma once

#include "base/result.hpp"
#include "contract/errors.hpp"
#include "contract/settings.hpp"
#include "daemon/exit_codes.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ccbt::daemon {

/// A key set on the command line.
struct flag_setting {
    std::string key;  // "limits.global_down_kib"
    std::string text; // as written; a list is comma separated
    std::string flag = "--set";
};

struct config_sources {
    std::optional<std::filesystem::path> file; // --config: it must be there
    std::filesystem::path here; // where ccbt.toml is looked for, and what relative paths start from
    std::filesystem::path home; // what ~ is; empty: not known
    std::vector<std::pair<std::string, std::string>>
        environment; // the variables CCBT_…; an empty one is not set
    std::vector<flag_setting> flags;
};
/// This process's folder, home (HOME, else the password file's) and environment; no file, no flags.
[[nodiscard]] config_sources sources_of_process();

struct loaded_config {
    contract::settings settings; // complete: paths absolute, derived defaults filled in
    std::filesystem::path file;  // empty where none was found
    /// key -> "default", "ccbt.toml:12", "environment CCBT_…", "flag --set", "override"
    std::map<std::string, std::string> origins;
    std::vector<std::string> warnings;

    contract::settings
        written; // with the overrides, as people wrote it: paths and defaults are not made whole
    contract::settings sourced; // the same without the overrides
    std::map<std::string, std::string> sourced_origins;
    std::vector<std::pair<std::string, std::string>> overrides; // what is laid over, (key, JSON)
    std::filesystem::path here, home;
};

/// All that is wrong, a sentence each: "ccbt.toml:12: limits.global_down_kib: must be between 0 and 2097151, is -5".
/// Never holds the value of a secret.
struct config_error {
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
    std::vector<contract::problem> found{};    // the problems by key
    [[nodiscard]] std::string message() const; // the problems, a line each, without a last newline
};

[[nodiscard]] expected<loaded_config, config_error> load_config(config_sources const& sources);

/// Lays over what PUT /config has kept: (key, JSON text), in the place of what was laid over. Environment and flags go
/// before. One that no longer fits its key is left out with a warning; daemon.state_dir too, which says where these are
/// kept. An error, and `config` unchanged, where the whole no longer
/// holds together.
[[nodiscard]] expected<void, config_error> apply_overrides(
    loaded_config& config, std::vector<std::pair<std::string, std::string>> const& overrides);

/// Those that may come from elsewhere (an imported backup): they fit their keys, hold together with the rest, and
/// steer transfers: limits, queue, numbers of peers, discovery. Nothing of the door, folders or proxies. None where the whole does not hold together.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> fitting_overrides(
    loaded_config const& config, std::vector<std::pair<std::string, std::string>> const& given);

/// Is it the environment or a flag, which go before what is laid over?
[[nodiscard]] bool is_fixed(std::string_view origin);

/// Decodes one value as PUT /config gets it, into `into`; what is wrong, or nothing.
[[nodiscard]] std::vector<contract::problem> set_key(
    contract::settings& into, std::string_view key, std::string_view json);

struct config_changes {
    std::vector<std::string> keys;    // whose values differ
    std::vector<std::string> restart; // of these, what takes effect only at the next start
};
[[nodiscard]] config_changes changes_between(
    contract::settings const& before, contract::settings const& after);

/// What --check-config prints, and the code to leave with.
struct config_report {
    exit_code code = exit_code::clean;
    std::string text;
};
[[nodiscard]] config_report check_config(config_sources const& sources);

} // namespace ccbt::daemon
