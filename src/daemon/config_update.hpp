// What a PUT /config would come to: the whole that it makes, held together as at a start, before anything is done; and
// what may be shown of a configuration. Pure but for looking nowhere: any thread.
#pragma once

#include "contract/config.hpp"
#include "daemon/config.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ccbt::daemon {

struct config_update {
    std::vector<std::pair<std::string, std::string>> puts; // (key, JSON); no JSON: no longer laid over
    loaded_config next;
    config_changes changes;
    std::vector<std::string> ignored; // members that are no key
};
/// `json`: an object, nested as the sections are. Null takes back what is laid over; "***" leaves a secret alone; what
/// has that value already is left alone too. Every problem is told, none shows a secret.
[[nodiscard]] expected<config_update, std::vector<contract::problem>> plan_update(
    loaded_config const& now, std::string_view json);

/// User, password and query of a URL as "***".
[[nodiscard]] std::string masked_url(std::string_view url);
/// With the URLs of filters masked; keys that are secret are masked by the codec.
[[nodiscard]] contract::settings shown_settings(contract::settings of);

/// Every key, in the order of the sections. `running`: what is in force, where that differs.
[[nodiscard]] std::vector<contract::explain_config::explained> explain_keys(
    loaded_config const& now, contract::settings const& running);

} // namespace ccbt::daemon
