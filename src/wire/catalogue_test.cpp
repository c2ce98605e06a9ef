#include "wire/catalogue.hpp"

#include <algorithm>
#include <functional>
#include <gmock/gmock.h>
#include <regex>
#include <set>

namespace {

using ccbt::contract::place;
using ccbt::wire::catalogue;
using ccbt::wire::field_facts;
using ccbt::wire::field_kind;

void each_field(
    std::vector<field_facts> const& fields, std::function<void(field_facts const&)> const& visit) {
    for (auto const& f : fields) {
        visit(f);
        each_field(f.members, visit);
    }
}

// Every field of every endpoint, of the settings and of the events, with where it stands.
void each_field(std::function<void(field_facts const&, std::string const&)> const& visit) {
    auto const all = [&](std::vector<field_facts> const& fields, std::string const& where) {
        each_field(fields, [&](field_facts const& f) { visit(f, where + ": " + std::string{f.name}); });
    };
    for (auto const& e : catalogue()) {
        all(e.request, std::string{e.route.name} + " request");
        all(e.response, std::string{e.route.name} + " response");
    }
    all(ccbt::wire::settings_facts(), "settings");
    all(ccbt::wire::event_facts(), "event");
}

std::set<std::string> names_in_braces(std::string_view path) {
    std::set<std::string> out;
    std::string const text{path};
    std::regex const brace{R"(\{([^}]*)\})"};
    for (std::sregex_iterator at{text.begin(), text.end(), brace}, end; at != end; ++at) {
        auto name = (*at)[1].str();
        if (name.ends_with('*')) name.pop_back();
        out.insert(name);
    }
    return out;
}

TEST(catalogue, has_every_endpoint_once_by_name_and_by_method_and_path) {
    std::set<std::string_view> names;
    std::set<std::pair<int, std::string>> routes;
    for (auto const& e : catalogue()) {
        EXPECT_TRUE(names.insert(e.route.name).second) << e.route.name;
        auto shape = std::regex_replace(std::string{e.route.path}, std::regex{R"(\{[^}]*\})"}, "{}");
        if (e.route.at_root) shape.insert(0, "root");
        EXPECT_TRUE(routes.insert({static_cast<int>(e.route.method), shape}).second) << e.route.name;
    }
    EXPECT_TRUE(names.contains("torrents.add"));
    EXPECT_TRUE(names.contains("session.status"));
}

TEST(catalogue, every_endpoint_has_an_area_a_scope_a_path_and_a_summary) {
    for (auto const& e : catalogue()) {
        EXPECT_TRUE(std::regex_match(std::string{e.route.name}, std::regex{R"([a-z]+(\.[a-z0-9_]+)+)"}))
            << e.route.name;
        EXPECT_FALSE(ccbt::contract::name_of(e.route.needs).empty()) << e.route.name;
        EXPECT_TRUE(e.route.path.starts_with('/')) << e.route.name;
        EXPECT_GE(e.route.summary.size(), 10U) << e.route.name;
        EXPECT_EQ(e.route.summary.find('\n'), std::string_view::npos) << e.route.name;
        EXPECT_NE(e.route.summary.back(), '.') << e.route.name;
    }
}

TEST(catalogue, no_two_endpoints_have_the_same_words_on_the_command_line) {
    std::set<std::string_view> words;
    for (auto const& e : catalogue())
        if (!e.route.command.empty()) {
            EXPECT_TRUE(words.insert(e.route.command).second) << e.route.command;
        }
}

TEST(catalogue, an_event_that_a_route_names_is_one_that_there_is) {
    auto const& type = ccbt::wire::event_facts().front();
    ASSERT_EQ(type.name, "type");
    for (auto const& e : catalogue())
        if (!e.route.event.empty()) {
            EXPECT_THAT(type.choices, testing::Contains(e.route.event)) << e.route.name;
        }
}

TEST(catalogue, every_field_says_what_it_is) {
    each_field([](field_facts const& f, std::string const& where) {
        EXPECT_GE(f.doc.size(), 3U) << where;
        EXPECT_NE(f.doc.back(), '.') << where;
        EXPECT_EQ(f.doc.find('\n'), std::string_view::npos) << where;
    });
}

TEST(catalogue, fields_are_named_in_snake_case_but_headers) {
    each_field([](field_facts const& f, std::string const& where) {
        std::regex const snake{"[a-z][a-z0-9]*(_[a-z0-9]+)*"};
        std::regex const header{"[A-Z][A-Za-z0-9]*(-[A-Z][A-Za-z0-9]*)*"};
        EXPECT_TRUE(std::regex_match(std::string{f.name}, f.rule.in == place::header ? header : snake))
            << where;
        EXPECT_TRUE(std::regex_match(std::string{f.member}, snake)) << where;
    });
}

TEST(catalogue, no_struct_has_two_fields_of_one_name) {
    std::function<void(std::vector<field_facts> const&)> const check = [&](auto const& fields) {
        std::set<std::string_view> names;
        for (auto const& f : fields) {
            EXPECT_TRUE(names.insert(f.name).second) << f.name;
            check(f.members);
        }
    };
    for (auto const& e : catalogue()) {
        check(e.request);
        check(e.response);
    }
    check(ccbt::wire::settings_facts());
    check(ccbt::wire::event_facts());
}

TEST(catalogue, every_name_in_a_path_is_a_field_and_every_path_field_is_in_the_path) {
    for (auto const& e : catalogue()) {
        std::set<std::string> fields;
        for (auto const& f : e.request)
            if (f.rule.in == place::path) {
                fields.emplace(f.name);
                EXPECT_TRUE(f.rule.required) << e.route.name << ' ' << f.name;
            }
        EXPECT_EQ(fields, names_in_braces(e.route.path)) << e.route.name;
        auto const rest = e.route.path.find("*}");
        EXPECT_TRUE(rest == std::string_view::npos || rest + 2 == e.route.path.size()) << e.route.name;
    }
}

TEST(catalogue, a_get_asks_nothing_in_a_body) {
    for (auto const& e : catalogue()) {
        if (e.route.method != ccbt::contract::verb::get) continue;
        for (auto const& f : e.request) EXPECT_NE(f.rule.in, place::body) << e.route.name << ' ' << f.name;
    }
}

TEST(catalogue, a_default_keeps_the_rules_of_its_own_field) {
    each_field([](field_facts const& f, std::string const& where) {
        auto const read = ccbt::wire::parse(f.default_json.empty() ? "null" : f.default_json);
        ASSERT_TRUE(read) << where;
        EXPECT_LE(f.rule.min, f.rule.max) << where;
        if (f.rule.required || read->is_null()) return;
        auto const* whole = read->get_if<std::int64_t>();
        auto const* fraction = read->get_if<double>();
        if (whole != nullptr || fraction != nullptr) {
            auto const d = whole != nullptr ? static_cast<double>(*whole) : *fraction;
            EXPECT_GE(d, f.rule.min) << where;
            EXPECT_LE(d, f.rule.max) << where;
        }
        auto const* s = read->get_if<std::string>();
        if (s == nullptr) return;
        EXPECT_LE(s->size(), f.rule.max_length) << where;
        if (f.kind != field_kind::choice) return;
        EXPECT_THAT(f.choices, testing::Contains(*s)) << where;
    });
}

TEST(catalogue, tells_an_add_as_it_is) {
    auto const* add = ccbt::wire::find_endpoint("torrents.add");
    ASSERT_NE(add, nullptr);
    EXPECT_EQ(add->request_type, "TorrentsAddRequest");
    EXPECT_EQ(add->response_type, "TorrentsAddResponse");
    auto const& source = add->request.front();
    EXPECT_EQ(source.name, "path_or_magnet");
    EXPECT_EQ(source.word(), "source");
    EXPECT_EQ(source.kind, field_kind::text);
    EXPECT_TRUE(source.rule.positional);
    EXPECT_FALSE(source.nullable);
    EXPECT_EQ(source.default_json, "\"\"");
    auto const labels = std::find_if(
        add->request.begin(), add->request.end(), [](auto const& f) { return f.name == "labels"; });
    ASSERT_NE(labels, add->request.end());
    EXPECT_EQ(labels->kind, field_kind::list);
    EXPECT_EQ(labels->item_kind, field_kind::text);
}

TEST(catalogue, looks_through_what_answers_are_wrapped_in) {
    auto const* list = ccbt::wire::find_endpoint("torrents.list");
    ASSERT_NE(list, nullptr);
    EXPECT_TRUE(list->is_tagged);
    EXPECT_TRUE(list->omits_absent);
    EXPECT_EQ(list->response_type, "TorrentsListResponse");
    auto const& rows = list->response.front();
    EXPECT_EQ(rows.item_kind, field_kind::object);
    EXPECT_EQ(rows.type, "TorrentStatus");
    EXPECT_FALSE(rows.omits_absent);
    EXPECT_EQ(rows.members.front().name, "info_hash");
    auto const* one = ccbt::wire::find_endpoint("torrents.get");
    ASSERT_NE(one, nullptr);
    EXPECT_EQ(one->response_type, "TorrentStatus");
    EXPECT_TRUE(ccbt::wire::find_endpoint("events.watch")->is_socket);
    EXPECT_TRUE(ccbt::wire::find_endpoint("session.metrics")->is_document);
    EXPECT_EQ(ccbt::wire::find_endpoint("torrents.sing"), nullptr);
}

TEST(catalogue, a_word_for_the_command_line_is_the_name_with_dashes) {
    field_facts f;
    f.name = "delete_all_files";
    EXPECT_EQ(f.word(), "delete-all-files");
    f.rule.word = "data";
    EXPECT_EQ(f.word(), "data");
}

} // namespace
