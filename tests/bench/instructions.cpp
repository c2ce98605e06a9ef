// The hot paths of a daemon, a fixed number of times each, for callgrind to count their instructions: the real rooms
// from the socket to the model, over a store in memory and a fake engine. tests/bench/instructions.py runs it.
#include "base/text.hpp"
#include "filter/list.hpp"
#include "journeys/house.hpp"
#include "support/http.hpp"
#include "support/many_torrents.hpp"

#include <arpa/inet.h>
#include <cstdlib>
#include <deque>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

namespace {

using namespace ccbt;
using journeys::house;

constexpr int rows = 1'000, watchers = 100;

void must(bool is_so, char const* what) {
    if (is_so) return;
    std::fprintf(stderr, "instructions: %s\n", what);
    std::_Exit(1);
}

// A client that costs next to nothing itself: what it sends is made before, what comes is only counted.
class plain_client {
public:
    explicit plain_client(house const& of) : port_{of.port()} {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port_);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int const on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        must(
            ::connect(fd_, static_cast<sockaddr*>(static_cast<void*>(&to)), sizeof to) == 0, "no connection");
    }
    ~plain_client() { ::close(fd_); }
    plain_client(plain_client const&) = delete;
    plain_client& operator=(plain_client const&) = delete;

    [[nodiscard]] std::string request(
        std::string_view method, std::string_view path, std::string_view body = {},
        support::headers more = {}) const {
        more.emplace_back("X-CCBT-API-Key", house::key);
        more.emplace_back("Host", fmt::format("127.0.0.1:{}", port_));
        if (!body.empty()) more.emplace_back("Content-Type", "application/json");
        return support::request_text(method, "/api/v1" + std::string{path}, more, body);
    }
    void send(std::string_view bytes) const {
        must(
            ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()),
            "nothing was sent");
    }
    /// The answer's bytes, head and body.
    std::string_view ask(std::string_view request) {
        send(request);
        have_ = 0;
        std::size_t whole = 0;
        while (whole == 0 || have_ < whole) {
            receive();
            if (whole != 0) continue;
            auto const end = seen().find("\r\n\r\n");
            if (end == std::string_view::npos) continue;
            constexpr std::string_view named = "Content-Length: ";
            auto const at = seen().find(named);
            must(at < end, "an answer without a length");
            whole = end + 4 + std::strtoul(into_.data() + at + named.size(), nullptr, 10);
        }
        must(seen().starts_with("HTTP/1.1 200"), "an answer that is no 200");
        return seen();
    }

    void watch(std::string_view type) {
        send(request(
            "GET", "/events", {},
            {{"Upgrade", "websocket"},
             {"Connection", "Upgrade"},
             {"Sec-WebSocket-Version", "13"},
             {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="}}));
        for (have_ = 0; seen().find("\r\n\r\n") == std::string_view::npos;) receive();
        auto const words = fmt::format(R"({{"action":"subscribe","data":{{"event_types":["{}"]}}}})", type);
        std::string frame{
            static_cast<char>(0x81), static_cast<char>(0x80 | words.size()), 0, 0, 0, 0}; // masked by nothing
        must(words.size() < 126, "too many words");
        send(frame + words);
        message();
    }
    /// One WebSocket message that is not cut.
    void message() {
        have_ = 0;
        receive();
        must(have_ > 2 && static_cast<unsigned char>(into_[0]) == 0x81, "no message");
    }

private:
    [[nodiscard]] std::string_view seen() const { return {into_.data(), have_}; }
    void receive() {
        auto const n = ::recv(fd_, into_.data() + have_, into_.size() - have_, 0);
        must(n > 0, "an answer did not come");
        have_ += static_cast<std::size_t>(n);
    }

    std::uint16_t port_;
    int fd_ = -1;
    std::vector<char> into_ = std::vector<char>(std::size_t{1} << 20);
    std::size_t have_ = 0;
};

// Counted are the instructions of all threads between the first and the last of `times`.
void count(char const* what, int times, std::function<void()> const& once) {
    for (int n = 0; n < 3; ++n) once(); // what is made at the first time is made
    CALLGRIND_ZERO_STATS;
    CALLGRIND_START_INSTRUMENTATION;
    for (int n = 0; n < times; ++n) once();
    CALLGRIND_STOP_INSTRUMENTATION;
    auto const name = fmt::format("{}/{}", what, times);
    CALLGRIND_DUMP_STATS_AT(name.c_str());
}

std::string hex(int n) { return fmt::format("{:040x}", n + 1); }

std::string filter_lines(int lines) {
    std::string out;
    for (int n = 0; n < lines; ++n)
        out += fmt::format(
            "Some company, no. {}:{}.{}.{}.0-{}.{}.{}.255\n", n, n * 7 % 223 + 1, n / 256 % 256, n % 256,
            n * 7 % 223 + 1, n / 256 % 256, n % 256);
    return out;
}

void count_all() {
    house in;
    plain_client client{in};
    auto const added = [&](std::string const& body) { return client.request("POST", "/torrents/add", body); };
    for (int n = 0; n < rows; ++n) // all but the first paused, so that the queue moves nothing by itself
        client.ask(added(fmt::format(
            R"({{"path_or_magnet":"magnet:?xt=urn:btih:{}&dn=a+torrent+of+an+ordinary+name+{}","paused":{}}})",
            hex(n), n, n > 0)));
    auto rows_move = [&, moved = 0](int how_many) mutable {
        in.on_loop([&] {
            model::torrents_seen seen;
            int at = 0;
            ++moved;
            for (auto const* row = in.running().state().torrents().first(); row != nullptr && at < how_many;
                 ++at) {
                model::torrent_seen one;
                one.id = row->asked->id;
                one.state = contract::torrent_state::downloading;
                one.download_rate = 1000 + moved;
                seen.samples.push_back(one);
                row = row->added_after;
            }
            in.fake().tell(std::move(seen));
        });
        in.settle();
    };

    auto const status = client.request("GET", "/status");
    count("one status request", 200, [&] { client.ask(status); });

    auto const list = client.request("GET", "/torrents");
    count("a list of 1,000 rows", 20, [&] { client.ask(list); });

    std::string token = "x";
    count("a delta of 10 of 1,000 rows", 50, [&] {
        rows_move(10);
        auto const got = client.ask(client.request("GET", "/torrents?since=" + token));
        constexpr std::string_view named = "X-CCBT-Revision: ";
        auto const at = got.find(named) + named.size();
        token = std::string{got.substr(at, got.find('\r', at) - at)};
    });

    {
        std::deque<plain_client> all;
        for (int n = 0; n < watchers; ++n) all.emplace_back(in).watch("torrent_status_changed");
        bool fails = false;
        count("an event to 100 watchers", 200, [&] {
            in.on_loop([&] {
                auto const id = in.running().state().torrents().first()->asked->id;
                fails = !fails;
                in.fake().tell(
                    fails ? model::fact{model::torrent_failed{id, "x"}}
                          : model::fact{model::torrent_recovered{id}});
            });
            for (auto& one : all) one.message();
        });
    }

    std::vector<std::string> adds;
    for (int n = 0; n < 203; ++n) {
        auto const bytes = support::file_of_many(n);
        auto const text = text::to_base64(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
        adds.push_back(added(R"({"torrent_data":")" + text + "\",\"paused\":true}"));
    }
    auto next = adds.begin();
    count("one add", 200, [&] { client.ask(*next++); });

    auto const path = (in / "filter.p2p").string();
    std::ofstream{path} << filter_lines(100'000);
    count("a filter of 100,000 lines", 1, [&] {
        filter::progress told;
        auto got = filter::read_list(path, "it", {}, told);
        must(got.has_value() && got->bad_count == 0, "the filter could not be read");
        must(ip_range_set{std::move(got->ranges)}.ranges().size() > 0, "an empty filter");
    });
}

} // namespace

int main() {
    count_all();
    return 0;
}
