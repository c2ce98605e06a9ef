// The deeds of named keys: made, trusted, listed, revoked. Loop thread. Knows of a key's secret only while it answers
// the one request that made it.
#pragma once

#include "contract/keys.hpp"
#include "executor/context.hpp"

namespace ccbt::executor {

class keys {
public:
    explicit keys(context& house) : house_{house} {}

    task<result<contract::get_keys::response>> handle(contract::get_keys::request request, caller const& who);
    task<result<contract::create_key::response>> handle(
        contract::create_key::request request, caller const& who);
    task<result<contract::trust_key::response>> handle(
        contract::trust_key::request request, caller const& who);
    task<result<contract::revoke_key::response>> handle(
        contract::revoke_key::request request, caller const& who);

    /// Keeps when keys were used, where any was; nobody waits for it.
    void keep_key_uses();

private:
    [[nodiscard]] result<void> check_new(contract::access_key const& key) const;
    task<result<void>> keep(contract::access_key key);

    context& house_;
    turns<int> turns_{house_.on}; // one noun: names and public keys are unique among all
};

} // namespace ccbt::executor
