#include "wire/openapi.hpp"

#include "wire/catalogue.hpp"
#include "wire/json.hpp"
#include "wire/typescript.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <set>
#include <sstream>

namespace {

using ccbt::wire::value;
using testing::Contains;
using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::UnorderedElementsAre;

// Where the sources are: the build says so; an executable that was built elsewhere finds them from this file.
std::filesystem::path sources() {
#ifdef CCBT_SOURCE_DIR
    return CCBT_SOURCE_DIR;
#else
    return std::filesystem::path{__FILE__}.parent_path().parent_path().parent_path();
#endif
}

std::string content_of(std::filesystem::path const& path) {
    std::ifstream in{path, std::ios::binary};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

void expect_committed(std::string_view name, std::string const& generated) {
    auto const path = sources() / "docs" / "api" / name;
    if (std::getenv("CCBT_UPDATE") != nullptr) {
        std::filesystem::create_directories(path.parent_path());
        std::ofstream{path, std::ios::binary} << generated;
    }
    auto const committed = content_of(path);
    if (committed == generated) return;
    auto const differ = std::mismatch(committed.begin(), committed.end(), generated.begin(), generated.end());
    auto const line = std::count(committed.begin(), differ.first, '\n') + 1;
    FAIL() << path.filename() << " is not what the contract says, from line " << line
           << ".\nWrite it anew: CCBT_UPDATE=1 build/<preset>/wire_test --gtest_filter='openapi.*'";
}

// "paths", "/api/v1/status", "get": the value there.
value const& within(value const& from, std::initializer_list<std::string_view> keys) {
    static value const none;
    auto const* here = &from;
    for (auto const key : keys) {
        here = here->find(key);
        if (here == nullptr) {
            ADD_FAILURE() << "there is no " << key;
            return none;
        }
    }
    return *here;
}

value const& document() {
    static value const read =
        *ccbt::wire::parse(ccbt::wire::openapi_document(), {.depth = 64, .string_bytes = 1 << 20});
    return read;
}

std::vector<std::string> names_in(value const& list) {
    std::vector<std::string> out;
    for (auto const& item : *list.get_if<value::array>()) out.push_back(*item.get_if<std::string>());
    return out;
}

std::vector<std::string> keys_of(value const& object) {
    std::vector<std::string> out;
    for (auto const& [key, ignored] : *object.get_if<value::object>()) out.push_back(key);
    return out;
}

value const& operation(std::string_view path, std::string_view method) {
    return within(document(), {"paths", path, method});
}

// What "#/components/x/y" refers to.
value const* referred(std::string_view reference) {
    if (!reference.starts_with("#/components/")) return nullptr;
    reference.remove_prefix(13);
    auto const slash = reference.find('/');
    auto const* kind = within(document(), {"components"}).find(reference.substr(0, slash));
    return kind == nullptr ? nullptr : kind->find(reference.substr(slash + 1));
}

std::vector<std::string> codes_of(std::string_view path, std::string_view method, std::string_view status) {
    auto const& response = within(operation(path, method), {"responses", status});
    auto const* held = referred(response.text_or("$ref", ""));
    if (held == nullptr) return {};
    auto const& schema = within(*held, {"content", "application/json", "schema"});
    return names_in(within(schema.list_or_empty("allOf").at(1), {"properties", "code", "enum"}));
}

TEST(openapi, the_committed_document_is_what_the_contract_says) {
    expect_committed("openapi.json", ccbt::wire::openapi_for_reading());
}

TEST(openapi, the_committed_typescript_types_are_what_the_contract_says) {
    expect_committed("ccbt.d.ts", ccbt::wire::typescript_types());
}

TEST(openapi, the_served_and_the_committed_document_are_the_same) {
    auto const committed =
        ccbt::wire::parse(ccbt::wire::openapi_for_reading(), {.depth = 64, .string_bytes = 1 << 20});
    ASSERT_TRUE(committed) << committed.error();
    EXPECT_EQ(*committed, document());
    EXPECT_EQ(ccbt::wire::openapi_document().find('\n'), std::string::npos);
}

TEST(openapi, every_endpoint_is_one_operation_with_its_scope) {
    std::set<std::string> ids;
    std::size_t operations = 0;
    for (auto const& [path, item] : *within(document(), {"paths"}).get_if<value::object>())
        for (auto const& [method, one] : *item.get_if<value::object>()) {
            ++operations;
            EXPECT_TRUE(ids.emplace(one.text_or("operationId", "")).second) << path << ' ' << method;
            EXPECT_NE(one.text_or("x-scope", ""), "") << path << ' ' << method;
            EXPECT_EQ(path.find('*'), std::string::npos) << path;
        }
    EXPECT_EQ(operations, ccbt::wire::catalogue().size());
    EXPECT_TRUE(ids.contains("torrents_add"));
}

TEST(openapi, an_idempotency_key_is_named_where_it_is_taken) {
    std::set<std::string> without;
    auto taking = 0;
    for (auto const& [path, item] : *within(document(), {"paths"}).get_if<value::object>())
        for (auto const& [method, one] : *item.get_if<value::object>()) {
            auto const* parameters = one.find("parameters");
            if (parameters != nullptr &&
                std::ranges::any_of(*parameters->get_if<value::array>(), [](value const& p) {
                    return p.text_or("$ref", "") == "#/components/parameters/IdempotencyKey";
                }))
                ++taking;
            else if (method == "post" || method == "delete")
                without.insert(method + ' ' + path);
        }
    EXPECT_GT(taking, 30);
    EXPECT_THAT(without, UnorderedElementsAre("post /api/v1/keys")) << "its answer is a secret";
}

TEST(openapi, every_reference_leads_somewhere) {
    std::function<void(value const&)> const walk = [&](value const& v) {
        if (auto const* members = v.get_if<value::object>())
            for (auto const& [key, held] : *members) {
                if (auto const* target = held.get_if<std::string>(); key == "$ref" && target != nullptr) {
                    EXPECT_NE(referred(*target), nullptr) << *target;
                }
                walk(held);
            }
        else if (auto const* list = v.get_if<value::array>())
            for (auto const& held : *list) walk(held);
    };
    walk(document());
}

TEST(openapi, an_add_names_its_body_its_errors_its_event_and_its_words) {
    auto const& add = operation("/api/v1/torrents/add", "post");
    EXPECT_EQ(add.text_or("operationId", ""), "torrents_add");
    EXPECT_EQ(add.text_or("x-scope", ""), "add");
    EXPECT_EQ(add.text_or("x-event", ""), "torrent_added");
    EXPECT_EQ(add.text_or("x-cli", ""), "add");
    EXPECT_EQ(within(add, {"requestBody"}).number_or("x-max-bytes", 0), 25165824);
    auto const& schema = within(add, {"requestBody", "content", "application/json", "schema"});
    EXPECT_EQ(schema.text_or("$ref", ""), "#/components/schemas/TorrentsAddRequest");
    EXPECT_THAT(
        codes_of("/api/v1/torrents/add", "post", "403"),
        IsSupersetOf({"ADD_TORRENT_ERROR", "FORBIDDEN_SCOPE", "ORIGIN_NOT_ALLOWED"}));
    EXPECT_THAT(
        codes_of("/api/v1/torrents/add", "post", "400"),
        IsSupersetOf({"ADD_TORRENT_ERROR", "INVALID_JSON", "VALIDATION_ERROR"}));
    EXPECT_THAT(
        codes_of("/api/v1/torrents/add", "post", "408"),
        UnorderedElementsAre("ADD_TORRENT_TIMEOUT", "REQUEST_TIMEOUT"));
    EXPECT_THAT(codes_of("/api/v1/torrents/add", "post", "409"), ElementsAre("TORRENT_EXISTS"));
    EXPECT_THAT(codes_of("/api/v1/torrents/add", "post", "413"), ElementsAre("BODY_TOO_LARGE"));
    EXPECT_THAT(codes_of("/api/v1/torrents/add", "post", "415"), ElementsAre("UNSUPPORTED_MEDIA_TYPE"));
    EXPECT_THAT(codes_of("/api/v1/torrents/add", "post", "507"), ElementsAre("STATE_STORAGE_FULL"));
}

TEST(openapi, what_a_request_may_leave_out_may_be_null_and_has_its_default) {
    auto const& fields = within(document(), {"components", "schemas", "TorrentsAddRequest", "properties"});
    EXPECT_EQ(
        document().find("components")->find("schemas")->find("TorrentsAddRequest")->find("required"),
        nullptr);
    EXPECT_THAT(names_in(within(fields, {"output_dir", "type"})), ElementsAre("string", "null"));
    EXPECT_EQ(within(fields, {"output_dir"}).number_or("maxLength", 0), 4096);
    EXPECT_THAT(names_in(within(fields, {"paused", "type"})), ElementsAre("boolean", "null"));
    EXPECT_EQ(within(fields, {"paused", "default"}), value{false});
    EXPECT_EQ(within(fields, {"labels"}).number_or("maxItems", 0), 64);
    EXPECT_EQ(within(fields, {"labels", "items"}).number_or("maxLength", 0), 255);
    EXPECT_EQ(within(fields, {"torrent_data"}).text_or("contentEncoding", ""), "base64");
}

TEST(openapi, an_answer_says_which_members_are_always_there) {
    auto const& schemas = within(document(), {"components", "schemas"});
    auto const required = names_in(within(schemas, {"TorrentStatus", "required"}));
    EXPECT_THAT(required, IsSupersetOf({"info_hash", "progress", "error"}));
    EXPECT_THAT(
        names_in(within(schemas, {"TorrentStatus", "properties", "error", "type"})),
        ElementsAre("string", "null"));
    EXPECT_EQ(within(schemas, {"TorrentStatus", "properties", "progress"}).number_or("maximum", 0), 1);
    EXPECT_EQ(within(schemas, {"TorrentStatus", "properties", "progress"}).number_or("minimum", -1), 0);
    // With and without `since`, with and without `fields`.
    EXPECT_THAT(names_in(within(schemas, {"TorrentsListResponse", "required"})), ElementsAre("torrents"));
    EXPECT_EQ(within(schemas, {"TorrentsListResponse", "properties", "full"}).text_or("type", ""), "boolean");
    EXPECT_THAT(names_in(within(schemas, {"TorrentStatusPart", "required"})), ElementsAre("info_hash"));
    EXPECT_EQ(within(schemas, {"EventData"}).find("required"), nullptr);
    EXPECT_THAT(keys_of(within(schemas, {"EventData", "properties"})), Contains("done"));
}

TEST(openapi, a_choice_lists_its_names) {
    EXPECT_THAT(
        names_in(within(document(), {"components", "schemas", "TorrentState", "enum"})),
        UnorderedElementsAre(
            "starting", "downloading", "seeding", "paused", "stopped", "error", "checking", "metadata",
            "queued"));
    EXPECT_THAT(
        names_in(within(document(), {"components", "schemas", "EventType", "enum"})),
        IsSupersetOf({"torrent_added", "security_whitelist_updated", "resync"}));
}

TEST(openapi, parameters_say_where_they_stand) {
    auto const find = [](value const& one, std::string_view name) -> value const& {
        static value const none;
        for (auto const& p : one.list_or_empty("parameters"))
            if (p.text_or("name", "") == name) return p;
        ADD_FAILURE() << "no parameter " << name;
        return none;
    };
    auto const& remove = operation("/api/v1/torrents/{info_hash}", "delete");
    EXPECT_EQ(find(remove, "info_hash").text_or("in", ""), "path");
    EXPECT_TRUE(find(remove, "info_hash").flag_or("required", false));
    EXPECT_EQ(find(remove, "delete_files").text_or("in", ""), "query");
    EXPECT_FALSE(find(remove, "delete_files").flag_or("required", false));
    EXPECT_EQ(remove.find("requestBody"), nullptr);
    auto const& list = operation("/api/v1/torrents", "get");
    EXPECT_EQ(find(list, "If-None-Match").text_or("in", ""), "header");
    EXPECT_EQ(within(find(list, "offset"), {"schema"}).number_or("minimum", -1), 0);
}

TEST(openapi, a_tagged_answer_may_be_304_and_carries_its_tag) {
    auto const& one = operation("/api/v1/torrents/{info_hash}", "get");
    EXPECT_THAT(keys_of(within(one, {"responses"})), Contains("304"));
    EXPECT_THAT(
        keys_of(within(one, {"responses", "200", "headers"})), ElementsAre("X-CCBT-Revision", "ETag"));
    EXPECT_THAT(
        keys_of(within(operation("/api/v1/status", "get"), {"responses"})), testing::Not(Contains("304")));
}

TEST(openapi, open_routes_need_no_key_and_others_answer_401) {
    EXPECT_TRUE(operation("/health", "get").list_or_empty("security").empty());
    EXPECT_THAT(keys_of(within(operation("/health", "get"), {"responses"})), testing::Not(Contains("401")));
    EXPECT_THAT(codes_of("/api/v1/status", "get", "401"), ElementsAre("AUTH_REQUIRED"));
    EXPECT_EQ(operation("/api/v1/status", "get").list_or_empty("security").size(), 1U);
}

TEST(openapi, the_websocket_answers_101_and_names_its_messages) {
    auto const& events = operation("/api/v1/events", "get");
    EXPECT_THAT(
        keys_of(within(events, {"responses"})),
        testing::AllOf(Contains("101"), testing::Not(Contains("200"))));
    EXPECT_EQ(
        within(events, {"responses", "101", "x-messages", "client"}).text_or("$ref", ""),
        "#/components/schemas/SocketRequest");
}

TEST(openapi, metrics_are_text) {
    auto const& metrics = operation("/metrics", "get");
    EXPECT_THAT(keys_of(within(metrics, {"responses", "200", "content"})), ElementsAre("text/plain"));
}

TEST(openapi, every_event_is_told_with_an_example) {
    auto const& hooks = within(document(), {"webhooks"});
    EXPECT_THAT(keys_of(hooks), IsSupersetOf({"torrent_added", "shutdown", "torrents_changed", "resync"}));
    for (auto const& [name, hook] : *hooks.get_if<value::object>()) {
        auto const& media = within(hook, {"post", "requestBody", "content", "application/json"});
        EXPECT_EQ(within(media, {"example"}).text_or("type", ""), name);
        EXPECT_NE(within(hook, {"post"}).text_or("summary", ""), name)
            << "tellings of wire/example.cpp lacks it";
    }
}

TEST(openapi, one_schema_serves_every_error) {
    auto const& error = within(document(), {"components", "schemas", "Error"});
    EXPECT_THAT(names_in(within(error, {"required"})), ElementsAre("error", "code", "details"));
    EXPECT_THAT(
        names_in(within(error, {"properties", "code", "enum"})),
        IsSupersetOf({"BAD_REQUEST", "ANNOUNCE_ERROR", "CONFIG_UPDATE_FAILED"}));
}

TEST(openapi, typescript_tells_what_may_be_left_out) {
    auto const types = ccbt::wire::typescript_types();
    EXPECT_THAT(types, testing::HasSubstr("  output_dir?: string | null;\n"));
    EXPECT_THAT(types, testing::HasSubstr("  error: string | null;\n"));
    EXPECT_THAT(types, testing::HasSubstr("  revision?: string;\n"));
    EXPECT_THAT(
        types, testing::HasSubstr("  \"torrents.add\": {\n    method: \"POST\";\n"
                                  "    path: \"/api/v1/torrents/add\";\n    body: TorrentsAddRequest;\n"));
    EXPECT_THAT(types, testing::HasSubstr("  status: TorrentState;\n"));
}

} // namespace
