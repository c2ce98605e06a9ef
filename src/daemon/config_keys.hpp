// The keys of the configuration as one flat row, walked from the description in contract/settings.hpp: nothing here
// or above lists a key by hand. Pure templates, any thread; knows no source and no file form.
#pragma once

#include "contract/settings.hpp"

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ccbt::daemon {

/// Calls `visit(key, rules, member)` for each key below `section`, in the order of the description;
/// "security.ip_filter.filter_mode" is a key.
template <class Section, class Visit>
void each_key(Section& section, Visit const& visit, std::string const& above = {}) {
    std::remove_const_t<Section>::fields.each([&](auto const& f) {
        using field = std::remove_cvref_t<decltype(f)>;
        auto const key = above.empty() ? std::string{f.name()} : above + '.' + std::string{f.name()};
        auto& member = section.*(field::member);
        if constexpr (contract::described<typename field::type>)
            each_key(member, visit, key);
        else
            visit(key, f.rule, member);
    });
}

/// Calls `visit(rules, member)` for the key of that name; false where there is none.
template <class Settings, class Visit>
bool with_key(Settings& settings, std::string_view wanted, Visit const& visit) {
    bool found = false;
    each_key(settings, [&](std::string const& key, contract::rules const& rule, auto& member) {
        if (key != wanted) return;
        found = true;
        visit(rule, member);
    });
    return found;
}

/// What is known of a key beside its value.
struct key_facts {
    std::string key;            // "limits.global_down_kib"
    std::string section;        // "limits"
    std::string leaf;           // "global_down_kib"
    std::string variable;       // "CCBT_LIMITS_GLOBAL_DOWN_KIB"
    std::string short_variable; // "CCBT_GLOBAL_DOWN_KIB", or "" where it would fit several keys
    bool secret = false;
};
[[nodiscard]] std::vector<key_facts> const& all_keys(); // in the order of the description
[[nodiscard]] key_facts const* find_key(std::string_view key);
/// The sections, nested ones by their whole name: "security", "security.ip_filter".
[[nodiscard]] std::vector<std::string> const& all_sections();

/// The key that was most likely meant by an unknown `key`: near it in its section, else of the same name in another
/// section; "" where none is near.
[[nodiscard]] std::string nearest_key(std::string_view key);

} // namespace ccbt::daemon
