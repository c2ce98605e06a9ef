#include "executor/keys.hpp"

#include "base/log.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace ccbt::executor {

using contract::access_key;

namespace {

failure wrong(std::string field, std::string why) {
    auto message = field + ' ' + why;
    return failure{errc::validation_error, std::move(message), {}}.with("field", std::move(field));
}

// "trust" is a route of its own, and "configured" is who holds the configuration's key.
result<void> check_name(std::string_view name) {
    auto const is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    auto const is_fine = [&](char c) {
        return is_letter(c) || std::string_view{"._-@"}.find(c) != std::string_view::npos;
    };
    if (name.empty() || name.size() > 64 || !is_letter(name.front()) ||
        !std::all_of(name.begin(), name.end(), is_fine))
        return unexpected<failure>{
            wrong("name", "must be 1 to 64 of A-Z a-z 0-9 . _ - @, beginning with a letter or digit")};
    if (name == "trust" || name == "configured")
        return unexpected<failure>{wrong("name", "must be another one: this one has a meaning already")};
    return {};
}

result<contract::scope_set> scopes_of(std::vector<contract::grant> const& given) {
    contract::scope_set out;
    for (auto const one : given) out.add(static_cast<contract::scope>(one));
    if (out.empty()) return unexpected<failure>{wrong("scopes", "must name one scope at least")};
    return out;
}

std::vector<contract::grant> grants_of(contract::scope_set const& scopes) {
    std::vector<contract::grant> out;
    scopes.each(
        [&](contract::scope one, std::string_view) { out.push_back(static_cast<contract::grant>(one)); });
    return out;
}

std::optional<double> unless_never(double at) { return at == 0 ? std::nullopt : std::optional{at}; }

} // namespace

result<void> keys::check_new(access_key const& key) const {
    auto const& ring = house_.state.keys();
    if (ring.find(key.name) != nullptr)
        return fails(
            errc::key_exists, "there is a key named \"" + key.name + "\": revoke it first",
            {{"name", key.name}});
    if (auto const* same = ring.find(key.id, key.signs))
        return fails(
            errc::key_exists, "that public key is trusted already, as \"" + same->name + '"',
            {{"name", same->name}});
    if (ring.all().size() >= contract::max_keys)
        return unexpected<failure>{
            wrong("name", "is one too many: " + std::to_string(contract::max_keys) + " keys are kept at most")
                .with("reason", std::string{"too_many_keys"})};
    return {};
}

task<result<void>> keys::keep(access_key key) {
    store::commit change;
    change.changes.emplace_back(store::put_key{key});
    auto const kept = co_await commit(house_, std::move(change));
    if (!kept) co_return unexpected<failure>{kept.error()};
    house_.apply(model::key_put{std::move(key)});
    co_return result<void>{};
}

task<result<contract::get_keys::response>> keys::handle(contract::get_keys::request, caller const&) {
    contract::get_keys::response out;
    for (auto const& [name, key] : house_.state.keys().all()) {
        auto& made = out.keys.emplace_back();
        made.name = name;
        made.kind = key.signs ? contract::key_kind::ed25519 : contract::key_kind::api_key;
        made.scopes = grants_of(key.scopes);
        if (key.signs) made.public_key = text::to_hex(key.id);
        made.created_at = key.created_at;
        made.expires_at = unless_never(key.expires_at);
        made.last_used = unless_never(key.last_used);
    }
    out.count = static_cast<std::int64_t>(out.keys.size());
    co_return out;
}

task<result<contract::create_key::response>> keys::handle(
    contract::create_key::request request, caller const& who) {
    // Its answer has a secret, which is told once and stands nowhere.
    if (!who.operation_id.empty())
        co_return unexpected<failure>{
            wrong("Idempotency-Key", "is not taken here: the secret of a new key is told once")};
    if (auto const fine = check_name(request.name); !fine) co_return unexpected<failure>{fine.error()};
    auto const scopes = scopes_of(request.scopes);
    if (!scopes) co_return unexpected<failure>{scopes.error()};
    auto const turn = co_await turns_.take(0);
    auto const random = crypto::random_32();
    if (!random) co_return fails(errc::internal_error, "no random bytes are to be had");
    auto secret = text::to_hex(*random);
    access_key key{.name = request.name, .id = crypto::sha256(secret), .scopes = *scopes};
    key.created_at = unix_now();
    if (request.expires_in) key.expires_at = key.created_at + static_cast<double>(*request.expires_in);
    if (auto const fine = check_new(key); !fine) co_return unexpected<failure>{fine.error()};
    auto const kept = co_await keep(key);
    if (!kept) co_return unexpected<failure>{kept.error()};
    log::info("key \"{}\" was made by {}: {}", key.name, who.principal, key.scope_names());
    co_return contract::create_key::response{
        std::move(request.name), std::move(secret), grants_of(key.scopes), unless_never(key.expires_at)};
}

task<result<contract::trust_key::response>> keys::handle(
    contract::trust_key::request request, caller const& who) {
    if (auto const fine = check_name(request.name); !fine) co_return unexpected<failure>{fine.error()};
    auto const scopes = scopes_of(request.scopes);
    if (!scopes) co_return unexpected<failure>{scopes.error()};
    auto const id = crypto::fixed_from_hex<32>(request.public_key);
    if (!id) co_return unexpected<failure>{wrong("public_key", "must be 64 hex digits")};
    if (crypto::is_small_order(*id))
        co_return unexpected<failure>{wrong("public_key", "is a point for which anybody can sign")};
    auto const turn = co_await turns_.take(0);
    access_key key{.name = request.name, .signs = true, .id = *id, .scopes = *scopes};
    key.created_at = unix_now();
    auto const* known = house_.state.keys().find(request.name);
    bool const is_same =
        known != nullptr && known->signs && known->id == key.id && known->scopes == key.scopes;
    if (!is_same) {
        if (auto const fine = check_new(key); !fine) co_return unexpected<failure>{fine.error()};
        auto const kept = co_await keep(key);
        if (!kept) co_return unexpected<failure>{kept.error()};
        log::info("key \"{}\" was trusted by {}: {}", key.name, who.principal, key.scope_names());
    }
    contract::trust_key::response out;
    out.name = std::move(request.name);
    out.public_key = text::to_hex(*id);
    out.scopes = grants_of(*scopes);
    co_return out;
}

task<result<contract::revoke_key::response>> keys::handle(
    contract::revoke_key::request request, caller const& who) {
    auto const turn = co_await turns_.take(0);
    if (house_.state.keys().find(request.name) == nullptr)
        co_return fails(
            errc::key_not_found, "there is no key of that name", {{"field", std::string{"name"}}});
    store::commit change;
    change.operation_id = who.operation_id;
    change.changes.emplace_back(store::drop_key{request.name});
    contract::revoke_key::response out;
    out.name = request.name;
    house_.once.foresee(who.operation_id, out);
    auto const kept = co_await commit(house_, std::move(change));
    if (!kept) co_return unexpected<failure>{kept.error()};
    house_.apply(model::key_gone{request.name});
    log::info("key \"{}\" was revoked by {}", request.name, who.principal);
    co_return out;
}

void keys::keep_key_uses() {
    store::commit change;
    for (auto& key : house_.state.keys().take_used())
        change.changes.emplace_back(store::note_key_use{std::move(key)});
    if (change.changes.empty()) return;
    house_.truth.commit_change(std::move(change), [](store::outcome how) {
        if (how != store::outcome::committed) log::warning("when keys were last used could not be kept");
    });
}

} // namespace ccbt::executor
