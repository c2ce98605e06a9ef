// The deeds of the blacklist and the whitelist. Loop thread. An answer comes when its change is on stable storage and in
// force.
#pragma once

#include "contract/security.hpp"
#include "executor/context.hpp"

#include <optional>
#include <string>

namespace ccbt::executor {

class security {
public:
    explicit security(context& house) : house_{house} {}

    task<result<contract::listed_addresses>> handle(
        contract::get_blacklist::request request, caller const& who);
    task<result<contract::listed_addresses>> handle(
        contract::get_whitelist::request request, caller const& who);
    task<result<contract::add_to_blacklist::response>> handle(
        contract::add_to_blacklist::request request, caller const& who);
    task<result<contract::add_to_whitelist::response>> handle(
        contract::add_to_whitelist::request request, caller const& who);
    task<result<contract::remove_from_blacklist::response>> handle(
        contract::remove_from_blacklist::request request, caller const& who);
    task<result<contract::remove_from_whitelist::response>> handle(
        contract::remove_from_whitelist::request request, caller const& who);

private:
    task<result<contract::add_to_blacklist::response>> add(
        model::address_list to, std::string ip, std::optional<std::string> reason, std::string operation_id);
    task<result<contract::remove_from_blacklist::response>> remove(
        model::address_list from, std::string ip, std::string operation_id);
    task<result<void>> change(model::list_changed what, std::string operation_id);

    context& house_;
    turns<model::address_list> turns_{house_.on};
};

} // namespace ccbt::executor
