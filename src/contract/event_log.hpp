// The events of this run that are kept, for who was away: the last 10,000. Their numbers (seq) never come back in another
// meaning, through restarts too.
#pragma once

#include "contract/events.hpp"

namespace ccbt::contract {

struct get_event_log {
    static constexpr promise route{
        .name = "events.log",
        .method = verb::get,
        .path = "/events/log",
        .needs = scope::read,
        .summary = "The events after a number, waiting for one where there is none (+)",
        .command = "events",
        .errors = {errc::too_many_connections}};
    struct request {
        std::optional<std::int64_t> since;
        std::int64_t limit = 1000;
        double wait = 0;
        static constexpr auto fields = described_as{
            field<&request::since>{
                "Only events with a greater seq; default: from the oldest that is kept",
                {.min = 0, .max = 9.0e15, .in = place::query}},
            field<&request::limit>{"At most so many", {.min = 1, .max = 10000, .in = place::query}},
            field<&request::wait>{
                "Seconds to wait for one where there is none", {.min = 0, .max = 60, .in = place::query}}};
    };
    struct response {
        std::vector<event_view> events; // at the server type and seq alone: the text says the rest
        std::int64_t next = 0;
        bool resync = false;
        static constexpr auto fields = described_as{
            field<&response::events>{"The oldest first"},
            field<&response::next>{"What to send as since the next time"},
            field<&response::resync>{
                "Events after since are no longer known (or since is of another store): read what you keep anew"}};
    };
};

using event_log_endpoints = endpoint_list<get_event_log>;

} // namespace ccbt::contract
