// An HTTP tracker of the test's own: it answers as it is told by the path that it is asked at, and keeps every announce.
// What knows peers is tracker.hpp; this one never names any.
#pragma once

#include "base/text.hpp"
#include "client/fake_daemon.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace ccbt::support {

class http_tracker {
public:
    http_tracker() : server_{[this](auto const& asked) { return answer_to(asked.line); }} {}
    ~http_tracker() {
        {
            std::lock_guard const hold{mutex_};
            over_ = true;
        }
        ended_.notify_all();
    }

    /// Its announce URL. `manner`: "" answers, with 3 seeders and 4 leechers; "warns" too; "refuses" with a reason;
    /// "breaks" with status 500; "slow" after half a second; "closes" without an answer; "silent" takes the question and never answers.
    [[nodiscard]] std::string url(std::string const& manner = "") const {
        return server_.url() + "/announce" + (manner.empty() ? "" : '/' + manner);
    }
    /// The announces of a torrent, as the text after '?', in order.
    [[nodiscard]] std::vector<std::string> announces_of(std::string const& hash) const {
        std::vector<std::string> out;
        for (auto const& one : server_.requests()) {
            if (one.line.find("/scrape") != std::string::npos) continue;
            auto const query = one.line.substr(std::min(one.line.find('?') + 1, one.line.size()));
            if (hash_in(query) == hash) out.push_back(query);
        }
        return out;
    }
    [[nodiscard]] std::size_t count(std::string const& hash) const { return announces_of(hash).size(); }

    /// How often it was asked for a scrape, of any torrent.
    [[nodiscard]] std::size_t scrapes() const {
        auto const all = server_.requests();
        return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](auto const& one) {
            return one.line.find("/scrape") != std::string::npos;
        }));
    }

private:
    static std::string hash_in(std::string_view query) {
        constexpr std::string_view mark = "info_hash=";
        auto const at = query.find(mark);
        if (at == std::string_view::npos) return {};
        auto const rest = query.substr(at + mark.size());
        auto const bytes = text::percent_decode(rest.substr(0, rest.find('&')));
        if (!bytes) return {};
        return text::to_hex(std::vector<std::uint8_t>(bytes->begin(), bytes->end()));
    }
    std::string answer_to(std::string_view line) {
        auto const path = line.substr(0, line.find('?'));
        if (path.ends_with("/closes")) return {};
        if (path.ends_with("/silent")) {
            std::unique_lock hold{mutex_};
            ended_.wait(hold, [this] { return over_; });
            return {};
        }
        if (path.ends_with("/slow")) {
            std::unique_lock hold{mutex_};
            ended_.wait_for(hold, std::chrono::milliseconds{500}, [this] { return over_; });
        }
        if (path.ends_with("/breaks")) return "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n";
        std::string body = "d8:completei3e10:incompletei4e8:intervali1800e12:min intervali900e5:peers0:";
        if (path.ends_with("/warns")) body += "15:warning message7:be nice";
        body += 'e';
        if (path.find("/scrape") != std::string_view::npos) body = scrape_of(line, path);
        if (path.ends_with("/refuses")) body = "d14:failure reason10:not for mee";
        return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    // 5 seeders, 8 leechers, 20 times downloaded; at "few" 2, 1 and 3.
    static std::string scrape_of(std::string_view line, std::string_view path) {
        auto const query = line.substr(line.find('?') + 1);
        auto const bytes =
            text::from_hex(hash_in(query.substr(0, query.find(' ')))).value_or(std::vector<std::uint8_t>{});
        auto const numbers = path.ends_with("/few") ? "8:completei2e10:downloadedi3e10:incompletei1e"
                                                    : "8:completei5e10:downloadedi20e10:incompletei8e";
        return "d5:filesd" + std::to_string(bytes.size()) + ':' + std::string{bytes.begin(), bytes.end()} +
               'd' + numbers + "eee";
    }

    std::mutex mutex_;
    std::condition_variable ended_;
    bool over_ = false;
    client::fake_daemon server_;
};

} // namespace ccbt::support
