#include "client/client.hpp"

#include "base/text.hpp"
#include "client/connection.hpp"
#include "client/signing.hpp"

#include <algorithm>
#include <optional>

namespace ccbt::client {

namespace sending {

std::string text_of(wire::value const& v) {
    if (auto const* s = v.get_if<std::string>()) return *s;
    if (auto const* list = v.get_if<wire::value::array>()) {
        std::string out;
        for (auto const& item : *list) {
            if (!out.empty()) out += ',';
            out += text_of(item);
        }
        return out;
    }
    return v.is_null() ? std::string{} : wire::to_text(v);
}

} // namespace sending

namespace {

std::string const* find(
    std::vector<std::pair<std::string, std::string>> const& among, std::string_view name) {
    for (auto const& [key, held] : among)
        if (key == name) return &held;
    return nullptr;
}

// "{name}" is one segment, a last "{name*}" the rest of the path; both are encoded whole.
result<std::string> path_of(contract::promise const& route, outgoing const& request) {
    std::string out{route.at_root ? std::string_view{} : contract::base_path};
    auto rest = route.path;
    while (!rest.empty()) {
        auto const open = rest.find('{');
        out += rest.substr(0, open);
        if (open == std::string_view::npos) break;
        auto const close = rest.find('}', open);
        auto name = rest.substr(open + 1, close - open - 1);
        if (name.ends_with('*')) name.remove_suffix(1);
        auto const* held = find(request.path, name);
        if (held == nullptr || held->empty())
            return fails(
                error_kind::unsupported, std::string{name} + " is needed to call " + std::string{route.name});
        out += text::percent_encode(*held);
        rest.remove_prefix(close + 1);
    }
    char before = '?';
    for (auto const& [name, held] : request.query) {
        out += before + text::percent_encode(name) + '=' + text::percent_encode(held);
        before = '&';
    }
    return out;
}

bool is_header_value(std::string_view held) {
    return std::none_of(held.begin(), held.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

outgoing take_apart(wire::endpoint_facts const& endpoint, wire::value::object const& request) {
    outgoing made;
    wire::value::object body;
    for (auto const& [name, held] : request) {
        auto const at =
            std::find_if(endpoint.request.begin(), endpoint.request.end(), [&](auto const& field) {
                return field.name == name;
            });
        auto const in = at == endpoint.request.end() ? contract::place::body : at->rule.in;
        if (in == contract::place::body)
            body.emplace_back(name, held);
        else
            (in == contract::place::path    ? made.path
             : in == contract::place::query ? made.query
                                            : made.headers)
                .emplace_back(name, sending::text_of(held));
    }
    if (!body.empty()) made.body = wire::to_text(wire::value{std::move(body)});
    return made;
}

} // namespace

struct client::state {
    options how;
    std::optional<connection> line{};
    std::optional<client_error> unusable{}; // the URL is none
    std::string revision{};
};

client::client(options how) : state_{std::make_unique<state>(state{.how = std::move(how)})} {
    if (auto where = address_of(state_->how))
        state_->line.emplace(std::move(*where), state_->how.connect_timeout);
    else
        state_->unusable = where.error();
}
client::~client() = default;
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;

std::string const& client::last_revision() const { return state_->revision; }
options const& client::how() const { return state_->how; }
void client::repeat_safely(std::string idempotency_key) {
    state_->how.idempotency_key = std::move(idempotency_key);
}

result<answer> client::exchange(contract::promise const& route, outgoing request) {
    auto& s = *state_;
    if (s.unusable) return unexpected<client_error>{*s.unusable};
    auto target = path_of(route, request);
    if (!target) return unexpected<client_error>{target.error()};
    http_request asked{
        .method = std::string{contract::name_of(route.method)},
        .target = s.line->where().prefix + *target,
        .headers = std::move(request.headers),
        .body = std::move(request.body)};
    auto proven = proof_of(s.how, [&](std::string_view timestamp) {
        return contract::signed_text(asked.method, asked.target, timestamp, crypto::sha256(asked.body));
    });
    if (!proven) return unexpected<client_error>{std::move(proven.error())};
    asked.headers.insert(asked.headers.end(), proven->begin(), proven->end());
    asked.headers.emplace_back("User-Agent", "libccbt/" CCBT_VERSION);
    if (!asked.body.empty()) asked.headers.emplace_back("Content-Type", "application/json");
    bool const changes = route.method == contract::verb::post || route.method == contract::verb::del;
    if (changes && !s.how.idempotency_key.empty())
        asked.headers.emplace_back("Idempotency-Key", std::exchange(s.how.idempotency_key, {}));
    for (auto const& [name, held] : asked.headers)
        if (!is_header_value(held))
            return fails(error_kind::unsupported, "the value of " + name + " holds a line break");
    auto got = s.line->exchange(asked, s.how.timeout);
    if (!got) return unexpected<client_error>{std::move(got.error())};
    if (auto const revision = got->header("X-CCBT-Revision"); !revision.empty()) s.revision = revision;
    if (got->status >= 400) return unexpected<client_error>{error_of(got->status, got->body)};
    bool const may_be_unchanged = find(asked.headers, "If-None-Match") != nullptr;
    if ((got->status < 200 || got->status >= 300) && !(got->status == 304 && may_be_unchanged))
        return fails(error_kind::broken, "HTTP status " + std::to_string(got->status) + " was not expected");
    return answer{
        .status = got->status,
        .etag = std::string{got->header("ETag")},
        .content_type = std::string{got->header("Content-Type")},
        .text = std::move(got->body)};
}

result<answer> client::call(wire::endpoint_facts const& endpoint, wire::value::object const& request) {
    return exchange(endpoint.route, take_apart(endpoint, request));
}

} // namespace ccbt::client
