#include "wire/openapi.hpp"

#include "contract/events.hpp"
#include "contract/table.hpp"
#include "wire/example.hpp"
#include "wire/schema.hpp"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <set>

namespace ccbt::wire {

namespace {

using contract::errc;
using contract::place;
using contract::scope;
using contract::verb;

constexpr std::string_view about =
    "The control API of ccbtd, a BitTorrent daemon. What is marked (+) is its own; all else is the API of "
    "the Python ccBitTorrent daemon, whose clients work unmodified.\n\n"
    "Rates are bytes a second, sizes bytes, limits KiB a second (0: no limit), times Unix seconds, "
    "progress 0.0 to 1.0. An info-hash is hex in either case, 40 digits (v1) or 64 (v2); answers use "
    "lower case. Fields of a body that are unknown are ignored; null stands for a field that may be left "
    "out.\n\n"
    "Every error has one shape, the schema Error. A change that was answered with 2xx is on stable "
    "storage. The header X-CCBT-Revision of an answer is the revision at which it holds.";

struct area {
    std::string_view name, doc;
};
constexpr std::array areas{
    area{"session", "The daemon itself: status, totals, metrics, its documents and its end"},
    area{"events", "What happens, as it happens"},
    area{"torrents", "Adding, listing, stopping and removing torrents"},
    area{"files", "The files of a torrent: which are wanted, and how much"},
    area{"queue", "Which torrents run, and in what order"},
    area{"nat", "Port mappings at the gateway"},
    area{"scrape", "What trackers say of a torrent's swarm"},
    area{"security", "The lists of addresses, and the IP filter"},
    area{"config", "The configuration"},
    area{"protocols", "Further transports"},
    area{"keys", "Keys to this API, and their scopes (+)"}};

std::string_view area_of(endpoint_facts const& e) { return e.route.name.substr(0, e.route.name.find('.')); }

// "/torrents/{info_hash}", "/security/blacklist/{ip*}" -> as OpenAPI writes it.
std::string full_path(contract::promise const& route) {
    std::string path{route.at_root ? std::string_view{} : contract::base_path};
    path += route.path;
    std::erase(path, '*');
    return path;
}

template <class... Pair> value::object object(Pair&&... pairs) {
    value::object out;
    (set(out, pairs.first, std::move(pairs.second)), ...);
    return out;
}
std::pair<std::string_view, value> at(std::string_view key, value v) { return {key, std::move(v)}; }
value json_content(value schema, value::object examples = {}) {
    auto media = object(at("schema", std::move(schema)));
    for (auto& member : examples) media.push_back(std::move(member));
    return object(at("application/json", std::move(media)));
}
value component(std::string_view kind, std::string_view name) {
    return object(at("$ref", text(fmt::format("#/components/{}/{}", kind, name))));
}
value answer_headers(bool tagged) {
    auto headers = object(at("X-CCBT-Revision", component("headers", "Revision")));
    if (tagged) set(headers, "ETag", component("headers", "ETag"));
    return headers;
}

// With an Idempotency-Key. A new key's secret is told once, so its making refuses the header.
bool can_be_repeated(endpoint_facts const& e) {
    return (e.route.method == verb::post || e.route.method == verb::del) && e.route.name != "keys.create";
}

// ---- errors

std::set<errc> errors_of(endpoint_facts const& e) {
    std::set<errc> all{e.route.errors.begin(), e.route.errors.end()};
    // Each request, whatever its route.
    all.insert(
        {errc::bad_request, errc::request_timeout, errc::uri_too_long, errc::headers_too_large,
         errc::host_not_allowed, errc::origin_not_allowed, errc::starting, errc::shutting_down,
         errc::too_many_connections, errc::internal_error});
    // A WebSocket that may not be is opened, and closed with 4001.
    if (e.route.needs != scope::open && !e.is_socket)
        all.insert({errc::auth_required, errc::rate_limited, errc::forbidden_scope});
    if (!e.request.empty()) all.insert(errc::validation_error);
    for (auto const& f : e.request)
        if (f.kind == field_kind::hash || f.item_kind == field_kind::hash)
            all.insert(errc::invalid_info_hash);
    if (!e.is_socket) // a body is looked at wherever it comes
        all.insert(
            {errc::invalid_json, errc::validation_error, errc::body_too_large, errc::unsupported_media_type});
    if (e.route.method != verb::get) all.insert({errc::state_io_error, errc::state_storage_full});
    if (can_be_repeated(e)) all.insert(errc::idempotency_conflict);
    return all;
}

using by_status = std::map<int, std::vector<std::string_view>>;

by_status grouped(std::set<errc> const& errors) {
    by_status groups;
    for (auto const code : errors) {
        auto const& row = contract::row_of(code);
        auto& names = groups[row.status];
        if (std::find(names.begin(), names.end(), row.name) == names.end()) names.push_back(row.name);
    }
    return groups;
}

std::string joined(std::vector<std::string_view> const& names, std::string_view between) {
    std::string out;
    for (auto const name : names) {
        if (!out.empty()) out += between;
        out += name;
    }
    return out;
}

value error_schema_of(std::vector<std::string_view> const& names) {
    value narrowed = object(at("properties", object(at("code", object(at("enum", list_of_names(names)))))));
    return object(at("allOf", value::array{schema_reference("Error"), std::move(narrowed)}));
}

value error_response(int status, std::vector<std::string_view> const& names, value schema) {
    auto out = object(at("description", text(joined(names, " or "))));
    if (status == 429) set(out, "headers", object(at("Retry-After", component("headers", "RetryAfter"))));
    value::object examples;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(errc::last_); ++i)
        if (auto const& row = contract::row_of(static_cast<errc>(i));
            row.status == status && std::find(names.begin(), names.end(), row.name) != names.end())
            set(examples, row.name, object(at("value", example_of_error(row))));
    set(out, "content", json_content(std::move(schema), object(at("examples", std::move(examples)))));
    return out;
}

/// The error answers that routes share: one for each set of codes.
class error_shelf {
public:
    value reference(int status, std::vector<std::string_view> const& names) {
        auto const name = fmt::format("{}_{}", status, joined(names, "_"));
        kept_.try_emplace(name, error_response(status, names, error_schema_of(names)));
        return component("responses", name);
    }
    value::object take() {
        value::object out;
        for (auto& [name, response] : kept_) set(out, name, std::move(response));
        return out;
    }

private:
    std::map<std::string, value> kept_;
};

// ---- an operation

value parameter(field_facts const& f) {
    auto const in = f.rule.in == place::path ? "path" : f.rule.in == place::query ? "query" : "header";
    auto schema = schema_of(f, direction::request, false);
    std::erase_if(schema, [](auto const& member) { return member.first == "description"; });
    auto out = object(at("name", text(f.name)), at("in", in), at("description", text(f.doc)));
    if (f.rule.in == place::path || f.rule.required) set(out, "required", true);
    if (f.kind == field_kind::list) {
        set(out, "style", f.rule.in == place::query ? "form" : "simple");
        set(out, "explode", false);
    }
    set(out, "schema", std::move(schema));
    set(out, "example", example_of(f, direction::request));
    return out;
}

value parameters_of(endpoint_facts const& e) {
    value::array all;
    for (auto const& f : e.request)
        if (f.rule.in != place::body) all.push_back(parameter(f));
    if (can_be_repeated(e)) all.push_back(component("parameters", "IdempotencyKey"));
    return all;
}

std::string description_of(endpoint_facts const& e) {
    auto const needs = contract::name_of(e.route.needs);
    std::string out = e.route.needs == scope::open ? "No key is needed." : fmt::format("Scope: {}.", needs);
    if (e.route.needs == scope::metrics)
        out += " On a loopback address no key is needed, unless configured so.";
    if (!e.route.event.empty()) out += fmt::format(" Raises the event {}.", e.route.event);
    if (!e.route.command.empty()) out += fmt::format(" On the command line: ccbt {}.", e.route.command);
    return out;
}

value security_of(endpoint_facts const& e) {
    auto const by = [](std::string_view scheme) { return value{object(at(scheme, value::array{}))}; };
    value::array any;
    if (e.route.needs == scope::open) return any;
    if (e.route.needs == scope::metrics) any.push_back(value::object{});
    any.push_back(by("apiKey"));
    if (e.is_socket) any.push_back(by("apiKeyInQuery"));
    return any;
}

value schema_of_answer(endpoint_facts const& e) {
    return e.response_type.empty() ? value{value::object{}} : schema_reference(e.response_type);
}

/// What a document that is not JSON can be.
std::vector<std::string_view> types_of_document(std::string_view path) {
    if (path == "/docs") return {"text/html"};
    if (path.starts_with("/docs/")) return {"text/css", "text/javascript"};
    return {"text/plain"};
}

value success_of(endpoint_facts const& e) {
    auto out = object(at("description", text(e.route.summary)), at("headers", answer_headers(e.is_tagged)));
    if (e.is_document && !e.route.path.ends_with(".json")) {
        value::object content;
        for (auto const type : types_of_document(e.route.path))
            set(content, type, object(at("schema", object(at("type", "string")))));
        set(out, "content", std::move(content));
    } else {
        set(out, "content",
            e.is_document ? json_content(value{object(at("type", "object"))})
                          : json_content(schema_of_answer(e), object(at("example", example_of_answer(e)))));
    }
    return out;
}

value upgrade_of() {
    return object(
        at("description",
           "The connection is a WebSocket now; each message is a text frame with one JSON object. The client "
           "sends SocketRequest, the daemon SocketReply and, for what was subscribed to, Event. A connection "
           "that never subscribed gets the types torrent_added, torrent_removed, torrent_completed, "
           "torrent_status_changed, config_updated, shutdown, security_blacklist_updated and "
           "security_whitelist_updated. Without a valid key the WebSocket is closed with code 4001, reason "
           "Unauthorized; a client that does not read is told to resync and closed with 1013."),
        at("x-messages",
           object(
               at("client", schema_reference("SocketRequest")),
               at("daemon", value::array{schema_reference("SocketReply"), schema_reference("Event")}))));
}

value responses_of(endpoint_facts const& e, error_shelf& shelf) {
    value::object out;
    if (e.is_socket)
        set(out, "101", upgrade_of());
    else
        set(out, "200", success_of(e));
    if (e.is_tagged)
        set(out, "304",
            object(
                at("description", "The tag in If-None-Match still holds"),
                at("headers", answer_headers(true))));
    for (auto const& [status, names] : grouped(errors_of(e))) {
        auto response = shelf.reference(status, names);
        // Load balancers read the status alone: what ails it is told in the same form as its health.
        if (e.route.name == "session.health" && status == 503)
            response = error_response(
                status, names,
                object(at("anyOf", value::array{schema_reference(e.response_type), error_schema_of(names)})));
        set(out, std::to_string(status), std::move(response));
    }
    return out;
}

value operation_of(endpoint_facts const& e, error_shelf& shelf) {
    std::string id{e.route.name};
    std::replace(id.begin(), id.end(), '.', '_');
    auto out = object(
        at("operationId", std::move(id)), at("tags", value::array{text(area_of(e))}),
        at("summary", text(e.route.summary)), at("description", description_of(e)));
    if (auto parameters = parameters_of(e); !parameters.get_if<value::array>()->empty())
        set(out, "parameters", std::move(parameters));
    if (has_body(e.request)) {
        auto body = object(
            at("required", needs_body(e.request)),
            at("content",
               json_content(schema_reference(e.request_type), object(at("example", example_of_request(e))))));
        set(body, "x-max-bytes", static_cast<std::int64_t>(e.route.max_body));
        set(out, "requestBody", std::move(body));
    }
    set(out, "responses", responses_of(e, shelf));
    set(out, "security", security_of(e));
    set(out, "x-scope", text(contract::name_of(e.route.needs)));
    if (!e.route.command.empty()) set(out, "x-cli", text(e.route.command));
    if (!e.route.event.empty()) set(out, "x-event", text(e.route.event));
    return out;
}

// ---- components

value error_schema() {
    auto const string = [](std::string_view doc) {
        return value{object(at("type", "string"), at("description", text(doc)))};
    };
    value problem = object(
        at("type", "object"), at("required", value::array{"field", "message"}),
        at("properties",
           object(
               at("field", string("The field, as limits.global_down_kib or torrents[3].labels")),
               at("message", string("What is wrong with it")))));
    value details = object(
        at("type", value::array{"object", "null"}), at("description", "What helps to mend it"),
        at("properties", object(
                             at("field", string("The first field that is wrong")),
                             at("problems", object(at("type", "array"), at("items", std::move(problem)))))));
    return object(
        at("type", "object"), at("required", value::array{"error", "code", "details"}),
        at("properties", object(
                             at("error", string("For people")),
                             at("code", object(
                                            at("type", "string"), at("enum", list_of_names(error_names())),
                                            at("description", "For programs"))),
                             at("details", std::move(details)))));
}

value socket_message(
    std::vector<std::string_view> const& actions, value::object more, value::array required) {
    auto properties = object(at("action", object(at("type", "string"), at("enum", list_of_names(actions)))));
    for (auto& member : more) properties.push_back(std::move(member));
    required.insert(required.begin(), "action");
    return object(
        at("type", "object"), at("required", std::move(required)), at("properties", std::move(properties)));
}

value::object socket_schemas() {
    value types = object(at("type", "array"), at("items", schema_reference("EventType")));
    value data = object(
        at("type", "object"), at("required", value::array{"event_types"}),
        at("properties", object(at("event_types", types))));
    value::array ask{
        socket_message({"subscribe", "unsubscribe"}, object(at("data", std::move(data))), {"data"}),
        socket_message({"ping", "pong"}, {}, {})};
    value::array reply{
        socket_message(
            {"subscribed", "unsubscribed"}, object(at("event_types", std::move(types))), {"event_types"}),
        socket_message({"pong", "ping"}, {}, {}),
        socket_message({"error"}, object(at("error", object(at("type", "string")))), {"error"})};
    return object(
        at("SocketRequest",
           object(at("description", "What a client says on the WebSocket"), at("oneOf", std::move(ask)))),
        at("SocketReply", object(
                              at("description", "What the daemon says there beside events"),
                              at("oneOf", std::move(reply)))));
}

value schemas() {
    std::map<std::string, value> sorted;
    for (auto const& [name, type] : types_of_the_contract().objects) sorted[name] = schema_of(type);
    for (auto const& [name, field] : types_of_the_contract().choices) sorted[name] = schema_of_choice(*field);
    sorted["Error"] = error_schema();
    for (auto& [name, schema] : socket_schemas()) sorted[name] = std::move(schema);
    value::object out;
    for (auto& [name, schema] : sorted) set(out, name, std::move(schema));
    return out;
}

value security_schemes() {
    auto const key = [](std::string_view in, std::string_view name, std::string_view doc) {
        return value{object(
            at("type", "apiKey"), at("in", text(in)), at("name", text(name)), at("description", text(doc)))};
    };
    return object(
        at("apiKey", key("header", "X-CCBT-API-Key", "The key, by default in <state_dir>/api_key")),
        at("apiKeyInQuery",
           key("query", "api_key", "The same, where a client of the WebSocket cannot set headers")),
        at("publicKey",
           key("header", "X-CCBT-Public-Key",
               "Ed25519, 32 bytes in hex. With X-CCBT-Timestamp and X-CCBT-Signature this stands in for "
               "the key, where an operation names it: the key must be a trusted one")),
        at("timestamp",
           key("header", "X-CCBT-Timestamp", "Unix seconds, decimal, within 300 s of the daemon's clock")),
        at("signature",
           key("header", "X-CCBT-Signature",
               "Ed25519, 64 bytes in hex, over \"<METHOD> <path>\\n<timestamp>\\n<sha256(body) hex>\"; path "
               "is the request target as sent, query included; used once")));
}

value components(error_shelf& shelf) {
    value key = object(
        at("name", "Idempotency-Key"), at("in", "header"),
        at("description",
           "The same key with the same body does it once and answers the same, for 24 hours (+)"),
        at("schema", object(at("type", "string"), at("minLength", 16), at("maxLength", 64))));
    auto const header = [](std::string_view doc, std::string_view type) {
        return value{object(at("description", text(doc)), at("schema", object(at("type", text(type)))))};
    };
    value headers = object(
        at("Revision",
           header(
               "The revision at which the answer holds: opaque, to be compared or sent back (+)", "string")),
        at("ETag", header("The answer's tag, for If-None-Match (+)", "string")),
        at("RetryAfter", header("Seconds until it is worth trying again", "integer")));
    return object(
        at("schemas", schemas()), at("responses", shelf.take()),
        at("parameters", object(at("IdempotencyKey", std::move(key)))), at("headers", std::move(headers)),
        at("securitySchemes", security_schemes()));
}

// ---- the whole

value tags() {
    std::vector<std::string_view> used;
    for (auto const& e : catalogue())
        if (auto const name = area_of(e); std::find(used.begin(), used.end(), name) == used.end())
            used.push_back(name);
    value::array out;
    for (auto const name : used) {
        auto const known =
            std::find_if(areas.begin(), areas.end(), [&](auto const& a) { return a.name == name; });
        out.emplace_back(object(
            at("name", text(name)), at("description", text(known == areas.end() ? name : known->doc))));
    }
    return out;
}

/// What the WebSocket tells: a watcher is told, and answers nothing.
value events() {
    value::object out;
    for (auto const& [type, name] : contract::names_of<contract::event_type>) {
        value only = object(at("properties", object(at("type", object(at("const", text(name)))))));
        value schema = object(at("allOf", value::array{schema_reference("Event"), std::move(only)}));
        value::object operation = object(
            at("operationId", fmt::format("event_{}", name)), at("tags", value::array{"events"}),
            at("summary", text(tells(type))),
            at("description", contract::is_original(type)
                                  ? "Sent to those who subscribed to it, and to those who never subscribed."
                                  : "Sent to those who subscribed to it."),
            at("requestBody",
               object(
                   at("required", true),
                   at("content",
                      json_content(std::move(schema), object(at("example", example_of_event(type))))))),
            at("responses", object(at("default", object(at("description", "No answer is expected"))))),
            at("security", value::array{}));
        set(out, name, object(at("post", std::move(operation))));
    }
    return out;
}

value paths(error_shelf& shelf) {
    value::object out;
    for (auto const& e : catalogue()) {
        auto const path = full_path(e.route);
        auto item =
            std::find_if(out.begin(), out.end(), [&](auto const& member) { return member.first == path; });
        if (item == out.end()) item = out.insert(out.end(), {path, value::object{}});
        auto const method = contract::name_of(e.route.method);
        std::string lower{method};
        std::transform(
            lower.begin(), lower.end(), lower.begin(), [](char c) { return static_cast<char>(c | 0x20); });
        set(*item->second.get_if<value::object>(), lower, operation_of(e, shelf));
    }
    return out;
}

value document() {
    value info = object(
        at("title", "ccbtd"), at("version", CCBT_VERSION), at("description", text(about)),
        at("license", object(at("name", "Apache-2.0"), at("identifier", "Apache-2.0"))));
    value servers = value::array{object(at("url", "/"), at("description", "The daemon that answers"))};
    error_shelf shelf;
    auto all_paths = paths(shelf);
    return object(
        at("openapi", "3.1.0"), at("info", std::move(info)), at("servers", std::move(servers)),
        at("tags", tags()), at("paths", std::move(all_paths)), at("webhooks", events()),
        at("components", components(shelf)));
}

} // namespace

std::string const& openapi_document() {
    static auto const made = to_text(document());
    return made;
}

std::string openapi_for_reading() { return to_text(document(), 2) + '\n'; }

} // namespace ccbt::wire
