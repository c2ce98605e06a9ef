#include "daemon/config_keys.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <map>

namespace ccbt::daemon {

namespace {

std::string variable_of(std::string_view name) {
    std::string out = "CCBT_";
    for (char const c : name) {
        if (c >= 'a' && c <= 'z')
            out += static_cast<char>(c - 'a' + 'A');
        else
            out += c == '.' ? '_' : c;
    }
    return out;
}

std::vector<key_facts> keys_described() {
    std::vector<key_facts> out;
    contract::settings defaults;
    each_key(defaults, [&](std::string const& key, contract::rules const& rule, auto const&) {
        auto const dot = key.rfind('.');
        auto const leaf = key.substr(dot + 1);
        out.push_back({key, key.substr(0, dot), leaf, variable_of(key), variable_of(leaf), rule.secret});
    });
    std::map<std::string, int> holders;
    for (auto const& k : out) {
        ++holders[k.variable];
        ++holders[k.short_variable];
    }
    for (auto& k : out)
        if (holders[k.short_variable] > 1) k.short_variable.clear();
    return out;
}

template <class Section> void sections_below(std::string const& above, std::vector<std::string>& out) {
    Section::fields.each([&](auto const& f) {
        using type = typename std::remove_cvref_t<decltype(f)>::type;
        if constexpr (contract::described<type>) {
            out.push_back(above.empty() ? std::string{f.name()} : above + '.' + std::string{f.name()});
            sections_below<type>(std::string{out.back()}, out);
        }
    });
}

} // namespace

std::vector<key_facts> const& all_keys() {
    static auto const keys = keys_described();
    return keys;
}

key_facts const* find_key(std::string_view key) {
    auto const& keys = all_keys();
    auto const at = std::find_if(keys.begin(), keys.end(), [&](key_facts const& k) { return k.key == key; });
    return at == keys.end() ? nullptr : &*at;
}

std::vector<std::string> const& all_sections() {
    static auto const sections = [] {
        std::vector<std::string> out;
        sections_below<contract::settings>({}, out);
        return out;
    }();
    return sections;
}

std::string nearest_key(std::string_view key) {
    auto const dot = key.rfind('.');
    auto const section = dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot);
    auto const leaf = key.substr(dot + 1); // npos + 1 is 0
    std::vector<std::string_view> beside;
    std::vector<key_facts const*> namesakes;
    for (auto const& k : all_keys()) {
        if (k.section == section) beside.push_back(k.leaf);
        if (k.leaf == leaf) namesakes.push_back(&k);
    }
    if (auto const near = text::nearest(leaf, beside); !near.empty())
        return std::string{section} + '.' + std::string{near};
    if (namesakes.size() == 1) return namesakes.front()->key;
    std::vector<std::string_view> whole;
    for (auto const& k : all_keys()) whole.push_back(k.key);
    if (auto const near = text::nearest(key, whole); !near.empty() && find_key(near)->section != section)
        return std::string{near};
    return {};
}

} // namespace ccbt::daemon
