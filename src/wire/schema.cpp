#include "wire/schema.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace ccbt::wire {

using contract::place;

namespace {

constexpr contract::rules no_rules{};

bool holds(field_facts const& f, field_kind kind) {
    return f.kind == kind || (f.kind == field_kind::list && f.item_kind == kind);
}

void collect(std::vector<field_facts> const& fields, direction way, named_types& into) {
    for (auto const& f : fields) {
        if (way == direction::response || f.rule.in == place::body) {
            if (holds(f, field_kind::object)) {
                into.objects[type_name(f, way)] = {&f.members, f.omits_absent, way};
                collect(f.members, way, into);
            }
        }
        if (holds(f, field_kind::choice)) into.choices[type_name(f, way)] = &f;
    }
}

bool is_list_of_objects(field_facts const& f) {
    return f.kind == field_kind::list && f.item_kind == field_kind::object;
}

void collect_answer(endpoint_facts const& e, named_types& into) {
    collect(e.response, direction::response, into);
    object_type answer{&e.response, e.omits_absent, direction::response};
    answer.narrows_rows =
        std::any_of(e.request.begin(), e.request.end(), [](auto const& f) { return f.name == "fields"; });
    if (answer.narrows_rows)
        for (auto const& f : e.response)
            if (is_list_of_objects(f))
                into.objects[f.type + "Part"] = {
                    &f.members, f.omits_absent, direction::response, false, true};
    into.objects[e.response_type] = answer;
}

value whole_or_fraction(double d) {
    if (std::trunc(d) == d && std::abs(d) < 9e15) return static_cast<std::int64_t>(d);
    return d;
}

void set_bounds(value::object& into, contract::rules const& rule) {
    if (rule.min > no_rules.min) set(into, "minimum", whole_or_fraction(rule.min));
    if (rule.max < no_rules.max) set(into, "maximum", whole_or_fraction(rule.max));
}

void set_text_rules(value::object& into, contract::rules const& rule, direction way) {
    if (!rule.format.empty()) set(into, "format", text(rule.format));
    if (rule.format == "byte") set(into, "contentEncoding", "base64");
    // The daemon counts bytes: what is longer in characters is longer in bytes too.
    if (way == direction::request || rule.max_length != no_rules.max_length)
        set(into, "maxLength", static_cast<std::int64_t>(rule.max_length));
}

value whole_or_part(std::string const& type) {
    value::object out;
    set(out, "anyOf", value::array{schema_reference(type), schema_reference(type + "Part")});
    return out;
}

value type_or_null(std::string_view type, bool nullable) {
    if (!nullable) return text(type);
    return value::array{text(type), text("null")};
}

value::object reference_or_null(std::string const& name, bool nullable) {
    value::object out;
    if (nullable) {
        value::object null;
        set(null, "type", "null");
        set(out, "anyOf", value::array{schema_reference(name), std::move(null)});
    } else {
        set(out, "$ref", text("#/components/schemas/" + name));
    }
    return out;
}

value::object schema_of_kind(field_facts const& f, field_kind kind, direction way, bool nullable) {
    value::object out;
    switch (kind) {
    case field_kind::flag: set(out, "type", type_or_null("boolean", nullable)); break;
    case field_kind::whole:
        set(out, "type", type_or_null("integer", nullable));
        set(out, "format", f.rule.format.empty() ? text("int64") : text(f.rule.format));
        set_bounds(out, f.rule);
        break;
    case field_kind::number:
        set(out, "type", type_or_null("number", nullable));
        set(out, "format", f.rule.format.empty() ? text("double") : text(f.rule.format));
        set_bounds(out, f.rule);
        break;
    case field_kind::text:
        set(out, "type", type_or_null("string", nullable));
        set_text_rules(out, f.rule, way);
        break;
    case field_kind::hash:
        set(out, "type", type_or_null("string", nullable));
        set(out, "pattern", "^([0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$");
        break;
    case field_kind::choice:
    case field_kind::object: return reference_or_null(type_name(f, way), nullable);
    case field_kind::list: {
        set(out, "type", type_or_null("array", nullable));
        if (way == direction::request) set(out, "maxItems", static_cast<std::int64_t>(f.rule.max_items));
        set(out, "items", schema_of_kind(f, f.item_kind, way, false));
        break;
    }
    case field_kind::any: break; // any JSON value
    }
    return out;
}

void set_default(value::object& into, field_facts const& f) {
    if (f.rule.required || f.rule.secret || f.kind == field_kind::object) return;
    if (auto const read = parse(f.default_json); read && !read->is_null()) set(into, "default", *read);
}

} // namespace

std::string type_name(field_facts const& field, direction way) {
    // One struct may stand in requests and in answers; what must be there differs.
    bool const clear =
        way == direction::response || !field.choices.empty() || field.type.ends_with("Request");
    return clear ? field.type : field.type + "Input";
}

named_types const& types_of_the_contract() {
    static auto const all = [] {
        named_types made;
        for (auto const& e : catalogue()) {
            if (has_body(e.request)) made.objects[e.request_type] = {&e.request, false, direction::request};
            collect(e.request, direction::request, made);
            if (!e.response_type.empty()) collect_answer(e, made);
        }
        made.objects["Event"] = {&event_facts(), false, direction::response};
        collect(event_facts(), direction::response, made);
        return made;
    }();
    return all;
}

bool is_required(field_facts const& field, object_type const& of) {
    if (of.way == direction::request) return field.rule.required;
    if (of.is_part) return &field == &of.fields->front();
    return !(of.omits_absent && field.nullable);
}

bool may_be_null(field_facts const& field, object_type const& of) {
    if (of.way == direction::request) return !field.rule.required || field.nullable;
    return field.nullable && !of.omits_absent;
}

bool has_body(std::vector<field_facts> const& fields) {
    return std::any_of(fields.begin(), fields.end(), [](auto const& f) { return f.rule.in == place::body; });
}

bool needs_body(std::vector<field_facts> const& fields) {
    return std::any_of(fields.begin(), fields.end(), [](auto const& f) {
        return f.rule.in == place::body && f.rule.required;
    });
}

std::vector<std::string_view> error_names() {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(contract::errc::last_); ++i) {
        auto const name = contract::row_of(static_cast<contract::errc>(i)).name;
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
}

value text(std::string_view s) { return std::string{s}; }

void set(value::object& into, std::string_view key, value v) {
    into.emplace_back(std::string{key}, std::move(v));
}

value list_of_names(std::vector<std::string_view> const& names) {
    value::array out;
    for (auto const name : names) out.push_back(text(name));
    return out;
}

value schema_reference(std::string_view name) {
    value::object out;
    set(out, "$ref", text("#/components/schemas/" + std::string{name}));
    return out;
}

value::object schema_of(field_facts const& field, direction way, bool nullable) {
    auto out = schema_of_kind(field, field.kind, way, nullable);
    std::string doc{field.doc};
    if (holds(field, field_kind::choice) && field.any_case && way == direction::request)
        doc += ". Any letter case is taken";
    set(out, "description", text(doc));
    if (way == direction::request) set_default(out, field);
    if (field.rule.secret) set(out, "x-secret", true);
    if (field.rule.restart) set(out, "x-restart", true);
    return out;
}

value schema_of(object_type const& object) {
    value::object out;
    set(out, "type", "object");
    value::object properties;
    value::array required;
    for (auto const& f : *object.fields) {
        if (object.way == direction::request && f.rule.in != place::body) continue;
        auto member = schema_of(f, object.way, may_be_null(f, object));
        if (object.narrows_rows && is_list_of_objects(f))
            for (auto& [key, items] : member)
                if (key == "items") items = whole_or_part(f.type);
        set(properties, f.name, std::move(member));
        if (is_required(f, object)) required.push_back(text(f.name));
    }
    if (!required.empty()) set(out, "required", std::move(required));
    set(out, "properties", std::move(properties));
    return out;
}

value schema_of_choice(field_facts const& field) {
    value::object out;
    set(out, "type", "string");
    set(out, "enum", list_of_names(field.choices));
    return out;
}

} // namespace ccbt::wire
