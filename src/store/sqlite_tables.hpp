// What stands in the tables: one change at a time inside a transaction of the caller's, and everything at the
// start. One thread at a time. Knows nothing of queues, durability or the loop; answers SQLite's codes.
#pragma once

#include "store/journal.hpp"
#include "store/sqlite_rows.hpp"
#include "store/truth.hpp"

#include <set>
#include <string>
#include <unordered_set>
#include <utility>

namespace ccbt::store {

class sqlite_tables {
public:
    explicit sqlite_tables(connection& on) : on_{on} {}

    [[nodiscard]] int prepare();
    /// Everything but metainfo and resume data. A row whose checksum fails is named in `quarantined`.
    [[nodiscard]] int load(snapshot& asked, journal_snapshot& done);
    /// Ids of a new store, the mark that it is open, and numbers for this run's events. Inside a transaction. Every
    /// damaged row that the load found is copied into the table `damaged`, as it is; what is put under its name from
    /// then on hides nothing.
    [[nodiscard]] int begin_run(std::int64_t now, snapshot& asked, journal_snapshot& done);
    [[nodiscard]] int end_run();

    /// SQLITE_CONSTRAINT: a hash is another torrent's.
    [[nodiscard]] int apply(change const& what);
    [[nodiscard]] int keep(resume_record const& record);
    [[nodiscard]] int keep_answer(std::string_view operation, std::string_view answer, std::int64_t now);
    [[nodiscard]] int forget_operations(std::int64_t before);

    using bytes = std::shared_ptr<std::string const>;
    [[nodiscard]] bytes metainfo(torrent_id id); // null where there is none or it is damaged, which is logged
    [[nodiscard]] bytes resume(torrent_id id);
    [[nodiscard]] bytes checkpoint(model::info_hash const& of);
    [[nodiscard]] std::size_t quarantined() const {
        return damaged_.size();
    } // rows, found so far in this run
    [[nodiscard]] bytes answer(std::string_view operation, std::int64_t not_before);

private:
    int put(put_torrent const& what);
    int put(put_metainfo const& what);
    int put(forget_torrent const& what);
    int put(keep_checkpoint const& what);
    int put(intend_deletion const& what);
    int put(deletion_done const& what);
    int put(put_root const& what);
    int put(put_setting const& what);
    int put(raise_removed_totals const& what);
    int put(put_list_entry const& what);
    int put(remove_list_entry const& what);
    int put(put_key const& what) { return write_key(put_key_, what.key); }
    int put(note_key_use const& what) { return write_key(note_key_, what.key); }
    int put(drop_key const& what);
    int write_key(statement& by, contract::access_key const& key);

    int find(torrent_id id, std::int64_t& row); // 0 where there is none
    int find_hash(statement& by, model::info_hash const& hash, std::int64_t besides, bool& taken);
    int add_journal_to_totals(std::int64_t row);
    int add_to_totals(std::int64_t downloaded, std::int64_t uploaded);
    int put_meta(std::string_view key, std::string_view value);
    bytes read_blob(statement& by, std::string_view table, torrent_id id);
    int set_aside(std::string const& table, std::string const& row);
    int set_aside_large(std::int64_t row); // metainfo and resume data, where they were found damaged

    int load_torrents(snapshot& into);
    int load_journal(snapshot& asked, journal_snapshot& into);
    int load_small(snapshot& asked, journal_snapshot& into);
    int load_lists(snapshot& into);
    int load_keys(snapshot& into);
    int load_meta(snapshot& into);

    connection& on_;
    row_checksum sum_;
    std::unordered_set<std::int64_t> quarantined_; // rows of torrents
    std::unordered_set<std::string> damaged_meta_;
    std::set<std::pair<std::string, std::string>> damaged_; // table; the row's number, or name in meta
    std::int64_t seq_reserved_ = 0;

    statement find_id_, find_v1_, find_v2_, insert_torrent_, update_torrent_;
    statement put_metainfo_, get_metainfo_, put_resume_, get_resume_, put_journal_, get_journal_;
    statement get_totals_, put_totals_, put_root_, put_setting_, drop_setting_, put_deletion_, drop_deletion_;
    statement put_checkpoint_, get_checkpoint_, drop_checkpoint_, prune_checkpoints_;
    statement put_listed_, drop_listed_, put_key_, note_key_, drop_key_;
    statement drop_torrent_, drop_metainfo_, drop_journal_, drop_resume_;
    statement put_meta_, find_operation_, put_operation_, drop_operations_;
};

} // namespace ccbt::store
