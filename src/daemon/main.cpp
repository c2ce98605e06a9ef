// ccbtd: flags, configuration, lock, store, then the house on one loop until it is told to stop.

#include "base/log.hpp"
#include "daemon/process.hpp"

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    try {
        return static_cast<int>(ccbt::daemon::run(argc, argv));
    } catch (std::exception const& e) {
        ccbt::log::error("ccbtd ends by an exception: {}", e.what());
        return 70; // EX_SOFTWARE: a bug
    }
}
