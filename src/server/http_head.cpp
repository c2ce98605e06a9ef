#include "server/http_head.hpp"

#include "base/safeguard.hpp"
#include "base/text.hpp"
#include "contract/signature.hpp"

#include <fmt/core.h>

namespace ccbt::server {

using contract::errc;
using contract::failure;

failure too_large(std::size_t most) {
    return {errc::body_too_large, fmt::format("the body may have {} bytes at most", most), {}};
}

bool has_body(request_parser const& read) {
    auto const length = read.content_length();
    return read.chunked() || (length && *length > 0);
}

std::string doorman::source_of(http::fields const& head) const {
    if (!where_.proxied) return where_.remote;
    std::string_view last; // of several, the one that our proxy wrote
    auto const [first, end] = head.equal_range("X-Forwarded-For");
    for (auto at = first; at != end; ++at) last = view(at->value());
    auto told = forwarded_for(last, on_.options.trusted_proxies);
    return told.empty() ? where_.remote : told;
}

plan doorman::look_at(request_parser const& read, std::size_t head_bytes) const {
    plan p;
    auto const& head = read.get();
    p.how.http_1_0 = head.version() == 10;
    p.how.head_only = head.method() == http::verb::head;
    p.how.takes_gzip = !where_.loopback && takes_gzip(view(head[http::field::accept_encoding]));
    p.how.expects = !p.how.http_1_0 && has_body(read) &&
                    text::equal_ignoring_case(view(head[http::field::expect]), "100-continue");
    p.refusal = check_form(read, head_bytes);
    auto const target = read_target(view(head.target()), view(head[http::field::host]));
    if (!p.refusal && !target) p.refusal = failure{errc::bad_request, "the target must be a path", {}};
    p.sound = !p.refusal;
    if (p.refusal) return p;

    auto const host = in_force(safeguard::target_host_counts) ? target->host : view(head[http::field::host]);
    if (in_force(safeguard::host_check)) p.refusal = check_host(on_.rules, host, where_.local);
    auto const [first, last] = head.equal_range(http::field::origin);
    for (auto at = first; !p.refusal && at != last && in_force(safeguard::origin_check); ++at)
        p.refusal = check_origin(view(at->value()), host);
    if (p.refusal) return p;

    auto found = on_.table.find(view(head.method_string()), target->path);
    if (found.to == nullptr) {
        p.refusal = found.path_known ? failure{errc::method_not_allowed, "this path takes " + found.allow, {}}
                                     : failure{errc::not_found, "there is nothing at this path", {}};
        p.allow = std::move(found.allow);
        return p;
    }
    p.to = found.to;
    p.name = found.to->promise->name;
    p.most = on_.options.limits.body_of(found.to->promise->max_body);
    p.request.path = std::move(found.path);
    p.target = view(head.target());
    p.path = target->path;
    auto query = read_query(target->query);
    if (!query) {
        p.refusal = failure{errc::bad_request, "the query's percent-encoding is broken", {}};
        return p;
    }
    p.request.query = std::move(*query);
    for (auto const header : p.to->headers)
        if (auto const at = head.find(beast::string_view{header.data(), header.size()}); at != head.end())
            p.request.headers.emplace_back(header, std::string{view(at->value())});
    p.source = source_of(head);
    authorize(p, head);
    if (p.refusal || p.to->is_socket) return p;
    if (in_force(safeguard::content_type_check))
        p.refusal = check_type(view(head[http::field::content_type]), has_body(read));
    if (auto const length = read.content_length();
        !p.refusal && length && *length > p.most && in_force(safeguard::body_limit_before_read))
        p.refusal = too_large(p.most);
    return p;
}

// Whether the head is one that we understand, and understand as everyone between us and the client does.
std::optional<failure> doorman::check_form(request_parser const& read, std::size_t head_bytes) const {
    auto const& head = read.get();
    auto const& limits = on_.options.limits;
    auto const line =
        head.method_string().size() + head.target().size() + std::size_t{12}; // "  HTTP/1.1\r\n"
    if (line > limits.request_line && in_force(safeguard::header_limits))
        return failure{errc::uri_too_long, "the request line is too long", {}};
    if (head_bytes > limits.header_block + line && in_force(safeguard::header_limits))
        return failure{errc::headers_too_large, "the headers are too large", {}};
    if (static_cast<std::size_t>(std::distance(head.begin(), head.end())) > limits.header_fields &&
        in_force(safeguard::header_limits))
        return failure{errc::headers_too_large, "too many header fields", {}};
    auto const hosts = head.count(http::field::host);
    if (hosts > 1 || (hosts == 0 && head.version() == 11))
        return failure{errc::bad_request, "one Host header is needed", {}};
    if (!in_force(safeguard::framed_two_ways)) return std::nullopt;
    auto const codings = head.count(http::field::transfer_encoding);
    if (codings > 1 ||
        (codings == 1 && (!text::equal_ignoring_case(view(head[http::field::transfer_encoding]), "chunked") ||
                          head.version() == 10)))
        return failure{errc::bad_request, "no other transfer coding than chunked is understood", {}};
    auto const lengths = head.count(http::field::content_length);
    if (lengths + codings > 1 || head[http::field::content_length].find(',') != beast::string_view::npos)
        return failure{errc::bad_request, "the body is framed two ways", {}};
    return std::nullopt;
}

// A signature that is there is what counts, with no key beside it. What it covers is seen when all of it is here;
// what can be judged without, is judged now, before a byte of the body is read.
void doorman::authorize(plan& p, http::fields const& head) const {
    auto const needs = p.to->promise->needs;
    if (needs == contract::scope::open ||
        (needs == contract::scope::metrics && on_.loopback_bind && !on_.options.metrics_need_key))
        return;
    auto const sent = [&](std::string_view name) -> std::optional<std::string_view> {
        auto const at = head.find(beast::string_view{name.data(), name.size()});
        return at == head.end() ? std::nullopt : std::optional{view(at->value())};
    };
    authority::signature_text written{
        sent(contract::public_key_header), sent(contract::timestamp_header),
        sent(contract::signature_header)};
    auto key = sent("X-CCBT-API-Key");
    if (p.to->is_socket && !key && !written.is_there()) // a browser's WebSocket sends no headers of ours
        for (auto const& [name, value] : p.request.query) {
            if (name == "api_key") key = value;
            if (name == "public_key") written.public_key = value;
            if (name == "timestamp") written.timestamp = value;
            if (name == "signature") written.signature = value;
        }
    // Nobody but the kernel says who that is, and who comes through a proxy is another.
    bool const is_forwarded = (sent("Forwarded") || sent("X-Forwarded-For") || sent("X-Real-IP")) &&
                              in_force(safeguard::forwarded_is_not_own_user);
    if (where_.own_user && !key && !written.is_there() && !is_forwarded)
        return pass_on(p, authority::pass_of_own_user());
    if (written.is_there()) {
        auto claim = on_.keys.read(written, p.source);
        if (claim)
            p.claim = std::move(*claim);
        else if (key && !in_force(safeguard::signature_no_fall_through))
            pass_on(p, on_.keys.check(key, p.source));
        else
            refuse(p, claim.error());
    } else {
        pass_on(p, on_.keys.check(key, p.source));
    }
}

void doorman::pass_on(plan& p, authority::verdict verdict) const {
    if (!verdict) return refuse(p, verdict.error());
    auto const needs = p.to->promise->needs;
    if (!verdict->who.scopes.has(needs) && in_force(safeguard::scopes_by_route)) {
        if (p.to->is_socket) return;
        std::vector<std::string> has;
        verdict->who.scopes.each([&](contract::scope, std::string_view name) { has.emplace_back(name); });
        auto const needed = std::string{contract::name_of(needs)};
        p.refusal = failure{
            errc::forbidden_scope,
            "the scope " + needed + " is needed",
            {{"needs", needed}, {"has", std::move(has)}}};
        return;
    }
    p.request.who = verdict->who;
    p.pass = std::move(*verdict);
}

void doorman::refuse(plan& p, authority::refusal const& why) {
    p.pass.reset();
    if (p.to->is_socket) return; // it is told by its close
    p.retry_after = why.retry_after;
    p.refusal =
        why.why == errc::rate_limited
            ? failure{errc::rate_limited, "too many wrong keys: wait", {}}
            : failure{errc::auth_required, "a key is needed: send X-CCBT-API-Key, or sign the request", {}};
}

} // namespace ccbt::server
