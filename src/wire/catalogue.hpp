// The contract as data: what the templates know of each endpoint, for those who walk over all of them at run
// time (the command line, OpenAPI, the tests). Made once, immutable, any thread.
#pragma once

#include "contract/endpoint.hpp"
#include "wire/json.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ccbt::wire {

enum class field_kind : std::uint8_t { flag, whole, number, text, hash, choice, list, object, any };

struct field_facts {
    std::string_view name;   // on the wire
    std::string_view member; // in C++
    std::string_view doc;
    contract::rules rule;
    field_kind kind = field_kind::any;
    field_kind item_kind = field_kind::any; // of a list
    bool nullable = false;                  // std::optional
    std::vector<std::string_view> choices;  // of a choice, or of a list's
    bool any_case = false;                  // of a choice: taken in any letter case
    std::string type; // of an object or a choice, or of a list's: its name in schemas, "TorrentStatus"
    std::string default_json;         // what it is when left out, as JSON
    std::vector<field_facts> members; // of an object, or of a list of objects
    bool omits_absent = false;        // of these objects: members without a value are left out

    /// The name on the command line, without dashes: rule.word, else the name with '-' for '_'.
    [[nodiscard]] std::string word() const;
};

struct endpoint_facts {
    contract::promise route;
    std::vector<field_facts> request;
    std::vector<field_facts> response; // empty for documents and WebSockets
    std::string request_type;          // "TorrentsAddRequest"
    std::string response_type; // "TorrentsAddResponse", or that of the shared struct it is, "TorrentStatus"
    bool omits_absent = false; // of the response: members without a value are left out
    bool is_document = false;
    bool is_socket = false;
    bool is_tagged = false; // answers an ETag and 304
};

/// Every endpoint, in the table's order.
[[nodiscard]] std::vector<endpoint_facts> const& catalogue();
/// By its name, "torrents.add"; null where there is none.
[[nodiscard]] endpoint_facts const* find_endpoint(std::string_view name);
/// The configuration, nested as it is.
[[nodiscard]] std::vector<field_facts> const& settings_facts();
/// An event of the WebSocket.
[[nodiscard]] std::vector<field_facts> const& event_facts();

} // namespace ccbt::wire
