// Who may call: by a key that is sent, or by a signature of the request. Keys are compared as SHA-256 digests, in
// constant time; a signature is good once; bad guesses are slowed by source, and a valid key always passes. Loop thread.
// Knows no sockets and no headers.
#pragma once

#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "contract/access.hpp"
#include "contract/endpoint.hpp"
#include "server/replay_memory.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ccbt::server {

/// Both clocks, read once.
struct moment {
    steady::time_point steady_now = steady::now();
    unix_seconds unix_now = ccbt::unix_now();
};

class authority {
public:
    /// `most_failures` in `window` are told 401, those after 429.
    explicit authority(std::size_t most_failures = 10, std::chrono::seconds window = std::chrono::seconds{60})
        : most_failures_{most_failures}, window_{window} {}

    // Those of the configuration, admin.
    void trust_key(std::string_view key, std::string name);
    void trust_signer(crypto::public_key const& key); // one of small order is not
    void limit_failures(std::size_t most, std::chrono::seconds window) {
        most_failures_ = most;
        window_ = window;
    }
    /// Those of the store. It outlives this.
    void ask(contract::key_ring& kept) { kept_ = &kept; }
    /// Signatures from before are not taken: what they were used for is not remembered.
    void begins_at(unix_seconds at) { began_ = at; }

    /// With what somebody passed. It may end: see holds().
    struct pass {
        contract::caller who;
        bool of_configuration = false;
        bool signs = false;
        crypto::digest id{};
    };
    /// The daemon's own user's, of whom the kernel told: no key is needed.
    [[nodiscard]] static pass pass_of_own_user();
    struct refusal {
        contract::errc why = contract::errc::auth_required;
        int retry_after = 0; // seconds, with rate_limited
    };
    using verdict = expected<pass, refusal>;

    /// `key`: as sent, nothing where none came (that is no guess). `source`: the peer's address.
    [[nodiscard]] verdict check(
        std::optional<std::string_view> key, std::string const& source, moment now = {});

    /// A signature as it came; it is there where the key or the signature is.
    struct signature_text {
        std::optional<std::string_view> public_key, timestamp, signature;
        [[nodiscard]] bool is_there() const { return public_key || signature; }
    };
    /// One that may be good: by a trusted key, of a time that is taken. What it covers is not looked at yet.
    struct claim {
        pass by;
        crypto::public_key key{};
        crypto::signature made{};
        std::string timestamp;
        unix_seconds at = 0;
    };
    [[nodiscard]] expected<claim, refusal> read(
        signature_text const& from, std::string const& source, moment now = {});
    /// `texts`: it is good for any one of them.
    [[nodiscard]] verdict verify(
        claim const& what, std::span<std::string const> texts, std::string const& source, moment now = {});

    /// Whether who passed with it would pass still: neither revoked nor expired nor given other scopes.
    [[nodiscard]] bool holds(pass const& with, unix_seconds now = ccbt::unix_now()) const;

    [[nodiscard]] std::size_t sources() const { return failures_.size(); } // remembered for their wrong keys

private:
    [[nodiscard]] std::optional<pass> pass_of(crypto::digest const& id, bool signs, unix_seconds now);
    [[nodiscard]] bool is_timely(unix_seconds at, unix_seconds now) const;
    [[nodiscard]] unexpected<refusal> fail(std::string const& source, steady::time_point now);

    struct known_key {
        crypto::digest of;
        bool signs;
        std::string name;
    };
    std::vector<known_key> keys_;
    contract::key_ring* kept_ = nullptr;
    replay_memory seen_;
    unix_seconds began_ = ccbt::unix_now();
    std::unordered_map<std::string, std::deque<steady::time_point>> failures_;
    std::size_t most_failures_;
    std::chrono::seconds window_;
    static constexpr std::size_t most_sources = 4096;
};

} // namespace ccbt::server
