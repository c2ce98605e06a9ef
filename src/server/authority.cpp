#include "server/authority.hpp"

#include "base/safeguard.hpp"
#include "base/text.hpp"
#include "contract/signature.hpp"

#include <algorithm>
#include <cmath>
#include <unistd.h>

namespace ccbt::server {

using contract::errc;

namespace {

// What of a key counts: all of it.
std::string_view counted(std::string_view key) {
    return in_force(safeguard::key_compared_whole) ? key : key.substr(0, 16);
}

} // namespace

void authority::trust_key(std::string_view key, std::string name) {
    if (!key.empty()) keys_.push_back({crypto::sha256(counted(key)), false, std::move(name)});
}

void authority::trust_signer(crypto::public_key const& key) {
    if (!crypto::is_small_order(key)) keys_.push_back({key, true, "signature:" + text::to_hex(key)});
}

std::optional<authority::pass> authority::pass_of(crypto::digest const& id, bool signs, unix_seconds now) {
    std::optional<pass> out;
    auto const* kept = kept_ == nullptr ? nullptr : kept_->find(id, signs);
    if (kept != nullptr && !kept->is_expired(now)) {
        out.emplace(pass{.signs = signs, .id = id});
        out->who.principal = kept->name;
        out->who.scopes = kept->scopes;
    }
    for (auto const& known : keys_) // all are compared: the time tells nothing
        if (known.signs == signs && crypto::equal(known.of, id)) {
            out.emplace(pass{.of_configuration = true, .signs = signs, .id = id});
            out->who.principal = known.name;
            out->who.scopes.add(contract::scope::admin);
        }
    if (!out && signs && !in_force(safeguard::pinned_signatures_only)) {
        out.emplace(pass{.of_configuration = true, .signs = true, .id = id});
        out->who.scopes.add(contract::scope::admin);
    }
    if (out) out->who.is_admin = out->who.scopes.has(contract::scope::admin);
    return out;
}

authority::pass authority::pass_of_own_user() {
    pass out{.of_configuration = true};
    out.who.principal = "unix:" + std::to_string(::geteuid());
    out.who.scopes.add(contract::scope::admin);
    out.who.is_admin = true;
    return out;
}

authority::verdict authority::check(
    std::optional<std::string_view> key, std::string const& source, moment now) {
    if (!key) return unexpected<refusal>{refusal{}};
    if (auto const past = failures_.find(source); !in_force(safeguard::valid_key_passes_slowdown) &&
                                                  past != failures_.end() &&
                                                  past->second.size() >= most_failures_)
        return fail(source, now.steady_now);
    auto passed = pass_of(crypto::sha256(*key), false, now.unix_now);
    if (!passed && !in_force(safeguard::key_compared_whole))
        passed = pass_of(crypto::sha256(counted(*key)), false, now.unix_now);
    if (!passed) return fail(source, now.steady_now);
    if (!passed->of_configuration) kept_->used(passed->who.principal, now.unix_now);
    return std::move(*passed);
}

bool authority::is_timely(unix_seconds at, unix_seconds now) const {
    return std::abs(at - now) <= contract::signature_window_seconds && at >= began_;
}

expected<authority::claim, authority::refusal> authority::read(
    signature_text const& from, std::string const& source, moment now) {
    auto const key = crypto::fixed_from_hex<32>(from.public_key.value_or(""));
    auto const made = crypto::fixed_from_hex<64>(from.signature.value_or(""));
    auto const at = contract::read_timestamp(from.timestamp.value_or(""));
    if (!key || !made || !at || !is_timely(*at, now.unix_now)) return fail(source, now.steady_now);
    auto by = pass_of(*key, true, now.unix_now);
    if (!by) return fail(source, now.steady_now);
    return claim{std::move(*by), *key, *made, std::string{*from.timestamp}, *at};
}

authority::verdict authority::verify(
    claim const& what, std::span<std::string const> texts, std::string const& source, moment now) {
    // A body may have taken its time: what was true at the head is looked at again.
    auto passed = pass_of(what.key, true, now.unix_now);
    auto const covers = [&](std::string const& text) { return crypto::verify(what.key, text, what.made); };
    if (!passed || !is_timely(what.at, now.unix_now) || !std::any_of(texts.begin(), texts.end(), covers))
        return fail(source, now.steady_now);
    auto const said = in_force(safeguard::signature_once)
                          ? seen_.take(what.key, what.made, what.at, now.unix_now)
                          : replay_memory::said::fresh;
    switch (said) {
    case replay_memory::said::fresh: break;
    case replay_memory::said::seen: return fail(source, now.steady_now);
    case replay_memory::said::full: return unexpected<refusal>{refusal{errc::rate_limited, 60}};
    }
    if (!passed->of_configuration) kept_->used(passed->who.principal, now.unix_now);
    return std::move(*passed);
}

bool authority::holds(pass const& with, unix_seconds now) const {
    if (with.of_configuration || !in_force(safeguard::revoked_key_refused)) return true; // until a restart
    auto const* kept = kept_ == nullptr ? nullptr : kept_->find(with.who.principal);
    return kept != nullptr && kept->id == with.id && kept->signs == with.signs && !kept->is_expired(now) &&
           kept->scopes == with.who.scopes;
}

unexpected<authority::refusal> authority::fail(std::string const& source, steady::time_point now) {
    if (failures_.size() >= most_sources &&
        !failures_.contains(source)) // many sources at once: forget the old ones
        std::erase_if(failures_, [&](auto const& entry) { return entry.second.back() + window_ < now; });
    if (failures_.size() >= most_sources && !failures_.contains(source)) failures_.erase(failures_.begin());
    auto& past = failures_[source];
    while (!past.empty() && past.front() + window_ < now) past.pop_front();
    if (past.size() >= most_failures_ && in_force(safeguard::failed_key_slowdown)) {
        auto const wait =
            std::chrono::duration_cast<std::chrono::seconds>(past.front() + window_ - now).count();
        return unexpected<refusal>{refusal{errc::rate_limited, static_cast<int>(wait) + 1}};
    }
    past.push_back(now);
    return unexpected<refusal>{refusal{}};
}

} // namespace ccbt::server
