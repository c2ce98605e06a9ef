// Counters and histograms for Prometheus (text format 0.0.4). Loop thread, but for what says otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace ccbt::metrics {

/// How long something took, in the buckets that a request of this daemon falls into. Seconds.
class histogram {
public:
    static constexpr std::array bounds{0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0};
    void observe(double seconds);
    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] double sum() const { return sum_; }
    [[nodiscard]] std::array<std::uint64_t, bounds.size()> const& buckets() const {
        return buckets_;
    } // not cumulated

private:
    std::array<std::uint64_t, bounds.size()> buckets_{};
    std::uint64_t count_ = 0;
    double sum_ = 0;
};

/// What the door counts, and what happens at its queues.
struct door {
    std::map<std::pair<std::string_view, int>, std::uint64_t> requests; // by endpoint name and HTTP status
    histogram latency;
    std::map<std::string_view, std::uint64_t> refused; // by error code
    std::uint64_t connections = 0, open_connections = 0, watchers = 0;
    std::uint64_t events_sent = 0, event_bytes_waiting = 0, watchers_resynced = 0;
};

/// Writes families in order: help and type once, then a line a sample.
class page {
public:
    page& family(std::string_view name, std::string_view type, std::string_view help);
    page& sample(
        double value, std::string_view labels = {}, std::string_view suffix = {}); // labels: a="b",c="d"
    page& of(histogram const& h);
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_, name_;
};

[[nodiscard]] std::string label(std::string_view name, std::string_view value); // escaped

} // namespace ccbt::metrics
