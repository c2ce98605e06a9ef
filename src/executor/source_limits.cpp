#include "executor/source_limits.hpp"

#include "base/safeguard.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace ccbt::executor {

std::optional<contract::failure> too_much(
    contract::limit_settings const& limits, engine::torrent_source const& source, std::size_t bytes,
    bool is_magnet) {
    if (!in_force(safeguard::added_limits)) return std::nullopt;
    auto const over = [](std::string_view what, std::string_view key, std::size_t has,
                         std::int64_t most) -> std::optional<contract::failure> {
        if (has <= static_cast<std::size_t>(most)) return std::nullopt;
        return contract::failure{
            contract::errc::add_torrent_error,
            fmt::format("{} {}; at most {} are taken (limits.{})", what, has, most, key),
            {}};
    };
    auto wrong =
        is_magnet ? over("the bytes of the magnet link are", "magnet_bytes", bytes, limits.magnet_bytes)
                  : over("the bytes of the torrent file are", "torrent_bytes", bytes, limits.torrent_bytes);
    if (!wrong) wrong = over("its trackers are", "trackers", source.num_trackers, limits.trackers);
    if (!wrong) wrong = over("its web seeds are", "web_seeds", source.num_web_seeds, limits.web_seeds);
    std::size_t deepest = 0, longest = source.name.size();
    for (auto const& path : source.files) {
        auto const parts = text::split(path, '/');
        deepest = std::max(deepest, parts.size());
        for (auto const part : parts) longest = std::max(longest, part.size());
    }
    if (!wrong)
        wrong = over("the folders of a path are", "torrent_path_depth", deepest, limits.torrent_path_depth);
    if (!wrong)
        wrong = over("the bytes of a name are", "torrent_name_bytes", longest, limits.torrent_name_bytes);
    return wrong;
}

} // namespace ccbt::executor
