#include "fuzz.hpp"

#include "base/text.hpp"

#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ccbt::fuzz {

void broken(std::string_view promise, std::string_view by) {
    auto const shown = text::to_valid_utf8(by.substr(0, 2000));
    std::fprintf(
        stderr, "BROKEN: %.*s\n  by: %s\n", static_cast<int>(promise.size()), promise.data(), shown.c_str());
    std::abort();
}

memory_file::memory_file() : fd_{::memfd_create("fuzz", MFD_CLOEXEC)} {
    require(fd_ >= 0 && ::fchmod(fd_, 0600) == 0, "there is memory for a file");
    path_ = "/proc/self/fd/" + std::to_string(fd_);
}

memory_file::~memory_file() { ::close(fd_); }

void memory_file::hold(std::string_view bytes) const {
    auto const size = static_cast<off_t>(bytes.size());
    require(
        ::ftruncate(fd_, size) == 0 && ::pwrite(fd_, bytes.data(), bytes.size(), 0) == size,
        "a file in memory takes what it is given");
}

} // namespace ccbt::fuzz

// libFuzzer's name, and replay.cpp's.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    ccbt::fuzz::look_at({reinterpret_cast<char const*>(data), size});
    return 0;
}
