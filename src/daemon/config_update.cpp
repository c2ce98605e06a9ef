#include "daemon/config_update.hpp"

#include "base/safeguard.hpp"
#include "daemon/config_check.hpp"
#include "daemon/config_keys.hpp"
#include "wire/catalogue.hpp"
#include "wire/codec.hpp"

#include <algorithm>

namespace ccbt::daemon {

namespace {

constexpr std::string_view mask = "***";
constexpr std::string_view api_key = "daemon.api_key";
constexpr std::string_view urls_key = "security.ip_filter.filter_urls";

std::string json_of(contract::settings const& of, std::string_view key) {
    std::string out;
    with_key(of, key, [&](contract::rules const&, auto const& member) { out = wire::to_json(member); });
    return out;
}

std::string shown_json(contract::settings const& of, key_facts const& key) {
    if (key.key == urls_key) return json_of(shown_settings(of), key.key);
    auto json = json_of(of, key.key);
    return key.secret && json != "\"\"" ? "\"***\"" : json;
}

// Reads what was given, key by key, against what there is.
class reader {
public:
    explicit reader(loaded_config const& now) : now_{now}, made_{now.written} {}

    void read(wire::value::object const& section, std::string const& above) {
        auto const& sections = all_sections();
        for (auto const& [name, v] : section) {
            if (name.find('.') != std::string::npos) { // "a.b" is no member of this section
                ignored.push_back(above.empty() ? name : above + '.' + name);
                continue;
            }
            auto const key = above.empty() ? name : above + '.' + name;
            if (auto const* known = find_key(key))
                read_key(*known, v);
            else if (std::find(sections.begin(), sections.end(), key) == sections.end())
                ignored.push_back(key);
            else if (v.is_null())
                take_back_below(key + '.');
            else if (auto const* members = v.get_if<wire::value::object>())
                read(*members, key);
            else
                problems.push_back({key, "must be an object, its keys and their values"});
        }
    }

    std::vector<std::pair<std::string, std::string>> puts;
    std::vector<std::string> ignored;
    std::vector<contract::problem> problems;
    std::vector<std::string> repeated; // given as they are

private:
    [[nodiscard]] bool is_laid_over(std::string_view key) const {
        return std::any_of(
            now_.overrides.begin(), now_.overrides.end(), [&](auto const& one) { return one.first == key; });
    }
    void take_back_below(std::string_view above) {
        for (auto const& [key, json] : now_.overrides)
            if (key.starts_with(above)) puts.emplace_back(key, "");
    }

    void read_key(key_facts const& key, wire::value const& v) {
        if (v.is_null()) {
            if (is_laid_over(key.key)) puts.emplace_back(key.key, "");
            return;
        }
        auto const* text = v.get_if<std::string>();
        if (key.secret && text != nullptr && *text == mask) return;
        if (key.key == api_key) { // local clients read the file that this would not change
            if (text != nullptr && text->empty() && now_.settings.daemon.api_key.empty()) return; // as shown
            problems.push_back(
                {key.key, "is not set over the API: set it in the file or by " + key.variable +
                              "; more keys are made by POST /keys"});
            return;
        }
        auto const wrong =
            set_key(made_, key.key, wire::to_text(key.key == std::string{urls_key} ? unmasked(v) : v));
        if (!wrong.empty()) {
            problems.insert(problems.end(), wrong.begin(), wrong.end());
            return;
        }
        auto json = json_of(made_, key.key);
        // A secret is put even where it is as it was: whoever may not set it learns nothing by guessing.
        bool const is_so = json == json_of(now_.written, key.key) || json == json_of(now_.settings, key.key);
        if (is_so && (!key.secret || json == "\"\"")) {
            repeated.push_back(key.key);
            return;
        }
        auto const origin = now_.sourced_origins.find(key.key);
        if (key.key == "daemon.state_dir")
            problems.push_back({key.key, "says where this is kept: set it in the file or by --state-dir"});
        else if (origin != now_.sourced_origins.end() && is_fixed(origin->second))
            problems.push_back(
                {key.key,
                 "is set by the " + origin->second + ", which goes first: start the daemon without it"});
        else
            puts.emplace_back(key.key, std::move(json));
    }

    // What was shown masked and comes back so is meant as it was, each once: two may look the same.
    [[nodiscard]] wire::value unmasked(wire::value const& v) {
        auto const* given = v.get_if<wire::value::array>();
        if (given == nullptr) return v;
        wire::value::array out;
        auto left = now_.settings.security.ip_filter.filter_urls;
        for (auto const& one : *given) {
            out.push_back(one);
            auto const* url = one.get_if<std::string>();
            if (url == nullptr || url->find(mask) == std::string::npos) continue;
            auto const at = std::find_if(
                left.begin(), left.end(), [&](auto const& known) { return masked_url(known) == *url; });
            if (at != left.end()) {
                out.back() = wire::value{*at};
                left.erase(at);
            } else if (url->find("://***@") != std::string::npos || url->ends_with("?***"))
                problems.push_back(
                    {std::string{urls_key}, "holds *** in place of a secret: write the whole address"});
        }
        return wire::value{std::move(out)};
    }

    loaded_config const& now_;
    contract::settings made_;
};

std::string_view type_of(wire::field_kind kind) {
    switch (kind) {
    case wire::field_kind::flag: return "boolean";
    case wire::field_kind::whole: return "integer";
    case wire::field_kind::number: return "number";
    case wire::field_kind::choice: return "choice";
    case wire::field_kind::list: return "list";
    default: return "string";
    }
}

template <class Visit>
void each_fact(std::vector<wire::field_facts> const& fields, std::string const& above, Visit const& visit) {
    for (auto const& f : fields) {
        auto const key = above.empty() ? std::string{f.name} : above + '.' + std::string{f.name};
        if (f.kind == wire::field_kind::object)
            each_fact(f.members, key, visit);
        else
            visit(key, f);
    }
}

} // namespace

expected<config_update, std::vector<contract::problem>> plan_update(
    loaded_config const& now, std::string_view json) {
    using wrong = unexpected<std::vector<contract::problem>>;
    auto const given = wire::parse(json);
    auto const* members = given ? given->get_if<wire::value::object>() : nullptr;
    if (members == nullptr) return wrong{{{"", given ? "must be a JSON object" : given.error()}}};
    reader read{now};
    read.read(*members, {});

    config_update out{std::move(read.puts), now, {}, std::move(read.ignored)};
    auto laid = now.overrides;
    bool takes_back = false, puts_secret = false;
    for (auto const& [key, value] : out.puts) {
        std::erase_if(laid, [&](auto const& old) { return old.first == key; });
        takes_back = takes_back || value.empty();
        puts_secret = puts_secret || find_key(key)->secret;
        if (!value.empty()) laid.emplace_back(key, value);
    }
    out.next.warnings.clear();
    auto const lay = [&] {
        if (auto const whole = apply_overrides(out.next, laid); !whole)
            for (auto const& p : whole.error().found) read.problems.push_back(p);
    };
    lay();
    // What follows from another key (disk.allowed_paths from download_path) stays as it was shown beside that key's new
    // value: whoever puts back what GET answered changes what he edited and nothing else.
    bool stays = false;
    for (auto const& key : read.repeated) {
        auto const shown = json_of(now.settings, key);
        if (!read.problems.empty() || json_of(out.next.settings, key) == shown) continue;
        std::erase_if(laid, [&](auto const& old) { return old.first == key; });
        laid.emplace_back(key, shown);
        out.puts.emplace_back(key, shown);
        stays = true;
    }
    if (stays) lay();
    if (!read.problems.empty()) return wrong{std::move(read.problems)};
    out.changes = changes_between(now.settings, out.next.settings);
    if (out.changes.keys.empty() && !takes_back && !puts_secret) out.puts.clear();
    return out;
}

std::string masked_url(std::string_view url) {
    std::string out{url};
    if (!in_force(safeguard::masked_secrets)) return out;
    if (auto const query = out.find('?'); query != std::string::npos) out.replace(query + 1, out.npos, mask);
    auto const begin = out.find("://");
    if (begin == std::string::npos) return out;
    auto const host = out.substr(begin + 3, out.find_first_of("/?#", begin + 3) - begin - 3);
    if (auto const at = host.rfind('@'); at != std::string::npos) out.replace(begin + 3, at, mask);
    return out;
}

contract::settings shown_settings(contract::settings of) {
    for (auto& url : of.security.ip_filter.filter_urls) url = masked_url(url);
    return of;
}

std::vector<contract::explain_config::explained> explain_keys(
    loaded_config const& now, contract::settings const& running) {
    std::vector<contract::explain_config::explained> out;
    auto beneath = now;
    if (!apply_overrides(beneath, {})) beneath = now; // alone it may not hold together
    auto const pending = changes_between(running, now.settings).keys;
    auto const origin_of = [](std::map<std::string, std::string> const& in, std::string const& key) {
        auto const at = in.find(key);
        return at == in.end() ? std::string{"default"} : at->second;
    };
    each_fact(wire::settings_facts(), {}, [&](std::string const& key, wire::field_facts const& f) {
        auto const& known = *find_key(key);
        auto& one = out.emplace_back();
        one.key = key;
        one.description = f.doc;
        one.type = type_of(f.kind);
        one.choices.assign(f.choices.begin(), f.choices.end());
        bool const bounded = f.kind == wire::field_kind::whole || f.kind == wire::field_kind::number;
        if (bounded) {
            one.minimum = f.rule.min;
            one.maximum = f.rule.max;
        }
        one.default_value.text = f.default_json;
        one.value.text = shown_json(now.settings, known);
        one.origin = origin_of(now.origins, key);
        one.laid_over = std::any_of(
            now.overrides.begin(), now.overrides.end(), [&](auto const& laid) { return laid.first == key; });
        one.beneath.text = shown_json(beneath.settings, known);
        one.beneath_origin = origin_of(now.sourced_origins, key);
        one.restart = f.rule.restart;
        one.pending = std::find(pending.begin(), pending.end(), key) != pending.end();
        one.variable = known.variable;
    });
    return out;
}

} // namespace ccbt::daemon
