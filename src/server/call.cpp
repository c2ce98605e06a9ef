#include "server/call.hpp"

#include "wire/codec.hpp"

namespace ccbt::server {

answer answer_error(contract::failure const& why) {
    auto const& row = contract::row_of(why.code);
    wire::writer out;
    out.begin_object();
    out.key("error");
    out.text(why.message);
    out.key("code");
    out.text(row.name);
    out.key("details");
    if (why.details.empty()) {
        out.null();
    } else {
        out.begin_object();
        for (auto const& [name, value] : why.details) {
            out.key(name);
            std::visit(
                [&](auto const& v) {
                    using type = std::remove_cvref_t<decltype(v)>;
                    if constexpr (std::same_as<type, std::vector<contract::problem>>) {
                        out.begin_array();
                        for (auto const& p : v) {
                            out.begin_object();
                            out.key("field");
                            out.text(p.field);
                            out.key("message");
                            out.text(p.message);
                            out.end_object();
                        }
                        out.end_array();
                    } else {
                        wire::encode(out, v);
                    }
                },
                value);
        }
        out.end_object();
    }
    out.end_object();
    answer a;
    a.status = row.status;
    if (why.code == contract::errc::rate_limited)
        for (auto const& [name, value] : why.details)
            if (auto const* seconds = std::get_if<std::int64_t>(&value); seconds && name == "retry_after")
                a.retry_after = static_cast<int>(*seconds);
    a.body = out.take();
    a.code = row.name;
    return a;
}

} // namespace ccbt::server
