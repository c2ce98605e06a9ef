// The port of what users asked: torrents, metainfo, roots, settings laid over. The executor uses this one.
//
// Calls come from the loop's thread; `done` is called on the loop, later, never from within the call. A change is
// committed, on stable storage, before `done` says so (P1); changes that wait together commit together.
#pragma once

#include "base/unique_function.hpp"
#include "model/facts.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ccbt::store {

using model::torrent_asked;
using model::torrent_id;

struct put_torrent { // insert or replace by id; a hash that another id has: conflict
    std::shared_ptr<torrent_asked const> asked;
};
struct put_metainfo { // of a torrent that is not there: dropped, no error; so is what the journal keeps
    torrent_id id;
    std::shared_ptr<std::string const> bytes;
};
struct forget_torrent { // the record, its metainfo and its journal; unknown ids are no error
    torrent_id id;
};
/// Resume data kept beyond its torrent, for one that is added again with resume:true. Null takes it away.
struct keep_checkpoint {
    model::info_hash of; // canonical
    std::shared_ptr<std::string const> resume;
};
/// An intent to delete payload, recorded before the first file goes, so that a crash between does not leave half.
struct intend_deletion {
    torrent_id id;
    std::string root_path;          // absolute
    std::vector<std::string> files; // relative to root_path
};
struct deletion_done {
    torrent_id id;
};
struct put_root {
    model::storage_root root;
};
struct put_setting { // laid over the user's file; `json` empty takes it away
    std::string key;
    std::string json;
};
struct put_list_entry { // insert or replace by range
    model::address_list list;
    model::list_entry entry;
};
struct remove_list_entry { // what is not listed is no error
    model::address_list list;
    ip_range range;
};
struct raise_removed_totals { // what removed torrents moved, of all time, is at least this
    std::int64_t downloaded = 0, uploaded = 0;
};
struct put_key { // insert or replace by name
    contract::access_key key;
};
struct note_key_use { // of a key that is still the same one; else nothing
    contract::access_key key;
};
struct drop_key { // what is not there is no error
    std::string name;
};
using change = std::variant<
    put_torrent, put_metainfo, forget_torrent, keep_checkpoint, intend_deletion, deletion_done, put_root,
    put_setting, put_list_entry, remove_list_entry, raise_removed_totals, put_key, note_key_use, drop_key>;

enum class outcome : std::uint8_t {
    committed,
    conflict,    // a hash is another torrent's: nothing of this commit was applied
    full,        // no space: nothing applied, later commits may succeed
    io_error,    // nothing applied; the store may have turned read-only until a restart
                 // (after a failed fsync the restart may find the change all the same, whole)
    unavailable, // it is closing
    unknown      // it cannot be known whether it was applied
};

struct commit {
    std::string operation_id;    // non-empty: `answer` is kept under it for a day, in place of one before
    std::vector<change> changes; // all or nothing, in this order
    std::string answer{};
};

struct snapshot {                                               // what was there at the start
    std::vector<std::shared_ptr<torrent_asked const>> torrents; // by queue_order, then added_at
    std::vector<model::storage_root> roots;
    std::vector<std::pair<std::string, std::string>> settings;
    std::vector<intend_deletion> deletions; // begun and not done
    std::vector<put_list_entry> lists;      // the blacklist, then the whitelist, each by range
    std::vector<contract::access_key> keys; // by name
    std::vector<std::string> quarantined;   // for the log: records that could not be read, left as they are
    std::string lineage;                    // 32 hex digits, made with the store
    std::string node_id;                    // the same, of this machine
    bool clean = true;                      // the last run closed it
};

class truth {
public:
    virtual ~truth() = default;
    virtual void commit_change(commit what, unique_function<void(outcome)> done) = 0;
    /// The metainfo of a torrent, or null where there is none or it is damaged.
    virtual void load_metainfo(
        torrent_id id, unique_function<void(std::shared_ptr<std::string const>)> done) = 0;
    /// What keep_checkpoint kept, or null. The newest 10,000 are kept.
    virtual void load_checkpoint(
        model::info_hash of, unique_function<void(std::shared_ptr<std::string const>)> done) = 0;
    /// What was kept under that id within the last day, or null.
    virtual void load_answer(
        std::string operation_id, unique_function<void(std::shared_ptr<std::string const>)> done) = 0;
};

} // namespace ccbt::store
