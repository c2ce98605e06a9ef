// The contract's types as named schemas: which there are, and each as JSON Schema 2020-12 (the dialect of
// OpenAPI 3.1). What the codec takes and gives is what stands here. Pure functions over the catalogue, any
// thread.
#pragma once

#include "wire/catalogue.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ccbt::wire {

/// A request says what may be left out or null; an answer says what is there.
enum class direction : std::uint8_t { request, response };

struct object_type {
    std::vector<field_facts> const* fields = nullptr;
    bool omits_absent = false;
    direction way = direction::response;
    bool narrows_rows = false; // rows of its lists may be parts, since `fields` can be asked for
    bool is_part = false;      // such a row: only its first member is always there
};

struct named_types {
    std::map<std::string, object_type> objects;
    std::map<std::string, field_facts const*> choices;
};

/// Every named type that a body or an event of the contract holds.
[[nodiscard]] named_types const& types_of_the_contract();
/// The name under which that field's object or choice is found there.
[[nodiscard]] std::string type_name(field_facts const& field, direction way);

/// Has it a value in every body? What is not is left out, and in requests may be null too.
[[nodiscard]] bool is_required(field_facts const& field, object_type const& of);
[[nodiscard]] bool may_be_null(field_facts const& field, object_type const& of);
/// A body of `fields` can be left out, or be empty.
[[nodiscard]] bool has_body(std::vector<field_facts> const& fields);
[[nodiscard]] bool needs_body(std::vector<field_facts> const& fields);

/// Names each once, in the order of the table of errors.
[[nodiscard]] std::vector<std::string_view> error_names();

// ---- as JSON Schema

[[nodiscard]] value text(std::string_view s);
void set(value::object& into, std::string_view key, value v);
[[nodiscard]] value list_of_names(std::vector<std::string_view> const& names);
[[nodiscard]] value schema_reference(std::string_view name); // {"$ref": "#/components/schemas/NAME"}

[[nodiscard]] value::object schema_of(field_facts const& field, direction way, bool nullable);
[[nodiscard]] value schema_of(object_type const& object);
[[nodiscard]] value schema_of_choice(field_facts const& field);

} // namespace ccbt::wire
