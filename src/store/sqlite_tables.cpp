#include "store/sqlite_tables.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace ccbt::store {

int sqlite_tables::prepare() {
    int code = SQLITE_OK;
    auto const made = [&](statement& into, std::string_view sql) { into = on_.prepare(sql, &code); };
    made(find_id_, "SELECT row FROM torrents WHERE id=?1");
    made(find_v1_, "SELECT row FROM torrents WHERE v1=?1");
    made(find_v2_, "SELECT row FROM torrents WHERE v2=?1");
    made(
        insert_torrent_,
        "INSERT INTO torrents(id,v1,v2,name,magnet,has_metainfo,is_private,total_size,root,folder,paused,sequential,"
        "labels,added_at,down_kib,up_kib,file_priorities,queue_order,priority,in_queue,checksum) "
        "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21)");
    made(
        update_torrent_,
        "UPDATE torrents SET id=?1,v1=?2,v2=?3,name=?4,magnet=?5,has_metainfo=?6,is_private=?7,total_size=?8,"
        "root=?9,folder=?10,paused=?11,sequential=?12,labels=?13,added_at=?14,down_kib=?15,up_kib=?16,"
        "file_priorities=?17,queue_order=?18,priority=?19,in_queue=?20,checksum=?21 WHERE row=?22");
    made(
        put_metainfo_, "INSERT INTO metainfo(id,bytes,checksum,row) VALUES(?1,?2,?3,?4) "
                       "ON CONFLICT(row) DO UPDATE SET id=?1,bytes=?2,checksum=?3");
    made(get_metainfo_, "SELECT id,bytes,checksum FROM metainfo WHERE row=?1");
    made(
        put_resume_, "INSERT INTO resume(id,bytes,checksum,row) VALUES(?1,?2,?3,?4) "
                     "ON CONFLICT(row) DO UPDATE SET id=?1,bytes=?2,checksum=?3");
    made(get_resume_, "SELECT id,bytes,checksum FROM resume WHERE row=?1");
    made(
        put_journal_,
        "INSERT INTO journal(id,progress,downloaded,uploaded,completed_at,checksum,row) VALUES(?1,?2,?3,?4,?5,?6,?7) "
        "ON CONFLICT(row) DO UPDATE SET id=?1,progress=?2,downloaded=?3,uploaded=?4,completed_at=?5,checksum=?6");
    made(
        get_journal_,
        "SELECT id,progress,downloaded,uploaded,completed_at,checksum FROM journal WHERE row=?1");
    made(get_totals_, "SELECT row,downloaded,uploaded,checksum FROM totals ORDER BY row");
    made(
        put_totals_, "INSERT INTO totals(downloaded,uploaded,checksum,row) VALUES(?1,?2,?3,?4) "
                     "ON CONFLICT(row) DO UPDATE SET downloaded=?1,uploaded=?2,checksum=?3");
    made(
        put_root_, "INSERT INTO roots(id,path,checksum) VALUES(?1,?2,?3) "
                   "ON CONFLICT(id) DO UPDATE SET path=?2,checksum=?3");
    made(
        put_setting_, "INSERT INTO settings(key,json,checksum) VALUES(?1,?2,?3) "
                      "ON CONFLICT(key) DO UPDATE SET json=?2,checksum=?3");
    made(drop_setting_, "DELETE FROM settings WHERE key=?1");
    made(
        put_deletion_, "INSERT INTO deletions(id,root_path,files,checksum) VALUES(?1,?2,?3,?4) "
                       "ON CONFLICT(id) DO UPDATE SET root_path=?2,files=?3,checksum=?4");
    made(drop_deletion_, "DELETE FROM deletions WHERE id=?1");
    // A new row each time, so that the highest rows are the newest.
    made(put_checkpoint_, "INSERT OR REPLACE INTO checkpoints(hash,bytes,checksum) VALUES(?1,?2,?3)");
    made(get_checkpoint_, "SELECT row,hash,bytes,checksum FROM checkpoints WHERE hash=?1");
    made(drop_checkpoint_, "DELETE FROM checkpoints WHERE hash=?1");
    made(prune_checkpoints_, "DELETE FROM checkpoints WHERE row<=(SELECT max(row) FROM checkpoints)-10000");
    made(
        put_listed_, "INSERT INTO lists(list,range,reason,added_at,checksum) VALUES(?1,?2,?3,?4,?5) "
                     "ON CONFLICT(list,range) DO UPDATE SET reason=?3,added_at=?4,checksum=?5");
    made(drop_listed_, "DELETE FROM lists WHERE list=?1 AND range=?2");
    made(
        put_key_,
        "INSERT INTO keys(name,signs,id,scopes,created_at,expires_at,last_used,checksum) VALUES(?1,?2,?3,?4,?5,?6,?7,?8) "
        "ON CONFLICT(name) DO UPDATE SET "
        "signs=?2,id=?3,scopes=?4,created_at=?5,expires_at=?6,last_used=?7,checksum=?8");
    made(
        note_key_, "UPDATE keys SET signs=?2,scopes=?4,created_at=?5,expires_at=?6,last_used=?7,checksum=?8 "
                   "WHERE name=?1 AND id=?3");
    made(drop_key_, "DELETE FROM keys WHERE name=?1");
    made(drop_torrent_, "DELETE FROM torrents WHERE row=?1");
    made(drop_metainfo_, "DELETE FROM metainfo WHERE row=?1");
    made(drop_journal_, "DELETE FROM journal WHERE row=?1");
    made(drop_resume_, "DELETE FROM resume WHERE row=?1");
    made(
        put_meta_, "INSERT INTO meta(key,value,checksum) VALUES(?1,?2,?3) "
                   "ON CONFLICT(key) DO UPDATE SET value=?2,checksum=?3");
    made(find_operation_, "SELECT id,at,answer,checksum FROM operations WHERE id=?1");
    made(put_operation_, "INSERT OR REPLACE INTO operations(id,at,answer,checksum) VALUES(?1,?2,?3,?4)");
    made(
        drop_operations_,
        "DELETE FROM operations WHERE id IN (SELECT id FROM operations WHERE at<?1 LIMIT 10000)");
    return code;
}

int sqlite_tables::find(torrent_id id, std::int64_t& row) {
    auto const wanted = to_bytes(id);
    find_id_.bind_blob(1, wanted);
    auto const code = find_id_.step();
    row = code == SQLITE_ROW ? find_id_.integer(0) : 0;
    find_id_.reset();
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

int sqlite_tables::find_hash(statement& by, model::info_hash const& hash, std::int64_t besides, bool& taken) {
    if (!hash) return SQLITE_OK;
    by.bind_blob(1, hash.bytes());
    int code = SQLITE_OK;
    while ((code = by.step()) == SQLITE_ROW) {
        auto const row = by.integer(0);
        if (row != besides && !quarantined_.contains(row)) taken = true;
    }
    by.reset();
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int sqlite_tables::apply(change const& what) {
    return std::visit([this](auto const& w) { return put(w); }, what);
}

int sqlite_tables::put(put_torrent const& what) {
    auto const& t = *what.asked;
    std::int64_t row = 0;
    bool taken = false;
    auto code = find(t.id, row);
    if (code == SQLITE_OK) code = find_hash(find_v1_, t.hashes.v1, row, taken);
    if (code == SQLITE_OK) code = find_hash(find_v2_, t.hashes.v2, row, taken);
    if (code != SQLITE_OK) return code;
    if (taken || quarantined_.contains(row)) return SQLITE_CONSTRAINT;
    auto const labels = pack(t.labels);
    return row_writer{row == 0 ? insert_torrent_ : update_torrent_, sum_, "torrents"}
        .id(t.id)
        .hash(t.hashes.v1)
        .hash(t.hashes.v2)
        .text(t.name)
        .text(t.magnet)
        .integer(t.has_metainfo)
        .integer(t.is_private)
        .integer(t.total_size)
        .id(t.root)
        .text(t.folder)
        .integer(t.paused)
        .integer(t.sequential)
        .blob(labels)
        .real(t.added_at)
        .integer(t.down_kib)
        .integer(t.up_kib)
        .blob(t.file_priorities)
        .integer(t.queue_order)
        .integer(static_cast<std::int64_t>(t.priority))
        .integer(t.in_queue)
        .run(row);
}

int sqlite_tables::put(put_metainfo const& what) {
    std::int64_t row = 0;
    auto code = find(what.id, row);
    if (code != SQLITE_OK || row == 0 || quarantined_.contains(row) || !what.bytes) return code;
    if (code = set_aside_large(row); code != SQLITE_OK) return code;
    return row_writer{put_metainfo_, sum_, "metainfo"}.id(what.id).blob(bytes_of(*what.bytes)).run(row);
}

int sqlite_tables::put(forget_torrent const& what) {
    std::int64_t row = 0;
    auto code = find(what.id, row);
    if (code != SQLITE_OK || row == 0 || quarantined_.contains(row)) return code;
    code = set_aside_large(row);
    if (code == SQLITE_OK) code = add_journal_to_totals(row);
    for (auto* const drop : {&drop_torrent_, &drop_metainfo_, &drop_journal_, &drop_resume_}) {
        if (code != SQLITE_OK) return code;
        drop->bind(1, row);
        code = drop->run();
    }
    return code;
}

int sqlite_tables::add_journal_to_totals(std::int64_t row) {
    get_journal_.bind(1, row);
    auto code = get_journal_.step();
    std::int64_t downloaded = 0, uploaded = 0;
    if (code == SQLITE_ROW && intact(get_journal_, sum_, "journal", 0)) {
        downloaded = get_journal_.integer(2);
        uploaded = get_journal_.integer(3);
    }
    get_journal_.reset();
    if (code != SQLITE_ROW && code != SQLITE_DONE) return code;
    return add_to_totals(downloaded, uploaded);
}

int sqlite_tables::put(raise_removed_totals const& what) {
    std::int64_t downloaded = 0, uploaded = 0;
    int code = SQLITE_OK;
    while ((code = get_totals_.step()) == SQLITE_ROW) {
        if (!intact(get_totals_, sum_, "totals", 1)) continue;
        downloaded += get_totals_.integer(1);
        uploaded += get_totals_.integer(2);
    }
    get_totals_.reset();
    if (code != SQLITE_DONE) return code;
    return add_to_totals(
        std::max<std::int64_t>(0, what.downloaded - downloaded),
        std::max<std::int64_t>(0, what.uploaded - uploaded));
}

int sqlite_tables::add_to_totals(std::int64_t downloaded, std::int64_t uploaded) {
    if (downloaded == 0 && uploaded == 0) return SQLITE_OK;
    int code = SQLITE_OK;
    std::int64_t into = 1; // the first row that can be read; a damaged one is left and one after it begun
    while ((code = get_totals_.step()) == SQLITE_ROW) {
        into = get_totals_.integer(0);
        if (intact(get_totals_, sum_, "totals", 1)) {
            downloaded += get_totals_.integer(1);
            uploaded += get_totals_.integer(2);
            break;
        }
        ++into;
    }
    get_totals_.reset();
    if (code != SQLITE_ROW && code != SQLITE_DONE) return code;
    return row_writer{put_totals_, sum_, "totals"}.integer(downloaded).integer(uploaded).run(into);
}

int sqlite_tables::put(keep_checkpoint const& what) {
    get_checkpoint_.bind_blob(1, what.of.bytes());
    auto const held = get_checkpoint_.step() == SQLITE_ROW;
    auto const damaged = held && !intact(get_checkpoint_, sum_, "checkpoints", 1);
    auto const row = damaged ? std::string{get_checkpoint_.text(0)} : std::string{};
    get_checkpoint_.reset();
    if (damaged)
        if (auto const code = set_aside("checkpoints", row); code != SQLITE_OK) return code;
    if (!what.resume) {
        drop_checkpoint_.bind_blob(1, what.of.bytes());
        return drop_checkpoint_.run();
    }
    auto const code =
        row_writer{put_checkpoint_, sum_, "checkpoints"}.hash(what.of).blob(bytes_of(*what.resume)).run();
    return code == SQLITE_OK ? prune_checkpoints_.run() : code;
}

sqlite_tables::bytes sqlite_tables::checkpoint(model::info_hash const& of) {
    get_checkpoint_.bind_blob(1, of.bytes());
    auto const code = get_checkpoint_.step();
    bytes out;
    if (code == SQLITE_ROW && intact(get_checkpoint_, sum_, "checkpoints", 1)) {
        auto const data = get_checkpoint_.blob(2);
        out = std::make_shared<std::string const>(data.begin(), data.end());
    } else if (code != SQLITE_DONE) {
        log::error("store: a checkpoint could not be read; left as it is");
    }
    get_checkpoint_.reset();
    return out;
}

int sqlite_tables::put(intend_deletion const& what) {
    auto const files = pack(what.files);
    return row_writer{put_deletion_, sum_, "deletions"}.id(what.id).text(what.root_path).blob(files).run();
}

int sqlite_tables::put(deletion_done const& what) {
    auto const id = to_bytes(what.id);
    drop_deletion_.bind_blob(1, id);
    return drop_deletion_.run();
}

int sqlite_tables::put(put_root const& what) {
    return row_writer{put_root_, sum_, "roots"}.id(what.root.id).text(what.root.path).run();
}

int sqlite_tables::put(put_setting const& what) {
    if (!what.json.empty())
        return row_writer{put_setting_, sum_, "settings"}.text(what.key).text(what.json).run();
    drop_setting_.bind_text(1, what.key);
    return drop_setting_.run();
}

int sqlite_tables::put(put_list_entry const& what) {
    auto const range = what.entry.range.text();
    return row_writer{put_listed_, sum_, "lists"}
        .integer(static_cast<std::int64_t>(what.list))
        .text(range)
        .text(what.entry.reason)
        .real(what.entry.added_at)
        .run();
}

int sqlite_tables::put(remove_list_entry const& what) {
    auto const range = what.range.text();
    drop_listed_.bind(1, static_cast<std::int64_t>(what.list));
    drop_listed_.bind_text(2, range);
    return drop_listed_.run();
}

int sqlite_tables::write_key(statement& by, contract::access_key const& key) {
    auto const scopes = key.scope_names(); // names outlive the enumeration's order
    return row_writer{by, sum_, "keys"}
        .text(key.name)
        .integer(key.signs)
        .blob(key.id)
        .text(scopes)
        .real(key.created_at)
        .real(key.expires_at)
        .real(key.last_used)
        .run();
}

int sqlite_tables::put(drop_key const& what) {
    drop_key_.bind_text(1, what.name);
    return drop_key_.run();
}

int sqlite_tables::put_meta(std::string_view key, std::string_view value) {
    return row_writer{put_meta_, sum_, "meta"}.text(key).text(value).run();
}

int sqlite_tables::keep(resume_record const& record) {
    auto const& d = record.done;
    std::int64_t row = 0;
    auto code = find(d.id, row);
    if (code != SQLITE_OK || row == 0 || quarantined_.contains(row))
        return code; // forgotten while it was saved
    code = row_writer{put_journal_, sum_, "journal"}
               .id(d.id)
               .real(d.progress)
               .integer(d.downloaded)
               .integer(d.uploaded)
               .real(d.completed_at)
               .run(row);
    if (code != SQLITE_OK || !record.resume) return code;
    if (code = set_aside_large(row); code != SQLITE_OK) return code;
    return row_writer{put_resume_, sum_, "resume"}.id(d.id).blob(bytes_of(*record.resume)).run(row);
}

int sqlite_tables::keep_answer(std::string_view operation, std::string_view answer, std::int64_t now) {
    return row_writer{put_operation_, sum_, "operations"}
        .text(operation)
        .integer(now)
        .blob(bytes_of(answer))
        .run();
}

sqlite_tables::bytes sqlite_tables::answer(std::string_view operation, std::int64_t not_before) {
    find_operation_.bind_text(1, operation);
    auto const code = find_operation_.step();
    bytes out;
    if (code == SQLITE_ROW && intact(find_operation_, sum_, "operations", 0)) {
        auto const data = find_operation_.blob(2);
        if (find_operation_.integer(1) >= not_before)
            out = std::make_shared<std::string const>(data.begin(), data.end());
    } else if (code != SQLITE_DONE) {
        log::error("store: the answer of an operation could not be read");
    }
    find_operation_.reset();
    return out;
}

int sqlite_tables::forget_operations(std::int64_t before) {
    drop_operations_.bind(1, before);
    return drop_operations_.run();
}

sqlite_tables::bytes sqlite_tables::metainfo(torrent_id id) {
    return read_blob(get_metainfo_, "metainfo", id);
}
sqlite_tables::bytes sqlite_tables::resume(torrent_id id) { return read_blob(get_resume_, "resume", id); }

sqlite_tables::bytes sqlite_tables::read_blob(statement& by, std::string_view table, torrent_id id) {
    std::int64_t row = 0;
    auto code = find(id, row);
    bytes out;
    if (code == SQLITE_OK && row != 0) {
        by.bind(1, row);
        code = by.step();
        auto const held = code == SQLITE_ROW;
        if (held && intact(by, sum_, table, 0) && to_id(by.blob(0)) == id) {
            auto const data = by.blob(1);
            out = std::make_shared<std::string const>(data.begin(), data.end());
        }
        if (held && !out && damaged_.emplace(table, std::to_string(row)).second)
            log::error("store: {} row {}: its checksum does not match; left as it is", table, row);
        if (held || code == SQLITE_DONE) code = SQLITE_OK;
        by.reset();
    }
    if (code != SQLITE_OK) log::error("store: {} of a torrent could not be read: {}", table, on_.message());
    return out;
}

} // namespace ccbt::store
