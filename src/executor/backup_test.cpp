#include "engine/fake_engine.hpp"
#include "executor/test_house.hpp"
#include "store/memory_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::executor::testing {

namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::StartsWith;

struct backup : ::testing::Test {
    using world = test_house<store::memory_store, engine::fake_engine>;
    world one, two;

    backup() {
        for (auto* const w : {&one, &two}) w->settings.daemon.export_dir = (w->folder / "exports").string();
    }
    auto exported(world& from) {
        contract::export_state::request const request;
        return from.wait(from.deeds.handle(request, from.who));
    }
    auto import(world& into, std::string path) {
        contract::import_state::request request{std::move(path)};
        return into.wait(into.deeds.handle(std::move(request), into.who));
    }
    /// The file of one that has a magnet and a torrent file, in the folder that the other may read.
    std::string state_of_one() {
        write_file(one.folder / "a.torrent", metainfo("a"));
        EXPECT_EQ(said(one.add((one.folder / "a.torrent").string())), "ok");
        EXPECT_EQ(said(one.add(magnet_v1)), "ok");
        auto const written = exported(one);
        EXPECT_EQ(said(written), "ok");
        auto const path = two.folder / "exports/x.json";
        write_file(path, read_file(written->path));
        return path.string();
    }
};

TEST_F(backup, progress_is_saved_before_it_is_exported) {
    one.add(magnet_v1);
    EXPECT_EQ(exported(one)->torrents, 1);
    EXPECT_EQ(one.engine.saves_asked(), 1);
}

TEST_F(backup, what_is_imported_is_in_the_store_before_it_is_answered_and_is_hashed_by_the_engine) {
    auto const got = import(two, state_of_one());
    ASSERT_EQ(said(got), "ok");
    EXPECT_EQ(got->imported, 2);
    EXPECT_EQ(two.store.asked_now().torrents.size(), 2U);
    EXPECT_THAT(two.events, Contains("torrent_added " + std::string{hash_v1}.substr(0, 8)));
    auto const* const row = two.row(hash_v1);
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(row->asked->magnet, magnet_v1);
    ASSERT_NE(two.engine.loaded(row->asked->id), nullptr);
    EXPECT_TRUE(two.engine.loaded(row->asked->id)->hearsay);
    two.add("magnet:?xt=urn:btih:ffffffffffffffffffffffffffffffffffffffff");
    EXPECT_EQ(two.house.queue.order().position(two.row(std::string(40, 'f'))->asked->id), 2U)
        << "behind them";
}

TEST_F(backup, an_import_that_cannot_be_kept_changes_nothing) {
    auto const file = state_of_one();
    two.store.fail_next(store::outcome::full);
    EXPECT_EQ(said(import(two, file)), "507 STATE_STORAGE_FULL");
    two.store.fail_next(store::outcome::io_error);
    EXPECT_EQ(said(import(two, file)), "503 STATE_IO_ERROR");
    EXPECT_EQ(two.state.torrents().size(), 0U);
    EXPECT_THAT(two.events, Not(Contains(StartsWith("torrent_added"))));
    EXPECT_EQ(import(two, file)->imported, 2);
}

TEST_F(backup, what_a_removed_torrent_moved_is_not_counted_again_by_an_import_of_the_daemons_own) {
    one.add(magnet_v1);
    model::torrent_seen moved;
    moved.id = one.row(hash_v1)->asked->id;
    moved.downloaded = 700;
    moved.uploaded = 300;
    one.engine.see(moved);
    one.settle();
    auto const written = exported(one);
    ASSERT_EQ(said(written), "ok");
    auto const elsewhere = two.folder / "exports/x.json";
    write_file(elsewhere, read_file(written->path));

    contract::remove_torrent::request const gone{hash(hash_v1), false};
    ASSERT_EQ(said(one.wait(one.deeds.handle(gone, one.who))), "ok");
    ASSERT_EQ(one.state.removed_totals().downloaded, 700);
    ASSERT_EQ(import(one, written->path)->imported, 1);
    EXPECT_EQ(one.row(hash_v1)->view->downloaded, 0);
    EXPECT_EQ(one.state.removed_totals().downloaded, 700);
    EXPECT_TRUE(one.engine.loaded(one.row(hash_v1)->asked->id)->fresh_totals);

    ASSERT_EQ(import(two, elsewhere.string())->imported, 1);
    EXPECT_EQ(two.row(hash_v1)->view->downloaded, 700) << "another daemon has not counted it";
    EXPECT_EQ(two.row(hash_v1)->view->uploaded, 300);
    EXPECT_FALSE(two.engine.loaded(two.row(hash_v1)->asked->id)->fresh_totals);
}

TEST_F(backup, long_lists_come_in_portions_and_whole) {
    for (std::uint32_t i = 0; i < 5'000; ++i) {
        auto const address = std::to_string(i % 250) + '.' + std::to_string(i / 250);
        auto const which = i % 5 == 0 ? model::address_list::whitelist : model::address_list::blacklist;
        model::list_entry const entry{*ip_range::parse("10.0." + address), "of one", 5};
        one.house.apply(model::list_changed{which, entry, true});
    }
    auto const file = state_of_one();
    model::list_entry const own{*ip_range::parse("10.0.1.0"), "its own", 7};
    two.house.apply(model::list_changed{model::address_list::blacklist, own, true});
    ASSERT_EQ(import(two, file)->imported, 2);
    EXPECT_EQ(two.state.list(model::address_list::blacklist).size(), 4'000U);
    EXPECT_EQ(two.state.list(model::address_list::whitelist).size(), 1'000U);
    EXPECT_EQ(two.state.list(model::address_list::blacklist).at(own.range).reason, "its own");
    EXPECT_EQ(two.store.asked_now().lists.size(), 4'999U) << "all but the one that was there already";
    EXPECT_TRUE(two.engine.blocked().contains(ip_range::parse("10.0.1.1")->first));
}

TEST_F(backup, a_torrent_that_is_added_in_the_same_moment_is_skipped_and_the_rest_comes) {
    contract::import_state::request request{state_of_one()};
    two.store.hold();
    auto const importing = two.start(two.deeds.handle(std::move(request), two.who));
    two.run_until([&] { return two.store.waiting() == 1; }); // the head
    two.store.release();
    two.store.hold();
    contract::add_torrent::request same;
    same.path_or_magnet = magnet_v1;
    auto const adding = two.start_add(same);
    two.run_until([&] { return two.store.waiting() == 2; });
    two.store.release();
    EXPECT_EQ(said(two.finish(adding)), "ok");
    auto const got = two.finish(importing);
    ASSERT_EQ(said(got), "ok");
    EXPECT_EQ(got->imported, 1);
    EXPECT_EQ(got->skipped, 1);
    EXPECT_EQ(two.state.torrents().size(), 2U);
    EXPECT_EQ(two.store.asked_now().torrents.size(), 2U);
}

TEST_F(backup, long_work_is_told_of_now_and_then_and_at_its_end) {
    using std::chrono::milliseconds;
    std::vector<std::string> told;
    one.state.events().listen([&](contract::event_view const& e) {
        told.push_back(
            *e->data.what + ' ' + std::to_string(*e->data.finished) + '/' + std::to_string(*e->data.total));
    });
    told_progress long_work{one.house, "export", 10, milliseconds{0}};
    long_work.reached(4);
    long_work.reached(10);
    told_progress short_work{one.house, "import", 10, std::chrono::hours{1}};
    short_work.reached(4);
    short_work.reached(10);
    EXPECT_THAT(told, ElementsAre("export 4/10", "export 10/10"));
}

TEST_F(backup, a_checkpoint_of_a_torrent_that_the_engine_has_not_loaded_is_not_made_up) {
    one.add(magnet_v1);
    auto const id = one.row(hash_v1)->asked->id;
    contract::get_checkpoint::request const request{hash(hash_v1)};
    EXPECT_EQ(said(one.wait(one.deeds.handle(request, one.who))), "ok");
    one.engine.forget(id, [](auto) {});
    EXPECT_EQ(said(one.wait(one.deeds.handle(request, one.who))), "503 STARTING");
}

TEST_F(backup, a_checkpoint_that_cannot_be_kept_adds_nothing) {
    contract::resume_checkpoint::request request{
        hash(hash_v1), {R"({"magnet_uri":")" + std::string{magnet_v1} + "\"}"}, {}};
    one.store.fail_next(store::outcome::full);
    EXPECT_EQ(said(one.wait(one.deeds.handle(request, one.who))), "507 STATE_STORAGE_FULL");
    EXPECT_EQ(one.state.torrents().size(), 0U);
    EXPECT_EQ(said(one.wait(one.deeds.handle(request, one.who))), "ok");
    one.pause(hash_v1);
    request.checkpoint.text =
        R"({"file_selections":{"0":{"selected":false}},"magnet_uri":")" + std::string{magnet_v1} + "\"}";
    one.store.fail_next(store::outcome::full);
    EXPECT_EQ(said(one.wait(one.deeds.handle(request, one.who))), "507 STATE_STORAGE_FULL");
    EXPECT_EQ(one.paused_everywhere(hash_v1), "paused paused paused");
    EXPECT_EQ(said(one.wait(one.deeds.handle(request, one.who))), "ok") << "one that is here goes on";
    EXPECT_EQ(one.paused_everywhere(hash_v1), "running running running");
    EXPECT_THAT(one.row(hash_v1)->asked->file_priorities, ElementsAre(0));
}

} // namespace

} // namespace ccbt::executor::testing
