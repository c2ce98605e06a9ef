#include "gateway/http_ask.hpp"

#include "base/net_http.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <fmt/core.h>
#include <sys/socket.h>

namespace ccbt::gateway {

namespace {

unexpected<refusal> silent() { return refuses(trouble::no_answer, "the gateway does not answer"); }
unexpected<refusal> strange() { return refuses(trouble::refused, "what the gateway answers cannot be used"); }

bool connect(int socket, place const& to, patience const& within) {
    auto where = at(to.address, to.port);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0) return true;
    if (errno != EINPROGRESS || !within.wait(socket, POLLOUT)) return false;
    int failed = 0;
    socklen_t size = sizeof failed;
    return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 && failed == 0;
}

bool send(int socket, std::string_view text, patience const& within) {
    while (!text.empty()) {
        auto const sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent > 0)
            text.remove_prefix(static_cast<std::size_t>(sent));
        else if ((errno != EAGAIN && errno != EINTR) || !within.wait(socket, POLLOUT))
            return false;
    }
    return true;
}

outcome<http_reply> receive(int socket, patience const& within) {
    http::response_parser<http::string_body> parser;
    parser.eager(true);
    parser.header_limit(16 * 1024);
    parser.body_limit(longest_answer);
    std::string read;
    std::array<char, 8192> piece{};
    while (!parser.is_done()) {
        if (!within.wait(socket, POLLIN)) return silent();
        auto const got = ::recv(socket, piece.data(), piece.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got < 0) return silent();
        error_code failed;
        if (got == 0) {
            if (!parser.got_some()) return silent(); // Beast takes a close without a byte for a 200
            parser.put_eof(failed);
            if (failed || !parser.is_done()) return strange();
            break;
        }
        read.append(piece.data(), static_cast<std::size_t>(got));
        auto const used = parser.put(asio::buffer(read), failed);
        read.erase(0, used);
        if (failed && failed != http::error::need_more) return strange();
        if (read.size() > longest_answer) return strange();
    }
    auto held = parser.release();
    return http_reply{static_cast<int>(held.result_int()), std::move(held.body()), {}};
}

} // namespace

std::optional<place> place::parse(std::string_view url) {
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme) || url.size() > 512) return std::nullopt;
    if (!std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f'; }))
        return std::nullopt;
    url.remove_prefix(scheme.size());
    auto const slash = std::min(url.find('/'), url.size());
    auto host = url.substr(0, slash);
    place out;
    if (slash < url.size()) out.path = url.substr(slash);
    if (auto const colon = host.find(':'); colon != std::string_view::npos) {
        auto const digits = host.substr(colon + 1);
        auto const [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
        if (failed != std::errc{} || end != digits.data() + digits.size() || out.port < 1 || out.port > 65535)
            return std::nullopt;
        host = host.substr(0, colon);
    }
    if (::inet_pton(AF_INET, std::string{host}.c_str(), &out.address) != 1) return std::nullopt;
    return out;
}

std::string place::host() const {
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &address, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), port);
}

outcome<http_reply> ask_http(
    place const& where, std::optional<in_addr> from, std::string_view head, std::string_view body,
    patience const& within) {
    descriptor const socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    auto text = fmt::format("{}Host: {}\r\nConnection: close\r\n", head, where.host());
    if (!body.empty()) text += fmt::format("Content-Length: {}\r\n", body.size());
    text += "\r\n";
    text += body;
    if (!socket || (from && !bind_to(socket.get(), *from)) || !connect(socket.get(), where, within) ||
        !send(socket.get(), text, within))
        return silent();
    sockaddr_in own{};
    socklen_t size = sizeof own;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0) return silent();
    auto got = receive(socket.get(), within);
    if (got) got->own_address = own.sin_addr;
    return got;
}

} // namespace ccbt::gateway
