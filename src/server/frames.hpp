// What goes out on a WebSocket beside what Beast says by itself: Beast writes a message at a time, which is a system call
// for each, and a watcher of a busy daemon is owed many at once. Loop thread.
#pragma once

#include "base/net_http.hpp"
#include "base/shared_text.hpp"

#include <array>
#include <vector>

namespace ccbt::server {

/// Texts as frames of a server (RFC 6455, 5.2: whole, not masked), to be written together.
class frames {
public:
    /// More than this many, or bytes, are no gain in one write, and are kept until all of it is written.
    static constexpr std::size_t at_most = 32, full_bytes = std::size_t{64} << 10;

    [[nodiscard]] bool empty() const { return frames_.empty(); }
    [[nodiscard]] bool is_full() const { return frames_.size() >= at_most || text_bytes_ >= full_bytes; }
    [[nodiscard]] std::size_t text_bytes() const { return text_bytes_; }
    void add(shared_text text);
    void clear();

    struct buffers { // a sequence, as Asio takes it
        using value_type = asio::const_buffer;
        using const_iterator = asio::const_buffer const*;
        const_iterator first, last;
        [[nodiscard]] const_iterator begin() const { return first; }
        [[nodiscard]] const_iterator end() const { return last; }
    };
    /// Valid until it is changed.
    [[nodiscard]] buffers to_write();

private:
    struct frame {
        shared_text text;
        std::array<unsigned char, 10> head;
        std::size_t head_size;
    };
    std::vector<frame> frames_;
    std::vector<asio::const_buffer> buffers_;
    std::size_t text_bytes_ = 0;
};

/// The stream below a Beast WebSocket to which somebody else writes as well: each write is whole before the next begins,
/// so that no frame is cut by another. One write of Beast's and one of the other's at a time.
class shared_stream {
public:
    using executor_type = stream::executor_type;
    using done = unique_function<void(error_code, std::size_t)>;

    explicit shared_stream(stream under) : under_{std::move(under)} {}

    executor_type get_executor() { return under_.get_executor(); }
    stream& under() { return under_; }

    template <class Buffers, class Token>
    stream::returned<Token> async_read_some(Buffers const& into, Token&& token) {
        return under_.async_read_some(into, std::forward<Token>(token));
    }
    template <class Buffers, class Token>
    stream::returned<Token> async_write_some(Buffers const& from, Token&& token) {
        return asio::async_initiate<Token, void(error_code, std::size_t)>(writing{this}, token, from);
    }
    /// `all` stays valid until `then`, which keeps this alive.
    template <class Buffers> void write(Buffers const& all, done then) {
        if (is_writing_) {
            next_ = [this, all, then = std::move(then)]() mutable { start(all, std::move(then)); };
            return;
        }
        start(all, std::move(then));
    }

private:
    struct writing {
        shared_stream* self;
        template <class Handler, class Buffers> void operator()(Handler&& then, Buffers const& from) const {
            self->write(from, done{std::forward<Handler>(then)});
        }
    };
    /// What Asio calls at the end; where it never does, as its context is gone, who waits is let go too.
    struct finishing {
        shared_stream* of;
        done then;
        finishing(shared_stream* s, done d) : of{s}, then{std::move(d)} {}
        finishing(finishing&& from) noexcept
            : of{std::exchange(from.of, nullptr)}, then{std::move(from.then)} {}
        ~finishing() {
            if (of != nullptr) of->next_ = nullptr;
        }
        void operator()(error_code failed, std::size_t n) {
            auto* const self = std::exchange(of, nullptr);
            self->is_writing_ = false;
            if (auto waits = std::exchange(self->next_, nullptr)) waits();
            then(failed, n);
        }
    };
    template <class Buffers> void start(Buffers const& all, done then) {
        is_writing_ = true;
        asio::async_write(under_, all, finishing{this, std::move(then)});
    }

    stream under_;
    bool is_writing_ = false;
    job next_; // the write that waits
};

// Found by Beast, as those of `stream` are.
template <class Handler> void async_teardown(beast::role_type role, shared_stream& which, Handler&& then) {
    async_teardown(role, which.under(), std::forward<Handler>(then));
}
inline void beast_close_socket(shared_stream& which) { beast_close_socket(which.under()); }

} // namespace ccbt::server
