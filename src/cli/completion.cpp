#include "cli/completion.hpp"

#include "base/text.hpp"
#include "cli/deeds.hpp"
#include "cli/session.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <ostream>

namespace ccbt::cli {

namespace {

struct candidate {
    std::string word;
    std::string doc;
    bool operator==(candidate const& other) const { return word == other.word; }
};
// What may stand after some words: "" the first words, "daemon" the second ones, "add" its arguments.
struct place {
    std::string after;
    std::vector<candidate> next{};
};

std::vector<candidate> candidates(std::vector<argument> const& arguments) {
    std::vector<candidate> made;
    for (auto const& a : arguments) {
        if (a.positional)
            for (auto const& choice : a.choices) made.push_back({choice, a.doc});
        else
            made.push_back({(a.on_by_default ? "--no-" : "--") + a.word, a.doc});
    }
    return made;
}

std::vector<place> places(std::span<command const> all) {
    std::vector<place> made{{""}};
    auto const at = [&](std::string const& after) -> place& {
        auto const found =
            std::find_if(made.begin(), made.end(), [&](auto const& p) { return p.after == after; });
        if (found != made.end()) return *found;
        made.push_back({after});
        return made.back();
    };
    auto const add = [](place& to, candidate one) {
        if (std::find(to.next.begin(), to.next.end(), one) == to.next.end())
            to.next.push_back(std::move(one));
    };
    for (auto const& c : all) {
        std::string so_far;
        for (auto const word : text::split(c.words, ' ')) {
            bool const is_last =
                (so_far.empty() ? std::string{} : so_far + ' ') + std::string{word} == c.words;
            add(at(so_far), {std::string{word}, is_last ? c.summary : "…"});
            so_far += (so_far.empty() ? "" : " ") + std::string{word};
        }
        for (auto& one : candidates(c.arguments)) add(at(so_far), std::move(one));
    }
    add(at(""), {"help", "What the commands are"});
    for (auto& p : made)
        for (auto& one : candidates(global_arguments())) add(p, std::move(one));
    return made;
}

std::string in_quotes(std::string_view s) {
    std::string out = "'";
    for (char const c : s) out += c == '\'' ? std::string{"'\\''"} : std::string{c};
    return out + '\'';
}

// Walks over the words before the cursor, in the syntax that bash and zsh share.
std::string walk(
    std::vector<place> const& all, std::string_view words, std::string_view first, std::string_view cursor) {
    std::string known;
    for (auto const& p : all)
        if (!p.after.empty()) known += (known.empty() ? "" : "|") + in_quotes(p.after);
    return fmt::format(
        "    local at='' i one\n"
        "    for ((i = {1}; i < {2}; i++)); do\n"
        "        one=\"${{at:+$at }}${{{0}[i]}}\"\n"
        "        case \"$one\" in {3}) at=\"$one\" ;; esac\n"
        "    done\n",
        words, first, cursor, known);
}

} // namespace

std::string bash_completion(std::span<command const> all) {
    auto const made = places(all);
    std::string out = "# bash completion of ccbt: source <(ccbt completion bash)\n_ccbt() {\n";
    out += walk(made, "COMP_WORDS", "1", "COMP_CWORD");
    out += "    local words=''\n    case \"$at\" in\n";
    for (auto const& p : made) {
        std::string list;
        for (auto const& one : p.next) list += (list.empty() ? "" : " ") + one.word;
        out += fmt::format("    {}) words={} ;;\n", in_quotes(p.after), in_quotes(list));
    }
    out += "    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
           "complete -o default -F _ccbt ccbt\n";
    return out;
}

std::string zsh_completion(std::span<command const> all) {
    auto const made = places(all);
    std::string out = "#compdef ccbt\n# zsh completion of ccbt: source <(ccbt completion zsh)\n_ccbt() {\n";
    out += walk(made, "words", "2", "CURRENT");
    out += "    local -a candidates\n    case \"$at\" in\n";
    for (auto const& p : made) {
        out += fmt::format("    {}) candidates=(", in_quotes(p.after));
        for (auto const& one : p.next) out += "\n        " + in_quotes(one.word + ':' + one.doc);
        out += ") ;;\n";
    }
    out += "    esac\n    _describe 'ccbt' candidates || _files\n}\ncompdef _ccbt ccbt\n";
    return out;
}

std::string fish_completion(std::span<command const> all) {
    std::string out =
        "# fish completion of ccbt: ccbt completion fish | source\ncomplete -c ccbt -f -n __fish_use_subcommand\n";
    for (auto const& p : places(all)) {
        std::string when = "__fish_use_subcommand";
        if (!p.after.empty()) {
            when.clear();
            for (auto const word : text::split(p.after, ' '))
                when += (when.empty() ? "" : "; and ") + std::string{"__fish_seen_subcommand_from "} +
                        std::string{word};
        }
        for (auto const& one : p.next) {
            bool const is_option = one.word.starts_with("--");
            out += fmt::format(
                "complete -c ccbt -n {} {} {} -d {}\n", in_quotes(when), is_option ? "-l" : "-a",
                in_quotes(is_option ? one.word.substr(2) : one.word), in_quotes(one.doc));
        }
    }
    return out;
}

int write_completion(session& s, command const&, given const& words) {
    auto const shell = words.one("shell");
    s.out
        << (shell == "bash"  ? bash_completion(commands())
            : shell == "zsh" ? zsh_completion(commands())
                             : fish_completion(commands()));
    return 0;
}

} // namespace ccbt::cli
