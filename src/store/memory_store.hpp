// Both ports in memory, for the fake world and for tests: it can be told to fail, and to hold commits until
// they are released, which shows who answers before the store has. The loop's thread, but counters(): any.
// Nothing survives it.
#pragma once

#include "base/loop.hpp"
#include "store/journal.hpp"
#include "store/truth.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <variant>

namespace ccbt::store {

class memory_store final : public truth, public journal {
public:
    explicit memory_store(loop& on);

    /// The next `times` commits and keeps are answered so, and not applied.
    void fail_next(outcome with, int times = 1);
    /// From now on commits and keeps wait, unapplied and unanswered, until release().
    void hold() { held_ = true; }
    /// Metainfo that is asked for comes after release() only.
    void hold_metainfo() { holds_metainfo_ = true; }
    void release();
    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
    /// It can no longer be read, as after a fault of the disk.
    void damage_metainfo(torrent_id of) { metainfo_.erase(of); }

    // What a restart would find.
    [[nodiscard]] snapshot asked_now() const;
    [[nodiscard]] journal_snapshot done_now() const;

    void commit_change(commit what, unique_function<void(outcome)> done) override;
    void load_metainfo(
        torrent_id id, unique_function<void(std::shared_ptr<std::string const>)> done) override;
    void load_checkpoint(
        model::info_hash of, unique_function<void(std::shared_ptr<std::string const>)> done) override;
    void load_answer(
        std::string operation_id, unique_function<void(std::shared_ptr<std::string const>)> done) override;
    void keep(std::vector<resume_record> records, unique_function<void(outcome)> done) override;
    void load_resume(torrent_id id, unique_function<void(std::shared_ptr<std::string const>)> done) override;
    void load_many(std::vector<torrent_id> ids, unique_function<void(std::vector<stored>)> done) override;
    [[nodiscard]] journal_counters counters() const override;

private:
    using bytes = std::shared_ptr<std::string const>;
    using written = std::variant<commit, std::vector<resume_record>>;
    struct held_write {
        written what;
        unique_function<void(outcome)> done;
    };

    void take(written what, unique_function<void(outcome)> done);
    void decide(written const& what, unique_function<void(outcome)> done);
    outcome apply(commit const& what);
    void apply(std::vector<resume_record> const& records);
    bool put(change const& what); // false: a hash is another torrent's
    bool put_asked(std::shared_ptr<torrent_asked const> const& asked);
    void forget(torrent_id id);
    [[nodiscard]] bool is_taken(model::info_hash const& hash, torrent_id by) const;
    void name(model::info_hash const& hash, std::optional<torrent_id> id);

    /// Sets or, with nothing, erases an entry, so that undo_ can put back what was there.
    template <class Map>
    void set(Map& map, typename Map::key_type key, std::optional<typename Map::mapped_type> value);

    loop& loop_;
    std::unordered_map<torrent_id, std::shared_ptr<torrent_asked const>> torrents_;
    std::unordered_map<model::info_hash, torrent_id> names_;
    std::unordered_map<torrent_id, bytes> metainfo_, resume_;
    std::unordered_map<model::info_hash, bytes> checkpoints_;
    std::unordered_map<torrent_id, model::torrent_done> journal_;
    std::map<torrent_id, model::storage_root> roots_;
    std::map<std::string, std::string> settings_;
    std::map<torrent_id, intend_deletion> deletions_;
    std::map<std::pair<model::address_list, ip_range>, model::list_entry> lists_;
    std::map<std::string, contract::access_key> keys_;
    std::unordered_map<std::string, bytes> answers_;
    std::int64_t removed_downloaded_ = 0, removed_uploaded_ = 0;
    std::string lineage_, node_id_;

    std::vector<std::function<void()>> undo_;
    bool held_ = false, holds_metainfo_ = false;
    std::deque<held_write> waiting_;
    std::deque<unique_function<void()>> waiting_loads_;
    outcome failing_with_ = outcome::io_error;
    int failing_ = 0;
    std::atomic<std::int64_t> changes_{0}, failed_{0};
};

} // namespace ccbt::store
