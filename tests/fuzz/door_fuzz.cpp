// server/door and server/router: the target of a request and the headers that decide who may come in. Lines: method,
// target, Host, Origin, X-Forwarded-For, Accept-Encoding, a name of the configuration.
#include "base/text.hpp"
#include "contract/table.hpp"
#include "fuzz.hpp"
#include "server/door.hpp"
#include "server/router.hpp"

namespace ccbt::fuzz {

namespace {

server::router make_table() {
    std::vector<server::route> all;
    contract::all_endpoints::each([&]<class Endpoint>() { all.push_back({.promise = &Endpoint::route}); });
    return server::router{std::move(all)};
}

} // namespace

void look_at(std::string_view bytes) {
    static auto const table = make_table();
    static server::door_rules const rules{{"127.0.0.1:64124", "localhost:64124", "[::1]:64124"}, "64124"};
    auto const method = take_until(bytes, '\n'), target = take_until(bytes, '\n'),
               host = take_until(bytes, '\n');
    auto const origin = take_until(bytes, '\n'), forwarded = take_until(bytes, '\n'),
               codings = take_until(bytes, '\n');

    if (auto const asked = server::read_target(target, host)) {
        require(asked->path.starts_with('/'), "a target has a path", target);
        require(asked->path.find('?') == asked->path.npos, "a path ends before its query", target);
        for (auto const* local : {"127.0.0.1", "2001:db8::1", ""}) {
            if (server::check_host(rules, asked->host, local)) continue;
            auto const name = text::lower(asked->host);
            require(
                name.starts_with("127.0.0.1") || name.starts_with("localhost") || name.starts_with("[::1]") ||
                    name == "[2001:db8::1]:64124",
                "a host is one of ours", asked->host);
            require(
                name.find_first_of("@/\\ ,\t\r") == name.npos || *local == '\0', "a host is nothing but one",
                asked->host);
        }
        if (!origin.empty() && !server::check_origin(origin, asked->host))
            require(text::lower(origin).ends_with(text::lower(asked->host)), "an origin is our own", origin);
        auto const found = table.find(method, asked->path);
        require(found.to == nullptr || found.path_known, "a route has a path", target);
        require(found.path_known || found.allow.empty(), "methods are told of paths that there are", target);
        for (auto const& [name, value] : found.path)
            require(!value.empty() && !name.starts_with('{'), "what stands in a path is something", target);
        if (auto const query = server::read_query(asked->query))
            require(query->size() <= asked->query.size(), "a query has no more pairs than signs", target);
    }
    auto const client = server::forwarded_for(forwarded, {"10.0.0.1"});
    require(client != "10.0.0.1", "a trusted proxy is nobody's client", forwarded);
    require(client == server::plain_address(client), "an address is plain", forwarded);
    (void)server::takes_gzip(codings);
    for (auto const& one : server::allowed_as(bytes, "64124"))
        require(one == text::lower(one) && !one.empty(), "names are compared in lower case", bytes);
}

} // namespace ccbt::fuzz
