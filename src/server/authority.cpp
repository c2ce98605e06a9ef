#include "server/authority.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace ccbt::server {

namespace {

std::array<std::uint8_t, 32> sha256(std::string_view text) {
    std::array<std::uint8_t, 32> out{};
    ::SHA256(reinterpret_cast<unsigned char const*>(text.data()), text.size(), out.data());
    return out;
}

} // namespace

void authority::trust_key(std::string_view key, std::string name) {
    if (!key.empty()) keys_.push_back({sha256(key), std::move(name)});
}

authority::verdict authority::check(
    std::optional<std::string_view> key, std::string const& source, steady::time_point now) {
    verdict out;
    if (!key) return out;
    auto const given = sha256(*key);
    for (auto const& known : keys_) // all are compared: the time tells nothing
        if (CRYPTO_memcmp(known.of.data(), given.data(), given.size()) == 0) {
            out.passed = true;
            out.who = {.principal = known.name, .is_admin = true, .operation_id = {}};
        }
    if (out.passed) return out;

    if (failures_.size() >= most_sources &&
        !failures_.contains(source)) // many sources at once: forget the old ones
        std::erase_if(failures_, [&](auto const& entry) { return entry.second.back() + window_ < now; });
    if (failures_.size() >= most_sources && !failures_.contains(source)) failures_.erase(failures_.begin());
    auto& past = failures_[source];
    while (!past.empty() && past.front() + window_ < now) past.pop_front();
    if (past.size() >= most_failures_) {
        out.refusal = contract::errc::rate_limited;
        auto const wait =
            std::chrono::duration_cast<std::chrono::seconds>(past.front() + window_ - now).count();
        out.retry_after = static_cast<int>(wait) + 1;
        return out;
    }
    past.push_back(now);
    return out;
}

} // namespace ccbt::server
