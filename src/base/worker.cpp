#include "base/worker.hpp"

namespace ccbt {

worker::worker(loop& on, std::size_t bound)
    : loop_{on}, bound_{bound}, thread_{[this](std::stop_token const& stop) { serve(stop); }} {}

worker::~worker() {
    thread_.request_stop();
    thread_.join();
}

bool worker::run(job work, job done) {
    {
        auto const lock = std::lock_guard{mutex_};
        if (queue_.size() >= bound_) return false;
        queue_.push_back({std::move(work), std::move(done)});
    }
    some_.notify_one();
    return true;
}

void worker::serve(std::stop_token const& stop) {
    for (;;) {
        auto next = entry{};
        {
            auto lock = std::unique_lock{mutex_};
            if (!some_.wait(lock, stop, [this] { return !queue_.empty(); }) || stop.stop_requested()) return;
            next = std::move(queue_.front());
            queue_.pop_front();
        }
        next.work();
        loop_.post(std::move(next.done));
    }
}

} // namespace ccbt
