#include "executor/files.hpp"

#include "base/text.hpp"
#include "engine/fake_engine.hpp"
#include "executor/test_house.hpp"
#include "store/memory_store.hpp"

#include <gmock/gmock.h>

namespace ccbt::executor {
namespace {

using namespace testing;
using contract::file_priority;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using indices = std::vector<std::int64_t>;
using levels = std::vector<std::uint8_t>;

// Three files and one that pads, 100 bytes each; the last is empty.
std::string padded() {
    return "d4:infod5:filesl"
           "d4:attr1:x6:lengthi100e4:pathl1:aee"
           "d4:attr1:p6:lengthi100e4:pathl4:.pad3:100ee"
           "d6:lengthi100e4:pathl3:sub1:bee"
           "d4:attr1:h6:lengthi0e4:pathl1:cee"
           "e4:name1:t12:piece lengthi16384e6:pieces20:" +
           std::string(20, '\7') + "ee";
}

struct files_house : test_house<store::memory_store, engine::fake_engine> {
    std::string hex;
    std::vector<contract::event_data> told;

    void add_file(std::string const& bytes) {
        write_file(folder / "the.torrent", bytes);
        auto const added = add((folder / "the.torrent").string());
        if (!added) throw std::runtime_error{added.error().message};
        hex = added->info_hash;
        events.clear();
        state.events().listen([this](contract::event_view const& e) {
            events.emplace_back(contract::name_of(e->type));
            told.push_back(e->data);
        });
    }
    auto list() { return wait(deeds.handle(contract::get_files::request{hash(hex)}, who)); }
    auto select(indices which) {
        return wait(deeds.handle(contract::select_files::request{hash(hex), std::move(which)}, who));
    }
    auto deselect(indices which) {
        return wait(deeds.handle(contract::deselect_files::request{hash(hex), std::move(which)}, who));
    }
    auto prioritize(std::int64_t file, file_priority how) {
        return wait(deeds.handle(contract::set_file_priority::request{hash(hex), file, how}, who));
    }
    auto verify() { return wait(deeds.handle(contract::verify_files::request{hash(hex)}, who)); }
    /// What the model, the store and the engine hold, where they agree.
    levels levels_everywhere() {
        auto const& r = *row(hex)->asked;
        EXPECT_EQ(store.asked_now().torrents.at(0)->file_priorities, r.file_priorities);
        EXPECT_EQ(engine.wished(r.id)->asked->file_priorities, r.file_priorities);
        return r.file_priorities;
    }
};

TEST(files, padding_is_hidden_and_indices_are_the_torrents_own) {
    files_house h;
    h.add_file(padded());
    h.engine.set_file_progress(h.row(h.hex)->asked->id, {50, 100, 100, 0});
    auto const listed = h.list();
    ASSERT_TRUE(listed) << listed.error().message;
    EXPECT_EQ(listed->info_hash, h.hex);
    ASSERT_EQ(listed->files.size(), 3);
    auto const& a = listed->files[0];
    auto const& b = listed->files[1];
    auto const& c = listed->files[2];
    EXPECT_EQ(a.index, 0);
    EXPECT_EQ(a.name, "t/a");
    EXPECT_EQ(a.size, 100);
    EXPECT_EQ(a.progress, 0.5);
    EXPECT_EQ(a.attributes, "x");
    EXPECT_EQ(b.index, 2);
    EXPECT_EQ(b.name, "t/sub/b");
    EXPECT_EQ(b.progress, 1.0);
    EXPECT_EQ(b.attributes, std::nullopt);
    EXPECT_TRUE(b.selected);
    EXPECT_EQ(b.priority, file_priority::normal);
    EXPECT_EQ(c.index, 3);
    EXPECT_EQ(c.progress, 1.0) << "an empty file is here";
    EXPECT_EQ(c.attributes, "h");
}

TEST(files, a_torrent_that_the_engine_does_not_have_yet_has_nothing_here) {
    files_house h;
    h.add_file(padded());
    auto const listed = h.list();
    ASSERT_TRUE(listed);
    EXPECT_EQ(listed->files[0].progress, 0);
    EXPECT_EQ(listed->files[2].progress, 1);
}

TEST(files, deselecting_is_kept_asked_of_the_engine_and_told) {
    files_house h;
    h.add_file(padded());
    auto const done = h.deselect({2, 0});
    ASSERT_EQ(said(done), "ok");
    EXPECT_EQ(done->status, "deselected");
    EXPECT_THAT(done->file_indices, ElementsAre(2, 0));
    EXPECT_THAT(h.levels_everywhere(), ElementsAre(0, 4, 0));
    ASSERT_THAT(h.events, ElementsAre("file_selection_changed", "file_priority_changed"));
    EXPECT_EQ(h.told[0].info_hash, h.hex);
    EXPECT_EQ(h.told[0].name, "t");
    EXPECT_EQ(h.told[0].action, "deselected");
    EXPECT_EQ(h.told[0].file_indices, (indices{0, 2}));
    EXPECT_EQ(h.told[1].priority, "do_not_download");
    auto const listed = h.list();
    EXPECT_FALSE(listed->files[0].selected);
    EXPECT_EQ(listed->files[0].priority, file_priority::do_not_download);
    EXPECT_TRUE(listed->files[2].selected);
}

TEST(files, selecting_gives_normal_to_what_was_deselected_and_leaves_other_priorities) {
    files_house h;
    h.add_file(padded());
    ASSERT_TRUE(h.prioritize(0, file_priority::high));
    ASSERT_TRUE(h.deselect({2}));
    h.events.clear();
    h.told.clear();
    auto const done = h.select({0, 2, 2});
    ASSERT_EQ(said(done), "ok");
    EXPECT_EQ(done->status, "selected");
    EXPECT_THAT(h.levels_everywhere(), ElementsAre(6));
    ASSERT_THAT(h.events, ElementsAre("file_selection_changed", "file_priority_changed"));
    EXPECT_EQ(h.told[0].action, "selected");
    EXPECT_EQ(h.told[0].file_indices, (indices{2}));
    ASSERT_TRUE(h.select({0, 2, 3}));
    EXPECT_EQ(h.events.size(), 2) << "nothing has changed";
}

TEST(files, a_priority_is_kept_asked_of_the_engine_and_told) {
    files_house h;
    h.add_file(padded());
    for (auto const& [how, level] :
         {std::pair{file_priority::low, 1}, std::pair{file_priority::high, 6},
          std::pair{file_priority::maximum, 7}, std::pair{file_priority::do_not_download, 0}}) {
        h.events.clear();
        h.told.clear();
        auto const done = h.prioritize(2, how);
        ASSERT_EQ(said(done), "ok");
        EXPECT_EQ(done->status, "priority_set");
        EXPECT_EQ(done->file_index, 2);
        EXPECT_EQ(done->priority, how);
        EXPECT_THAT(h.levels_everywhere(), ElementsAre(4, 4, level));
        EXPECT_EQ(h.list()->files[1].priority, how);
        ASSERT_FALSE(h.events.empty());
        EXPECT_EQ(h.events.back(), "file_priority_changed");
        EXPECT_EQ(h.told.back().priority, std::string{contract::name_of(how)});
        EXPECT_EQ(h.told.back().file_indices, (indices{2}));
    }
    EXPECT_EQ(h.events.front(), "file_selection_changed");
    ASSERT_TRUE(h.prioritize(2, file_priority::normal));
    EXPECT_THAT(h.levels_everywhere(), IsEmpty()) << "as it was at first";
}

TEST(files, an_index_that_is_none_applies_nothing) {
    files_house h;
    h.add_file(padded());
    for (auto const bad : {std::int64_t{4}, std::int64_t{-1}, std::int64_t{1} << 40, std::int64_t{1}}) {
        auto const refused = h.deselect({0, bad});
        EXPECT_EQ(said(refused), "400 FILE_DESELECT_FAILED") << bad;
        EXPECT_EQ(detail(refused, "field"), "file_indices");
        EXPECT_EQ(said(h.select({bad})), "400 FILE_SELECT_FAILED") << bad;
        auto const priority = h.prioritize(bad, file_priority::low);
        EXPECT_EQ(said(priority), "400 FILE_PRIORITY_FAILED") << bad;
        EXPECT_EQ(detail(priority, "field"), "file_index");
    }
    EXPECT_THAT(h.levels_everywhere(), IsEmpty());
    EXPECT_THAT(h.events, IsEmpty());
    EXPECT_THAT(h.deselect({1}).error().message, HasSubstr("pads"));
}

TEST(files, none_named_changes_none) {
    files_house h;
    h.add_file(padded());
    EXPECT_EQ(said(h.deselect({})), "ok");
    EXPECT_THAT(h.levels_everywhere(), IsEmpty());
}

TEST(files, a_magnet_without_metadata_has_no_files_yet) {
    files_house h;
    ASSERT_TRUE(h.add(magnet_v1));
    h.hex = hash_v1;
    EXPECT_EQ(said(h.list()), "409 FILE_LIST_FAILED");
    EXPECT_EQ(detail(h.list(), "reason"), "no_metadata");
    EXPECT_EQ(said(h.select({0})), "400 FILE_SELECT_FAILED");
    EXPECT_EQ(said(h.deselect({0})), "400 FILE_DESELECT_FAILED");
    EXPECT_EQ(said(h.prioritize(0, file_priority::low)), "400 FILE_PRIORITY_FAILED");
    EXPECT_EQ(detail(h.select({0}), "reason"), "no_metadata");
    EXPECT_EQ(said(h.verify()), "409 FILE_VERIFY_FAILED");
}

TEST(files, of_a_torrent_that_is_not_there_are_404) {
    files_house h;
    h.hex = hash_v1;
    EXPECT_EQ(said(h.list()), "404 TORRENT_NOT_FOUND");
    EXPECT_EQ(said(h.select({0})), "404 TORRENT_NOT_FOUND");
    EXPECT_EQ(said(h.deselect({0})), "404 TORRENT_NOT_FOUND");
    EXPECT_EQ(said(h.prioritize(0, file_priority::low)), "404 TORRENT_NOT_FOUND");
    EXPECT_EQ(said(h.verify()), "404 TORRENT_NOT_FOUND");
}

TEST(files, a_selection_that_cannot_be_kept_is_not_made) {
    files_house h;
    h.add_file(padded());
    h.store.fail_next(store::outcome::io_error);
    EXPECT_EQ(said(h.deselect({0})), "503 STATE_IO_ERROR");
    EXPECT_THAT(h.levels_everywhere(), IsEmpty());
    EXPECT_THAT(h.events, IsEmpty());
}

TEST(files, two_changes_at_once_are_both_kept) {
    files_house h;
    h.add_file(padded());
    h.store.hold();
    auto const first = h.start(h.deeds.handle(contract::deselect_files::request{hash(h.hex), {0}}, h.who));
    auto const second = h.start(
        h.deeds.handle(contract::set_file_priority::request{hash(h.hex), 2, file_priority::high}, h.who));
    h.store.release();
    EXPECT_EQ(said(h.finish(first)), "ok");
    EXPECT_EQ(said(h.finish(second)), "ok");
    EXPECT_THAT(h.levels_everywhere(), ElementsAre(0, 4, 6));
}

TEST(files, a_change_that_waits_while_its_torrent_goes_is_404) {
    files_house h;
    h.add_file(padded());
    auto const going = h.start_remove(h.hex, false);
    auto const late = h.start(h.deeds.handle(contract::deselect_files::request{hash(h.hex), {0}}, h.who));
    EXPECT_EQ(said(h.finish(going)), "ok");
    EXPECT_EQ(said(h.finish(late)), "404 TORRENT_NOT_FOUND");
}

TEST(files, an_event_of_very_many_files_names_the_first_thousand_and_counts_all) {
    files_house h;
    std::vector<std::vector<std::string>> many;
    for (int i = 0; i < 1500; ++i) many.push_back({"f" + std::to_string(i)});
    auto bytes = metainfo("many", many);
    auto const pieces = std::string(std::size_t{20} * ((150'000 + 16383) / 16384), '\7');
    auto const at = bytes.find("6:pieces20:");
    bytes.replace(at, 11 + 20, "6:pieces" + bencoded(pieces));
    h.add_file(bytes);
    indices all;
    for (int i = 0; i < 1500; ++i) all.push_back(i);
    ASSERT_EQ(said(h.deselect(all)), "ok");
    EXPECT_EQ(h.told.at(0).file_indices->size(), 1000);
    EXPECT_EQ(h.told.at(0).total, 1500);
}

TEST(files, verifying_names_what_is_missing_longer_or_wrong_by_its_absolute_path) {
    files_house h;
    h.add_file(padded());
    auto const at = fs::path{h.downloads} / "t";
    write_file(at / "a", std::string(100, 'a'));
    write_file(at / "c", "");
    auto const found = h.verify();
    ASSERT_EQ(said(found), "ok");
    EXPECT_EQ(found->status, "completed");
    EXPECT_EQ(found->info_hash, h.hex);
    EXPECT_THAT(found->verified_files, ElementsAre((at / "c").string()));
    EXPECT_THAT(found->failed_files, ElementsAre((at / "a").string(), (at / "sub/b").string()));
    EXPECT_EQ(found->total_files, 3);
    EXPECT_EQ(found->verified_count, 1);
    EXPECT_EQ(found->failed_count, 2);
    ASSERT_TRUE(h.deselect({0, 2}));
    EXPECT_EQ(h.verify()->total_files, 1) << "what is not selected is not looked at";
    write_file(at / "c", "x");
    EXPECT_THAT(h.verify()->failed_files, ElementsAre((at / "c").string())) << "longer than it should be";
}

TEST(files, a_torrent_whose_folder_is_offline_is_not_verified) {
    files_house h;
    h.add_file(padded());
    h.house.apply(model::root_offline{h.row(h.hex)->asked->root});
    auto const refused = h.verify();
    EXPECT_EQ(said(refused), "409 FILE_VERIFY_FAILED");
    EXPECT_EQ(detail(refused, "reason"), "storage_offline");
    EXPECT_TRUE(h.list()) << "its files are known all the same";
}

TEST(files, so_many_are_verified_at_once_and_no_more_wait) {
    files_house h;
    h.add_file(padded());
    std::vector<decltype(h.start(h.deeds.handle(contract::verify_files::request{}, h.who)))> all;
    h.store.hold_metainfo(); // none gets to its disk
    for (std::size_t i = 0; i < files::most_verifying; ++i)
        all.push_back(h.start(h.deeds.handle(contract::verify_files::request{hash(h.hex)}, h.who)));
    auto const refused = h.verify();
    EXPECT_EQ(said(refused), "409 FILE_VERIFY_FAILED");
    EXPECT_EQ(detail(refused, "reason"), "busy");
    h.store.release();
    for (auto const& one : all) EXPECT_EQ(said(h.finish(one)), "ok");
    EXPECT_EQ(said(h.verify()), "ok");
}

TEST(files, a_house_that_closes_gives_up_what_it_verifies) {
    files_house h;
    h.add_file(padded());
    h.store.hold();
    auto const going = h.start(h.deeds.handle(contract::verify_files::request{hash(h.hex)}, h.who));
    h.deeds.stop_verifying();
    h.store.release();
    EXPECT_EQ(said(h.finish(going)), "503 SHUTTING_DOWN");
    EXPECT_EQ(said(h.verify()), "503 SHUTTING_DOWN");
}

TEST(files, long_verifying_tells_how_far_it_is_and_ends_with_its_torrent) {
    files_house h;
    // 2 GiB of zeros that are not those of its hashes: read, unless somebody stops it.
    constexpr std::int64_t size = std::int64_t{2} << 30, piece = 16 << 20;
    h.add_file(
        "d4:infod6:lengthi" + std::to_string(size) + "e4:name3:big12:piece lengthi" + std::to_string(piece) +
        "e6:pieces" + bencoded(std::string(std::size_t{20} * (size / piece), '\7')) + "ee");
    auto const file = fs::path{h.downloads} / "big";
    write_file(file, "x");
    fs::resize_file(file, size);
    {
        // A byte in each piece, so that none is a hole.
        std::fstream to{file, std::ios::binary | std::ios::in | std::ios::out};
        for (std::int64_t at = 0; at < size; at += 4 << 20) {
            to.seekp(at);
            to << 'x';
        }
    }
    h.deeds.look_every = std::chrono::milliseconds{1};
    auto const going = h.start(h.deeds.handle(contract::verify_files::request{hash(h.hex)}, h.who));
    h.run_until([&] { return !h.told.empty(); });
    EXPECT_EQ(h.events.front(), "progress_updated");
    EXPECT_EQ(h.told.front().what, "verify " + h.hex);
    EXPECT_EQ(h.told.front().total, size / piece);
    EXPECT_FALSE(going->has_value()) << "the loop turns while it reads";
    EXPECT_EQ(said(h.remove(h.hex)), "ok");
    EXPECT_EQ(said(h.finish(going)), "404 TORRENT_NOT_FOUND");
    for (auto const& one : h.told)
        if (one.what) {
            EXPECT_LT(*one.finished, *one.total) << "it was not read to its end";
        }
}

} // namespace
} // namespace ccbt::executor
