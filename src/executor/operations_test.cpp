#include "executor/operations.hpp"

#include "engine/fake_engine.hpp"
#include "executor/test_house.hpp"
#include "store/memory_store.hpp"

#include <gmock/gmock.h>

namespace ccbt::executor {
namespace {

using namespace testing;
using ::testing::Eq;

struct operations : ::testing::Test, test_house<store::memory_store, engine::fake_engine> {
    /// As the door does it, but for the writing.
    std::unique_ptr<ccbt::executor::operations::underway> begin(std::type_info const& response) {
        who.operation_id = "an id";
        return std::make_unique<ccbt::executor::operations::underway>(
            house.once, who.operation_id, std::string(64, 'd'), response,
            [](void const*) { return std::string{"foreseen"}; });
    }
    std::string kept() {
        auto const was = wait(house.once.answered("an id"));
        return was ? was->request.substr(0, 1) + ' ' + std::to_string(was->status) + ' ' + was->body : "";
    }
};

TEST_F(operations, what_is_foreseen_is_kept_in_the_commit_of_the_effect) {
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    auto const under = begin(typeid(contract::done));
    auto const changes = store.counters().changes;
    ASSERT_EQ(said(pause(hash_v1)), "ok");
    EXPECT_EQ(store.counters().changes, changes + 1) << "one commit";
    EXPECT_EQ(kept(), "d 200 foreseen");
    wait(house.once.keep("an id", 200, "foreseen"));
    EXPECT_EQ(store.counters().changes, changes + 1) << "it is kept already";
    wait(house.once.keep("an id", 200, "another"));
    EXPECT_EQ(kept(), "d 200 another");
}

TEST_F(operations, a_commit_that_fails_keeps_no_answer) {
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    auto const under = begin(typeid(contract::done));
    store.fail_next(store::outcome::full);
    ASSERT_EQ(said(pause(hash_v1)), "507 STATE_STORAGE_FULL");
    EXPECT_EQ(kept(), "");
}

TEST_F(operations, a_deed_under_no_operation_or_of_another_answer_keeps_none) {
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    who.operation_id = "an id";
    ASSERT_EQ(said(pause(hash_v1)), "ok");
    EXPECT_EQ(kept(), "");
    auto const under = begin(typeid(contract::get_status::response));
    ASSERT_EQ(said(resume(hash_v1)), "ok");
    EXPECT_EQ(kept(), "");
}

TEST_F(operations, a_caller_has_keys_of_its_own) {
    auto const mine = house.once.id_of("phone", "0123456789abcdef");
    EXPECT_EQ(mine.size(), 64U);
    EXPECT_EQ(house.once.id_of("phone", "0123456789abcdef"), mine);
    EXPECT_NE(house.once.id_of("tv", "0123456789abcdef"), mine);
    EXPECT_NE(wait(house.once.digest_of("a", "b")), wait(house.once.digest_of("ab", "")));
    std::string const large(1 << 20, 'x');
    EXPECT_EQ(wait(house.once.digest_of("a", large)).size(), 64U);
}

TEST_F(operations, one_that_the_store_alone_knows_refuses_itself_and_not_its_batch) {
    auto known = model::torrent_asked{};
    known.id = contract::make_torrent_id();
    known.hashes.v1 = hash(hash_v1);
    store::commit behind;
    behind.changes.emplace_back(store::put_torrent{std::make_shared<model::torrent_asked const>(known)});
    store.commit_change(std::move(behind), [](store::outcome) {});
    settle();
    contract::batch_add::request request;
    for (auto const* link : {magnet_v1, magnet_v2}) {
        contract::add_torrent::request one;
        one.path_or_magnet = link;
        request.torrents.push_back(one);
    }
    auto const answered = wait(deeds.handle(std::move(request), who));
    ASSERT_EQ(said(answered), "ok");
    EXPECT_FALSE(answered->results[0].success);
    EXPECT_THAT(answered->results[0].code, Eq("TORRENT_EXISTS"));
    EXPECT_THAT(answered->results[0].info_hash, Eq(hash_v1));
    EXPECT_TRUE(answered->results[1].success) << answered->results[1].error.value_or("");
    EXPECT_NE(row(hash_v2), nullptr);
    EXPECT_EQ(row(hash_v1), nullptr);
    contract::add_torrent::request alone;
    alone.path_or_magnet = magnet_v1;
    EXPECT_EQ(said(add(std::move(alone))), "409 TORRENT_EXISTS");
}

} // namespace
} // namespace ccbt::executor
