#include "store/memory_store.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace ccbt::store {

namespace {

std::string random_hex() {
    auto const id = contract::make_torrent_id();
    return fmt::format("{:016x}{:016x}", id.high, id.low);
}

template <class Map> typename Map::mapped_type found(Map const& map, typename Map::key_type const& id) {
    auto const at = map.find(id);
    return at == map.end() ? nullptr : at->second;
}

} // namespace

memory_store::memory_store(loop& on) : loop_{on}, lineage_{random_hex()}, node_id_{random_hex()} {}

void memory_store::fail_next(outcome with, int times) {
    failing_with_ = with;
    failing_ = times;
}

void memory_store::release() {
    held_ = holds_metainfo_ = false;
    for (auto& load : std::exchange(waiting_loads_, {})) loop_.post(std::move(load));
    for (auto waiting = std::exchange(waiting_, {}); !waiting.empty(); waiting.pop_front())
        decide(waiting.front().what, std::move(waiting.front().done));
}

snapshot memory_store::asked_now() const {
    snapshot out;
    for (auto const& [id, asked] : torrents_) out.torrents.push_back(asked);
    std::sort(out.torrents.begin(), out.torrents.end(), [](auto const& a, auto const& b) {
        return std::tie(a->queue_order, a->added_at, a->id) < std::tie(b->queue_order, b->added_at, b->id);
    });
    for (auto const& [id, root] : roots_) out.roots.push_back(root);
    out.settings.assign(settings_.begin(), settings_.end());
    for (auto const& [id, deletion] : deletions_) out.deletions.push_back(deletion);
    for (auto const& [at, entry] : lists_) out.lists.push_back({at.first, entry});
    for (auto const& [name, key] : keys_) out.keys.push_back(key);
    out.lineage = lineage_;
    out.node_id = node_id_;
    return out;
}

journal_snapshot memory_store::done_now() const {
    journal_snapshot out;
    for (auto const& [id, done] : journal_) out.torrents.push_back(done);
    out.removed_downloaded = removed_downloaded_;
    out.removed_uploaded = removed_uploaded_;
    return out;
}

void memory_store::commit_change(commit what, unique_function<void(outcome)> done) {
    take(std::move(what), std::move(done));
}

void memory_store::keep(std::vector<resume_record> records, unique_function<void(outcome)> done) {
    take(std::move(records), std::move(done));
}

void memory_store::take(written what, unique_function<void(outcome)> done) {
    if (held_)
        waiting_.push_back({std::move(what), std::move(done)});
    else
        decide(what, std::move(done));
}

void memory_store::decide(written const& what, unique_function<void(outcome)> done) {
    auto answer = outcome::committed;
    if (failing_ > 0) {
        --failing_;
        answer = failing_with_;
    } else if (auto const* const asked = std::get_if<commit>(&what)) {
        answer = apply(*asked);
    } else {
        apply(std::get<std::vector<resume_record>>(what));
    }
    if (answer == outcome::committed)
        ++changes_;
    else if (answer != outcome::conflict)
        ++failed_;
    loop_.post([done = std::move(done), answer]() mutable { done(answer); });
}

outcome memory_store::apply(commit const& what) {
    undo_.clear();
    for (auto const& one : what.changes) {
        if (put(one)) continue;
        for (; !undo_.empty(); undo_.pop_back()) undo_.back()();
        return outcome::conflict;
    }
    undo_.clear();
    if (!what.operation_id.empty())
        answers_.insert_or_assign(what.operation_id, std::make_shared<std::string const>(what.answer));
    return outcome::committed;
}

void memory_store::apply(std::vector<resume_record> const& records) {
    for (auto const& r : records) {
        if (!torrents_.contains(r.done.id)) continue; // forgotten while it was saved
        journal_.insert_or_assign(r.done.id, r.done);
        if (r.resume) resume_.insert_or_assign(r.done.id, r.resume);
    }
}

template <class Map>
void memory_store::set(Map& map, typename Map::key_type key, std::optional<typename Map::mapped_type> value) {
    auto const at = map.find(key);
    if (at == map.end())
        undo_.push_back([&map, key] { map.erase(key); });
    else
        undo_.push_back([&map, key, old = at->second] { map.insert_or_assign(key, old); });
    if (value)
        map.insert_or_assign(std::move(key), std::move(*value));
    else
        map.erase(key);
}

bool memory_store::put(change const& what) {
    struct visitor {
        memory_store& s;
        bool operator()(put_torrent const& c) const { return s.put_asked(c.asked); }
        bool operator()(put_metainfo const& c) const {
            if (c.bytes && s.torrents_.contains(c.id)) s.set(s.metainfo_, c.id, c.bytes);
            return true;
        }
        bool operator()(forget_torrent const& c) const { return s.forget(c.id), true; }
        bool operator()(keep_checkpoint const& c) const {
            if (c.resume)
                s.set(s.checkpoints_, c.of, c.resume);
            else
                s.set(s.checkpoints_, c.of, {});
            return true;
        }
        bool operator()(intend_deletion const& c) const { return s.set(s.deletions_, c.id, c), true; }
        bool operator()(deletion_done const& c) const { return s.set(s.deletions_, c.id, {}), true; }
        bool operator()(put_root const& c) const { return s.set(s.roots_, c.root.id, c.root), true; }
        bool operator()(put_setting const& c) const {
            if (c.json.empty())
                s.set(s.settings_, c.key, {});
            else
                s.set(s.settings_, c.key, c.json);
            return true;
        }
        bool operator()(raise_removed_totals const& c) const {
            s.undo_.emplace_back([&s = s, down = s.removed_downloaded_, up = s.removed_uploaded_] {
                s.removed_downloaded_ = down;
                s.removed_uploaded_ = up;
            });
            s.removed_downloaded_ = std::max(s.removed_downloaded_, c.downloaded);
            s.removed_uploaded_ = std::max(s.removed_uploaded_, c.uploaded);
            return true;
        }
        bool operator()(put_list_entry const& c) const {
            return s.set(s.lists_, {c.list, c.entry.range}, c.entry), true;
        }
        bool operator()(remove_list_entry const& c) const {
            return s.set(s.lists_, {c.list, c.range}, {}), true;
        }
        bool operator()(put_key const& c) const { return s.set(s.keys_, c.key.name, c.key), true; }
        bool operator()(note_key_use const& c) const {
            auto const at = s.keys_.find(c.key.name);
            if (at != s.keys_.end() && at->second.id == c.key.id) s.set(s.keys_, c.key.name, c.key);
            return true;
        }
        bool operator()(drop_key const& c) const { return s.set(s.keys_, c.name, {}), true; }
    };
    return std::visit(visitor{*this}, what);
}

bool memory_store::put_asked(std::shared_ptr<torrent_asked const> const& asked) {
    auto const& hashes = asked->hashes;
    if (is_taken(hashes.v1, asked->id) || is_taken(hashes.v2, asked->id)) return false;
    if (auto const before = found(torrents_, asked->id)) {
        name(before->hashes.v1, std::nullopt);
        name(before->hashes.v2, std::nullopt);
    }
    name(hashes.v1, asked->id);
    name(hashes.v2, asked->id);
    set(torrents_, asked->id, asked);
    return true;
}

void memory_store::forget(torrent_id id) {
    auto const asked = found(torrents_, id);
    if (!asked) return;
    if (auto const at = journal_.find(id); at != journal_.end()) {
        undo_.emplace_back([this, down = removed_downloaded_, up = removed_uploaded_] {
            removed_downloaded_ = down;
            removed_uploaded_ = up;
        });
        removed_downloaded_ += at->second.downloaded;
        removed_uploaded_ += at->second.uploaded;
    }
    name(asked->hashes.v1, std::nullopt);
    name(asked->hashes.v2, std::nullopt);
    set(torrents_, id, {});
    set(metainfo_, id, {});
    set(resume_, id, {});
    set(journal_, id, {});
}

bool memory_store::is_taken(model::info_hash const& hash, torrent_id by) const {
    if (!hash) return false;
    auto const at = names_.find(hash);
    return at != names_.end() && at->second != by;
}

void memory_store::name(model::info_hash const& hash, std::optional<torrent_id> id) {
    if (hash) set(names_, hash, id);
}

void memory_store::load_metainfo(
    torrent_id id, unique_function<void(std::shared_ptr<std::string const>)> done) {
    auto answer = [done = std::move(done), is = found(metainfo_, id)]() mutable { done(std::move(is)); };
    if (holds_metainfo_)
        waiting_loads_.emplace_back(std::move(answer));
    else
        loop_.post(std::move(answer));
}

void memory_store::load_answer(
    std::string operation_id, unique_function<void(std::shared_ptr<std::string const>)> done) {
    loop_.post(
        [done = std::move(done), is = found(answers_, operation_id)]() mutable { done(std::move(is)); });
}

void memory_store::load_checkpoint(
    model::info_hash of, unique_function<void(std::shared_ptr<std::string const>)> done) {
    loop_.post([done = std::move(done), is = found(checkpoints_, of)]() mutable { done(std::move(is)); });
}

void memory_store::load_resume(
    torrent_id id, unique_function<void(std::shared_ptr<std::string const>)> done) {
    loop_.post([done = std::move(done), is = found(resume_, id)]() mutable { done(std::move(is)); });
}

void memory_store::load_many(std::vector<torrent_id> ids, unique_function<void(std::vector<stored>)> done) {
    std::vector<stored> out;
    out.reserve(ids.size());
    for (auto const id : ids) out.push_back({id, found(metainfo_, id), found(resume_, id)});
    loop_.post([done = std::move(done), out = std::move(out)]() mutable { done(std::move(out)); });
}

journal_counters memory_store::counters() const {
    return {
        .commits = changes_.load(),
        .changes = changes_.load(),
        .commit_seconds = 0,
        .failed = failed_.load()};
}

} // namespace ccbt::store
