// Examples for the OpenAPI document: a value for each field from its description, and for each type of event. Pure
// functions over the catalogue, any thread. A test holds every example against its schema.
#pragma once

#include "contract/events.hpp"
#include "wire/schema.hpp"

namespace ccbt::wire {

/// What a field of a path, a query or a header could be.
[[nodiscard]] value example_of(field_facts const& field, direction way);
/// A body: what must be there, and what is something when it is left out.
[[nodiscard]] value example_of_request(endpoint_facts const& e);
[[nodiscard]] value example_of_answer(endpoint_facts const& e);
[[nodiscard]] value example_of_error(contract::error_row const& row);

/// What an event of that type tells, in a line, and an event in full.
[[nodiscard]] std::string_view tells(contract::event_type type);
[[nodiscard]] value example_of_event(contract::event_type type);

} // namespace ccbt::wire
