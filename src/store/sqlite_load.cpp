// What the tables hold at the start. A damaged row is named, left where it is, and hides no other.
#include "base/text.hpp"
#include "store/sqlite_tables.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/core.h>

namespace ccbt::store {

namespace {

struct found_damaged {
    std::set<std::pair<std::string, std::string>>& rows;
    std::vector<std::string>& named;
};

/// Calls `each` for every row, which says whether it is good; names the others. The first column is the row's number or
/// name.
template <class Each> int scan(
    connection& on, row_checksum& sum, std::string_view table, int first, std::string const& sql,
    found_damaged damaged, Each each) {
    int code = SQLITE_OK;
    auto rows = on.prepare(sql, &code);
    if (!rows) return code;
    while ((code = rows.step()) == SQLITE_ROW) {
        auto const whole = intact(rows, sum, table, first);
        if (each(rows, whole)) continue;
        damaged.named.push_back(fmt::format("{} row {}: its checksum does not match", table, rows.text(0)));
        damaged.rows.emplace(table, rows.text(0));
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

std::shared_ptr<torrent_asked const> read_asked(statement const& row) {
    auto out = std::make_shared<torrent_asked>();
    auto const text = [&](int at) { return std::string{row.text(at)}; };
    out->id = to_id(row.blob(1));
    out->hashes.v1 = model::info_hash{row.blob(2)};
    out->hashes.v2 = model::info_hash{row.blob(3)};
    out->name = text(4);
    out->magnet = text(5);
    out->has_metainfo = row.integer(6) != 0;
    out->is_private = row.integer(7) != 0;
    out->total_size = row.integer(8);
    out->root = to_id(row.blob(9));
    out->folder = text(10);
    out->paused = row.integer(11) != 0;
    out->sequential = row.integer(12) != 0;
    if (!unpack(row.blob(13), out->labels)) return nullptr;
    out->added_at = row.real(14);
    out->down_kib = row.integer(15);
    out->up_kib = row.integer(16);
    auto const priorities = row.blob(17);
    out->file_priorities.assign(priorities.begin(), priorities.end());
    out->queue_order = row.integer(18);
    auto const priority = row.integer(19);
    if (priority < 0 || priority > static_cast<std::int64_t>(model::queue_priority::maximum)) return nullptr;
    out->priority = static_cast<model::queue_priority>(priority);
    out->in_queue = row.integer(20) != 0;
    return out;
}

std::string random_hex() { return text::to_hex(to_bytes(contract::make_torrent_id())); }

} // namespace

int sqlite_tables::load(snapshot& asked, journal_snapshot& done) {
    auto code = load_meta(asked);
    if (code == SQLITE_OK) code = load_torrents(asked);
    if (code == SQLITE_OK) code = load_journal(asked, done);
    if (code == SQLITE_OK) code = load_small(asked, done);
    if (code == SQLITE_OK) code = load_lists(asked);
    if (code == SQLITE_OK) code = load_keys(asked);
    on_.give_memory_back();
    return code;
}

int sqlite_tables::load_torrents(snapshot& into) {
    auto const code = scan(
        on_, sum_, "torrents", 1,
        "SELECT row,id,v1,v2,name,magnet,has_metainfo,is_private,total_size,root,folder,paused,sequential,labels,"
        "added_at,down_kib,up_kib,file_priorities,queue_order,priority,in_queue,checksum FROM torrents ORDER BY row",
        {damaged_, into.quarantined}, [&](statement& row, bool whole) {
            auto read = whole ? read_asked(row) : nullptr;
            if (read)
                into.torrents.push_back(std::move(read));
            else
                quarantined_.insert(row.integer(0));
            return whole && !quarantined_.contains(row.integer(0));
        });
    std::stable_sort(into.torrents.begin(), into.torrents.end(), [](auto const& a, auto const& b) {
        return a->queue_order != b->queue_order ? a->queue_order < b->queue_order : a->added_at < b->added_at;
    });
    return code;
}

int sqlite_tables::load_journal(snapshot& asked, journal_snapshot& into) {
    return scan(
        on_, sum_, "journal", 1,
        "SELECT row,id,progress,downloaded,uploaded,completed_at,checksum FROM journal ORDER BY row",
        {damaged_, asked.quarantined}, [&](statement& row, bool whole) {
            if (whole && !quarantined_.contains(row.integer(0)))
                into.torrents.push_back(
                    {to_id(row.blob(1)), row.real(2), row.integer(3), row.integer(4), row.real(5)});
            return whole;
        });
}

int sqlite_tables::load_small(snapshot& asked, journal_snapshot& done) {
    found_damaged const damaged{damaged_, asked.quarantined};
    auto code = scan(
        on_, sum_, "roots", 1, "SELECT row,id,path,checksum FROM roots ORDER BY row", damaged,
        [&](statement& row, bool whole) {
            if (whole) asked.roots.push_back({to_id(row.blob(1)), std::string{row.text(2)}});
            return whole;
        });
    if (code != SQLITE_OK) return code;
    code = scan(
        on_, sum_, "settings", 1, "SELECT row,key,json,checksum FROM settings ORDER BY row", damaged,
        [&](statement& row, bool whole) {
            if (whole) asked.settings.emplace_back(row.text(1), row.text(2));
            return whole;
        });
    if (code != SQLITE_OK) return code;
    std::sort(asked.settings.begin(), asked.settings.end());
    code = scan(
        on_, sum_, "deletions", 1, "SELECT row,id,root_path,files,checksum FROM deletions ORDER BY row",
        damaged, [&](statement& row, bool whole) {
            intend_deletion read{to_id(row.blob(1)), std::string{row.text(2)}, {}};
            if (!whole || !unpack(row.blob(3), read.files)) return false;
            asked.deletions.push_back(std::move(read));
            return true;
        });
    if (code != SQLITE_OK) return code;
    return scan(
        on_, sum_, "totals", 1, "SELECT row,downloaded,uploaded,checksum FROM totals ORDER BY row", damaged,
        [&](statement& row, bool whole) {
            if (whole) {
                done.removed_downloaded += row.integer(1);
                done.removed_uploaded += row.integer(2);
            }
            return whole;
        });
}

int sqlite_tables::load_lists(snapshot& into) {
    auto const code = scan(
        on_, sum_, "lists", 1, "SELECT row,list,range,reason,added_at,checksum FROM lists ORDER BY row",
        {damaged_, into.quarantined}, [&](statement& row, bool whole) {
            auto const range = ip_range::parse(row.text(2));
            auto const list = row.integer(1);
            if (!whole || !range || list < 0 || list > 1) return false;
            into.lists.push_back(
                {static_cast<model::address_list>(list), {*range, std::string{row.text(3)}, row.real(4)}});
            return true;
        });
    std::sort(into.lists.begin(), into.lists.end(), [](auto const& a, auto const& b) {
        return a.list != b.list ? a.list < b.list : a.entry.range < b.entry.range;
    });
    return code;
}

int sqlite_tables::load_keys(snapshot& into) {
    return scan(
        on_, sum_, "keys", 1,
        "SELECT row,name,signs,id,scopes,created_at,expires_at,last_used,checksum FROM keys ORDER BY name",
        {damaged_, into.quarantined}, [&](statement& row, bool whole) {
            contract::access_key read;
            auto const id = row.blob(3);
            if (!whole || id.size() != read.id.size()) return false;
            read.name = row.text(1);
            read.signs = row.integer(2) != 0;
            std::copy(id.begin(), id.end(), read.id.begin());
            read.take_scope_names(row.text(4));
            read.created_at = row.real(5);
            read.expires_at = row.real(6);
            read.last_used = row.real(7);
            into.keys.push_back(std::move(read));
            return true;
        });
}

int sqlite_tables::load_meta(snapshot& into) {
    return scan(
        on_, sum_, "meta", 0, "SELECT key,value,checksum FROM meta", {damaged_, into.quarantined},
        [&](statement& row, bool whole) {
            auto const key = row.text(0);
            auto const value = row.text(1);
            if (!whole)
                damaged_meta_.emplace(key);
            else if (key == "lineage")
                into.lineage = value;
            else if (key == "node_id")
                into.node_id = value;
            else if (key == "seq_reserved")
                std::from_chars(value.data(), value.data() + value.size(), seq_reserved_);
            return whole;
        });
}

int sqlite_tables::begin_run(std::int64_t now, snapshot& asked, journal_snapshot& done) {
    constexpr std::int64_t block = std::int64_t{1} << 20;
    int code = SQLITE_OK;
    for (auto const& [table, row] : damaged_)
        if (code == SQLITE_OK) code = set_aside(table, row);
    if (code != SQLITE_OK) return code;
    for (auto const& [key, value] :
         {std::pair{"lineage", &asked.lineage}, std::pair{"node_id", &asked.node_id}}) {
        if (!value->empty()) continue;
        *value = random_hex();
        if (damaged_meta_.contains(key)) continue; // what cannot be read is not written over
        code = put_meta(key, *value);
        if (code != SQLITE_OK) return code;
    }
    // The clock keeps a restored backup from numbering again what the store numbered after it was made.
    done.first_seq = std::max(seq_reserved_, now * block);
    seq_reserved_ = done.first_seq + block;
    code = put_meta("seq_reserved", std::to_string(seq_reserved_));
    if (code == SQLITE_OK) code = put_meta("clean", "0");
    return code;
}

// As SQL literals, so that a person can read it and put it back. An older daemon passes the table by.
int sqlite_tables::set_aside(std::string const& table, std::string const& row) {
    auto code = on_.run("CREATE TABLE IF NOT EXISTS damaged(row INTEGER PRIMARY KEY, source TEXT NOT NULL, "
                        "name TEXT NOT NULL, content TEXT NOT NULL, UNIQUE(source, name, content)) STRICT");
    std::vector<std::string> columns;
    if (code == SQLITE_OK)
        code =
            on_.query_lines(fmt::format("SELECT name FROM pragma_table_info('{}')", table).c_str(), columns);
    if (code != SQLITE_OK || columns.empty()) return code;
    std::string values;
    for (auto const& column : columns)
        values += fmt::format(
            "{0}CASE typeof({1}) WHEN 'text' THEN 'CAST('||quote(CAST({1} AS BLOB))||' AS TEXT)' "
            "ELSE quote({1}) END",
            values.empty() ? "" : "||','||", column);
    auto by = on_.prepare(
        fmt::format(
            "INSERT OR IGNORE INTO damaged(source,name,content) SELECT '{}',CAST({} AS TEXT),{} FROM {} WHERE {}=?1",
            table, columns.front(), values, table, columns.front()),
        &code);
    if (!by) return code;
    by.bind_text(1, row); // compared as the column is: a number where it is one
    return by.run();
}

int sqlite_tables::set_aside_large(std::int64_t row) {
    int code = SQLITE_OK;
    for (auto const* const table : {"metainfo", "resume"})
        if (code == SQLITE_OK && damaged_.contains({table, std::to_string(row)}))
            code = set_aside(table, std::to_string(row));
    return code;
}

int sqlite_tables::end_run() { return put_meta("clean", "1"); }

} // namespace ccbt::store
