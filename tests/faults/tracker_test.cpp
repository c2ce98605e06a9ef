// Trackers that stall, refuse, lead astray or send too much: the daemon says what is the matter, stays quick and small.
#include "base/gzip.hpp"
#include "client/fake_daemon.hpp"
#include "support/many_torrents.hpp"
#include "support/socket.hpp"
#include "swarm/swarm.hpp"

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>

namespace ccbt::support {

namespace {

using clock = std::chrono::steady_clock;

std::string ok(std::string const& body, std::string const& more = {}) {
    return "HTTP/1.1 200 OK\r\n" + more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
}
std::string answer_with_peers(std::size_t bytes) {
    return "d8:intervali1800e5:peers" + std::to_string(bytes) + ':' + std::string(bytes, '\x7f') + 'e';
}

/// A tracker of many manners, by the last segment of the path that it is asked at.
class villain {
public:
    explicit villain(std::string where_to)
        : where_to_(std::move(where_to)), server_{[this](auto const& asked) { return answer(asked.line); }} {}
    ~villain() {
        std::lock_guard const held{mutex_};
        is_over_ = true;
        ended_.notify_all();
    }
    [[nodiscard]] std::string url(std::string const& manner) const {
        return server_.url() + "/announce/" + manner;
    }

private:
    std::string answer(std::string_view line) {
        auto const path = line.substr(0, line.find('?'));
        if (path.ends_with("/stalls")) {
            std::unique_lock held{mutex_};
            ended_.wait(held, [this] { return is_over_; });
            return {};
        }
        if (path.ends_with("/redirects"))
            return "HTTP/1.1 302 Found\r\nLocation: " + where_to_ + "\r\nContent-Length: 0\r\n\r\n";
        if (path.ends_with("/circles"))
            return "HTTP/1.1 302 Found\r\nLocation: " + url("circles") + "\r\nContent-Length: 0\r\n\r\n";
        if (path.ends_with("/gzip_bomb")) return ok(bomb_, "Content-Encoding: gzip\r\n");
        if (path.ends_with("/huge")) return ok(answer_with_peers(std::size_t{100} << 20));
        if (path.ends_with("/million")) return ok(answer_with_peers(6'000'000));
        if (path.ends_with("/crowd")) return ok(answer_with_peers(300'000));
        if (path.ends_with("/deep"))
            return ok("d5:peers" + std::string(400'000, 'l') + std::string(400'000, 'e') + 'e');
        return ok("garbage");
    }
    std::string const where_to_;
    std::string const bomb_ = gzip(std::string(std::size_t{256} << 20, '\0'), 1);
    std::mutex mutex_;
    std::condition_variable ended_;
    bool is_over_ = false;
    client::fake_daemon server_; // ends first
};

std::size_t resident_peak_kib(pid_t of) {
    auto const status = read_file("/proc/" + std::to_string(of) + "/status");
    auto const at = status.find("VmHWM:");
    return std::stoul(status.substr(at + 6));
}

TEST(tracker, that_stalls_refuses_leads_astray_or_sends_bombs_is_told_of_and_harms_nobody) {
    swarm in;
    client::fake_daemon inside{[](auto const&) { return ok("d8:intervali1800e5:peers0:e"); }};
    villain const bad{inside.url() + "/api/v1/shutdown"};
    make_file(in.data("sound.bin"), 300'000, 140);
    auto const sound = in.torrent_of(in.data("sound.bin"));
    daemon of{in.seeder()};
    of.add(sound);
    of.wait_until_seeding(sound.hash());
    auto const before = resident_peak_kib(of.running().pid());

    std::map<std::string, std::string> const cases{
        {"timeout", bad.url("stalls")},
        {"timeout of UDP", "udp://127.0.0.1:" + std::to_string(free_port()) + "/announce"},
        {"refused", "http://127.0.0.1:" + std::to_string(free_port()) + "/announce"},
        {"led astray", bad.url("redirects")},
        {"led in circles", bad.url("circles")},
        {"bomb", bad.url("gzip_bomb")},
        {"huge", bad.url("huge")},
        {"million peers", bad.url("million")},
        {"deep", bad.url("deep")},
        {"garbage", bad.url("garbage")}};
    std::map<std::string, std::string> hashes;
    int number = 0;
    for (auto const& [name, url] : cases)
        hashes[name] = add_many(of, {.first = number++, .count = 1, .tracker = url}).front();
    auto const crowd =
        add_many(of, {.first = number++, .count = 1, .tracker = bad.url("crowd"), .with_data = false})
            .front();

    std::map<std::string, std::future<answer>> said;
    for (auto const& [name, hash] : hashes)
        said.emplace(name, std::async(std::launch::async, [&of, &hash = hash] {
                         return of.post("/torrents/" + hash + "/announce");
                     }));
    milliseconds slowest{0};
    for (auto& [name, one] : said) do {
            auto const began = clock::now();
            ASSERT_EQ(of.get("/torrents").status, 200);
            slowest = std::max(slowest, std::chrono::duration_cast<milliseconds>(clock::now() - began));
        } while (one.wait_for(milliseconds{50}) != std::future_status::ready);
    EXPECT_LT(slowest.count(), 1000) << "milliseconds while they were asked";

    for (auto& [name, one] : said) {
        auto const got = one.get();
        EXPECT_EQ(got.status, 502) << name << ' ' << got.body;
        EXPECT_EQ(got.code(), "ANNOUNCE_ERROR") << name;
        auto const* const details = got.json.find("details");
        ASSERT_NE(details, nullptr) << name;
        EXPECT_THAT(
            got.body,
            testing::HasSubstr(name.starts_with("timeout") ? "no answer in time" : "no tracker took"))
            << name;
        RecordProperty(name.substr(0, name.find(' ')), std::string{got.json.text_or("error", "")});
    }
    EXPECT_TRUE(inside.requests().empty())
        << "a tracker made the daemon ask for " << inside.requests().front().line;
    EXPECT_LT(resident_peak_kib(of.running().pid()) - before, std::size_t{200} << 10)
        << "KiB more at the most";

    // 50,000 peers are more than it remembers; that torrent and the sound one go on.
    auto const crowded = of.post("/torrents/" + crowd + "/announce");
    EXPECT_EQ(crowded.status, 200) << crowded.body;
    EXPECT_EQ(state_of(of.row(crowd)), "downloading");
    EXPECT_EQ(of.post("/torrents/" + sound.hash() + "/announce").status, 200);
    EXPECT_EQ(of.terminate(milliseconds{5000}), 0);
}

} // namespace

} // namespace ccbt::support
