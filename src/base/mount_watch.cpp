#include "base/mount_watch.hpp"

#include <array>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace ccbt {

mount_watch::mount_watch(loop& on, std::function<void()> changed)
    : mounts_{::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)}, wake_{::eventfd(0, EFD_CLOEXEC)} {
    if (mounts_ < 0 || wake_ < 0) return;
    auto tell = [weak = std::weak_ptr{here_}, changed = std::move(changed)] {
        if (weak.lock()) changed();
    };
    thread_ = std::thread{[this, &on, tell = std::move(tell)] {
        std::array<pollfd, 2> both{{{mounts_, POLLPRI, 0}, {wake_, POLLIN, 0}}};
        while (::poll(both.data(), both.size(), -1) < 0 || both[1].revents == 0) {
            if (both[0].revents != 0) on.post(tell);
            both[0].revents = 0;
        }
    }};
}

mount_watch::~mount_watch() {
    here_.reset();
    if (thread_.joinable()) {
        ::eventfd_write(wake_, 1);
        thread_.join();
    }
    for (int const fd : {mounts_, wake_})
        if (fd >= 0) ::close(fd);
}

} // namespace ccbt
