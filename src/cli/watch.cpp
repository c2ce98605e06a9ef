// `ccbt watch`: events, as they come. When the stream is lost it comes back by itself, and says that it was away.
#include "client/watch.hpp"
#include "cli/deeds.hpp"
#include "cli/print.hpp"
#include "cli/session.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <fmt/core.h>
#include <ostream>

namespace ccbt::cli {

namespace {

using contract::event_type;

// Those that come all the time are only shown to who asks for them.
bool is_chatter(event_type type) {
    return type == event_type::torrents_changed || type == event_type::global_stats_updated ||
           type == event_type::peer_connected || type == event_type::peer_disconnected ||
           type == event_type::progress_updated;
}

std::vector<event_type> types_of(std::vector<std::string> const& names) {
    std::vector<event_type> made;
    bool const all = std::find(names.begin(), names.end(), "all") != names.end();
    for (auto const& [type, name] : contract::names_of<event_type>)
        if (all ||
            (names.empty() ? !is_chatter(type) : std::find(names.begin(), names.end(), name) != names.end()))
            made.push_back(type);
    return made;
}

std::optional<std::int64_t> number(given const& words, std::string_view word) {
    std::int64_t n = 0;
    auto const written = words.one(word);
    auto const [end, failed] = std::from_chars(written.data(), written.data() + written.size(), n);
    if (written.empty() || failed != std::errc{} || end != written.data() + written.size() || n < 0)
        return std::nullopt;
    return n;
}

std::string line_of(wire::value const& event, terminal const& term) {
    auto const at = static_cast<std::time_t>(std::clamp(event.number_or("timestamp", 0), 0.0, 1e11));
    std::tm parts{};
    std::array<char, 16> clock{};
    if (::localtime_r(&at, &parts) != nullptr) std::strftime(clock.data(), clock.size(), "%H:%M:%S", &parts);
    auto line = tinted(clock.data(), tint::dim, term.colour) + ' ' +
                tinted(printable(event.text_or("type", "")), tint::cyan, term.colour);
    if (auto const* data = event.find("data"))
        if (auto const* members = data->get_if<wire::value::object>())
            for (auto const& [name, held] : *members) {
                auto shown = human(name, held);
                if (name == "info_hash") shown = shown.substr(0, 8);
                line += fmt::format(" {}={}", printable(name), shown);
            }
    return line;
}

} // namespace

int watch_events(session& s, command const&, given const& words) {
    for (auto const* word : {"count", "since"})
        if (words.has(word) && !number(words, word))
            return static_cast<int>(s.wrong_usage(fmt::format("--{} must be a whole number", word)));
    client::event_watch watch{s.where.how, types_of(words.all("type")), number(words, "since")};
    auto left = number(words, "count");
    bool was_there = false;
    bool is_away = false;
    while (!left || *left > 0) {
        auto const news = watch.next(std::chrono::hours{1});
        if (!news) return static_cast<int>(s.tell(news.error()));
        if (!news->connected) {
            if (!was_there) return static_cast<int>(s.tell(*watch.lost()));
            if (!std::exchange(is_away, true))
                s.err << "ccbt: " << printable(watch.lost()->message) << "; waiting for it to come back"
                      << std::endl;
            continue;
        }
        was_there = true;
        if (std::exchange(is_away, false)) s.err << "ccbt: the daemon is back" << std::endl;
        if (!news->event) continue;
        auto const event = wire::parse(news->text);
        if (!event) continue;
        if (s.json)
            s.out << (s.term.out_is_terminal ? printable(news->text) : news->text) << std::endl;
        else
            s.out << line_of(*event, s.term) << std::endl;
        if (left) --*left;
    }
    return 0;
}

int print_events(session& s, command const& what, given const& words) {
    auto request = request_of(what, words);
    if (!request) return static_cast<int>(s.wrong_usage(request.error()));
    bool const follow = words.flag("follow");
    auto const put = [&](std::string_view name, wire::value v) {
        for (auto& [known, held] : *request)
            if (known == name) return void(held = std::move(v));
        request->emplace_back(std::string{name}, std::move(v));
    };
    // Below the time that the client waits for an answer.
    auto const patience = std::min(20.0, std::chrono::duration<double>(s.where.how.timeout).count() / 2);
    if (follow) put("wait", wire::value{patience});
    while (true) {
        auto const got = s.daemon.call(*what.endpoint, *request);
        if (!got) return static_cast<int>(s.tell(got.error()));
        auto const read = wire::parse(got->text, {.depth = 64, .elements = 5'000'000});
        if (!read) return static_cast<int>(s.tell({.message = "its answer is no JSON"}));
        if (s.json && !follow) {
            print_json(s.out, got->text, s.term);
            return 0;
        }
        if (read->flag_or("resync", false))
            s.err << "ccbt: some events since then are no longer known" << std::endl;
        for (auto const& event : read->list_or_empty("events"))
            s.out << (s.json ? wire::to_text(event) : line_of(event, s.term)) << std::endl;
        auto const* next = read->find("next");
        if (!follow || next == nullptr) return 0;
        put("since", *next);
    }
}

} // namespace ccbt::cli
