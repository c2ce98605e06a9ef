// What a client says over its WebSocket: a text message read to one of four things, or to why it is none. Pure, any
// thread; knows no sockets.
#pragma once

#include "base/result.hpp"
#include "contract/events.hpp"

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>

namespace ccbt::server {

using event_types = std::bitset<contract::names_of<contract::event_type>.size()>;

struct watch_message {
    enum class deed : std::uint8_t { ping, pong, subscribe, unsubscribe };
    deed asks = deed::ping;
    event_types types;       // of the last two
    std::string types_given; // the same as JSON, as they came
};
/// Failure: a sentence for who said it.
[[nodiscard]] expected<watch_message, std::string> read_watch_message(std::string_view text);

} // namespace ccbt::server
