// server: the bytes of a connection to a whole server in this process, over a Unix socket, with the contract's routes and
// deeds that only decode. The first byte says what they are (HTTP; WebSocket frames; frames that are masked and get their
// lengths here), the second where they are cut in two on their way.
#include "base/text.hpp"
#include "fuzz.hpp"
#include "server/dispatch.hpp"
#include "server/server.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace ccbt::fuzz {

namespace {

template <class Endpoint> task<server::answer> decode_only(server::call from) {
    auto const read = server::decode_call<typename Endpoint::request>(from, {});
    server::answer a;
    if (!read)
        a = server::answer_error(read.error());
    else
        a.body.text = R"({"done":")" + std::string{Endpoint::route.name} + "\"}";
    co_return a;
}

std::vector<server::route> routes() {
    std::vector<server::route> all;
    contract::all_endpoints::each([&]<class Endpoint>() {
        auto& r = all.emplace_back();
        r.promise = &Endpoint::route;
        r.takes_body = true;
        r.is_socket = std::same_as<typename Endpoint::response, contract::upgrade>;
        r.headers = {server::idempotency_key, "If-None-Match"};
        if (!r.is_socket) r.handle = &decode_only<Endpoint>;
    });
    return all;
}

class house {
public:
    house() {
        server::server_options options;
        options.api_key = "secret";
        options.limits.failed_keys = 1'000'000'000;
        options.limits.message_bytes = 4096;
        server_ = std::make_unique<server::server>(loop_, routes(), options, counted_);
        server_->listen_also({.unix_path = path()});
        require(server_->listen().has_value(), "a server listens");
        thread_ = std::thread{[this] { loop_.run(); }};
    }
    house(house const&) = delete;
    house& operator=(house const&) = delete;
    ~house() {
        loop_.stop();
        thread_.join();
        server_.reset();
        ::unlink(path().c_str());
    }
    static std::string path() { return "/tmp/ccbt-fuzz-" + std::to_string(::getpid()); }

private:
    metrics::door counted_;
    loop loop_{1};
    std::unique_ptr<server::server> server_;
    std::thread thread_;
};

// All that is said to these bytes, until the connection is at its end.
std::string said_to(std::string_view bytes, std::size_t cut) {
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    house::path().copy(at.sun_path, sizeof at.sun_path - 1);
    require(
        ::connect(fd, reinterpret_cast<sockaddr const*>(&at), sizeof at) == 0, "a server takes connections");
    std::string out;
    std::string_view left[] = {
        bytes.substr(0, std::min(cut, bytes.size())), bytes.substr(std::min(cut, bytes.size()))};
    for (auto& part : left) {
        while (!part.empty()) {
            auto const n = ::send(fd, part.data(), part.size(), MSG_NOSIGNAL);
            if (n <= 0) break; // it was refused, and the rest is of no interest
            part.remove_prefix(static_cast<std::size_t>(n));
        }
        std::this_thread::yield();
    }
    ::shutdown(fd, SHUT_WR);
    for (char some[8192];;) {
        pollfd p{fd, POLLIN, 0};
        require(::poll(&p, 1, 50'000) == 1, "a connection comes to its end", bytes);
        auto const n = ::recv(fd, some, sizeof some, 0);
        if (n <= 0) break;
        out.append(some, static_cast<std::size_t>(n));
    }
    ::close(fd);
    return out;
}

void hold_http(std::string_view said) {
    if (said.empty()) return;
    require(said.starts_with("HTTP/1.1 ") && said.size() > 12, "an answer is HTTP", said);
    auto const status = said.substr(9, 3);
    require(status[0] != '5' || status == "503", "nothing is an error of ours", said);
    auto const end = said.find("\r\n\r\n");
    require(end != said.npos, "a head has an end", said);
    for (auto const line : text::split(said.substr(0, end), '\n'))
        require(line.find_first_of(std::string_view{"\0\x7f", 2}) == line.npos, "a head is of lines", said);
}

void hold_frames(std::string_view said) {
    bool closed = false;
    while (!said.empty()) {
        require(!closed, "nothing stands behind a close", said);
        auto const first = take_byte(said), lead = take_byte(said);
        std::size_t size = lead;
        if (lead >= 126) {
            size = 0;
            for (auto i = lead == 126 ? 2 : 8; i > 0; --i) size = size << 8 | take_byte(said);
        }
        require(lead < 128 && size <= said.size(), "a frame is whole and not masked", said);
        auto const payload = said.substr(0, size);
        said.remove_prefix(size);
        closed = first == 0x88;
        require(
            first == 0x81 || closed || first == 0x89 || first == 0x8a, "a frame is of a kind that we send",
            payload);
        if (first == 0x81) require(wire::parse(payload).has_value(), "a message is JSON", payload);
        if (closed) require(size == 0 || size >= 2, "a close has a code", payload);
    }
}

std::string without_dates(std::string_view said) {
    std::string out;
    for (auto const line : text::split(said, '\n'))
        if (!line.starts_with("Date: ")) (out += line) += '\n';
    return out;
}

std::string framed(std::string_view bytes) {
    std::string out;
    while (!bytes.empty()) {
        out += static_cast<char>(take_byte(bytes));
        auto const payload = take_until(bytes, '\n');
        if (payload.size() > 125) {
            out += '\xfe';
            out += static_cast<char>(payload.size() >> 8);
            out += static_cast<char>(payload.size() & 255);
        } else {
            out += static_cast<char>(0x80U | payload.size());
        }
        out += std::string(4, '\0');
        out += payload;
    }
    return out;
}

constexpr std::string_view upgrade =
    "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

} // namespace

void look_at(std::string_view bytes) {
    static house const at;
    auto const kind = take_byte(bytes) % 3, cut = take_byte(bytes) * 4;
    if (kind == 0) {
        auto const said = said_to(bytes, bytes.size());
        hold_http(said);
        auto const again = said_to(bytes, cut);
        require(
            without_dates(said) == without_dates(again), "it is the same in two pieces",
            said + "\n---\n" + again);
        return;
    }
    // A server that is spoken to before it has answered the upgrade may take that for anything: it is waited for.
    auto const said =
        said_to(std::string{upgrade} + (kind == 1 ? std::string{bytes} : framed(bytes)), upgrade.size());
    hold_http(said);
    if (said.starts_with("HTTP/1.1 101"))
        hold_frames(std::string_view{said}.substr(said.find("\r\n\r\n") + 4));
}

} // namespace ccbt::fuzz
