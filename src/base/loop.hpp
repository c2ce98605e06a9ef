// The one loop: the thread that runs server, executor and model, and the few workers for what may block or takes
// over a millisecond. Knows no Asio in its header, so that ports and fakes stay cheap to compile.
#pragma once

#include "base/unique_function.hpp"

#include <chrono>
#include <memory>

namespace boost::asio {
class io_context;
} // namespace boost::asio

namespace ccbt {

class loop {
public:
    /// `workers`: threads for work off the loop.
    explicit loop(unsigned workers = 2);
    ~loop(); // joins the workers; what was queued for them is still done
    loop(loop const&) = delete;
    loop& operator=(loop const&) = delete;

    void post(job what); // any thread; `what` runs on the loop

    /// Runs `work` on a worker, then `done` on the loop. `work` must not throw.
    void off(job work, job done);

    /// A timer that calls `what` on the loop every `period`, first after one period, until it is destroyed.
    class ticker {
    public:
        virtual ~ticker() = default;
    };
    [[nodiscard]] std::unique_ptr<ticker> every(std::chrono::milliseconds period, job what);
    /// Calls `what` once after `delay`, unless it is destroyed before.
    [[nodiscard]] std::unique_ptr<ticker> after(std::chrono::milliseconds delay, job what);

    void run();  // this thread becomes the loop's until stop()
    void stop(); // any thread

    [[nodiscard]] bool on_loop() const; // is the caller the thread in run()?
    [[nodiscard]] boost::asio::io_context& context();

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

} // namespace ccbt
