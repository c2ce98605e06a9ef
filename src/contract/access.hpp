// The keys that the store keeps, as the executor makes them and the door asks for them: between those two rooms, never
// on the wire, and no secret in it. Loop thread.
#pragma once

#include "base/crypto.hpp"
#include "contract/endpoint.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace ccbt::contract {

struct access_key {
    std::string name;
    bool signs = false; // what `id` is: an Ed25519 public key, else the SHA-256 of a secret
    crypto::digest id{};
    scope_set scopes;
    double created_at = 0;
    double expires_at = 0; // 0: never
    double last_used = 0;  // 0: never
    bool operator==(access_key const&) const = default;

    [[nodiscard]] bool is_expired(double now) const { return expires_at != 0 && expires_at <= now; }
    [[nodiscard]] std::string scope_names() const { // "read,add"
        std::string out;
        scopes.each([&](scope, std::string_view one) {
            if (!out.empty()) out += ',';
            out += one;
        });
        return out;
    }
    void take_scope_names(std::string_view written) { // a name that is not known gives nothing
        while (!written.empty()) {
            auto const one = written.substr(0, written.find(','));
            written.remove_prefix(std::min(written.size(), one.size() + 1));
            for (auto const& [value, known] : names_of<scope>)
                if (known == one && value != scope::open) scopes.add(value);
        }
    }
};

class key_ring {
public:
    /// All are compared, each in constant time: the time tells nothing. Null: none is it.
    [[nodiscard]] access_key const* find(crypto::digest const& id, bool signs) const {
        access_key const* found = nullptr;
        for (auto const& [name, key] : keys_)
            if (key.signs == signs && crypto::equal(key.id, id)) found = &key;
        return found;
    }
    [[nodiscard]] access_key const* find(std::string const& name) const {
        auto const at = keys_.find(name);
        return at == keys_.end() ? nullptr : &at->second;
    }
    [[nodiscard]] std::map<std::string, access_key> const& all() const { return keys_; }

    void put(access_key key) {
        auto const name = key.name;
        keys_.insert_or_assign(name, std::move(key));
        tell();
    }
    void drop(std::string const& name) {
        keys_.erase(name);
        used_.erase(name);
        tell();
    }
    void used(std::string const& name, double now) { // by the door, at every request
        auto const at = keys_.find(name);
        if (at == keys_.end()) return;
        at->second.last_used = now;
        used_.insert(name);
    }
    /// Those that were used since this was asked last.
    [[nodiscard]] std::vector<access_key> take_used() {
        std::vector<access_key> out;
        for (auto const& name : std::exchange(used_, {})) out.push_back(keys_.at(name));
        return out;
    }
    /// Called after each change; one listener.
    void listen(std::function<void()> changed) { changed_ = std::move(changed); }

private:
    void tell() const {
        if (changed_) changed_();
    }
    std::map<std::string, access_key> keys_;
    std::unordered_set<std::string> used_;
    std::function<void()> changed_;
};

} // namespace ccbt::contract
