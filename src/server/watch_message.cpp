#include "server/watch_message.hpp"

#include "wire/json.hpp"

namespace ccbt::server {

namespace {

unexpected<std::string> refused(std::string why) { return unexpected<std::string>{std::move(why)}; }

bool add_named(std::string_view name, event_types& to) {
    for (auto const& [type, known] : contract::names_of<contract::event_type>)
        if (name == known) {
            to.set(static_cast<std::size_t>(type));
            return true;
        }
    return false;
}

} // namespace

expected<watch_message, std::string> read_watch_message(std::string_view text) {
    using deed = watch_message::deed;
    auto const read = wire::parse(text, {.depth = 8, .elements = 1000});
    if (!read) return refused("not JSON: " + read.error());
    auto const action = read->text_or("action", "");
    if (action == "ping") return watch_message{deed::ping, {}, {}};
    if (action == "pong") return watch_message{deed::pong, {}, {}};
    if (action != "subscribe" && action != "unsubscribe")
        return refused("unknown action; there are subscribe, unsubscribe and ping");

    auto const* data = read->find("data");
    auto const* list = data == nullptr ? nullptr : data->find("event_types");
    auto const* names = list == nullptr ? nullptr : list->get_if<wire::value::array>();
    if (names == nullptr) return refused("data.event_types must be a list");
    watch_message made{action == "subscribe" ? deed::subscribe : deed::unsubscribe, {}, wire::to_text(*list)};
    for (auto const& name : *names) {
        auto const* s = name.get_if<std::string>();
        if (s == nullptr || !add_named(*s, made.types))
            return refused("unknown event type: " + (s == nullptr ? std::string{"not a string"} : *s));
    }
    return made;
}

} // namespace ccbt::server
