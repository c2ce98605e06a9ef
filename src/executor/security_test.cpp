#include "executor/security.hpp"

#include "engine/fake_engine.hpp"
#include "executor/test_house.hpp"
#include "store/memory_store.hpp"

#include <gmock/gmock.h>

namespace ccbt::executor {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct security : ::testing::Test, test_house<store::memory_store, engine::fake_engine> {
    using reason = std::optional<std::string>;

    security() {
        state.events().listen([this](contract::event_view const& e) {
            told.push_back(
                std::string{contract::name_of(e->type)} + ' ' + e->data.ip.value_or("") + ' ' +
                e->data.action.value_or(""));
        });
        settle_rules();
    }
    void settle_rules() { wait(house.rules.in_force()); }

    auto start_black(std::string ip, reason why = {}) {
        contract::add_to_blacklist::request what{std::move(ip), std::move(why)};
        return start(deeds.handle(std::move(what), who));
    }
    auto black(std::string ip, reason why = {}) { return finish(start_black(std::move(ip), std::move(why))); }
    auto white(std::string ip, reason why = {}) {
        contract::add_to_whitelist::request what{std::move(ip), std::move(why)};
        return wait(deeds.handle(std::move(what), who));
    }
    auto unblack(std::string ip) {
        contract::remove_from_blacklist::request what{std::move(ip)};
        return wait(deeds.handle(std::move(what), who));
    }
    auto unwhite(std::string ip) {
        contract::remove_from_whitelist::request what{std::move(ip)};
        return wait(deeds.handle(std::move(what), who));
    }
    auto blacklist() { return *wait(deeds.handle(contract::get_blacklist::request{}, who)); }
    auto whitelist() { return *wait(deeds.handle(contract::get_whitelist::request{}, who)); }
    [[nodiscard]] bool blocks(std::string_view ip) const {
        return engine.blocked().contains(*ip_address::parse(ip));
    }
    static std::shared_ptr<ip_range_set const> ranges(std::vector<char const*> const& texts) {
        std::vector<ip_range> all;
        for (auto const* text : texts) all.push_back(*ip_range::parse(text));
        return std::make_shared<ip_range_set const>(std::move(all));
    }
    std::vector<std::string> told;
};

TEST_F(security, empty_lists_are_empty) {
    EXPECT_EQ(blacklist().count, 0);
    EXPECT_THAT(blacklist().ips, IsEmpty());
    EXPECT_THAT(whitelist().entries, IsEmpty());
    EXPECT_TRUE(engine.blocked().empty());
}

TEST_F(security, what_is_blacklisted_is_kept_told_and_in_force_at_the_answer) {
    auto const before = unix_now();
    ASSERT_EQ(said(black("10.1.2.3/8", "noise")), "ok");
    EXPECT_TRUE(blocks("10.200.0.1"));
    EXPECT_FALSE(blocks("11.0.0.0"));
    auto const list = blacklist();
    EXPECT_EQ(list.count, 1);
    EXPECT_THAT(list.ips, ElementsAre("10.0.0.0/8"));
    EXPECT_EQ(list.entries[0].ip, "10.0.0.0/8");
    EXPECT_EQ(list.entries[0].reason, "noise");
    EXPECT_GE(list.entries[0].added_at, before);
    EXPECT_LE(list.entries[0].added_at, unix_now());
    auto const kept = store.asked_now().lists;
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(kept[0].list, model::address_list::blacklist);
    EXPECT_EQ(kept[0].entry.reason, "noise");
    EXPECT_THAT(told, ElementsAre("security_blacklist_updated 10.0.0.0/8 added"));
    EXPECT_EQ(whitelist().count, 0);
}

TEST_F(security, one_address_has_many_spellings_and_one_entry) {
    for (auto const* const ip :
         {"10.0.0.0/8", "10.9.9.9/8", "10.0.0.0-10.255.255.255", "::ffff:10.0.0.0/104",
          "::FFFF:10.9.9.9/104"})
        ASSERT_EQ(said(black(ip)), "ok") << ip;
    EXPECT_THAT(blacklist().ips, ElementsAre("10.0.0.0/8"));
    EXPECT_EQ(told.size(), 1U);
    ASSERT_EQ(said(black("2001:DB8:0:0::1")), "ok");
    ASSERT_EQ(said(black("1.2.3.4-1.2.3.9")), "ok");
    EXPECT_THAT(blacklist().ips, ElementsAre("1.2.3.4-1.2.3.9", "10.0.0.0/8", "2001:db8::1"));
    EXPECT_EQ(said(unblack("::ffff:10.0.0.0-10.255.255.255")), "ok");
    EXPECT_EQ(said(unblack("2001:db8::1/128")), "ok");
    EXPECT_THAT(blacklist().ips, ElementsAre("1.2.3.4-1.2.3.9"));
}

TEST_F(security, adding_again_keeps_reason_and_time_until_there_is_a_new_reason) {
    ASSERT_EQ(said(black("10.0.0.1", "first")), "ok");
    auto const added_at = blacklist().entries[0].added_at;
    auto const asked = engine.blocks_asked();
    ASSERT_EQ(said(black("10.0.0.1")), "ok");
    ASSERT_EQ(said(black("10.0.0.1", "")), "ok");
    EXPECT_EQ(blacklist().entries[0].reason, "first");
    EXPECT_EQ(engine.blocks_asked(), asked) << "nothing changed";
    ASSERT_EQ(said(black("10.0.0.1", "second")), "ok");
    EXPECT_EQ(blacklist().entries[0].reason, "second");
    EXPECT_EQ(blacklist().entries[0].added_at, added_at);
    EXPECT_EQ(store.asked_now().lists[0].entry.reason, "second");
    EXPECT_EQ(told.size(), 1U) << "one event, for the one change of who is blocked";
}

TEST_F(security, what_is_taken_off_is_let_in_and_gone_from_the_store) {
    ASSERT_EQ(said(black("10.0.0.1")), "ok");
    ASSERT_EQ(said(black("10.0.0.2")), "ok");
    ASSERT_EQ(said(unblack("10.0.0.1")), "ok");
    EXPECT_FALSE(blocks("10.0.0.1"));
    EXPECT_TRUE(blocks("10.0.0.2"));
    EXPECT_EQ(store.asked_now().lists.size(), 1U);
    EXPECT_EQ(told.back(), "security_blacklist_updated 10.0.0.1 removed");
    auto const again = unblack("10.0.0.1");
    EXPECT_EQ(said(again), "404 SECURITY_ERROR");
    EXPECT_EQ(detail(again, "field"), "ip");
    EXPECT_EQ(said(unwhite("10.0.0.2")), "404 SECURITY_ERROR") << "the other list";
    EXPECT_EQ(said(unblack("10.0.0.0/8")), "404 SECURITY_ERROR") << "only what is listed as such";
    EXPECT_EQ(told.size(), 3U);
}

TEST_F(security, what_is_no_address_is_400_with_the_field_and_changes_nothing) {
    for (auto const* const ip :
         {"", " ", "x", "localhost", "10.0.0", "10.0.0.1 ", " 10.0.0.1", "10.0.0.01", "10.0.0.256",
          "10.0.0.1:80", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.9-10.0.0.1", "10.0.0.1-::1", "[::1]",
          "fe80::1%lo", "::1/129", "10.0.0.0/8,11.0.0.0/8"}) {
        for (auto const& [what, how] :
             {std::pair{"add", said(black(ip))}, std::pair{"allow", said(white(ip))},
              std::pair{"remove", said(unblack(ip))}, std::pair{"disallow", said(unwhite(ip))}})
            EXPECT_EQ(how, "400 SECURITY_ERROR") << what << ' ' << ip;
        EXPECT_EQ(detail(black(ip), "field"), "ip");
    }
    EXPECT_EQ(blacklist().count + whitelist().count, 0);
    EXPECT_TRUE(store.asked_now().lists.empty());
    EXPECT_THAT(told, IsEmpty());
    EXPECT_TRUE(engine.blocked().empty());
}

TEST_F(security, the_whitelist_goes_through_the_blacklist_and_the_filter) {
    house.rules.set_filter(ranges({"20.0.0.0/8", "2001:db8::/32"}), false);
    ASSERT_EQ(said(black("10.0.0.0/8")), "ok");
    ASSERT_EQ(said(white("10.0.0.5", "friend")), "ok");
    ASSERT_EQ(said(white("20.0.0.0/16")), "ok");
    EXPECT_TRUE(blocks("10.0.0.4"));
    EXPECT_FALSE(blocks("10.0.0.5"));
    EXPECT_FALSE(blocks("20.0.77.1"));
    EXPECT_TRUE(blocks("20.1.0.0"));
    EXPECT_TRUE(blocks("2001:db8::1"));
    EXPECT_EQ(whitelist().entries[0].reason, "friend");
    EXPECT_EQ(told.back(), "security_whitelist_updated 20.0.0.0/16 added");
    ASSERT_EQ(said(unwhite("10.0.0.5")), "ok");
    EXPECT_TRUE(blocks("10.0.0.5"));
    EXPECT_EQ(told.back(), "security_whitelist_updated 10.0.0.5 removed");
}

TEST_F(security, a_filter_of_allowed_ranges_blocks_the_rest_of_both_families) {
    house.rules.set_filter(ranges({"20.0.0.0/8"}), true);
    settle_rules();
    EXPECT_FALSE(blocks("20.1.2.3"));
    EXPECT_TRUE(blocks("21.0.0.0"));
    EXPECT_TRUE(blocks("0.0.0.0"));
    EXPECT_TRUE(blocks("::1"));
    ASSERT_EQ(said(black("20.0.0.7")), "ok");
    ASSERT_EQ(said(white("::1")), "ok");
    EXPECT_TRUE(blocks("20.0.0.7"));
    EXPECT_FALSE(blocks("::1"));
    house.rules.set_filter(nullptr, false);
    settle_rules();
    EXPECT_FALSE(blocks("21.0.0.0"));
    EXPECT_TRUE(blocks("20.0.0.7"));
}

TEST_F(security, nobody_is_answered_before_the_store_has_it_and_the_engine_keeps_to_it) {
    store.hold();
    engine.hold_blocks();
    auto const asked = start_black("10.0.0.1");
    EXPECT_FALSE(asked->has_value());
    EXPECT_EQ(blacklist().count, 0) << "what is not kept is not there";
    EXPECT_THAT(told, IsEmpty());
    store.release();
    run_until([&] { return engine.blocks_asked() == 2; });
    settle();
    EXPECT_FALSE(asked->has_value()) << "the engine does not keep to it yet";
    engine.release_blocks();
    EXPECT_EQ(said(finish(asked)), "ok");
}

TEST_F(security, changes_while_the_engine_is_told_are_told_together_and_last) {
    engine.hold_blocks();
    auto const first = start_black("10.0.0.1");
    run_until([&] { return engine.blocks_asked() == 2; });
    auto const second = start_black("10.0.0.2"), third = start_black("10.0.0.3"),
               same = start_black("10.0.0.1");
    run_until([&] { return blacklist().count == 3; });
    EXPECT_EQ(engine.blocks_asked(), 2);
    EXPECT_FALSE(same->has_value()) << "it is listed, and not yet in force";
    engine.release_blocks();
    for (auto const& one : {first, second, third, same}) EXPECT_EQ(said(finish(one)), "ok");
    EXPECT_EQ(engine.blocks_asked(), 3);
    EXPECT_TRUE(blocks("10.0.0.1") && blocks("10.0.0.2") && blocks("10.0.0.3"));
}

TEST_F(security, a_change_that_cannot_be_kept_is_no_change) {
    ASSERT_EQ(said(black("10.0.0.1", "kept")), "ok");
    told.clear();
    for (auto const& [how, expected_answer] :
         {std::pair{store::outcome::full, "507 STATE_STORAGE_FULL"},
          std::pair{store::outcome::io_error, "503 STATE_IO_ERROR"}}) {
        store.fail_next(how);
        EXPECT_EQ(said(black("10.0.0.2")), expected_answer);
        store.fail_next(how);
        EXPECT_EQ(said(unblack("10.0.0.1")), expected_answer);
    }
    EXPECT_THAT(blacklist().ips, ElementsAre("10.0.0.1"));
    EXPECT_FALSE(blocks("10.0.0.2"));
    EXPECT_TRUE(blocks("10.0.0.1"));
    EXPECT_THAT(told, IsEmpty());
}

TEST_F(security, a_full_list_says_so_and_takes_what_it_has) {
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        auto const a = ip_address::v4(0x0a000000 + 2 * i);
        state.restore(model::address_list::blacklist, {{a, a}, {}, 1});
    }
    auto const refused = black("99.0.0.1");
    EXPECT_EQ(said(refused), "400 SECURITY_ERROR");
    EXPECT_EQ(detail(refused, "reason"), "list_full");
    EXPECT_EQ(blacklist().count, 100'000);
    EXPECT_EQ(said(black("10.0.0.0", "again")), "ok");
    EXPECT_EQ(said(white("99.0.0.1")), "ok") << "the other list has room";
    EXPECT_EQ(said(unblack("10.0.0.0")), "ok");
    EXPECT_EQ(said(black("99.0.0.1")), "ok");
}

TEST(address_rules, nothing_is_told_before_the_start_and_everything_with_it) {
    loop on{1};
    model::state state{{}};
    engine::fake_engine engine{{on, {}, {}}};
    address_rules rules{on, state, engine};
    auto const range = *ip_range::parse("10.0.0.1");
    state.restore(model::address_list::blacklist, {range, {}, 1});
    rules.lists_changed();
    on.context().poll();
    EXPECT_EQ(engine.blocks_asked(), 0);
    rules.start();
    while (engine.blocks_asked() == 0) on.context().run_one_for(std::chrono::seconds{5});
    EXPECT_TRUE(engine.blocked().contains(range.first));
}

TEST(address_rules, a_house_that_goes_while_the_engine_is_told_leaves_nothing_behind) {
    loop on{1};
    model::state state{{}};
    engine::fake_engine engine{{on, {}, {}}};
    {
        address_rules rules{on, state, engine};
        rules.start();
        auto wait = [](address_rules& of) -> task<> { co_await of.in_force(); };
        spawn(on, wait(rules));
        on.context().poll();
    }
    on.context().run_for(std::chrono::milliseconds{50});
    EXPECT_LE(engine.blocks_asked(), 1);
}

} // namespace
} // namespace ccbt::executor
