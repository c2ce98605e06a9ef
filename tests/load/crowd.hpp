// A crowd of clients at one daemon, moved by one thread with epoll: thousands of connections that wait, ask without
// end, watch, dawdle or have no key. Requests are texts made before and an answer is a status and a length, so that the
// daemon works and not the crowd. Where both want the same processor, the daemon has it.
#pragma once

#include "support/daemon.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ccbt::load {

enum class habit : std::uint8_t {
    idle,        // asks once, then keeps its connection
    busy,        // asks again as soon as it was answered
    watching,    // a WebSocket; reads all
    deaf,        // a WebSocket; reads nothing
    slow_head,   // a byte of a header now and then; comes again when it was told 408
    slow_body,   // announces a body, and sends a byte now and then
    slow_reader, // asks for all torrents, and reads a KiB now and then
    keyless,     // asks without end, without a key
    guessing,    // and with a wrong one
    fleeting,    // without a key, each time on a new connection
    turned_away, // asks once, and is let go
};

using crowd_plan = std::vector<std::pair<habit, int>>;

class crowd {
public:
    struct watched { // by one watcher
        std::uint64_t events = 0, first = 0, last = 0;
        bool in_order = true;
    };

    /// Returns when all of them are there: connected, answered once, upgraded.
    crowd(support::daemon const& at, crowd_plan const& plan);
    ~crowd(); // all hang up
    crowd(crowd const&) = delete;
    crowd& operator=(crowd const&) = delete;

    /// Nobody asks anything more; returns when all answers are here. Who dawdles or watches goes on.
    void rest();
    /// All hang up; returns when the thread is over.
    void leave();
    /// As often was answered with that status.
    [[nodiscard]] std::uint64_t answered(int status) const {
        return answers_.at(static_cast<std::size_t>(status));
    }
    /// Events read by all watchers together; and by each, after leave().
    [[nodiscard]] std::uint64_t events() const { return events_; }
    [[nodiscard]] std::vector<watched> by_watcher() const;
    /// Connections that the daemon ended though it should not have.
    [[nodiscard]] std::uint64_t lost() const { return lost_; }
    [[nodiscard]] int size() const { return size_; }

private:
    struct client;
    enum class phase { gathers, goes_on, rests, is_over };

    void run();
    void open(client& one);
    void shut(client& one);
    void say(client& one, std::string_view text);
    void push(client& one);
    void on_ready(client& one, std::uint32_t what);
    void on_bytes(client& one, std::string_view bytes);
    void on_answer(client& one);
    void on_frames(client& one);
    void on_end(client& one);
    void dawdle();
    void arrived(client& one);
    [[nodiscard]] std::string_view request_of(client const& one) const;

    std::uint16_t port_;
    int poll_ = -1;
    std::vector<std::unique_ptr<client>> clients_;
    std::map<habit, std::string> requests_;
    std::vector<std::string> asked_by_busy_;
    std::atomic<phase> phase_ = phase::gathers;
    std::atomic<int> missing_ = 0, outstanding_ = 0;
    std::array<std::atomic<std::uint64_t>, 600> answers_{};
    std::atomic<std::uint64_t> events_ = 0, lost_ = 0;
    int size_ = 0;
    std::thread thread_;
};

} // namespace ccbt::load
