#include "wire/typescript.hpp"

#include "contract/table.hpp"
#include "wire/schema.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace ccbt::wire {

namespace {

using contract::place;

std::string type_of(field_facts const& f, field_kind kind, direction way) {
    switch (kind) {
    case field_kind::flag: return "boolean";
    case field_kind::whole:
    case field_kind::number: return "number";
    case field_kind::text: return "string";
    case field_kind::hash: return "InfoHash";
    case field_kind::choice:
    case field_kind::object: return type_name(f, way);
    case field_kind::list: return type_of(f, f.item_kind, way) + "[]";
    case field_kind::any: break;
    }
    return "unknown";
}

std::string quoted(std::string_view s) { return fmt::format("\"{}\"", s); }

bool is_identifier(std::string_view name) {
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

std::string doc_of(field_facts const& f, object_type const& of) {
    std::string doc{f.doc};
    if (of.way == direction::request && !f.rule.required && f.default_json != "null" && !f.rule.secret &&
        f.kind != field_kind::object)
        doc += ". Default: " + f.default_json;
    return doc;
}

std::string member(field_facts const& f, object_type const& of, std::string_view indent) {
    return fmt::format(
        "{}/** {} */\n{}{}{}: {}{};\n", indent, doc_of(f, of), indent,
        is_identifier(f.name) ? std::string{f.name} : quoted(f.name), is_required(f, of) ? "" : "?",
        type_of(f, f.kind, of.way), may_be_null(f, of) ? " | null" : "");
}

std::string interface_of(std::string const& name, object_type const& object) {
    std::string out = fmt::format("export interface {} {{\n", name);
    for (auto const& f : *object.fields)
        if (object.way == direction::response || f.rule.in == place::body) out += member(f, object, "  ");
    return out + "}\n\n";
}

std::string any_of_names(std::vector<std::string_view> const& names) {
    std::string out;
    for (auto const name : names) out += "\n  | " + quoted(name);
    return out;
}

std::string members_in(endpoint_facts const& e, place where, std::string_view key) {
    std::string members;
    for (auto const& f : e.request) {
        if (f.rule.in != where) continue;
        bool const there = where == place::path || f.rule.required;
        members += fmt::format(
            "{}{}{}: {}", members.empty() ? "" : "; ",
            is_identifier(f.name) ? std::string{f.name} : quoted(f.name), there ? "" : "?",
            type_of(f, f.kind, direction::request));
    }
    return members.empty() ? std::string{} : fmt::format("    {}: {{ {} }};\n", key, members);
}

std::string operation(endpoint_facts const& e) {
    auto const& route = e.route;
    std::string path{route.at_root ? std::string_view{} : contract::base_path};
    path += route.path;
    std::erase(path, '*');
    std::string out = fmt::format(
        "  /** {} */\n  \"{}\": {{\n    method: \"{}\";\n    path: \"{}\";\n", route.summary, route.name,
        contract::name_of(route.method), path);
    out += members_in(e, place::path, "in_path");
    out += members_in(e, place::query, "in_query");
    out += members_in(e, place::header, "in_header");
    if (has_body(e.request)) out += fmt::format("    body: {};\n", e.request_type);
    out += fmt::format(
        "    answer: {};\n  }};\n", e.is_document             ? "string"
                                    : e.is_socket             ? "WebSocket"
                                    : e.response_type.empty() ? "unknown"
                                                              : e.response_type);
    return out;
}

} // namespace

std::string typescript_types() {
    std::string out = "// The control API of ccbtd, generated from its contract: CCBT_UPDATE=1 wire_test.\n"
                      "// What is marked (+) is not in the API of the Python daemon.\n\n"
                      "/** Hex, 40 digits (v1) or 64 (v2); either case in, lower case out. */\n"
                      "export type InfoHash = string;\n\n";
    auto const& types = types_of_the_contract();
    for (auto const& [name, field] : types.choices)
        out += fmt::format("export type {} ={};\n\n", name, any_of_names(field->choices));
    for (auto const& [name, object] : types.objects)
        if (!object.is_part) out += interface_of(name, object);
    out += "/** Events, told apart by `type`. */\n"
           "export type AnyEvent = { [T in EventType]: Event & { type: T } }[EventType];\n\n"
           "export type SocketRequest =\n"
           "  | { action: \"subscribe\" | \"unsubscribe\"; data: { event_types: EventType[] } }\n"
           "  | { action: \"ping\" | \"pong\" };\n\n"
           "export type SocketReply =\n"
           "  | { action: \"subscribed\" | \"unsubscribed\"; event_types: EventType[] }\n"
           "  | { action: \"pong\" | \"ping\" }\n"
           "  | { action: \"error\"; error: string };\n\n";
    out += fmt::format("export type ErrorCode ={};\n\n", any_of_names(error_names()));
    out += "/** The one shape of every error. */\n"
           "export interface ErrorAnswer {\n"
           "  /** For people */\n  error: string;\n"
           "  /** For programs */\n  code: ErrorCode;\n"
           "  /** What helps to mend it */\n"
           "  details: ({ field?: string; problems?: { field: string; message: string }[] } & "
           "Record<string, unknown>)"
           " | null;\n}\n\n";
    out += "export interface Operations {\n";
    for (auto const& e : catalogue()) out += operation(e);
    return out + "}\n";
}

} // namespace ccbt::wire
