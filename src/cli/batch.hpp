// Several torrents in one request: one commit in the daemon, and an outcome each, told like those of single ones.
#pragma once

#include "cli/command.hpp"

#include <string>
#include <vector>

namespace ccbt::cli {

/// The endpoint that does the same to many, and the request for it; null where there is none.
struct batch_call {
    wire::endpoint_facts const* endpoint = nullptr;
    wire::value::object request{};
    std::string done{}; // what is said of each: "paused"
};
[[nodiscard]] batch_call batch_of(
    std::string_view endpoint, std::vector<std::string> const& hashes, wire::value::object const& request);

/// Asks, and tells each outcome; the exit code is the first failure's. With `known`, what is there already is no
/// failure, and the hashes of what is there now are put into it.
[[nodiscard]] int ask_many(session& s, batch_call const& what, std::vector<std::string>* known = nullptr);

} // namespace ccbt::cli
