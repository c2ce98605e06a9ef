// Coroutines on the loop. A task<T> runs on the loop's thread alone.
//
// An await takes names: g++ 12.2 miscompiles a full expression that holds `co_await` together with a braced
// aggregate, a lambda or `?:` (docs/hazards/await-takes-names.md); tools/check_awaits keeps the rule.
#pragma once

#include "base/loop.hpp"
#include "base/net.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>

namespace ccbt {

using loop_executor = asio::io_context::executor_type;
template <class T = void> using task = asio::awaitable<T, loop_executor>;
inline constexpr asio::use_awaitable_t<loop_executor> use_task{};

/// Starts `what` on the loop and lets it go. An exception that escapes it ends the process: tasks catch their own.
inline void spawn(loop& on, task<> what) {
    asio::co_spawn(on.context(), std::move(what), [](std::exception_ptr failed) {
        if (failed) std::rethrow_exception(failed);
    });
}

/// Awaits a deed that answers by calling back: `start` gets a callable of one T, to be called once, on the loop.
template <class T, class Start> task<T> reply_of(Start start) {
    using shared_start = std::shared_ptr<Start>; // Asio 1.74 copies what it initiates
    auto const held = shared_start{new Start{std::move(start)}};
    auto initiate = [held](auto handler) {
        auto const once = std::make_shared<decltype(handler)>(std::move(handler));
        (*held)([once](T value) { (*once)(std::move(value)); });
    };
    co_return co_await asio::async_initiate<asio::use_awaitable_t<loop_executor> const, void(T)>(
        initiate, use_task);
}

/// Lets what else waits on the loop go first.
inline task<> let_others_go_first() {
    auto const here = co_await asio::this_coro::executor;
    co_await asio::post(here, use_task);
}

/// Runs `work` on a worker and awaits its value; an exception of it comes out of the await.
template <class Work> auto off_loop(loop& on, Work work) -> task<std::invoke_result_t<Work&>> {
    using value = std::invoke_result_t<Work&>;
    struct outcome {
        std::optional<value> made;
        std::exception_ptr failed;
    };
    auto const box = std::make_shared<outcome>();
    auto const shared_work = std::make_shared<Work>(std::move(work));
    auto start = [&on, box, shared_work](auto done) {
        on.off(
            [box, shared_work] {
                try {
                    box->made.emplace((*shared_work)());
                } catch (...) {
                    box->failed = std::current_exception();
                }
            },
            [done = std::move(done)]() mutable { done(true); });
    };
    co_await reply_of<bool>(std::move(start));
    if (box->failed) std::rethrow_exception(box->failed);
    co_return std::move(*box->made);
}

} // namespace ccbt
