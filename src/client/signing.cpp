#include "client/signing.hpp"

#include "base/text.hpp"

#include <atomic>
#include <chrono>
#include <fmt/core.h>

namespace ccbt::client {

namespace {

// Nanoseconds since 1970, later than any before.
std::int64_t next_moment() {
    static std::atomic<std::int64_t> last{0};
    using namespace std::chrono;
    auto now = duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
    auto before = last.load();
    do { // a clock that was set back by more is followed
        if (now <= before && before - now < 1'000'000'000) now = before + 1;
    } while (!last.compare_exchange_weak(before, now));
    return now;
}

} // namespace

result<std::vector<std::pair<std::string, std::string>>> proof_of(
    options const& how, std::function<std::string(std::string_view)> const& text_at) {
    std::vector<std::pair<std::string, std::string>> out;
    if (!how.signing_key) {
        if (!how.api_key.empty()) out.emplace_back("X-CCBT-API-Key", how.api_key);
        return out;
    }
    auto const now = next_moment();
    auto const timestamp = fmt::format("{}.{:09}", now / 1'000'000'000, now % 1'000'000'000);
    auto const known = crypto::public_key_of(*how.signing_key);
    auto const made = crypto::sign(*how.signing_key, text_at(timestamp));
    if (!known || !made) return fails(error_kind::unsupported, "the request could not be signed");
    out.emplace_back(contract::public_key_header, text::to_hex(*known));
    out.emplace_back(contract::timestamp_header, timestamp);
    out.emplace_back(contract::signature_header, text::to_hex(*made));
    return out;
}

} // namespace ccbt::client
