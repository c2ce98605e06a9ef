// server/watch_message: what a client says over its WebSocket.
#include "base/text.hpp"
#include "fuzz.hpp"
#include "server/watch_message.hpp"
#include "wire/json.hpp"

namespace ccbt::fuzz {

void look_at(std::string_view bytes) {
    using deed = server::watch_message::deed;
    auto const said = server::read_watch_message(bytes);
    if (!said) {
        require(text::is_valid_utf8(said.error()), "a refusal is told in UTF-8", bytes);
        require(said.error().size() <= (std::size_t{64} << 10) + 100, "a refusal is short", bytes);
        return;
    }
    bool const subscribes = said->asks == deed::subscribe || said->asks == deed::unsubscribe;
    auto const given = wire::parse(said->types_given);
    auto const* list = given ? given->get_if<wire::value::array>() : nullptr;
    require(subscribes == (list != nullptr), "types are told of where types are asked for", bytes);
    require(subscribes || said->types.none(), "only a subscription has types", bytes);
    require(!subscribes || said->types.count() <= list->size(), "no type comes from nowhere", bytes);
    require(!subscribes || list->empty() == said->types.none(), "no type is lost", bytes);
}

} // namespace ccbt::fuzz
