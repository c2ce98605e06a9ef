// Removing torrents, and what lies on the disk then.
#include "engine/fake_engine.hpp"
#include "executor/test_house.hpp"
#include "executor/torrents.hpp"
#include "store/memory_store.hpp"

#include <gmock/gmock.h>

namespace ccbt::executor {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct removal : ::testing::Test, test_house<store::memory_store, engine::fake_engine> {
    [[nodiscard]] fs::path at(std::string_view below) const { return fs::path{downloads} / below; }
    /// Adds a torrent by its file; its hash.
    std::string add_torrent(std::string const& bytes, std::optional<std::string> output_dir = std::nullopt) {
        auto const added = finish(start_torrent(bytes, std::move(output_dir)));
        EXPECT_EQ(said(added), "ok");
        return added ? added->info_hash : std::string{};
    }
    answer<result<contract::add_torrent::response>> start_torrent(
        std::string const& bytes, std::optional<std::string> output_dir = std::nullopt) {
        auto const path = folder / ("t" + std::to_string(++files_) + ".torrent");
        write_file(path, bytes);
        contract::add_torrent::request request;
        request.path_or_magnet = path.string();
        request.output_dir = std::move(output_dir);
        return start_add(std::move(request));
    }
    /// Its torrent files are read off the loop, so this waits until the store is asked.
    void until_store_waits_for(std::size_t writes) {
        run_until([&] { return store.waiting() >= writes; });
    }
    std::string const album = metainfo("album", {{"cd1", "one"}, {"cd2", "two"}, {"cover"}});

private:
    int files_ = 0;
};

TEST_F(removal, a_torrent_goes_and_its_files_stay) {
    auto const hex = add_torrent(album);
    auto const id = row(hex)->asked->id;
    write_file(at("album/cover"));
    auto const removed = remove(hex);
    ASSERT_EQ(said(removed), "ok");
    EXPECT_EQ(removed->status, "removed");
    EXPECT_EQ(row(hex), nullptr);
    EXPECT_THAT(store.asked_now().torrents, IsEmpty());
    EXPECT_THAT(engine.forgotten(), ElementsAre(id));
    EXPECT_EQ(events.back().substr(0, 15), "torrent_removed");
    EXPECT_TRUE(fs::exists(at("album/cover")));
    EXPECT_EQ(said(remove(hex)), "404 TORRENT_NOT_FOUND");
}

TEST_F(removal, with_its_files_go_its_own_and_the_folders_they_leave_empty) {
    auto const hex = add_torrent(album);
    for (auto const* own : {"album/cd1/one", "album/cd2/two", "album/cover"}) write_file(at(own));
    write_file(at("." + hex + ".parts"));
    write_file(at("album/cd2/mine"), "not the torrent's");
    write_file(at("foreign"));
    ASSERT_EQ(said(remove(hex, true)), "ok");
    EXPECT_FALSE(fs::exists(at("album/cd1")));
    EXPECT_FALSE(fs::exists(at("album/cover")));
    EXPECT_FALSE(fs::exists(at("album/cd2/two")));
    EXPECT_FALSE(fs::exists(at("." + hex + ".parts")));
    EXPECT_EQ(read_file(at("album/cd2/mine")), "not the torrent's");
    EXPECT_TRUE(fs::exists(at("foreign")));
    EXPECT_TRUE(fs::exists(at(".ccbt-root")));
    EXPECT_THAT(store.asked_now().deletions, IsEmpty()) << "what was begun is done";
}

TEST_F(removal, without_its_data_keeps_a_checkpoint_that_an_add_with_resume_takes_up) {
    engine.resume_on_forget = std::make_shared<std::string const>("what the engine had last");
    ASSERT_EQ(said(remove(add_torrent(album))), "ok");
    auto const add_again = [&](bool resume) {
        auto const path = folder / "again.torrent";
        write_file(path, album);
        contract::add_torrent::request request;
        request.path_or_magnet = path.string();
        request.resume = resume;
        auto const added = finish(start_add(std::move(request)));
        EXPECT_EQ(said(added), "ok");
        return added->info_hash;
    };
    auto const hex = add_again(true);
    auto const* taken_up = engine.loaded(row(hex)->asked->id);
    ASSERT_TRUE(taken_up != nullptr && taken_up->resume);
    EXPECT_EQ(*taken_up->resume, "what the engine had last");
    EXPECT_TRUE(taken_up->fresh_totals) << "what it moved before is in the totals already";

    ASSERT_EQ(said(remove(hex)), "ok");
    auto const plain = add_again(false);
    EXPECT_EQ(engine.loaded(row(plain)->asked->id)->resume, nullptr) << "not asked for";

    ASSERT_EQ(said(remove(plain, true)), "ok");
    EXPECT_EQ(engine.loaded(row(add_again(true))->asked->id)->resume, nullptr)
        << "its data went, so there is none";
}

TEST_F(removal, the_storage_folder_itself_stays_when_it_is_empty) {
    auto const hex = add_torrent(metainfo("single"), downloads + "/deep/er");
    write_file(at("deep/er/single"));
    ASSERT_EQ(said(remove(hex, true)), "ok");
    EXPECT_FALSE(fs::exists(at("deep/er/single")));
    EXPECT_TRUE(fs::is_directory(downloads));
}

TEST_F(removal, files_that_were_never_there_are_no_failure) {
    auto const hex = add_torrent(album);
    EXPECT_EQ(said(remove(hex, true)), "ok");
    EXPECT_THAT(store.asked_now().deletions, IsEmpty());
}

TEST_F(removal, a_magnet_without_metadata_has_no_files) {
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    write_file(at("some name"));
    EXPECT_EQ(said(remove(hash_v1, true)), "ok");
    EXPECT_TRUE(fs::exists(at("some name")));
}

TEST_F(removal, files_that_another_torrent_names_stay) {
    auto const first = add_torrent(album);
    auto const second = add_torrent(metainfo("album", {{"cover"}, {"booklet"}}));
    auto const above = add_torrent(metainfo("one"), downloads + "/album/cd1"); // its folder lies within
    for (auto const* file : {"album/cd1/one", "album/cd2/two", "album/cover", "album/booklet"})
        write_file(at(file));
    ASSERT_EQ(said(remove(first, true)), "ok");
    EXPECT_TRUE(fs::exists(at("album/cover")));
    EXPECT_TRUE(fs::exists(at("album/booklet")));
    EXPECT_TRUE(fs::exists(at("album/cd1/one")));
    EXPECT_FALSE(fs::exists(at("album/cd2")));
    ASSERT_EQ(said(remove(second, true)), "ok");
    EXPECT_FALSE(fs::exists(at("album/cover"))) << "the last who named it";
    ASSERT_EQ(said(remove(above, true)), "ok");
    EXPECT_FALSE(fs::exists(at("album/cd1/one")));
}

TEST_F(removal, where_it_is_not_known_what_another_torrent_names_all_that_may_be_its_own_stays) {
    auto const first = add_torrent(album);
    auto const second = add_torrent(metainfo("album", {{"cover"}, {"booklet"}}));
    auto const other = add_torrent(metainfo("alone", {{"by"}, {"itself"}}));
    write_file(at("album/cover"));
    write_file(at("album/cd1/one"));
    write_file(at("alone/by"));
    store.damage_metainfo(row(second)->asked->id);
    ASSERT_EQ(said(remove(first, true)), "ok");
    EXPECT_TRUE(fs::exists(at("album/cover")));
    EXPECT_TRUE(fs::exists(at("album/cd1/one"))) << "who knows";
    ASSERT_EQ(said(remove(other, true)), "ok");
    EXPECT_FALSE(fs::exists(at("alone/by")));
}

TEST_F(removal, links_are_neither_followed_nor_removed) {
    auto const hex = add_torrent(album);
    write_file(folder / "elsewhere/one", "precious");
    write_file(folder / "precious", "precious");
    write_file(at("album/cd2/two"));
    fs::create_directory_symlink(folder / "elsewhere", at("album/cd1"));
    fs::create_symlink(folder / "precious", at("album/cover"));
    ASSERT_EQ(said(remove(hex, true)), "ok");
    EXPECT_EQ(read_file(folder / "elsewhere/one"), "precious");
    EXPECT_EQ(read_file(folder / "precious"), "precious");
    EXPECT_TRUE(fs::is_symlink(at("album/cover")));
    EXPECT_TRUE(fs::is_symlink(at("album/cd1")));
    EXPECT_FALSE(fs::exists(at("album/cd2/two")));
}

TEST_F(removal, what_is_no_regular_file_stays) {
    auto const hex = add_torrent(album);
    fs::create_directories(at("album/cover/a folder of this name"));
    ASSERT_EQ(said(remove(hex, true)), "ok");
    EXPECT_TRUE(fs::exists(at("album/cover/a folder of this name")));
}

TEST_F(removal, a_torrent_on_an_offline_drive_goes_without_its_files_only) {
    auto const hex = add_torrent(album);
    write_file(at("album/cover"));
    state.apply(model::root_offline{roots.all()[0].id}, 1);
    auto const refused = remove(hex, true);
    EXPECT_EQ(said(refused), "409 REMOVE_ERROR");
    EXPECT_EQ(detail(refused, "reason"), "storage_offline");
    EXPECT_NE(row(hex), nullptr);
    EXPECT_TRUE(fs::exists(at("album/cover")));
    EXPECT_EQ(said(remove(hex, false)), "ok");
}

TEST_F(removal, of_two_at_once_one_removes_and_the_other_finds_nothing) {
    auto const hex = add_torrent(album);
    store.hold();
    auto const first = start_remove(hex, true), second = start_remove(hex, false);
    until_store_waits_for(2); // the last totals, and the removal
    store.release();
    EXPECT_EQ(said(finish(first)), "ok");
    EXPECT_EQ(said(finish(second)), "404 TORRENT_NOT_FOUND");
    EXPECT_THAT(engine.forgotten(), SizeIs(1));
}

TEST_F(removal, a_pause_behind_a_removal_finds_nothing) {
    auto const hex = add_torrent(album);
    store.hold();
    auto const removed = start_remove(hex, false);
    auto const paused = start(deeds.handle(contract::pause_torrent::request{hash(hex)}, who));
    store.release();
    EXPECT_EQ(said(finish(removed)), "ok");
    EXPECT_EQ(said(finish(paused)), "404 TORRENT_NOT_FOUND");
    EXPECT_THAT(store.asked_now().torrents, IsEmpty());
}

// ---- added again

struct taking_up : removal {
    /// What the engine is given when the magnet is added again.
    std::string resume_data(bool takes_up) {
        contract::add_torrent::request request;
        request.path_or_magnet = magnet_v1;
        request.resume = takes_up;
        EXPECT_EQ(said(add(request)), "ok");
        auto const* first = engine.loaded(row(hash_v1)->asked->id);
        EXPECT_EQ(first->fresh_totals, takes_up) << "what it moved before is counted already";
        return first->resume ? *first->resume : "none";
    }
    taking_up() {
        EXPECT_EQ(said(add(magnet_v1)), "ok");
        engine.resume_on_forget = std::make_shared<std::string const>("the last");
    }
};

TEST_F(taking_up, a_torrent_goes_on_from_where_it_was_removed_where_that_is_asked) {
    ASSERT_EQ(said(remove(hash_v1)), "ok");
    settle();
    EXPECT_EQ(resume_data(true), "the last");
}

TEST_F(taking_up, it_begins_anew_where_that_is_not_asked) {
    ASSERT_EQ(said(remove(hash_v1)), "ok");
    settle();
    EXPECT_EQ(resume_data(false), "none");
}

TEST_F(taking_up, the_saved_progress_serves_where_the_engine_had_nothing_newer) {
    store::resume_record saved;
    saved.done.id = row(hash_v1)->asked->id;
    saved.resume = std::make_shared<std::string const>("the saved");
    store.keep({saved}, [](store::outcome) {});
    engine.resume_on_forget = nullptr;
    ASSERT_EQ(said(remove(hash_v1)), "ok");
    settle();
    EXPECT_EQ(resume_data(true), "the saved");
}

TEST_F(taking_up, nothing_is_taken_up_of_what_was_removed_with_its_files) {
    ASSERT_EQ(said(remove(hash_v1)), "ok");
    settle();
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    ASSERT_EQ(said(remove(hash_v1, true)), "ok");
    settle();
    EXPECT_EQ(resume_data(true), "none");
}

// ---- what happens at once with a deletion

TEST_F(removal, a_torrent_added_while_files_go_comes_after_and_keeps_its_own) {
    auto const hex = add_torrent(album);
    write_file(at("album/cover"));
    store.hold();
    auto const removed = start_remove(hex, true);
    until_store_waits_for(2);
    auto const added =
        start_torrent(metainfo("album", {{"cover"}})); // another torrent, a file of the same name
    store.release();
    bool was_gone_before = false;
    run_until([&] {
        if (removed->has_value() && !added->has_value()) was_gone_before = !fs::exists(at("album/cover"));
        return added->has_value();
    });
    EXPECT_TRUE(was_gone_before) << "it waited";
    EXPECT_EQ(said(finish(removed)), "ok");
    EXPECT_EQ(said(finish(added)), "ok");
}

TEST_F(removal, a_torrent_whose_adding_was_under_way_keeps_its_files) {
    auto const hex = add_torrent(album);
    write_file(at("album/cover"));
    write_file(at("album/cd1/one"));
    store.hold();
    auto const added = start_torrent(metainfo("album", {{"cover"}}));
    until_store_waits_for(1);
    auto const removed = start_remove(hex, true);
    until_store_waits_for(3);
    store.release();
    EXPECT_EQ(said(finish(added)), "ok");
    EXPECT_EQ(said(finish(removed)), "ok");
    EXPECT_TRUE(fs::exists(at("album/cover")));
    EXPECT_FALSE(fs::exists(at("album/cd1/one")));
}

TEST_F(removal, a_deletion_that_a_crash_cut_short_is_finished_and_recorded) {
    write_file(at("album/cover"));
    write_file(at("album/cd1/one"));
    store::intend_deletion const intent{{1, 1}, downloads, {"album/cover", "album/cd1/one", "album/cd2/two"}};
    store::commit begun;
    begun.changes.emplace_back(intent);
    store.commit_change(std::move(begun), [](store::outcome) {});
    ASSERT_THAT(store.asked_now().deletions, SizeIs(1));
    wait(deeds.finish_deletion(intent));
    EXPECT_FALSE(fs::exists(at("album")));
    EXPECT_THAT(store.asked_now().deletions, IsEmpty());
}

TEST_F(removal, a_deletion_of_before_spares_what_was_added_since_and_markers) {
    add_torrent(metainfo("album", {{"cover"}}));
    write_file(at("album/cover"));
    write_file(at("album/cd1/one"));
    wait(deeds.finish_deletion({{1, 1}, downloads, {"album/cover", "album/cd1/one", ".ccbt-root"}}));
    EXPECT_TRUE(fs::exists(at("album/cover")));
    EXPECT_FALSE(fs::exists(at("album/cd1/one")));
    EXPECT_TRUE(fs::exists(at(".ccbt-root")));
}

TEST_F(removal, a_deletion_on_an_offline_drive_stays_to_be_done) {
    store::intend_deletion const intent{{1, 1}, downloads + "/sub", {"album/cover"}};
    store::commit begun;
    begun.changes.emplace_back(intent);
    store.commit_change(std::move(begun), [](store::outcome) {});
    state.apply(model::root_offline{roots.all()[0].id}, 1);
    write_file(at("sub/album/cover"));
    wait(deeds.finish_deletion(intent));
    EXPECT_TRUE(fs::exists(at("sub/album/cover")));
    EXPECT_THAT(store.asked_now().deletions, SizeIs(1));
}

} // namespace
} // namespace ccbt::executor
