#include "executor/nat.hpp"

#include <charconv>

namespace ccbt::executor {

namespace {

unexpected<failure> is_off(errc as) {
    return fails(
        as, "NAT traversal is switched off (nat.enable_upnp, nat.enable_nat_pmp)",
        {{"reason", std::string{"off"}}});
}

unexpected<failure> as_failure(errc as, gateway::refusal const& why) {
    return fails(as, why.message, {{"reason", std::string{gateway::name_of(why.why)}}});
}

std::optional<std::string> known(std::string const& text) {
    return text.empty() ? std::nullopt : std::optional{text};
}

} // namespace

bool nat::is_on() const {
    auto const& s = house_.settings.nat;
    return house_.gateway != nullptr && (s.enable_upnp || s.enable_nat_pmp);
}

task<result<contract::get_nat_status::response>> nat::handle(
    contract::get_nat_status::request, caller const&) {
    auto const& seen = house_.state.nat();
    contract::get_nat_status::response out;
    out.enabled = is_on();
    out.method = known(seen.method);
    out.external_ip = known(seen.external_ip);
    if (seen.mapped_port != 0) out.mapped_port = seen.mapped_port;
    out.mappings = seen.mappings;
    co_return out;
}

task<result<contract::discover_nat::response>> nat::handle(contract::discover_nat::request, caller const&) {
    if (!is_on()) co_return is_off(errc::nat_discover_failed);
    contract::discover_nat::response out;
    auto start = [this](auto done) { house_.gateway->discover(std::move(done)); };
    out.result = co_await reply_of<bool>(std::move(start));
    co_return out;
}

task<result<contract::map_port::response>> nat::handle(contract::map_port::request request, caller const&) {
    if (!is_on()) co_return is_off(errc::nat_map_failed);
    gateway::port_request wanted;
    wanted.protocol = request.protocol;
    wanted.internal_port = static_cast<int>(request.internal_port);
    wanted.external_port = static_cast<int>(request.external_port.value_or(0));
    wanted.exactly = request.external_port.has_value();
    auto start = [this, wanted](auto done) { house_.gateway->map(wanted, std::move(done)); };
    auto got = co_await reply_of<gateway::outcome<contract::port_mapping>>(std::move(start));
    if (!got) co_return as_failure(errc::nat_map_failed, got.error());
    contract::map_port::response out;
    out.result = std::move(*got);
    co_return out;
}

task<result<contract::unmap_port::response>> nat::handle(
    contract::unmap_port::request request, caller const&) {
    if (!is_on()) co_return is_off(errc::nat_unmap_failed);
    auto start = [this, request](auto done) {
        house_.gateway->unmap(request.protocol, static_cast<int>(request.port), std::move(done));
    };
    auto const gone = co_await reply_of<gateway::outcome<bool>>(std::move(start));
    if (!gone) co_return as_failure(errc::nat_unmap_failed, gone.error());
    contract::unmap_port::response out;
    out.result = *gone;
    co_return out;
}

task<result<contract::refresh_nat::response>> nat::handle(contract::refresh_nat::request, caller const&) {
    if (!is_on()) co_return is_off(errc::nat_refresh_failed);
    auto start = [this](auto done) { house_.gateway->refresh(std::move(done)); };
    auto got = co_await reply_of<gateway::outcome<gateway::refreshed>>(std::move(start));
    if (!got) co_return as_failure(errc::nat_refresh_failed, got.error());
    contract::refresh_nat::response out;
    out.result.mapped = static_cast<std::int64_t>(got->mappings.size());
    out.result.failed = got->failed;
    out.result.mappings = std::move(got->mappings);
    co_return out;
}

task<result<contract::get_external_ip::response>> nat::handle(
    contract::get_external_ip::request, caller const&) {
    if (!is_on()) co_return is_off(errc::nat_error);
    contract::get_external_ip::response out;
    out.external_ip = known(house_.state.nat().external_ip);
    out.method = known(house_.state.nat().method);
    co_return out;
}

task<result<contract::get_external_port::response>> nat::handle(
    contract::get_external_port::request request, caller const&) {
    auto const& text = request.internal_port;
    contract::get_external_port::response out;
    auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out.internal_port);
    if (failed != std::errc{} || end != text.data() + text.size() || out.internal_port < 1 ||
        out.internal_port > 65535)
        co_return fails(
            errc::invalid_port, "a port is a number from 1 to 65535",
            {{"field", std::string{"internal_port"}}});
    if (!is_on()) co_return is_off(errc::nat_error);
    out.protocol = request.protocol;
    for (auto const& one : house_.state.nat().mappings)
        if (one.internal_port == out.internal_port && one.protocol == out.protocol)
            out.external_port = one.external_port;
    co_return out;
}

} // namespace ccbt::executor
