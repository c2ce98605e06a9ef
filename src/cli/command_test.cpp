#include "cli/command.hpp"
#include "cli/completion.hpp"
#include "cli/session.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

namespace ccbt::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

command const& named(std::string_view words) {
    auto const& all = commands();
    return *std::find_if(all.begin(), all.end(), [&](auto const& c) { return c.words == words; });
}
argument const* word(command const& c, std::string_view name) {
    auto const at =
        std::find_if(c.arguments.begin(), c.arguments.end(), [&](auto const& a) { return a.word == name; });
    return at == c.arguments.end() ? nullptr : &*at;
}

TEST(commands, each_endpoint_with_words_is_one_and_no_words_stand_twice) {
    std::set<std::string> seen;
    for (auto const& c : commands()) EXPECT_TRUE(seen.insert(c.words).second) << c.words;
    for (auto const& e : wire::catalogue()) {
        if (e.route.command.empty()) continue;
        EXPECT_TRUE(seen.contains(std::string{e.route.command})) << e.route.name;
        EXPECT_EQ(named(e.route.command).endpoint, &e);
    }
    for (auto const* own :
         {"add", "ls", "show", "rm", "pause", "resume", "peers", "stats", "status", "watch", "daemon start",
          "daemon stop", "daemon status", "daemon restart", "completion"})
        EXPECT_TRUE(seen.contains(own)) << own;
}

TEST(commands, every_one_can_run_and_no_word_stands_twice_in_one) {
    for (auto const& c : commands()) {
        EXPECT_NE(c.run, nullptr) << c.words;
        EXPECT_FALSE(c.summary.empty()) << c.words;
        std::set<std::string> seen;
        for (auto const& g : global_arguments()) seen.insert(g.word);
        for (auto const& a : c.arguments) EXPECT_TRUE(seen.insert(a.word).second) << c.words << ' ' << a.word;
    }
}

TEST(commands, arguments_come_from_the_described_fields) {
    auto const& rm = named("rm");
    ASSERT_NE(word(rm, "info-hash"), nullptr);
    EXPECT_TRUE(word(rm, "info-hash")->positional);
    EXPECT_TRUE(word(rm, "info-hash")->repeats);
    ASSERT_NE(word(rm, "data"), nullptr);
    EXPECT_TRUE(word(rm, "data")->is_flag);
    auto const& add = named("add");
    for (auto const* one : {"source", "output", "paused", "label", "wait", "events"})
        EXPECT_NE(word(add, one), nullptr) << one;
    EXPECT_EQ(word(add, "torrent-data"), nullptr);
    auto const& ls = named("ls");
    EXPECT_EQ(word(ls, "If-None-Match"), nullptr);
    EXPECT_EQ(word(ls, "limit")->value_name, "N");
    EXPECT_EQ(word(ls, "offset")->default_text, "0");
    EXPECT_FALSE(word(named("peers"), "info-hash")->repeats);
}

TEST(commands, a_new_endpoint_needs_no_edit) {
    wire::endpoint_facts toy;
    toy.route.name = "toy.ring";
    toy.route.method = contract::verb::post;
    toy.route.command = "bell ring";
    toy.route.summary = "Ring it";
    wire::field_facts times{.name = "how_often", .kind = wire::field_kind::whole, .default_json = "1"};
    wire::field_facts loud{.name = "loud", .kind = wire::field_kind::flag, .default_json = "true"};
    wire::field_facts tone{
        .name = "tone",
        .kind = wire::field_kind::choice,
        .choices = {"low", "high"},
        .default_json = "\"low\""};
    wire::field_facts more{.name = "more", .kind = wire::field_kind::any, .default_json = "null"};
    toy.request = {times, loud, tone, more};
    auto const made = command_for(toy);
    EXPECT_EQ(made.words, "bell ring");
    EXPECT_TRUE(word(made, "loud")->on_by_default);
    EXPECT_THAT(word(made, "tone")->choices, ElementsAre("low", "high"));
    EXPECT_EQ(word(made, "tone")->default_text, "low");
    given words;
    words.put("how-often", {"3"});
    words.put("loud", {"false"});
    words.put("more", {R"({"a":[1]})"});
    auto const request = request_of(made, words);
    ASSERT_TRUE(request);
    EXPECT_EQ(wire::to_text(wire::value{*request}), R"({"how_often":3,"loud":false,"more":{"a":[1]}})");
    words.put("how-often", {"3x"});
    EXPECT_EQ(request_of(made, words).error(), "--how-often must be a number, is \"3x\"");
}

TEST(completion, has_each_command_and_its_words) {
    for (auto const& script :
         {bash_completion(commands()), zsh_completion(commands()), fish_completion(commands())}) {
        for (auto const& c : commands()) {
            auto const last = c.words.substr(c.words.rfind(' ') + 1);
            EXPECT_THAT(script, HasSubstr(last));
            for (auto const& a : c.arguments) {
                if (!a.positional) {
                    EXPECT_THAT(script, HasSubstr(a.word)) << c.words;
                }
            }
        }
        EXPECT_THAT(script, HasSubstr("api-key"));
    }
}

wire::value::array rows() {
    return *wire::parse(R"([{"info_hash":"0123456789abcdef0123456789abcdef01234567","name":"one"},
                            {"info_hash":"0123ffff89abcdef0123456789abcdef01234567","name":"two"},
                            {"info_hash":"beef456789abcdef0123456789abcdef01234567","name":"two"},
                            {"info_hash":"cafe456789abcdef0123456789abcdef01234567","name":"beef"}])")
                ->get_if<wire::value::array>();
}

TEST(match, a_prefix_or_a_whole_name_that_is_one_torrents_own) {
    EXPECT_EQ(match(rows(), "01234").value(), "0123456789abcdef0123456789abcdef01234567");
    EXPECT_EQ(match(rows(), "CAFE").value(), "cafe456789abcdef0123456789abcdef01234567");
    EXPECT_EQ(match(rows(), "one").value(), "0123456789abcdef0123456789abcdef01234567");
    EXPECT_TRUE(match(rows(), "0123").error().ambiguous);
    EXPECT_TRUE(match(rows(), "two").error().ambiguous);
    EXPECT_TRUE(match(rows(), "beef").error().ambiguous); // one's hash, another's name
    EXPECT_FALSE(match(rows(), "caf").error().ambiguous); // three digits are too few
    EXPECT_FALSE(match(rows(), "on").error().ambiguous);
    EXPECT_THAT(match(rows(), "0123").error().why, HasSubstr("0123ffff89abcdef"));
}

} // namespace
} // namespace ccbt::cli
