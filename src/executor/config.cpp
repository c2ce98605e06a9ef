#include "executor/config.hpp"

#include "base/safeguard.hpp"

#include <algorithm>
#include <string_view>

namespace ccbt::executor {

namespace {

// Who sets these could make himself a key, have files written where he likes, have the proxy's password sent to him, or
// lock others out at the door.
bool is_for_admins(std::string_view key) {
    return key.starts_with("daemon.") || key.starts_with("proxy.") || key == "disk.download_path" ||
           key == "disk.allowed_paths" || (key.starts_with("limits.") && !key.ends_with("_kib")) ||
           key == "security.ip_filter.filter_cache_dir";
}

failure nobody_knows() { return {errc::not_found, "this daemon has no configuration", {}}; }

} // namespace

task<result<contract::settings>> config::handle(contract::get_config::request, caller const&) {
    if (house_.config == nullptr) co_return unexpected<failure>{nobody_knows()};
    co_return house_.config->shown();
}

task<result<contract::update_config::response>> config::handle(
    contract::update_config::request request, caller const& who) {
    if (house_.config == nullptr) co_return unexpected<failure>{nobody_knows()};
    auto const operation = who.operation_id;
    auto const turn = co_await house_.settings_turns.take(0);
    auto plan = house_.config->planned(request.everything.text);
    if (!plan) co_return unexpected<failure>{std::move(plan.error())};
    for (auto const& [key, json] : plan->puts)
        if (is_for_admins(key) && !who.is_admin && in_force(safeguard::limits_for_admins))
            co_return fails(
                errc::forbidden_scope, "that key is an administrator's to set",
                {{"field", key}, {"needs", std::string{"admin"}}});
    contract::update_config::response answer;
    answer.restart_keys = plan->restart_keys;
    answer.restart_required = !plan->restart_keys.empty();
    answer.ignored = plan->ignored;
    if (!plan->puts.empty()) {
        store::commit change;
        change.operation_id = operation;
        for (auto const& [key, json] : plan->puts) change.changes.emplace_back(store::put_setting{key, json});
        auto const kept = co_await commit(house_, std::move(change));
        if (!kept) co_return unexpected<failure>{kept.error()};
        for (auto const& [key, json] : plan->puts) {
            std::erase_if(house_.laid_over, [&](auto const& old) { return old.first == key; });
            if (!json.empty()) house_.laid_over.emplace_back(key, json);
        }
        co_await house_.config->put_in_force(std::move(*plan));
    }
    answer.config = house_.config->shown();
    co_return std::move(answer);
}

task<result<contract::explain_config::response>> config::handle(
    contract::explain_config::request request, caller const&) {
    if (house_.config == nullptr) co_return unexpected<failure>{nobody_knows()};
    auto keys = house_.config->explained(request.key);
    if (!keys) co_return unexpected<failure>{std::move(keys.error())};
    co_return contract::explain_config::response{std::move(*keys)};
}

} // namespace ccbt::executor
