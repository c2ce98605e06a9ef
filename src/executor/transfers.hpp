// The deeds about what moves: a torrent's rate limits, and telling its trackers. Loop thread.
#pragma once

#include "contract/transfers.hpp"
#include "executor/context.hpp"

namespace ccbt::executor {

class transfers {
public:
    explicit transfers(context& house) : house_{house} {}

    task<result<contract::set_rate_limits::response>> handle(
        contract::set_rate_limits::request request, caller const& who);
    task<result<contract::force_announce::response>> handle(
        contract::force_announce::request request, caller const& who);

private:
    context& house_;
};

} // namespace ccbt::executor
