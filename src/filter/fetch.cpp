#include "filter/fetch.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <curl/curl.h>
#include <fmt/format.h>
#include <memory>
#include <string_view>

namespace ccbt::filter {

namespace {

constexpr long redirects_at_most = 5;
constexpr long at_once = 4;
constexpr long slow = 1024;     // bytes a second
constexpr int look_every = 200; // ms, whether to stop
constexpr std::size_t longest_validator = 1024;

// One transfer. It stays where it was made: libcurl points to it.
struct transfer {
    transfer() = default;
    transfer(transfer const&) = delete;
    transfer& operator=(transfer const&) = delete;
    ~transfer() {
        if (easy != nullptr) ::curl_easy_cleanup(easy);
        ::curl_slist_free_all(headers);
    }
    CURL* easy = nullptr;
    curl_slist* headers = nullptr;
    new_file* into = nullptr;
    std::int64_t left = 0;
    bool too_much = false, not_written = false;
    fetched made;
};

std::size_t take_body(char* bytes, std::size_t one, std::size_t count, void* user) {
    auto& t = *static_cast<transfer*>(user);
    auto const size = one * count;
    t.left -= static_cast<std::int64_t>(size);
    t.too_much = t.left < 0;
    if (t.too_much) return 0;
    t.not_written = !t.into->write({bytes, size});
    return t.not_written ? 0 : size;
}

std::size_t take_header(char* bytes, std::size_t one, std::size_t count, void* user) {
    auto& t = *static_cast<transfer*>(user);
    std::string_view const line{bytes, one * count};
    if (line.starts_with("HTTP/")) { // another answer, behind a redirect
        t.made.etag.clear();
        t.made.modified.clear();
    }
    auto const colon = std::min(line.find(':'), line.size());
    auto const value = text::trim(line.substr(std::min(colon + 1, line.size())));
    if (value.size() <= longest_validator) {
        if (text::equal_ignoring_case(line.substr(0, colon), "etag")) t.made.etag = value;
        if (text::equal_ignoring_case(line.substr(0, colon), "last-modified")) t.made.modified = value;
    }
    return line.size();
}

void use_proxy(CURL* easy, contract::proxy_settings const& proxy) {
    if (!proxy.enable_proxy || !proxy.proxy_for_trackers)
        return; // what goes to trackers by it, goes here too
    auto const type = text::lower(proxy.proxy_type);
    auto const kind = type == "socks5"   ? CURLPROXY_SOCKS5_HOSTNAME
                      : type == "socks4" ? CURLPROXY_SOCKS4A
                                         : CURLPROXY_HTTP;
    ::curl_easy_setopt(easy, CURLOPT_PROXYTYPE, static_cast<long>(kind));
    ::curl_easy_setopt(easy, CURLOPT_PROXY, proxy.proxy_host.c_str());
    ::curl_easy_setopt(easy, CURLOPT_PROXYPORT, static_cast<long>(proxy.proxy_port));
    ::curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    if (proxy.proxy_username.empty()) return;
    ::curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, proxy.proxy_username.c_str());
    ::curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, proxy.proxy_password.c_str());
}

void prepare(
    transfer& t, wanted const& what, contract::proxy_settings const& proxy, fetch_bounds const& within) {
    t.into = what.into;
    t.left = within.bytes;
    auto* const easy = t.easy;
    // What is asked for over TLS does not come back over less.
    bool const is_secure = text::equal_ignoring_case(what.url.substr(0, 6), "https:");
    ::curl_easy_setopt(easy, CURLOPT_URL, what.url.c_str());
    ::curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    ::curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, is_secure ? "https" : "http,https");
    ::curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    ::curl_easy_setopt(easy, CURLOPT_MAXREDIRS, redirects_at_most);
    ::curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(easy, CURLOPT_USERAGENT, "ccbtd/" CCBT_VERSION);
    ::curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, static_cast<long>(within.connect.count()));
    ::curl_easy_setopt(easy, CURLOPT_TIMEOUT, static_cast<long>(within.in_all.count()));
    ::curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, slow);
    ::curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(within.stalled.count()));
    ::curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(within.bytes));
    ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &take_body);
    ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, &t);
    ::curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &take_header);
    ::curl_easy_setopt(easy, CURLOPT_HEADERDATA, &t);
    ::curl_easy_setopt(easy, CURLOPT_PRIVATE, &t);
    for (auto const* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"})
        if (auto const* file = std::getenv(name); file != nullptr && *file != '\0') {
            ::curl_easy_setopt(easy, CURLOPT_CAINFO, file);
            break;
        }
    use_proxy(easy, proxy);
    auto const header = [&](char const* name, std::string const& value) {
        if (!value.empty())
            t.headers = ::curl_slist_append(t.headers, fmt::format("{}: {}", name, value).c_str());
    };
    header("If-None-Match", what.etag);
    header("If-Modified-Since", what.modified);
    ::curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t.headers);
}

void conclude(transfer& t, CURLcode ended, fetch_bounds const& within) {
    long status = 0;
    ::curl_easy_getinfo(t.easy, CURLINFO_RESPONSE_CODE, &status);
    if (t.too_much || ended == CURLE_FILESIZE_EXCEEDED)
        t.made.why = fmt::format("it sends over {} bytes", within.bytes);
    else if (t.not_written)
        t.made.why = "it could not be written to the cache";
    else if (ended == CURLE_OK && status == 200)
        t.made.is = fetch_outcome::fresh;
    else if (ended == CURLE_OK && status == 304)
        t.made.is = fetch_outcome::unchanged;
    else if (ended == CURLE_OK || ended == CURLE_HTTP_RETURNED_ERROR)
        t.made.why = fmt::format("the server answers {}", status);
    else
        t.made.why = ::curl_easy_strerror(ended);
}

} // namespace

std::string shown_url(std::string const& url) {
    auto const scheme = url.find("://");
    auto const host = scheme == std::string::npos ? 0 : scheme + 3;
    auto const path = std::min(url.find_first_of("/?#", host), url.size());
    auto const user = url.substr(host, path - host).rfind('@');
    auto const from = user == std::string::npos ? host : host + user + 1;
    return url.substr(0, host) + url.substr(from, std::min(url.find_first_of("?#", from), url.size()) - from);
}

std::vector<fetched> fetch(
    std::vector<wanted> const& all, contract::proxy_settings const& proxy, fetch_bounds const& within,
    std::atomic<bool> const& stop) {
    static auto const started = ::curl_global_init(CURL_GLOBAL_DEFAULT);
    std::vector<std::unique_ptr<transfer>> transfers;
    auto* const multi = started == CURLE_OK ? ::curl_multi_init() : nullptr;
    if (multi != nullptr) ::curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, at_once);
    for (auto const& what : all) {
        auto& t = *transfers.emplace_back(std::make_unique<transfer>());
        t.made.why = "it was not asked for to the end";
        t.easy = multi == nullptr ? nullptr : ::curl_easy_init();
        if (t.easy == nullptr) continue;
        prepare(t, what, proxy, within);
        ::curl_multi_add_handle(multi, t.easy);
    }
    for (int running = 1; multi != nullptr && running > 0 && !stop;) {
        if (::curl_multi_perform(multi, &running) != CURLM_OK) break;
        int left = 0;
        while (auto const* said = ::curl_multi_info_read(multi, &left)) {
            if (said->msg != CURLMSG_DONE) continue;
            transfer* of = nullptr;
            ::curl_easy_getinfo(said->easy_handle, CURLINFO_PRIVATE, &of);
            conclude(*of, said->data.result, within);
        }
        if (running > 0) ::curl_multi_poll(multi, nullptr, 0, look_every, nullptr);
    }
    std::vector<fetched> out;
    for (auto& t : transfers) {
        if (t->easy != nullptr) ::curl_multi_remove_handle(multi, t->easy);
        out.push_back(std::move(t->made));
    }
    if (multi != nullptr) ::curl_multi_cleanup(multi);
    return out;
}

} // namespace ccbt::filter
