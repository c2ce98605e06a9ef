// The certificate that the API is served with: the user's, or one of the daemon's own in the state directory, made where
// it is missing, runs out or lacks a name. It fails closed: no pair, no service. Blocking: at the start, then off the loop.
#pragma once

#include "base/net_tls.hpp"
#include "contract/settings.hpp"
#include "daemon/state_dir.hpp"

#include <string>

namespace ccbt::daemon {

struct tls_pair {
    tls::context_ptr context;
    std::string own_certificate; // its path; "" where it is the user's
};

/// Failure: 78, naming the key.
[[nodiscard]] expected<tls_pair, start_failure> open_tls(
    contract::daemon_settings const& settings, state_dir& dir);

} // namespace ccbt::daemon
