// How long a conversation with a gateway may last: until a moment, or until it is called off. Every wait for a socket
// goes through wait(), so that nothing a gateway does, or does not do, holds its thread for longer.
#pragma once

#include "base/clock.hpp"

#include <chrono>

namespace ccbt::gateway {

/// Calls off what waits, from any thread, for good.
class caller_off {
public:
    caller_off();
    ~caller_off();
    caller_off(caller_off const&) = delete;
    caller_off& operator=(caller_off const&) = delete;
    void call_off() const;
    [[nodiscard]] int descriptor() const { return event_; } // readable once it was called off

private:
    int event_;
};

class patience {
public:
    patience(caller_off const& by, steady::time_point until) : by_{&by}, until_{until} {}
    /// The same, or a shorter one.
    [[nodiscard]] patience at_most(std::chrono::milliseconds from_now) const;

    /// Waits for `events` (POLLIN, POLLOUT) of `socket`; false where they do not come in time.
    [[nodiscard]] bool wait(int socket, short events) const;
    [[nodiscard]] bool is_over() const;
    [[nodiscard]] bool was_called_off() const;

private:
    caller_off const* by_;
    steady::time_point until_;
};

} // namespace ccbt::gateway
