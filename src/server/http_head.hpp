// The head of a request, judged before a byte of its body is read: form, Host, Origin, route, key, type and length. Knows
// no sockets. Loop thread.
#pragma once

#include "base/net_http.hpp"
#include "server/answer_head.hpp"
#include "server/connection.hpp"

#include <optional>

namespace ccbt::server {

using request_parser = http::request_parser<http::string_body>;

inline std::string_view view(beast::string_view s) { return {s.data(), s.size()}; }
[[nodiscard]] bool has_body(request_parser const& read);
[[nodiscard]] contract::failure too_large(std::size_t most);

/// What is to become of a request, as far as its head tells.
struct plan {
    route const* to = nullptr;
    std::string_view name = "none";
    call request;
    manner how;
    std::optional<contract::failure> refusal;
    std::string allow;
    int retry_after = 0;
    std::optional<authority::pass> pass;   // nothing on routes that need no key
    std::optional<authority::claim> claim; // good or not: it covers the body, which is still to come
    std::string_view target, path;         // as sent; without the query
    std::string source; // whose guesses are counted: the peer's address, or of whom a proxy of ours tells
    bool sound = true;  // where it ends is beyond doubt, so another may follow
    std::size_t most = contract::default_max_body;
};

class doorman {
public:
    doorman(ground& on, ends const& where) : on_{on}, where_{where} {}

    [[nodiscard]] plan look_at(request_parser const& read, std::size_t head_bytes) const;
    /// What the authority says, of a key or at last of a signature.
    void pass_on(plan& p, authority::verdict verdict) const;
    static void refuse(plan& p, authority::refusal const& why);

private:
    [[nodiscard]] std::optional<contract::failure> check_form(
        request_parser const& read, std::size_t head_bytes) const;
    [[nodiscard]] std::string source_of(http::fields const& head) const;
    void authorize(plan& p, http::fields const& head) const;

    ground& on_;
    ends const& where_;
};

} // namespace ccbt::server
