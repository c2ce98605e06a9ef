#include "wire/codec.hpp"

#include <fmt/core.h>

namespace ccbt::wire {

contract::failure problems::as_failure() const {
    using contract::errc;
    if (list.empty()) return {errc::internal_error, "no problem was found", {}};
    auto const& first = list.front();
    std::string message = first.field + ' ' + first.message;
    if (list.size() > 1) message += fmt::format(" (and {} more)", list.size() - 1);
    return contract::failure{bad_hash ? errc::invalid_info_hash : errc::validation_error, std::move(message)}
        .with("field", first.field)
        .with("problems", list);
}

namespace decoding {

std::string type_of(value const& v) {
    if (v.is_null()) return "null";
    if (v.get_if<bool>() != nullptr) return "true or false";
    if (v.get_if<std::string>() != nullptr) return "a string";
    if (v.get_if<value::array>() != nullptr) return "a list";
    if (v.get_if<value::object>() != nullptr) return "an object";
    return "a number";
}

std::string number_text(double d) {
    return std::abs(d) < 9e15 && std::trunc(d) == d ? std::to_string(static_cast<std::int64_t>(d))
                                                    : fmt::format("{}", d);
}

std::string list_of(std::vector<std::string_view> const& names) {
    std::string out;
    for (auto const name : names) {
        if (!out.empty()) out += ", ";
        out += name;
    }
    return out;
}

void hash(std::string_view from, contract::info_hash& into, std::string const& path, problems& wrong) {
    if (auto const parsed = contract::info_hash::parse(from)) {
        into = *parsed;
        return;
    }
    if (wrong.none()) wrong.bad_hash = true;
    wrong.add(path, "must be an info-hash: 40 hex digits (v1) or 64 (v2)");
}

} // namespace decoding

} // namespace ccbt::wire
