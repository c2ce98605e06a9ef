#include "load/changes.hpp"

#include "load/priority.hpp"

#include <algorithm>
#include <chrono>

namespace ccbt::load {

namespace {
constexpr std::size_t hands = 4; // a commit may take longer than the time between two changes
} // namespace

changes::changes(support::daemon const& of, std::vector<std::string> hashes, int each_second)
    : of_(of), hashes_(std::move(hashes)), each_second_(each_second) {
    for (std::size_t i = 0; i < hands; ++i) threads_.emplace_back([this, i] { run(i); });
}

changes::~changes() { end(); }

void changes::end() {
    is_over_ = true;
    for (auto& one : threads_) one.join();
    threads_.clear();
}

void changes::run(std::size_t which) {
    be_second();
    using steady = std::chrono::steady_clock;
    support::headers const with{
        {"Host", "127.0.0.1:" + std::to_string(of_.port())}, {"X-CCBT-API-Key", of_.key()}};
    support::http_connection line{"127.0.0.1", of_.port()};
    auto const pace = std::chrono::duration_cast<steady::duration>(
        std::chrono::duration<double>(static_cast<double>(hands) / each_second_));
    auto next = steady::now() + pace * static_cast<int>(which) / static_cast<int>(hands);
    for (std::size_t i = which; !is_over_; i += hands) {
        std::this_thread::sleep_until(next);
        next = std::max(next + pace, steady::now() - std::chrono::seconds{1}); // what was late is made up for
        auto const& hash = hashes_[i % hashes_.size()];
        bool const pauses = i / hashes_.size() % 2 == 0;
        auto const said =
            line.ask("POST", "/api/v1/torrents/" + hash + (pauses ? "/pause" : "/resume"), with);
        ++(said.status == 200 ? made_ : refused_);
        if (said.status == 0) return;
    }
}

} // namespace ccbt::load
