// Descriptors that close themselves, and opening what lies below a folder without following a link on the way. Any
// thread; blocks as long as the disk takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace ccbt {

class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int opened) : fd_{opened} {}
    ~descriptor();
    descriptor(descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    explicit operator bool() const { return fd_ >= 0; }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_ = -1;
};

/// openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS; "" is the folder itself. None, and errno, where it fails:
/// EXDEV and ELOOP say that the path leads out or through a link.
[[nodiscard]] descriptor open_beneath(int folder, std::string const& relative, std::uint64_t flags);

/// A folder of that path, as a place to open from: O_PATH.
[[nodiscard]] descriptor open_folder(std::string const& path);

} // namespace ccbt
