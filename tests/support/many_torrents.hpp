// Thousands of torrents that cost next to nothing: of one file each, which is one piece of zeros and takes no room.
#pragma once

#include "support/daemon.hpp"

namespace ccbt::support {

struct many_plan {
    int first = 0, count = 0; // numbers; each number is another torrent
    std::string tracker{};
    bool paused = false;
    bool with_data = true; // its file is there, so that it seeds once it was looked at
};

/// "many-000042"
[[nodiscard]] std::string name_of_many(int number);
[[nodiscard]] std::string file_of_many(int number, std::string const& tracker = {}); // a .torrent's bytes
/// As the body of POST /torrents/batch/add wants them.
[[nodiscard]] std::string batch_of_many(many_plan const& plan);
/// Adds them in batches of 500; their info-hashes, by number. Throws where one is refused.
std::vector<std::string> add_many(daemon const& to, many_plan const& plan);
/// What GET /torrents lists, by info-hash: the status.
[[nodiscard]] std::map<std::string, std::string> statuses_of(daemon const& of);
/// Until no torrent starts or is looked at any more; asked again with each change that it tells of.
void wait_until_loaded(daemon const& of, milliseconds within = milliseconds{60'000});

} // namespace ccbt::support
