// Somebody who uses the daemon as people do while others load it: small reads, twenty times a second, one
// after another on a connection that stays, from a thread of its own. Keeps how long each took.
#pragma once

#include "support/daemon.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ccbt::load {

struct delays { // milliseconds
    double median = 0, p99 = 0, most = 0;
    std::size_t count = 0;
};

class calm_client {
public:
    /// `hash`: of a torrent whose row is read.
    calm_client(support::daemon const& of, std::string hash);
    ~calm_client();
    calm_client(calm_client const&) = delete;
    calm_client& operator=(calm_client const&) = delete;

    [[nodiscard]] std::size_t asked() const;
    /// Of the requests since that many were asked.
    [[nodiscard]] delays since(std::size_t first) const;
    void wait_for(std::size_t more) const;   // requests
    [[nodiscard]] std::string wrong() const; // the first answer that was none; "" where all was well

private:
    void run();

    support::daemon const& of_;
    std::string hash_;
    mutable std::mutex mutex_;
    std::vector<double> took_;
    std::string wrong_;
    std::atomic<bool> is_over_ = false;
    std::thread thread_;
};

} // namespace ccbt::load
