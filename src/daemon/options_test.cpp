#include "daemon/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::daemon {
namespace {

using testing::HasSubstr;

expected<options, early_end> parsed(std::vector<char const*> words) {
    words.insert(words.begin(), "ccbtd");
    return parse_options(static_cast<int>(words.size()), words.data());
}

TEST(options, may_all_be_absent) {
    auto const made = parsed({});
    ASSERT_TRUE(made);
    EXPECT_FALSE(made->config);
    EXPECT_FALSE(made->state_dir);
    EXPECT_FALSE(made->demo);
    EXPECT_FALSE(made->version);
    EXPECT_FALSE(made->check_config);
    EXPECT_FALSE(made->recover);
    EXPECT_TRUE(made->set.empty());
}

TEST(options, are_read_in_both_spellings) {
    auto const made = parsed(
        {"--config", "a.toml", "--state-dir=/s", "--demo", "10000", "--check-config", "--version", "--set",
         "limits.global_up_kib=5", "--set=daemon.allowed_hosts=a=b,c"});
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ(made->config, "a.toml");
    EXPECT_EQ(made->state_dir, "/s");
    EXPECT_EQ(made->demo, 10000);
    EXPECT_TRUE(made->version);
    EXPECT_TRUE(made->check_config);
    ASSERT_EQ(made->set.size(), 2U);
    EXPECT_EQ(made->set[0].key, "limits.global_up_kib");
    EXPECT_EQ(made->set[0].text, "5");
    EXPECT_EQ(made->set[1].key, "daemon.allowed_hosts");
    EXPECT_EQ(made->set[1].text, "a=b,c");
}

TEST(options, become_sources_in_which_the_state_dir_flag_comes_last) {
    auto const made = parsed({"--state-dir", "/s", "--set", "daemon.state_dir=/t"});
    ASSERT_TRUE(made);
    auto const from = made->sources();
    ASSERT_EQ(from.flags.size(), 2U);
    EXPECT_EQ(from.flags[1].key, "daemon.state_dir");
    EXPECT_EQ(from.flags[1].text, "/s");
    EXPECT_EQ(from.flags[1].flag, "--state-dir");
    EXPECT_FALSE(from.here.empty());
}

TEST(options, recover_takes_the_state_dir_by_flag_or_configuration) {
    auto const made = parsed({"--recover", "--state-dir", "/s"});
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_TRUE(made->recover);
    EXPECT_EQ(made->state_dir, "/s");
}

TEST(options, an_empty_value_is_a_value) {
    auto const made = parsed({"--set", "disk.allowed_paths="});
    ASSERT_TRUE(made) << made.error().text;
    ASSERT_EQ(made->set.size(), 1U);
    EXPECT_EQ(made->set[0].text, "");
}

TEST(options, that_are_wrong_leave_with_78_and_say_what) {
    for (auto const& [words, said] : std::vector<std::pair<std::vector<char const*>, char const*>>{
             {{"--nonsense"}, "--nonsense"},
             {{"stray"}, "stray"},
             {{"--config"}, "--config"},
             {{"--demo", "many"}, "--demo"},
             {{"--demo", "-1"}, "--demo"},
             {{"--config", "a", "--config", "b"}, "--config"},
             {{"--set", "a.b=1", "c.d=2"}, "c.d=2"},
             {{"--set", "no-equals"}, "--set: must be section.key=value, is no-equals"},
             {{"--set", "=1"}, "--set: must be section.key=value, is =1"}}) {
        auto const made = parsed(words);
        ASSERT_FALSE(made) << said;
        EXPECT_EQ(static_cast<int>(made.error().code), 78);
        EXPECT_THAT(made.error().text, testing::StartsWith("ccbtd: "));
        EXPECT_THAT(made.error().text, HasSubstr(said));
        EXPECT_THAT(made.error().text, testing::EndsWith("ccbtd --help lists the flags.\n"));
    }
}

TEST(options, help_names_each_flag_and_leaves_cleanly) {
    auto const made = parsed({"--help"});
    ASSERT_FALSE(made);
    EXPECT_EQ(static_cast<int>(made.error().code), 0);
    for (auto const* flag :
         {"--config FILE", "--state-dir DIR", "--set SECTION.KEY=VALUE", "--demo N", "--version",
          "--check-config", "--recover", "--help"})
        EXPECT_THAT(made.error().text, HasSubstr(flag));
}

} // namespace
} // namespace ccbt::daemon
