#include "executor/ip_filter.hpp"

#include "engine/fake_engine.hpp"
#include "executor/test_house.hpp"
#include "filter/last_good.hpp"
#include "store/memory_store.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace ccbt::executor {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct ip_filter : ::testing::Test, test_house<store::memory_store, engine::fake_engine> {
    contract::ip_filter_settings& how = settings.security.ip_filter;
    std::string const file = (folder / "list").string();

    ip_filter() {
        settings.daemon.state_dir = folder.path();
        how.enable_ip_filter = true;
        how.filter_files = {file};
        how.filter_cache_dir = (folder / "cache").string();
        write_file(file, "10.0.0.0/8\nnonsense\n2001:db8::/32\n10.1.0.0/16\n");
    }
    auto load() { return wait(deeds.handle(contract::load_ip_filter::request{}, who)); }
    auto start_load() { return start(deeds.handle(contract::load_ip_filter::request{}, who)); }
    auto stats() { return *wait(deeds.handle(contract::get_ip_filter_stats::request{}, who)); }
    void begin() {
        bool ready = false;
        deeds.begin_filter([&] { ready = true; });
        run_until([&] { return ready; });
        settle();
    }
    std::vector<std::string> blocked() {
        std::vector<std::string> out;
        for (auto const& range : engine.blocked().ranges()) out.push_back(range.text());
        return out;
    }
};

TEST_F(ip_filter, a_load_is_in_force_in_the_engine_when_it_is_answered) {
    auto const got = load();
    ASSERT_EQ(said(got), "ok");
    EXPECT_TRUE(got->loaded);
    EXPECT_EQ(got->rules, 3);
    EXPECT_EQ(got->error_count, 1);
    ASSERT_EQ(got->errors.size(), 1U);
    EXPECT_EQ(got->errors[0].file, file);
    EXPECT_EQ(got->errors[0].line, 2);
    EXPECT_THAT(blocked(), ElementsAre("10.0.0.0/8", "2001:db8::/32"));
    EXPECT_THAT(events, ElementsAre("security_ip_filter_loaded "));
}

TEST_F(ip_filter, stats_are_what_is_in_force_and_what_the_engine_counted) {
    EXPECT_FALSE(stats().stats.last_update) << "nothing was loaded yet";
    ASSERT_EQ(said(load()), "ok");
    model::session_seen counted;
    counted.blocked_connections = 7;
    counted.allowed_connections = 9;
    engine.tell(counted);
    settle();
    auto const s = stats();
    EXPECT_TRUE(s.enabled);
    EXPECT_EQ(s.total_rules, 3);
    EXPECT_EQ(s.blocked_count, 7);
    EXPECT_EQ(s.allowed_count, 9);
    EXPECT_EQ(s.stats.total_rules, 3);
    EXPECT_EQ(s.stats.ipv4_ranges, 1);
    EXPECT_EQ(s.stats.ipv6_ranges, 1);
    EXPECT_EQ(s.stats.matches, 7);
    EXPECT_EQ(s.stats.blocks, 7);
    EXPECT_EQ(s.stats.allows, 9);
    EXPECT_NEAR(s.stats.last_update.value_or(0), unix_now(), 20);
    how.filter_mode = contract::filter_policy::allow;
    ASSERT_EQ(said(load()), "ok");
    EXPECT_EQ(stats().stats.matches, 9);
    how.enable_ip_filter = false;
    auto const off = stats();
    EXPECT_FALSE(off.enabled);
    EXPECT_EQ(off.blocked_count + off.allowed_count + off.total_rules + off.stats.matches, 0);
    EXPECT_FALSE(off.stats.last_update);
}

TEST_F(ip_filter, in_mode_allow_all_that_is_not_listed_is_blocked) {
    how.filter_mode = contract::filter_policy::allow;
    write_file(file, "10.0.0.0-255.255.255.255\n::/0\n");
    ASSERT_EQ(said(load()), "ok");
    EXPECT_THAT(blocked(), ElementsAre("0.0.0.0-9.255.255.255"));
    EXPECT_EQ(stats().stats.ipv4_ranges, 1);
}

TEST_F(ip_filter, what_fails_leaves_the_filter_in_force_and_raises_no_event) {
    ASSERT_EQ(said(load()), "ok");
    events.clear();
    write_file(file, "nonsense\n");
    auto const unusable = load();
    EXPECT_EQ(said(unusable), "422 SECURITY_ERROR");
    EXPECT_EQ(detail(unusable, "file"), file);
    fs::remove(file);
    auto const missing = load();
    EXPECT_EQ(said(missing), "404 SECURITY_ERROR");
    EXPECT_EQ(detail(missing, "file"), file);
    EXPECT_THAT(blocked(), ElementsAre("10.0.0.0/8", "2001:db8::/32"));
    EXPECT_EQ(stats().total_rules, 3);
    EXPECT_THAT(events, IsEmpty());
}

TEST_F(ip_filter, off_a_load_reads_nothing_and_a_reload_takes_the_filter_away) {
    ASSERT_EQ(said(load()), "ok");
    how.enable_ip_filter = false;
    auto const got = load();
    ASSERT_EQ(said(got), "ok");
    EXPECT_TRUE(got->loaded);
    EXPECT_EQ(got->rules, 0);
    EXPECT_FALSE(blocked().empty()) << "who changes the settings asks for that";
    deeds.reload_filter();
    run_until([&] { return engine.blocked().empty(); });
    how.enable_ip_filter = true;
    deeds.reload_filter();
    run_until([&] { return !engine.blocked().empty(); });
}

TEST_F(ip_filter, who_asks_while_one_is_under_way_gets_the_next_together) {
    auto const first = start_load();
    settle();
    auto const second = start_load(), third = start_load();
    EXPECT_EQ(finish(first)->rules, 3);
    EXPECT_EQ(finish(second)->rules, 3);
    EXPECT_EQ(finish(third)->rules, 3);
    EXPECT_LE(events.size(), 2U);
}

TEST_F(ip_filter, a_start_is_ready_when_the_filter_is_set) {
    begin();
    run_until([&] { return !engine.blocked().empty(); });
    EXPECT_TRUE(fs::exists(folder / "ip_filter.last"));
}

// What was kept is made another, to be told from the file: so a start shows which of the two it took.
struct a_second_start : ip_filter {
    a_second_start() {
        run_until([this] { return !filter::sources_of(settings, unix_now()).empty(); });
        EXPECT_EQ(said(load()), "ok");
        filter::progress told;
        auto kept = filter::still_good(settings, told, unix_now());
        EXPECT_TRUE(kept) << "a load keeps what it was made from";
        if (!kept) return;
        kept->ranges = std::make_shared<ip_range_set const>(std::vector{*ip_range::parse("1.2.3.4")});
        EXPECT_TRUE(filter::keep_last_good(settings, *kept));
    }
};

TEST_F(a_second_start, reads_no_text_while_its_files_are_the_same) {
    begin();
    run_until([this] { return blocked() == std::vector<std::string>{"1.2.3.4"}; });
    EXPECT_EQ(stats().total_rules, 3);
    ASSERT_EQ(said(load()), "ok");
    EXPECT_THAT(blocked(), ElementsAre("10.0.0.0/8", "2001:db8::/32")) << "who asks for a load gets one";
}

TEST_F(a_second_start, reads_what_changed_since) {
    write_file(file, "9.0.0.0/8\n");
    begin();
    run_until([this] { return blocked() == std::vector<std::string>{"9.0.0.0/8"}; });
    EXPECT_EQ(stats().total_rules, 1);
}

TEST_F(ip_filter, a_start_without_its_files_takes_the_last_good_filter_with_its_mode) {
    how.filter_mode = contract::filter_policy::allow;
    ASSERT_EQ(said(load()), "ok");
    auto const before = blocked();
    test_house<store::memory_store, engine::fake_engine> next;
    next.settings = settings;
    next.settings.security.ip_filter.filter_mode = contract::filter_policy::block;
    fs::remove(file);
    bool ready = false;
    next.deeds.begin_filter([&] { ready = true; });
    next.run_until([&] { return ready && !next.engine.blocked().empty(); });
    EXPECT_EQ(next.engine.blocked(), engine.blocked());
    next.run_until([&] { return next.state.filter().enabled; });
    EXPECT_EQ(next.state.filter().rules, 3);
}

TEST_F(ip_filter, without_an_earlier_one_mode_block_starts_open_and_mode_allow_shut) {
    fs::remove(file);
    begin();
    EXPECT_THAT(blocked(), IsEmpty());
    EXPECT_EQ(stats().total_rules, 0);
    how.filter_mode = contract::filter_policy::allow;
    EXPECT_EQ(said(load()), "404 SECURITY_ERROR");
    EXPECT_THAT(blocked(), ElementsAre("0.0.0.0/0", "::/0"));
    EXPECT_FALSE(stats().stats.last_update);
}

TEST_F(ip_filter, after_a_stop_nothing_is_loaded) {
    deeds.stop_filter();
    EXPECT_EQ(said(load()), "503 SHUTTING_DOWN");
    deeds.reload_filter();
    settle();
    EXPECT_THAT(blocked(), IsEmpty());
}

TEST_F(ip_filter, a_stop_cuts_a_load_short_and_says_why) {
    std::string many;
    for (unsigned i = 0; i < 1'200'000; ++i)
        many += fmt::format("{}.{}.{}.1\n", i >> 16, i >> 8 & 255, i & 255);
    write_file(file, many);
    auto const asked = start_load();
    settle();
    deeds.stop_filter();
    EXPECT_EQ(said(finish(asked)), "503 SHUTTING_DOWN");
    EXPECT_THAT(blocked(), IsEmpty());
}

} // namespace
} // namespace ccbt::executor
