// Why a store did not open, in the terms of the daemon's exit codes. Plain data.
#pragma once

#include <cstdint>
#include <string>

namespace ccbt::store {

struct open_failure {
    enum class kind : std::uint8_t {
        damaged,   // it cannot be read; nothing of it was touched
        newer,     // a later version wrote it; nothing of it was touched
        locked,    // another process or store has it open
        unwritable // it cannot be created or written
    };
    kind why = kind::damaged;
    std::string message; // for people; names the file

    [[nodiscard]] int exit_code() const {
        switch (why) {
        case kind::unwritable: return 73;
        case kind::locked: return 75;
        case kind::damaged:
        case kind::newer: break;
        }
        return 65;
    }
};

} // namespace ccbt::store
