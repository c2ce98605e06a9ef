// The API as an OpenAPI 3.1 document, derived from the contract's table and from nothing else. Any thread.
// Committed as docs/api/openapi.json; a test compares.
#pragma once

#include <string>

namespace ccbt::wire {

/// As it is served: compact.
[[nodiscard]] std::string const& openapi_document();
/// As it is committed: indented by two, a line break at the end.
[[nodiscard]] std::string openapi_for_reading();

} // namespace ccbt::wire
