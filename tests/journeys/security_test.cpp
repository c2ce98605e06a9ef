// The lists' journey, written once and made in every world.
#include "journeys/worlds.hpp"

#include <gmock/gmock.h>

namespace ccbt::journeys {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <class World> struct lists_journey : ::testing::Test {
    house in;
    World world{in};

    static std::string next(watching& from) {
        auto const e = from.next(seconds{20});
        if (!e) return "none";
        return std::string{contract::name_of(e->type)} + ' ' + e->data.ip.value_or("") + ' ' +
               e->data.action.value_or("");
    }
};

using worlds = ::testing::Types<in_process, through_client, by_catalogue>;
TYPED_TEST_SUITE(lists_journey, worlds);

TYPED_TEST(lists_journey, addresses_are_listed_kept_told_and_taken_off) {
    using namespace contract;
    auto& my = this->world;
    EXPECT_THAT(my.template call<get_blacklist>({})->ips, IsEmpty());
    auto const events = my.watch();
    EXPECT_TRUE(my.template call<add_to_blacklist>({"10.1.2.3/8", "noise"})->added);
    EXPECT_TRUE(my.template call<add_to_blacklist>({"::ffff:1.2.3.4", std::nullopt})->added);
    EXPECT_TRUE(my.template call<add_to_whitelist>({"10.0.0.5", std::nullopt})->added);
    auto const black = my.template call<get_blacklist>({});
    EXPECT_EQ(black->count, 2);
    EXPECT_THAT(black->ips, ElementsAre("1.2.3.4", "10.0.0.0/8"));
    EXPECT_EQ(black->entries.at(0).reason, std::nullopt);
    EXPECT_EQ(black->entries.at(1).reason, "noise");
    EXPECT_THAT(my.template call<get_whitelist>({})->ips, ElementsAre("10.0.0.5"));
    EXPECT_TRUE(my.template call<remove_from_blacklist>({"10.0.0.0/8"})->removed);
    EXPECT_TRUE(my.template call<remove_from_whitelist>({"10.0.0.5"})->removed);
    EXPECT_EQ(my.template call<remove_from_blacklist>({"10.0.0.0/8"}).said(), "404 SECURITY_ERROR");
    auto const malformed = my.template call<add_to_whitelist>({"10.0.0.256", std::nullopt});
    EXPECT_EQ(malformed.said(), "400 SECURITY_ERROR");
    EXPECT_EQ(malformed.detail("field"), "ip");
    EXPECT_EQ(my.template call<remove_from_whitelist>({"nobody"}).said(), "400 SECURITY_ERROR");
    EXPECT_THAT(my.template call<get_blacklist>({})->ips, ElementsAre("1.2.3.4"));
    for (auto const* const told :
         {"security_blacklist_updated 10.0.0.0/8 added", "security_blacklist_updated 1.2.3.4 added",
          "security_whitelist_updated 10.0.0.5 added", "security_blacklist_updated 10.0.0.0/8 removed",
          "security_whitelist_updated 10.0.0.5 removed"})
        EXPECT_EQ(this->next(*events), told);
}

} // namespace
} // namespace ccbt::journeys
