#include "executor/security.hpp"

#include <fmt/core.h>

namespace ccbt::executor {

using model::address_list;

namespace {

failure malformed(std::string why) {
    return failure{errc::security_malformed, "ip: " + std::move(why)}.with("field", std::string{"ip"});
}

contract::listed_addresses shown(model::state::listed const& list) {
    contract::listed_addresses out;
    out.count = static_cast<std::int64_t>(list.size());
    out.ips.reserve(list.size());
    out.entries.reserve(list.size());
    for (auto const& [range, entry] : list) {
        auto& made = out.entries.emplace_back();
        made.ip = range.text();
        if (!entry.reason.empty()) made.reason = entry.reason;
        made.added_at = entry.added_at;
        out.ips.push_back(made.ip);
    }
    return out;
}

} // namespace

task<result<void>> security::change(model::list_changed what, std::string operation_id) {
    store::commit kept;
    kept.operation_id = std::move(operation_id);
    if (what.listed)
        kept.changes.emplace_back(store::put_list_entry{what.list, what.entry});
    else
        kept.changes.emplace_back(store::remove_list_entry{what.list, what.entry.range});
    auto done = co_await commit(house_, std::move(kept));
    if (done) {
        house_.apply(std::move(what));
        house_.rules.lists_changed();
    }
    co_return done;
}

task<result<contract::add_to_blacklist::response>> security::add(
    address_list to, std::string ip, std::optional<std::string> reason, std::string operation_id) {
    contract::add_to_blacklist::response const out;
    house_.once.foresee(operation_id, out);
    auto const range = ip_range::parse(ip);
    if (!range) co_return unexpected<failure>{malformed(range.error())};
    {
        auto const turn = co_await turns_.take(to);
        auto const& list = house_.state.list(to);
        auto const at = list.find(*range);
        bool const is_new = at == list.end();
        if (is_new && list.size() >= contract::max_list_entries)
            co_return fails(
                errc::security_malformed,
                fmt::format("the list is full: it holds {} entries", contract::max_list_entries),
                {{"reason", std::string{"list_full"}}});
        model::list_entry entry{*range, {}, unix_now()};
        if (!is_new) entry = at->second;
        if (reason && !reason->empty()) entry.reason = std::move(*reason);
        if (is_new || entry != at->second) {
            model::list_changed what{to, std::move(entry), true};
            auto const kept = co_await change(std::move(what), std::move(operation_id));
            if (!kept) co_return unexpected<failure>{kept.error()};
        }
    }
    co_await house_.rules.in_force();
    co_return out;
}

task<result<contract::remove_from_blacklist::response>> security::remove(
    address_list from, std::string ip, std::string operation_id) {
    contract::remove_from_blacklist::response const out;
    house_.once.foresee(operation_id, out);
    auto const range = ip_range::parse(ip);
    if (!range) co_return unexpected<failure>{malformed(range.error())};
    {
        auto const turn = co_await turns_.take(from);
        auto const& list = house_.state.list(from);
        auto const at = list.find(*range);
        if (at == list.end())
            co_return fails(
                errc::security_not_found, fmt::format("{} is not on that list", range->text()),
                {{"field", std::string{"ip"}}});
        model::list_changed what{from, at->second, false};
        auto const kept = co_await change(std::move(what), std::move(operation_id));
        if (!kept) co_return unexpected<failure>{kept.error()};
    }
    co_await house_.rules.in_force();
    co_return out;
}

task<result<contract::listed_addresses>> security::handle(contract::get_blacklist::request, caller const&) {
    co_return shown(house_.state.list(address_list::blacklist));
}
task<result<contract::listed_addresses>> security::handle(contract::get_whitelist::request, caller const&) {
    co_return shown(house_.state.list(address_list::whitelist));
}
task<result<contract::add_to_blacklist::response>> security::handle(
    contract::add_to_blacklist::request request, caller const& who) {
    return add(address_list::blacklist, std::move(request.ip), std::move(request.reason), who.operation_id);
}
task<result<contract::add_to_whitelist::response>> security::handle(
    contract::add_to_whitelist::request request, caller const& who) {
    return add(address_list::whitelist, std::move(request.ip), std::move(request.reason), who.operation_id);
}
task<result<contract::remove_from_blacklist::response>> security::handle(
    contract::remove_from_blacklist::request request, caller const& who) {
    return remove(address_list::blacklist, std::move(request.ip), who.operation_id);
}
task<result<contract::remove_from_whitelist::response>> security::handle(
    contract::remove_from_whitelist::request request, caller const& who) {
    return remove(address_list::whitelist, std::move(request.ip), who.operation_id);
}

} // namespace ccbt::executor
