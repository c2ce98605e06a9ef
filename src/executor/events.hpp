// The deed of the event log: what was, and waiting for what comes. Loop thread.
#pragma once

#include "contract/event_log.hpp"
#include "executor/context.hpp"

#include <list>

namespace ccbt::executor {

class events {
public:
    explicit events(context& house) : house_{house} {}
    events(events const&) = delete;
    events& operator=(events const&) = delete;

    task<result<contract::get_event_log::response>> handle(
        contract::get_event_log::request request, caller const& who);

private:
    struct waiter {
        unique_function<void(bool)> done;
        std::unique_ptr<loop::ticker> patience;
    };
    task<> next_event(std::chrono::milliseconds within);
    void wake_all();

    context& house_;
    std::list<waiter> waiting_;
    bool is_woken_ = false; // the log will, with its next event
    std::shared_ptr<events*> here_ = std::make_shared<events*>(this);
};

} // namespace ccbt::executor
