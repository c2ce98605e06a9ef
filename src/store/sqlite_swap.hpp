// One store put in the place of another that is kept: in such an order that a crash at any moment leaves the old one, the
// new one, or what a start refuses and take_up_again() goes on from; never what looks like a first start. Knows no table.
#pragma once

#include "store/open_failure.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace ccbt::store {

[[nodiscard]] bool sync_file(std::filesystem::path const& file);

/// `made`, synced and with no log, becomes `database`; what was there becomes `kept`, with its log.
[[nodiscard]] std::optional<open_failure> swap_in(
    std::filesystem::path const& made, std::filesystem::path const& database,
    std::filesystem::path const& kept);

/// Puts the old store back where a swap was cut short between its going and the new one's coming, and says so.
void take_up_again(
    std::filesystem::path const& database, std::function<void(std::string const&)> const& tell);

} // namespace ccbt::store
