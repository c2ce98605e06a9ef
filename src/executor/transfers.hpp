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

/// The limits that a torrent has, and those that hold.
[[nodiscard]] contract::set_rate_limits::response limits_of(
    model::torrent_asked const& asked, contract::limit_settings const& by);

} // namespace ccbt::executor
