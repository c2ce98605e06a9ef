// For tests only: a server of a few lines over plain sockets, so that what the client sends is seen as it is on the
// wire, and any answer, none, or half of one can be given. Each connection has a thread; all are joined at the end.
#pragma once

#include "base/text.hpp"

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ccbt::client {

class fake_daemon {
public:
    struct request {
        std::string line; // "GET /api/v1/status HTTP/1.1"
        std::vector<std::pair<std::string, std::string>> headers{};
        std::string body{};
        int connection = 0; // the how-manieth, from 1
        [[nodiscard]] std::string header(std::string_view name) const {
            for (auto const& [key, held] : headers)
                if (text::equal_ignoring_case(key, name)) return held;
            return {};
        }
    };

    /// The server's side of a WebSocket.
    class web_socket {
    public:
        explicit web_socket(int fd) : fd_{fd} {}
        void send(std::string_view text) const { frame(0x81, text); }
        void close(unsigned code, std::string_view reason) const {
            std::string payload{static_cast<char>(code >> 8U), static_cast<char>(code & 255U)};
            frame(0x88, payload += reason);
            while (receive())
                continue; // till the client's own close frame: hanging up first may reset what was sent
        }
        /// The next text message; nothing when the client went away.
        [[nodiscard]] std::optional<std::string> receive() const {
            while (true) {
                auto const head = exactly(2);
                if (head.size() < 2) return std::nullopt;
                auto size = static_cast<std::size_t>(head[1] & 127);
                if (size == 126) {
                    auto const more = exactly(2);
                    if (more.size() < 2) return std::nullopt;
                    size = (static_cast<std::size_t>(static_cast<unsigned char>(more[0])) << 8U) |
                           static_cast<unsigned char>(more[1]);
                }
                auto const mask = exactly(4);
                auto payload = exactly(size);
                if (mask.size() < 4 || payload.size() < size) return std::nullopt;
                for (std::size_t i = 0; i < size; ++i)
                    payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
                auto const kind = head[0] & 15;
                if (kind == 1) return payload;
                if (kind == 8) return std::nullopt;
            }
        }

    private:
        [[nodiscard]] std::string exactly(std::size_t size) const {
            std::string out(size, '\0');
            std::size_t at = 0;
            while (at < size) {
                auto const got = ::recv(fd_, out.data() + at, size - at, 0);
                if (got <= 0) break;
                at += static_cast<std::size_t>(got);
            }
            out.resize(at);
            return out;
        }
        void frame(int first, std::string_view payload) const {
            std::string out{static_cast<char>(first)};
            if (payload.size() < 126) {
                out += static_cast<char>(payload.size());
            } else {
                out += static_cast<char>(126);
                out += static_cast<char>(payload.size() >> 8U);
                out += static_cast<char>(payload.size() & 255U);
            }
            out += payload;
            (void)::send(fd_, out.data(), out.size(), MSG_NOSIGNAL);
        }
        int fd_;
    };

    /// Returns the bytes of the whole answer; none close the connection.
    using answerer = std::function<std::string(request const&)>;
    using talker = std::function<void(web_socket&)>;

    explicit fake_daemon(answerer answers, talker talks = {})
        : answers_{std::move(answers)},
          talks_{std::move(talks)},
          listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        (void)::bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at);
        (void)::listen(listener_, 16);
        socklen_t size = sizeof at;
        (void)::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
        port_ = ntohs(at.sin_port);
        acceptor_ = std::thread{[this] { accept_all(); }};
    }
    ~fake_daemon() {
        ending_ = true;
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        ::close(listener_);
        cut_all();
        for (auto& one : served_) one.join();
    }
    fake_daemon(fake_daemon const&) = delete;
    fake_daemon& operator=(fake_daemon const&) = delete;

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] int port() const { return port_; }
    [[nodiscard]] std::vector<request> requests() const {
        std::lock_guard const hold{mutex_};
        return requests_;
    }
    /// Ends every open connection; returns when the peers can see it.
    void cut_all() {
        std::lock_guard const hold{mutex_};
        for (int const fd : open_) ::shutdown(fd, SHUT_RDWR);
    }

    [[nodiscard]] static std::string json(
        int status, std::string_view body, std::string_view more_headers = "") {
        return "HTTP/1.1 " + std::to_string(status) +
               " X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n" + std::string{more_headers} + "\r\n" + std::string{body};
    }

private:
    void accept_all() {
        while (!ending_) {
            int const fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) continue;
            std::lock_guard const hold{mutex_};
            open_.push_back(fd);
            served_.emplace_back([this, fd, number = ++connections_] { serve(fd, number); });
        }
    }

    void serve(int fd, int number) {
        std::string read;
        while (auto asked = next_request(fd, read, number)) {
            {
                std::lock_guard const hold{mutex_};
                requests_.push_back(*asked);
            }
            if (talks_ && text::equal_ignoring_case(asked->header("Upgrade"), "websocket")) {
                talk(fd, *asked);
                break;
            }
            auto const answer = answers_(*asked);
            if (answer.empty()) break;
            if (::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
        }
        std::lock_guard const hold{mutex_};
        std::erase(open_, fd);
        ::close(fd);
    }

    void talk(int fd, request const& asked) {
        auto const seed = asked.header("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
        SHA1(reinterpret_cast<unsigned char const*>(seed.data()), seed.size(), digest.data());
        auto const answer =
            "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
            text::to_base64(digest) + "\r\n\r\n";
        (void)::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
        web_socket peer{fd};
        talks_(peer);
    }

    static std::optional<request> next_request(int fd, std::string& read, int number) {
        auto const more = [&] {
            std::array<char, 65536> bytes{};
            auto const got = ::recv(fd, bytes.data(), bytes.size(), 0);
            if (got > 0) read.append(bytes.data(), static_cast<std::size_t>(got));
            return got > 0;
        };
        std::size_t end = 0;
        while ((end = read.find("\r\n\r\n")) == std::string::npos)
            if (!more()) return std::nullopt;
        request made{.line = {}, .connection = number};
        auto const lines = text::split(std::string_view{read}.substr(0, end), '\n');
        made.line = text::trim(lines[0]);
        for (std::size_t i = 1; i < lines.size(); ++i) {
            auto const colon = lines[i].find(':');
            made.headers.emplace_back(lines[i].substr(0, colon), text::trim(lines[i].substr(colon + 1)));
        }
        auto const length = made.header("Content-Length");
        auto const size = length.empty() ? std::size_t{0} : std::stoul(length);
        while (read.size() < end + 4 + size)
            if (!more()) return std::nullopt;
        made.body = read.substr(end + 4, size);
        read.erase(0, end + 4 + size);
        return made;
    }

    answerer answers_;
    talker talks_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> ending_ = false;
    mutable std::mutex mutex_;
    std::vector<request> requests_;
    std::vector<int> open_;
    std::list<std::thread> served_;
    int connections_ = 0;
    std::thread acceptor_;
};

} // namespace ccbt::client
