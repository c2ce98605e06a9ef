#include "cli/batch.hpp"

#include "cli/print.hpp"
#include "cli/session.hpp"
#include "contract/batch.hpp"

#include <ostream>

namespace ccbt::cli {

namespace {

int status_of(std::string_view code) {
    for (int i = 0; i <= static_cast<int>(contract::errc::last_); ++i)
        if (auto const& row = contract::row_of(static_cast<contract::errc>(i)); row.name == code)
            return row.status;
    return 0;
}

} // namespace

batch_call batch_of(
    std::string_view endpoint, std::vector<std::string> const& hashes, wire::value::object const& request) {
    batch_call out;
    if (endpoint == contract::pause_torrent::route.name) {
        out.endpoint = wire::find_endpoint(contract::batch_pause::route.name);
        out.done = "paused";
    } else if (endpoint == contract::resume_torrent::route.name) {
        out.endpoint = wire::find_endpoint(contract::batch_resume::route.name);
        out.done = "resumed";
    } else if (endpoint == contract::remove_torrent::route.name) {
        out.endpoint = wire::find_endpoint(contract::batch_remove::route.name);
        out.done = "removed";
        for (auto const& [name, held] : request)
            if (name == "delete_files") out.request.emplace_back("remove_data", held);
    }
    wire::value::array all;
    for (auto const& hash : hashes) all.emplace_back(hash);
    out.request.emplace_back("info_hashes", wire::value{std::move(all)});
    return out;
}

int ask_many(session& s, batch_call const& what, std::vector<std::string>* known) {
    auto const got = s.daemon.call(*what.endpoint, what.request);
    if (!got) return static_cast<int>(s.tell(got.error()));
    auto const read = wire::parse(got->text, {.elements = 100'000});
    if (!read) return static_cast<int>(s.tell({.message = "its answer is no JSON"}));
    if (s.json) print_json(s.out, got->text, s.term);
    int worst = 0;
    for (auto const& one : read->list_or_empty("results")) {
        std::string const hash{one.text_or("info_hash", "")};
        std::string const code{one.text_or("code", "")};
        bool const done = code.empty();
        bool const is_there = !done && known != nullptr && !hash.empty() &&
                              code == contract::row_of(contract::errc::torrent_exists).name;
        if (known != nullptr && (done || is_there)) known->push_back(hash);
        if (!s.json && (done || is_there))
            s.out << (done ? what.done : "already there") << ' ' << printable(hash) << std::endl;
        if (done || is_there) continue;
        client::client_error why{
            .kind = client::error_kind::refused, .status = status_of(code), .code = code};
        why.message = (hash.empty() ? std::string{} : hash + ": ") + std::string{one.text_or("error", "")};
        auto how = why.status == 404 ? exit_code::not_found : exit_code::refused;
        if (!s.json) how = s.tell(why);
        if (worst == 0) worst = static_cast<int>(how);
    }
    return worst;
}

} // namespace ccbt::cli
