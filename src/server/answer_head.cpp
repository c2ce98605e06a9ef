#include "server/answer_head.hpp"

#include <ctime>
#include <fmt/core.h>
#include <iterator>

namespace ccbt::server {

namespace {

std::string_view reason_of(int status) {
    switch (status) {
    case 200: return "OK";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 507: return "Insufficient Storage";
    default: return ""; // a reason may be empty
    }
}

// RFC 9110, 5.6.7; formatted once a second.
std::string_view date_now() {
    thread_local std::time_t of = 0;
    thread_local char text[32];
    thread_local std::size_t size = 0;
    if (auto const now = std::time(nullptr); now != of) {
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        size =
            std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts); // the C locale is in force
        of = now;
    }
    return {text, size};
}

} // namespace

std::string head_of(answer const& a, manner how, std::size_t length, bool packed) {
    std::string head;
    head.reserve(512);
    auto const to = std::back_inserter(head);
    fmt::format_to(to, "HTTP/1.1 {} {}\r\nDate: {}\r\n", a.status, reason_of(a.status), date_now());
    if (a.status != 304)
        fmt::format_to(to, "Content-Type: {}\r\nContent-Length: {}\r\n", a.content_type, length);
    auto const field = [&](std::string_view name, std::string_view value) {
        if (value.empty()) return;
        ((((head += name) += ": ") += value) += "\r\n");
    };
    field("X-CCBT-Revision", a.revision);
    field("ETag", a.etag);
    field("Allow", a.allow);
    if (a.retry_after > 0) fmt::format_to(to, "Retry-After: {}\r\n", a.retry_after);
    if (packed) head += "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n";
    head += a.etag.empty() ? "Cache-Control: no-store\r\n" : "Cache-Control: no-cache\r\n";
    head += "X-Content-Type-Options: nosniff\r\n";
    // A page of ours asks nobody but this daemon, and stands in nobody's frame.
    if (a.content_type.starts_with("text/html"))
        head += "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
                "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
                "Referrer-Policy: no-referrer\r\n";
    if (a.close)
        head += "Connection: close\r\n";
    else if (how.http_1_0)
        head += "Connection: keep-alive\r\n";
    head += "\r\n";
    return head;
}

} // namespace ccbt::server
