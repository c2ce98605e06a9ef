// A server's own certificate: self-signed, EC P-256, made where the user has none. By OpenSSL. Pure but for the clock and
// random bytes; any thread; knows no files.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ccbt::tls {

struct made_pair { // PEM
    std::string certificate, key;
};
/// `names`: host names and IP addresses, its alternative names.
[[nodiscard]] expected<made_pair, std::string> make_pair(std::vector<std::string> const& names, int days);

/// Whether a certificate is for all of these names, and stays good for `days` more.
[[nodiscard]] bool covers(std::string_view certificate_pem, std::vector<std::string> const& names, int days);

} // namespace ccbt::tls
