// server/dispatch and wire/codec: a whole request against the contract. The first byte chooses the endpoint; then a line
// for what stands in its path, one for its query, one for its headers; the body behind them.
#include "base/text.hpp"
#include "fuzz.hpp"
#include "server/dispatch.hpp"
#include "server/router.hpp"

namespace ccbt::fuzz {

namespace {

void hold_refusal(contract::failure const& why) {
    auto const row = contract::row_of(why.code);
    require(row.status >= 400 && row.status < 500, "a client's mistake is 4xx", why.message);
    auto const told = server::answer_error(why);
    auto const body = told.body.joined();
    require(told.status == row.status, "it is answered with its status");
    auto const read = wire::parse(body, {.string_bytes = std::size_t{1} << 20});
    require(text::is_valid_utf8(body) && read, "a refusal is JSON in UTF-8", body);
    require(
        read->text_or("code", "") == row.name && !read->text_or("error", "").empty(), "it has its code",
        body);
    auto const* details = read->find("details");
    if (row.name == "VALIDATION_ERROR")
        require(details != nullptr && details->find("field") != nullptr, "it names the field", body);
}

template <class Request> void hold_request(server::call from) {
    wire::json_limits const limits{};
    auto const read = server::decode_call<Request>(from, limits);
    if (!read) return hold_refusal(read.error());
    auto const written = wire::to_json(*read);
    require(text::is_valid_utf8(written) || !text::is_valid_utf8(from.body), "a request is UTF-8", written);
    auto const value = wire::parse(written, {.string_bytes = std::size_t{1} << 20});
    require(value.has_value(), "a request is written as JSON", written);
    auto again = *read;
    wire::problems wrong;
    wire::decode_members(*value->template get_if<wire::value::object>(), again, "", wrong);
    require(wrong.none(), "what was taken is taken again", written);
    require(wire::to_json(again) == written, "a request reads back the same", written);
}

} // namespace

void look_at(std::string_view bytes) {
    auto const wanted = take_byte(bytes);
    auto const in_path = text::percent_decode(take_until(bytes, '\n'));
    auto query = server::read_query(take_until(bytes, '\n'));
    auto const header = take_until(bytes, '\n');
    if (!in_path || !query) return;
    server::call from;
    from.query = std::move(*query);
    from.body = bytes;
    std::size_t at = 0;
    contract::all_endpoints::each([&]<class Endpoint>() {
        if (at++ != wanted) return;
        using request = typename Endpoint::request;
        if constexpr (request::fields.size > 0)
            request::fields.each([&](auto const& f) {
                if (f.rule.in == contract::place::path) from.path.emplace_back(f.name(), *in_path);
                if (f.rule.in == contract::place::header) from.headers.emplace_back(f.name(), header);
            });
        hold_request<request>(std::move(from));
    });
}

} // namespace ccbt::fuzz
