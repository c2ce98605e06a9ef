// What a torrent that is added may be, as limits.* says. (What nobody may exceed, whatever is configured, the engine's
// reader knows; torrents that are here already are not asked again.) Pure.
#pragma once

#include "contract/settings.hpp"
#include "engine/engine.hpp"

#include <optional>

namespace ccbt::executor {

/// `bytes`: of its .torrent file, or of its magnet link.
[[nodiscard]] std::optional<contract::failure> too_much(
    contract::limit_settings const& limits, engine::torrent_source const& source, std::size_t bytes,
    bool is_magnet);

} // namespace ccbt::executor
