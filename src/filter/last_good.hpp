// The last good IP filter, kept in the state directory as it is in memory: for a start at which its files cannot be read,
// and for every other start too, at which none of them has changed. Blocking; never on the loop.
#pragma once

#include "contract/settings.hpp"
#include "filter/load.hpp"

#include <optional>
#include <string>

namespace ccbt::filter {

/// False where it could not be written.
[[nodiscard]] bool keep_last_good(contract::settings const& how, loaded const& what);
/// As it was made, whatever became of its files; nothing where there is none, or it is damaged.
[[nodiscard]] std::optional<loaded> last_good(contract::settings const& how, progress& told);
/// The same, if it would be made of the same files in the same way today.
[[nodiscard]] std::optional<loaded> still_good(
    contract::settings const& how, progress& told, unix_seconds now);

} // namespace ccbt::filter
