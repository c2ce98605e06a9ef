// Who may call. Keys are kept and compared as SHA-256 digests, in constant time; bad guesses are slowed by source, and a
// valid key always passes. Loop thread.
#pragma once

#include "base/clock.hpp"
#include "contract/endpoint.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ccbt::server {

class authority {
public:
    /// `most_failures` in `window` are told 401, those after 429.
    explicit authority(std::size_t most_failures = 10, std::chrono::seconds window = std::chrono::seconds{60})
        : most_failures_{most_failures}, window_{window} {}

    void trust_key(std::string_view key, std::string name); // admin

    struct verdict {
        bool passed = false;
        contract::caller who;
        contract::errc refusal = contract::errc::auth_required;
        int retry_after = 0; // seconds, with rate_limited
    };
    /// `key`: as sent, nothing where none came (that is no guess). `source`: the peer's address.
    [[nodiscard]] verdict check(
        std::optional<std::string_view> key, std::string const& source, steady::time_point now);
    [[nodiscard]] std::size_t sources() const { return failures_.size(); } // remembered for their wrong keys

private:
    using digest = std::array<std::uint8_t, 32>;
    struct known_key {
        digest of;
        std::string name;
    };
    std::vector<known_key> keys_;
    std::unordered_map<std::string, std::deque<steady::time_point>> failures_;
    std::size_t most_failures_;
    std::chrono::seconds window_;
    static constexpr std::size_t most_sources = 4096;
};

} // namespace ccbt::server
