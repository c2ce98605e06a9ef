// `ccbt key`: named keys of the daemon, and key pairs of this user's that sign.
#include "base/text.hpp"
#include "cli/deeds.hpp"
#include "cli/key_file.hpp"
#include "cli/print.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"

#include <charconv>
#include <fmt/core.h>
#include <optional>
#include <ostream>
#include <unistd.h>

namespace ccbt::cli {

namespace {

int code(exit_code c) { return static_cast<int>(c); }

std::vector<std::string> scopes_of(given const& words) {
    std::vector<std::string> out;
    for (auto const& written : words.all("scope"))
        for (auto const one : text::split(written, ',')) out.emplace_back(text::trim(one));
    if (out.empty()) out.emplace_back("read");
    return out;
}

wire::value as_list(std::vector<std::string> const& texts) {
    wire::value::array out;
    for (auto const& one : texts) out.emplace_back(one);
    return wire::value{std::move(out)};
}

std::string shown(wire::value const& of, std::string_view field) {
    auto const* held = of.find(field);
    return held == nullptr ? "-" : human(field, *held);
}

// "90d", "12h", "3600": seconds.
std::optional<std::int64_t> read_duration(std::string_view written) {
    std::int64_t n = 0;
    auto const [end, failed] = std::from_chars(written.data(), written.data() + written.size(), n);
    if (failed != std::errc{} || n <= 0 || n > 3'155'760'000) return std::nullopt;
    std::string_view const unit{end, written.data() + written.size()};
    std::int64_t scale = 0;
    for (auto const& [name, seconds] :
         {std::pair{"", 1}, std::pair{"s", 1}, std::pair{"m", 60}, std::pair{"h", 3600},
          std::pair{"d", 86'400}, std::pair{"w", 604'800}})
        if (unit == name) scale = seconds;
    return scale == 0 ? std::nullopt : std::optional{n * scale};
}

// The daemon is told, and what it answers shown.
int trust(session& s, std::string const& known, std::string const& name, given const& words) {
    wire::value::object const request{
        {"public_key", known}, {"name", name}, {"scopes", as_list(scopes_of(words))}};
    auto const got = s.daemon.call(*wire::find_endpoint(contract::trust_key::route.name), request);
    if (!got) return code(s.tell(got.error()));
    auto const read = wire::parse(got->text);
    if (!read) return code(s.tell({.message = "its answer is no JSON"}));
    s.err << fmt::format(
        "{} trusts {}: {}\n", printable(s.where.how.url), printable(name), shown(*read, "scopes"));
    return 0;
}

int make_key_pair(session& s, given const& words) {
    auto const name = words.one("name");
    if (words.has("expires")) return code(s.wrong_usage("a trust does not end by itself: revoke it"));
    if (name.find('/') != std::string::npos || name.starts_with('.'))
        return code(s.wrong_usage("a name is no path"));
    auto const file = key_file_of(name, s.home);
    auto const secret = crypto::random_32();
    auto const known = secret ? crypto::public_key_of(*secret) : std::nullopt;
    if (!known) return code(s.tell({.message = "no random bytes are to be had"}));
    if (auto const written = write_key_file(file, *secret); !written)
        return code(s.wrong_usage(written.error()));
    auto const hex = text::to_hex(*known);
    if (!words.flag("no-trust")) {
        if (auto const refused = trust(s, hex, name, words); refused != 0) {
            ::unlink(file.c_str()); // so that the same words work once the cause is gone
            return refused;
        }
    }
    if (s.json) {
        wire::value::object const made{{"name", name}, {"public_key", hex}, {"file", file.string()}};
        print_json(s.out, wire::to_text(wire::value{made}), s.term);
        return 0;
    }
    s.out << hex << '\n';
    s.err << "kept in " << printable(file.string()) << "; use it with --sign " << printable(name) << '\n';
    return 0;
}

} // namespace

int make_key(session& s, command const& what, given const& words) {
    if (words.flag("ed25519")) return make_key_pair(s, words);
    if (words.has("no-trust")) return code(s.wrong_usage("--no-trust goes with --ed25519"));
    wire::value::object request{{"name", words.one("name")}, {"scopes", as_list(scopes_of(words))}};
    if (words.has("expires")) {
        auto const seconds = read_duration(words.one("expires"));
        if (!seconds)
            return code(s.wrong_usage(
                "--expires must be a time like 90d, 12h, 30m or 2w, is \"" + words.one("expires") + '"'));
        request.emplace_back("expires_in", *seconds);
    }
    auto const got = s.daemon.call(*what.endpoint, request);
    if (!got) return code(s.tell(got.error()));
    if (s.json) {
        print_json(s.out, got->text, s.term);
        return 0;
    }
    auto const read = wire::parse(got->text);
    if (!read) return code(s.tell({.message = "its answer is no JSON"}));
    s.out << printable(read->text_or("secret", "")) << '\n';
    s.err << fmt::format(
        "key {}: {}; ends: {}. It is shown this once: the daemon keeps only its hash.\n",
        printable(read->text_or("name", "")), shown(*read, "scopes"), shown(*read, "expires_at"));
    return 0;
}

int trust_key(session& s, command const&, given const& words) {
    return trust(s, words.one("public-key"), words.one("name"), words);
}

int list_keys(session& s, command const& what, given const&) {
    auto const got = s.daemon.call(*what.endpoint, {});
    if (!got) return code(s.tell(got.error()));
    if (s.json) {
        print_json(s.out, got->text, s.term);
        return 0;
    }
    auto const read = wire::parse(got->text);
    if (!read) return code(s.tell({.message = "its answer is no JSON"}));
    std::vector<std::vector<cell>> cells;
    for (auto const& key : read->list_or_empty("keys")) {
        cells.push_back(
            {{shown(key, "name")},
             {shown(key, "kind")},
             {shown(key, "scopes")},
             {shown(key, "expires_at")},
             {shown(key, "last_used")},
             {shown(key, "public_key"), tint::dim}});
    }
    std::vector<column> const shape{{"NAME"},    {"KIND"},      {"SCOPES", false, true},
                                    {"EXPIRES"}, {"LAST USED"}, {"PUBLIC KEY"}};
    for (auto const& line : lay_out(shape, std::move(cells), s.term.width, s.term.colour))
        s.out << line << '\n';
    return 0;
}

} // namespace ccbt::cli
