// A request and an answer as the rooms behind the door see them: no sockets, no headers but the few that a description
// names.
#pragma once

#include "base/task.hpp"
#include "contract/endpoint.hpp"
#include "wire/json.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ccbt::server {

struct call {
    std::vector<std::pair<std::string_view, std::string>> path; // by the path's "{name}", percent-decoded
    std::vector<std::pair<std::string, std::string>> query;     // in order, decoded
    std::vector<std::pair<std::string, std::string>> headers;   // only those that some description names
    std::string body;
    contract::caller who;
};

struct answer {
    int status = 200;
    std::string content_type = "application/json";
    wire::body body;
    std::string etag;        // quoted; empty: none
    std::string revision;    // empty: none
    std::string allow;       // of a 405
    int retry_after = 0;     // seconds, of a 429
    bool close = false;      // the connection ends with it
    std::string_view code{}; // of an error, for the counters
};

[[nodiscard]] answer answer_error(contract::failure const& why);

/// A row of the table of routes, types erased.
struct route {
    contract::promise const* promise = nullptr;
    wire::json_limits limits;
    bool takes_body = false;
    bool is_socket = false;
    std::vector<std::string_view> headers; // names that its description takes
    std::function<task<answer>(call)> handle;
};

} // namespace ccbt::server
