// The port of the gateway: what stands between the local network and the world, and leads ports of its own to ours.
// Calls come from the loop's thread and never block; facts go up through the sink and answers through callbacks, on the
// loop, later, never from within the call. An answer comes within `answers_within`, whatever the gateway does.
#pragma once

#include "base/result.hpp"
#include "base/unique_function.hpp"
#include "contract/settings.hpp"
#include "model/facts.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::gateway {

using contract::port_mapping;
using contract::transport;

inline constexpr std::chrono::milliseconds answers_within{4500};

/// Why a gateway did not do what it was asked; the name goes to clients as details.reason.
enum class trouble : std::uint8_t {
    off,        // no protocol is switched on
    no_gateway, // nobody answered the search
    no_answer,  // the gateway that was found does not answer now
    refused,    // it said no; or what it said cannot be used
    taken,      // the port leads elsewhere
    too_many,   // of our own
    busy,       // too much is being asked at once
    stopping
};
[[nodiscard]] std::string_view name_of(trouble why);
/// Nothing was heard: neither yes nor no.
[[nodiscard]] constexpr bool is_silence(trouble why) {
    return why == trouble::no_gateway || why == trouble::no_answer || why == trouble::busy;
}

struct refusal {
    trouble why = trouble::refused;
    std::string message{}; // for people
};
template <class T> using outcome = expected<T, refusal>;

struct port_request {
    transport protocol = transport::tcp;
    int internal_port = 0;
    int external_port = 0; // 0: the same as ours
    bool exactly = false;  // no other external port, where that one is taken
};

struct refreshed {
    std::int64_t failed = 0;
    std::vector<port_mapping> mappings;
};

using fact_sink = std::function<void(model::nat_seen)>;

class gateway {
public:
    virtual ~gateway() = default;

    virtual void configure(contract::settings const& to) = 0;
    /// Peers can connect at this port: it is mapped where the settings want that. 0: there is none to map.
    virtual void listens_at(int port) = 0;

    /// Looks anew. Was one found?
    virtual void discover(unique_function<void(bool)> done) = 0;
    /// Kept alive until it is unmapped, or stop(). Of our own ports alone: no other host's can be named.
    virtual void map(port_request what, unique_function<void(outcome<port_mapping>)> done) = 0;
    /// False: it is no mapping of ours.
    virtual void unmap(transport protocol, int external_port, unique_function<void(outcome<bool>)> done) = 0;
    virtual void refresh(unique_function<void(outcome<refreshed>)> done) = 0;

    /// Unmaps all, for at most `within`, and then calls.
    virtual void stop(std::chrono::milliseconds within, unique_function<void()> done) = 0;
};

} // namespace ccbt::gateway
