#include "gateway/patience.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace ccbt::gateway {

caller_off::caller_off() : event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (event_ < 0) throw std::system_error{errno, std::system_category(), "eventfd"};
}
caller_off::~caller_off() { ::close(event_); }

void caller_off::call_off() const {
    std::uint64_t const one = 1;
    [[maybe_unused]] auto const written = ::write(event_, &one, sizeof one); // full: it was called off often
}

patience patience::at_most(std::chrono::milliseconds from_now) const {
    return {*by_, std::min(until_, steady::now() + from_now)};
}

bool patience::wait(int socket, short events) const {
    for (;;) {
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(until_ - steady::now()).count();
        if (left <= 0) return false;
        std::array both{pollfd{socket, events, 0}, pollfd{by_->descriptor(), POLLIN, 0}};
        auto const ready = ::poll(both.data(), both.size(), static_cast<int>(std::min<long>(left, 60'000)));
        if (ready < 0 && errno != EINTR) return false;
        if (both[1].revents != 0) return false;
        if (ready > 0 && both[0].revents != 0) return true;
    }
}

bool patience::was_called_off() const {
    pollfd one{by_->descriptor(), POLLIN, 0};
    return ::poll(&one, 1, 0) > 0;
}

bool patience::is_over() const { return steady::now() >= until_ || was_called_off(); }

} // namespace ccbt::gateway
