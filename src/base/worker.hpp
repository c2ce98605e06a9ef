// One thread of a room's own for work that may block long (fsync, hashing, questions to libtorrent or to a gateway), so
// that a slow disk or network never takes the loop's few workers from the rest of the house. Jobs run in order; the queue has a bound.
#pragma once

#include "base/loop.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>

namespace ccbt {

class worker {
public:
    worker(loop& on, std::size_t bound);
    ~worker(); // what still waits is dropped; waits for the job that runs
    worker(worker const&) = delete;
    worker& operator=(worker const&) = delete;

    /// Runs `work` on the thread, then `done` on the loop. False where the queue is full: neither will run.
    [[nodiscard]] bool run(job work, job done);

private:
    struct entry {
        job work, done;
    };
    void serve(std::stop_token const& stop);

    loop& loop_;
    std::size_t bound_;
    std::mutex mutex_;
    std::condition_variable_any some_;
    std::deque<entry> queue_;
    std::jthread thread_;
};

} // namespace ccbt
