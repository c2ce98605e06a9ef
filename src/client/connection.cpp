#include "client/connection.hpp"

#include "base/net_http.hpp"
#include "client/dial.hpp"

#include <optional>
#include <sys/socket.h>

namespace ccbt::client {

namespace {

constexpr std::uint64_t longest_answer = std::uint64_t{1} << 30;

} // namespace

// The operations are Beast's asynchronous ones, run to their end one by one: the synchronous ones know no time limit.
struct connection::state {
    state(address a, std::chrono::milliseconds t) : where{std::move(a)}, connect_timeout{t} {}

    address where;
    std::chrono::milliseconds connect_timeout;
    asio::io_context io{1};
    std::optional<stream> line{};
    beast::flat_buffer buffer{};
    due_time by{};

    template <class Start> error_code run(Start const& start) {
        auto const how = run_until(io, by, start, [this] {
            error_code ignored;
            line->close(ignored);
        });
        return how.value_or(error_code{beast::error::timeout});
    }

    [[nodiscard]] bool is_alive() {
        if (!line) return false;
        char byte = 0;
        auto const got = ::recv(line->socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        // Bytes that answer nothing (a 408 before the close) are as good as a closed connection.
        return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

    void drop() {
        line.reset();
        buffer.clear();
    }

    result<void> open() {
        drop();
        auto made = dial(io, where, connect_timeout);
        if (!made) return unexpected<client_error>{std::move(made.error())};
        line.emplace(std::move(*made));
        return {};
    }

    // How far an exchange came decides whether it may be repeated.
    struct attempt {
        error_code how{};
        bool sent = false;
        bool any_answer = false;
        http_answer answer{};
    };

    attempt once(http::request<http::string_body> const& request, std::chrono::milliseconds timeout) {
        attempt made;
        by = std::chrono::steady_clock::now() + timeout;
        made.how = run([&](auto done) { http::async_write(*line, request, std::move(done)); });
        made.sent = !made.how;
        // A refusal may stand in the buffer although the rest of the request did not go: a body that is too large.
        if (made.how == beast::error::timeout) return made;
        std::optional<http::response_parser<http::string_body>> reader;
        error_code read;
        do { // an interim answer (1xx) is none yet
            auto& parser = reader.emplace();
            parser.body_limit(longest_answer);
            parser.header_limit(64 * 1024);
            if (request.method() == http::verb::head) parser.skip(true);
            read = run([&](auto done) { http::async_read(*line, buffer, parser, std::move(done)); });
            made.any_answer = made.any_answer || parser.got_some();
        } while (!read && reader->get().result_int() / 100 == 1);
        if (read) {
            if (!made.how) made.how = read;
            return made;
        }
        made.how = {};
        auto held = reader->release();
        made.answer.status = static_cast<int>(held.result_int());
        for (auto const& header : held)
            made.answer.headers.emplace_back(std::string{header.name_string()}, std::string{header.value()});
        made.answer.body = std::move(held.body());
        if (!made.sent || held.need_eof()) drop();
        return made;
    }
};

connection::connection(address where, std::chrono::milliseconds connect_timeout)
    : state_{std::make_unique<state>(std::move(where), connect_timeout)} {}
connection::~connection() = default;
connection::connection(connection&&) noexcept = default;
connection& connection::operator=(connection&&) noexcept = default;

address const& connection::where() const { return state_->where; }

result<http_answer> connection::exchange(http_request const& asked, std::chrono::milliseconds timeout) {
    auto& s = *state_;
    http::request<http::string_body> request{http::string_to_verb(asked.method), asked.target, 11};
    request.set(http::field::host, s.where.host_header());
    for (auto const& [name, held] : asked.headers) request.set(name, held);
    request.body() = asked.body;
    if (asked.method != "GET" || !asked.body.empty()) request.content_length(asked.body.size());

    bool const kept = s.is_alive();
    if (!kept) {
        if (auto opened = s.open(); !opened) return unexpected<client_error>{opened.error()};
    }
    auto made = s.once(request, timeout);
    bool const closed_under_us = made.how && made.how != beast::error::timeout && !made.any_answer;
    if (kept && closed_under_us && (asked.method == "GET" || !made.sent)) {
        if (auto opened = s.open(); !opened) return unexpected<client_error>{opened.error()};
        made = s.once(request, timeout);
    }
    if (!made.how) return std::move(made.answer);
    s.drop();
    auto const where = s.where.shown();
    if (made.how == beast::error::timeout)
        return fails(
            error_kind::timeout, where + " did not answer within " + std::to_string(timeout.count()) + " ms");
    bool const is_http = made.how.category() == http::make_error_code(http::error::end_of_stream).category();
    if (is_http && made.how != http::error::end_of_stream && made.how != http::error::partial_message)
        return fails(error_kind::broken, where + " does not speak HTTP: " + made.how.message());
    return fails(error_kind::unreachable, where + " closed the connection before it had answered");
}

} // namespace ccbt::client
