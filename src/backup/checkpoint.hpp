// A checkpoint as it came, held against itself: what it claims is well formed, whatever it is worth. Pure, any thread.
// Knows no torrent and no disk.
#pragma once

#include "base/result.hpp"
#include "contract/backup.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ccbt::backup {

struct selected_file {
    std::int64_t index = 0;
    std::uint8_t priority = 4; // libtorrent's 0 to 7
};

struct checkpoint_read {
    contract::checkpoint said;
    std::vector<std::uint32_t> verified; // in order, none twice
    std::optional<std::vector<selected_file>> selections;
};

/// Failure: the field, below "checkpoint", and what is wrong with it.
[[nodiscard]] expected<checkpoint_read, contract::problem> read_checkpoint(std::string_view json);

/// {"0":"verified",…} of these pieces.
[[nodiscard]] contract::json_text piece_states_of(std::vector<std::int64_t> const& verified);
/// {"0":{"selected":…,"priority":…},…}; null where all are normal.
[[nodiscard]] contract::json_text selections_of(std::vector<std::uint8_t> const& priorities);

} // namespace ccbt::backup
