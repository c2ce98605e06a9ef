#include "client/error.hpp"

#include "wire/json.hpp"

namespace ccbt::client {

namespace {

std::optional<contract::errc> known_code(std::string_view name, int status) {
    for (int i = 0; i <= static_cast<int>(contract::errc::last_); ++i) {
        auto const code = static_cast<contract::errc>(i);
        auto const& row = contract::row_of(code);
        if (row.name == name && row.status == status) return code;
    }
    return std::nullopt;
}

} // namespace

client_error error_of(int status, std::string_view body) {
    client_error made;
    made.status = status;
    made.kind = error_kind::refused;
    auto const read =
        wire::parse(body, {.depth = 64, .elements = 1'000'000, .string_bytes = std::size_t{1} << 24});
    if (read) {
        made.code = read->text_or("code", "");
        made.message = read->text_or("error", "");
        if (auto const* details = read->find("details")) made.details = wire::to_text(*details);
    }
    made.known = known_code(made.code, status);
    // A proxy between answers with pages of its own: the status still tells what kind it is.
    if (made.message.empty()) made.message = "HTTP status " + std::to_string(status);
    if (status == 401 || made.code == "FORBIDDEN_SCOPE") made.kind = error_kind::unauthorized;
    return made;
}

unexpected<client_error> fails(error_kind kind, std::string message) {
    return unexpected<client_error>{client_error{.kind = kind, .message = std::move(message)}};
}

} // namespace ccbt::client
