#include "load/calm_client.hpp"

#include "load/priority.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <stdexcept>

namespace ccbt::load {

using support::milliseconds;
using steady = std::chrono::steady_clock;

namespace {
constexpr auto pace = milliseconds{50};
} // namespace

calm_client::calm_client(support::daemon const& of, std::string hash)
    : of_(of), hash_(std::move(hash)), thread_{[this] { run(); }} {}

calm_client::~calm_client() {
    is_over_ = true;
    thread_.join();
}

void calm_client::run() {
    ::setpriority(
        PRIO_PROCESS, 0, -15); // this thread; its own waiting for a processor is no delay of the daemon's
    std::array<std::string, 3> const paths{
        "/api/v1/status", "/api/v1/torrents/" + hash_, "/api/v1/session/stats"};
    support::headers const with{
        {"Host", "127.0.0.1:" + std::to_string(of_.port())}, {"X-CCBT-API-Key", of_.key()}};
    support::http_connection line{"127.0.0.1", of_.port()};
    auto next = steady::now();
    for (std::size_t i = 0; !is_over_; ++i) {
        std::this_thread::sleep_until(next);
        auto const began = steady::now();
        next = std::max(next + pace, began);
        auto const said = line.ask("GET", paths[i % paths.size()], with);
        auto const took = std::chrono::duration<double, std::milli>(steady::now() - began).count();
        std::lock_guard const hold{mutex_};
        took_.push_back(took);
        if (said.status == 200 || !wrong_.empty()) continue;
        wrong_ = paths[i % paths.size()] + ": " + std::to_string(said.status) + ' ' + said.body;
        return;
    }
}

std::size_t calm_client::asked() const {
    std::lock_guard const hold{mutex_};
    return took_.size();
}

delays calm_client::since(std::size_t first) const {
    std::unique_lock hold{mutex_};
    std::vector<double> some(
        took_.begin() + static_cast<std::ptrdiff_t>(std::min(first, took_.size())), took_.end());
    hold.unlock();
    if (some.empty()) return {};
    std::sort(some.begin(), some.end());
    auto const at = [&](double part) { // the nearest rank: of 60 the 99th percentile is the worst
        return some[static_cast<std::size_t>(std::ceil(part * static_cast<double>(some.size()))) - 1];
    };
    return {.median = at(0.5), .p99 = at(0.99), .most = some.back(), .count = some.size()};
}

void calm_client::wait_for(std::size_t more) const {
    auto const until = asked() + more;
    if (!support::eventually(milliseconds{120'000}, [&] { return asked() >= until || !wrong().empty(); }))
        throw std::runtime_error("the calm client gets no answers");
}

std::string calm_client::wrong() const {
    std::lock_guard const hold{mutex_};
    return wrong_;
}

} // namespace ccbt::load
