#include "daemon/config.hpp"

#include "base/text.hpp"
#include "daemon/config_check.hpp"
#include "daemon/config_keys.hpp"
#include "daemon/config_toml.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

extern char** environ;

namespace ccbt::daemon {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20;

// ---- one value

bool all_finite(wire::value const& v) {
    if (auto const* d = v.get_if<double>()) return std::isfinite(*d);
    if (auto const* list = v.get_if<wire::value::array>())
        return std::all_of(list->begin(), list->end(), all_finite);
    return true;
}

// Ends a problem with the value itself, where it is short. Never for a secret.
void tell_value(std::string& message, wire::value const& v) {
    constexpr std::string_view type = ", is a string";
    bool const number = v.get_if<std::int64_t>() != nullptr || v.get_if<double>() != nullptr;
    auto const* s = v.get_if<std::string>();
    if (s != nullptr && s->size() <= 100) {
        if (message.ends_with(type))
            message.replace(message.size() - type.size(), type.size(), ", is the string " + wire::to_text(v));
        else
            message += ", is " + wire::to_text(v);
    } else if (number && all_finite(v) && message.find(", is ") == std::string::npos) {
        message += ", is " + wire::to_text(v);
    }
}

// Into the key of that name; what is wrong. The key exists.
std::vector<contract::problem> decode_into(
    contract::settings& into, std::string_view key, wire::value const& v) {
    wire::problems wrong;
    with_key(into, key, [&](contract::rules const& rule, auto& member) {
        auto made = member; // a list may be half decoded when a problem is found
        if (!all_finite(v))
            wrong.add(std::string{key}, "must be a finite number");
        else
            wire::decode(v, made, std::string{key}, rule, wrong);
        if (wrong.none())
            member = std::move(made);
        else if (!rule.secret && key != "security.ip_filter.filter_urls") // they may hold credentials
            for (auto& p : wrong.list)
                if (p.field == key) tell_value(p.message, v);
    });
    return std::move(wrong.list);
}

// Text of the environment or a flag, as the value that the same words would be in the file. Where it is none, the
// text itself, which then is of the wrong type.
wire::value value_of_text(std::string_view text, contract::settings const& kinds, std::string_view key) {
    wire::value made{std::string{text}};
    with_key(kinds, key, [&](auto const&, auto const& member) {
        using type = std::remove_cvref_t<decltype(member)>;
        auto const plain = text::trim(text);
        if constexpr (std::is_same_v<type, bool>) {
            bool flag = false;
            wire::problems wrong;
            wire::decode_text(plain, flag, {}, {}, wrong);
            if (wrong.none()) made = wire::value{flag};
        } else if constexpr (std::is_arithmetic_v<type>) {
            std::int64_t whole = 0;
            double real = 0;
            auto const* const end = plain.data() + plain.size();
            if (auto const r = std::from_chars(plain.data(), end, whole); r.ec == std::errc{} && r.ptr == end)
                made = wire::value{whole};
            else if (auto const d = std::from_chars(plain.data(), end, real);
                     d.ec == std::errc{} && d.ptr == end)
                made = wire::value{real};
        } else if constexpr (std::is_same_v<type, std::vector<std::string>>) {
            wire::value::array items;
            for (auto const piece : text::split(text, ','))
                if (auto const item = text::trim(piece); !item.empty()) items.emplace_back(std::string{item});
            made = wire::value{std::move(items)};
        }
    });
    return made;
}

// ---- the sources, laid over each other

struct layers {
    loaded_config config;
    config_error error;
    std::set<std::string> wrong_keys; // what is already told of

    void fail(std::string const& origin, std::string const& key, std::string const& message) {
        error.problems.push_back(
            (origin == "default" ? std::string{} : origin + ": ") + key + ": " + message);
        error.found.push_back({key, message});
        wrong_keys.insert(key.substr(0, key.find('[')));
    }
    void warn(std::string text) { config.warnings.push_back(std::move(text)); }

    void lay(std::string const& origin, std::string const& key, wire::value const& v) {
        auto const wrong = decode_into(config.written, key, v);
        for (auto const& p : wrong) fail(origin, p.field, p.message);
        if (wrong.empty()) config.origins[key] = origin;
    }
    void lay_text(std::string const& origin, std::string const& key, std::string_view text) {
        lay(origin, key, value_of_text(text, config.written, key));
    }
};

struct read_file {
    std::string text;
    bool others_may_read = false;
};

expected<read_file, int> slurp(fs::path const& path) {
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a FIFO must not hold us
    if (fd < 0) return unexpected<int>{errno};
    read_file out;
    struct stat facts {};
    int failed = ::fstat(fd, &facts) == 0 ? 0 : errno;
    if (failed == 0 && !S_ISREG(facts.st_mode)) failed = S_ISDIR(facts.st_mode) ? EISDIR : EINVAL;
    out.others_may_read = (facts.st_mode & 0007) != 0;
    std::array<char, 16384> part{};
    while (failed == 0) {
        auto const got = ::read(fd, part.data(), part.size());
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            failed = errno;
        else
            out.text.append(part.data(), static_cast<std::size_t>(got));
        if (out.text.size() > largest_file) failed = EFBIG;
    }
    ::close(fd);
    if (failed != 0) return unexpected<int>{failed};
    return out;
}

bool is_below_one_of(std::string_view key, std::set<std::string, std::less<>> const& tables) {
    for (auto dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.', dot + 1))
        if (tables.contains(key.substr(0, dot))) return true;
    return false;
}

// The section that was most likely meant, of those that stand in the same one.
std::string nearest_section(std::string_view key) {
    auto const dot = key.rfind('.');
    auto const above = dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot + 1);
    std::vector<std::string_view> beside;
    for (std::string_view const section : all_sections())
        if (section.starts_with(above) && section.find('.', above.size()) == std::string_view::npos)
            beside.push_back(section.substr(above.size()));
    auto const near = text::nearest(key.substr(above.size()), beside);
    return near.empty() ? std::string{} : std::string{above} + std::string{near};
}

// Keys that mean nothing here are told of once: with the key that was meant where one is near, else together.
class strangers {
public:
    void section(std::string const& name) { sections_.push_back(name); }
    void key(std::string const& name) { keys_.push_back(name); }
    void tell(std::string const& file, layers& to) const {
        std::string text;
        if (!sections_.empty()) text = fmt::format("sections {}", fmt::join(sections_, ", "));
        if (!keys_.empty())
            text += fmt::format("{}keys {}", text.empty() ? "" : "; ", fmt::join(keys_, ", "));
        if (!text.empty()) to.warn(fmt::format("{}: means nothing here, ignored: {}", file, text));
    }

private:
    std::vector<std::string> sections_, keys_;
};

void lay_entry(std::string const& name, toml_entry const& e, layers& to) {
    auto const where = fmt::format("{}:{}", name, e.line);
    if (e.is_table)
        to.fail(where, e.key, "must be a value, is a section");
    else if (!e.alien_type.empty())
        to.fail(where, e.key, "must not be or hold " + e.alien_type);
    else
        to.lay(where, e.key, e.value);
}

void lay_toml(std::string const& name, std::vector<toml_entry> const& entries, layers& to) {
    auto const& sections = all_sections();
    auto const is_section = [&](std::string_view key) {
        return std::find(sections.begin(), sections.end(), key) != sections.end();
    };
    strangers alien;
    std::set<std::string, std::less<>> closed; // tables whose members are of no more interest
    for (auto const& e : entries) {
        if (is_below_one_of(e.key, closed)) continue;
        auto const where = fmt::format("{}:{}", name, e.line);
        if (find_key(e.key) != nullptr) {
            lay_entry(name, e, to);
            if (e.is_table) closed.insert(e.key);
        } else if (is_section(e.key)) {
            if (!e.is_table) to.fail(where, e.key, "must be a section, is a value");
        } else if (e.is_table) {
            closed.insert(e.key);
            if (auto const near = nearest_section(e.key); near.empty())
                alien.section(e.key);
            else
                to.warn(
                    fmt::format("{}: {}: unknown section, ignored; did you mean {}?", where, e.key, near));
        } else if (auto const near = nearest_key(e.key); !near.empty()) {
            to.warn(fmt::format("{}: {}: unknown key, ignored; did you mean {}?", where, e.key, near));
        } else {
            alien.key(fmt::format("{} (line {})", e.key, e.line));
        }
    }
    alien.tell(name, to);
}

void lay_file(config_sources const& sources, layers& to) {
    struct candidate {
        fs::path path;
        std::string name;
    };
    std::vector<candidate> candidates;
    if (sources.file) {
        auto const path = absolute_path(sources.file->string(), sources.here, sources.home);
        if (!path) {
            to.error.problems.push_back("--config: " + path.error());
            return;
        }
        candidates.push_back({*path, sources.file->string()});
    } else {
        candidates.push_back({sources.here / "ccbt.toml", "ccbt.toml"});
        if (!sources.home.empty())
            for (auto const& path :
                 {sources.home / ".config" / "ccbt" / "ccbt.toml", sources.home / ".ccbt.toml"})
                candidates.push_back({path, path.string()});
    }
    for (auto const& [path, name] : candidates) {
        auto const read = slurp(path);
        if (!read) {
            bool const absent = read.error() == ENOENT || read.error() == ENOTDIR;
            if (absent && !sources.file) continue;
            to.error.problems.push_back(
                fmt::format("{}: cannot be read: {}", name, std::strerror(read.error())));
            return;
        }
        to.config.file = path;
        auto const entries = read_toml(read->text);
        if (!entries) {
            // The parser's words may hold what stands there, and that may be a secret.
            auto const& wrong = entries.error();
            auto const lines = text::split(read->text, '\n');
            auto const line = wrong.line > 0 && wrong.line <= lines.size() ? lines[wrong.line - 1] : "";
            auto const& keys = all_keys();
            bool const is_secret = std::any_of(keys.begin(), keys.end(), [&](auto const& k) {
                return k.secret && line.find(k.key.substr(k.key.rfind('.') + 1)) != std::string_view::npos;
            });
            to.error.problems.push_back(fmt::format(
                "{}:{}: {}", name, wrong.line, is_secret ? "this line cannot be read" : wrong.message));
            return;
        }
        lay_toml(name, *entries, to);
        for (auto const& k : all_keys())
            if (k.secret && read->others_may_read && to.config.origins[k.key].starts_with(name + ':'))
                to.warn(
                    fmt::format("{}: holds {} and other users may read it: chmod 600 {}", name, k.key, name));
        return;
    }
}

void lay_environment(config_sources const& sources, layers& to) {
    std::map<std::string, key_facts const*> by_name, by_short_name;
    std::vector<std::string_view> names;
    for (auto const& k : all_keys()) {
        by_name[k.variable] = &k;
        names.push_back(k.variable);
        if (!k.short_variable.empty()) by_short_name[k.short_variable] = &k;
    }
    for (auto const& [name, k] : by_short_name) names.push_back(name);
    std::vector<std::string> alien;
    // Short names first, so that a variable that names the section wins over one that does not.
    for (auto const* known : {&by_short_name, &by_name})
        for (auto const& [variable, text] : sources.environment)
            if (auto const at = known->find(variable); at != known->end() && !text.empty())
                if (known == &by_name || !by_name.contains(variable))
                    to.lay_text("environment " + variable, at->second->key, text);
    for (auto const& [variable, text] : sources.environment) {
        if (!variable.starts_with("CCBT_") || text.empty() || by_name.contains(variable) ||
            by_short_name.contains(variable))
            continue;
        if (auto const near = text::nearest(variable, names); !near.empty())
            to.warn(fmt::format("environment {}: unknown, ignored; did you mean {}?", variable, near));
        else
            alien.push_back(variable);
    }
    if (!alien.empty())
        to.warn(fmt::format("environment: means nothing here, ignored: {}", fmt::join(alien, ", ")));
}

void lay_flags(config_sources const& sources, layers& to) {
    for (auto const& [key, text, flag] : sources.flags) {
        auto const* known = find_key(key);
        if (known == nullptr) {
            auto const near = nearest_key(key);
            to.fail(flag, key, near.empty() ? "is no key" : "is no key; did you mean " + near + '?');
        } else if (known->secret) {
            // A command line is seen by every user of the machine.
            to.fail(
                flag, key, "does not belong on a command line: set it in the file or in " + known->variable);
        } else {
            to.lay_text("flag " + flag, key, text);
        }
    }
}

// Makes the whole of what was written.
void finish(layers& of) {
    of.config.settings = of.config.written;
    auto const wrong = complete(of.config.settings, of.config.here, of.config.home);
    for (auto const& more : {wrong, check_settings(of.config.settings)}) {
        auto const told = of.wrong_keys; // a key that has no right value yet is judged no further
        for (auto const& p : more)
            if (!told.contains(p.field)) of.fail(of.config.origins[p.field], p.field, p.message);
    }
}

} // namespace

config_sources sources_of_process() {
    config_sources out;
    std::error_code none;
    out.here = fs::current_path(none);
    if (char const* home = ::getenv("HOME"); home != nullptr && *home != '\0')
        out.home = home;
    else if (auto const* entry = ::getpwuid(::geteuid()); entry != nullptr && entry->pw_dir != nullptr)
        out.home = entry->pw_dir;
    for (char** at = environ; *at != nullptr; ++at) {
        std::string_view const one{*at};
        auto const equals = one.find('=');
        if (one.starts_with("CCBT_") && equals != std::string_view::npos)
            out.environment.emplace_back(one.substr(0, equals), one.substr(equals + 1));
    }
    std::sort(out.environment.begin(), out.environment.end());
    return out;
}

std::string config_error::message() const { return fmt::format("{}", fmt::join(problems, "\n")); }

expected<loaded_config, config_error> load_config(config_sources const& sources) {
    layers to;
    to.config.here = sources.here;
    to.config.home = sources.home;
    for (auto const& k : all_keys()) to.config.origins[k.key] = "default";
    lay_file(sources, to);
    lay_environment(sources, to);
    lay_flags(sources, to);
    to.config.sourced = to.config.written;
    to.config.sourced_origins = to.config.origins;
    finish(to);
    if (!to.error.problems.empty()) {
        to.error.warnings = std::move(to.config.warnings);
        return unexpected<config_error>{std::move(to.error)};
    }
    return std::move(to.config);
}

bool is_fixed(std::string_view origin) {
    return origin.starts_with("environment ") || origin.starts_with("flag ");
}

std::vector<contract::problem> set_key(
    contract::settings& into, std::string_view key, std::string_view json) {
    std::string const name{key};
    if (find_key(key) == nullptr) {
        auto const near = nearest_key(key);
        return {{name, near.empty() ? "is no key" : "is no key; did you mean " + near + '?'}};
    }
    auto const v = wire::parse(json);
    if (!v) return {{name, v.error()}};
    if (v->is_null()) return {{name, "must not be null"}};
    return decode_into(into, key, *v);
}

expected<void, config_error> apply_overrides(
    loaded_config& config, std::vector<std::pair<std::string, std::string>> const& overrides) {
    layers to;
    to.config = config;
    to.config.written = config.sourced;
    to.config.origins = config.sourced_origins;
    to.config.overrides = overrides;
    for (auto const& [key, json] : overrides) {
        if (is_fixed(to.config.origins[key])) continue;
        if (key == "daemon.state_dir") {
            to.warn(
                "override: daemon.state_dir: says where overrides are kept and so cannot be one, ignored");
            continue;
        }
        auto const wrong = set_key(to.config.written, key, json);
        for (auto const& p : wrong) to.warn(fmt::format("override: {}: {}, ignored", p.field, p.message));
        if (wrong.empty()) to.config.origins[key] = "override";
    }
    finish(to);
    if (!to.error.problems.empty()) return unexpected<config_error>{std::move(to.error)};
    config = std::move(to.config);
    return {};
}

std::vector<std::pair<std::string, std::string>> fitting_overrides(
    loaded_config const& config, std::vector<std::pair<std::string, std::string>> const& given) {
    // Who may import a file may not open the door, move folders or name proxies by it: only what steers transfers.
    constexpr std::array<std::string_view, 7> steering{
        "limits.global_",     "limits.per_torrent_", "queue.", "network.max_", "discovery.enable_",
        "discovery.tracker_", "observability.log_"};
    std::vector<std::pair<std::string, std::string>> fit;
    auto into = config.written;
    for (auto const& one : given) {
        auto const* const key = find_key(one.first);
        auto const steers = [&](std::string_view what) { return one.first.starts_with(what); };
        if (key != nullptr && !key->secret && std::any_of(steering.begin(), steering.end(), steers) &&
            set_key(into, one.first, one.second).empty())
            fit.push_back(one);
    }
    auto whole = config;
    auto all = config.overrides;
    std::erase_if(all, [&](auto const& old) {
        return std::any_of(fit.begin(), fit.end(), [&](auto const& one) { return one.first == old.first; });
    });
    all.insert(all.end(), fit.begin(), fit.end());
    if (!apply_overrides(whole, all)) fit.clear();
    return fit;
}

config_changes changes_between(contract::settings const& before, contract::settings const& after) {
    config_changes out;
    each_key(after, [&](std::string const& key, contract::rules const& rule, auto const& now) {
        using type = std::remove_cvref_t<decltype(now)>;
        with_key(before, key, [&](contract::rules const&, auto const& then) {
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(then)>, type>) {
                if (then == now) return;
                out.keys.push_back(key);
                if (rule.restart) out.restart.push_back(key);
            }
        });
    });
    return out;
}

config_report check_config(config_sources const& sources) {
    config_report out;
    auto const loaded = load_config(sources);
    for (auto const& w : loaded ? loaded->warnings : loaded.error().warnings)
        out.text += "warning: " + w + '\n';
    if (!loaded) {
        out.code = exit_code::configuration;
        out.text += loaded.error().message() + '\n';
    } else {
        out.text += loaded->file.empty() ? "OK: no configuration file, defaults\n"
                                         : fmt::format("OK: {}\n", loaded->file.string());
    }
    return out;
}

} // namespace ccbt::daemon
