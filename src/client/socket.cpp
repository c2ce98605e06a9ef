#include "client/socket.hpp"

#include "base/net_http.hpp"
#include "client/dial.hpp"

namespace ccbt::client {

namespace {

constexpr std::size_t longest_message = std::size_t{16} << 20;
constexpr auto silence_limit = std::chrono::seconds{60}; // with pings at half of it, no message is needed
constexpr unsigned unauthorized_close = 4001;

} // namespace

struct socket::state {
    asio::io_context io{1};
    std::optional<websocket::stream<stream>> line{}; // once there is one
    websocket::stream<stream>& ws() { return *line; }
    beast::flat_buffer buffer{};
    bool reading = false;
    std::optional<std::string> arrived{};
    std::optional<client_error> gone{};

    template <class Start> error_code run(Start const& start) {
        std::optional<error_code> how;
        start([&how](error_code e, auto&&...) { how = e; });
        // Not to the end of all work: a read may go on beside it.
        while (!how) {
            io.restart();
            if (io.run_one() == 0) break;
        }
        return how.value_or(asio::error::operation_aborted);
    }

    void read_one() {
        reading = true;
        ws().async_read(buffer, [this](error_code failed, std::size_t) {
            reading = false;
            if (failed) {
                end(failed);
                return;
            }
            arrived = beast::buffers_to_string(buffer.data());
            buffer.consume(buffer.size());
        });
    }

    void end(error_code failed) {
        // A daemon that hangs up right after its close frame leaves the frame's code and some other error.
        auto const code = ws().reason().code;
        bool const told = code != websocket::close_code::none;
        if (told && code == unauthorized_close)
            gone = client_error{
                .kind = error_kind::unauthorized,
                .status = 401,
                .code = "AUTH_REQUIRED",
                .message = "the daemon did not accept the key"};
        else if (told)
            gone = client_error{
                .kind = error_kind::unreachable,
                .message = "the daemon closed the stream of events (" + std::to_string(code) + ' ' +
                           std::string{ws().reason().reason.c_str()} + ')'};
        else
            gone = client_error{
                .kind = error_kind::unreachable,
                .message = "the stream of events was cut: " + failed.message()};
    }
};

socket::socket(std::unique_ptr<state> made) : state_{std::move(made)} {}
socket::~socket() = default;
socket::socket(socket&&) noexcept = default;
socket& socket::operator=(socket&&) noexcept = default;

result<socket> socket::open(
    address const& where, std::string const& target,
    std::vector<std::pair<std::string, std::string>> const& headers, std::chrono::milliseconds timeout) {
    auto made = std::make_unique<state>();
    auto& s = *made;
    auto const unreachable = [&](error_code const& failed) {
        return fails(error_kind::unreachable, where.shown() + ": " + failed.message());
    };
    auto made_line = dial(s.io, where, timeout);
    if (!made_line) return unexpected<client_error>{std::move(made_line.error())};
    s.line.emplace(std::move(*made_line));

    auto limits = websocket::stream_base::timeout{};
    limits.handshake_timeout = timeout;
    limits.idle_timeout = silence_limit;
    limits.keep_alive_pings = true;
    s.ws().set_option(limits);
    s.ws().read_message_max(longest_message);
    s.ws().set_option(websocket::stream_base::decorator{[&](websocket::request_type& request) {
        for (auto const& [name, held] : headers) request.set(name, held);
    }});
    websocket::response_type answered;
    auto const failed = s.run(
        [&](auto done) { s.ws().async_handshake(answered, where.host_header(), target, std::move(done)); });
    // The decorator holds references to this call's arguments.
    s.ws().set_option(websocket::stream_base::decorator{[](websocket::request_type&) {}});
    if (failed == websocket::error::upgrade_declined) {
        auto const status = static_cast<int>(answered.result_int());
        return unexpected<client_error>{error_of(status, answered.body())};
    }
    if (failed == beast::error::timeout)
        return fails(error_kind::timeout, where.shown() + " did not open the stream of events in time");
    if (failed) return unreachable(failed);
    s.ws().text(true);
    return socket{std::move(made)};
}

result<void> socket::send(std::string const& text) {
    auto& s = *state_;
    if (s.gone) return unexpected<client_error>{*s.gone};
    auto const failed = s.run([&](auto done) { s.ws().async_write(asio::buffer(text), std::move(done)); });
    if (failed && !s.gone) s.end(failed);
    if (s.gone) return unexpected<client_error>{*s.gone};
    return {};
}

result<std::optional<std::string>> socket::receive(std::chrono::milliseconds timeout) {
    auto& s = *state_;
    auto const deadline = std::chrono::steady_clock::now() + timeout;
    while (!s.arrived && !s.gone) {
        if (!s.reading) s.read_one();
        s.io.restart();
        // run_one_until looks at nothing once the time is past, and what has come already is wanted then too.
        if (s.io.poll_one() == 0 && s.io.run_one_until(deadline) == 0) break;
    }
    if (s.arrived) {
        auto out = std::exchange(s.arrived, std::nullopt);
        return out;
    }
    if (s.gone) return unexpected<client_error>{*s.gone};
    return std::optional<std::string>{};
}

} // namespace ccbt::client
