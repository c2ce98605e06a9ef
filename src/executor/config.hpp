// The deeds of the configuration. Loop thread. Where values come from and what holds together is the daemon's to know,
// behind `configuration`; here is the order: turn, plan, commit, in force, answer.
#pragma once

#include "contract/config.hpp"
#include "executor/context.hpp"

#include <any>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::executor {

class configuration {
public:
    virtual ~configuration() = default;
    struct plan {
        context::overrides puts; // (key, JSON) to be kept; no JSON: what was kept for it goes
        std::vector<std::string> restart_keys, ignored;
        std::any next; // the daemon's own
    };
    /// What a change would come to; the failure has every problem. Nothing is changed.
    [[nodiscard]] virtual result<plan> planned(std::string_view json) const = 0;
    /// Puts a plan, committed by now, into force. Hold the turn of settings since it was made.
    virtual task<> put_in_force(plan what) = 0;
    /// As it may be shown: nothing in a URL that is secret. Keys that are secret are masked on the way out.
    [[nodiscard]] virtual contract::settings shown() const = 0;
    [[nodiscard]] virtual result<std::vector<contract::explain_config::explained>> explained(
        std::optional<std::string> const& key) const = 0;
};

class config {
public:
    explicit config(context& house) : house_{house} {}

    task<result<contract::settings>> handle(contract::get_config::request request, caller const& who);
    task<result<contract::update_config::response>> handle(
        contract::update_config::request request, caller const& who);
    task<result<contract::explain_config::response>> handle(
        contract::explain_config::request request, caller const& who);

private:
    context& house_;
};

} // namespace ccbt::executor
