// A deed that reads, waits and writes takes its noun's turn first: what it read is then still true when it writes.
// Loop thread. First come, first served; a hold given up (its object destroyed) wakes the next through the loop.
#pragma once

#include "base/task.hpp"

#include <deque>
#include <memory>
#include <unordered_map>
#include <utility>

namespace ccbt::executor {

template <class Noun> class turns {
    // Shared with the holds: a task that is thrown away with the loop may outlive the house.
    struct queues {
        loop* on;
        std::unordered_map<Noun, std::deque<unique_function<void(bool)>>>
            waiting; // an entry: somebody holds it
    };

public:
    explicit turns(loop& on) : queues_{std::make_shared<queues>(queues{&on, {}})} {}
    ~turns() {
        queues_->on = nullptr;
        // Who still waits holds the queues in turn: let go here, or neither ever is.
        auto const waiting = std::exchange(queues_->waiting, {});
    }
    turns(turns const&) = delete;
    turns& operator=(turns const&) = delete;

    class hold {
    public:
        hold(hold&& other) noexcept : of_{std::move(other.of_)}, noun_{std::move(other.noun_)} {}
        hold& operator=(hold&&) = delete;
        ~hold() {
            if (of_ && of_->on != nullptr) release(*of_, noun_);
        }

    private:
        friend turns;
        hold(std::shared_ptr<queues> of, Noun noun) : of_{std::move(of)}, noun_{std::move(noun)} {}
        std::shared_ptr<queues> of_;
        Noun noun_;
    };

    task<hold> take(Noun noun) {
        auto const all = queues_;
        auto const [at, is_free] = all->waiting.try_emplace(noun);
        if (!is_free) {
            auto wait = [all, noun](auto done) { all->waiting[noun].push_back(std::move(done)); };
            co_await reply_of<bool>(std::move(wait));
        }
        co_return hold{all, std::move(noun)};
    }

private:
    static void release(queues& all, Noun noun) {
        auto const at = all.waiting.find(noun);
        if (at->second.empty()) {
            all.waiting.erase(at);
            return;
        }
        auto next = std::move(at->second.front());
        at->second.pop_front();
        all.on->post([next = std::move(next)]() mutable { next(true); });
    }

    std::shared_ptr<queues> queues_;
};

} // namespace ccbt::executor
