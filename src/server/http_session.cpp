// HTTP/1.1 over one connection: one request after another, each with its deadlines and limits, answered in order.

#include "base/gzip.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "server/ws_session.hpp"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <limits>

namespace ccbt::server {

namespace {

using contract::errc;
using contract::failure;

constexpr std::size_t worth_gzip = 4096;
constexpr std::size_t small_body = 64 * 1024; // of a refused request: read and thrown away
constexpr std::size_t drained_at_most = std::size_t{32} << 20;

std::string_view view(beast::string_view s) { return {s.data(), s.size()}; }

class http_session final : public std::enable_shared_from_this<http_session>, public tracked {
public:
    http_session(std::shared_ptr<ground> on, stream_socket socket, ends where)
        : on_{std::move(on)}, registered_{on_, *this}, socket_{std::move(socket)}, where_{std::move(where)} {
        ++on_->per_source[where_.remote];
    }
    ~http_session() override {
        auto const at = on_->per_source.find(where_.remote);
        if (--at->second == 0) on_->per_source.erase(at);
    }

    static task<> run(std::shared_ptr<http_session> self) {
        try {
            co_await self->converse();
        } catch (std::exception const& e) {
            log::error("a connection ended by an exception: {}", e.what());
        }
        error_code ignored;
        self->socket_.close(ignored);
    }

    void on_deadline() override {
        late_ = true;
        error_code ignored;
        socket_.cancel(ignored);
        if (phase_ == phase::writing) socket_.close(ignored);
    }
    void on_stop() override {
        last_ = true;
        if (phase_ == phase::idle) on_deadline();
    }

private:
    enum class phase { idle, reading, working, writing };
    using parser = http::request_parser<http::string_body>;

    void enter(phase p, std::chrono::steady_clock::duration within) {
        phase_ = p;
        deadline = steady::now() + within;
    }

    task<> converse() {
        auto const& limits = on_->options.limits;
        while (!last_ && socket_.is_open()) {
            error_code failed;
            if (buffer_.size() == 0) { // the first byte may take its time
                enter(phase::idle, limits.idle);
                auto const space = buffer_.prepare(4096);
                auto got = asio::redirect_error(use_task, failed);
                auto const n = co_await socket_.async_read_some(space, got);
                if (failed) co_return;
                buffer_.commit(n);
            }
            enter(phase::reading, limits.header_deadline);
            auto read = std::make_unique<parser>();
            read->header_limit(static_cast<std::uint32_t>(limits.header_block));
            // No limit yet: it is the route's. (Beast 1.74 takes boost::none for less than any length.)
            read->body_limit(std::numeric_limits<std::uint64_t>::max());
            auto heard = asio::redirect_error(use_task, failed);
            co_await http::async_read_header(socket_, buffer_, *read, heard);
            if (failed) {
                co_await refuse_unreadable(failed);
                co_return;
            }
            if (on_->stopping) last_ = true;
            bool const went_on = co_await serve_one(std::move(read));
            if (!went_on) co_return;
        }
    }

    // What could not be read as a request is told so where the other side may still listen, and then the end.
    task<> refuse_unreadable(error_code why) {
        if (why == http::error::end_of_stream || why == asio::error::eof || why == asio::error::connection_reset)
            co_return;
        failure answer{errc::bad_request, "that is not an HTTP/1.1 request", {}};
        if (late_) {
            late_ = false;
            answer = {errc::request_timeout, "the request did not arrive in time", {}};
        } else if (why == http::error::header_limit) {
            auto const data = buffer_.cdata();
            std::string_view const so_far{static_cast<char const*>(data.data()), data.size()};
            bool const line_too_long = so_far.substr(0, on_->options.limits.request_line).find('\n') == so_far.npos;
            answer = line_too_long ? failure{errc::uri_too_long, "the request line is too long", {}}
                                   : failure{errc::headers_too_large, "the headers are too large", {}};
        } else if (why.category() != http::make_error_code(http::error::bad_method).category()) {
            co_return; // the connection broke
        }
        auto a = answer_error(answer);
        a.close = true;
        http::fields const none;
        co_await write(std::move(a), none);
        co_await drain();
    }

    // What is wrong with the head of a request, whatever its route.
    std::optional<failure> check_head(parser const& read) const {
        auto const& head = read.get();
        auto const& limits = on_->options.limits;
        if (head.version() != 11 && head.version() != 10)
            return failure{errc::bad_request, "only HTTP/1.1 and 1.0 are spoken here", {}};
        if (head.method_string().size() + head.target().size() + 11 > limits.request_line)
            return failure{errc::uri_too_long, "the request line is too long", {}};
        auto const count = static_cast<std::size_t>(std::distance(head.begin(), head.end()));
        if (count > limits.header_fields) return failure{errc::headers_too_large, "too many header fields", {}};
        auto const [first, last] = head.equal_range(http::field::host);
        auto const hosts = std::distance(first, last);
        if (hosts > 1 || (hosts == 0 && head.version() == 11))
            return failure{errc::bad_request, "one Host header is needed", {}};
        if (auto const coding = head[http::field::transfer_encoding];
            !coding.empty() && (!text::equal_ignoring_case(view(coding), "chunked") || head.version() == 10))
            return failure{errc::bad_request, "no other transfer coding than chunked is understood", {}};
        if (head.count(http::field::content_length) > 1 ||
            (head.count(http::field::content_length) == 1 && head.count(http::field::transfer_encoding) == 1))
            return failure{errc::bad_request, "the body is framed two ways", {}};
        if (!head.target().starts_with('/')) return failure{errc::bad_request, "the target must be a path", {}};
        if (auto wrong = check_host(on_->rules, view(head[http::field::host]), where_.local)) return wrong;
        std::optional<std::string_view> origin;
        if (auto const at = head.find(http::field::origin); at != head.end()) origin = view(at->value());
        return check_origin(origin, view(head[http::field::host]));
    }

    static bool has_body(parser const& read) {
        auto const length = read.content_length();
        return read.chunked() || (length && *length > 0);
    }

    /// One request; false where the connection is at its end (or is a WebSocket's now).
    task<bool> serve_one(std::unique_ptr<parser> read) {
        auto const began = steady::now();
        auto const& head = read->get();
        bool const keep = head.keep_alive() && !last_;
        auto const fields = http::fields{head.base()}; // kept for the answer: the parser gives its own away
        auto const target = std::string{view(head.target())};
        std::string_view const whole = target;
        auto const path = whole.substr(0, whole.find('?'));
        auto const query_text = path.size() == whole.size() ? std::string_view{} : whole.substr(path.size() + 1);
        std::string_view name = "none";

        std::optional<answer> refused;
        route const* to = nullptr;
        call request;
        authority::verdict verdict;
        if (auto wrong = check_head(*read)) {
            refused = answer_error(*wrong);
        } else {
            auto found = on_->table.find(view(head.method_string()), path);
            if (found.to == nullptr) {
                refused = answer_error(found.path_known
                                           ? failure{errc::method_not_allowed, "this path takes " + found.allow, {}}
                                           : failure{errc::not_found, "there is nothing at this path", {}});
                refused->allow = found.allow;
            } else {
                to = found.to;
                name = to->promise->name;
                request.path = std::move(found.path);
                auto query = read_query(query_text);
                if (!query)
                    refused = answer_error(failure{errc::bad_request, "the query's percent-encoding is broken", {}});
                else
                    request.query = std::move(*query);
                verdict = authorize(*to, fields, request);
            }
        }
        if (!refused && to->is_socket) {
            co_return co_await to_socket(std::move(read), verdict.passed, keep);
        }
        if (!refused && !verdict.passed) {
            refused = answer_error(verdict.refusal == errc::rate_limited
                                       ? failure{errc::rate_limited, "too many wrong keys: wait", {}}
                                       : failure{errc::auth_required,
                                                 "a key is needed: send X-CCBT-API-Key", {}});
            refused->retry_after = verdict.retry_after;
        }
        if (!refused)
            if (auto wrong = check_type(view(head[http::field::content_type]), has_body(*read)))
                refused = answer_error(*wrong);
        std::size_t const most = to == nullptr ? contract::default_max_body : to->promise->max_body;
        auto const length = read->content_length();
        if (!refused && length && *length > most)
            refused = answer_error(failure{errc::body_too_large,
                                           fmt::format("the body may have {} bytes at most", most), {}});
        if (refused) {
            bool const small = !has_body(*read) || (length && *length <= small_body);
            co_return co_await refuse(std::move(*refused), std::move(read), fields, keep && small, small, name);
        }

        if (has_body(*read)) {
            auto arrived = co_await read_body(*read, fields, most);
            if (arrived) {
                auto a = answer_error(*arrived);
                a.close = true;
                count(name, a, began);
                co_await write(std::move(a), fields);
                co_await drain();
                co_return false;
            }
            request.body = std::move(read->get().body());
        }
        read.reset();
        request.who = std::move(verdict.who);
        for (auto const header : to->headers)
            if (auto const at = fields.find(beast::string_view{header.data(), header.size()}); at != fields.end())
                request.headers.emplace_back(header, std::string{view(at->value())});

        phase_ = phase::working;
        deadline = steady::time_point::max(); // the route's own bounds hold
        auto a = co_await deed(*to, std::move(request));
        a.close = a.close || !keep || last_;
        bool const closes = a.close;
        count(name, a, began);
        bool const written = co_await write(std::move(a), fields);
        co_return written && !closes;
    }

    // The door at which exceptions end: a bug is a 500 of one request, not the end of the daemon.
    static task<answer> deed(route const& to, call request) {
        std::string what;
        try {
            auto a = co_await to.handle(std::move(request));
            co_return a;
        } catch (std::exception const& e) {
            what = e.what();
        }
        log::error("{} failed by an exception: {}", to.promise->name, what);
        co_return answer_error(failure{errc::internal_error, "that is a fault of the daemon: see its log", {}});
    }

    authority::verdict authorize(route const& to, http::fields const& fields, call const& request) const {
        authority::verdict open;
        open.passed = true;
        auto const needs = to.promise->needs;
        if (needs == contract::scope::open) return open;
        if (needs == contract::scope::metrics && on_->loopback_bind && !on_->options.metrics_need_key) return open;
        std::optional<std::string_view> key;
        if (auto const at = fields.find("X-CCBT-API-Key"); at != fields.end()) key = view(at->value());
        if (!key && to.is_socket)
            for (auto const& [name, value] : request.query)
                if (name == "api_key") key = value;
        return on_->keys.check(key, where_.remote, steady::now());
    }

    task<bool> refuse(answer a, std::unique_ptr<parser> read, http::fields const& fields, bool keep, bool small,
                      std::string_view name) {
        // A small body is read and thrown away, so that the connection can go on.
        if (small && has_body(*read)) {
            auto const unread = co_await read_body(*read, fields, small_body);
            keep = keep && !unread;
        }
        a.close = !keep;
        count(name, a, steady::now());
        bool const written = co_await write(std::move(a), fields);
        if (keep) co_return written;
        co_await drain();
        co_return false;
    }

    task<std::optional<failure>> read_body(parser& read, http::fields const& fields, std::size_t most) {
        enter(phase::reading, on_->options.limits.body_deadline);
        error_code failed;
        if (text::equal_ignoring_case(view(fields[http::field::expect]), "100-continue")) {
            static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            auto const buffer = asio::buffer(go_on);
            auto sent = asio::redirect_error(use_task, failed);
            co_await asio::async_write(socket_, buffer, sent);
        }
        read.body_limit(most);
        auto got = asio::redirect_error(use_task, failed);
        co_await http::async_read(socket_, buffer_, read, got);
        if (!failed) co_return std::nullopt;
        failure why{errc::bad_request, "the body could not be read", {}};
        if (late_) why = failure{errc::request_timeout, "the body did not arrive in time", {}};
        if (failed == http::error::body_limit)
            why = failure{errc::body_too_large, fmt::format("the body may have {} bytes at most", most), {}};
        late_ = false;
        co_return why;
    }

    task<bool> to_socket(std::unique_ptr<parser> read, bool authorized, bool keep) {
        auto const fields = http::fields{read->get().base()};
        std::optional<failure> wrong;
        if (!on_->options.websocket_enabled)
            wrong = failure{errc::not_found, "events are switched off (daemon.websocket_enabled)", {}};
        else if (!websocket::is_upgrade(read->get()) || buffer_.size() != 0 || has_body(*read))
            wrong = failure{errc::bad_request, "this is a WebSocket (RFC 6455): ask for an upgrade", {}};
        else if (on_->events.size() >= on_->options.limits.watchers)
            wrong = failure{errc::too_many_connections, "too many event clients", {}};
        if (wrong) {
            bool const small = !has_body(*read);
            auto a = answer_error(*wrong);
            co_return co_await refuse(std::move(a), std::move(read), fields, keep && small, small, "events.watch");
        }
        start_ws(on_, std::move(socket_), read->release(), authorized);
        co_return false;
    }

    void count(std::string_view name, answer const& a, steady::time_point began) {
        ++on_->counted.requests[{name, a.status}];
        on_->counted.latency.observe(std::chrono::duration<double>(steady::now() - began).count());
        if (!a.code.empty() && a.status != 404) ++on_->counted.refused[a.code];
    }

    task<bool> write(answer a, http::fields const& asked) {
        bool packed = false;
        if (!where_.loopback && a.body.size() > worth_gzip &&
            view(asked[http::field::accept_encoding]).find("gzip") != std::string_view::npos) {
            auto const whole = std::make_shared<wire::body>(std::move(a.body));
            auto pack = [whole] { return gzip(whole->joined(), 5); };
            a.body = {};
            a.body.text = co_await off_loop(on_->on, std::move(pack));
            packed = true;
        }
        auto head = fmt::format("HTTP/1.1 {} {}\r\n", a.status, view(http::obsolete_reason(http::status(a.status))));
        if (a.status != 304)
            head += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", a.content_type, a.body.size());
        if (!a.revision.empty()) head += fmt::format("X-CCBT-Revision: {}\r\n", a.revision);
        if (!a.etag.empty()) head += fmt::format("ETag: {}\r\n", a.etag);
        if (!a.allow.empty()) head += fmt::format("Allow: {}\r\n", a.allow);
        if (a.retry_after > 0) head += fmt::format("Retry-After: {}\r\n", a.retry_after);
        if (packed) head += "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n";
        head += a.etag.empty() ? "Cache-Control: no-store\r\n" : "Cache-Control: no-cache\r\n";
        head += "X-Content-Type-Options: nosniff\r\n";
        if (a.close) head += "Connection: close\r\n";
        head += "\r\n";

        // A long answer goes out in runs of buffers: a slow reader holds shares of texts, no copy of them.
        constexpr std::size_t run = 64;
        error_code failed;
        std::vector<asio::const_buffer> buffers{asio::buffer(head), asio::buffer(a.body.text)};
        std::size_t next = 0;
        do {
            while (next < a.body.pieces.size() && buffers.size() < run)
                buffers.push_back(asio::buffer(*a.body.pieces[next++]));
            enter(phase::writing, on_->options.limits.write_progress);
            auto sent = asio::redirect_error(use_task, failed);
            co_await asio::async_write(socket_, buffers, sent);
            buffers.clear();
        } while (!failed && next < a.body.pieces.size());
        co_return !failed;
    }

    // Before closing on one who still sends: a reset would take the answer from under it.
    task<> drain() {
        error_code failed;
        socket_.shutdown(asio::socket_base::shutdown_send, failed);
        enter(phase::writing, std::chrono::seconds{2});
        std::vector<char> sink(std::size_t{64} << 10);
        std::size_t thrown_away = 0;
        while (!failed && thrown_away < drained_at_most) {
            auto const space = asio::buffer(sink);
            auto got = asio::redirect_error(use_task, failed);
            thrown_away += co_await socket_.async_read_some(space, got);
        }
    }

    std::shared_ptr<ground> on_;
    registration registered_;
    stream_socket socket_;
    ends where_;
    beast::flat_buffer buffer_;
    phase phase_ = phase::idle;
    bool late_ = false; // the deadline has passed
    bool last_ = false; // no further request after this one
};

} // namespace

void start_http(std::shared_ptr<ground> on, stream_socket socket, ends where) {
    auto& l = on->on;
    auto session = std::make_shared<http_session>(std::move(on), std::move(socket), std::move(where));
    spawn(l, http_session::run(std::move(session)));
}

} // namespace ccbt::server
