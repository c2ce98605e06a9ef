// Both ports in one SQLite file: one connection on one thread of its own, write-ahead log, synchronous=FULL.
// Changes that wait together go into one transaction and cost one fsync; `done` is posted to the loop after
// it. What waits is bounded: past it a change is answered `unavailable`. open(), close() and the ports: the
// loop's thread (open() before it runs, too). counters(): any thread.
#pragma once

#include "base/loop.hpp"
#include "base/result.hpp"
#include "store/journal.hpp"
#include "store/open_failure.hpp"
#include "store/truth.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace ccbt::store {

class sqlite_store final : public truth, public journal {
public:
    struct options {
        loop& on;
        std::filesystem::path directory; // made where it is missing
        std::string file = "ccbt.db";
        std::int64_t now = 0;                               // Unix seconds; 0: the clock's
        std::size_t group_changes = 4096;                   // of one transaction, at most
        std::size_t group_bytes = std::size_t{16} << 20;    // the same
        std::size_t waiting_requests = 262'144;             // past these a change is refused
        std::size_t waiting_bytes = std::size_t{256} << 20; // the same
        std::function<void(snapshot const&)>
            before_thread{}; // what is there is read, and no thread of its own runs yet
    };
    using opened = expected<std::unique_ptr<sqlite_store>, open_failure>;
    [[nodiscard]] static opened open(options with); // blocks: reads everything but metainfo and resume data

    /// Commits what waits and leaves the file marked as not closed; close() first for a clean stop.
    ~sqlite_store() override;

    // What was there at the open. The taken ones leave nothing behind.
    [[nodiscard]] snapshot const& loaded() const { return asked_; }
    [[nodiscard]] journal_snapshot const& journal_loaded() const { return done_; }
    [[nodiscard]] snapshot take_snapshot() { return std::exchange(asked_, {}); }
    [[nodiscard]] journal_snapshot take_journal_snapshot() { return std::exchange(done_, {}); }

    /// Commits what waits, empties the log into the file, marks it clean and lets go of it. From now on every
    /// change is answered `unavailable`. `done` hears `committed` where all of that was done, else
    /// `io_error`.
    /// Not `whole`: it stays marked as not closed, since what the engine did is not all in it.
    void close(unique_function<void(outcome)> done, bool whole = true);

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
    class writer;
    explicit sqlite_store(std::unique_ptr<writer> made);
    std::unique_ptr<writer> writer_;
    snapshot asked_;
    journal_snapshot done_;
};

} // namespace ccbt::store
