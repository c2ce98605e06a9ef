// How much JSON a body may be, by kind of route. Beside dispatch.hpp, which few units may pay for.
#pragma once

#include "wire/json.hpp"

namespace ccbt::server {

struct json_rules {
    std::size_t depth = 32;
    std::size_t elements = 100'000;
    std::size_t batch_elements = 2'000'000; // of bodies that hold lists of torrents, or a checkpoint
    std::size_t string_bytes = std::size_t{64} << 10;
};

} // namespace ccbt::server
