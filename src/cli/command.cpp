#include "cli/command.hpp"

#include "base/text.hpp"
#include "cli/deeds.hpp"
#include "cli/top_view.hpp"
#include "contract/events.hpp"

#include <algorithm>
#include <charconv>

namespace ccbt::cli {

namespace {

using wire::field_kind;

// The descriptions mark with (+) what the Python daemon does not have: of no use to whoever types.
std::string doc_of(std::string_view described) {
    if (described.ends_with(" (+)")) described.remove_suffix(4);
    return std::string{described};
}

std::string_view value_name(wire::field_facts const& field) {
    auto const kind = field.kind == field_kind::list ? field.item_kind : field.kind;
    if (field.rule.format == "path") return "PATH";
    switch (kind) {
    case field_kind::whole:
    case field_kind::number: return "N";
    case field_kind::hash: return "HASH";
    case field_kind::object:
    case field_kind::any: return "JSON";
    default: return "TEXT";
    }
}

argument argument_for(wire::field_facts const& field) {
    argument made{.word = field.word(), .doc = doc_of(field.doc)};
    made.positional = field.rule.positional;
    made.required = field.rule.required;
    made.is_flag = field.kind == field_kind::flag && !made.positional;
    made.on_by_default = made.is_flag && field.default_json == "true";
    made.repeats = field.kind == field_kind::list;
    made.is_file = field.rule.format == "path";
    made.value_name = value_name(field);
    made.choices.assign(field.choices.begin(), field.choices.end());
    if (!made.is_flag && field.default_json != "null" && field.default_json != "\"\"" &&
        field.default_json != "[]")
        made.default_text = text::trim(field.default_json).starts_with('"')
                                ? field.default_json.substr(1, field.default_json.size() - 2)
                                : field.default_json;
    made.field = &field;
    return made;
}

// More than the catalogue can know: arguments of the tool's own, and a deed that shows the answer its own way.
struct special {
    std::string_view endpoint;
    deed run;
    std::vector<argument> more;
};
std::vector<special> const& specials() {
    static std::vector<special> const all{
        {"torrents.add",
         &add_torrents,
         {{.word = "wait",
           .doc = "Show the progress until it is complete; Ctrl-C leaves the torrent running",
           .is_flag = true},
          {.word = "events", .doc = "With --wait: print the events of these torrents", .is_flag = true}}},
        {"torrents.list", &list_torrents, {}},
        {"scrape.run", &scrape_torrents, {}},
        {"events.log",
         &print_events,
         {{.word = "follow", .doc = "Go on with those that come, until Ctrl-C", .is_flag = true}}},
        {"config.get",
         &get_config,
         {{.word = "key", .doc = "One key or section; default: all of it", .positional = true}}},
        {"torrents.export_state", &export_state, {}},
        {"torrents.import_state", &import_state, {}},
        {"torrents.checkpoint", &print_checkpoint, {}},
        {"torrents.resume_checkpoint", &resume_checkpoint, {}},
        {"files.verify", &verify_files, {}},
        {"keys.list", &list_keys, {}},
        {"keys.create",
         &make_key,
         {{.word = "ed25519",
           .doc = "Make a key pair that signs, in ~/.config/ccbt/keys/NAME; the daemon is told to trust it",
           .is_flag = true},
          {.word = "no-trust", .doc = "With --ed25519: tell no daemon", .is_flag = true}}},
        {"keys.trust", &trust_key, {}}};
    return all;
}

std::vector<std::string> event_types() {
    std::vector<std::string> names;
    for (auto const& [type, name] : contract::names_of<contract::event_type>) names.emplace_back(name);
    names.emplace_back("all");
    return names;
}

std::vector<command> own_commands() {
    argument const bound{
        .word = "within", .doc = "Seconds to wait for it at most", .value_name = "N", .default_text = "30"};
    return {
        {.words = "watch",
         .summary = "Print events as they happen",
         .arguments =
             {{.word = "type",
               .doc = "Only these types; all: also rates, peers and progress; default: all but those",
               .positional = true,
               .repeats = true,
               .choices = event_types()},
              {.word = "count", .doc = "Leave after so many events", .value_name = "N"},
              {.word = "since",
               .doc = "First what came after this seq; default: from now on",
               .value_name = "SEQ"}},
         .run = &watch_events},
        {.words = "top",
         .summary = "The torrents as a table that keeps itself up to date; ? shows its keys",
         .arguments =
             {{.word = "sort",
               .doc = "The column to begin with",
               .value_name = "COLUMN",
               .choices = top_columns(),
               .default_text = "down"},
              {.word = "once",
               .doc = "Print the table once and leave, as where the output is no terminal",
               .is_flag = true}},
         .run = &show_top},
        {.words = "config set",
         .summary = "Set a key of the configuration: config set limits.global_down_kib 2048",
         .arguments =
             {{.word = "key", .doc = "The key, or KEY=VALUE", .positional = true, .required = true},
              {.word = "value", .doc = "Its value; a list by commas or as JSON", .positional = true}},
         .run = &set_config},
        {.words = "config unset",
         .summary = "Take a key back to what the file says",
         .arguments = {{.word = "key", .doc = "The key", .positional = true, .required = true}},
         .run = &unset_config},
        {.words = "daemon start",
         .summary = "Start the daemon in the background",
         .arguments = {bound},
         .run = &start_daemon},
        {.words = "daemon stop",
         .summary = "Stop the daemon and wait until it is gone",
         .arguments = {bound},
         .run = &stop_daemon},
        {.words = "daemon restart",
         .summary = "Stop the daemon and start it again",
         .arguments = {bound},
         .run = &restart_daemon},
        {.words = "daemon status", .summary = "Does the daemon run, and where", .run = &tell_daemon},
        {.words = "completion",
         .summary = "Write the completion script of a shell: source <(ccbt completion bash)",
         .arguments =
             {{.word = "shell",
               .doc = "Which",
               .positional = true,
               .required = true,
               .choices = {"bash", "zsh", "fish"}}},
         .run = &write_completion},
        {.words = "manual",
         .summary = "Write a manual page: ccbt manual | man -l -",
         .arguments =
             {{.word = "page",
               .doc = "Which",
               .positional = true,
               .choices = {"ccbt", "ccbtd", "ccbt.toml"},
               .default_text = "ccbt"}},
         .run = &write_manual}};
}

expected<wire::value, std::string> value_of(
    std::string const& written, field_kind kind, std::string const& word) {
    auto const wrong = [&](std::string_view wanted) {
        return unexpected<std::string>{word + " must be " + std::string{wanted} + ", is \"" + written + '"'};
    };
    auto const read = [&](auto n) -> expected<wire::value, std::string> {
        auto const [end, failed] = std::from_chars(written.data(), written.data() + written.size(), n);
        if (failed != std::errc{} || end != written.data() + written.size()) return wrong("a number");
        return wire::value{n};
    };
    switch (kind) {
    case field_kind::flag:
        if (written == "true" || written == "yes" || written == "on") return wire::value{true};
        if (written == "false" || written == "no" || written == "off") return wire::value{false};
        return wrong("true or false");
    case field_kind::whole: return read(std::int64_t{});
    case field_kind::number: return read(double{});
    case field_kind::object:
    case field_kind::any: {
        auto parsed = wire::parse(written, {.string_bytes = std::size_t{1} << 24});
        if (!parsed) return wrong("JSON");
        return std::move(*parsed);
    }
    default: return wire::value{written};
    }
}

} // namespace

std::vector<std::string> const& given::all(std::string_view word) const {
    static std::vector<std::string> const none;
    auto const at = held_.find(std::string{word});
    return at == held_.end() ? none : at->second;
}

std::string given::one(std::string_view word, std::string_view otherwise) const {
    auto const& held = all(word);
    return held.empty() ? std::string{otherwise} : held.back();
}

command command_for(wire::endpoint_facts const& endpoint) {
    command made{
        .words = std::string{endpoint.route.command},
        .summary = doc_of(endpoint.route.summary),
        .endpoint = &endpoint,
        .run = &run_endpoint};
    for (auto const& field : endpoint.request) {
        // Headers are for programs; bytes are read from files by whoever has a special deed for them.
        if (field.rule.in == contract::place::header || field.rule.format == "byte") continue;
        made.arguments.push_back(argument_for(field));
    }
    auto const positionals = std::count_if(
        made.arguments.begin(), made.arguments.end(), [](auto const& a) { return a.positional; });
    for (auto& a : made.arguments)
        if (a.positional && positionals == 1 && endpoint.route.method != contract::verb::get &&
            a.field->kind == field_kind::hash)
            a.repeats = true; // "pause A B C": once for each
    for (auto const& one : specials()) {
        if (one.endpoint != endpoint.route.name) continue;
        made.run = one.run;
        made.arguments.insert(made.arguments.end(), one.more.begin(), one.more.end());
        if (one.run == &resume_checkpoint)
            for (auto& a : made.arguments) {
                if (a.positional) a.is_file = true;
                if (a.positional) a.value_name = "FILE";
                if (a.positional) a.doc = "The file that the checkpoint is in; - is the standard input";
                if (a.field->kind == field_kind::hash) a.required = false; // the checkpoint has it
            }
        if (one.run == &scrape_torrents)
            for (auto& a : made.arguments)
                if (a.positional) a.required = false; // without one: the answers that are kept
        if (one.run == &make_key || one.run == &trust_key)
            for (auto& a : made.arguments) {
                if (a.word == "scope") {
                    a.doc = "What it may do: read, add, control, delete, files, net, config, metrics, admin";
                    a.choices.clear(); // several may stand in one word
                    a.required = false;
                    a.value_name = "A,B";
                    a.default_text = "read";
                }
                if (a.word == "expires") {
                    a.doc = "Until it ends: 90d, 12h, 30m, 2w; default: never";
                    a.value_name = "TIME";
                }
            }
        if (one.run == &add_torrents)
            for (auto& a : made.arguments)
                if (a.positional) {
                    a.repeats = a.required = a.is_file = true;
                    a.doc =
                        "A .torrent file here, whose content is sent, or a magnet link; or an absolute path of the "
                        "daemon's machine";
                }
    }
    return made;
}

std::vector<command> const& commands() {
    static auto const all = [] {
        std::vector<command> list;
        for (auto const& endpoint : wire::catalogue())
            if (!endpoint.route.command.empty()) list.push_back(command_for(endpoint));
        for (auto& one : own_commands()) list.push_back(std::move(one));
        return list;
    }();
    return all;
}

std::vector<argument> const& global_arguments() {
    static std::vector<argument> const all{
        {.word = "url",
         .doc =
             "Where the daemon is (http, https, or unix:///PATH); default: CCBT_URL, else what <state_dir>/daemon.json says",
         .value_name = "URL"},
        {.word = "api-key",
         .doc = "Its key; default: CCBT_API_KEY, else <state_dir>/api_key",
         .value_name = "KEY"},
        {.word = "sign",
         .doc =
             "Sign with a key pair of `ccbt key new --ed25519`, or of a PEM file, instead of sending a key; "
             "default: CCBT_SIGN",
         .is_file = true,
         .value_name = "NAME"},
        {.word = "ca",
         .doc =
             "A certificate (PEM) to trust over https beside the system's; default: CCBT_CA, and for a daemon of "
             "this machine the one that it made",
         .is_file = true,
         .value_name = "FILE"},
        {.word = "config", .doc = "The daemon's configuration file", .is_file = true, .value_name = "FILE"},
        {.word = "state-dir",
         .doc = "Where the daemon keeps its state; default: CCBT_STATE_DIR, else daemon.state_dir "
                "of the configuration, else ~/.ccbt/daemon",
         .is_file = true,
         .value_name = "DIR"},
        {.word = "json", .doc = "Print the answer as JSON", .is_flag = true},
        {.word = "idempotency-key",
         .doc = "16 to 64 characters: given again with the same command within a day, it is not done twice",
         .value_name = "KEY"},
        {.word = "timeout", .doc = "Seconds to wait for an answer", .value_name = "N", .default_text = "30"}};
    return all;
}

expected<wire::value::object, std::string> request_of(command const& what, given const& words) {
    wire::value::object made;
    for (auto const& a : what.arguments) {
        if (a.field == nullptr || !words.has(a.word)) continue;
        auto const shown = a.positional ? a.word : "--" + a.word;
        if (a.field->kind == field_kind::list) {
            wire::value::array items;
            for (auto const& written : words.all(a.word)) {
                auto item = value_of(written, a.field->item_kind, shown);
                if (!item) return unexpected<std::string>{std::move(item.error())};
                items.push_back(std::move(*item));
            }
            made.emplace_back(std::string{a.field->name}, std::move(items));
        } else {
            auto item = value_of(words.one(a.word), a.field->kind, shown);
            if (!item) return unexpected<std::string>{std::move(item.error())};
            made.emplace_back(std::string{a.field->name}, std::move(*item));
        }
    }
    return made;
}

} // namespace ccbt::cli
