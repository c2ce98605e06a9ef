#include "cli/session.hpp"

#include "base/text.hpp"
#include "client/connection.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <ostream>

namespace ccbt::cli {

namespace {

constexpr std::size_t shortest_prefix = 4;

bool is_loopback(std::string const& url) {
    auto const at = client::parse_url(url);
    return at && at->is_loopback();
}

} // namespace

session::session(streams to, client::local_daemon found, bool as_json)
    : out{to.out}, err{to.err}, term{to.term}, where{std::move(found)}, json{as_json}, daemon{where.how} {}

exit_code session::wrong_usage(std::string_view why) const {
    err << "ccbt: " << printable(why) << '\n';
    return exit_code::usage;
}

exit_code session::tell(client::client_error const& error) const {
    using client::error_kind;
    auto const url = printable(where.how.url);
    auto const message = printable(error.message);
    auto code = exit_code::refused;
    std::string told;
    switch (error.kind) {
    case error_kind::unreachable:
        code = exit_code::no_daemon;
        told = is_loopback(where.how.url)
                   ? fmt::format(
                         "no daemon answers at {}: start one with `ccbt daemon start`\n  ({})", url, message)
                   : fmt::format(
                         "no daemon answers at {}: does it run there, and is the URL right?\n  ({})", url,
                         message);
        break;
    case error_kind::timeout:
        code = exit_code::no_daemon;
        told = fmt::format("no answer from {} in time: give it longer with --timeout\n  ({})", url, message);
        break;
    case error_kind::unauthorized:
        code = exit_code::unauthorized;
        told =
            where.how.signing_key && error.status != 403
                ? fmt::format(
                      "the daemon at {} does not accept this signature: is the key trusted there (`ccbt key "
                      "list`), and do both clocks agree?",
                      url)
            : error.status == 403
                ? fmt::format("this key may not do that: {}", message)
                : fmt::format(
                      "the daemon at {} does not accept {}: give --api-key or CCBT_API_KEY; its own key is in "
                      "{}/api_key",
                      url, where.how.api_key.empty() ? "a request without a key" : "this key",
                      where.state_dir.string());
        break;
    case error_kind::unsupported:
        code = exit_code::usage;
        told = message;
        break;
    case error_kind::untrusted:
        code = exit_code::unauthorized;
        told = message;
        break;
    case error_kind::broken:
        told = fmt::format("what answers at {} is no daemon of this kind: {}", url, message);
        break;
    case error_kind::refused:
        code = error.status == 404 ? exit_code::not_found : exit_code::refused;
        told = error.code.empty() ? message : fmt::format("{} ({})", message, printable(error.code));
    }
    if (json) {
        wire::writer w;
        w.begin_object();
        w.key("error");
        w.text(error.kind == error_kind::refused ? error.message : told);
        w.key("code");
        w.text(error.code.empty() ? std::string_view{"NO_ANSWER"} : std::string_view{error.code});
        w.key("details");
        w.raw(error.details);
        w.end_object();
        auto text = w.take_text();
        err << (term.err_is_terminal ? printable(text) : text) << '\n';
        return code;
    }
    err << tinted("ccbt:", tint::red, term.colour && term.err_is_terminal) << ' ' << told << '\n';
    if (auto const details = wire::parse(error.details))
        if (auto const& problems = details->list_or_empty("problems"); problems.size() > 1)
            for (auto const& one : problems)
                err << "  " << printable(one.text_or("field", "")) << ' '
                    << printable(one.text_or("message", "")) << '\n';
    return code;
}

expected<std::string, no_match> match(wire::value::array const& rows, std::string_view written) {
    std::vector<wire::value const*> found;
    auto const prefix = text::lower(written);
    bool const may_be_prefix = written.size() >= shortest_prefix &&
                               prefix.find_first_not_of("0123456789abcdef") == std::string::npos;
    for (auto const& row : rows)
        if (row.text_or("name", "") == written ||
            (may_be_prefix && row.text_or("info_hash", "").starts_with(prefix)))
            found.push_back(&row);
    if (found.size() == 1) return std::string{found[0]->text_or("info_hash", "")};
    if (found.empty()) {
        auto why = fmt::format(
            "no torrent is named \"{}\" or has a hash that begins so: see `ccbt ls`", printable(written));
        return unexpected<no_match>{no_match{std::move(why)}};
    }
    auto why = fmt::format(
        "\"{}\" may be any of {} torrents: write more digits of the hash", printable(written), found.size());
    for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 5); ++i)
        why += fmt::format(
            "\n  {} {}", printable(found[i]->text_or("info_hash", "")),
            printable(found[i]->text_or("name", "")));
    return unexpected<no_match>{no_match{std::move(why), true}};
}

expected<std::string, exit_code> resolve(session& s, std::string_view written) {
    if (contract::info_hash::parse(written)) return text::lower(written);
    auto const* listing = wire::find_endpoint(contract::list_torrents::route.name);
    auto const got = s.daemon.call(*listing, {{"fields", "info_hash,name"}});
    if (!got) return unexpected<exit_code>{s.tell(got.error())};
    auto const read =
        wire::parse(got->text, {.depth = 64, .elements = 50'000'000, .string_bytes = std::size_t{1} << 24});
    if (!read) return unexpected<exit_code>{s.tell({.message = "its list of torrents is no JSON"})};
    auto matched = match(read->list_or_empty("torrents"), written);
    if (matched) return std::move(*matched);
    s.err << "ccbt: " << matched.error().why << '\n';
    return unexpected<exit_code>{matched.error().ambiguous ? exit_code::usage : exit_code::not_found};
}

} // namespace ccbt::cli
