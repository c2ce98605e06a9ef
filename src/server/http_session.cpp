// HTTP/1.1 over one connection: one request after another, each with its deadlines and limits, answered in order.

#include "base/gzip.hpp"
#include "base/log.hpp"
#include "base/safeguard.hpp"
#include "base/text.hpp"
#include "contract/signature.hpp"
#include "server/http_head.hpp"
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
constexpr std::size_t most_claimed = std::size_t{128} << 20;
constexpr std::size_t small_body = 64 * 1024; // of a refused request: read and thrown away
constexpr std::size_t drained_at_most = std::size_t{32} << 20;
constexpr std::size_t usual_buffer = 4096;      // what an idle connection keeps
constexpr std::size_t read_at_once = 64 * 1024; // of a body
constexpr std::size_t write_at_once = 64 * 1024;
constexpr std::size_t too_large_to_copy = 4 * 1024;
constexpr std::size_t worth_a_worker = 512 * 1024; // to be hashed: more takes over a millisecond
// What may wait to be parsed. A header block ends at its own limit; this one ends chunk extensions and trailers.
constexpr std::size_t most_unparsed = 128 * 1024;

class http_session final : public std::enable_shared_from_this<http_session>, public tracked {
public:
    http_session(std::shared_ptr<ground> on, stream socket, ends where)
        : on_{std::move(on)},
          registered_{on_, *this},
          socket_{std::move(socket)},
          where_{std::move(where)},
          seat_{std::make_unique<seat>(on_, where_.remote)} {}

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
        if (!in_force(safeguard::header_deadline_absolute) && phase_ == phase::reading && buffer_.size() > 0)
            return enter(phase::reading, on_->options.limits.header_deadline);
        late_ = true;
        deadline =
            steady::now(); // again, until it shows: what is on its way to us already cannot be cancelled
        error_code ignored;
        socket_.cancel(ignored);
        if (phase_ == phase::writing) ++on_->counted.refused["WRITE_TIMEOUT"];
        if (phase_ == phase::writing || phase_ == phase::lingering) socket_.close(ignored);
    }
    void on_stop() override {
        last_ = true;
        if (phase_ == phase::idle) on_deadline();
    }

private:
    enum class phase { idle, reading, working, writing, lingering };
    using parser = request_parser;

    void enter(phase p, std::chrono::steady_clock::duration within) {
        phase_ = p;
        late_ = false;
        deadline = steady::now() + within;
    }
    void work() { // as long as it takes: the route's own bounds hold
        phase_ = phase::working;
        deadline = steady::time_point::max();
    }

    task<> converse() {
        auto const& limits = on_->options.limits;
        bool goes_on = true;
        while (goes_on && !last_) {
            error_code failed;
            if (buffer_.size() == 0) { // the first byte may take its time
                if (buffer_.capacity() > usual_buffer) buffer_.shrink_to_fit();
                enter(phase::idle, limits.idle);
                auto const space = buffer_.prepare(usual_buffer);
                auto got = asio::redirect_error(use_task, failed);
                auto const n = co_await socket_.async_read_some(space, got);
                if (failed) co_return;
                buffer_.commit(n);
            }
            skip_empty_line();
            enter(phase::reading, limits.header_deadline);
            auto read = std::make_unique<parser>();
            // Beast counts the line in or not, as the bytes came; check_form is exact.
            read->header_limit(
                in_force(safeguard::header_limits)
                    ? static_cast<std::uint32_t>(limits.request_line + limits.header_block)
                    : std::numeric_limits<std::uint32_t>::max());
            // No limit yet: it is the route's. (Beast 1.74 takes boost::none for less than any length.)
            read->body_limit(std::numeric_limits<std::uint64_t>::max());
            auto heard = asio::redirect_error(use_task, failed);
            auto const head_bytes = co_await http::async_read_header(socket_, buffer_, *read, heard);
            if (on_->stopping) last_ = true;
            if (failed)
                goes_on = co_await refuse_unreadable(failed, *read);
            else
                goes_on = co_await serve_one(std::move(read), head_bytes);
        }
        co_await linger();
    }

    void skip_empty_line() { // RFC 9112, 2.2: some clients end a body with one too many
        auto const data = buffer_.cdata();
        std::string_view const so_far{static_cast<char const*>(data.data()), data.size()};
        if (so_far.starts_with("\r\n")) buffer_.consume(2);
    }

    bool is_line_too_long() const {
        auto const data = buffer_.cdata();
        std::string_view const so_far{static_cast<char const*>(data.data()), data.size()};
        return so_far.substr(0, on_->options.limits.request_line).find('\n') == so_far.npos;
    }

    // What could not be read as a request is told so where the other side may still listen, and then the end.
    task<bool> refuse_unreadable(error_code why, parser const& read) {
        if (why == http::error::end_of_stream) co_return false;
        failure answer{errc::bad_request, "that is not an HTTP/1.1 request", {}};
        if (late_)
            answer = {errc::request_timeout, "the request did not arrive in time", {}};
        else if (why == http::error::header_limit && read.get().target().empty() && is_line_too_long())
            answer = {errc::uri_too_long, "the request line is too long", {}};
        else if (why == http::error::header_limit || why == http::error::buffer_overflow)
            answer = {errc::headers_too_large, "the headers are too large", {}};
        else if (why.category() != http::make_error_code(http::error::bad_method).category())
            co_return false; // the connection broke
        auto a = answer_error(answer);
        manner const plain;
        co_return co_await reply(std::move(a), plain, false, "none", steady::now());
    }

    // Public keys are known: who names a trusted one is not yet who he says, and may not fill the memory.
    class claim_on_memory {
    public:
        explicit claim_on_memory(std::size_t& of_all) : of_all_{of_all} {}
        ~claim_on_memory() { of_all_ -= taken_; }
        claim_on_memory(claim_on_memory const&) = delete;
        claim_on_memory& operator=(claim_on_memory const&) = delete;
        [[nodiscard]] bool take(std::size_t bytes) {
            if (of_all_ + bytes > most_claimed) return false;
            of_all_ += bytes;
            taken_ = bytes;
            return true;
        }

    private:
        std::size_t& of_all_;
        std::size_t taken_ = 0;
    };

    /// One request; false where the connection is at its end (or is a WebSocket's now).
    task<bool> serve_one(std::unique_ptr<parser> read, std::size_t head_bytes) {
        auto const began = steady::now();
        auto p = door_.look_at(*read, head_bytes);
        bool keep = p.sound && read->keep_alive();
        if (!p.refusal && p.to->is_socket) {
            p.refusal = check_upgrade(*read);
            if (!p.refusal) {
                admit_watcher(p, view(read->get().method_string()));
                start_ws(
                    on_, std::move(socket_), std::move(seat_), read->release(), std::move(p.pass),
                    wishes_of(p.request.query));
                co_return false;
            }
        }
        claim_on_memory claimed{on_->claimed_bytes};
        if (has_body(*read)) {
            // A small body of a refused request is read and thrown away, so that the connection can go on.
            auto const length = read->content_length();
            if (!p.refusal && p.claim &&
                !claimed.take(std::min<std::uint64_t>(length.value_or(p.most), p.most)))
                p.refusal = failure{
                    errc::too_many_connections,
                    "too much that is signed is being read: try again, or send the key",
                    {}};
            bool const is_too_large = p.refusal && p.refusal->code == errc::body_too_large;
            bool const reads =
                !p.refusal || (keep && !is_too_large && !p.how.expects && (!length || *length <= small_body));
            auto const most = p.refusal ? std::min(small_body, p.most) : p.most;
            std::optional<failure> unread;
            if (reads) unread = co_await read_body(*read, p.how, most);
            keep = keep && reads && !unread;
            if (!p.refusal) p.refusal = std::move(unread);
        }
        if (!p.refusal && (p.claim || p.pass)) co_await admit(p, *read);
        answer a;
        if (p.refusal) {
            a = answer_error(*p.refusal);
            a.allow = std::move(p.allow);
            a.retry_after = p.retry_after;
        } else {
            p.request.body = std::move(read->get().body());
            read.reset();
            work();
            a = co_await deed(*p.to, std::move(p.request));
        }
        co_return co_await reply(std::move(a), p.how, keep, p.name, began);
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
        co_return answer_error(
            failure{errc::internal_error, "that is a fault of the daemon: see its log", {}});
    }

    /// All of the request is here, and nothing of it has been decoded.
    task<> admit(plan& p, parser const& read) const {
        if (!p.claim) { // the key may have been revoked while the body came
            if (!on_->keys.holds(*p.pass)) doorman::refuse(p, {});
            co_return;
        }
        std::string_view const body = read.get().body();
        if (!body.empty() && !in_force(safeguard::signature_covers_body))
            co_return door_.pass_on(p, p.claim->by);
        auto digest = [body] { return crypto::sha256(body); };
        crypto::digest of_body{};
        if (body.size() < worth_a_worker)
            of_body = digest();
        else
            of_body = co_await off_loop(on_->on, digest);
        std::array const texts{
            contract::signed_text(view(read.get().method_string()), p.target, p.claim->timestamp, of_body)};
        door_.pass_on(p, on_->keys.verify(*p.claim, texts, p.source));
    }

    // By headers as any request, or as in the query, over less.
    void admit_watcher(plan& p, std::string_view method) const {
        if (!p.claim) return;
        std::array const texts{
            contract::signed_socket_text(p.path, p.claim->timestamp),
            contract::signed_text(method, p.target, p.claim->timestamp, crypto::sha256(""))};
        door_.pass_on(p, on_->keys.verify(*p.claim, texts, p.source));
    }

    task<std::optional<failure>> read_body(parser& read, manner how, std::size_t most) {
        enter(phase::reading, on_->options.limits.body_deadline);
        if (!in_force(safeguard::body_deadline)) deadline = steady::time_point::max();
        error_code failed;
        if (how.expects && buffer_.size() == 0) {
            static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            auto const buffer = asio::buffer(go_on);
            auto sent = asio::redirect_error(use_task, failed);
            co_await asio::async_write(socket_, buffer, sent);
            if (failed) co_return failure{errc::bad_request, "the body could not be asked for", {}};
        }
        read.body_limit(most);
        if (auto const length = read.content_length(); !length || *length > usual_buffer)
            buffer_.reserve(read_at_once);
        auto got = asio::redirect_error(use_task, failed);
        co_await http::async_read(socket_, buffer_, read, got);
        if (!failed) co_return std::nullopt;
        failure why{errc::bad_request, "the body could not be read", {}};
        if (late_) why = failure{errc::request_timeout, "the body did not arrive in time", {}};
        if (failed == http::error::body_limit) why = too_large(most);
        co_return why;
    }

    std::optional<failure> check_upgrade(parser const& read) const {
        auto const& head = read.get();
        if (!on_->options.websocket_enabled)
            return failure{errc::not_found, "events are switched off (daemon.websocket_enabled)", {}};
        if (!websocket::is_upgrade(head) || head[http::field::sec_websocket_version] != "13" ||
            head[http::field::sec_websocket_key].size() != 24 || buffer_.size() != 0 || has_body(read))
            return failure{
                errc::bad_request, "this is a WebSocket (RFC 6455, version 13): ask for an upgrade", {}};
        if (on_->stopping) return failure{errc::shutting_down, "the daemon is stopping", {}};
        if (on_->events.size() >= on_->options.limits.watchers && in_force(safeguard::ws_client_limit))
            return failure{errc::too_many_connections, "too many event clients", {}};
        return std::nullopt;
    }

    /// Counts an answer and writes it; whether another request may follow.
    task<bool> reply(answer a, manner how, bool keep, std::string_view name, steady::time_point began) {
        a.close = a.close || !keep || last_;
        if (a.revision.empty() && on_->options.revision) a.revision = on_->options.revision();
        bool const closes = a.close;
        ++on_->counted.requests[{name, a.status}];
        on_->counted.latency.observe(std::chrono::duration<double>(steady::now() - began).count());
        if (!a.code.empty() && a.status != 404) ++on_->counted.refused[a.code];
        bool const written = co_await write(std::move(a), how);
        co_return written && !closes;
    }

    task<bool> write(answer a, manner how) {
        bool const packs = how.takes_gzip && a.body.size() > worth_gzip;
        if (packs) {
            work();
            auto const whole = std::make_shared<wire::body>(std::move(a.body));
            auto pack = [whole] { return gzip(whole->joined(), 5); };
            a.body = {};
            a.body.text = co_await off_loop(on_->on, std::move(pack));
        }
        auto run = head_of(a, how, a.body.size(), packs);
        if (how.head_only) a.body = {};

        // It goes out in runs, each with its time: a slow reader holds shares of texts and one run of copies. (Asio
        // gathers 16 buffers a call at most: for rows of 300 bytes a copy is the cheaper way, for pages of them it is not.)
        std::string_view text = a.body.text;
        std::string_view large; // the rest of a text that is sent from where it is kept
        std::size_t next = 0;
        bool whole = false;
        error_code failed;
        while (!whole && !failed) {
            auto const some = text.substr(0, write_at_once);
            run += some;
            text.remove_prefix(some.size());
            while (text.empty() && large.empty() && next < a.body.pieces.size() &&
                   run.size() < write_at_once) {
                auto const piece = a.body.pieces[next++].view();
                if (piece.size() < too_large_to_copy)
                    run += piece;
                else
                    large = piece;
            }
            auto const part = large.substr(0, write_at_once);
            large.remove_prefix(part.size());
            whole = text.empty() && large.empty() && next == a.body.pieces.size();
            enter(phase::writing, on_->options.limits.write_progress);
            std::array<asio::const_buffer, 2> const buffers{asio::buffer(run), asio::buffer(part)};
            auto sent = asio::redirect_error(use_task, failed);
            co_await asio::async_write(socket_, buffers, sent);
            run.clear();
        }
        co_return !failed;
    }

    // Before closing on one who may still send: a reset would take the answer from under it (RFC 9112, 9.6).
    task<> linger() {
        if (!socket_.is_open()) co_return;
        error_code failed;
        socket_.shutdown_send(failed);
        enter(phase::lingering, on_->options.limits.linger);
        std::size_t thrown_away = 0;
        buffer_.clear();
        while (!failed && thrown_away < drained_at_most) {
            auto const space = buffer_.prepare(usual_buffer);
            auto got = asio::redirect_error(use_task, failed);
            thrown_away += co_await socket_.async_read_some(space, got);
        }
    }

    std::shared_ptr<ground> on_;
    registration registered_;
    stream socket_;
    ends where_;
    doorman door_{*on_, where_};
    std::unique_ptr<seat> seat_;
    beast::flat_buffer buffer_{most_unparsed};
    phase phase_ = phase::idle;
    bool late_ = false; // the deadline has passed
    bool last_ = false; // no further request after this one
};

} // namespace

void start_http(std::shared_ptr<ground> on, stream socket, ends where) {
    auto& l = on->on;
    auto session = std::make_shared<http_session>(std::move(on), std::move(socket), std::move(where));
    spawn(l, http_session::run(std::move(session)));
}

} // namespace ccbt::server
