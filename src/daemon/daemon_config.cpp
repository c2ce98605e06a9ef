// How settings come into force: one way for PUT /config, SIGHUP and an import.
#include "base/log.hpp"
#include "daemon/config_keys.hpp"
#include "daemon/config_update.hpp"
#include "daemon/daemon.hpp"

#include <algorithm>
#include <any>

namespace ccbt::daemon {

namespace {

constexpr std::chrono::milliseconds roots_within{5000};

bool is_of_filter(std::string_view key) {
    return key.starts_with("security.ip_filter.") || key.starts_with("proxy.");
}

bool is_of_roots(std::string_view key) { return key == "disk.download_path" || key == "disk.allowed_paths"; }

template <class Keys, class Predicate> bool has_any(Keys const& keys, Predicate is_one) {
    return std::any_of(keys.begin(), keys.end(), is_one);
}

// What needs a restart stays as it was.
contract::settings in_force_of(contract::settings next, contract::settings const& running) {
    each_key(next, [&](std::string const& key, contract::rules const& rule, auto& member) {
        if (!rule.restart) return;
        with_key(running, key, [&](contract::rules const&, auto const& was) {
            if constexpr (std::is_same_v<
                              std::remove_cvref_t<decltype(was)>, std::remove_cvref_t<decltype(member)>>)
                member = was;
        });
    });
    return next;
}

} // namespace

result<daemon::plan> daemon::planned(std::string_view json) const {
    auto update = plan_update(config_, json);
    if (!update) {
        auto const& problems = update.error();
        auto const& first = problems.front();
        auto message = first.field + ' ' + first.message;
        if (problems.size() > 1) message += " (and " + std::to_string(problems.size() - 1) + " more)";
        return unexpected<contract::failure>{
            contract::failure{contract::errc::config_update_failed, std::move(message), {}}
                .with("field", first.field.substr(0, first.field.find('[')))
                .with("problems", problems)};
    }
    // What is set back to what runs needs none.
    auto const waits = changes_between(in_force_, update->next.settings).restart;
    std::erase_if(update->changes.restart, [&](auto const& key) {
        return std::find(waits.begin(), waits.end(), key) == waits.end();
    });
    return plan{update->puts, update->changes.restart, update->ignored, std::move(update->next)};
}

task<> daemon::put_in_force(plan what) {
    co_await take_over(std::any_cast<loaded_config>(std::move(what.next)));
}

contract::settings daemon::shown() const { return shown_settings(config_.settings); }

result<std::vector<contract::explain_config::explained>> daemon::explained(
    std::optional<std::string> const& key) const {
    if (key && find_key(*key) == nullptr) {
        auto const near = nearest_key(*key);
        return contract::fails(
            contract::errc::validation_error,
            near.empty() ? "there is no such key" : "there is no such key; did you mean " + near + '?',
            {{"field", std::string{"key"}}});
    }
    auto all = explain_keys(config_, in_force_);
    if (key) std::erase_if(all, [&](auto const& one) { return one.key != *key; });
    return all;
}

task<> daemon::take_reread(loaded_config file) {
    auto const turn = co_await house_.settings_turns.take(0);
    if (auto const laid = apply_overrides(file, house_.laid_over); laid)
        co_await take_over(std::move(file));
    else
        log::error("the configuration was not taken over:\n{}", laid.error().message());
}

task<> daemon::take_over(loaded_config to) {
    auto const changes = configure(std::move(to));
    if (has_any(changes.keys, is_of_roots)) co_await reopen_roots();
    tell_changed(changes);
}

config_changes daemon::configure(loaded_config to) {
    for (auto const& warning : to.warnings) log::warning("{}", warning);
    auto changes = changes_between(config_.settings, to.settings);
    config_ = std::move(to);
    if (changes.keys.empty()) return changes;
    in_force_ = in_force_of(config_.settings, in_force_);
    if (auto const level = log::parse_level(in_force_.observability.log_level)) log::set_level(*level);
    engine_->configure(in_force_);
    gateway_->configure(in_force_);
    server_.configure(options_of(in_force_, {}, state_.keys()));
    house_.configure_queue();
    return changes;
}

void daemon::tell_changed(config_changes const& changes) {
    for (auto const& key : changes.restart) log::warning("{} takes effect at the next start", key);
    if (changes.keys.empty()) {
        log::info("the configuration is as it was");
        return;
    }
    house_.apply(model::config_changed{changes.keys});
    for (auto const& hook : house_.on_settings_changed) hook(changes.keys);
    if (has_any(changes.keys, is_of_filter)) executor_.reload_filter();
    log::info("{} keys of the configuration changed", changes.keys.size());
}

task<> daemon::reopen_roots() {
    struct looked {
        executor::roots roots;
        executor::roots::opened opened;
    };
    auto look = [known = roots_.all(), folders = folders_of(in_force_.disk)] {
        looked out;
        out.opened = out.roots.open(known, folders);
        return out;
    };
    // One of them may be a mount that does not answer, and no setting is to wait for that.
    auto found = co_await executor::off_loop_within(on_, roots_within, std::move(look));
    if (!found) {
        log::error("the storage folders do not answer: which ones are allowed changes with the next start");
        co_return;
    }
    roots_ = std::move(found->roots);
    take_roots(std::move(found->opened));
}

// By an import, which holds the turn and steers nothing but transfers: no folder.
void daemon::lay_over(executor::context::overrides const& given) {
    auto next = config_;
    next.warnings.clear();
    if (auto const laid = apply_overrides(next, given); laid) tell_changed(configure(std::move(next)));
}

} // namespace ccbt::daemon
