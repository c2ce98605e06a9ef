#include "base/beneath.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ccbt {

descriptor::~descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

descriptor open_beneath(int folder, std::string const& relative, std::uint64_t flags) {
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    auto const* const path = relative.empty() ? "." : relative.c_str();
    return descriptor{static_cast<int>(::syscall(SYS_openat2, folder, path, &how, sizeof how))};
}

descriptor open_folder(std::string const& path) {
    return descriptor{::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
}

} // namespace ccbt
