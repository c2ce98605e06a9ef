// One run of the tool: the daemon that it speaks to, where its text goes, and how errors are told.
#pragma once

#include "cli/exit_codes.hpp"
#include "cli/terminal.hpp"
#include "client/client.hpp"
#include "client/local.hpp"

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>

namespace ccbt::cli {

class session {
public:
    struct streams {
        std::ostream& out;
        std::ostream& err;
        terminal term;
    };
    session(streams to, client::local_daemon where, bool json);

    std::ostream& out;
    std::ostream& err;
    terminal term;
    client::local_daemon where;
    bool json;
    std::optional<std::string> config{}; // --config and --state-dir as given, for a daemon to start
    std::optional<std::string> state_dir{};
    std::string home{}; // the user's, for key files
    client::client daemon;

    /// Tells the error and what to do about it.
    [[nodiscard]] exit_code tell(client::client_error const& error) const;
    [[nodiscard]] exit_code wrong_usage(std::string_view why) const;
};

/// A torrent as people name it: an info-hash, the start of one (4 digits or more), or its whole name.
/// `rows` are objects with info_hash and name. The error is a sentence for people.
struct no_match {
    std::string why;
    bool ambiguous = false;
};
[[nodiscard]] expected<std::string, no_match> match(wire::value::array const& rows, std::string_view written);
/// The same against the daemon's torrents; what is a whole hash is not asked for. Tells what is wrong itself.
[[nodiscard]] expected<std::string, exit_code> resolve(session& s, std::string_view written);

} // namespace ccbt::cli
