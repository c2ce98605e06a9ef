// P1 and P2 under kill -9: clients that write down what was acknowledged, a daemon that is killed at random moments and
// right behind an answer, round after round on one state.
#include "base/text.hpp"
#include "faults/rounds.hpp"
#include "support/ledger.hpp"
#include "support/temp_folder.hpp"

#include <atomic>
#include <csignal>
#include <gtest/gtest.h>
#include <thread>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> const settings{
    "limits.global_down_kib", "limits.global_up_kib", "limits.per_torrent_down_kib",
    "queue.max_active_torrents", "network.max_global_peers"};

struct known_torrent {
    std::string hash;
    bool paused = true;
    int down = 0, up = 0;
    std::string priority = "normal", data{}; // the file that it has

    [[nodiscard]] std::string text(std::string const& label) const {
        return (paused ? "paused" : "running") + (" down=" + std::to_string(down)) +
               " up=" + std::to_string(up) + " priority=" + priority + " labels=" + label;
    }
};

/// One client: asks for random things of its own, and knows what it asked.
class client {
public:
    client(ledger& into, fs::path folder, int number, std::uint64_t seed)
        : ledger_{into}, folder_{std::move(folder)}, name_{"c" + std::to_string(number)}, random_{seed} {}

    /// Until the daemon is gone. `answered` is told of each acknowledged change.
    void work(daemon const& with, std::function<void()> const& answered) {
        forget_unsure();
        try {
            http_connection ask{"127.0.0.1", with.port()};
            with_ = &with;
            ask_ = &ask;
            answered_ = &answered;
            while (one_deed()) {}
        } catch (std::exception const&) {} // it was killed before we were connected
    }
    /// After a restart: what is there is what we go on with.
    void learn(holdings const& now) {
        std::vector<known_torrent> mine;
        for (auto const& one : {std::cref(torrents_), std::cref(maybe_)})
            for (auto torrent : one.get())
                if (auto const at = now.find("t/" + torrent.hash); at != now.end()) {
                    take(torrent, at->second);
                    mine.push_back(torrent);
                }
        torrents_.clear();
        auto const order = now.find("order/" + name_);
        if (order != now.end())
            for (auto const hash : text::split(order->second, ' '))
                for (auto const& one : mine)
                    if (one.hash == hash) torrents_.push_back(one);
        std::erase_if(words_, [&](auto const& word) { return !now.contains(word); });
        for (auto const& word : maybe_words_)
            if (now.contains(word)) words_.push_back(word);
    }

private:
    void forget_unsure() {
        maybe_.clear();
        maybe_words_.clear();
    }
    static void take(known_torrent& into, std::string const& text) {
        auto const after = [&](std::string_view key) {
            auto const at = text.find(key) + key.size();
            return text.substr(at, text.find(' ', at) - at);
        };
        into.paused = text.starts_with("paused");
        into.down = std::stoi(after("down="));
        into.up = std::stoi(after("up="));
        into.priority = after("priority=");
    }
    int below(int n) { return std::uniform_int_distribution<int>{0, n - 1}(random_); }

    [[nodiscard]] holding_changes order_of(std::vector<known_torrent> const& torrents) const {
        std::string out;
        for (auto const& one : torrents) out += (out.empty() ? "" : " ") + one.hash;
        return {{"order/" + name_, out.empty() ? std::nullopt : std::optional{out}}};
    }
    /// False: no answer came, it is gone.
    bool change(
        holding_changes what, std::string_view method, std::string const& path, std::string const& body) {
        auto const ticket = ledger_.ask(std::move(what));
        auto const said = ask_->ask(
            method, "/api/v1" + path,
            {{"X-CCBT-API-Key", with_->key()}, {"Host", "127.0.0.1:" + std::to_string(with_->port())}}, body);
        if (said.status == 0) return false;
        if (said.status / 100 != 2 || said.body.find("\"success\":false") != std::string::npos) {
            ledger_.refuse(ticket);
            ADD_FAILURE() << method << ' ' << path << ": " << said.status << ' ' << said.body;
            return false;
        }
        ledger_.acknowledge(ticket);
        (*answered_)();
        return true;
    }
    known_torrent fresh(bool with_data, std::string& source) {
        auto const file = (with_data ? "data-" : "none-") + name_ + '-' + std::to_string(++made_);
        auto const path = with_data ? with_->downloads() / file : folder_ / file;
        make_file(path, 20'000, random_());
        auto const torrent = make_torrent(path, {.piece_size = 16 << 10});
        if (!with_data) fs::remove(path);
        source = torrent.bytes;
        return {.hash = torrent.hash(), .data = with_data ? file : ""};
    }
    std::string add_body(known_torrent const& one, std::string const& source, int how) const {
        std::string from;
        if (how == 0) {
            from = R"("path_or_magnet":"magnet:?xt=urn:btih:)" + one.hash + '"';
        } else if (how == 1) {
            auto const path = folder_ / (one.hash + ".torrent");
            write_file(path, source);
            from = R"("path_or_magnet":")" + path.string() + '"';
        } else {
            from = R"("torrent_data":")" +
                   text::to_base64(std::vector<std::uint8_t>(source.begin(), source.end())) + '"';
        }
        return '{' + from + R"(,"paused":)" + (one.paused ? "true" : "false") + R"(,"labels":[")" + name_ +
               "\"]}";
    }
    bool add(int count) {
        auto next = torrents_;
        holding_changes what;
        std::string bodies;
        for (int n = 0; n < count; ++n) {
            auto const how = below(3);
            std::string source;
            auto one = fresh(how != 0 && below(2) == 0, source);
            one.paused = below(4) != 0;
            what["t/" + one.hash] = one.text(name_);
            if (!one.data.empty()) {
                holding_changes file{{"f/" + one.data, "there"}};
                ledger_.acknowledge(ledger_.ask(file)); // we made it ourselves
            }
            bodies += (n == 0 ? "" : ",") + add_body(one, source, how);
            next.push_back(one);
            maybe_.push_back(one);
        }
        what.merge(order_of(next));
        if (!(count == 1 ? change(what, "POST", "/torrents/add", bodies)
                         : change(what, "POST", "/torrents/batch/add", R"({"torrents":[)" + bodies + "]}")))
            return false;
        torrents_ = next;
        maybe_.clear();
        return true;
    }
    bool remove(int count) {
        auto next = torrents_;
        holding_changes what;
        std::string hashes;
        auto const data = below(2) == 0;
        for (int n = 0; n < count; ++n) {
            auto const at = next.begin() + below(static_cast<int>(next.size()));
            what["t/" + at->hash] = std::nullopt;
            if (data && !at->data.empty()) what["f/" + at->data] = std::nullopt;
            hashes += (n == 0 ? "\"" : ",\"") + at->hash + '"';
            next.erase(at);
        }
        what.merge(order_of(next));
        auto const is_done =
            count == 1
                ? change(
                      what, "DELETE",
                      "/torrents/" + hashes.substr(1, hashes.size() - 2) + (data ? "?delete_files=true" : ""),
                      "")
                : change(
                      what, "POST", "/torrents/batch/remove",
                      R"({"info_hashes":[)" + hashes + R"(],"remove_data":)" + (data ? "true}" : "false}"));
        if (is_done) torrents_ = next;
        return is_done;
    }
    bool alter() {
        auto const at = static_cast<std::size_t>(below(static_cast<int>(torrents_.size())));
        auto next = torrents_[at];
        std::string path = "/torrents/" + next.hash, body;
        switch (below(4)) {
        case 0:
            next.paused = !next.paused;
            path += next.paused ? "/pause" : "/resume";
            break;
        case 1:
            next.down = below(1000);
            next.up = below(1000);
            path += "/rate-limits";
            body = R"({"download_kib":)" + std::to_string(next.down) + R"(,"upload_kib":)" +
                   std::to_string(next.up) + '}';
            break;
        case 2:
            next.priority = std::vector<std::string>{
                "low", "normal", "high", "maximum"}[static_cast<std::size_t>(below(4))];
            path = "/queue/add";
            body = R"({"info_hash":")" + next.hash + R"(","priority":")" + next.priority + "\"}";
            break;
        default: {
            auto order = torrents_;
            std::rotate(
                order.begin(), order.begin() + static_cast<std::ptrdiff_t>(at),
                order.begin() + static_cast<std::ptrdiff_t>(at) + 1);
            if (!change(order_of(order), "POST", "/queue/" + next.hash + "/move", R"({"new_position":0})"))
                return false;
            torrents_ = order;
            return true;
        }
        }
        if (!change({{"t/" + next.hash, next.text(name_)}}, "POST", path, body)) return false;
        torrents_[at] = next;
        return true;
    }
    bool note() { // a list entry or a key: one more, or one less
        if (!words_.empty() && below(3) == 0) {
            auto const at = words_.begin() + below(static_cast<int>(words_.size()));
            auto const word = *at, path = word.substr(2);
            words_.erase(at);
            maybe_words_.push_back(word);
            if (!change(
                    {{word, std::nullopt}}, "DELETE",
                    (word[0] == 'k'   ? "/keys/"
                     : word[0] == 'b' ? "/security/blacklist/"
                                      : "/security/whitelist/") +
                        path,
                    ""))
                return false;
            maybe_words_.clear();
            return true;
        }
        auto const kind = "bwk"[below(3)];
        auto const n = ++made_;
        auto const what = kind == 'k' ? name_ + "-" + std::to_string(n)
                                      : "10." + name_.substr(1) + '.' + std::to_string(n / 250) + '.' +
                                            std::to_string(n % 250 + 1);
        auto const word = std::string{kind} + '/' + what;
        maybe_words_.push_back(word);
        auto const is_done = kind == 'k' ? change(
                                               {{word, "read,net"}}, "POST", "/keys",
                                               R"({"name":")" + what + R"(","scopes":["read","net"]})")
                                         : change(
                                               {{word, name_}}, "POST",
                                               kind == 'b' ? "/security/blacklist" : "/security/whitelist",
                                               R"({"ip":")" + what + R"(","reason":")" + name_ + "\"}");
        if (!is_done) return false;
        maybe_words_.clear();
        words_.push_back(word);
        return true;
    }
    bool configure() { // two in one
        auto const a = std::to_string(below(1000) + 1), b = std::to_string(below(100) + 1);
        if (below(2) == 0)
            return change(
                {{"c/limits.per_torrent_down_kib", a}, {"c/queue.max_active_torrents", b}}, "PUT", "/config",
                R"({"limits":{"per_torrent_down_kib":)" + a + R"(},"queue":{"max_active_torrents":)" + b +
                    "}}");
        return change(
            {{"c/limits.global_up_kib", a}, {"c/network.max_global_peers", b}}, "PUT", "/config",
            R"({"limits":{"global_up_kib":)" + a + R"(},"network":{"max_global_peers":)" + b + "}}");
    }
    bool one_deed() {
        auto const dice = below(100);
        auto const count = static_cast<int>(torrents_.size());
        if (count < 4 || (dice < 22 && count < 14)) return add(below(5) == 0 ? 3 : 1);
        if (dice < 40) return remove(below(5) == 0 ? 3 : 1);
        if (dice < 72) return alter();
        if (dice < 90 || name_ != "c0") return note();
        return configure();
    }

    ledger& ledger_;
    fs::path folder_;
    std::string name_;
    std::mt19937_64 random_;
    std::vector<known_torrent> torrents_, maybe_; // in the order of the queue; asked for and not answered
    std::vector<std::string> words_, maybe_words_;
    int made_ = 0;
    daemon const* with_ = nullptr;
    http_connection* ask_ = nullptr;
    std::function<void()> const* answered_ = nullptr;
};

TEST(ledger, nothing_acknowledged_is_lost_and_nothing_removed_comes_back_when_the_daemon_is_killed) {
    auto const rounds = faults::rounds(15, 200);
    auto const seed = faults::seed();
    std::mt19937_64 random{seed};
    temp_folder folder;
    daemon under{{.folder = folder.path(), .settings = {{"observability.log_level", "\"WARNING\""}}}};
    ledger kept;
    kept.begin(holdings_of(under, settings));
    std::vector<client> clients;
    for (int n = 0; n < 4; ++n) clients.emplace_back(kept, folder.path(), n, random());

    for (int round = 1; round <= rounds; ++round) {
        std::atomic<int> until_kill = round % 2 == 0 ? static_cast<int>(random() % 60) + 1 : -1;
        auto const pid = under.running().pid();
        auto const answered = [&] {
            if (until_kill > 0 && --until_kill == 0) ::kill(pid, SIGKILL);
        };
        std::vector<std::thread> at_work;
        for (auto& one : clients) at_work.emplace_back([&] { one.work(under, answered); });
        // A random moment of work under way, or right behind an answer.
        if (until_kill < 0)
            std::this_thread::sleep_for(std::chrono::microseconds{random() % 500'000});
        else
            static_cast<void>(under.running().wait(milliseconds{20'000}));
        under.kill9();
        for (auto& one : at_work) one.join();
        ASSERT_FALSE(testing::Test::HasFailure()) << "in round " << round << ", seed " << seed;
        under.start();
        kept.compare(under, settings);
        auto const found = kept.found();
        ASSERT_TRUE(found.is_clean()) << found.first << "\nin round " << round << ", seed " << seed << '\n'
                                      << under.log().substr(0, 2000);
        auto const now = kept.acknowledged();
        for (auto& one : clients) one.learn(now);
        if (round % 20 == 0 || round == rounds)
            faults::say(
                "ledger", "round {} of {}: {} acknowledged, lost {}, resurrected {}", round, rounds,
                found.acknowledged, found.lost, found.resurrected);
    }
    auto const found = kept.found();
    faults::say(
        "ledger",
        "rounds {}, acknowledged {}, unanswered {} (of which kept {}), lost {}, resurrected {}, half done {}, seed {}",
        rounds, found.acknowledged, found.unanswered, found.kept, found.lost, found.resurrected, found.torn,
        seed);
    EXPECT_EQ(under.terminate(), 0);
}

} // namespace

} // namespace ccbt::support
