// The signatures that were accepted, until their time is over: each is good for one request. Bounded, and full it
// refuses rather than forgets. Loop thread; about 64 bytes a signature.
#pragma once

#include "base/crypto.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace ccbt::server {

class replay_memory {
public:
    /// `most` in all; one signer gets a quarter of it, so that none keeps the others out.
    explicit replay_memory(std::size_t most = 262'144) : most_{most} {}

    enum class said : std::uint8_t { fresh, seen, full };
    /// Remembers a signature that is good otherwise. What was made at `at` is forgotten when `at` is out of the window.
    [[nodiscard]] said take(
        crypto::public_key const& by, crypto::signature const& made, double at, double now) {
        forget_before(now);
        if (at <= forgotten_) return said::seen; // the clock was set back: it may have been here
        auto const second = static_cast<std::int64_t>(at);
        auto const known = by_second_.find(second); // the same signature has the same timestamp
        auto const id = half_of(made);
        if (known != by_second_.end() && known->second.seen.contains(id)) return said::seen;
        auto const count = per_signer_.find(by);
        if (size_ >= most_ || (count != per_signer_.end() && count->second >= most_ / 4)) return said::full;
        auto& of = by_second_[second];
        of.seen.insert(id);
        ++of.signers[by];
        ++per_signer_[by];
        ++size_;
        return said::fresh;
    }
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    using half = std::array<std::uint8_t, 32>; // R: another S for it is no signature
    struct by_bytes {
        std::size_t operator()(half const& of) const noexcept {
            std::size_t out = 0;
            for (std::size_t i = 0; i < sizeof out; ++i) out = out << 8 | of[i];
            return out;
        }
    };
    struct of_a_second {
        std::unordered_set<half, by_bytes> seen;
        std::map<crypto::public_key, std::size_t> signers;
    };
    static half half_of(crypto::signature const& made) {
        half out;
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = made[i];
        return out;
    }
    void forget_before(double now);

    std::size_t most_, size_ = 0;
    std::map<std::int64_t, of_a_second> by_second_; // of their timestamps
    std::map<crypto::public_key, std::size_t> per_signer_;
    double forgotten_ = std::numeric_limits<double>::lowest();
};

} // namespace ccbt::server
