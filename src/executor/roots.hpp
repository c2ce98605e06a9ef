// The folders that torrents may live below. Each has an id, in the store and in a marker file (.ccbt-root) of its own:
// where the marker is missing or another's, the root is offline and nothing is read or written below it, so that an
// unmounted drive is never downloaded into. Loop thread; disks are asked off the loop.
#pragma once

#include "base/task.hpp"
#include "contract/errors.hpp"
#include "model/facts.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ccbt::executor {

using model::root_marker_name;

enum class root_state : std::uint8_t { online, offline };

/// Looks at a marker, on any thread. `adopt`: a folder not seen before is made and marked; where it has a marker
/// already, that id is taken over. Read-only folders stay without one.
struct root_check {
    model::storage_root root;
    root_state state = root_state::offline;
    std::string why; // when offline, for the log
};
[[nodiscard]] root_check check_root(model::storage_root const& root);
[[nodiscard]] root_check adopt_root(std::string const& path);

/// Absolute, without "." and "..", without a slash at the end.
[[nodiscard]] std::string plain_path(std::string const& path);
/// Is it that folder, or below it?
[[nodiscard]] bool lies_below(std::string_view path, std::string_view folder);
/// A path that lies below `folder`, relative to it; "" for the folder itself.
[[nodiscard]] std::string relative_to(std::string const& folder, std::string const& path);

class roots {
public:
    /// Roots known from the store; `allowed` are absolute paths, the first the default. Blocking: called at start.
    struct opened {
        std::vector<root_check> known;          // all, the new ones too
        std::vector<model::storage_root> fresh; // to be stored
    };
    [[nodiscard]] opened open(
        std::vector<model::storage_root> stored, std::vector<std::string> const& allowed);

    struct place {
        model::torrent_id root;
        std::string folder; // relative, "" for the root itself
    };
    /// Where output_dir lies: the longest allowed root above it. Nothing: the default root. Outside: a failure with
    /// details.reason "path_not_allowed". Links on the way are refused (openat2, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS).
    [[nodiscard]] contract::result<place> resolve(std::optional<std::string> const& output_dir) const;

    [[nodiscard]] std::vector<model::storage_root> const& all() const { return all_; }
    [[nodiscard]] std::vector<model::storage_root> const& allowed() const { return allowed_; }

private:
    std::vector<model::storage_root> all_;
    std::vector<model::storage_root> allowed_; // in the configuration's order
};

} // namespace ccbt::executor
