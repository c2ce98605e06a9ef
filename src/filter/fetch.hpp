// Lists from the network, by http and https alone, redirects too. Several at once, on the caller's thread, which blocks
// until all have answered or failed. Certificates are verified against the system's authorities, or those of
// CURL_CA_BUNDLE or SSL_CERT_FILE. Bytes go to a file; nothing is judged here. libcurl is known in fetch.cpp alone.
#pragma once

#include "contract/settings.hpp"
#include "filter/new_file.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

namespace ccbt::filter {

/// The URL as people may see it: without user, password, query and fragment.
[[nodiscard]] std::string shown_url(std::string const& url);

struct wanted {
    std::string url;
    std::string etag, modified; // of the copy that is here, else empty
    new_file* into = nullptr;
};

enum class fetch_outcome : std::uint8_t { fresh, unchanged, failed };

struct fetched {
    fetch_outcome is = fetch_outcome::failed;
    std::string etag, modified; // as the server says them
    std::string why;            // it failed, without the URL
};

struct fetch_bounds {
    std::int64_t bytes = std::int64_t{128} << 20;
    std::chrono::seconds connect{10};
    std::chrono::seconds stalled{20}; // below 1 KiB/s for so long
    std::chrono::seconds in_all{120};
};

/// In the order of `all`.
[[nodiscard]] std::vector<fetched> fetch(
    std::vector<wanted> const& all, contract::proxy_settings const& proxy, fetch_bounds const& within,
    std::atomic<bool> const& stop);

} // namespace ccbt::filter
