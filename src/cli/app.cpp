#include "cli/app.hpp"

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/key_file.hpp"
#include "cli/session.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <ostream>

namespace ccbt::cli {

namespace {

constexpr char const* footer =
    "A torrent is named by its info-hash, the first digits of it (4 or more), or its whole name.\n"
    "\n"
    "Exit codes: 0 done; 1 the daemon answered an error; 2 wrong usage; 3 no daemon answers; 4 not authorized;\n"
    "            5 not found; 6 add --wait: the download failed; 130 interrupted.\n"
    "Environment: CCBT_URL, CCBT_API_KEY, CCBT_SIGN, CCBT_STATE_DIR, CCBTD (the daemon that `daemon start` runs), NO_COLOR.";

// What CLI11 writes into while it parses; its places may not move.
struct slot {
    argument const* what;
    std::vector<std::string> values{};
    bool flag = false;
    CLI::Option* option = nullptr;
};

CLI::Option* attach(CLI::App& to, slot& into) {
    auto const& a = *into.what;
    auto doc = a.doc;
    if (!a.default_text.empty()) doc += " [" + a.default_text + ']';
    CLI::Option* made = nullptr;
    if (a.is_flag) {
        into.flag = a.on_by_default;
        made =
            to.add_flag(a.on_by_default ? "--" + a.word + ",!--no-" + a.word : "--" + a.word, into.flag, doc);
    } else {
        made = to.add_option(a.positional ? a.word : "--" + a.word, into.values, doc);
        made->type_name(a.value_name);
        if (a.positional && a.repeats)
            made->expected(a.required ? 1 : 0, CLI::detail::expected_max_vector_size);
        else if (a.repeats)
            made->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        else
            made->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::Throw);
        if (!a.repeats) made->allow_extra_args(false); // what follows is the next one's
        if (!a.choices.empty()) made->check(CLI::IsMember(a.choices));
    }
    if (a.required) made->required();
    into.option = made;
    return made;
}

given words_of(std::deque<slot> const& slots) {
    given made;
    for (auto const& one : slots) {
        if (one.option->count() == 0) continue;
        made.put(
            one.what->word,
            one.what->is_flag ? std::vector<std::string>{one.flag ? "true" : "false"} : one.values);
    }
    return made;
}

std::optional<std::string> given_text(given const& words, std::string_view word) {
    return words.has(word) ? std::optional{words.one(word)} : std::nullopt;
}

std::string hint_for(std::vector<std::string> const& words) {
    std::vector<std::string> firsts{"help"};
    for (auto const& c : commands()) firsts.push_back(c.words.substr(0, c.words.find(' ')));
    std::vector<std::string_view> views(firsts.begin(), firsts.end());
    for (auto const& word : words) {
        if (word.starts_with('-')) continue;
        if (std::find(firsts.begin(), firsts.end(), word) != firsts.end()) return {};
        auto const meant = text::nearest(word, views);
        if (!meant.empty()) return "did you mean `ccbt " + std::string{meant} + "`?";
    }
    return {};
}

// Of a word that is no command itself, "daemon": what stands behind it.
std::string group_text(command const& first, std::string_view word) {
    std::string out;
    for (auto const& c : commands())
        if (c.words.starts_with(std::string{word} + ' ') && c.words != first.words)
            out += ", " + c.words.substr(word.size() + 1);
    return first.words.starts_with(std::string{word} + ' ') ? first.words.substr(word.size() + 1) + out : out;
}

// The parser made from the table, and which command each of its leaves is.
class parser {
public:
    parser() : app_{"Talks to the BitTorrent daemon ccbtd.", "ccbt"} {
        app_.fallthrough();
        app_.footer(footer);
        app_.set_version_flag("--version", std::string{"ccbt " CCBT_VERSION});
        app_.require_subcommand(0, 1);
        for (auto const& a : global_arguments())
            attach(app_, globals_.emplace_back(slot{&a}))->group("Global options");
        for (auto const& c : commands()) add(c);
        help_ = app_.add_subcommand("help", "What the commands are: ccbt help add");
        help_->add_option("command", help_words_, "Which")->expected(0, 4);
    }

    CLI::App& app() { return app_; }
    [[nodiscard]] given globals() const { return words_of(globals_); }

    struct leaf {
        CLI::App* app;
        command const* what;
        std::deque<slot> slots{};
    };
    [[nodiscard]] leaf const* parsed() const {
        for (auto const& one : leaves_)
            if (one.app->parsed() && one.app->get_subcommands().empty()) return &one;
        return nullptr;
    }
    [[nodiscard]] bool asks_for_help() const { return help_->parsed(); }
    [[nodiscard]] std::string help() const {
        CLI::App const* at = &app_;
        for (auto const& word : help_words_) {
            auto const subs =
                at->get_subcommands([&](CLI::App const* sub) { return sub->get_name() == word; });
            if (subs.empty()) break;
            at = subs.front();
        }
        // Not help(): that of a command whose subcommand was given is the subcommand's, here always of `help` itself.
        return at->get_formatter()->make_help(at, at->get_name(), CLI::AppFormatMode::Normal);
    }

private:
    void add(command const& c) {
        CLI::App* at = &app_;
        for (auto const word : text::split(c.words, ' ')) {
            auto const there =
                at->get_subcommands([&](CLI::App const* sub) { return sub->get_name() == word; });
            at = there.empty() ? at->add_subcommand(std::string{word}, group_text(c, word)) : there.front();
            at->require_subcommand(0, 1);
        }
        at->description(c.summary);
        auto& made = leaves_.emplace_back(leaf{at, &c});
        for (auto const& a : c.arguments) attach(*at, made.slots.emplace_back(slot{&a}));
        // "files HASH" beside "files select": what is required would take the next command's word.
        for (auto const& above : leaves_)
            if (above.app == at->get_parent())
                for (auto const& s : above.slots) s.option->required(false);
    }

    CLI::App app_;
    std::deque<slot> globals_;
    std::deque<leaf> leaves_;
    CLI::App* help_ = nullptr;
    std::vector<std::string> help_words_;
};

} // namespace

int run(std::vector<std::string> words, surroundings const& around) {
    parser line;
    try {
        auto reversed = words;
        std::reverse(reversed.begin(), reversed.end());
        line.app().parse(std::move(reversed));
    } catch (CLI::Success const& asked) { // --help, --version
        return line.app().exit(asked, around.out, around.err);
    } catch (CLI::ParseError const& wrong) {
        auto hint = hint_for(words);
        if (hint.empty()) hint = "`ccbt help` and `ccbt COMMAND --help` say how it is used";
        around.err << "ccbt: " << printable(wrong.what()) << "\n  " << hint << '\n';
        return static_cast<int>(exit_code::usage);
    }
    if (line.asks_for_help()) {
        around.out << line.help();
        return 0;
    }
    auto const* leaf = line.parsed();
    if (leaf == nullptr) {
        auto const subs = line.app().get_subcommands();
        around.err << (subs.empty() ? line.app().help() : subs.front()->help());
        return static_cast<int>(exit_code::usage);
    }
    for (auto const& s : leaf->slots)
        if (s.what->required && s.option->count() == 0) {
            around.err << "ccbt: " << s.what->word << " is required\n  `ccbt " << leaf->what->words
                       << " --help` says how it is used\n";
            return static_cast<int>(exit_code::usage);
        }
    auto const globals = line.globals();
    double seconds = 30;
    if (globals.has("timeout")) {
        auto const written = globals.one("timeout");
        auto const [end, failed] = std::from_chars(written.data(), written.data() + written.size(), seconds);
        if (failed != std::errc{} || end != written.data() + written.size() || !(seconds > 0) ||
            seconds > 86400) {
            around.err << "ccbt: --timeout must be a number of seconds\n";
            return static_cast<int>(exit_code::usage);
        }
    }
    auto found = client::find_local_daemon(
        {.url = given_text(globals, "url"),
         .api_key = given_text(globals, "api-key"),
         .state_dir = given_text(globals, "state-dir"),
         .config = given_text(globals, "config"),
         .ca = given_text(globals, "ca"),
         .environment = around.environment});
    auto const environment = [&](char const* name) {
        auto const* held = around.environment ? around.environment(name) : std::getenv(name);
        return std::string{held == nullptr ? "" : held};
    };
    auto signer = given_text(globals, "sign");
    if (!signer && !globals.has("api-key")) signer = environment("CCBT_SIGN");
    if (signer && !signer->empty()) {
        auto read = read_key_file(key_file_of(*signer, environment("HOME")));
        if (!read) {
            around.err << "ccbt: " << printable(read.error()) << '\n';
            return static_cast<int>(exit_code::usage);
        }
        found.how.signing_key = *read;
    }
    found.how.idempotency_key = given_text(globals, "idempotency-key").value_or("");
    found.how.timeout = std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
    session s{{around.out, around.err, around.term}, std::move(found), globals.flag("json")};
    s.config = given_text(globals, "config");
    s.state_dir = given_text(globals, "state-dir");
    s.home = environment("HOME");
    return leaf->what->run(s, *leaf->what, words_of(leaf->slots));
}

} // namespace ccbt::cli
