#include "store/sqlite_recover.hpp"

#include "base/text.hpp"
#include "store/sqlite_pages.hpp"
#include "store/sqlite_rows.hpp"
#include "store/sqlite_schema.hpp"
#include "store/sqlite_swap.hpp"

#include <array>
#include <cerrno>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <fstream>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ccbt::store {

namespace {

namespace fs = std::filesystem;
using kind = open_failure::kind;

struct table_plan {
    std::string name;
    std::vector<bool> real; // a column's affinity: SQLite writes whole reals as integers
    std::size_t first = 0;  // of the columns that the checksum is of; the row's number stands before it
    statement insert;
    std::set<std::int64_t> damaged; // rows
    std::size_t read = 0, loose = 0;
};

std::string name_of(std::int64_t row, std::string const& table) {
    return fmt::format("{} row {}", table, row);
}

std::string printable(std::string const& text) {
    std::string out = text.substr(0, 100);
    for (auto& c : out)
        if (static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
    return out;
}

class rescue {
public:
    rescue(fs::path database, std::function<void(std::string const&)> const& tell)
        : database_{std::move(database)},
          log_{database_.string() + "-wal"},
          folder_{database_.string() + ".recover"},
          made_{folder_ / "new.db"},
          tell_{tell} {}
    ~rescue() {
        tables_.clear();
        into_.close();
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    rescue(rescue const&) = delete;
    rescue& operator=(rescue const&) = delete;

    expected<recovery, open_failure> run() {
        take_up_again(database_, tell_);
        if (auto refused = judge()) return unexpected<open_failure>{*refused};
        if (auto refused = make()) return unexpected<open_failure>{*refused};
        if (auto refused = read_rows()) return unexpected<open_failure>{*refused};
        auto const opens = opens_as_it_is();
        if (!opens) return unexpected<open_failure>{opens.error()};
        for (auto const& t : tables_) out_.lost += t.damaged.size();
        out_.needed = !opens->empty() || out_.lost != 0;
        if (!out_.needed) return std::move(out_);
        why_ = *opens;
        if (auto refused = settle()) return unexpected<open_failure>{*refused};
        if (auto refused = replace()) return unexpected<open_failure>{*refused};
        return std::move(out_);
    }

private:
    using refusal = std::optional<open_failure>;

    [[nodiscard]] open_failure failed(kind why, fs::path const& file, std::string const& what) const {
        return {why, fmt::format("{}: {}; nothing was changed", file.string(), what)};
    }
    [[nodiscard]] open_failure unwritable(fs::path const& file) const {
        return failed(kind::unwritable, file, std::generic_category().message(errno));
    }

    refusal judge() {
        std::ifstream in{database_, std::ios::binary};
        std::array<char, 100> bytes{};
        in.read(bytes.data(), bytes.size());
        if (!in) return failed(kind::damaged, database_, "there is no store to be read");
        auto const at = [&](std::size_t i) { return std::uint32_t{static_cast<std::uint8_t>(bytes[i])}; };
        page_size_ = at(16) << 8 | at(17);
        if (page_size_ == 1) page_size_ = 65536;
        if (page_size_ < 512 || (page_size_ & (page_size_ - 1)) != 0) page_size_ = 4096; // as it is made
        auto const version = at(60) << 24 | at(61) << 16 | at(62) << 8 | at(63);
        // A damaged number is no version: they are small.
        if (version > static_cast<std::uint32_t>(current_schema().version) && version < 1000)
            return failed(
                kind::newer, database_, fmt::format("version {} was made by a newer ccbtd", version));
        return std::nullopt;
    }

    refusal make() {
        std::error_code failure;
        fs::remove_all(folder_, failure);
        if (!fs::create_directory(folder_, failure) || ::chmod(folder_.c_str(), 0700) != 0) {
            errno = failure.value();
            return unwritable(folder_);
        }
        if (auto refused = create_database(made_, current_schema())) return refused;
        if (into_.open(made_.string(), false) != SQLITE_OK || into_.run("BEGIN IMMEDIATE") != SQLITE_OK)
            return failed(kind::unwritable, made_, into_.message());
        std::vector<std::string> names;
        auto code = into_.query_lines(
            "SELECT m.name FROM pragma_table_list m WHERE m.schema='main' AND m.type='table' AND m.wr=0 AND "
            "EXISTS(SELECT 1 FROM pragma_table_info(m.name) WHERE name='checksum')",
            names);
        for (auto const& name : names) {
            std::vector<std::string> types;
            if (code == SQLITE_OK)
                code = into_.query_lines(
                    fmt::format("SELECT type||' '||pk FROM pragma_table_info('{}')", name).c_str(), types);
            table_plan t;
            t.name = name;
            std::string places;
            for (auto const& type : types) {
                t.real.push_back(type.starts_with("REAL"));
                places += fmt::format("{}?{}", places.empty() ? "" : ",", t.real.size());
            }
            t.first = !types.empty() && types.front() == "INTEGER 1" ? 1 : 0;
            if (code == SQLITE_OK)
                t.insert =
                    into_.prepare(fmt::format("INSERT OR IGNORE INTO {} VALUES({})", name, places), &code);
            tables_.push_back(std::move(t));
        }
        if (code != SQLITE_OK) return failed(kind::unwritable, made_, into_.message());
        return std::nullopt;
    }

    bool holds(table_plan const& as, stored_row const& row) {
        if (row.values.size() != as.real.size()) return false;
        sum_.begin(as.name);
        for (std::size_t i = as.first; i + 1 < row.values.size(); ++i) {
            auto const& v = row.values[i];
            if (auto const* const whole = std::get_if<std::int64_t>(&v))
                as.real[i] ? sum_.add(static_cast<double>(*whole)) : sum_.add(*whole);
            else if (auto const* const real = std::get_if<double>(&v))
                sum_.add(*real);
            else if (auto const* const text = std::get_if<std::string>(&v))
                sum_.add_text(*text);
            else if (auto const* const blob = std::get_if<blob_value>(&v))
                sum_.add_blob(bytes_of(blob->bytes));
            else
                sum_.add_null();
        }
        auto const* const checksum = std::get_if<std::int64_t>(&row.values.back());
        return checksum != nullptr && *checksum == sum_.finish();
    }

    table_plan* table_of(stored_row const& row, table_plan* likely) {
        if (row.values.empty()) return nullptr;
        if (likely != nullptr && holds(*likely, row)) return likely;
        for (auto& t : tables_)
            if (&t != likely && holds(t, row)) return &t;
        return nullptr;
    }

    void take(stored_row const& row, table_plan* likely, bool loose) {
        auto* const t = table_of(row, likely);
        if (t == nullptr) {
            if (likely == nullptr) return; // no row of ours
            likely->damaged.insert(row.row);
            if (likely->name == "torrents") remember_name(row);
            return;
        }
        if (t->name == "meta" && std::get_if<std::string>(&row.values[0]) != nullptr &&
            std::get<std::string>(row.values[0]) == "clean")
            return; // the next start is to look at everything
        if (loose && t->name == "torrents" && is_there(row)) return;
        for (std::size_t i = 0; i < row.values.size(); ++i) {
            auto const at = static_cast<int>(i + 1);
            auto const& v = row.values[i];
            if (i == 0 && t->first == 1)
                t->insert.bind(at, row.row);
            else if (auto const* const whole = std::get_if<std::int64_t>(&v))
                t->insert.bind(at, *whole);
            else if (auto const* const real = std::get_if<double>(&v))
                t->insert.bind(at, *real);
            else if (auto const* const text = std::get_if<std::string>(&v))
                t->insert.bind_text(at, *text);
            else if (auto const* const blob = std::get_if<blob_value>(&v))
                t->insert.bind_blob(at, bytes_of(blob->bytes));
            else
                t->insert.bind_null(at);
        }
        if (auto const code = t->insert.run(); code != SQLITE_OK && code_ == SQLITE_OK) code_ = code;
        if (into_.changes() == 0) return; // it is there already
        ++t->read;
        if (loose) ++t->loose;
    }

    // Of another row with one of its hashes: a version from before lies on a page that nothing leads to.
    bool is_there(stored_row const& row) {
        for (auto const* const column : {"v1", "v2"}) {
            auto const at = std::string_view{column} == "v1" ? 2U : 3U;
            auto const* const hash = std::get_if<blob_value>(&row.values[at]);
            if (hash == nullptr) continue;
            auto asked = into_.prepare(fmt::format("SELECT 1 FROM torrents WHERE {}=?1", column));
            asked.bind_blob(1, bytes_of(hash->bytes));
            if (asked.step() == SQLITE_ROW) return true;
        }
        return false;
    }

    void remember_name(stored_row const& row) {
        if (row.values.size() < 5) return;
        std::string said;
        if (auto const* const name = std::get_if<std::string>(&row.values[4]))
            said += " \"" + printable(*name) + '"';
        for (auto const at : {2U, 3U})
            if (auto const* const hash = std::get_if<blob_value>(&row.values[at]))
                said += ' ' + text::to_hex(bytes_of(hash->bytes.substr(0, 32)));
        names_[row.row] = said;
    }

    refusal read_rows() {
        page_file file{database_, read_wal(log_, page_size_), page_size_};
        auto const roots = file.tables();
        bool whole = true;
        for (auto& t : tables_) {
            std::size_t rows = 0;
            auto const root = roots.find(t.name);
            if (root == roots.end()) {
                whole = whole && (t.name == "lists" || t.name == "keys"); // version 1 and 2 had none
                continue;
            }
            auto const take_one = [&](stored_row const& row) {
                take(row, &t, false);
                if (++rows % 20'000 == 0) tell_(fmt::format("{}: {} records read", t.name, rows));
            };
            whole = file.walk(root->second, take_one) && whole;
        }
        if (!whole) {
            tell_("pages are damaged: looking for what they led to");
            file.scan_rest(
                [&](stored_row const& row) { take(row, nullptr, true); },
                [&](std::uint32_t done, std::uint32_t of) {
                    if (auto const tenth = done * std::uint64_t{10} / of;
                        std::exchange(tenth_, tenth) != tenth)
                        tell_(fmt::format("page {} of {}", done, of));
                });
        }
        pages_whole_ = whole;
        // Found intact elsewhere: the walk of another table had come to it by a damaged page.
        for (auto& t : tables_)
            std::erase_if(t.damaged, [&](std::int64_t row) {
                std::int64_t there = 0;
                auto const sql = fmt::format("SELECT count(*) FROM {} WHERE rowid={}", t.name, row);
                return into_.query_integer(sql.c_str(), there) == SQLITE_OK && there != 0;
            });
        if (code_ != SQLITE_OK) return failed(kind::unwritable, made_, into_.message());
        return std::nullopt;
    }

    /// Why an ordinary start refuses it; empty where it does not. Asked of a copy.
    expected<std::string, open_failure> opens_as_it_is() {
        auto const copy = folder_ / "copy.db";
        std::error_code failure;
        fs::copy_file(database_, copy, failure);
        if (!failure && fs::exists(log_)) fs::copy_file(log_, copy.string() + "-wal", failure);
        if (failure) {
            errno = failure.value();
            return unexpected<open_failure>{unwritable(copy)};
        }
        connection on;
        bool clean = false;
        auto const refused = open_database(on, copy, current_schema(), clean);
        if (refused && refused->why == kind::newer) return unexpected<open_failure>{*refused};
        if (!refused) return std::string{};
        auto const at = refused->message.find(": ");
        return at == std::string::npos ? refused->message : refused->message.substr(at + 2);
    }

    /// Rows that belong to a torrent whose own row is lost: a new torrent could get its number.
    refusal settle() {
        auto code = save_metainfo();
        for (auto const* const table : {"metainfo", "resume", "journal"})
            if (code == SQLITE_OK)
                code = into_.run(
                    fmt::format("DELETE FROM {} WHERE row NOT IN (SELECT row FROM torrents)", table).c_str());
        if (code == SQLITE_OK) code = into_.run("COMMIT");
        if (code != SQLITE_OK) return failed(kind::unwritable, made_, into_.message());
        write_report();
        tables_.clear(); // their statements
        if (into_.close() != SQLITE_OK || !sync_file(made_)) return unwritable(made_);
        return std::nullopt;
    }

    int save_metainfo() {
        int code = SQLITE_OK;
        auto asked = into_.prepare(
            "SELECT row,bytes FROM metainfo WHERE row NOT IN (SELECT row FROM torrents)", &code);
        if (!asked) return code;
        while ((code = asked.step()) == SQLITE_ROW) {
            auto const row = asked.integer(0);
            saved_.push_back(fmt::format("{}.torrent", row));
            auto const bytes = asked.blob(1);
            std::ofstream file{folder_ / saved_.back(), std::ios::binary};
            file.write(
                reinterpret_cast<char const*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
            if (!file.flush()) return SQLITE_FULL;
            orphans_.insert(row);
        }
        return code == SQLITE_DONE ? SQLITE_OK : code;
    }

    void write_report() {
        auto const say = [&](std::string line) { out_.report.push_back(std::move(line)); };
        auto const stamp = fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::time(nullptr)));
        auto const is_taken = [&] {
            return fs::exists(out_.kept) || fs::exists(out_.kept.string() + "-wal");
        };
        for (int n = 0; n == 0 || is_taken(); ++n)
            out_.kept = database_.string() + ".damaged-" + stamp + (n == 0 ? "" : fmt::format("-{}", n));
        say(fmt::format("The state {} was damaged{}", database_.string(), why_.empty() ? "." : ": " + why_));
        say(fmt::format("It is kept as {}", out_.kept.string()));
        for (auto const& t : tables_)
            if (t.read != 0 || !t.damaged.empty())
                say(fmt::format(
                    "{}: {} read{}{}", t.name, t.read,
                    t.loose == 0 ? "" : fmt::format(" ({} of them from pages that nothing led to)", t.loose),
                    t.damaged.empty() ? "" : fmt::format(", {} lost", t.damaged.size())));
        for (auto const& t : tables_)
            for (auto const row : t.damaged) {
                auto const named = t.name == "torrents" ? names_.find(row) : names_.end();
                say(fmt::format(
                    "lost: {}{}", name_of(row, t.name), named == names_.end() ? "" : named->second));
            }
        if (!pages_whole_)
            say("Pages were damaged: records that lay on them may be missing without a line here, and what was "
                "removed a short time before may be there again.");
        if (!orphans_.empty())
            say(fmt::format(
                "Of {} lost torrents the metainfo is whole: add them again from {}.torrents/",
                orphans_.size(), out_.kept.string()));
        say("Answers kept for Idempotency-Key are not taken over.");
    }

    refusal replace() {
        auto const& kept = out_.kept;
        std::string report;
        for (auto const& line : out_.report) report += line + '\n';
        std::ofstream{folder_ / "report"} << report;
        ::chmod((folder_ / "report").c_str(), 0600);
        if (!sync_file(folder_ / "report") ||
            ::rename((folder_ / "report").c_str(), (kept.string() + ".txt").c_str()) != 0)
            return unwritable(kept);
        if (!saved_.empty()) {
            auto const beside = fs::path{kept.string() + ".torrents"};
            if (::mkdir(beside.c_str(), 0700) != 0) return unwritable(beside);
            for (auto const& name : saved_) {
                ::chmod((folder_ / name).c_str(), 0600);
                if (::rename((folder_ / name).c_str(), (beside / name).c_str()) != 0)
                    return unwritable(beside);
            }
        }
        if (auto refused = swap_in(made_, database_, kept)) return refused;
        return std::nullopt;
    }

    fs::path database_, log_, folder_, made_;
    std::function<void(std::string const&)> const& tell_;
    recovery out_;
    std::string why_;
    std::uint32_t page_size_ = 4096;
    connection into_;
    std::vector<table_plan> tables_;
    row_checksum sum_;
    int code_ = SQLITE_OK;
    bool pages_whole_ = true;
    std::uint64_t tenth_ = 0;
    std::map<std::int64_t, std::string> names_;
    std::set<std::int64_t> orphans_;
    std::vector<std::string> saved_;
};

} // namespace

expected<recovery, open_failure> recover(
    fs::path const& database, std::function<void(std::string const&)> const& tell) {
    return rescue{database, tell}.run();
}

} // namespace ccbt::store
