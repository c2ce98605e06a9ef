// The store's thread: what waits, in order, in transactions of many. Knows the tables only as changes to
// apply. ask() and the counters from any thread; the rest is its own.
#pragma once

#include "base/clock.hpp"
#include "store/sqlite_store.hpp"
#include "store/sqlite_tables.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <variant>

namespace ccbt::store {

/// Everything that can be asked of the thread. The answer is kept here until it is true on the disk.
struct write_request {
    std::variant<commit, std::vector<resume_record>> what;
    unique_function<void(outcome)> done;
    outcome answer = outcome::io_error;
};
struct blob_request {
    std::variant<model::info_hash, torrent_id, std::string>
        of; // a checkpoint's hash, a torrent, an operation
    bool of_resume;
    unique_function<void(std::shared_ptr<std::string const>)> done;
    std::shared_ptr<std::string const> answer;
};
struct many_request {
    std::vector<torrent_id> ids;
    unique_function<void(std::vector<journal::stored>)> done;
    std::vector<journal::stored> answer;
};
struct close_request {
    unique_function<void(outcome)> done;
    bool whole = true;
};
using store_request = std::variant<write_request, blob_request, many_request, close_request>;

class sqlite_store::writer {
public:
    explicit writer(options with) : with_{std::move(with)} {}
    ~writer(); // commits what waits, joins

    [[nodiscard]] std::optional<open_failure> open(snapshot& asked, journal_snapshot& done);
    void start(); // after open()
    void ask(store_request what);
    [[nodiscard]] journal_counters counters() const;

private:
    struct waiting {
        store_request what;
        std::size_t changes, bytes;
    };

    void run();
    bool take(std::vector<store_request>& group); // false: nothing will come any more
    void serve(std::vector<store_request>& group);
    void answer(std::vector<store_request>& group);

    enum class transaction { committed, full, failed };
    transaction settle(std::span<store_request> group);
    transaction together(std::span<store_request> group);
    bool attempt(write_request& write); // inside a transaction; false: the transaction is lost
    void read(store_request& what);
    int apply(write_request const& write);
    transaction lost(int code);
    void fail_writes(std::span<store_request> group, outcome with);
    void count_quarantined();
    void tidy();
    [[nodiscard]] std::int64_t now() const;
    outcome finish(bool whole);

    options with_;
    connection on_;
    std::optional<sqlite_tables> tables_{std::in_place, on_};
    statement begin_, commit_, savepoint_, release_, back_;
    bool caches_ = true;  // pages in memory, that nobody may need again
    bool failed_ = false; // a grave error: no change is taken until a restart
    steady::time_point pruned_{};

    std::mutex mutex_;
    std::condition_variable woken_;
    std::vector<waiting> waiting_; // [taken_, end) still to do
    std::size_t taken_ = 0, waiting_bytes_ = 0;
    bool closing_ = false, ending_ = false;

    std::atomic<std::int64_t> commits_{0}, changes_{0}, commit_nanoseconds_{0}, not_done_{0}, quarantined_{0};
    std::thread thread_;
};

} // namespace ccbt::store
