#include "tracker/scrape.hpp"

#include "base/text.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <memory>

namespace ccbt::tracker {

namespace {

constexpr std::size_t longest_answer = std::size_t{1} << 20;
constexpr int look_every = 100; // ms, whether to stop

std::size_t take_body(char* bytes, std::size_t one, std::size_t count, void* user) {
    auto& body = *static_cast<std::string*>(user);
    if (body.size() + one * count > longest_answer) return 0;
    body.append(bytes, one * count);
    return one * count;
}

void use_proxy(CURL* easy, contract::proxy_settings const& proxy) {
    if (!proxy.enable_proxy || !proxy.proxy_for_trackers) {
        ::curl_easy_setopt(easy, CURLOPT_PROXY, ""); // nor one of the environment: announces have none
        return;
    }
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

} // namespace

answer scrape_http(
    std::string const& url, swarm_hash const& of, way const& by, deadline until,
    std::atomic<bool> const& stop) {
    static auto const started = ::curl_global_init(CURL_GLOBAL_DEFAULT);
    std::string body;
    std::unique_ptr<CURL, void (*)(CURL*)> const easy{::curl_easy_init(), &::curl_easy_cleanup};
    std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> const multi{::curl_multi_init(), &::curl_multi_cleanup};
    if (started != CURLE_OK || !easy || !multi) return {{}, "it could not be asked"};
    ::curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
    ::curl_easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, "http,https");
    ::curl_easy_setopt(easy.get(), CURLOPT_PATH_AS_IS, 1L);
    ::curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(
        easy.get(), CURLOPT_QUICK_EXIT, 1L); // a resolver that does not answer is not waited for
    ::curl_easy_setopt(easy.get(), CURLOPT_USERAGENT, "ccbtd/" CCBT_VERSION);
    ::curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &take_body);
    ::curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &body);
    use_proxy(easy.get(), by.proxy);
    if (!by.from.empty() && by.from != "0.0.0.0" && by.from != "::") {
        bool const is_address = by.from.find_first_not_of("0123456789.") == std::string::npos ||
                                by.from.find(':') != std::string::npos;
        ::curl_easy_setopt(easy.get(), CURLOPT_INTERFACE, ((is_address ? "host!" : "if!") + by.from).c_str());
    }
    ::curl_multi_add_handle(multi.get(), easy.get());
    CURLcode ended = CURLE_OPERATION_TIMEDOUT;
    for (int running = 1; running > 0 && !stop && std::chrono::steady_clock::now() < until;) {
        if (::curl_multi_perform(multi.get(), &running) != CURLM_OK) break;
        int left = 0;
        while (auto const* said = ::curl_multi_info_read(multi.get(), &left))
            if (said->msg == CURLMSG_DONE) ended = said->data.result;
        if (running > 0) ::curl_multi_poll(multi.get(), nullptr, 0, look_every, nullptr);
    }
    long status = 0;
    ::curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    ::curl_multi_remove_handle(multi.get(), easy.get());
    switch (ended) {
    case CURLE_OK: break;
    case CURLE_OPERATION_TIMEDOUT: return {{}, "no answer in time"};
    case CURLE_COULDNT_CONNECT: return {{}, "it cannot be connected to"};
    case CURLE_GOT_NOTHING: return {{}, "it closed the connection without an answer"};
    case CURLE_WRITE_ERROR: return {{}, fmt::format("it sends over {} bytes", longest_answer)};
    default: return {{}, ::curl_easy_strerror(ended)};
    }
    // Some say why they refuse with a status of their own.
    auto out = read_scrape(body, of);
    if (status != 200 && !body.starts_with("d14:failure reason"))
        out = {{}, fmt::format("it answers {}", status)};
    return out;
}

} // namespace ccbt::tracker
