// A web server that does not answer before it is told to. A daemon whose only IP filter lies there takes no torrent into
// its engine until then, so that all of them are `starting`.
#pragma once

#include "client/fake_daemon.hpp"
#include "support/daemon.hpp"

#include <condition_variable>
#include <mutex>

namespace ccbt::support {

class gate {
public:
    gate() : server_{[this](auto const&) { return hold(); }} {}
    ~gate() { open(); }
    /// The next start of it waits here.
    void close_before(daemon& with) const {
        with.plan().settings["security.ip_filter.enable_ip_filter"] = "true";
        with.plan().settings["security.ip_filter.filter_urls"] = "[\"" + server_.url() + "/list\"]";
    }
    void open() {
        std::lock_guard const held{mutex_};
        is_open_ = true;
        opened_.notify_all();
    }

private:
    std::string hold() {
        std::unique_lock held{mutex_};
        opened_.wait(held, [this] { return is_open_; });
        return client::fake_daemon::json(200, "203.0.113.0 - 203.0.113.9\n");
    }
    std::mutex mutex_;
    std::condition_variable opened_;
    bool is_open_ = false;
    client::fake_daemon server_; // ends first
};

} // namespace ccbt::support
