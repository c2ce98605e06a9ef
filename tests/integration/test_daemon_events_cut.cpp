// Who watches through a connection that is cut again and again sees every change once; who missed more than is known is
// told so, once.
#include "client/client.hpp"
#include "client/watch.hpp"
#include "support/daemon.hpp"
#include "support/temp_folder.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <gmock/gmock.h>
#include <poll.h>
#include <random>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace ccbt::support {

namespace {

using contract::event_type;

// Passes bytes on to a port, and cuts each connection after so many of them, wherever in a frame that is.
class cutting_proxy {
public:
    cutting_proxy() {
        listens_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        auto at = loopback(0);
        socklen_t size = sizeof at;
        if (::bind(listens_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listens_, 64) != 0 ||
            ::getsockname(listens_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
            throw std::runtime_error{"no port to listen on"};
        port_ = ntohs(at.sin_port);
        works_ = std::thread{[this] { run(); }};
    }
    ~cutting_proxy() {
        stop_ = true;
        works_.join();
        for (auto const& p : pairs_) p.close();
        ::close(listens_);
    }
    cutting_proxy(cutting_proxy const&) = delete;
    cutting_proxy& operator=(cutting_proxy const&) = delete;

    [[nodiscard]] std::string url() const { return "http://" + host(); }
    [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] int cuts_left() const { return cuts_left_; }
    void cut(int times) { cuts_left_ = times; }
    void lead_to(std::uint16_t port) { to_ = port; }

private:
    struct pair {
        int near, far;
        long left; // bytes until it is cut; negative: never
        void close() const {
            ::close(near);
            ::close(far);
        }
    };
    static sockaddr_in loopback(std::uint16_t port) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        at.sin_port = htons(port);
        return at;
    }
    void take() {
        int const near = ::accept4(listens_, nullptr, nullptr, SOCK_CLOEXEC);
        if (near < 0) return;
        int const far = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        auto const at = loopback(to_);
        pair made{near, far, -1};
        if (::connect(far, reinterpret_cast<sockaddr const*>(&at), sizeof at) != 0) return made.close();
        if (cuts_left_ > 0) made.left = std::uniform_int_distribution<long>{300, 2500}(random_);
        pairs_.push_back(made);
    }
    // False where the pair is over.
    bool pass(pair& p, int from, int to, bool counts) {
        std::array<char, 4096> bytes{};
        auto const most = counts && p.left >= 0 ? std::min(bytes.size(), static_cast<std::size_t>(p.left) + 1)
                                                : bytes.size();
        auto const got = ::recv(from, bytes.data(), most, 0);
        if (got <= 0 || ::send(to, bytes.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) != got)
            return false;
        if (!counts || p.left < 0) return true;
        p.left = std::max(0L, p.left - got);
        if (p.left > 0) return true;
        --cuts_left_;
        return false;
    }
    void run() {
        while (!stop_) {
            std::vector<pollfd> on{{listens_, POLLIN, 0}};
            for (auto const& p : pairs_) {
                on.push_back({p.near, POLLIN, 0});
                on.push_back({p.far, POLLIN, 0});
            }
            if (::poll(on.data(), on.size(), 50) <= 0) continue;
            std::vector<pair> kept;
            for (std::size_t i = 0; i < pairs_.size(); ++i) {
                auto p = pairs_[i];
                bool const lives = (on[1 + 2 * i].revents == 0 || pass(p, p.near, p.far, false)) &&
                                   (on[2 + 2 * i].revents == 0 || pass(p, p.far, p.near, true));
                if (lives)
                    kept.push_back(p);
                else
                    p.close();
            }
            pairs_ = std::move(kept);
            if (on[0].revents != 0) take();
        }
    }

    std::atomic<std::uint16_t> to_ = 0;
    std::atomic<int> cuts_left_ = 0;
    std::atomic<bool> stop_ = false;
    int listens_ = -1;
    std::uint16_t port_ = 0;
    std::vector<pair> pairs_;
    std::mt19937 random_{7};
    std::thread works_;
};

std::vector const wanted{
    event_type::torrent_added, event_type::torrent_removed, event_type::torrent_status_changed,
    event_type::security_blacklist_updated};

struct daemon_events_cut : testing::Test {
    temp_folder root{};
    cutting_proxy between{}; // one of the daemon's own names, as a gateway before it would be
    daemon one{
        {.folder = root / "one", .settings = {{"daemon.allowed_hosts", "[\"" + between.host() + "\"]"}}}};
    daemon_events_cut() { between.lead_to(one.port()); }
    [[nodiscard]] client::options direct() const { return {.url = one.url(), .api_key = one.key()}; }
};

TEST_F(daemon_events_cut, who_is_cut_off_100_times_under_load_sees_every_change_once_and_keeps_its_table) {
    between.cut(100);
    client::options const how{.url = between.url(), .api_key = one.key()};
    client::event_watch watch{how, wanted};
    for (deadline const by{milliseconds{20'000}}; !watch.seq() && !by.is_over();) {
        if (auto const came = watch.next(milliseconds{1'000}); !came) FAIL() << came.error().message;
    }
    auto const start = watch.seq().value_or(-1);

    std::atomic<bool> over = false;
    std::atomic<int> changes = 0;
    std::thread load{[&] {
        client::client asks{direct()};
        for (int i = 0; !over; ++i) {
            auto const number = std::to_string(10'000 + i);
            auto const added = asks.add_torrent("magnet:?xt=urn:btih:" + std::string(35, 'c') + number);
            auto const ip = "10.1." + std::to_string(i / 250 % 250) + '.' + std::to_string(i % 250);
            changes += added && asks.add_to_blacklist(ip) && asks.pause(*added) ? 1 : 0;
            if (added && i % 2 == 0) changes += asks.remove_torrent(*added) ? 1 : 0;
            std::this_thread::sleep_for(milliseconds{20}); // 100 changes a second or so
        }
    }};
    client::live_table table{how};
    std::optional<client::client_error> table_failed;
    std::thread follows{[&] {
        while (!over && !table_failed)
            if (auto const news = table.next(milliseconds{200}); !news) table_failed = news.error();
    }};

    std::vector<std::int64_t> seen;
    std::optional<client::client_error> failed;
    auto const look = [&] {
        auto const news = watch.next(milliseconds{500});
        if (!news)
            failed = news.error();
        else if (news->event)
            seen.push_back(news->event->type == event_type::resync ? -1 : news->event->seq);
    };
    for (deadline const by{milliseconds{60'000}}; between.cuts_left() > 0 && !failed && !by.is_over();)
        look();
    over = true;
    load.join();
    follows.join();
    ASSERT_FALSE(failed) << failed->message;
    ASSERT_FALSE(table_failed) << table_failed->message;
    EXPECT_LE(between.cuts_left(), 0);
    EXPECT_GT(changes, 100);

    auto const log = client::client{direct()}.get_event_log(start, {}, 10'000);
    ASSERT_TRUE(log);
    ASSERT_FALSE(log->resync);
    std::vector<std::int64_t> happened;
    std::int64_t before = start;
    for (auto const& e : log->events) {
        EXPECT_EQ(e->seq, ++before) << "seq rises by one";
        if (std::find(wanted.begin(), wanted.end(), e->type) != wanted.end()) happened.push_back(e->seq);
    }
    for (deadline const by{milliseconds{20'000}}; seen.size() < happened.size() && !failed && !by.is_over();)
        look();
    EXPECT_EQ(seen, happened);

    auto const listed = client::client{direct()}.torrents();
    ASSERT_TRUE(listed);
    auto const equal = [&] {
        return table.rows().size() == listed->size() &&
               std::all_of(listed->begin(), listed->end(), [&](auto const& row) {
                   auto const* mine = table.find(row.info_hash);
                   return mine != nullptr && mine->status == row.status;
               });
    };
    for (deadline const by{milliseconds{20'000}}; !equal() && !by.is_over();)
        ASSERT_TRUE(table.next(milliseconds{500}));
    EXPECT_TRUE(equal()) << table.rows().size() << " of " << listed->size();
}

TEST_F(daemon_events_cut, who_watched_a_daemon_that_was_killed_is_told_once_to_read_anew_and_from_where) {
    client::event_watch watch{{.url = between.url(), .api_key = one.key()}, wanted};
    auto const next = [&](deadline const& by) {
        std::optional<contract::event> got;
        while (!got && !by.is_over()) {
            auto news = watch.next(milliseconds{500});
            if (!news) throw std::runtime_error{news.error().message};
            got = std::move(news->event);
        }
        return got;
    };
    ASSERT_TRUE(watch.next(milliseconds{10'000}));
    auto const magnet = [](char last) { return "magnet:?xt=urn:btih:" + std::string(39, 'd') + last; };
    one.add_magnet(magnet('1'));
    auto const first = next(deadline{milliseconds{20'000}});
    ASSERT_TRUE(first);
    one.kill9();
    one.start();
    between.lead_to(one.port());
    auto const told = next(deadline{milliseconds{20'000}});
    ASSERT_TRUE(told);
    EXPECT_EQ(told->type, event_type::resync);
    EXPECT_GE(told->seq, first->seq) << "a true seq";
    client::client asks{direct()};
    contract::list_torrents::request since;
    since.since = told->data.revision;
    auto const changed = asks.call<contract::list_torrents>(since);
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->value.full, false) << "the revision that was told is one to start from";
    auto const hash = one.add_magnet(magnet('2'));
    auto const after = next(deadline{milliseconds{20'000}});
    ASSERT_TRUE(after);
    EXPECT_EQ(after->type, event_type::torrent_added) << "one resync and no more";
    EXPECT_EQ(after->data.info_hash, hash);
    EXPECT_GT(after->seq, told->seq);
}

} // namespace

} // namespace ccbt::support
