#include "support/http.hpp"

#include "base/text.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <stdexcept>
#include <unistd.h>

namespace ccbt::support {

namespace {

std::size_t number(std::string_view text, int base) {
    std::size_t out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out, base);
    return out;
}

bool names(headers const& list, std::string_view name) {
    for (auto const& [key, value] : list)
        if (text::equal_ignoring_case(key, name)) return true;
    return false;
}

unsigned byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

/// For tools/conformance: what was asked, with what end, by which test ("integration.daemon_security.…").
void keep_record(std::string_view method, std::string_view target, int status) {
    static auto const* const folder = std::getenv("CONFORMANCE_RECORDS");
    auto const* const test = testing::UnitTest::GetInstance()->current_test_info();
    if (folder == nullptr || test == nullptr || status == 0) return;
    std::string_view program = program_invocation_short_name; // "integration_tests"
    if (program.ends_with("_tests")) program.remove_suffix(6);
    std::ofstream{std::string{folder} + "/http." + std::to_string(::getpid()), std::ios::app}
        << method << ' ' << target << ' ' << status << ' ' << program << '.' << test->test_suite_name() << '.'
        << test->name() << '\n';
}

} // namespace

std::string answer::header(std::string const& name) const {
    auto const at = headers.find(name);
    return at == headers.end() ? std::string{} : at->second;
}

std::string request_text(
    std::string_view method, std::string_view target, headers const& more, std::string_view body) {
    auto out = std::string{method} + ' ' + std::string{target} + " HTTP/1.1\r\n";
    if (!names(more, "Host")) out += "Host: 127.0.0.1\r\n";
    for (auto const& [key, value] : more) out += key + ": " + value + "\r\n";
    auto const frames_itself = names(more, "Content-Length") || names(more, "Transfer-Encoding");
    if (!frames_itself && (!body.empty() || method != "GET"))
        out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    if (!body.empty() && !names(more, "Content-Type")) out += "Content-Type: application/json\r\n";
    return out + "\r\n" + std::string{body};
}

bool http_connection::send(std::string_view bytes, milliseconds within) const {
    return socket_.send(bytes, within);
}

bool http_connection::fill(deadline const& until) {
    auto const more = socket_.receive(until);
    read_ += more;
    return !more.empty();
}

answer http_connection::receive(milliseconds within, bool to_head) {
    deadline const until{within};
    answer out;
    std::size_t head = std::string::npos;
    while ((head = read_.find("\r\n\r\n")) == std::string::npos)
        if (!fill(until)) return out;
    auto const lines = read_.substr(0, head);
    read_.erase(0, head + 4);
    bool is_first = true;
    for (auto line : text::split(lines, '\n')) {
        line = text::trim(line);
        if (is_first) {
            out.status = static_cast<int>(number(line.substr(std::min<std::size_t>(9, line.size())), 10));
        } else if (auto const colon = line.find(':'); colon != std::string_view::npos) {
            out.headers[text::lower(line.substr(0, colon))] = text::trim(line.substr(colon + 1));
        }
        is_first = false;
    }
    if (out.status == 100) return receive(until.left(), to_head);
    if (to_head || out.status == 204 || out.status == 304 || out.status == 101) return out;

    if (text::equal_ignoring_case(out.header("transfer-encoding"), "chunked")) {
        for (std::size_t size = 1; size != 0;) {
            std::size_t end = std::string::npos;
            while ((end = read_.find("\r\n")) == std::string::npos)
                if (!fill(until)) return {};
            size = number(std::string_view{read_}.substr(0, end), 16);
            while (read_.size() < end + 2 + size + 2)
                if (!fill(until)) return {};
            out.body += read_.substr(end + 2, size);
            read_.erase(0, end + 2 + size + 2);
        }
    } else if (out.headers.contains("content-length")) {
        auto const size = number(out.header("content-length"), 10);
        while (read_.size() < size)
            if (!fill(until)) return {};
        out.body = read_.substr(0, size);
        read_.erase(0, size);
    } else {
        while (fill(until)) {}
        out.body = std::exchange(read_, {});
    }
    if (auto read = wire::parse(out.body, {.elements = 4'000'000, .string_bytes = std::size_t{64} << 20}))
        out.json = std::move(*read);
    return out;
}

answer http_connection::ask(
    std::string_view method, std::string_view target, headers const& more, std::string_view body) {
    // A server may answer, and close, before it has read all of it.
    if (!send(request_text(method, target, more, body)) && read_.empty()) return receive(milliseconds{5000});
    auto said = receive(milliseconds{30'000}, method == "HEAD");
    keep_record(method, target, said.status);
    return said;
}

bool http_connection::is_closed(milliseconds within) {
    deadline const until{within};
    return read_.empty() && !fill(until) && !until.is_over();
}

web_socket::web_socket(
    std::string const& address, std::uint16_t port, std::string const& target, headers const& more,
    std::string const& from)
    : http_connection(address, port, from) {
    headers all{
        {"Host", address + ':' + std::to_string(port)},
        {"Upgrade", "websocket"},
        {"Connection", "Upgrade"},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
    all.insert(all.end(), more.begin(), more.end());
    auto const said = ask("GET", target, all);
    // RFC 6455, section 1.3: what that key must be answered with.
    if (said.status != 101 || said.header("sec-websocket-accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        throw std::runtime_error(
            "no WebSocket at " + target + ": " + std::to_string(said.status) + ' ' + said.body);
}

void web_socket::send(std::string_view text) { send_frame(1, text); }

void web_socket::send_frame(int opcode, std::string_view payload) {
    std::string frame{static_cast<char>(0x80 | opcode)};
    if (payload.size() < 126) {
        frame += static_cast<char>(0x80U | payload.size());
    } else {
        auto const is_long = payload.size() > 0xffff;
        frame += static_cast<char>(0x80 | (is_long ? 127 : 126));
        for (int shift = is_long ? 56 : 8; shift >= 0; shift -= 8)
            frame += static_cast<char>((payload.size() >> shift) & 0xffU);
    }
    frame.append(4, '\0'); // a mask of zeros is a mask
    frame += payload;
    http_connection::send(frame);
}

std::optional<wire::value> web_socket::next(deadline const& until) {
    std::string message;
    for (;;) {
        auto const have = [&](std::size_t size) {
            while (read_.size() < size)
                if (!fill(until)) {
                    if (!until.is_over() && !closing_) closing_.emplace(1006, "");
                    return false;
                }
            return true;
        };
        if (closing_ || !have(2)) return std::nullopt;
        auto const first = byte_at(read_, 0);
        std::size_t size = byte_at(read_, 1) & 0x7fU;
        std::size_t const more = size == 126 ? 2 : size == 127 ? 8 : 0;
        if (!have(2 + more)) return std::nullopt;
        if (more != 0) size = 0;
        for (std::size_t i = 0; i < more; ++i) size = size << 8 | byte_at(read_, 2 + i);
        if (!have(2 + more + size)) return std::nullopt;
        auto const payload = read_.substr(2 + more, size);
        read_.erase(0, 2 + more + size);
        auto const opcode = first & 0x0fU;
        if (opcode == 8) {
            closing_.emplace(1005, "");
            if (size >= 2)
                closing_.emplace(
                    static_cast<int>(byte_at(payload, 0) << 8 | byte_at(payload, 1)), payload.substr(2));
            send_frame(8, std::string_view{payload}.substr(0, std::min<std::size_t>(size, 2)));
        } else if (opcode == 9) {
            send_frame(10, payload);
        } else if (opcode <= 2) {
            message += payload;
            if ((first & 0x80U) == 0) continue;
            if (auto read = wire::parse(message)) return std::move(*read);
            throw std::runtime_error("no JSON over the WebSocket: " + message);
        }
    }
}

} // namespace ccbt::support
