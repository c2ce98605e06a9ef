// What a deed that can fail answers. Only the part of tl::expected that std::expected has too, so that the day
// the toolchain brings the latter this file is all that changes.
#pragma once

#include <tl/expected.hpp>

namespace ccbt {

template <class T, class E> using expected = tl::expected<T, E>;
template <class E> using unexpected = tl::unexpected<E>;

} // namespace ccbt
