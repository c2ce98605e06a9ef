// Those who change something all the time: torrents paused and resumed in turn, so many times a second, each answered
// after its commit; each makes an event. From threads of their own.
#pragma once

#include "support/daemon.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace ccbt::load {

class changes {
public:
    changes(support::daemon const& of, std::vector<std::string> hashes, int each_second);
    ~changes();
    changes(changes const&) = delete;
    changes& operator=(changes const&) = delete;

    void end();
    [[nodiscard]] std::uint64_t made() const { return made_; }       // answered 200
    [[nodiscard]] std::uint64_t refused() const { return refused_; } // with anything else

private:
    void run(std::size_t which);

    support::daemon const& of_;
    std::vector<std::string> hashes_;
    int each_second_;
    std::atomic<bool> is_over_ = false;
    std::atomic<std::uint64_t> made_ = 0, refused_ = 0;
    std::vector<std::thread> threads_;
};

} // namespace ccbt::load
