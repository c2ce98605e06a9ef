// Checkpoints: one torrent as the Python daemon writes it down, to go on from here or there. What it claims is hashed
// before it is believed.
#include "base/text.hpp"
#include "executor/backup.hpp"
#include "executor/roots.hpp"

#include <algorithm>
#include <filesystem>
#include <sys/stat.h>

namespace ccbt::executor {

namespace {

constexpr std::int64_t usual_piece_length = 16384; // what a checkpoint without metadata says

failure wrong(std::string const& field, std::string const& message) {
    return failure{errc::resume_error, field + ' ' + message, {}}.with("field", field);
}

bool is_file(std::string const& path) {
    struct stat about {};
    return ::lstat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode);
}

// A link as the checkpoint's, with the trackers that only the checkpoint names.
std::string with_trackers(std::string link, std::vector<std::string> const& trackers) {
    for (auto const& url : trackers) {
        auto const more = "&tr=" + text::percent_encode(url);
        if (link.find(more) == link.npos && link.size() + more.size() <= contract::max_magnet_length)
            link += more;
    }
    return link;
}

// Does what it says of the torrent fit the torrent? All that is left is what only the disk can tell.
std::optional<failure> misfit(
    contract::resume_checkpoint::request const& request, ccbt::backup::checkpoint_read const& read,
    engine::torrent_source const& facts) {
    auto const is_ours = [&](contract::info_hash const& h) {
        return h == facts.hashes.v1 || h == facts.hashes.v2;
    };
    if (!is_ours(request.info_hash)) return wrong("info_hash", "is not that of the torrent");
    auto const& said = read.said;
    if (!said.info_hash.empty()) {
        auto const h = contract::info_hash::parse(said.info_hash);
        if (!h || !is_ours(*h)) return wrong("checkpoint.info_hash", "is not that of the torrent");
    }
    if (facts.num_pieces == 0) return std::nullopt; // a magnet: its metadata will tell
    auto const differs = [&](std::int64_t said_so, std::int64_t is) { return said_so != 0 && said_so != is; };
    if (differs(said.total_pieces, facts.num_pieces))
        return wrong(
            "checkpoint.total_pieces", "is not that of the torrent: " + std::to_string(facts.num_pieces));
    if (differs(said.piece_length, facts.piece_length) && said.total_pieces != 0)
        return wrong(
            "checkpoint.piece_length", "is not that of the torrent: " + std::to_string(facts.piece_length));
    if (read.selections)
        for (auto const& one : *read.selections)
            if (one.index >= facts.num_files)
                return wrong(
                    "checkpoint.file_selections." + std::to_string(one.index),
                    "is no file of the torrent: it has " + std::to_string(facts.num_files));
    return std::nullopt;
}

constexpr std::int64_t most_files = 1'000'000;

std::vector<std::uint8_t> priorities_of(std::vector<ccbt::backup::selected_file> const& selections) {
    std::vector<std::uint8_t> made;
    for (auto const& one : selections) {
        auto const at = static_cast<std::size_t>(one.index);
        if (made.size() <= at) made.resize(at + 1, 4);
        made[at] = one.priority;
    }
    if (std::all_of(made.begin(), made.end(), [](auto p) { return p == 4; })) made.clear();
    return made;
}

} // namespace

task<std::shared_ptr<std::string const>> backup::stored_metainfo(torrent_id id) {
    auto load = [this, id](auto done) { house_.truth.load_metainfo(id, std::move(done)); };
    auto bytes = co_await reply_of<std::shared_ptr<std::string const>>(std::move(load));
    co_return bytes;
}

task<result<engine::piece_report>> backup::pieces_of(torrent_id id) {
    auto ask = [this, id](auto done) { house_.engine.pieces(id, std::move(done)); };
    auto report = co_await reply_of<result<engine::piece_report>>(std::move(ask));
    co_return report;
}

// ---- out

task<result<contract::checkpoint>> backup::handle(contract::get_checkpoint::request request, caller const&) {
    auto const no_such_torrent = [] {
        return fails(errc::torrent_not_found, "there is no torrent of that info-hash");
    };
    auto const* row = house_.state.torrents().find(request.info_hash);
    if (row == nullptr) co_return no_such_torrent();
    auto const id = row->asked->id;
    auto const bytes = co_await stored_metainfo(id);
    auto report = co_await pieces_of(id);
    if (!report) co_return unexpected<failure>{report.error()};
    row = house_.state.torrents().find(id);
    if (row == nullptr) co_return no_such_torrent();

    contract::checkpoint made;
    auto const& asked = *row->asked;
    made.info_hash = row->view->info_hash;
    made.torrent_name = row->view->name;
    made.display_name = row->view->name;
    made.created_at = asked.added_at;
    made.updated_at = unix_now();
    made.piece_length = usual_piece_length;
    made.output_dir = row->view->output_dir;
    made.file_selections = ccbt::backup::selections_of(asked.file_priorities);
    if (!asked.magnet.empty()) made.magnet_uri = asked.magnet;
    auto& stats = made.download_stats;
    stats.bytes_downloaded = row->view->downloaded;
    stats.start_time = asked.added_at;
    stats.last_update = made.updated_at;
    stats.download_time = std::max(0.0, made.updated_at - asked.added_at);
    if (stats.download_time > 0)
        stats.average_speed = static_cast<double>(stats.bytes_downloaded) / stats.download_time;
    auto fill = [made = std::move(made), bytes, have = std::move(report->have)]() mutable {
        auto const facts = bytes             ? engine::read_torrent(*bytes)
                           : made.magnet_uri ? engine::read_magnet(*made.magnet_uri)
                                             : fails(errc::add_torrent_error, "");
        if (!facts) return std::move(made);
        made.total_pieces = facts->num_pieces;
        if (facts->num_pieces > 0) made.piece_length = facts->piece_length;
        made.total_length = facts->total_size;
        made.announce_urls = facts->trackers;
        if (!made.magnet_uri) made.magnet_uri = facts->magnet;
        for (std::size_t i = 0; i < have.size() && i < static_cast<std::size_t>(facts->num_pieces); ++i)
            if (have[i]) made.verified_pieces.push_back(static_cast<std::int64_t>(i));
        made.piece_states = ccbt::backup::piece_states_of(made.verified_pieces);
        for (std::size_t i = 0; i < facts->files.size(); ++i)
            made.files.push_back(
                {facts->files[i], facts->sizes[i], is_file(made.output_dir + '/' + facts->files[i])});
        return std::move(made);
    };
    auto whole = co_await off_loop(house_.on, std::move(fill));
    co_return whole;
}

// ---- in

task<result<torrents::source>> backup::source_of(
    contract::resume_checkpoint::request const& request, contract::checkpoint const& said) {
    contract::add_torrent::request ask;
    std::string field = "torrent_path";
    auto const given = [](auto const& text) { return text && !text->empty(); };
    if (given(request.torrent_path)) {
        ask.path_or_magnet = *request.torrent_path;
    } else if (given(said.torrent_file_path)) {
        ask.path_or_magnet = *said.torrent_file_path;
        field = "checkpoint.torrent_file_path";
    } else if (given(said.magnet_uri)) {
        field = "checkpoint.magnet_uri";
        if (text::lower(said.magnet_uri->substr(0, 7)) != "magnet:")
            co_return unexpected<failure>{wrong(field, "is no magnet link")};
        ask.path_or_magnet = with_trackers(*said.magnet_uri, said.announce_urls);
    } else {
        co_return fails(
            errc::resume_error,
            "there is nothing to go on with: no torrent_path, and the checkpoint names neither a torrent file nor a "
            "magnet link",
            {{"reason", std::string{"no_source"}}});
    }
    bool const is_path = field != "checkpoint.magnet_uri";
    if (is_path && text::lower(ask.path_or_magnet.substr(0, 7)) == "magnet:")
        co_return unexpected<failure>{wrong(field, "must be the path of a .torrent file")};
    auto what = co_await torrents_.read_source(std::move(ask));
    if (what) co_return what;
    auto const& why = what.error();
    bool const absent = std::any_of(why.details.begin(), why.details.end(), [](auto const& one) {
        auto const* const text = std::get_if<std::string>(&one.value);
        return one.name == "reason" && text != nullptr && *text == "not_found";
    });
    failure told{errc::resume_error, field + ": " + why.message, {}};
    if (absent) told = {errc::resume_not_found, field + ": there is no such file", {}};
    co_return unexpected<failure>{std::move(told).with("field", field)};
}

task<result<contract::resume_checkpoint::response>> backup::handle(
    contract::resume_checkpoint::request request, caller const& who) {
    if (!request.checkpoint.text.starts_with('{')) {
        std::vector<contract::problem> const problems{{"checkpoint", "must be an object"}};
        failure why{errc::validation_error, "checkpoint must be an object", {}};
        co_return unexpected<failure>{
            std::move(why).with("field", std::string{"checkpoint"}).with("problems", problems)};
    }
    auto parse = [text = std::move(request.checkpoint.text)] { return ccbt::backup::read_checkpoint(text); };
    auto read = co_await off_loop(house_.on, std::move(parse));
    if (!read) co_return unexpected<failure>{wrong(read.error().field, read.error().message)};
    auto const& said = read->said;
    if (read->selections)
        for (auto const& one : *read->selections)
            if (one.index >= most_files)
                co_return unexpected<failure>{
                    wrong("checkpoint.file_selections", "names a file that no torrent has")};

    auto const* row = house_.state.torrents().find(request.info_hash);
    auto const named = [](auto const& text) { return text && !text->empty(); };
    torrents::source what;
    if (row != nullptr && row->asked->has_metainfo && !named(request.torrent_path) &&
        !named(said.torrent_file_path)) {
        auto const id = row->asked->id;
        what.metainfo = co_await stored_metainfo(id);
        if (what.metainfo) {
            auto parse_stored = [bytes = what.metainfo] { return engine::read_torrent(*bytes); };
            auto facts = co_await off_loop(house_.on, std::move(parse_stored));
            if (facts) what.facts = std::move(*facts);
        }
    }
    if (!what.facts.hashes.canonical()) {
        auto found = co_await source_of(request, said);
        if (!found) co_return unexpected<failure>{found.error()};
        what = std::move(*found);
    }
    if (auto why = misfit(request, *read, what.facts)) co_return unexpected<failure>{std::move(*why)};
    row = house_.state.torrents().find(request.info_hash);
    if (row != nullptr) {
        auto const id = row->asked->id;
        auto went = co_await resume_known(id, *read, who.operation_id);
        co_return went;
    }

    std::optional<std::string> folder;
    if (!said.output_dir.empty()) folder = said.output_dir;
    auto const place = house_.roots.resolve(folder);
    if (!place) {
        failure why{
            place.error().code == errc::add_torrent_forbidden ? errc::resume_forbidden : errc::resume_error,
            "checkpoint." + place.error().message, place.error().details};
        co_return unexpected<failure>{std::move(why)};
    }
    model::torrent_asked asked;
    asked.root = place->root;
    asked.folder = place->folder;
    if (what.facts.name.empty()) what.facts.name = said.torrent_name;
    if (read->selections) asked.file_priorities = priorities_of(*read->selections);
    engine::load first{.metainfo = what.metainfo, .claimed = std::move(read->verified)};
    first.downloaded = said.download_stats.bytes_downloaded;
    house_.once.foresee(
        who.operation_id, contract::resume_checkpoint::response{what.facts.hashes.canonical().hex()});
    auto added =
        co_await torrents_.take_in(std::move(what), std::move(asked), std::move(first), who.operation_id);
    if (!added && added.error().code == errc::add_torrent_error)
        co_return fails(errc::resume_error, added.error().message, added.error().details);
    if (!added) co_return unexpected<failure>{added.error()};
    co_return contract::resume_checkpoint::response{std::move(added->info_hash)};
}

// One that is here already: it goes on, with the files that the checkpoint wants, and what the checkpoint has of it
// beyond what is here is looked for on the disk. Nothing that is here is given up.
task<result<contract::resume_checkpoint::response>> backup::resume_known(
    torrent_id id, ccbt::backup::checkpoint_read const& read, std::string operation_id) {
    auto const turn = co_await house_.torrent_turns.take(id);
    auto report = co_await pieces_of(id);
    if (!report) co_return unexpected<failure>{report.error()};
    auto const* row = house_.state.torrents().find(id);
    if (row == nullptr) co_return fails(errc::torrent_not_found, "it has just been removed");
    auto changed = *row->asked;
    changed.paused = false;
    if (read.selections) changed.file_priorities = priorities_of(*read.selections);
    contract::resume_checkpoint::response out{changed.hashes.canonical().hex()};
    house_.once.foresee(operation_id, out);
    auto const kept = co_await keep_changed(house_, row->asked, std::move(changed), std::move(operation_id));
    if (!kept) co_return unexpected<failure>{kept.error()};
    auto const record = *kept;
    auto const is_new = [&](std::uint32_t piece) {
        return piece >= report->have.size() || !report->have[piece];
    };
    bool const more = record->has_metainfo && !house_.not_loaded.contains(id) &&
                      std::any_of(read.verified.begin(), read.verified.end(), is_new);
    if (!more) {
        house_.ask_engine(record);
        co_return out;
    }
    // Handed over anew, with what is here and what is claimed. Until then nobody else hands it over.
    house_.not_loaded.insert(id);
    auto const bytes = co_await stored_metainfo(id);
    auto let_go = [this, id](auto done) { house_.engine.forget(id, std::move(done)); };
    engine::load first{.metainfo = bytes, .claimed = read.verified};
    first.resume = co_await reply_of<std::shared_ptr<std::string const>>(std::move(let_go));
    house_.not_loaded.erase(id);
    row = house_.state.torrents().find(id);
    if (row == nullptr) co_return out; // removed meanwhile
    // The engine's is a new one, which has not failed.
    if (!row->failed.empty()) house_.apply(model::torrent_recovered{id});
    row = house_.state.torrents().find(id);
    if (row == nullptr) co_return out;
    first.downloaded = row->view->downloaded;
    first.uploaded = row->view->uploaded;
    house_.engine.ask(house_.wish_for(row->asked), std::move(first));
    co_return out;
}

} // namespace ccbt::executor
