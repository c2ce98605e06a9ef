// Tells when something was mounted or unmounted, within milliseconds, by the kernel's own word (mountinfo). A thread of
// its own waits; what is called is called on the loop. Where the kernel does not tell, nothing is ever called.
#pragma once

#include "base/loop.hpp"

#include <functional>
#include <memory>
#include <thread>

namespace ccbt {

class mount_watch {
public:
    mount_watch(loop& on, std::function<void()> changed);
    ~mount_watch();
    mount_watch(mount_watch const&) = delete;
    mount_watch& operator=(mount_watch const&) = delete;

private:
    int mounts_ = -1, wake_ = -1;
    std::thread thread_;
    std::shared_ptr<int> here_ = std::make_shared<int>(0);
};

} // namespace ccbt
