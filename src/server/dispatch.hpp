// From the contract's table to routes: decoding, the deed, encoding. Instantiated once, where executor and server meet
// (daemon/routes.cpp); the server itself knows only rows.
#pragma once

#include "base/task.hpp"
#include "contract/serves.hpp"
#include "contract/table.hpp"
#include "server/call.hpp"
#include "server/dispatch_limits.hpp"
#include "wire/codec.hpp"

#include <algorithm>
#include <chrono>

namespace ccbt::server {

/// A list of structs comes in a body alone.
template <class T> inline constexpr bool has_text_form = true;
template <contract::described T> inline constexpr bool has_text_form<std::vector<T>> = false;

/// The request of an endpoint from its path, query, headers and body: every problem at once.
template <class Request>
[[nodiscard]] contract::result<Request> decode_call(call& from, wire::json_limits limits) {
    using contract::errc;
    using contract::place;
    Request made{};
    wire::problems wrong;
    if constexpr (Request::fields.size > 0) {
        Request::fields.each([&](auto const& f) {
            auto const take = [&](auto const& list) {
                auto const at = std::find_if(
                    list.begin(), list.end(), [&](auto const& p) { return p.first == f.name(); });
                if constexpr (has_text_form<typename std::remove_cvref_t<decltype(f)>::type>) {
                    if (at != list.end())
                        return wire::decode_text(
                            at->second, made.*(f.member), std::string{f.name()}, f.rule, wrong);
                }
                if (at == list.end() && f.rule.required) wrong.add(std::string{f.name()}, "is required");
            };
            switch (f.rule.in) {
            case place::body: break;
            case place::path: take(from.path); break;
            case place::query: take(from.query); break;
            case place::header: take(from.headers); break;
            }
        });
    }
    // Which thing is asked for stands before the body, and so does what is wrong with it.
    wire::value body{wire::value::object{}};
    if (!from.body.empty()) { // also where nothing in it is read: what is not JSON is refused everywhere
        auto read = wire::parse(from.body, limits);
        if (!read && wrong.none())
            return contract::fails(errc::invalid_json, "the body is not JSON: " + read.error());
        if (read && read->template get_if<wire::value::object>() == nullptr)
            wrong.add("", "the body must be a JSON object");
        else if (read)
            body = std::move(*read);
    }
    if (auto const* members = body.template get_if<wire::value::object>();
        members != nullptr && !wrong.enough())
        wire::decode_members(*members, made, "", wrong);
    if (!wrong.none()) return unexpected<contract::failure>{wrong.as_failure()};
    return made;
}

template <class T> inline constexpr bool is_tagged = false;
template <class T> inline constexpr bool is_tagged<contract::tagged<T>> = true;

template <class Response> [[nodiscard]] answer encode_answer(Response const& what) {
    answer a;
    if constexpr (std::same_as<Response, contract::document>) {
        a.content_type = what.content_type;
        a.body.text = what.text;
    } else if constexpr (is_tagged<Response>) {
        a.etag = what.etag;
        if (what.unchanged) {
            a.status = 304;
            return a;
        }
        wire::writer out;
        wire::encode(out, what.value);
        a.body = out.take();
    } else {
        if constexpr (requires { what.http_status(); }) a.status = what.http_status();
        wire::writer out;
        wire::encode(out, what);
        a.body = out.take();
    }
    return a;
}

/// Renders rows some at a time: 100,000 of them take longer than anybody else should have to wait.
template <class Row> task<> render(std::vector<contract::prepared<Row>> const& rows) {
    constexpr auto at_a_time = std::chrono::milliseconds{1};
    auto since = std::chrono::steady_clock::now();
    for (auto const& row : rows) {
        if (!wire::encoding::prepare(row) || std::chrono::steady_clock::now() - since < at_a_time) continue;
        co_await let_others_go_first();
        since = std::chrono::steady_clock::now();
    }
}

template <class Endpoint, class Executor>
task<answer> serve(Executor& executor, call from, wire::json_limits limits) {
    auto request = decode_call<typename Endpoint::request>(from, limits);
    if (!request) {
        auto refused = answer_error(request.error());
        refused.revision = executor.revision().token();
        co_return refused;
    }
    if constexpr (requires { request->as_text; }) request->as_text = true;
    auto what = co_await executor.handle(std::move(*request), from.who);
    auto const revision = executor.revision().token(); // that at which the answer holds
    answer a;
    if (what) {
        if constexpr (requires { what->value.torrents; }) {
            auto const held = executor.rendering();
            co_await render(what->value.torrents);
        }
        a = encode_answer(*what);
    } else {
        a = answer_error(what.error());
    }
    a.revision = revision;
    co_return a;
}

inline constexpr std::string_view idempotency_key = "Idempotency-Key";

/// A request without its key, as one text: each part with its length, so that no two are alike.
[[nodiscard]] inline std::string head_text(std::string_view deed, call const& from) {
    std::string out;
    auto const add = [&out](std::string_view part) { ((out += std::to_string(part.size())) += ':') += part; };
    add(deed);
    for (auto const& [name, value] : from.path) add(value);
    for (auto const& [name, value] : from.query) {
        add(name);
        add(value);
    }
    return out;
}

/// The same, done once: what was answered under its Idempotency-Key within a day is answered again. Errors are not
/// kept, since nothing was changed.
template <class Endpoint, class Executor>
task<answer> serve_once(Executor& executor, call from, wire::json_limits limits) {
    using contract::errc;
    auto const at = std::find_if(from.headers.begin(), from.headers.end(), [](auto const& header) {
        return header.first == idempotency_key;
    });
    if (at == from.headers.end()) {
        auto plain = co_await serve<Endpoint>(executor, std::move(from), limits);
        co_return plain;
    }
    answer a;
    if (at->second.size() < 16 || at->second.size() > 64) {
        contract::failure wrong{errc::validation_error, "Idempotency-Key must have 16 to 64 characters", {}};
        a = answer_error(std::move(wrong).with("field", std::string{idempotency_key}));
        a.revision = executor.revision().token();
        co_return a;
    }
    auto& once = executor.once();
    auto const id = once.id_of(from.who.principal, at->second);
    auto const head = head_text(Endpoint::route.name, from);
    auto const request = co_await once.digest_of(head, from.body);
    auto const turn = co_await once.take(id);
    auto const before = co_await once.answered(id);
    if (before && before->request != request) {
        contract::failure const other{
            errc::idempotency_conflict, "that Idempotency-Key was used for another request", {}};
        a = answer_error(other);
        a.revision = executor.revision().token();
        co_return a;
    }
    if (before) {
        a.status = before->status;
        a.body.text = before->body;
        a.revision = executor.revision().token();
        co_return a;
    }
    using response = typename Endpoint::response;
    auto const write = [](void const* what) {
        return encode_answer(*static_cast<response const*>(what)).body.joined();
    };
    typename std::remove_cvref_t<decltype(once)>::underway const under{
        once, id, request, typeid(response), write};
    from.who.operation_id = id;
    a = co_await serve<Endpoint>(executor, std::move(from), limits);
    if (a.status < 300) {
        auto body = a.body.joined();
        co_await once.keep(id, a.status, std::move(body));
    }
    co_return a;
}

/// Whether a torrent's bytes come in it, which are one long string.
template <class Request> [[nodiscard]] constexpr bool carries_torrents() {
    return requires(Request r) { r.torrent_data; } || requires(Request r) { r.torrents; };
}

template <class Endpoint, class Executor>
[[nodiscard]] route make_route(Executor& executor, json_rules const& json) {
    route r;
    r.promise = &Endpoint::route;
    using request = typename Endpoint::request;
    constexpr bool holds_many = Endpoint::route.max_body > (std::size_t{24} << 20);
    r.limits = {
        .depth = json.depth,
        .elements = holds_many ? json.batch_elements : json.elements,
        .string_bytes = carries_torrents<request>() ? Endpoint::route.max_body : json.string_bytes};
    request::fields.each([&](auto const& f) {
        if (f.rule.in == contract::place::body) r.takes_body = true;
        if (f.rule.in == contract::place::header) r.headers.push_back(f.name());
    });
    if constexpr (std::same_as<typename Endpoint::response, contract::upgrade>) {
        r.is_socket = true;
    } else {
        static_assert(contract::serves<Executor, Endpoint>, "the executor has no deed for this endpoint");
        constexpr auto method = Endpoint::route.method;
        if constexpr (method == contract::verb::post || method == contract::verb::del) {
            r.headers.push_back(idempotency_key);
            r.handle = [&executor, limits = r.limits](call from) {
                return serve_once<Endpoint>(executor, std::move(from), limits);
            };
            return r;
        }
        r.handle = [&executor, limits = r.limits](call from) {
            return serve<Endpoint>(executor, std::move(from), limits);
        };
    }
    return r;
}

template <class Executor>
[[nodiscard]] std::vector<route> make_routes(Executor& executor, json_rules const& json = {}) {
    std::vector<route> all;
    contract::all_endpoints::each(
        [&]<class Endpoint>() { all.push_back(make_route<Endpoint>(executor, json)); });
    return all;
}

} // namespace ccbt::server
