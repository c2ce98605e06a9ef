// systemd's two protocols, by hand: sockets handed over (sd_listen_fds(3)) and what is told of the state (sd_notify(3)).
// Without a service manager all of it does nothing. Main thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::daemon {

class service_manager {
public:
    /// Takes the environment's word, once, and removes it: it is for this process alone.
    service_manager();

    /// Listening sockets for this process; whoever takes them over closes them.
    [[nodiscard]] std::vector<int> const& sockets() const { return sockets_; }
    /// How often it wants to hear that the loop goes round; nothing where it does not.
    [[nodiscard]] std::optional<std::chrono::milliseconds> watched_every() const { return watched_every_; }

    void ready(std::string_view status) const;
    void reloading() const;
    void stopping() const;
    void alive() const { tell("WATCHDOG=1"); }

private:
    void tell(std::string const& text) const;

    std::vector<int> sockets_;
    std::string notify_at_;
    std::optional<std::chrono::milliseconds> watched_every_;
};

} // namespace ccbt::daemon
