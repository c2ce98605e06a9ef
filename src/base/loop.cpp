#include "base/loop.hpp"

#include "base/net.hpp"

#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

namespace ccbt {

struct loop::parts {
    explicit parts(unsigned n) : count{n} {}
    // The workers start with the first that is to be done off the loop: until then there is one thread.
    asio::thread_pool& pool() {
        std::call_once(started, [this] { workers.emplace(count); });
        return *workers;
    }
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};
    unsigned count;
    std::once_flag started;
    std::optional<asio::thread_pool> workers;
    std::atomic<std::thread::id> running{};
};

loop::loop(unsigned workers) : parts_{std::make_unique<parts>(workers == 0 ? 1 : workers)} {}
loop::~loop() {
    if (parts_->workers) parts_->workers->join();
}

void loop::post(job what) {
    asio::post(parts_->context, [what = std::move(what)]() mutable { what(); });
}

void loop::off(job work, job done) {
    asio::post(parts_->pool(), [this, work = std::move(work), done = std::move(done)]() mutable {
        work();
        post(std::move(done));
    });
}

namespace {

struct timed final : loop::ticker, std::enable_shared_from_this<timed> {
    timed(asio::io_context& context, std::chrono::milliseconds every, bool again, job call)
        : timer{context}, period{every}, repeats{again}, what{std::move(call)} {}

    void arm() {
        timer.expires_after(period);
        timer.async_wait([weak = weak_from_this()](error_code const& failed) {
            auto const self = weak.lock();
            if (failed || !self || self->ended) return;
            self->what();
            if (self->repeats && !self->ended) self->arm();
        });
    }

    asio::steady_timer timer;
    std::chrono::milliseconds period;
    bool repeats;
    bool ended = false;
    job what;
};

// What the holder has: destroying it ends the timer, even from within its own call.
struct timed_handle final : loop::ticker {
    explicit timed_handle(std::shared_ptr<timed> t) : held{std::move(t)} { held->arm(); }
    ~timed_handle() override {
        held->ended = true;
        held->timer.cancel();
    }
    std::shared_ptr<timed> held;
};

} // namespace

std::unique_ptr<loop::ticker> loop::every(std::chrono::milliseconds period, job what) {
    return std::make_unique<timed_handle>(
        std::make_shared<timed>(parts_->context, period, true, std::move(what)));
}

std::unique_ptr<loop::ticker> loop::after(std::chrono::milliseconds delay, job what) {
    return std::make_unique<timed_handle>(
        std::make_shared<timed>(parts_->context, delay, false, std::move(what)));
}

void loop::run() {
    parts_->running = std::this_thread::get_id();
    parts_->context.run();
    parts_->running = std::thread::id{};
}

void loop::stop() { parts_->context.stop(); }
bool loop::on_loop() const { return parts_->running.load() == std::this_thread::get_id(); }
boost::asio::io_context& loop::context() { return parts_->context; }

} // namespace ccbt
