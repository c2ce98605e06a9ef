// How a torrent's progress is told: a bar for terminals, a line now and then for logs. Pure.
#pragma once

#include "contract/torrents.hpp"

#include <map>
#include <optional>
#include <string>

namespace ccbt::cli {

enum class outcome { going, complete, failed };
[[nodiscard]] outcome outcome_of(contract::torrent_status const& row);

[[nodiscard]] std::string percent(double progress);                 // "42.3 %"; "100 %" only when it is whole
[[nodiscard]] std::string rate(double bytes_a_second);              // "1.5 MiB/s"
[[nodiscard]] std::string eta(contract::torrent_status const& row); // "14 s", "-" where there is none

/// "debian.iso  [#####-----]  42.3 %  12.0 MiB/s down  0 B/s up  3 peers  ETA 14 s", in exactly at most `width`
/// columns: the bar and then the name give way.
[[nodiscard]] std::string progress_bar(contract::torrent_status const& row, std::size_t width);

/// For output that is no terminal: a line each 10 %, and at each change of the status.
class progress_log {
public:
    [[nodiscard]] std::optional<std::string> line_for(contract::torrent_status const& row);

private:
    struct told {
        int tenth = -1;
        contract::torrent_state status = contract::torrent_state::starting;
    };
    std::map<std::string, told> told_;
};

} // namespace ccbt::cli
