// daemon/config_update: the body of a PUT /config.
#include "base/text.hpp"
#include "daemon/config_update.hpp"
#include "fuzz.hpp"
#include "wire/codec.hpp"

namespace ccbt::fuzz {

namespace {

daemon::loaded_config defaults() {
    daemon::config_sources from;
    from.here = "/nowhere";
    from.home = "/home/fuzz";
    return *daemon::load_config(from);
}

} // namespace

void look_at(std::string_view bytes) {
    static auto const now = defaults();
    auto const planned = daemon::plan_update(now, bytes);
    if (!planned) {
        require(!planned.error().empty(), "a refusal says why", bytes);
        for (auto const& p : planned.error())
            require(
                text::is_valid_utf8(p.message) && text::is_valid_utf8(p.field), "a refusal is UTF-8", bytes);
        return;
    }
    for (auto const& [key, json] : planned->puts)
        require(json.empty() || wire::parse(json), "what is kept is JSON", json);
    // What is kept makes the same whole at the next start.
    auto restarted = now;
    if (!planned->puts.empty()) {
        auto const whole = daemon::apply_overrides(restarted, planned->next.overrides);
        require(
            whole.has_value() && restarted.warnings == planned->next.warnings, "what is kept holds together",
            bytes);
        require(
            daemon::changes_between(restarted.settings, planned->next.settings).keys.empty(),
            "what is kept is what was answered", bytes);
    }
    auto const again = daemon::plan_update(planned->next, bytes);
    require(again.has_value(), "what was taken is taken again", bytes);
    require(again->changes.keys.empty(), "a change that is done changes nothing more", bytes);
}

} // namespace ccbt::fuzz
