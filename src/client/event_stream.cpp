#include "client/signing.hpp"
#include "client/socket.hpp"
#include "client/watch.hpp"

namespace ccbt::client {

namespace {

// With since the types go along: what was missed is sent before any subscription could come.
std::string target_of(
    address const& where, std::span<contract::event_type const> types, std::optional<std::int64_t> since) {
    auto target =
        where.prefix + std::string{contract::base_path} + std::string{contract::watch_events::route.path};
    if (!since) return target;
    target += "?since=" + std::to_string(*since);
    for (std::size_t i = 0; i < types.size(); ++i)
        target += (i == 0 ? "&event_types=" : ",") + std::string{contract::name_of(types[i])};
    return target;
}

std::string subscription(std::span<contract::event_type const> types) {
    wire::writer out;
    out.begin_object();
    out.key("action");
    out.text("subscribe");
    out.key("data");
    out.begin_object();
    out.key("event_types");
    out.begin_array();
    for (auto const type : types) out.text(contract::name_of(type));
    out.end_array();
    out.end_object();
    out.end_object();
    return out.take_text();
}

} // namespace

event_stream::event_stream(socket&& made) : socket_{std::make_unique<socket>(std::move(made))} {}
event_stream::~event_stream() = default;
event_stream::event_stream(event_stream&&) noexcept = default;
event_stream& event_stream::operator=(event_stream&&) noexcept = default;

result<event_stream> event_stream::open(
    options const& how, std::span<contract::event_type const> types, std::optional<std::int64_t> since) {
    auto const where = address_of(how);
    if (!where) return unexpected<client_error>{where.error()};
    std::vector<std::pair<std::string, std::string>> headers{{"User-Agent", "libccbt/" CCBT_VERSION}};
    auto const target = target_of(*where, types, since);
    auto const proven = proof_of(how, [&](std::string_view timestamp) {
        return contract::signed_socket_text(std::string_view{target}.substr(0, target.find('?')), timestamp);
    });
    if (!proven) return unexpected<client_error>{proven.error()};
    headers.insert(headers.end(), proven->begin(), proven->end());
    auto opened = socket::open(*where, target, headers, how.connect_timeout);
    if (!opened) return unexpected<client_error>{std::move(opened.error())};
    event_stream made{std::move(*opened)};
    if (!types.empty() && !since) {
        if (auto asked = made.subscribe(types); !asked)
            return unexpected<client_error>{std::move(asked.error())};
    }
    return made;
}

result<void> event_stream::subscribe(std::span<contract::event_type const> types) {
    return socket_->send(subscription(types));
}

result<void> event_stream::ping() { return socket_->send(R"({"action":"ping"})"); }

result<std::optional<std::string>> event_stream::next_text(std::chrono::milliseconds timeout) {
    auto const deadline = std::chrono::steady_clock::now() + timeout;
    while (true) {
        auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        auto got = socket_->receive(std::max(left, std::chrono::milliseconds{0}));
        if (!got || !*got) return got;
        auto const read = wire::parse(**got);
        if (!read) return fails(error_kind::broken, "the daemon sent an event that is no JSON");
        if (read->find("type") != nullptr) return got;
        if (read->text_or("action", "") == "error")
            return fails(
                error_kind::broken, "the daemon refused: " + std::string{read->text_or("error", "")});
    }
}

result<std::optional<contract::event>> event_stream::next(std::chrono::milliseconds timeout) {
    auto const deadline = std::chrono::steady_clock::now() + timeout;
    while (true) {
        auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        auto got = next_text(std::max(left, std::chrono::milliseconds{0}));
        if (!got) return unexpected<client_error>{std::move(got.error())};
        if (!*got) return std::optional<contract::event>{};
        if (auto event = wire::from_json<contract::event>(**got)) return std::optional{std::move(*event)};
    }
}

} // namespace ccbt::client
