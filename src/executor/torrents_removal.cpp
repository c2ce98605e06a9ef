// Removing torrents, and their files where that is asked: the intent is recorded before the first file goes.
#include "base/log.hpp"
#include "base/safeguard.hpp"
#include "engine/payload.hpp"
#include "executor/named_torrents.hpp"
#include "executor/roots.hpp"

#include <algorithm>
#include <set>

namespace ccbt::executor {

namespace {

class deletion_underway {
public:
    deletion_underway(context& house, store::intend_deletion const& what)
        : in_{house.deleting}, id_{what.id} {
        if (!what.files.empty()) in_->emplace(id_, what.root_path);
    }
    ~deletion_underway() { in_->erase(id_); }
    deletion_underway(deletion_underway const&) = delete;
    deletion_underway& operator=(deletion_underway const&) = delete;

private:
    std::shared_ptr<context::deletions> in_; // a task that is thrown away with the loop may outlive the house
    torrent_id id_;
};

} // namespace

// ---- removing

// What a torrent wrote: its files, and where libtorrent keeps the pieces at the borders of files not wanted.
task<std::vector<std::string>> torrents::own_files(std::shared_ptr<model::torrent_asked const> of) {
    std::vector<std::string> own;
    if (!of->has_metainfo) co_return own;
    auto const facts = co_await read_stored(of->id);
    if (facts) {
        auto look = [folder = house_.state.folder_of(*of), facts = *facts] {
            return engine::without_larger(folder, facts.files, facts.sizes);
        };
        own = co_await off_loop(house_.on, std::move(look));
    }
    for (auto const& hash : {of->hashes.v1, of->hashes.v2})
        if (hash) own.push_back('.' + hash.hex().substr(0, 40) + ".parts");
    co_return own;
}

task<std::optional<engine::torrent_source>> torrents::read_stored(torrent_id which) {
    auto load = [this, which](auto done) { house_.truth.load_metainfo(which, std::move(done)); };
    auto const metainfo = co_await reply_of<std::shared_ptr<std::string const>>(std::move(load));
    std::optional<engine::torrent_source> out;
    if (!metainfo) co_return out;
    auto read = [metainfo] { return engine::read_torrent(*metainfo); };
    auto facts = co_await off_loop(house_.on, std::move(read));
    if (facts) out = std::move(*facts);
    co_return out;
}

// Torrents may share a folder, and files too: those that another one names stay, and so do the markers of storage
// roots, whatever a torrent calls its files.
task<> torrents::spare_shared_files(store::intend_deletion& what, ids const& going) {
    if (!in_force(safeguard::delete_only_own_files)) co_return;
    std::erase_if(what.files, model::names_a_marker);
    // All files of a torrent lie at or below its folder and name, so that few have to be looked at.
    std::set<std::string> tops;
    for (auto const& file : what.files) tops.insert(what.root_path + '/' + file.substr(0, file.find('/')));
    std::vector<std::pair<torrent_id, std::string>> near;
    for (auto const* row = house_.state.torrents().first(); row != nullptr; row = row->added_after) {
        auto const& asked = *row->asked;
        if (asked.id == what.id || going.contains(asked.id) || !asked.has_metainfo) continue;
        auto const folder = house_.state.folder_of(asked);
        auto const top = folder + '/' + asked.name;
        auto const meets = [&](auto const& ours) { return lies_below(ours, top) || lies_below(top, ours); };
        if (std::any_of(tops.begin(), tops.end(), meets)) near.emplace_back(asked.id, folder);
    }
    std::set<std::string> shared; // absolute
    for (auto const& [id, folder] : near) {
        auto const facts = co_await read_stored(id);
        if (!facts) { // what it names is not known: all that may be its own stays
            auto const* row = house_.state.torrents().find(id);
            if (row == nullptr) continue; // removed meanwhile
            auto const top = folder + '/' + row->asked->name;
            std::erase_if(
                what.files, [&](auto const& file) { return lies_below(what.root_path + '/' + file, top); });
            continue;
        }
        for (auto const& file : facts->files) shared.insert(folder + '/' + file);
    }
    std::erase_if(what.files, [&](auto const& file) { return shared.contains(what.root_path + '/' + file); });
}

task<result<contract::done>> torrents::handle(contract::remove_torrent::request request, caller const& who) {
    std::vector<contract::info_hash> which{request.info_hash};
    contract::done const out{"removed"};
    house_.once.foresee(who.operation_id, out);
    auto const gone = co_await remove(std::move(which), request.delete_files, who.operation_id);
    if (!gone.front()) co_return unexpected<failure>{gone.front().error()};
    co_return out;
}

task<std::vector<result<void>>> torrents::remove(
    std::vector<contract::info_hash> which, bool delete_files, std::string operation_id, foresight foresee) {
    named what{house_, which};
    std::vector<turns<torrent_id>::hold> held;
    auto const wanted = what.all;
    for (auto const id : wanted) {
        auto turn = co_await house_.torrent_turns.take(id);
        held.push_back(std::move(turn));
    }
    what.let_go_of_those_gone(house_);

    if (delete_files)
        for (auto const id : ids{what.all})
            if (house_.state.torrents().find(id)->offline)
                what.fail(
                    id,
                    failure{
                        errc::remove_failed,
                        "its storage folder is offline, so its files cannot be deleted now"}
                        .with("reason", std::string{"storage_offline"}));
    struct going {
        torrent_id id;
        contract::info_hash hash;
        store::intend_deletion deletion;
        std::unique_ptr<deletion_underway> underway{};
    };
    std::vector<going> all;
    for (auto const id : what.all) { // held by our turns: they stay
        auto const asked = house_.state.torrents().find(id)->asked;
        going one{id, asked->hashes.canonical(), {id, house_.state.folder_of(*asked), {}}};
        if (delete_files) {
            one.deletion.files = co_await own_files(asked);
            co_await spare_shared_files(one.deletion, what.all);
        }
        // Who adds a torrent whose files may lie there waits for our turn from here on.
        one.underway = std::make_unique<deletion_underway>(house_, one.deletion);
        all.push_back(std::move(one));
    }
    if (all.empty()) co_return std::move(what.how);

    // The totals of all time keep what these have moved: their last numbers go first, on the same writer.
    std::vector<store::resume_record> last;
    for (auto const& one : all) {
        auto const& seen = house_.state.torrents().find(one.id)->seen;
        auto& record = last.emplace_back();
        record.done.id = one.id;
        record.done.progress = seen.progress;
        record.done.downloaded = seen.downloaded;
        record.done.uploaded = seen.uploaded;
    }
    house_.journal.keep(std::move(last), [](store::outcome) {});

    store::commit change;
    change.operation_id = std::move(operation_id);
    std::vector<model::fact> facts;
    for (auto const& one : all) {
        // Kept for an add with resume:true, where the data stays.
        store::keep_checkpoint checkpoint{one.hash, nullptr};
        if (!delete_files) {
            auto load = [this, id = one.id](auto done) { house_.journal.load_resume(id, std::move(done)); };
            checkpoint.resume = co_await reply_of<std::shared_ptr<std::string const>>(std::move(load));
        }
        if (!one.deletion.files.empty() && in_force(safeguard::recorded_removal))
            change.changes.emplace_back(one.deletion);
        change.changes.emplace_back(std::move(checkpoint));
        change.changes.emplace_back(store::forget_torrent{one.id});
        facts.emplace_back(model::torrent_gone{one.id});
    }
    if (foresee) foresee(what.how);
    auto const kept = co_await commit(house_, std::move(change));
    if (!kept) {
        what.fail_all(kept.error());
        co_return std::move(what.how);
    }
    house_.apply(facts);

    if (delete_files) {
        auto let_go = [this, &all](auto done) {
            auto const left = std::make_shared<std::size_t>(all.size());
            auto const last_gone = std::make_shared<decltype(done)>(std::move(done));
            for (auto const& one : all)
                house_.engine.forget(one.id, [left, last_gone](std::shared_ptr<std::string const>) {
                    if (--*left == 0) (*last_gone)(true);
                });
        };
        co_await reply_of<bool>(std::move(let_go));
        for (auto& one : all) co_await delete_files_of(std::move(one.deletion));
        co_return std::move(what.how);
    }
    for (auto const& one : all)
        house_.engine.forget(one.id, [this, hash = one.hash](std::shared_ptr<std::string const> resume) {
            // Newer than what was kept with the removal, where the engine had something to save.
            if (!resume) return;
            store::commit update;
            update.changes.emplace_back(store::keep_checkpoint{hash, std::move(resume)});
            house_.truth.commit_change(std::move(update), [](store::outcome) {});
        });
    co_return std::move(what.how);
}

task<> torrents::finish_deletion(store::intend_deletion what) {
    auto const turn = co_await house_.torrent_turns.take(what.id);
    deletion_underway const underway{house_, what};
    co_await delete_files_of(std::move(what));
}

task<> torrents::delete_files_of(store::intend_deletion what) {
    for (auto const& root : house_.roots.all())
        if (lies_below(what.root_path, root.path) && house_.state.is_offline(root.id)) {
            log::warning(
                "files of a removed torrent stay until {} is back and the daemon starts again", root.path);
            co_return; // the intent stays recorded
        }
    // Asked again: what was added meanwhile, or since the crash that cut this short, keeps its files.
    ids const none;
    co_await spare_shared_files(what, none);
    auto remove = [folder = what.root_path, files = what.files] {
        return engine::delete_payload(folder, files);
    };
    auto const gone = co_await off_loop(house_.on, std::move(remove));
    for (auto const& failed : gone.failed) log::warning("a file of a removed torrent stays: {}", failed);
    store::commit change;
    change.changes.emplace_back(store::deletion_done{what.id});
    auto const kept = co_await commit(house_, std::move(change));
    if (!kept) log::warning("that files were deleted was not recorded: {}", kept.error().message);
}

} // namespace ccbt::executor
