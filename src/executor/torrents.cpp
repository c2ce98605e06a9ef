#include "executor/torrents.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "executor/named_torrents.hpp"
#include "executor/roots.hpp"
#include "executor/source_limits.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ccbt::executor {

namespace {

constexpr std::chrono::seconds reading_time{60};

result<std::string> read_torrent_file(std::string const& path) {
    auto const refuse = [](std::string why) {
        return fails(errc::add_torrent_error, std::move(why), {{"field", std::string{"path_or_magnet"}}});
    };
    auto const absent = [] {
        return fails(
            errc::add_torrent_error, "there is no such file, and it is no magnet link",
            {{"field", std::string{"path_or_magnet"}}, {"reason", std::string{"not_found"}}});
    };
    if (path.find('\0') != std::string::npos) return refuse("that is no path");
    // O_NONBLOCK: a pipe or device must not hold the reader before it is known to be none.
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return absent();
    if (fd < 0) return refuse(std::string{"the file cannot be opened: "} + std::strerror(errno));
    std::unique_ptr<int const, void (*)(int const*)> const closes{&fd, [](int const* f) { ::close(*f); }};
    struct stat about {};
    if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return refuse("that is not a regular file");
    if (about.st_size > static_cast<off_t>(contract::max_torrent_bytes))
        return refuse("the file is larger than a torrent may be (16 MiB)");
    std::string bytes(static_cast<std::size_t>(about.st_size), '\0');
    std::size_t got = 0;
    while (got < bytes.size()) {
        auto const n = ::read(fd, bytes.data() + got, bytes.size() - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return refuse("the file cannot be read");
        if (n == 0) break;
        got += static_cast<std::size_t>(n);
    }
    bytes.resize(got);
    return bytes;
}

failure exists_already(model::torrent_row const& row) {
    return failure{errc::torrent_exists, "that torrent is already here: " + row.view->name}.with(
        "info_hash", row.view->info_hash);
}

std::optional<torrent_id> deletion_near(context const& house, std::string const& folder) {
    for (auto const& [id, where] : *house.deleting)
        if (lies_below(folder, where) || lies_below(where, folder)) return id;
    return std::nullopt;
}

} // namespace

contract::queue_priority default_priority(contract::queue_settings const& from) {
    for (auto const& [priority, name] : contract::names_of<contract::queue_priority>)
        if (text::equal_ignoring_case(name, from.default_priority)) return priority;
    return contract::queue_priority::normal;
}

// ---- adding

task<result<torrents::source>> torrents::read_source(contract::add_torrent::request request) {
    using read = result<source>;
    auto const limits = house_.settings.limits;
    if (request.torrent_data) {
        auto from_base64 = [data = std::move(*request.torrent_data), limits]() -> read {
            auto bytes = text::from_base64(data);
            if (!bytes)
                return fails(
                    errc::validation_error, "torrent_data must be base64",
                    {{"field", std::string{"torrent_data"}}});
            auto facts = engine::read_torrent(*bytes);
            if (!facts) return unexpected<failure>{std::move(facts.error())};
            if (auto wrong = too_much(limits, *facts, bytes->size(), false))
                return unexpected<failure>{std::move(*wrong)};
            return source{std::move(*facts), std::make_shared<std::string const>(std::move(*bytes)), {}};
        };
        auto made = co_await off_loop(house_.on, std::move(from_base64));
        co_return made;
    }
    auto& link = request.path_or_magnet;
    if (text::lower(link.substr(0, 7)) == "magnet:") {
        auto facts = engine::read_magnet(link);
        if (!facts) co_return unexpected<failure>{std::move(facts.error())};
        if (auto wrong = too_much(limits, *facts, link.size(), true))
            co_return unexpected<failure>{std::move(*wrong)};
        co_return source{std::move(*facts), nullptr, std::move(link)};
    }
    auto from_file = [path = std::move(link), limits]() -> read {
        auto bytes = read_torrent_file(path);
        if (!bytes) return unexpected<failure>{std::move(bytes.error())};
        auto facts = engine::read_torrent(*bytes);
        if (!facts) return unexpected<failure>{std::move(facts.error())};
        if (auto wrong = too_much(limits, *facts, bytes->size(), false))
            return unexpected<failure>{std::move(*wrong)};
        return source{std::move(*facts), std::make_shared<std::string const>(std::move(*bytes)), {}};
    };
    auto made = co_await off_loop_within(house_.on, reading_time, std::move(from_file));
    if (!made) co_return fails(errc::add_torrent_timeout, "the file was not read within 60 seconds");
    co_return std::move(*made);
}

task<result<contract::add_torrent::response>> torrents::handle(
    contract::add_torrent::request request, caller const& who) {
    auto one = co_await prepare(std::move(request));
    if (!one) co_return unexpected<failure>{std::move(one.error())};
    contract::add_torrent::response const out{one->what.facts.hashes.canonical().hex()};
    house_.once.foresee(who.operation_id, out);
    auto added = co_await take_in(
        std::move(one->what), std::move(one->asked), std::move(one->first), who.operation_id);
    co_return added;
}

task<result<torrents::candidate>> torrents::prepare(contract::add_torrent::request request) {
    auto const invalid = [](std::string field, std::string message) {
        std::vector<contract::problem> const problems{{field, message}};
        return unexpected<failure>{failure{errc::validation_error, field + ' ' + message}
                                       .with("field", field)
                                       .with("problems", problems)};
    };
    if (request.path_or_magnet.empty() && !request.torrent_data)
        co_return invalid("path_or_magnet", "is required, or torrent_data");
    if (!request.path_or_magnet.empty() && request.torrent_data)
        co_return invalid("torrent_data", "must not come together with path_or_magnet");

    auto const place = house_.roots.resolve(request.output_dir);
    if (!place) co_return unexpected<failure>{place.error()};
    if (house_.state.is_offline(place->root))
        co_return fails(
            errc::add_torrent_error,
            house_.settings.daemon.landlock
                ? "the storage folder is offline: is its drive mounted? (daemon.landlock lets in at the start what is there then)"
                : "the storage folder is offline: is its drive mounted?",
            {{"reason", std::string{"storage_offline"}}});

    model::torrent_asked asked;
    asked.paused = request.paused;
    asked.sequential = request.sequential;
    bool const takes_up = request.resume;
    asked.labels = request.labels;
    auto what = co_await read_source(std::move(request));
    if (!what) co_return unexpected<failure>{std::move(what.error())};
    engine::load first{.metainfo = what->metainfo};
    if (takes_up) {
        auto load = [this, of = what->facts.hashes.canonical()](auto done) {
            house_.truth.load_checkpoint(of, std::move(done));
        };
        first.resume = co_await reply_of<std::shared_ptr<std::string const>>(std::move(load));
        first.fresh_totals = true;
    }
    asked.root = place->root;
    asked.folder = place->folder;
    candidate out{std::move(*what), std::move(asked), std::move(first)};
    co_return out;
}

result<void> torrents::describe(model::torrent_asked& asked, source const& what) {
    if (std::any_of(what.facts.files.begin(), what.facts.files.end(), model::names_a_marker))
        return fails(
            errc::add_torrent_error, "a file of this torrent has the name of the daemon's own marker",
            {{"reason", std::string{root_marker_name} + " is not taken"}});
    asked.id = contract::make_torrent_id();
    asked.hashes = what.facts.hashes;
    asked.name = what.facts.name;
    asked.magnet = what.magnet;
    asked.has_metainfo = what.metainfo != nullptr;
    asked.is_private = what.facts.is_private;
    asked.total_size = what.facts.total_size;
    return {};
}

bool torrents::is_near_a_deletion(std::string const& folder) const {
    return deletion_near(house_, folder).has_value();
}

task<> torrents::let_deletions_end(std::string folder) {
    while (auto const going = deletion_near(house_, folder)) {
        auto const turn = co_await house_.torrent_turns.take(*going);
    }
}

std::int64_t torrents::last_queue_order() {
    if (house_.last_queue_order == 0)
        for (auto const* row = house_.state.torrents().first(); row != nullptr; row = row->added_after)
            house_.last_queue_order = std::max(house_.last_queue_order, row->asked->queue_order);
    return house_.last_queue_order;
}

task<result<contract::add_torrent::response>> torrents::take_in(
    source what, model::torrent_asked asked, engine::load first, std::string operation_id) {
    std::vector<candidate> one;
    one.push_back({std::move(what), std::move(asked), std::move(first)});
    auto added = co_await take_in_all(std::move(one), std::move(operation_id));
    co_return std::move(added.front());
}

void torrents::place_in_queue(model::torrent_asked& asked) {
    asked.added_at = unix_now();
    asked.priority = default_priority(house_.settings.queue);
    asked.queue_order = house_.last_queue_order = model::queue_order::after(last_queue_order());
}

bool torrents::near_a_deletion(std::vector<candidate> const& all, torrent_id& which) const {
    if (house_.deleting->empty()) return false;
    for (auto const& one : all)
        if (auto const going = deletion_near(house_, house_.state.folder_of(one.asked))) {
            which = *going;
            return true;
        }
    return false;
}

task<std::vector<result<contract::add_torrent::response>>> torrents::take_in_all(
    std::vector<candidate> all, std::string operation_id,
    std::function<void(std::vector<result<contract::add_torrent::response>> const&)> foresee) {
    std::vector<result<contract::add_torrent::response>> out(all.size());
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (auto const fit = describe(all[i].asked, all[i].what); !fit)
            out[i] = unexpected<failure>{fit.error()};
        else
            left.push_back(i);
    }
    for (torrent_id going; near_a_deletion(all, going);) {
        auto const turn = co_await house_.torrent_turns.take(going);
    }

    auto const row_of = [this](contract::info_hashes const& hashes) -> model::torrent_row const* {
        for (auto const& hash : {hashes.v1, hashes.v2})
            if (auto const* row = hash ? house_.state.torrents().find(hash) : nullptr) return row;
        return nullptr;
    };
    std::size_t at_once = left.size();
    while (!left.empty()) {
        auto const until = left.begin() + static_cast<std::ptrdiff_t>(std::min(at_once, left.size()));
        std::vector<std::size_t> const now{left.begin(), until};
        left.erase(left.begin(), until);
        store::commit change;
        change.operation_id = operation_id;
        std::vector<std::pair<std::size_t, std::shared_ptr<model::torrent_asked const>>> records;
        std::unordered_set<contract::info_hash> taken; // by those before
        for (auto const i : now) {
            auto& asked = all[i].asked;
            if (auto const* row = row_of(asked.hashes)) {
                out[i] = unexpected<failure>{exists_already(*row)};
                continue;
            }
            bool twice = false;
            for (auto const& hash : {asked.hashes.v1, asked.hashes.v2})
                if (hash && !taken.insert(hash).second) twice = true;
            if (twice) {
                out[i] =
                    unexpected<failure>{failure{errc::torrent_exists, "that torrent stands here twice"}.with(
                        "info_hash", asked.hashes.canonical().hex())};
                continue;
            }
            place_in_queue(asked);
            auto const record = std::make_shared<model::torrent_asked const>(asked);
            change.changes.emplace_back(store::put_torrent{record});
            if (auto const& bytes = all[i].what.metainfo)
                change.changes.emplace_back(store::put_metainfo{record->id, bytes});
            records.emplace_back(i, record);
        }
        if (records.empty()) continue;
        for (auto const& [i, record] : records)
            out[i] = contract::add_torrent::response{record->hashes.canonical().hex()};
        if (foresee && left.empty()) foresee(out);
        auto const kept = co_await commit(house_, std::move(change));
        if (kept) {
            std::vector<model::fact> facts;
            for (auto const& [i, record] : records) facts.emplace_back(model::torrent_put{record});
            house_.apply(facts);
            for (auto const& [i, record] : records)
                house_.engine.ask(house_.wish_for(record), std::move(all[i].first));
            continue;
        }
        // Another add was quicker with one of them: the others are tried again without it. Where none is here, the store
        // knows more than the model: one at a time, so that it refuses that one alone.
        bool const is_conflict = kept.error().code == errc::torrent_exists;
        bool const is_explained = std::any_of(
            records.begin(), records.end(), [&](auto const& r) { return row_of(r.second->hashes); });
        if (!is_explained) at_once = 1;
        for (auto const& [i, record] : records) {
            auto why = kept.error();
            if (is_conflict) why.details.push_back({"info_hash", record->hashes.canonical().hex()});
            out[i] = unexpected<failure>{std::move(why)};
            if (is_conflict && (is_explained || records.size() > 1)) left.push_back(i);
        }
    }
    co_return out;
}

task<std::vector<std::string>> torrents::trackers_of(std::shared_ptr<model::torrent_asked const> asked) {
    std::vector<std::string> out;
    auto const put = [&](std::vector<std::string> const& urls) {
        for (auto const& url : urls)
            if (std::find(out.begin(), out.end(), url) == out.end()) out.push_back(url);
    };
    if (!asked->magnet.empty())
        if (auto const facts = engine::read_magnet(asked->magnet)) put(facts->trackers);
    if (!asked->has_metainfo) co_return out;
    auto const facts = co_await read_stored(asked->id);
    if (facts) put(facts->trackers);
    co_return out;
}

// ---- reading

task<result<contract::list_torrents::response>> torrents::handle(
    contract::list_torrents::request request, caller const&) {
    co_return list(house_.state, request);
}

task<result<contract::get_torrent::response>> torrents::handle(
    contract::get_torrent::request request, caller const&) {
    auto const* row = house_.state.torrents().find(request.info_hash);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};
    contract::get_torrent::response out;
    contract::revision const changed{house_.state.revision().incarnation, row->changed};
    out.etag = '"' + changed.token() + '"';
    out.unchanged = etag_matches(request.if_none_match, out.etag);
    if (!out.unchanged) out.value = row->view;
    co_return out;
}

task<result<contract::get_peers::response>> torrents::handle(
    contract::get_peers::request request, caller const&) {
    auto const* row = house_.state.torrents().find(request.info_hash);
    if (row == nullptr) co_return unexpected<failure>{no_such_torrent()};
    contract::get_peers::response out;
    out.info_hash = row->view->info_hash;
    auto ask = [this, id = row->asked->id](auto done) { house_.engine.peers(id, std::move(done)); };
    auto peers = co_await reply_of<result<std::vector<contract::peer>>>(std::move(ask));
    if (!peers) {
        // After a start the engine learns of its torrents one by one: what it does not have yet has no peers.
        bool const is_listed = house_.state.torrents().find(request.info_hash) != nullptr;
        if (!is_listed || peers.error().code != errc::torrent_not_found)
            co_return unexpected<failure>{std::move(peers.error())};
        peers.emplace();
    }
    out.peers = std::move(*peers);
    out.count = static_cast<std::int64_t>(out.peers.size());
    co_return out;
}

// ---- stopping and going on

task<std::vector<result<void>>> torrents::set_paused(
    std::vector<contract::info_hash> which, bool paused, std::string operation_id, foresight foresee) {
    named what{house_, which};
    std::vector<turns<torrent_id>::hold> held;
    auto const wanted = what.all;
    for (auto const id : wanted) {
        auto turn = co_await house_.torrent_turns.take(id);
        held.push_back(std::move(turn));
    }
    what.let_go_of_those_gone(house_);

    store::commit change;
    change.operation_id = std::move(operation_id);
    std::vector<model::fact> facts;
    std::vector<std::shared_ptr<model::torrent_asked const>> records;
    for (auto const id : what.all) {
        auto record = house_.state.torrents().find(id)->asked;
        auto changed = *record;
        changed.paused = paused;
        if (!paused && changed.in_queue && changed.priority == contract::queue_priority::paused) {
            changed.priority =
                default_priority(house_.settings.queue); // else it would say that it goes on, and rest
            if (changed.priority == contract::queue_priority::paused)
                changed.priority = contract::queue_priority::normal;
        }
        if (changed != *record) {
            record = std::make_shared<model::torrent_asked const>(std::move(changed));
            change.changes.emplace_back(store::put_torrent{record});
            facts.emplace_back(model::torrent_put{record});
        }
        records.push_back(std::move(record));
    }
    if (!facts.empty()) {
        if (foresee) foresee(what.how);
        auto const kept = co_await commit(house_, std::move(change));
        if (!kept) {
            what.fail_all(kept.error());
            co_return std::move(what.how);
        }
        house_.apply(facts);
    }
    // Asked of the engine even where nothing changed: resuming is how a user has an error tried again.
    for (auto& record : records) house_.ask_engine(std::move(record));
    co_return std::move(what.how);
}

task<result<void>> torrents::set_paused(contract::info_hash which, bool paused, std::string operation_id) {
    std::vector<contract::info_hash> one{which};
    auto set = co_await set_paused(std::move(one), paused, std::move(operation_id));
    co_return std::move(set.front());
}

task<result<contract::done>> torrents::handle(contract::pause_torrent::request request, caller const& who) {
    contract::done const out{"paused"};
    house_.once.foresee(who.operation_id, out);
    auto const set = co_await set_paused(request.info_hash, true, who.operation_id);
    if (!set) co_return unexpected<failure>{set.error()};
    co_return out;
}

task<result<contract::done>> torrents::handle(contract::resume_torrent::request request, caller const& who) {
    contract::done const out{"resumed"};
    house_.once.foresee(who.operation_id, out);
    auto const set = co_await set_paused(request.info_hash, false, who.operation_id);
    if (!set) co_return unexpected<failure>{set.error()};
    co_return out;
}

// ---- learning

task<> torrents::learn_metadata(model::metadata_arrived what) {
    auto const turn = co_await house_.torrent_turns.take(what.id);
    auto const* row = house_.state.torrents().find(what.id);
    if (row == nullptr) co_return; // removed meanwhile
    auto changed = *row->asked;
    changed.has_metainfo = true;
    changed.name = what.name;
    changed.is_private = what.is_private;
    changed.total_size = what.total_size;
    if (!changed.hashes.v1) changed.hashes.v1 = what.hashes.v1;
    if (!changed.hashes.v2) changed.hashes.v2 = what.hashes.v2;
    auto const record = std::make_shared<model::torrent_asked const>(std::move(changed));
    store::commit change;
    change.changes.emplace_back(store::put_torrent{record});
    change.changes.emplace_back(store::put_metainfo{what.id, what.metainfo});
    auto const kept = co_await commit(house_, std::move(change));
    if (!kept) {
        log::warning("the metadata of {} could not be kept: {}", record->name, kept.error().message);
        if (kept.error().code == errc::torrent_exists)
            house_.apply(
                model::torrent_failed{what.id, "it is the same torrent as another one that is here"});
        // Its place in the queue is another's now: the engine is to stop it.
        if (auto const* const now = house_.state.torrents().find(what.id)) house_.ask_engine(now->asked);
        co_return;
    }
    house_.apply(model::torrent_put{record});
    house_.ask_engine(record);
}

} // namespace ccbt::executor
