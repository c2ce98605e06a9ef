// Preloaded into a daemon by tests: its wall clock, and no other, is off by the seconds that CLOCK_JUMP_FILE holds as a
// 64-bit number. The test writes another one while the daemon runs.
#include <cstdint>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

namespace {

std::int64_t off_by() {
    static std::int64_t const volatile* const shared = []() -> std::int64_t const* {
        char const* const path = std::getenv("CLOCK_JUMP_FILE");
        int const fd = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return nullptr;
        auto* const at = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, fd, 0);
        ::close(fd);
        return at == MAP_FAILED ? nullptr : static_cast<std::int64_t const*>(at);
    }();
    return shared == nullptr ? 0 : *shared;
}

template <class F> F* real(char const* name) { return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name)); }

} // namespace

extern "C" {

int clock_gettime(clockid_t which, timespec* out) noexcept {
    static auto* const next = real<int(clockid_t, timespec*)>("clock_gettime");
    int const how = next(which, out);
    if (how == 0 && which == CLOCK_REALTIME) out->tv_sec += off_by();
    return how;
}
int gettimeofday(timeval* out, void* zone) noexcept {
    static auto* const next = real<int(timeval*, void*)>("gettimeofday");
    int const how = next(out, zone);
    if (how == 0) out->tv_sec += off_by();
    return how;
}
time_t time(time_t* out) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != nullptr) *out = now.tv_sec;
    return now.tv_sec;
}
} // extern "C"
