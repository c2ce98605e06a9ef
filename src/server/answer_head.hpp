// The head of an answer (RFC 9112): status line and fields, written from left to right. Knows no sockets. Loop thread.
#pragma once

#include "server/call.hpp"

#include <string>

namespace ccbt::server {

/// How the one who asked is to be answered.
struct manner {
    bool http_1_0 = false;  // is told where the connection stays
    bool head_only = false; // HEAD: no body, whatever the answer
    bool takes_gzip = false;
    bool expects = false; // waits for "100 Continue" before it sends its body
};

/// `length`: of the body as it goes out; `packed`: with gzip.
[[nodiscard]] std::string head_of(answer const& a, manner how, std::size_t length, bool packed);

} // namespace ccbt::server
