#include "cli/manual.hpp"

#include "cli/deeds.hpp"
#include "cli/session.hpp"
#include "contract/settings.hpp"
#include "wire/codec.hpp"

#include <fmt/core.h>
#include <limits>
#include <ostream>

namespace ccbt::cli {

namespace {

constexpr std::string_view ccbt_before = R"(.SH NAME
ccbt \- talks to the BitTorrent daemon ccbtd
.SH SYNOPSIS
.B ccbt
.RI [ OPTIONS ]
.I COMMAND
.RI [ ARGUMENTS ]
.SH DESCRIPTION
.B ccbt
adds, lists, watches and removes the torrents of a running
.BR ccbtd (8).
It finds a daemon of this user by itself; another one is named with
.B \-\-url
and
.BR \-\-api\-key .
.PP
A torrent is named by its info-hash, the first digits of it (4 or more), or its whole name.
Tables fit the terminal; with
.B \-\-json
each command prints the daemon's answer as it came.
)";

constexpr std::string_view ccbt_after = R"(.SH EXIT STATUS
.TP
.B 0
Done.
.TP
.B 1
The daemon answered an error, or the output could not be written.
.TP
.B 2
Wrong usage.
.TP
.B 3
No daemon answers.
.TP
.B 4
Not authorized.
.TP
.B 5
Not found.
.TP
.B 6
.B add \-\-wait\c
: the download failed.
.TP
.B 130
Interrupted.
.SH ENVIRONMENT
.TP
.BR CCBT_URL ", " CCBT_API_KEY ", " CCBT_STATE_DIR
Where the daemon is, its key, where it keeps its state; the options go before them.
.TP
.B CCBTD
The daemon that
.B daemon start
runs.
.TP
.B NO_COLOR
Set: no colours.
.SH FILES
.TP
.I ~/.ccbt/daemon/daemon.json
Where the running daemon is.
.TP
.I ~/.ccbt/daemon/api_key
Its key.
.SH EXAMPLES
.nf
ccbt daemon start
ccbt add \-\-wait debian.torrent
ccbt ls
ccbt \-\-json ls | jq \-r '.torrents[].name'
ccbt watch torrent_completed
source <(ccbt completion bash)
.fi
.SH SEE ALSO
.BR ccbtd (8),
.BR ccbt.toml (5)
)";

constexpr std::string_view ccbtd_page = R"(.SH NAME
ccbtd \- a BitTorrent daemon controlled over HTTP and WebSocket
.SH SYNOPSIS
.B ccbtd
.RB [ \-\-config
.IR FILE ]
.RB [ \-\-state\-dir
.IR DIR ]
.RB [ \-\-set
.IR SECTION.KEY=VALUE "]..."
.br
.B ccbtd \-\-check\-config
|
.B ccbtd \-\-recover
|
.B ccbtd \-\-demo
.I N
|
.B ccbtd \-\-version
.SH DESCRIPTION
.B ccbtd
runs in the foreground and logs to standard error. When its API answers it prints
.RI "\(dqready " URL "\(dq"
to standard output. What it answered with success is on stable storage.
.BR ccbt (1)
controls it;
.B ccbt daemon start
runs it in the background.
.SH OPTIONS
.TP
.BI \-\-config " FILE"
The configuration; else
.IR ccbt.toml
here,
.IR ~/.config/ccbt/ccbt.toml ,
.IR ~/.ccbt.toml .
.TP
.BI \-\-state\-dir " DIR"
Where it keeps its state.
.TP
.BI \-\-set " SECTION.KEY=VALUE"
Sets one key, over file and environment; may be repeated.
.TP
.BI \-\-demo " N"
Serves N made-up torrents, without a network.
.TP
.B \-\-check\-config
Checks the configuration and leaves.
.TP
.B \-\-recover
Reads what can be read of a damaged state into a new one, and leaves. The damaged one is kept beside it, as
.IR ccbt.db.damaged\-TIME ,
with a report in
.IR ccbt.db.damaged\-TIME.txt .
A state that is not damaged is left as it is; a daemon that runs on it is refused (75), and so is a state of a newer
version (65).
.TP
.B \-\-version
Prints its version, libtorrent's and Boost's.
.SH SIGNALS
.TP
.BR SIGTERM ", " SIGINT
Stop cleanly; a second one leaves at once.
.TP
.B SIGHUP
Reads the configuration again.
.SH EXIT STATUS
.TP
.B 0
It was asked to stop.
.TP
.B 65
Its state is damaged, or of a newer version; it is left untouched.
.TP
.B 73
The state folder cannot be made or written.
.TP
.B 75
Another daemon holds the state folder.
.TP
.B 78
Bad or unsafe configuration, or wrong flags.
.SH FILES
.TP
.I ~/.ccbt/daemon
The state: daemon.json, daemon.pid, api_key, ccbtd.lock, ccbtd.sock (the API for the daemon's own user), the
certificate that it made where TLS is on, and the store.
.SH SEE ALSO
.BR ccbt (1),
.BR ccbt.toml (5)
)";

constexpr std::string_view configuration_before = R"(.SH NAME
ccbt.toml \- the configuration of ccbtd
.SH DESCRIPTION
TOML in UTF-8. The first of
.I ccbt.toml
in the working folder,
.I ~/.config/ccbt/ccbt.toml
and
.I ~/.ccbt.toml
is read, or the one that
.B \-\-config
names. Over the file go the environment
.RB ( CCBT_SECTION_KEY ,
as in CCBT_LIMITS_GLOBAL_DOWN_KIB=1024), and over it the flags of
.BR ccbtd (8).
An unknown key is a warning that names the nearest known one; a wrong value ends the start with exit status 78.
.PP
Rates (\fI*_kib\fR) are in KiB a second, 0 is no limit; times are seconds. Marked with * is what takes effect at the next start; the
rest also when the daemon gets SIGHUP.
)";

std::string page(std::string_view name, int section) {
    return fmt::format(".TH {} {} \"\" \"ccbt {}\"\n", roff_text(name), section, CCBT_VERSION);
}

std::string bold(std::string_view words) { return ".B " + roff_text(words) + '\n'; }

std::string option(argument const& a) {
    auto const word = a.positional ? a.word : (a.on_by_default ? "--no-" : "--") + a.word;
    auto out = ".TP\n.B " + roff_text(word);
    if (!a.is_flag && !a.positional) out += " \\fI" + roff_text(a.value_name) + "\\fR";
    out += '\n' + roff_text(a.doc);
    if (!a.default_text.empty()) out += " [" + roff_text(a.default_text) + ']';
    if (!a.choices.empty() && a.choices.size() <= 10) {
        out += a.doc.empty() ? "One of" : "; one of";
        for (auto const& one : a.choices) out += (&one == &a.choices.front() ? " " : ", ") + roff_text(one);
    }
    return out + '\n';
}

std::string synopsis(command const& c) {
    auto out = c.words;
    for (auto const& a : c.arguments)
        if (a.positional)
            out += (a.required ? " " : " [") + a.word + (a.repeats ? "..." : "") + (a.required ? "" : "]");
    return out;
}

template <class T> std::string allowed(contract::rules const& rule) {
    if constexpr (contract::named_enum<T>) {
        std::string out;
        for (auto const& [value, name] : contract::names_of<T>)
            out += (out.empty() ? "" : ", ") + std::string{name};
        return out;
    } else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
        if (rule.min > std::numeric_limits<double>::lowest() && rule.max < std::numeric_limits<double>::max())
            return fmt::format("{:.0f} to {:.0f}", rule.min, rule.max);
    }
    return {};
}

template <class T> void put_keys(std::string& out, T const& held) {
    T::fields.each([&](auto const& f) {
        using field = std::remove_cvref_t<decltype(f)>;
        auto const& value = held.*field::member;
        if constexpr (contract::described<typename field::type>) {
            out += ".PP\n" + bold(fmt::format("[security.{}]", f.name())) + roff_text(f.doc) + '\n';
            put_keys(out, value);
        } else {
            std::string_view doc = f.doc;
            if (doc.ends_with(" (+)")) doc.remove_suffix(4);
            out += ".TP\n.B " + roff_text(f.name()) + (f.rule.restart ? "*" : "") + " = " +
                   roff_text(wire::to_json(value)) + '\n' + roff_text(doc);
            auto const range = allowed<typename field::type>(f.rule);
            if (!range.empty()) out += " (" + roff_text(range) + ')';
            out += '\n';
        }
    });
}

} // namespace

std::string roff_text(std::string_view plain) {
    std::string out;
    for (char const c : plain) {
        if (c == '\\')
            out += "\\e";
        else if (c == '"')
            out += "\\(dq"; // else it would only bind words
        else if (c == '-')
            out += "\\-";
        else if (c == '\n')
            out += ' ';
        else if ((c == '.' || c == '\'') && out.empty())
            (out += "\\&") += c;
        else
            out += c;
    }
    return out;
}

std::string ccbt_manual(std::span<command const> all) {
    auto out = page("ccbt", 1) + std::string{ccbt_before} + ".SH OPTIONS\n";
    for (auto const& a : global_arguments()) out += option(a);
    out += ".SH COMMANDS\n";
    for (auto const& c : all) {
        out += ".SS " + roff_text(synopsis(c)) + '\n' + roff_text(c.summary) + ".\n";
        for (auto const& a : c.arguments) out += option(a);
    }
    return out + std::string{ccbt_after};
}

std::string ccbtd_manual() { return page("ccbtd", 8) + std::string{ccbtd_page}; }

std::string configuration_manual() {
    auto out = page("ccbt.toml", 5) + std::string{configuration_before};
    contract::settings const defaults;
    contract::settings::fields.each([&](auto const& section) {
        out += fmt::format(".SH [{}]\n", section.name()) + roff_text(section.doc) + ".\n";
        put_keys(out, defaults.*std::remove_cvref_t<decltype(section)>::member);
    });
    return out + ".SH SEE ALSO\n.BR ccbtd (8),\n.BR ccbt (1)\n";
}

int write_manual(session& s, command const&, given const& words) {
    auto const which = words.one("page", "ccbt");
    s.out
        << (which == "ccbtd"       ? ccbtd_manual()
            : which == "ccbt.toml" ? configuration_manual()
                                   : ccbt_manual(commands()));
    return 0;
}

} // namespace ccbt::cli
