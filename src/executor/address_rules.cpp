#include "executor/address_rules.hpp"

#include <vector>

namespace ccbt::executor {

namespace {

struct rules {
    std::vector<ip_range> blacklist, whitelist;
    std::shared_ptr<ip_range_set const> filter;
    bool ranges_are_allowed = false;
};

std::shared_ptr<ip_range_set const> blocked_by(rules from) {
    auto blocked = from.filter ? from.filter : std::make_shared<ip_range_set const>();
    auto const made = [](ip_range_set set) { return std::make_shared<ip_range_set const>(std::move(set)); };
    if (from.filter && from.ranges_are_allowed) blocked = made(blocked->complement());
    if (!from.blacklist.empty()) blocked = made(blocked->united_with(ip_range_set{from.blacklist}));
    if (!from.whitelist.empty()) blocked = made(blocked->without(ip_range_set{from.whitelist}));
    return blocked;
}

std::vector<ip_range> ranges_of(model::state::listed const& list) {
    std::vector<ip_range> out;
    out.reserve(list.size());
    for (auto const& [range, entry] : list) out.push_back(range);
    return out;
}

} // namespace

address_rules::~address_rules() {
    here_.reset();
    // Who waits may hold what waits in turn: let go here, or neither ever is.
    auto const waiting = std::exchange(waiting_, {});
}

void address_rules::start() {
    started_ = true;
    work_on();
}

void address_rules::set_filter(std::shared_ptr<ip_range_set const> ranges, bool ranges_are_allowed) {
    filter_ = std::move(ranges);
    ranges_are_allowed_ = ranges_are_allowed;
    changed();
}

void address_rules::lists_changed() { changed(); }

void address_rules::changed() {
    ++changes_;
    work_on();
}

task<> address_rules::in_force() {
    // Before the start the engine connects with nobody, and will be told of all that changed until then.
    if (!started_ || in_force_ == changes_) co_return;
    auto wait = [this](auto done) { waiting_.emplace_back(changes_, std::move(done)); };
    co_await reply_of<bool>(std::move(wait));
}

void address_rules::work_on() {
    if (!started_ || working_ || in_force_ == changes_) return;
    working_ = true;
    auto const made = std::make_shared<std::shared_ptr<ip_range_set const>>();
    auto from = std::make_shared<rules>(
        ranges_of(state_.list(model::address_list::blacklist)),
        ranges_of(state_.list(model::address_list::whitelist)), filter_, ranges_are_allowed_);
    on_.off(
        [made, from = std::move(from)] { *made = blocked_by(std::move(*from)); },
        [made, change = changes_, weak = std::weak_ptr{here_}] {
            auto const held = weak.lock();
            if (!held) return;
            (*held)->engine_.block_addresses(std::move(*made), [change, weak] {
                if (auto const still = weak.lock()) (*still)->told(change);
            });
        });
}

void address_rules::told(std::uint64_t change) {
    working_ = false;
    in_force_ = change;
    std::vector<unique_function<void(bool)>> ready;
    for (; !waiting_.empty() && waiting_.front().first <= change; waiting_.pop_front())
        ready.push_back(std::move(waiting_.front().second));
    work_on();
    for (auto& one : ready) one(true);
}

} // namespace ccbt::executor
