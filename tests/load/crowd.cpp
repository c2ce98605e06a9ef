#include "load/crowd.hpp"

#include "load/priority.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ccbt::load {

using support::eventually;
using support::milliseconds;

namespace {

constexpr auto tick = milliseconds{1000};
constexpr auto gathered_within = milliseconds{60'000};
constexpr std::string_view pong{"\x8a\x80\0\0\0\0", 6}; // masked with zeros

bool dawdles(habit h) { return h == habit::slow_head || h == habit::slow_body || h == habit::slow_reader; }
bool asks_on(habit h) {
    return h == habit::busy || h == habit::keyless || h == habit::guessing || h == habit::fleeting;
}

std::size_t number_at(std::string_view text, std::size_t at) {
    std::size_t out = 0;
    std::from_chars(text.data() + at, text.data() + text.size(), out);
    return out;
}

} // namespace

struct crowd::client {
    habit how{};
    int number = 0;
    int fd = -1;
    bool is_there = false; // connected, answered, upgraded
    bool is_open = false;  // a WebSocket
    bool asked = false;    // and not answered yet
    int rounds = 0;
    std::string out, in;
    std::size_t skip = 0; // of an answer's body, still to come
    std::size_t sent = 0; // of a request that comes in drops
    watched seen;
};

crowd::crowd(support::daemon const& at, crowd_plan const& plan) : port_(at.port()) {
    auto const host = "Host: 127.0.0.1:" + std::to_string(port_) + "\r\n";
    auto const key = host + "X-CCBT-API-Key: " + at.key() + "\r\n";
    auto const get = [](std::string_view path, std::string const& head) {
        return "GET /api/v1" + std::string{path} + " HTTP/1.1\r\n" + head + "\r\n";
    };
    auto const upgrade =
        get("/events", key + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    asked_by_busy_ = {get("/status", key), get("/session/stats", key), get("/torrents?limit=10", key)};
    requests_ = {
        {habit::idle, get("/status", key)},
        {habit::turned_away, get("/status", key)},
        {habit::watching, upgrade},
        {habit::deaf, upgrade},
        {habit::slow_head, "GET /api/v1/status HTTP/1.1\r\n" + key + "X-Slow: "},
        {habit::slow_body, "POST /api/v1/security/blacklist HTTP/1.1\r\n" + key +
                               "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"},
        {habit::slow_reader, {}},
        {habit::keyless, get("/torrents", host)},
        {habit::guessing, get("/torrents", host + "X-CCBT-API-Key: 0123456789abcdef\r\n")},
        {habit::fleeting, get("/torrents", host + "Connection: close\r\n")}};
    for (int i = 0; i < 30; ++i) // more than the kernel takes off the daemon's hands
        requests_[habit::slow_reader] += get("/torrents", key);
    for (auto const& [how, count] : plan)
        for (int i = 0; i < count; ++i) {
            auto one = std::make_unique<client>();
            one->how = how;
            one->number = i;
            clients_.push_back(std::move(one));
        }
    size_ = missing_ = static_cast<int>(clients_.size());
    poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    thread_ = std::thread{[this] { run(); }};
    if (!eventually(gathered_within, [&] { return missing_ == 0; })) {
        phase_ = phase::is_over;
        thread_.join();
        ::close(poll_);
        throw std::runtime_error(std::to_string(missing_) + " of the crowd did not get there");
    }
    phase_ = phase::goes_on;
}

crowd::~crowd() {
    leave();
    ::close(poll_);
}

void crowd::leave() {
    phase_ = phase::is_over;
    if (thread_.joinable()) thread_.join();
}

void crowd::rest() {
    phase_ = phase::rests;
    if (!eventually(milliseconds{60'000}, [&] { return outstanding_ == 0; }))
        throw std::runtime_error(std::to_string(outstanding_) + " answers did not come");
}

std::vector<crowd::watched> crowd::by_watcher() const {
    std::vector<watched> out;
    for (auto const& one : clients_)
        if (one->how == habit::watching) out.push_back(one->seen);
    return out;
}

std::string_view crowd::request_of(client const& one) const {
    if (one.how == habit::busy)
        return asked_by_busy_[static_cast<std::size_t>(one.number + one.rounds) % asked_by_busy_.size()];
    return requests_.at(one.how);
}

void crowd::run() {
    be_second();
    // A handful at a time: so many at once are no scene of these.
    std::size_t opened = 0;
    auto next_tick = std::chrono::steady_clock::now() + tick;
    std::array<epoll_event, 256> ready{};
    auto known = phase::gathers;
    while (phase_ != phase::is_over) {
        for (int i = 0; i < 64 && opened < clients_.size(); ++i) open(*clients_[opened++]);
        if (known == phase::gathers && phase_ == phase::goes_on) {
            for (auto& one : clients_) {
                if (!asks_on(one->how) || one->asked) continue;
                if (one->how == habit::fleeting)
                    shut(*one), open(*one);
                else
                    say(*one, request_of(*one));
            }
            known = phase::goes_on;
        }
        auto const n = ::epoll_wait(
            poll_, ready.data(), static_cast<int>(ready.size()), opened < clients_.size() ? 0 : 20);
        for (int i = 0; i < n; ++i) {
            auto& at = ready[static_cast<std::size_t>(i)];
            on_ready(*static_cast<client*>(at.data.ptr), at.events);
        }
        if (auto const now = std::chrono::steady_clock::now(); now >= next_tick) {
            next_tick = now + tick;
            dawdle();
        }
    }
    for (auto& one : clients_) shut(*one);
}

void crowd::open(client& one) {
    one.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (one.fd < 0) throw std::runtime_error("no socket for the crowd: is the limit of descriptors too low?");
    int const yes = 1, small = 4096;
    ::setsockopt(one.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (one.how == habit::slow_reader || one.how == habit::deaf)
        ::setsockopt(one.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    // Strangers come from addresses of their own: their guesses are not the others'.
    auto const h = static_cast<std::uint32_t>(one.how);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr =
        htonl(0x7f640001U + (h << 16U) + (static_cast<std::uint32_t>(one.number % 200) << 8U));
    ::setsockopt(one.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    ::bind(one.fd, reinterpret_cast<sockaddr*>(&from), sizeof from);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port_);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(one.fd, reinterpret_cast<sockaddr*>(&to), sizeof to);
    epoll_event want{};
    want.events = EPOLLOUT | (one.how == habit::slow_reader ? 0U : static_cast<std::uint32_t>(EPOLLIN));
    want.data.ptr = &one;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, one.fd, &want);
    one.in.clear();
    one.out.clear();
    one.skip = one.sent = 0;
    one.is_open = false;
    say(one, request_of(one));
    if (dawdles(one.how)) arrived(one);
}

void crowd::shut(client& one) {
    if (one.fd >= 0) ::close(one.fd);
    one.fd = -1;
    if (one.asked) --outstanding_;
    one.asked = false;
}

void crowd::say(client& one, std::string_view text) {
    one.out += text;
    if (!one.asked && !dawdles(one.how)) {
        one.asked = true;
        ++outstanding_;
    }
    push(one);
}

void crowd::push(client& one) {
    if (one.out.empty()) return;
    auto const n = ::send(one.fd, one.out.data(), one.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) one.out.erase(0, static_cast<std::size_t>(n));
}

void crowd::on_ready(client& one, std::uint32_t what) {
    if (one.fd < 0) return;
    if ((what & EPOLLOUT) != 0 && !one.out.empty()) push(one);
    if ((what & EPOLLOUT) != 0 && one.out.empty()) {
        epoll_event want{};
        want.events = one.how == habit::slow_reader || (one.how == habit::deaf && one.is_open) ? 0U : EPOLLIN;
        want.data.ptr = &one;
        ::epoll_ctl(poll_, EPOLL_CTL_MOD, one.fd, &want);
    }
    if ((what & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
    std::array<char, 65536> some;
    auto const n = ::recv(one.fd, some.data(), some.size(), MSG_DONTWAIT);
    if (n > 0) return on_bytes(one, {some.data(), static_cast<std::size_t>(n)});
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) on_end(one);
}

void crowd::on_bytes(client& one, std::string_view bytes) {
    auto const thrown = std::min(one.skip, bytes.size());
    one.skip -= thrown;
    bytes.remove_prefix(thrown);
    if (thrown != 0 && one.skip == 0) on_answer(one);
    if (one.fd < 0 || bytes.empty()) return;
    one.in += bytes;
    if (one.is_open) return on_frames(one);
    auto const end = one.in.find("\r\n\r\n");
    if (end == std::string::npos) return;
    std::string_view const head{one.in.data(), end};
    auto const status = number_at(head, 9);
    ++answers_.at(std::min<std::size_t>(status, 599));
    if (status == 101) {
        one.in.erase(0, end + 4);
        one.is_open = true;
        one.asked = false;
        --outstanding_;
        arrived(one);
        if (one.how == habit::deaf) {
            epoll_event want{};
            want.data.ptr = &one;
            ::epoll_ctl(poll_, EPOLL_CTL_MOD, one.fd, &want);
        }
        return on_frames(one);
    }
    auto at = head.find("Content-Length: ");
    if (at == std::string_view::npos) at = head.find("content-length: ");
    auto const length = at == std::string_view::npos ? 0 : number_at(head, at + 16);
    auto const here = std::min(length, one.in.size() - end - 4);
    one.in.clear();
    one.skip = length - here;
    if (one.skip == 0) on_answer(one);
}

void crowd::on_answer(client& one) {
    if (one.asked) --outstanding_;
    one.asked = false;
    ++one.rounds;
    arrived(one);
    if (phase_ != phase::goes_on || !asks_on(one.how)) return;
    if (one.how == habit::fleeting) {
        shut(one);
        return open(one);
    }
    say(one, request_of(one));
}

// Frames of a server are not masked. What matters is kept: how many events, and that their numbers rise.
void crowd::on_frames(client& one) {
    std::string_view rest = one.in;
    while (rest.size() >= 2) {
        auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
        std::size_t size = byte(1) & 0x7fU, head = 2;
        if (size == 126) {
            head = 4;
            if (rest.size() < head) break;
            size = byte(2) * 256U + byte(3);
        }
        if (rest.size() < head + size) break;
        auto const opcode = byte(0) & 0x0fU;
        auto const text = rest.substr(head, size);
        rest.remove_prefix(head + size);
        if (opcode == 9) {
            one.out += pong;
            push(one);
        }
        if (opcode != 1 || text.starts_with(R"({"action")")) continue;
        ++events_;
        ++one.seen.events;
        auto const at = text.rfind("\"seq\":");
        auto const seq = at == std::string_view::npos ? 0 : number_at(text, at + 6);
        one.seen.in_order = one.seen.in_order && seq > one.seen.last;
        one.seen.last = seq;
        if (one.seen.first == 0) one.seen.first = seq;
    }
    one.in.erase(0, one.in.size() - rest.size());
}

void crowd::on_end(client& one) {
    bool const expected = dawdles(one.how) || one.how == habit::fleeting || one.how == habit::deaf ||
                          one.how == habit::turned_away;
    if (!expected && phase_ != phase::is_over) ++lost_;
    shut(one);
    if (phase_ == phase::goes_on && (dawdles(one.how) || one.how == habit::fleeting)) open(one);
}

void crowd::dawdle() {
    for (auto& each : clients_) {
        auto& one = *each;
        if (one.fd < 0 || !dawdles(one.how)) continue;
        std::array<char, 1024> some;
        if (one.how != habit::slow_reader) {
            ::send(one.fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            continue;
        }
        if (::recv(one.fd, some.data(), some.size(), MSG_DONTWAIT) == 0) on_end(one);
    }
}

void crowd::arrived(client& one) {
    if (!one.is_there) --missing_;
    one.is_there = true;
}

} // namespace ccbt::load
