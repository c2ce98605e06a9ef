#include "executor/ip_filter.hpp"

#include "base/log.hpp"
#include "filter/last_good.hpp"

#include <algorithm>

namespace ccbt::executor {

namespace {

constexpr std::chrono::seconds look_every{10};
constexpr std::chrono::milliseconds tell_every{500};
constexpr double try_again_after = 300; // seconds

failure refusal(filter::failure const& from) {
    auto const message = from.file.empty() ? from.why : from.file + ' ' + from.why;
    switch (from.is) {
    case filter::trouble::stopped: return {errc::shutting_down, "the daemon is shutting down"};
    case filter::trouble::missing: return failure{errc::security_not_found, message}.with("file", from.file);
    case filter::trouble::unusable: break;
    }
    return failure{errc::security_unusable, message}.with("file", from.file);
}

} // namespace

ip_filter::~ip_filter() {
    stop_filter();
    if (thread_.joinable()) thread_.join();
    here_.reset();
    // Who waits may hold what waits in turn: let go here, or neither ever is.
    auto const waiting = std::exchange(waiting_, {});
    auto const served = std::exchange(served_, {});
}

void ip_filter::stop_filter() {
    stopped_ = true;
    looking_.reset();
    telling_.reset();
    if (told_) told_->stop = true;
}

task<result<contract::load_ip_filter::response>> ip_filter::handle(
    contract::load_ip_filter::request, caller const&) {
    contract::load_ip_filter::response out;
    if (!house_.settings.security.ip_filter.enable_ip_filter) co_return out;
    if (stopped_) co_return fails(errc::shutting_down, "the daemon is shutting down");
    auto start = [this](auto done) { ask(std::move(done)); };
    auto const got = co_await reply_of<std::shared_ptr<outcome const>>(std::move(start));
    if (got->failed) co_return unexpected<failure>{refusal(*got->failed)};
    if (!got->good) co_return out; // switched off meanwhile
    out.rules = got->good->rules;
    out.error_count = got->good->bad_count;
    for (auto const& bad : got->good->bad) out.errors.push_back({bad.file, bad.line});
    co_return out;
}

task<result<contract::get_ip_filter_stats::response>> ip_filter::handle(
    contract::get_ip_filter_stats::request, caller const&) {
    contract::get_ip_filter_stats::response out;
    auto const& in_force = house_.state.filter();
    out.enabled = house_.settings.security.ip_filter.enable_ip_filter;
    if (!out.enabled) co_return out;
    auto const totals = house_.state.totals();
    out.total_rules = out.stats.total_rules = in_force.rules;
    out.stats.ipv4_ranges = in_force.ipv4_ranges;
    out.stats.ipv6_ranges = in_force.ipv6_ranges;
    out.blocked_count = out.stats.blocks = totals.blocked_connections;
    out.allowed_count = out.stats.allows = totals.allowed_connections;
    bool const lists_what_passes = in_force.mode == contract::filter_policy::allow;
    out.stats.matches = lists_what_passes ? out.stats.allows : out.stats.blocks;
    if (in_force.at > 0) out.stats.last_update = in_force.at;
    co_return out;
}

// ---- the loads

void ip_filter::begin_filter(job ready) {
    ready_ = std::move(ready);
    looking_ = house_.on.every(look_every, [this] { look(); });
    begin_load(trigger::start);
}

void ip_filter::reload_filter() {
    ask([](std::shared_ptr<outcome const> const&) {});
}

void ip_filter::ask(answered done) {
    waiting_.push_back(std::move(done));
    if (under_way_ || stopped_ || std::exchange(load_posted_, true)) return;
    // With the next turn, so that what is asked for twice in this one is done once.
    house_.on.post([weak = std::weak_ptr{here_}] {
        auto const held = weak.lock();
        if (!held) return;
        (*held)->load_posted_ = false;
        if (!(*held)->under_way_) (*held)->begin_load(trigger::asked);
    });
}

void ip_filter::begin_load(trigger why) {
    under_way_ = true;
    served_ = std::exchange(waiting_, {});
    told_ = std::make_shared<filter::progress>();
    told_->stop = stopped_;
    last_told_ = 0;
    telling_ = house_.on.every(tell_every, [this] { tell_progress(); });
    auto const how = std::make_shared<contract::settings const>(house_.settings);
    thread_ = std::thread{
        [&on = house_.on, how, why, has_one = has_one_, told = told_, weak = std::weak_ptr{here_}] {
            auto got = std::make_shared<outcome const>(work(*how, why, has_one, *told));
            on.post([&on, weak, got = std::move(got)]() mutable {
                auto const held = weak.lock();
                if (!held) return;
                (*held)->thread_.join(); // this was the last that it did
                spawn(on, (*held)->conclude(std::move(got)));
            });
        }};
}

// On the load's own thread.
ip_filter::outcome ip_filter::work(
    contract::settings const& how, trigger why, bool has_one, filter::progress& told) {
    outcome out;
    out.enabled = how.security.ip_filter.enable_ip_filter;
    if (!out.enabled) return out;
    auto const hold = [](filter::loaded one) {
        return std::make_shared<filter::loaded const>(std::move(one));
    };
    try {
        bool const is_start = why == trigger::start;
        if (is_start)
            if (auto same = filter::still_good(how, told, unix_now())) {
                out.good = hold(std::move(*same));
                return out;
            }
        auto got = filter::load(how, is_start ? filter::ask_network::no : filter::ask_network::yes, told);
        if (!got && !has_one && got.error().is != filter::trouble::stopped) {
            if (auto last = filter::last_good(how, told)) {
                out.failed = got.error();
                out.good = hold(std::move(*last));
                out.is_last_good = true;
                return out;
            }
            if (is_start && !how.security.ip_filter.filter_urls.empty())
                got = filter::load(how, filter::ask_network::yes, told);
        }
        if (got) {
            out.is_kept = filter::keep_last_good(how, *got);
            out.good = hold(std::move(*got));
        } else {
            out.failed = got.error();
        }
    } catch (std::exception const& e) { // memory, at most
        log::error("the IP filter could not be loaded: {}", e.what());
        out.failed = filter::failure{filter::trouble::unusable, {}, "the IP filter could not be loaded"};
    }
    if (!out.good && !has_one && how.security.ip_filter.filter_mode == contract::filter_policy::allow)
        out.good =
            hold({.ranges = std::make_shared<ip_range_set const>(), .mode = contract::filter_policy::allow});
    return out;
}

task<> ip_filter::conclude(std::shared_ptr<outcome const> got) {
    telling_.reset();
    if (last_told_ > 0) tell_progress();
    bool const is_cut = got->failed && got->failed->is == filter::trouble::stopped;
    // What the settings say now decides: they may have changed under way, and then the next load is asked for already.
    bool const wanted = house_.settings.security.ip_filter.enable_ip_filter;
    if (!is_cut) log_outcome(*got);
    bool const goes_off = !got->enabled && !wanted && has_one_;
    bool const changes = !is_cut && (got->good != nullptr || goes_off);
    if (changes) {
        auto const ranges = wanted && got->good ? got->good->ranges : nullptr;
        house_.rules.set_filter(ranges, got->good && got->good->mode == contract::filter_policy::allow);
        has_one_ = ranges != nullptr;
    }
    if (ready_) std::exchange(ready_, nullptr)();
    if (changes) {
        co_await house_.rules.in_force();
        model::filter_loaded now;
        now.enabled = has_one_;
        if (has_one_) {
            now.rules = got->good->rules;
            now.ipv4_ranges = static_cast<std::int64_t>(got->good->ranges->count_v4());
            now.ipv6_ranges = static_cast<std::int64_t>(got->good->ranges->count_v6());
            now.mode = got->good->mode;
            now.at = got->good->at;
        }
        house_.apply(now);
    }
    plan_next(*got);
    for (auto& done : std::exchange(served_, {})) done(got);
    under_way_ = false;
    if (!waiting_.empty() && !stopped_)
        begin_load(trigger::asked);
    else
        look();
}

void ip_filter::log_outcome(outcome const& got) const {
    if (got.failed) {
        auto const& f = *got.failed;
        log::error("the IP filter could not be loaded: {}{}{}", f.file, f.file.empty() ? "" : " ", f.why);
        if (got.is_last_good)
            log::error("the last good IP filter is in force: {} rules", got.good->rules);
        else if (has_one_)
            log::error("the IP filter stays as it was");
        else if (got.good)
            log::error("there is no earlier IP filter and mode allow: no peer is let through");
        else
            log::error("there is no earlier IP filter: NO IP FILTER IS IN FORCE");
        return;
    }
    if (!got.good) return;
    for (auto const& why : got.good->degraded) log::warning("the IP filter {}", why);
    log::info(
        "the IP filter has {} rules, merged to {} ranges; {} malformed lines were left out", got.good->rules,
        got.good->ranges->ranges().size(), got.good->bad_count);
    if (got.good->ranges->empty() && got.good->mode == contract::filter_policy::allow)
        log::warning("the IP filter lists nobody, in mode allow: no peer is let through");
    if (!got.is_kept) log::warning("the IP filter could not be kept for a start without its files");
}

// ---- when the next is due

void ip_filter::plan_next(outcome const& got) {
    auto const& how = house_.settings.security.ip_filter;
    auto const interval = static_cast<double>(how.filter_update_interval);
    next_at_ = 0;
    if (!got.enabled) return;
    if (got.failed || !got.good->degraded.empty())
        next_at_ = unix_now() + std::min(interval, try_again_after);
    else if (!how.filter_urls.empty())
        next_at_ = got.good->checked_at + interval;
}

void ip_filter::look() {
    if (next_at_ > 0 && unix_now() >= next_at_ && !under_way_) reload_filter();
}

void ip_filter::tell_progress() {
    auto const done = told_->done.load();
    auto const total = std::max(told_->total.load(), done);
    if (done == last_told_ || total == 0) return;
    last_told_ = done;
    house_.apply(model::work_progressed{"ip_filter", done, total});
}

} // namespace ccbt::executor
