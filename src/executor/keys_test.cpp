// The deeds of keys over the fakes: what is not kept is neither answered nor in force.
#include "engine/fake_engine.hpp"
#include "executor/test_house.hpp"
#include "store/memory_store.hpp"

#include <gtest/gtest.h>

namespace ccbt::executor {
namespace {

using contract::grant;
using contract::scope;

class keys_of_a_house : public ::testing::Test {
protected:
    testing::test_house<store::memory_store, engine::fake_engine> in;

    auto make(std::string name, scope what = scope::read) {
        contract::create_key::request request{std::move(name), {static_cast<grant>(what)}, std::nullopt};
        return in.wait(in.deeds.handle(std::move(request), in.who));
    }
    auto revoke(std::string name) {
        contract::revoke_key::request request{std::move(name)};
        return in.wait(in.deeds.handle(std::move(request), in.who));
    }
};

TEST_F(keys_of_a_house, are_kept_as_the_hash_of_their_secret) {
    auto const made = make("phone");
    ASSERT_TRUE(made);
    auto const kept = in.store.asked_now().keys;
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(kept[0].id, crypto::sha256(made->secret));
    EXPECT_EQ(kept[0], *in.state.keys().find("phone"));
    EXPECT_NE(make("tablet")->secret, made->secret);
}

TEST_F(keys_of_a_house, that_could_not_be_kept_are_not_in_force) {
    in.store.fail_next(store::outcome::full);
    EXPECT_EQ(testing::said(make("phone")), "507 STATE_STORAGE_FULL");
    EXPECT_EQ(in.state.keys().find("phone"), nullptr);
    ASSERT_TRUE(make("phone"));
    in.store.fail_next(store::outcome::io_error);
    EXPECT_EQ(testing::said(revoke("phone")), "503 STATE_IO_ERROR");
    EXPECT_NE(in.state.keys().find("phone"), nullptr);
}

TEST_F(keys_of_a_house, asked_for_twice_at_once_are_made_once) {
    contract::create_key::request const request{"phone", {static_cast<grant>(scope::read)}, std::nullopt};
    auto const first = in.start(in.deeds.handle(request, in.who));
    auto const second = in.start(in.deeds.handle(request, in.who));
    EXPECT_EQ(testing::said(in.finish(first)), "ok");
    EXPECT_EQ(testing::said(in.finish(second)), "409 KEY_EXISTS");
}

TEST_F(keys_of_a_house, are_a_thousand_at_most) {
    for (int i = 0; i < 1000; ++i)
        in.state.restore(contract::access_key{.name = std::to_string(i), .id = {}});
    auto const refused = make("one-more");
    EXPECT_EQ(testing::said(refused), "400 VALIDATION_ERROR");
    EXPECT_EQ(testing::detail(refused, "reason"), "too_many_keys");
}

TEST_F(keys_of_a_house, have_their_last_use_kept_without_being_brought_back) {
    ASSERT_TRUE(make("phone"));
    ASSERT_TRUE(make("tablet"));
    in.state.keys().used("phone", 1234);
    in.state.keys().used("tablet", 1234);
    ASSERT_TRUE(revoke("tablet"));
    in.deeds.keep_key_uses();
    in.settle();
    auto const kept = in.store.asked_now().keys;
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(kept[0].last_used, 1234);
    auto const before = in.store.counters().changes;
    in.deeds.keep_key_uses();
    in.settle();
    EXPECT_EQ(in.store.counters().changes, before) << "nothing was used since";
}

} // namespace
} // namespace ccbt::executor
