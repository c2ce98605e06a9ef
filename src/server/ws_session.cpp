#include "server/ws_session.hpp"

#include "base/log.hpp"
#include "base/safeguard.hpp"
#include "base/text.hpp"
#include "server/frames.hpp"
#include "server/watch_message.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <optional>

namespace ccbt::server {

namespace {

using contract::event_type;

constexpr websocket::close_code unauthorized{4001};

class ws_session final : public std::enable_shared_from_this<ws_session>, public tracked, public watcher {
public:
    ws_session(
        std::shared_ptr<ground> on, stream socket, std::unique_ptr<seat> taken,
        std::optional<authority::pass> pass)
        : on_{std::move(on)},
          registered_{on_, *this},
          seat_{std::move(taken)},
          stream_{std::move(socket)},
          pass_{std::move(pass)} {}
    ~ws_session() override {
        leave();
        on_->counted.event_bytes_waiting -= waiting_bytes_;
    }

    static task<> run(std::shared_ptr<ws_session> self, upgrade_request request, wishes first) {
        try {
            co_await self->converse(std::move(request), std::move(first));
        } catch (std::exception const& e) {
            log::error("a WebSocket ended by an exception: {}", e.what());
        }
        self->leave();
        self->drop(); // a write that still waits for its reader would hold all this
    }

    // ---- watcher
    [[nodiscard]] bool wants(event_type type) const override {
        return subscribed_.none() ? contract::is_original(type)
                                  : subscribed_.test(static_cast<std::size_t>(type));
    }
    void tell(shared_text event) override {
        if (ending_ || is_closed_) return;
        if (waiting_bytes_ + event.size() > on_->options.limits.watcher_queue_bytes &&
            in_force(safeguard::ws_queue_bound))
            return give_up();
        push(std::move(event));
    }
    void send() override {
        if (!writing_) write_next();
    }

    // ---- tracked
    void on_deadline() override { drop(); }
    void on_stop() override {
        if (joined_)
            end(websocket::close_reason{websocket::close_code::going_away, "shutting down"},
                on_->options.limits.linger);
        else
            drop(); // not a WebSocket yet, or no longer
    }
    void on_keys_changed() override {
        if (joined_ && !on_->keys.holds(*pass_))
            end(websocket::close_reason{unauthorized, "Unauthorized"}, on_->options.limits.linger);
    }
    void on_look(steady::time_point now) override {
        if (!joined_ || ending_) return;
        on_keys_changed(); // one may have expired
        auto const& limits = on_->options.limits;
        if (asked_at_ && now - *asked_at_ > limits.pong_within) {
            ++on_->counted.refused["WEBSOCKET_NO_PONG"];
            return drop();
        }
        auto const due = asked_at_ ? std::max(heard_at_, *asked_at_) : heard_at_;
        if (!pinging_ && now - due >= limits.ping_every) ping(now);
        if (now - beat_at_ >= std::chrono::duration<double>(on_->options.heartbeat_seconds)) {
            static auto const beat = shared_text{std::string{R"({"action":"ping"})"}};
            beat_at_ = now;
            say(beat);
        }
    }

private:
    task<> converse(upgrade_request request, wishes first) {
        error_code failed;
        deadline = steady::now() + on_->options.limits.header_deadline;
        stream_.read_message_max(
            in_force(safeguard::ws_message_limit) ? on_->options.limits.message_bytes : 0); // 0: any
        stream_.auto_fragment(false);
        auto name_us = [](websocket::response_type& r) { r.set(http::field::server, "ccbtd"); };
        stream_.set_option(websocket::stream_base::decorator(name_us));
        stream_.control_callback([this](websocket::frame_type kind, beast::string_view) {
            heard();
            if (kind != websocket::frame_type::close) return;
            // Beast answers it, after which no frame of ours may come, and then waits for the end of the other side, as
            // long as it takes.
            is_closed_ = true;
            deadline = std::min(deadline, steady::now() + on_->options.limits.linger);
        });
        auto accepted = asio::redirect_error(use_task, failed);
        co_await stream_.async_accept(request, accepted);
        if (failed || dropped_) co_return;
        if (!pass_ || !on_->keys.holds(*pass_)) {
            ++on_->counted.refused["AUTH_REQUIRED"];
            websocket::close_reason const reason{unauthorized, "Unauthorized"};
            auto closed = asio::redirect_error(use_task, failed);
            co_await stream_.async_close(reason, closed);
            co_return;
        }
        deadline = steady::time_point::max();
        heard();
        beat_at_ = heard_at_;
        on_->events.join(*this);
        joined_ = true;
        catch_up(first);
        beast::flat_buffer message;
        while (!dropped_) {
            auto read = asio::redirect_error(use_task, failed);
            co_await stream_.async_read(message, read);
            if (failed == websocket::error::message_too_big)
                ++on_->counted.refused["WEBSOCKET_MESSAGE_TOO_BIG"];
            if (failed) break;
            heard();
            auto const data = message.cdata();
            std::string_view const text{static_cast<char const*>(data.data()), data.size()};
            // Beast 1.74 overlooks a text that an empty last fragment cuts in the middle of a sign.
            if (stream_.got_text() && !text::is_valid_utf8(text))
                end(websocket::close_code::bad_payload, on_->options.limits.linger);
            else
                take(text);
            message.clear();
        }
    }

    void catch_up(wishes const& first) {
        for (auto const& name : text::split(first.event_types, ','))
            for (auto const& [type, known] : contract::names_of<event_type>)
                if (name == known) subscribed_.set(static_cast<std::size_t>(type));
        if (!first.since) return;
        auto const missed = on_->events.since(*first.since);
        if (!missed) return resync("events were forgotten since then: read anew what you keep");
        for (auto const& event : *missed)
            if (wants(event.type)) missed_.push_back(event.text);
        send();
    }

    void leave() {
        if (joined_) on_->events.leave(*this);
        joined_ = false;
    }
    void heard() {
        heard_at_ = steady::now();
        asked_at_.reset();
    }

    void take(std::string_view text) {
        using deed = watch_message::deed;
        if (!stream_.got_text()) return refuse("not JSON: not text");
        auto const said = read_watch_message(text);
        if (!said) return refuse(said.error());
        switch (said->asks) {
        case deed::ping: return reply(R"({"action":"pong"})");
        case deed::pong: return;
        case deed::subscribe: subscribed_ |= said->types; break;
        case deed::unsubscribe: subscribed_ &= ~said->types; break;
        }
        reply(
            R"({"action":")" + std::string{said->asks == deed::subscribe ? "subscribed" : "unsubscribed"} +
            R"(","event_types":)" + said->types_given + '}');
    }

    void refuse(std::string_view why) {
        wire::writer out;
        out.begin_object();
        out.key("action");
        out.text("error");
        out.key("error");
        out.text(why);
        out.end_object();
        reply(out.take_text());
    }
    void reply(std::string json) { say(shared_text{std::move(json)}); }
    void say(shared_text text) {
        tell(std::move(text));
        send();
    }

    void push(shared_text text) {
        count_in(text);
        waiting_.push_back(std::move(text));
    }
    void count_in(shared_text const& text) {
        waiting_bytes_ += text.size();
        on_->counted.event_bytes_waiting += text.size();
    }
    void count_out(std::size_t bytes) {
        waiting_bytes_ -= bytes;
        on_->counted.event_bytes_waiting -= bytes;
    }

    void write_next() {
        writing_ = false;
        if (is_closed_) return;
        for (; !missed_.empty() && !sending_.is_full(); missed_.pop_front()) {
            // Counted when it is its turn: it is no fault of who comes back that it is much.
            count_in(missed_.front());
            sending_.add(std::move(missed_.front()));
        }
        for (; !waiting_.empty() && !sending_.is_full(); waiting_.pop_front())
            sending_.add(std::move(waiting_.front()));
        if (sending_.empty()) {
            if (ending_) send_close();
            return;
        }
        writing_ = true;
        auto sent = [self = shared_from_this()](error_code failed, std::size_t) {
            self->count_out(self->sending_.text_bytes());
            self->sending_.clear();
            if (failed) return self->drop();
            self->write_next();
        };
        stream_.next_layer().write(sending_.to_write(), std::move(sent));
    }

    // It does not keep up: what waits is forgotten, it is told so and let go (it comes back and catches up).
    void give_up() {
        for (auto const& text : waiting_) count_out(text.size());
        waiting_.clear();
        missed_.clear();
        resync("events were dropped, since they were not read in time");
        end(websocket::close_reason{websocket::close_code::try_again_later, "too slow"},
            on_->options.limits.write_progress);
    }

    void resync(std::string why) {
        ++on_->counted.watchers_resynced;
        contract::event told;
        told.type = event_type::resync;
        told.timestamp = unix_now();
        auto const now = on_->events.now();
        told.seq = now.seq;
        if (!now.revision.empty()) told.data.revision = now.revision;
        told.data.message = std::move(why);
        push(shared_text{wire::to_json(told)});
        send();
    }

    void end(websocket::close_reason why, std::chrono::milliseconds within) {
        auto const by = steady::now() + within;
        deadline = std::min(deadline, by);
        if (ending_) return;
        ending_ = why;
        if (!writing_) send_close();
    }
    void send_close() {
        if (closing_) return;
        closing_ = true;
        stream_.async_close(*ending_, [self = shared_from_this()](error_code) { self->drop(); });
    }
    void ping(steady::time_point now) {
        pinging_ = true;
        if (!asked_at_) asked_at_ = now;
        stream_.async_ping({}, [self = shared_from_this()](error_code failed) {
            self->pinging_ = false;
            if (failed) self->drop();
        });
    }
    void drop() { // ends reads and writes under way, and with them the session
        dropped_ = true;
        error_code ignored;
        stream_.next_layer().under().close(ignored);
    }

    std::shared_ptr<ground> on_;
    registration registered_;
    std::unique_ptr<seat> seat_;
    websocket::stream<shared_stream> stream_;
    std::optional<authority::pass> pass_;
    event_types subscribed_;
    std::deque<shared_text> waiting_;
    frames sending_;
    std::size_t waiting_bytes_ = 0;  // of both
    std::deque<shared_text> missed_; // before it came; they go before what waits
    std::optional<websocket::close_reason> ending_;
    steady::time_point heard_at_{}, beat_at_{};
    std::optional<steady::time_point> asked_at_; // a ping that nothing has answered
    bool joined_ = false, writing_ = false, closing_ = false, pinging_ = false, is_closed_ = false,
         dropped_ = false;
};

} // namespace

wishes wishes_of(std::vector<std::pair<std::string, std::string>> const& query) {
    wishes out;
    for (auto const& [name, value] : query) {
        if (name == "event_types") out.event_types = value;
        std::int64_t seq = 0;
        auto const [end, failed] = std::from_chars(value.data(), value.data() + value.size(), seq);
        bool const is_number = failed == std::errc{} && end == value.data() + value.size();
        if (name == "since") out.since = is_number ? seq : -1; // what is none is told by a resync
    }
    return out;
}

void start_ws(
    std::shared_ptr<ground> on, stream socket, std::unique_ptr<seat> seat, upgrade_request request,
    std::optional<authority::pass> pass, wishes first) {
    auto& l = on->on;
    auto session =
        std::make_shared<ws_session>(std::move(on), std::move(socket), std::move(seat), std::move(pass));
    spawn(l, ws_session::run(std::move(session), std::move(request), std::move(first)));
}

} // namespace ccbt::server
