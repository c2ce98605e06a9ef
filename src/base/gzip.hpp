// gzip (RFC 1952) of a whole buffer, for answers and exports. Pure, any thread; more than a few KiB goes off the loop.
#pragma once

#include <string>
#include <string_view>

namespace ccbt {

/// `level` from 1 (fast) to 9 (small). The same bytes give the same gzip: it holds no time and no name.
[[nodiscard]] std::string gzip(std::string_view bytes, int level = 6);

} // namespace ccbt
