// The deeds that follow from the catalogue alone: ask any endpoint and print its answer; and the list of torrents.
#include "cli/batch.hpp"
#include "cli/deeds.hpp"
#include "cli/print.hpp"
#include "cli/session.hpp"

#include <algorithm>
#include <ostream>

namespace ccbt::cli {

namespace {

int code(exit_code c) { return static_cast<int>(c); }

using printer = void (*)(std::ostream&, wire::value const&, terminal const&);
printer printer_of(std::string_view endpoint) {
    if (endpoint == "torrents.peers") return &print_peers;
    if (endpoint == "queue.get") return &print_queue;
    if (endpoint == "torrents.announce") return &print_trackers;
    if (endpoint == "scrape.list") return &print_scrapes;
    if (endpoint == "torrents.set_rate_limits") return &print_limits;
    if (endpoint == "files.list") return &print_files;
    if (endpoint == "files.select" || endpoint == "files.deselect" || endpoint == "files.priority")
        return &print_changed_files;
    if (endpoint == "config.explain") return &print_explained;
    return nullptr;
}

int ask(session& s, command const& what, wire::value::object const& request) {
    auto const got = s.daemon.call(*what.endpoint, request);
    if (!got) return code(s.tell(got.error()));
    if (what.endpoint->is_document) {
        s.out << (s.term.out_is_terminal ? printable(got->text, true) : got->text);
        if (!got->text.ends_with('\n')) s.out << '\n';
        return 0;
    }
    if (s.json) {
        print_json(s.out, got->text, s.term);
        return 0;
    }
    auto const read =
        wire::parse(got->text, {.depth = 64, .elements = 50'000'000, .string_bytes = std::size_t{1} << 30});
    if (!read) return code(s.tell({.message = "its answer is no JSON"}));
    bool const whole_rows =
        what.run == &list_torrents &&
        std::none_of(request.begin(), request.end(), [](auto const& m) { return m.first == "fields"; });
    auto const* members = read->get_if<wire::value::object>();
    auto const hash =
        std::find_if(request.begin(), request.end(), [](auto const& m) { return m.first == "info_hash"; });
    // "added 10.0.0.0/8" rather than "added: yes".
    auto const ip =
        std::find_if(request.begin(), request.end(), [](auto const& m) { return m.first == "ip"; });
    wire::value const* const changed =
        members != nullptr && members->size() == 1 && ip != request.end() ? &ip->second : nullptr;
    bool const says_only_what_was_done =
        members != nullptr && (members->size() == 1 || (members->size() == 2 && read->find("info_hash")));
    if (says_only_what_was_done && hash != request.end() && read->find("status") != nullptr)
        s.out << human("status", *read->find("status")) << ' ' << human("info_hash", hash->second) << '\n';
    else if (changed != nullptr)
        s.out << members->front().first << ' ' << human("ip", *changed) << '\n';
    else if (what.endpoint->route.command.ends_with("list ls"))
        print_addresses(s.out, read->list_or_empty("entries"), s.term);
    else if (whole_rows)
        print_torrents(s.out, read->list_or_empty("torrents"), s.term);
    else if (auto const print = printer_of(what.endpoint->route.name))
        print(s.out, *read, s.term);
    else
        print_answer(s.out, *read, s.term);
    return 0;
}

} // namespace

int run_endpoint(session& s, command const& what, given const& words) {
    auto request = request_of(what, words);
    if (!request) return code(s.wrong_usage(request.error()));
    // A torrent may be named by a prefix or its name wherever a hash is asked for.
    argument const* repeated = nullptr;
    for (auto const& a : what.arguments) {
        if (a.field == nullptr || a.field->kind != wire::field_kind::hash || !words.has(a.word)) continue;
        if (a.repeats) {
            repeated = &a;
            continue;
        }
        auto hash = resolve(s, words.one(a.word));
        if (!hash) return code(hash.error());
        for (auto& [name, held] : *request)
            if (name == a.field->name) held = *hash;
    }
    if (repeated == nullptr) return ask(s, what, *request);
    // All are found before any is touched: a slip in the third name must not remove the first two.
    std::vector<std::string> hashes;
    for (auto const& written : words.all(repeated->word)) {
        auto hash = resolve(s, written);
        if (!hash) return code(hash.error());
        if (std::find(hashes.begin(), hashes.end(), *hash) == hashes.end())
            hashes.push_back(std::move(*hash));
    }
    int worst = 0;
    if (hashes.size() > 1 && batch_of(what.endpoint->route.name, {}, {}).endpoint != nullptr) {
        for (std::size_t from = 0; from < hashes.size(); from += contract::most_in_a_batch) {
            auto const until = std::min(hashes.size(), from + contract::most_in_a_batch);
            std::vector<std::string> const some(
                hashes.begin() + static_cast<std::ptrdiff_t>(from),
                hashes.begin() + static_cast<std::ptrdiff_t>(until));
            auto const how = ask_many(s, batch_of(what.endpoint->route.name, some, *request));
            if (worst == 0) worst = how;
        }
        return worst;
    }
    for (auto const& hash : hashes) {
        for (auto& [name, held] : *request)
            if (name == repeated->field->name) held = hash;
        auto const one = ask(s, what, *request);
        if (worst == 0) worst = one;
    }
    return worst;
}

int list_torrents(session& s, command const& what, given const& words) {
    return run_endpoint(s, what, words);
}

int scrape_torrents(session& s, command const& what, given const& words) {
    bool const names_one = std::any_of(what.arguments.begin(), what.arguments.end(), [&](auto const& a) {
        return a.positional && words.has(a.word);
    });
    if (names_one) return run_endpoint(s, what, words);
    auto kept = what;
    kept.endpoint = wire::find_endpoint(contract::list_scrapes::route.name);
    return ask(s, kept, {});
}

} // namespace ccbt::cli
