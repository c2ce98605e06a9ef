// The deeds of the daemon itself: status, sums, metrics, health, its document, its end. Loop thread.
#pragma once

#include "contract/session.hpp"
#include "executor/context.hpp"

namespace ccbt::executor {

class session {
public:
    explicit session(context& house) : house_{house} {}

    task<result<contract::get_status::response>> handle(
        contract::get_status::request request, caller const& who);
    task<result<contract::get_global_stats::response>> handle(
        contract::get_global_stats::request request, caller const& who);
    task<result<contract::shut_down::response>> handle(
        contract::shut_down::request request, caller const& who);
    task<result<contract::document>> handle(contract::get_metrics::request request, caller const& who);
    task<result<contract::get_health::response>> handle(
        contract::get_health::request request, caller const& who);
    task<result<contract::document>> handle(contract::get_openapi::request request, caller const& who);

private:
    context& house_;
};

/// The sums over all torrents, as GET /session/stats answers them.
[[nodiscard]] contract::get_global_stats::response global_stats(model::state const& state);

/// The page of GET /metrics. In metrics_page.cpp.
[[nodiscard]] std::string metrics_page(context const& house);

} // namespace ccbt::executor
