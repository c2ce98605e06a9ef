#include "store/sqlite_writer.hpp"

#include "base/log.hpp"
#include "base/safeguard.hpp"
#include "store/sqlite_schema.hpp"

#include <algorithm>
#include <iterator>
#include <sys/stat.h>

namespace ccbt::store {

namespace {

constexpr int checkpoint_pages = 4096; // of the log: 16 MiB, then it goes into the file
constexpr std::int64_t operation_seconds = 24 * 3600;
constexpr std::chrono::seconds quiet_for{2};
constexpr std::size_t answers_a_turn = 32; // of the loop: each may resume a request

// After these nothing that SQLite says of the file can be built upon.
bool is_grave(int code) {
    switch (primary(code)) {
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM: return true;
    default: return false;
    }
}

outcome outcome_of(int code) {
    switch (primary(code)) {
    case SQLITE_OK: return outcome::committed;
    case SQLITE_CONSTRAINT: return outcome::conflict;
    case SQLITE_FULL: return outcome::full;
    default: return outcome::io_error;
    }
}

struct weight_of_change {
    std::size_t operator()(put_metainfo const& c) const { return c.bytes ? c.bytes->size() : 0; }
    std::size_t operator()(put_torrent const& c) const {
        return 256 + c.asked->name.size() + c.asked->magnet.size() + c.asked->file_priorities.size();
    }
    std::size_t operator()(intend_deletion const& c) const {
        std::size_t sum = 64;
        for (auto const& f : c.files) sum += f.size();
        return sum;
    }
    std::size_t operator()(put_setting const& c) const { return c.json.size(); }
    std::size_t operator()(keep_checkpoint const& c) const { return c.resume ? c.resume->size() : 0; }
    std::size_t operator()(put_list_entry const& c) const { return 128 + c.entry.reason.size(); }
    std::size_t operator()(auto const&) const { return 64; }
};

std::pair<std::size_t, std::size_t> weigh(store_request const& what) {
    auto const* const write = std::get_if<write_request>(&what);
    if (!write) return {1, 64};
    std::size_t bytes = 64;
    if (auto const* const asked = std::get_if<commit>(&write->what)) {
        bytes += asked->answer.size();
        for (auto const& c : asked->changes) bytes += std::visit(weight_of_change{}, c);
        return {asked->changes.size() + 1, bytes};
    }
    auto const& records = std::get<std::vector<resume_record>>(write->what);
    for (auto const& r : records) bytes += 64 + (r.resume ? r.resume->size() : 0);
    return {records.size(), bytes};
}

} // namespace

std::optional<open_failure> sqlite_store::writer::open(snapshot& asked, journal_snapshot& done) {
    namespace fs = std::filesystem;
    using kind = open_failure::kind;
    std::error_code error;
    if (!fs::exists(with_.directory, error)) {
        fs::create_directories(with_.directory.parent_path(), error);
        if (::mkdir(with_.directory.c_str(), 0700) != 0)
            return open_failure{kind::unwritable, with_.directory.string() + ": the folder cannot be made"};
    }
    auto const file = with_.directory / with_.file;
    bool clean = true;
    auto const made = fs::symlink_status(file, error).type() == fs::file_type::not_found;
    if (made)
        if (auto refused = create_database(file, current_schema())) return refused;
    if (auto refused = open_database(on_, file, current_schema(), clean)) return refused;

    auto const failed = [&](int code) {
        auto const unwritable = primary(code) == SQLITE_FULL || primary(code) == SQLITE_READONLY;
        return open_failure{
            unwritable ? kind::unwritable : kind::damaged, file.string() + ": " + on_.message()};
    };
    auto code = tables_->prepare();
    if (code == SQLITE_OK) code = tables_->load(asked, done);
    if (code != SQLITE_OK) return failed(code);
    asked.clean = clean || made;

    for (auto const& [into, sql] :
         {std::pair{&begin_, "BEGIN IMMEDIATE"}, std::pair{&commit_, "COMMIT"},
          std::pair{&savepoint_, "SAVEPOINT one"}, std::pair{&release_, "RELEASE one"},
          std::pair{&back_, "ROLLBACK TO one"}})
        *into = on_.prepare(sql);
    code = begin_.run();
    if (code == SQLITE_OK) code = tables_->begin_run(now(), asked, done);
    if (code == SQLITE_OK) code = tables_->forget_operations(now() - operation_seconds);
    if (code == SQLITE_OK) code = commit_.run();
    if (code != SQLITE_OK) return failed(code);
    if (!sync_directory(with_.directory))
        return open_failure{kind::unwritable, with_.directory.string() + ": the folder cannot be synced"};
    count_quarantined();
    pruned_ = steady::now();
    return std::nullopt;
}

void sqlite_store::writer::count_quarantined() {
    quarantined_.store(static_cast<std::int64_t>(tables_->quarantined()), std::memory_order_relaxed);
}

std::int64_t sqlite_store::writer::now() const {
    return with_.now != 0 ? with_.now : static_cast<std::int64_t>(unix_now());
}

void sqlite_store::writer::start() {
    thread_ = std::thread{[this] { run(); }};
}

sqlite_store::writer::~writer() {
    {
        std::lock_guard const held{mutex_};
        ending_ = closing_ = true;
    }
    woken_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void sqlite_store::writer::ask(store_request what) {
    auto const [changes, bytes] = weigh(what);
    {
        std::lock_guard const held{mutex_};
        auto const is_write = std::holds_alternative<write_request>(what);
        auto const is_full =
            waiting_.size() - taken_ >= with_.waiting_requests || waiting_bytes_ >= with_.waiting_bytes;
        if (!closing_ && !(is_write && is_full)) {
            closing_ = std::holds_alternative<close_request>(what);
            waiting_.push_back({std::move(what), changes, bytes});
            waiting_bytes_ += bytes;
            woken_.notify_one();
            return;
        }
    }
    if (auto* const write = std::get_if<write_request>(&what)) write->answer = outcome::unavailable;
    std::vector<store_request> refused;
    refused.push_back(std::move(what));
    answer(refused);
}

bool sqlite_store::writer::take(std::vector<store_request>& group) {
    std::unique_lock held{mutex_};
    auto const is_something = [this] { return taken_ < waiting_.size() || ending_; };
    if (caches_ && !woken_.wait_for(held, quiet_for, is_something)) {
        held.unlock();
        on_.give_memory_back(); // megabytes of pages, after a burst
        caches_ = false;
        held.lock();
    }
    woken_.wait(held, is_something);
    caches_ = true;
    std::size_t changes = 0, bytes = 0;
    for (; taken_ < waiting_.size(); ++taken_) {
        auto& next = waiting_[taken_];
        auto const fits =
            changes + next.changes <= with_.group_changes && bytes + next.bytes <= with_.group_bytes;
        if (!group.empty() && (!fits || std::holds_alternative<close_request>(next.what))) break;
        changes += next.changes;
        bytes += next.bytes;
        waiting_bytes_ -= next.bytes;
        group.push_back(std::move(next.what));
        if (std::holds_alternative<close_request>(group.back())) {
            ++taken_;
            break;
        }
    }
    if (taken_ == waiting_.size()) {
        waiting_.clear();
        taken_ = 0;
    } else if (taken_ > waiting_.size() / 2) {
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(taken_));
        taken_ = 0;
    }
    return !group.empty();
}

void sqlite_store::writer::run() {
    std::vector<store_request> group;
    while (take(group)) {
        if (auto* const closing = std::get_if<close_request>(&group.front())) {
            with_.on.post(
                [done = std::move(closing->done), how = finish(closing->whole)]() mutable { done(how); });
            group.clear();
            continue; // until the destructor: what is asked meanwhile is refused at the door
        }
        serve(group);
        count_quarantined();
        answer(group);
        group.clear();
        tidy();
    }
}

void sqlite_store::writer::serve(std::vector<store_request>& group) {
    if (settle(group) != transaction::full || group.size() == 1) return;
    for (auto& one : group) settle({&one, 1}); // one after another, so that what fits goes in
}

sqlite_store::writer::transaction sqlite_store::writer::settle(std::span<store_request> group) {
    auto const began = steady::now();
    auto const how = together(group);
    auto const spent = std::chrono::duration_cast<std::chrono::nanoseconds>(steady::now() - began).count();
    commit_nanoseconds_.fetch_add(spent, std::memory_order_relaxed);
    if (how == transaction::failed || (how == transaction::full && group.size() == 1)) {
        fail_writes(group, how == transaction::full ? outcome::full : outcome::io_error);
        for (auto& one : group) read(one); // what was read inside was not true
    }
    return how;
}

sqlite_store::writer::transaction sqlite_store::writer::together(std::span<store_request> group) {
    auto const writes = std::any_of(
        group.begin(), group.end(), [](auto const& r) { return std::holds_alternative<write_request>(r); });
    if (!writes || failed_) {
        fail_writes(group, outcome::io_error);
        for (auto& one : group) read(one);
        return transaction::committed;
    }
    if (auto const code = begin_.run(); code != SQLITE_OK) return lost(code);
    for (auto& one : group) {
        auto* const write = std::get_if<write_request>(&one);
        if (!write)
            read(one);
        else if (!attempt(*write))
            return lost(SQLITE_OK);
    }
    if (auto const code = commit_.run(); code != SQLITE_OK) return lost(code);
    commits_.fetch_add(1, std::memory_order_relaxed);
    for (auto const& one : group)
        if (auto const* const write = std::get_if<write_request>(&one);
            write && write->answer != outcome::conflict)
            (write->answer == outcome::committed ? changes_ : not_done_)
                .fetch_add(1, std::memory_order_relaxed);
    return transaction::committed;
}

bool sqlite_store::writer::attempt(write_request& write) {
    auto code = savepoint_.run();
    if (code == SQLITE_OK) code = apply(write);
    write.answer = outcome_of(code);
    if (is_grave(code)) failed_ = true;
    if (failed_ || !on_.in_transaction()) { // SQLite may give a whole transaction up, for want of space too
        log::error("store: a change failed: {}", on_.message());
        return false;
    }
    if (code != SQLITE_OK) {
        if (write.answer != outcome::conflict) log::warning("store: a change failed: {}", on_.message());
        code = back_.run();
        if (code != SQLITE_OK) return failed_ = true, false;
    }
    code = release_.run();
    if (code != SQLITE_OK) return failed_ = true, false;
    return true;
}

int sqlite_store::writer::apply(write_request const& write) {
    int code = SQLITE_OK;
    if (auto const* const records = std::get_if<std::vector<resume_record>>(&write.what)) {
        for (auto const& r : *records)
            if (code == SQLITE_OK) code = tables_->keep(r);
        return code;
    }
    auto const& asked = std::get<commit>(write.what);
    if (!asked.operation_id.empty()) code = tables_->keep_answer(asked.operation_id, asked.answer, now());
    for (auto const& c : asked.changes)
        if (code == SQLITE_OK) code = tables_->apply(c);
    return code;
}

sqlite_store::writer::transaction sqlite_store::writer::lost(int code) {
    auto const said = on_.message();
    if (is_grave(code)) failed_ = true;
    if (on_.in_transaction()) static_cast<void>(on_.run("ROLLBACK"));
    if (!failed_ && (code == SQLITE_OK || primary(code) == SQLITE_FULL)) return transaction::full;
    failed_ = in_force(safeguard::read_only_after_failure);
    log::error("store: it takes no changes until a restart: {}", said);
    return transaction::failed;
}

void sqlite_store::writer::fail_writes(std::span<store_request> group, outcome with) {
    for (auto& one : group)
        if (auto* const write = std::get_if<write_request>(&one)) {
            write->answer = with;
            not_done_.fetch_add(1, std::memory_order_relaxed);
        }
}

void sqlite_store::writer::read(store_request& what) {
    if (auto* const blob = std::get_if<blob_request>(&what)) {
        if (auto const* const hash = std::get_if<model::info_hash>(&blob->of))
            blob->answer = tables_->checkpoint(*hash);
        else if (auto const* const operation = std::get_if<std::string>(&blob->of))
            blob->answer = tables_->answer(*operation, now() - operation_seconds);
        else
            blob->answer = blob->of_resume ? tables_->resume(std::get<torrent_id>(blob->of))
                                           : tables_->metainfo(std::get<torrent_id>(blob->of));
    }
    auto* const many = std::get_if<many_request>(&what);
    if (!many) return;
    many->answer.clear();
    many->answer.reserve(many->ids.size());
    for (auto const id : many->ids) many->answer.push_back({id, tables_->metainfo(id), tables_->resume(id)});
}

void sqlite_store::writer::answer(std::vector<store_request>& group) {
    for (std::size_t from = 0; from < group.size(); from += answers_a_turn) {
        auto const until = std::min(group.size(), from + answers_a_turn);
        std::vector<store_request> some{
            std::move_iterator{group.begin() + static_cast<std::ptrdiff_t>(from)},
            std::move_iterator{group.begin() + static_cast<std::ptrdiff_t>(until)}};
        with_.on.post([some = std::move(some)]() mutable {
            struct tell {
                void operator()(write_request& r) const { r.done(r.answer); }
                void operator()(blob_request& r) const { r.done(std::move(r.answer)); }
                void operator()(many_request& r) const { r.done(std::move(r.answer)); }
                void operator()(close_request& r) const { r.done(outcome::unavailable); }
            };
            for (auto& one : some) std::visit(tell{}, one);
        });
    }
}

void sqlite_store::writer::tidy() {
    if (failed_) return;
    // SQLite's own checkpoints hide a failed fsync, and a second one may succeed over pages that are lost.
    if (on_.wal_pages() >= checkpoint_pages) {
        auto const code = on_.checkpoint(SQLITE_CHECKPOINT_PASSIVE);
        if (is_grave(code)) static_cast<void>(lost(code));
    }
    if (steady::now() - pruned_ < std::chrono::minutes{10}) return;
    pruned_ = steady::now();
    auto const code = tables_->forget_operations(now() - operation_seconds);
    if (code != SQLITE_OK) static_cast<void>(lost(code));
}

outcome sqlite_store::writer::finish(bool whole) {
    // Emptied before it is marked: a log that cannot be emptied is no clean end.
    auto code = failed_ ? SQLITE_IOERR : on_.checkpoint(SQLITE_CHECKPOINT_FULL);
    if (code == SQLITE_OK) code = begin_.run();
    if (code == SQLITE_OK && whole) code = tables_->end_run();
    if (code == SQLITE_OK) code = commit_.run();
    if (code == SQLITE_OK) code = on_.checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
    if (code != SQLITE_OK) {
        log::error("store: it is left as after a kill: {}", failed_ ? "a failure before" : on_.message());
        failed_ = true;
    }
    on_.checkpoint_at_close(code == SQLITE_OK);
    tables_.reset();
    for (auto* const s : {&begin_, &commit_, &savepoint_, &release_, &back_}) *s = statement{};
    auto const closed = on_.close();
    return code == SQLITE_OK && closed == SQLITE_OK ? outcome::committed : outcome::io_error;
}

journal_counters sqlite_store::writer::counters() const {
    return {
        .commits = commits_.load(std::memory_order_relaxed),
        .changes = changes_.load(std::memory_order_relaxed),
        .commit_seconds = static_cast<double>(commit_nanoseconds_.load(std::memory_order_relaxed)) / 1e9,
        .failed = not_done_.load(std::memory_order_relaxed),
        .quarantined = quarantined_.load(std::memory_order_relaxed)};
}

} // namespace ccbt::store
