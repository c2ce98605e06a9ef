// What a call to a daemon can fail with: an error that the daemon answered, or no proper answer at all. Any thread.
#pragma once

#include "base/result.hpp"
#include "contract/errors.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ccbt::client {

enum class error_kind : std::uint8_t {
    refused,      // the daemon answered an error: status, code, details say which
    unauthorized, // the key is missing, wrong, or may not do this
    unreachable,  // nobody answers there, or the connection was cut
    timeout,      // no whole answer in time; the daemon may still do what was asked
    untrusted,    // its certificate is not one that we trust; nothing was sent
    broken,       // what came back is not what the contract says
    unsupported   // this library cannot ask that: a URL of another scheme, a value without a text form
};

struct client_error {
    error_kind kind = error_kind::broken;
    int status = 0;                        // HTTP, 0 where there was no answer
    std::string code{};                    // as on the wire: "TORRENT_NOT_FOUND"
    std::string message{};                 // for people
    std::string details = "null";          // JSON text, as the daemon sent it
    std::optional<contract::errc> known{}; // the table's row for code and status, where it has one
};

template <class T> using result = expected<T, client_error>;

/// The error of an answer with a status of 400 or more, whatever its body is.
[[nodiscard]] client_error error_of(int status, std::string_view body);
[[nodiscard]] unexpected<client_error> fails(error_kind kind, std::string message);

} // namespace ccbt::client
