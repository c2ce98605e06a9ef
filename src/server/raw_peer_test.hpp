// For the tests of this room: a server on loopback with a handful of toy routes, and a peer that says exactly the bytes
// that it is told to.
#pragma once

#include "server/server.hpp"

#include <arpa/inet.h>
#include <cstring>
#include <future>
#include <map>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace ccbt::server::testing {

inline constexpr std::chrono::seconds patience{20}; // of a test with what must come

// ---- a peer

struct seen_answer {
    int status = 0;
    std::map<std::string, std::string> fields; // names in lower case
    std::string body;
    [[nodiscard]] std::string field(std::string const& name) const {
        auto const at = fields.find(name);
        return at == fields.end() ? std::string{} : at->second;
    }
    [[nodiscard]] std::string code() const { // of an error
        auto const at = body.find(R"("code":")");
        return at == std::string::npos ? std::string{} : body.substr(at + 8, body.find('"', at + 8) - at - 8);
    }
};

class raw_peer {
public:
    explicit raw_peer(int port, char const* from = nullptr, int receive_buffer = 0)
        : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        if (receive_buffer > 0)
            ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        if (from != nullptr) {
            ::inet_pton(AF_INET, from, &at.sin_addr);
            ::bind(fd_, reinterpret_cast<sockaddr const*>(&at), sizeof at);
        }
        ::inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
        at.sin_port = htons(static_cast<std::uint16_t>(port));
        if (::connect(fd_, reinterpret_cast<sockaddr const*>(&at), sizeof at) != 0)
            throw std::runtime_error{std::string{"no connection: "} + std::strerror(errno)};
    }
    ~raw_peer() { ::close(fd_); }
    raw_peer(raw_peer const&) = delete;
    raw_peer& operator=(raw_peer const&) = delete;

    void say(std::string_view bytes) {
        while (!bytes.empty()) {
            auto const n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return; // it hung up: what it said before that is what counts
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
    }
    void say_no_more() { ::shutdown(fd_, SHUT_WR); }

    /// Reads until `enough` is content with what came, or the other side ended; false where it did not come in time.
    template <class Enough> bool hear(Enough enough) {
        auto const until = steady::now() + patience;
        while (!enough()) {
            pollfd p{fd_, POLLIN, 0};
            auto const left =
                std::chrono::duration_cast<std::chrono::milliseconds>(until - steady::now()).count();
            if (left <= 0 || ::poll(&p, 1, static_cast<int>(left)) <= 0) return false;
            char some[65536];
            auto const n = ::recv(fd_, some, sizeof some, 0);
            if (n <= 0) {
                ended_ = true;
                reset_ = n < 0;
                return enough();
            }
            heard_.append(some, static_cast<std::size_t>(n));
        }
        return true;
    }

    /// The next answer; status 0 where the connection ended (or nothing came in time) instead.
    seen_answer answer(bool with_body = true) {
        seen_answer a;
        auto end = std::string::npos;
        if (!hear([&] { return (end = heard_.find("\r\n\r\n")) != std::string::npos; })) return a;
        auto const head = heard_.substr(0, end + 2);
        heard_.erase(0, end + 4);
        a.status = std::stoi(head.substr(9, 3));
        for (auto at = head.find("\r\n") + 2; at < head.size();) {
            auto const stop = head.find("\r\n", at);
            auto const colon = head.find(": ", at);
            std::string name = head.substr(at, colon - at);
            for (auto& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            a.fields[name] = head.substr(colon + 2, stop - colon - 2);
            at = stop + 2;
        }
        auto const length = a.field("content-length");
        if (length.empty() || !with_body) return a;
        std::size_t const size = std::stoul(length);
        if (!hear([&] { return heard_.size() >= size; })) throw std::runtime_error{"the body was cut short"};
        a.body = heard_.substr(0, size);
        heard_.erase(0, size);
        return a;
    }

    /// The other side ended the connection, in order, and said nothing more.
    [[nodiscard]] bool ends() {
        hear([&] { return ended_; });
        return ended_ && !reset_ && heard_.empty();
    }
    [[nodiscard]] bool is_gone() { // ended, in order or not
        hear([&] { return ended_; });
        return ended_;
    }

    // ---- WebSocket (RFC 6455)

    bool upgrade(
        int port, std::string const& more = "X-CCBT-API-Key: secret\r\n", std::string const& query = {}) {
        say("GET /api/v1/events" + query + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
            "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
            more + "\r\n");
        auto const a = answer();
        return a.status == 101 && a.field("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    }
    void frame(int opcode, std::string_view payload, bool masked = true) {
        std::string out{static_cast<char>(0x80 | opcode)};
        int const mask = masked ? 0x80 : 0;
        if (payload.size() < 126) {
            out += static_cast<char>(mask | static_cast<int>(payload.size()));
        } else if (payload.size() < 65536) {
            out += static_cast<char>(mask | 126);
            for (int shift : {8, 0}) out += static_cast<char>(payload.size() >> shift);
        } else {
            out += static_cast<char>(mask | 127);
            for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift);
        }
        if (masked) out += "\x01\x02\x03\x04";
        for (std::size_t i = 0; i < payload.size(); ++i)
            out += masked ? static_cast<char>(payload[i] ^ static_cast<char>(1 + i % 4)) : payload[i];
        say(out);
    }
    void text(std::string_view payload) { frame(1, payload); }

    struct message {
        int opcode = -1; // -1: the connection ended
        std::string payload;
        [[nodiscard]] int close_code() const {
            if (opcode != 8 || payload.size() < 2) return 0;
            return (static_cast<unsigned char>(payload[0]) << 8) | static_cast<unsigned char>(payload[1]);
        }
    };
    message next() {
        auto const byte = [&](std::size_t i) {
            return static_cast<std::size_t>(static_cast<unsigned char>(heard_[i]));
        };
        if (!hear([&] { return heard_.size() >= 2; })) return {};
        std::size_t size = byte(1) & 0x7f, head = 2;
        if (size >= 126) {
            std::size_t const more = size == 126 ? 2 : 8;
            if (!hear([&] { return heard_.size() >= head + more; })) return {};
            size = 0;
            for (; head < 2 + more; ++head) size = size << 8 | byte(head);
        }
        if (!hear([&] { return heard_.size() >= head + size; })) return {};
        message m{static_cast<int>(byte(0)) & 0x0f, heard_.substr(head, size)};
        heard_.erase(0, head + size);
        return m;
    }
    std::string next_text() {
        auto m = next();
        return m.opcode == 1 ? m.payload : "not a text but opcode " + std::to_string(m.opcode);
    }

private:
    int fd_;
    std::string heard_;
    bool ended_ = false, reset_ = false;
};

// ---- the server

namespace toys {

inline contract::promise const status{
    .name = "toy.status", .method = contract::verb::get, .path = "/status", .needs = contract::scope::read};
inline contract::promise const health{
    .name = "toy.health",
    .method = contract::verb::get,
    .path = "/health",
    .needs = contract::scope::open,
    .at_root = true};
inline contract::promise const metrics{
    .name = "toy.metrics",
    .method = contract::verb::get,
    .path = "/metrics",
    .needs = contract::scope::metrics,
    .at_root = true};
inline contract::promise const events{
    .name = "toy.events", .method = contract::verb::get, .path = "/events", .needs = contract::scope::read};
inline contract::promise const echo{
    .name = "toy.echo",
    .method = contract::verb::post,
    .path = "/echo",
    .needs = contract::scope::add,
    .max_body = 100'000};
inline contract::promise const big{
    .name = "toy.big", .method = contract::verb::get, .path = "/big", .needs = contract::scope::read};
inline contract::promise const slow{
    .name = "toy.slow", .method = contract::verb::post, .path = "/slow", .needs = contract::scope::read};
inline contract::promise const broken{
    .name = "toy.broken", .method = contract::verb::get, .path = "/broken", .needs = contract::scope::read};
inline contract::promise const item{
    .name = "toy.item",
    .method = contract::verb::del,
    .path = "/item/{name*}",
    .needs = contract::scope::remove};

inline answer text_answer(std::string text) {
    answer a;
    a.body.text = std::move(text);
    a.revision = "r1";
    return a;
}
inline task<answer> say_ok(call) { co_return text_answer(R"({"status":"ok"})"); }
inline task<answer> say_item(call from) { co_return text_answer('"' + from.path.at(0).second + '"'); }
inline task<answer> say_body(call from) {
    std::string tag;
    for (auto const& [name, value] : from.headers) tag += name + '=' + value;
    auto a = text_answer(std::move(from.body));
    a.etag = tag.empty() ? tag : '"' + tag + '"';
    co_return a;
}
inline task<answer> say_much(call) {
    auto a = text_answer(std::string(200'000, 'a'));
    for (int i = 0; i <= 10'000; ++i) // rows, with a page of them in between
        a.body.pieces.emplace_back(i == 5'000 ? std::string(5'000'000, 'c') : std::string(500, 'b'));
    co_return a;
}
inline task<answer> fail(call) { // a bug of a deed
    throw std::runtime_error{"/a/path/of/ours"};
    co_return answer{};
}

} // namespace toys

/// A server with its loop on a thread of its own. `limits` and `options` are set before start().
class house {
public:
    house() {
        options.api_key = "secret";
        options.limits.look_every = std::chrono::milliseconds{20};
    }
    ~house() {
        loop_.stop();
        if (thread_.joinable()) thread_.join();
    }

    int start() {
        using namespace toys;
        auto const plain = [](contract::promise const& of, task<answer> (*deed)(call)) {
            route r;
            r.promise = &of;
            r.handle = deed;
            return r;
        };
        std::vector<route> routes{plain(status, say_ok), plain(health, say_ok), plain(metrics, say_ok),
                                  plain(big, say_much),  plain(broken, fail),   plain(item, say_item)};
        routes.push_back(plain(echo, say_body));
        routes.back().takes_body = true;
        routes.back().headers = {"If-None-Match"};
        routes.push_back(plain(events, nullptr));
        routes.back().is_socket = true;
        routes.push_back(plain(slow, nullptr));
        routes.back().handle = [this](call) { return wait_at_gate(this); };
        server_ = std::make_unique<server>(loop_, std::move(routes), options, counted);
        server_->listen_also(ways);
        auto const url = server_->listen();
        if (!url) throw std::runtime_error{url.error()};
        port = std::stoi(url->substr(url->rfind(':') + 1));
        thread_ = std::thread{[this] { loop_.run(); }};
        return port;
    }

    /// Runs on the loop and waits for it.
    template <class F> auto on_loop(F what) {
        std::packaged_task<std::invoke_result_t<F&>()> job{std::move(what)};
        auto made = job.get_future();
        loop_.post([&] { job(); });
        return made.get();
    }
    /// Waits until it is so, asking on the loop.
    template <class F> [[nodiscard]] bool becomes(F so) {
        for (auto const until = steady::now() + patience; steady::now() < until; std::this_thread::yield())
            if (on_loop(so)) return true;
        return false;
    }
    void release() {
        std::vector<job> all;
        if (thread_.joinable()) on_loop([&] { all = std::exchange(gate_, {}); });
        for (auto& one : all) loop_.post(std::move(one));
    }
    [[nodiscard]] bool someone_waits(std::size_t n = 1) {
        return becomes([this, n] { return gate_.size() == n; });
    }
    std::future<void> stop(std::chrono::milliseconds within) {
        auto stopped = std::make_shared<std::promise<void>>();
        auto done = stopped->get_future();
        on_loop([&] { server_->stop(within, [stopped] { stopped->set_value(); }); });
        return done;
    }
    void publish(contract::event_type type, std::string message, std::int64_t seq = 1) {
        contract::event told;
        told.type = type;
        told.timestamp = 1.5;
        told.seq = seq;
        told.data.message = std::move(message);
        on_loop([&] { server_->publish(contract::event_view{std::move(told)}); });
    }
    [[nodiscard]] std::string request(
        std::string const& line, std::string const& more = {}, std::string const& body = {}) const {
        auto out = line + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                   "\r\nX-CCBT-API-Key: secret\r\n" + more;
        if (!body.empty()) out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        return out + "\r\n" + body;
    }
    /// Whether a fresh connection is still served.
    [[nodiscard]] bool is_well() {
        raw_peer p{port};
        p.say(request("GET /api/v1/status"));
        return p.answer().status == 200;
    }

    metrics::door counted; // outlives the loop
    server_options options;
    more_ways ways;
    int port = 0;

private:
    static task<answer> wait_at_gate(house* self) {
        auto start = [self](auto done) { self->gate_.emplace_back([done]() mutable { done(true); }); };
        co_await reply_of<bool>(std::move(start));
        co_return toys::text_answer(R"({"status":"at last"})");
    }

    loop loop_{1};
    std::vector<job> gate_;
    std::unique_ptr<server> server_;
    std::thread thread_;
};

} // namespace ccbt::server::testing
