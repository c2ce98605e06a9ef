// The contract as TypeScript types: interfaces for requests, answers and events, and a map of all operations.
// Committed as docs/api/ccbt.d.ts; a test compares. Any thread.
#pragma once

#include <string>

namespace ccbt::wire {

[[nodiscard]] std::string typescript_types();

} // namespace ccbt::wire
