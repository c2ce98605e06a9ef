// Import: what an export wrote, taken back. The whole file is read and held against its checksum before the first thing
// changes; then its torrents come in, a batch a commit.
#include "base/log.hpp"
#include "base/text.hpp"
#include "contract/security.hpp"
#include "executor/backup.hpp"
#include "executor/roots.hpp"

#include <algorithm>
#include <set>
#include <unistd.h>
#include <unordered_set>

namespace ccbt::executor {

namespace {

using ccbt::backup::damage;
using ccbt::backup::kept_head;
using ccbt::backup::kept_torrent;

constexpr std::int64_t largest_file = std::int64_t{64} << 30;
constexpr std::size_t batch_size = 128;
constexpr std::int64_t batch_bytes = std::int64_t{16} << 20;
constexpr std::int64_t last_order = 9'000'000'000'000'000; // that a state file may tell
constexpr std::size_t listed_at_once = 2'000;              // a millisecond or two of the loop

failure refusal(file_trouble const& why) {
    using kind = file_trouble::kind;
    auto const code = why.what == kind::not_found ? errc::import_not_found
                      : why.what == kind::not_allowed || why.what == kind::no_permission
                          ? errc::import_forbidden
                          : errc::import_unusable;
    failure out{code, why.why, {}};
    if (!why.reason.empty()) return std::move(out).with("reason", why.reason);
    return out;
}

failure refusal(damage const& why) {
    std::string reason = "damaged";
    if (why.what == damage::kind::foreign) reason = "not_a_state_file";
    if (why.what == damage::kind::newer) reason = "newer_version";
    return failure{errc::import_unusable, why.why, {}}.with("reason", std::move(reason));
}

std::shared_ptr<std::string const> bytes_of(std::optional<std::string>& base64) {
    if (!base64) return nullptr;
    auto bytes = text::from_base64(*base64);
    base64.reset();
    return bytes ? std::make_shared<std::string const>(std::move(*bytes)) : nullptr;
}

} // namespace

struct backup::file_of_state {
    explicit file_of_state(found_file found) : file{std::move(found)} {}
    found_file file;
    std::int64_t changed_at = 0;
    std::unique_ptr<ccbt::backup::state_reader> reader;

    expected<kept_head, damage> begin() {
        ::lseek(file.file.get(), 0, SEEK_SET);
        reader = std::make_unique<ccbt::backup::state_reader>([this](char* to, std::size_t size) {
            ssize_t got = 0;
            do {
                got = ::read(file.file.get(), to, size);
            } while (got < 0 && errno == EINTR);
            return got;
        });
        return reader->head();
    }
    [[nodiscard]] bool is_unchanged() { return executor::is_unchanged(file.file.get(), changed_at); }
};

struct backup::candidate {
    kept_torrent kept;
    torrents::source what;
    std::shared_ptr<std::string const> resume;
    std::string hash;    // for the answer
    std::string refused; // not empty: why it cannot be added
    bool totals_are_counted = false;
    std::shared_ptr<model::torrent_asked const> asked;
};

struct backup::import_so_far {
    contract::import_state::response answer;
    ccbt::backup::row_map rows;
    std::unordered_map<std::string, result<roots::place>> places; // by output_dir
    std::int64_t order_before = 0;
    bool is_own = false; // this daemon wrote it
};

namespace {

// What a record says, read as an add would: nothing of it is taken on trust but what only the other daemon can know.
torrents::source read(kept_torrent& kept, std::string& refused) {
    torrents::source what;
    what.metainfo = bytes_of(kept.metainfo);
    what.magnet = std::move(kept.magnet);
    auto facts = what.metainfo ? engine::read_torrent(*what.metainfo)
                 : !what.magnet.empty()
                     ? engine::read_magnet(what.magnet)
                     : fails(errc::add_torrent_error, "neither metainfo nor a magnet link is there");
    if (!facts) {
        refused = facts.error().message;
        return what;
    }
    what.facts = std::move(*facts);
    if (what.facts.name.empty()) what.facts.name = kept.name;
    auto const& ours = what.facts.hashes;
    if ((kept.v1 && *kept.v1 != ours.v1) || (kept.v2 && *kept.v2 != ours.v2) || (!kept.v1 && !kept.v2))
        refused = "its info-hash is another than its metainfo's";
    return what;
}

} // namespace

task<result<contract::import_state::response>> backup::handle(
    contract::import_state::request request, caller const& who) {
    std::vector<std::string> folders{plain_path(house_.settings.daemon.export_dir)};
    for (auto const& root : house_.roots.allowed()) folders.push_back(root.path);
    auto open = [folders = std::move(folders), path = std::move(request.path)] {
        return open_within(folders, path, largest_file);
    };
    auto found = co_await off_loop(house_.on, std::move(open));
    if (!found) co_return unexpected<failure>{refusal(found.error())};
    if (auto const may = keep_pace(imports_, who); !may) co_return unexpected<failure>{may.error()};
    auto const turn = co_await turns_.take(0);

    auto const file = std::make_shared<file_of_state>(std::move(*found));
    auto check = [file]() -> expected<kept_head, damage> {
        auto const changed = [] {
            return unexpected<damage>{{damage::kind::damaged, "the file changes while it is read"}};
        };
        if (!file->is_unchanged()) return changed();
        auto head = file->begin();
        while (head) {
            auto const one = file->reader->next();
            if (!one) return unexpected<damage>{one.error()};
            if (*one) continue;
            if (!file->is_unchanged()) return changed();
            auto again = file->begin();
            return again;
        }
        return head;
    };
    auto head = co_await off_loop(house_.on, std::move(check));
    if (!head) co_return unexpected<failure>{refusal(head.error())};

    // The lists come first: no torrent is to meet a peer that is refused.
    bool const is_own = head->lineage == house_.self.lineage;
    auto const begun = co_await take_head(std::move(*head));
    if (!begun) co_return unexpected<failure>{begun.error()};
    import_so_far so_far;
    so_far.is_own = is_own;
    so_far.order_before = torrents_.last_queue_order();
    told_progress told{house_, "import", file->file.size};
    while (true) {
        auto some = std::make_shared<std::vector<candidate>>();
        auto read_some = [file, some]() -> expected<bool, damage> {
            auto const from = file->reader->bytes();
            while (some->size() < batch_size && file->reader->bytes() - from < batch_bytes) {
                auto one = file->reader->next();
                if (!one) return unexpected<damage>{one.error()};
                if (!*one) return false;
                auto& made = some->emplace_back();
                made.kept = std::move(**one);
                auto const& name = made.kept.v1 ? made.kept.v1 : made.kept.v2;
                made.hash = name ? name->hex() : std::string{};
                made.what = read(made.kept, made.refused);
                made.resume = bytes_of(made.kept.resume);
            }
            return true;
        };
        auto const more = co_await off_loop(house_.on, std::move(read_some));
        if (!more || !file->is_unchanged()) {
            log::error("the file of an import was changed while it was read");
            co_return fails(
                errc::import_unusable, "the file was changed while it was read: a part of it was imported",
                {{"reason", std::string{"damaged"}}, {"imported", so_far.answer.imported}});
        }
        auto const took = co_await take_batch(std::move(*some), so_far);
        if (!took) co_return unexpected<failure>{took.error()};
        told.reached(file->reader->bytes());
        if (!*more) break;
    }
    so_far.answer.state.torrents = so_far.rows.take();
    co_return std::move(so_far.answer);
}

task<result<void>> backup::take_head(kept_head head) {
    auto const turn = co_await house_.settings_turns.take(0);
    store::commit change;
    context::overrides settings;
    for (auto const& one : head.settings) settings.emplace_back(one.key, one.value.text);
    if (house_.fitting) settings = house_.fitting(settings);
    for (auto const& [key, json] : settings) change.changes.emplace_back(store::put_setting{key, json});
    model::removed_totals_raised const totals{head.removed_downloaded, head.removed_uploaded};
    change.changes.emplace_back(store::raise_removed_totals{totals.downloaded, totals.uploaded});
    auto const kept = co_await commit(house_, std::move(change));
    if (!kept) co_return unexpected<failure>{kept.error()};
    house_.apply(totals);
    for (auto& one : settings) {
        std::erase_if(house_.laid_over, [&](auto const& old) { return old.first == one.first; });
        house_.laid_over.push_back(std::move(one));
    }
    if (house_.lay_over && !settings.empty()) house_.lay_over(house_.laid_over);

    auto lists = co_await take_list(model::address_list::blacklist, head.blacklist);
    if (lists) lists = co_await take_list(model::address_list::whitelist, head.whitelist);
    if (!head.blacklist.empty() || !head.whitelist.empty()) { // some were taken, whatever came then
        house_.rules.lists_changed();
        co_await house_.rules.in_force();
    }
    co_return lists;
}

task<result<void>> backup::take_list(
    model::address_list which, std::vector<ccbt::backup::kept_address> const& entries) {
    auto const& here = house_.state.list(which);
    for (std::size_t at = 0; at < entries.size();) {
        store::commit change;
        std::vector<model::fact> facts;
        std::set<ip_range> seen;
        for (auto const end = std::min(entries.size(), at + listed_at_once); at < end; ++at) {
            auto const& one = entries[at];
            auto const range = ip_range::parse(one.ip);
            // Its own entries are left as they are.
            if (!range || here.contains(*range) || !seen.insert(*range).second ||
                here.size() + seen.size() > contract::max_list_entries)
                continue;
            model::list_entry const entry{*range, one.reason.value_or(""), one.added_at};
            change.changes.emplace_back(store::put_list_entry{which, entry});
            facts.emplace_back(model::list_changed{which, entry, true});
        }
        if (facts.empty()) continue;
        auto const kept = co_await commit(house_, std::move(change));
        if (!kept) co_return unexpected<failure>{kept.error()};
        house_.apply(facts);
    }
    co_return result<void>{};
}

result<roots::place> backup::place_of(kept_torrent const& one, import_so_far& so_far) const {
    auto const key = one.output_dir + '\n' + one.folder;
    if (auto const known = so_far.places.find(key); known != so_far.places.end()) return known->second;
    // Where it was, if this daemon may write there; else the same way below this daemon's own folder.
    auto place = house_.roots.resolve(one.output_dir);
    if (!place && place.error().code == errc::add_torrent_forbidden) place = house_.roots.resolve(one.folder);
    so_far.places.emplace(key, place);
    return place;
}

task<result<void>> backup::take_batch(std::vector<candidate> batch, import_so_far& so_far) {
    std::vector<candidate> fresh;
    std::unordered_set<contract::info_hash> in_batch;
    for (auto& one : batch) {
        auto const refuse = [&](std::string why) {
            so_far.answer.failed.push_back({one.hash, std::move(why)});
        };
        if (!one.refused.empty()) {
            refuse(std::move(one.refused));
            continue;
        }
        auto const place = place_of(one.kept, so_far);
        if (!place) {
            refuse(place.error().message);
            continue;
        }
        model::torrent_asked asked;
        if (auto const fit = torrents::describe(asked, one.what); !fit) {
            refuse(fit.error().message);
            continue;
        }
        // What a torrent of this daemon moved before it was removed stands in the daemon's totals already.
        if (so_far.is_own) one.kept.downloaded = one.kept.uploaded = 0;
        one.totals_are_counted = so_far.is_own;
        asked.root = place->root;
        asked.folder = place->folder;
        asked.paused = one.kept.paused;
        asked.sequential = one.kept.sequential;
        asked.labels = std::move(one.kept.labels);
        asked.added_at = one.kept.added_at;
        asked.down_kib = one.kept.down_kib;
        asked.up_kib = one.kept.up_kib;
        asked.file_priorities = std::move(one.kept.file_priorities);
        asked.priority = one.kept.priority;
        asked.in_queue = one.kept.in_queue;
        asked.queue_order =
            std::min(last_order, so_far.order_before + std::max<std::int64_t>(1, one.kept.queue_order));
        co_await torrents_.let_deletions_end(house_.state.folder_of(asked));
        bool twice = false;
        for (auto const& hash : {asked.hashes.v1, asked.hashes.v2})
            twice = twice || (hash && !in_batch.insert(hash).second);
        if (twice) {
            ++so_far.answer.skipped;
            continue;
        }
        one.asked = std::make_shared<model::torrent_asked const>(std::move(asked));
        fresh.push_back(std::move(one));
    }
    for (bool again = true; again;) { // one may have begun while another was waited for
        again = false;
        for (auto const& one : fresh) {
            auto folder = house_.state.folder_of(*one.asked);
            if (!torrents_.is_near_a_deletion(folder)) continue;
            co_await torrents_.let_deletions_end(std::move(folder));
            again = true;
            break;
        }
    }
    // The last look before the commit: nothing is awaited between.
    std::erase_if(fresh, [&](candidate const& one) {
        for (auto const& hash : {one.asked->hashes.v1, one.asked->hashes.v2}) {
            auto const* const row = hash ? house_.state.torrents().find(hash) : nullptr;
            if (row == nullptr) continue;
            ++so_far.answer.skipped;
            so_far.rows.add(row->view);
            return true;
        }
        return false;
    });
    if (fresh.empty()) co_return result<void>{};
    auto const whole = co_await put(fresh);
    if (!whole && whole.error().code != errc::torrent_exists) co_return whole;
    for (auto& one : fresh) {
        if (!whole) { // one of them is there under its other name, or was just added: each by itself
            std::vector<candidate> const alone{one};
            auto const kept = co_await put(alone);
            if (!kept && kept.error().code == errc::torrent_exists) {
                ++so_far.answer.skipped;
                continue;
            }
            if (!kept) co_return kept;
        }
        ++so_far.answer.imported;
        if (auto const* const row = house_.state.torrents().find(one.asked->id)) so_far.rows.add(row->view);
    }
    co_return result<void>{};
}

task<result<void>> backup::put(std::vector<candidate> const& some) {
    store::commit change;
    for (auto const& one : some) {
        change.changes.emplace_back(store::put_torrent{one.asked});
        if (one.what.metainfo)
            change.changes.emplace_back(store::put_metainfo{one.asked->id, one.what.metainfo});
    }
    // What it moved so far goes with it; its pieces not, which are hashed first: a start before that finds none claimed.
    std::vector<store::resume_record> moved;
    for (auto const& one : some)
        moved.push_back({{one.asked->id, 0, one.kept.downloaded, one.kept.uploaded, 0}, nullptr});
    auto const kept = co_await commit(house_, std::move(change));
    if (!kept) co_return unexpected<failure>{kept.error()};
    std::vector<model::fact> facts;
    model::torrents_seen seen;
    for (auto const& one : some) {
        facts.emplace_back(model::torrent_put{one.asked});
        model::torrent_seen sample;
        sample.id = one.asked->id;
        sample.downloaded = one.kept.downloaded;
        sample.uploaded = one.kept.uploaded;
        seen.samples.push_back(sample);
        house_.last_queue_order = std::max(house_.last_queue_order, one.asked->queue_order);
    }
    facts.emplace_back(std::move(seen));
    // Here from now on, and handed over when their totals are kept; nobody else is to do that before.
    for (auto const& one : some) house_.not_loaded.insert(one.asked->id);
    house_.apply(facts);
    auto keep = [this, &moved](auto done) { house_.journal.keep(std::move(moved), std::move(done)); };
    auto const how = co_await reply_of<store::outcome>(std::move(keep));
    if (how != store::outcome::committed) log::warning("the totals of imported torrents could not be kept");
    for (auto const& one : some) {
        engine::load first{
            .metainfo = one.what.metainfo,
            .resume = one.resume,
            .fresh_totals = one.totals_are_counted,
            .hearsay = true,
            .downloaded = one.kept.downloaded,
            .uploaded = one.kept.uploaded};
        house_.not_loaded.erase(one.asked->id);
        auto const* const row = house_.state.torrents().find(one.asked->id);
        if (row != nullptr)
            house_.engine.ask(house_.wish_for(row->asked), std::move(first)); // else removed meanwhile
    }
    co_return result<void>{};
}

} // namespace ccbt::executor
