// How a client on the daemon's machine finds it and its key. Reads a few small files; asks no network.
#pragma once

#include "client/client.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace ccbt::client {

/// What the user said; each that is given goes before what is found.
struct local_search {
    std::optional<std::string> url, api_key, state_dir, config, ca;
    /// The environment and the place of the user's files; the process's own where not given.
    std::function<char const*(char const*)> environment{};
    std::filesystem::path working_directory = ".";
};

struct local_daemon {
    bool named = false;                // the URL was given by hand
    options how;                       // url and key
    std::filesystem::path state_dir;   // where daemon.json and api_key were looked for
    std::optional<std::int64_t> pid{}; // as daemon.json says; the process may be gone
};

/// In this order, for each of the two:
///   url      --url, CCBT_URL, <state_dir>/daemon.json (its Unix socket before its URL), http://127.0.0.1:64124
///   key      --api-key, CCBT_API_KEY, CCBT_DAEMON_API_KEY, daemon.api_key in the configuration file,
///            <state_dir>/api_key
///   state    --state-dir, CCBT_STATE_DIR, CCBT_DAEMON_STATE_DIR, daemon.state_dir in the configuration file,
///            ~/.ccbt/daemon
/// The configuration file is --config, else ccbt.toml here, ~/.config/ccbt/ccbt.toml, ~/.ccbt.toml. Of it only plain
/// strings on one line are read, in section [daemon]: the daemon alone reads TOML in full. The keys of
/// this machine's files are not sent to a URL given by hand that is not on loopback: another machine's daemon has others.
/// Nor to the socket of a daemon of the same user, who needs none. Over TLS on loopback a certificate that daemon.json names
/// is trusted, and no other, unless --ca or CCBT_CA is given.
[[nodiscard]] local_daemon find_local_daemon(local_search const& search = {});

} // namespace ccbt::client
