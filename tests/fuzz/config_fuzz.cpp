// daemon/config: the file in TOML, and behind a NUL the environment and flags, a line each ("CCBT_X=…", "limits.x=…").
#include "base/text.hpp"
#include "daemon/config_keys.hpp"
#include "daemon/config_toml.hpp"
#include "daemon/config_update.hpp"
#include "fuzz.hpp"
#include "wire/codec.hpp"

namespace ccbt::fuzz {

namespace {

constexpr std::string_view canary = "hunter2"; // a secret, in what is mutated

std::size_t count(std::string_view in) {
    std::size_t n = 0;
    for (auto at = in.find(canary); at != in.npos; at = in.find(canary, at + 1)) ++n;
    return n;
}

// Whether the word stands in values of secret keys and nowhere else.
bool is_secret(std::string_view toml) {
    auto const entries = daemon::read_toml(toml);
    if (!entries || count(toml) == 0) return false;
    std::size_t held = 0;
    for (auto const& e : *entries)
        if (auto const* key = daemon::find_key(e.key); key != nullptr && key->secret)
            if (auto const* s = e.value.get_if<std::string>()) held += count(*s);
    return held == count(toml);
}

} // namespace

void look_at(std::string_view bytes) {
    static memory_file const file;
    auto const toml = take_until(bytes, '\0');
    file.hold(toml);
    daemon::config_sources from;
    from.file = file.path();
    from.here = "/nowhere";
    from.home = "/home/fuzz";
    while (!bytes.empty()) {
        auto line = take_until(bytes, '\n');
        std::string name{take_until(line, '=')};
        if (name.starts_with("CCBT_"))
            from.environment.emplace_back(std::move(name), line);
        else
            from.flags.push_back({std::move(name), std::string{line}});
    }
    auto const loaded = daemon::load_config(from);
    bool const hides = is_secret(toml);
    auto const hold_text = [&](std::string const& told) {
        require(text::is_valid_utf8(told) || !text::is_valid_utf8(toml), "what is told is UTF-8", told);
        require(!hides || count(told) == 0, "no secret is told", told);
    };
    for (auto const& warning : loaded ? loaded->warnings : loaded.error().warnings)
        if (from.environment.empty() && from.flags.empty()) hold_text(warning);
    if (!loaded) {
        require(!loaded.error().problems.empty(), "a refusal says why", toml);
        if (from.environment.empty() && from.flags.empty()) hold_text(loaded.error().message());
        return;
    }
    auto const shown = wire::to_json(daemon::shown_settings(loaded->settings));
    hold_text(shown);
    // What GET /config shows and PUT /config gets back changes nothing.
    auto const update = daemon::plan_update(*loaded, shown);
    require(
        update.has_value(), "what is shown may be put back",
        update ? "" : update.error().front().field + ' ' + update.error().front().message);
    require(update->puts.empty() && update->changes.keys.empty(), "what is put back changes nothing", shown);
}

} // namespace ccbt::fuzz
