#include "executor/roots.hpp"

#include "executor/test_house.hpp"

#include <gmock/gmock.h>
#include <regex>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ccbt::executor {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using store_roots = ccbt::executor::roots;

struct roots : ::testing::Test {
    temporary_folder at;
    std::string const first = (at / "first").string();
    std::string const second = (at / "second").string();

    std::string marker(std::string const& folder) const { return read_file(fs::path{folder} / ".ccbt-root"); }
    static std::string state_of(root_check const& c) {
        return c.state == root_state::online ? "online" : "offline";
    }
};

// ---- markers

TEST_F(roots, a_folder_not_seen_before_is_made_and_marked_with_an_id_of_its_own) {
    auto const made = adopt_root(first);
    EXPECT_EQ(made.state, root_state::online);
    EXPECT_EQ(made.root.path, first);
    EXPECT_TRUE(fs::is_directory(first));
    auto const text = marker(first);
    EXPECT_TRUE(std::regex_match(text, std::regex{"[0-9a-f]{32}\n"})) << text;
    EXPECT_NE(adopt_root(second).root.id, made.root.id);
    EXPECT_EQ(adopt_root(first).root.id, made.root.id) << "a marker that is there is taken over";
    EXPECT_EQ(marker(first), text);
    EXPECT_EQ(check_root(made.root).state, root_state::online);
}

TEST_F(roots, a_marker_is_its_id_in_hex) {
    write_file(fs::path{first} / ".ccbt-root", "00000000000000010000000000000abc\n");
    auto const taken = adopt_root(first);
    EXPECT_EQ(taken.root.id.high, 1U);
    EXPECT_EQ(taken.root.id.low, 0xabcU);
}

TEST_F(roots, without_its_marker_a_root_is_offline_and_back_with_it) {
    auto const made = adopt_root(first);
    auto const text = marker(first);
    fs::remove(fs::path{first} / ".ccbt-root");
    auto const gone = check_root(made.root);
    EXPECT_EQ(gone.state, root_state::offline);
    EXPECT_THAT(gone.why, ::testing::HasSubstr(".ccbt-root"));
    fs::remove_all(first);
    EXPECT_EQ(check_root(made.root).state, root_state::offline);
    EXPECT_FALSE(fs::exists(first)) << "looking makes nothing";
    write_file(fs::path{first} / ".ccbt-root", text);
    EXPECT_EQ(check_root(made.root).state, root_state::online);
}

TEST_F(roots, with_another_folders_marker_or_a_damaged_one_a_root_is_offline) {
    auto const made = adopt_root(first);
    auto const other = adopt_root(second);
    fs::copy_file(
        fs::path{second} / ".ccbt-root", fs::path{first} / ".ccbt-root",
        fs::copy_options::overwrite_existing);
    EXPECT_EQ(check_root(made.root).state, root_state::offline);
    for (auto const* damaged : {"", "00", "zz000000000000010000000000000abc\n"}) {
        write_file(fs::path{first} / ".ccbt-root", damaged);
        EXPECT_EQ(check_root(made.root).state, root_state::offline) << '"' << damaged << '"';
    }
    fs::remove(fs::path{first} / ".ccbt-root");
    fs::create_symlink(fs::path{second} / ".ccbt-root", fs::path{first} / ".ccbt-root");
    EXPECT_EQ(check_root({other.root.id, first}).state, root_state::offline) << "a link is no marker";
}

// ---- at the start

TEST_F(roots, new_folders_are_to_be_stored_and_known_ones_are_not) {
    store_roots all;
    auto const opened = all.open({}, {first, second + "/"});
    ASSERT_THAT(opened.fresh, SizeIs(2));
    EXPECT_EQ(opened.fresh[0].path, first);
    EXPECT_EQ(opened.fresh[1].path, second) << "without the slash at its end";
    EXPECT_THAT(opened.known, SizeIs(2));

    store_roots again;
    auto const reopened = again.open(opened.fresh, {first, second});
    EXPECT_THAT(reopened.fresh, IsEmpty());
    ASSERT_THAT(reopened.known, SizeIs(2));
    EXPECT_EQ(state_of(reopened.known[0]), "online");
    EXPECT_THAT(again.all(), ElementsAre(opened.fresh[0], opened.fresh[1]));
}

TEST_F(roots, a_root_that_no_configuration_names_is_still_known_and_takes_nothing_new) {
    store_roots before;
    auto const stored = before.open({}, {first, second}).fresh;
    store_roots all;
    auto const opened = all.open(stored, {second});
    EXPECT_THAT(opened.known, SizeIs(2));
    EXPECT_EQ(all.resolve(std::nullopt)->root, stored[1].id);
    EXPECT_FALSE(all.resolve(first + "/x"));
}

TEST_F(roots, a_root_whose_drive_is_away_at_the_start_is_not_marked_anew) {
    store_roots before;
    auto const stored = before.open({}, {first}).fresh;
    fs::rename(first, second);
    fs::create_directory(first); // the empty mount point
    store_roots all;
    auto const opened = all.open(stored, {first});
    ASSERT_THAT(opened.known, SizeIs(1));
    EXPECT_EQ(state_of(opened.known[0]), "offline");
    EXPECT_FALSE(fs::exists(fs::path{first} / ".ccbt-root"));
    EXPECT_THAT(opened.fresh, IsEmpty());
}

TEST_F(roots, a_moved_folder_is_found_by_its_marker) {
    store_roots before;
    auto const stored = before.open({}, {first}).fresh;
    fs::rename(first, second);
    store_roots all;
    auto const opened = all.open(stored, {second});
    ASSERT_THAT(opened.known, SizeIs(1));
    EXPECT_EQ(opened.known[0].root.id, stored[0].id);
    EXPECT_EQ(opened.known[0].root.path, second);
    EXPECT_EQ(state_of(opened.known[0]), "online");
    ASSERT_THAT(opened.fresh, SizeIs(1)) << "its new path is to be stored";
    EXPECT_EQ(opened.fresh[0].path, second);
    EXPECT_EQ(all.resolve(std::nullopt)->root, stored[0].id);
}

TEST_F(roots, a_copy_of_a_marked_folder_is_refused_and_says_how_to_mend_it) {
    store_roots before;
    auto const stored = before.open({}, {first}).fresh;
    fs::copy(first, second, fs::copy_options::recursive);
    store_roots all;
    auto const opened = all.open(stored, {first, second});
    ASSERT_THAT(opened.known, SizeIs(2));
    EXPECT_EQ(state_of(opened.known[0]), "online");
    EXPECT_EQ(state_of(opened.known[1]), "offline");
    EXPECT_NE(opened.known[1].root.id, stored[0].id);
    EXPECT_THAT(opened.known[1].why, ::testing::HasSubstr("remove the file .ccbt-root"));
    EXPECT_THAT(opened.fresh, IsEmpty());
    EXPECT_EQ(all.resolve(second)->root, opened.known[1].root.id) << "it is offline, not another's";

    fs::remove(fs::path{second} / ".ccbt-root"); // as it was told
    store_roots mended;
    auto const after = mended.open(stored, {first, second});
    EXPECT_EQ(state_of(after.known[1]), "online");
    EXPECT_THAT(after.fresh, SizeIs(1));
}

TEST_F(roots, a_folder_that_cannot_be_marked_is_offline_and_tried_again_at_the_next_start) {
    write_file(first, "a file is in the way");
    store_roots all;
    auto const opened = all.open({}, {first});
    EXPECT_EQ(state_of(opened.known[0]), "offline");
    EXPECT_THAT(opened.fresh, IsEmpty()) << "stored, it would wait for a marker that nobody writes";
    fs::remove(first);
    store_roots again;
    EXPECT_EQ(state_of(again.open({}, {first}).known[0]), "online");
}

TEST_F(roots, a_drive_mounted_read_only_is_online_without_a_marker_and_its_bare_mount_point_is_not) {
    if (::geteuid() != 0) GTEST_SKIP() << "mounting takes root";
    auto const root = adopt_root(first).root;
    fs::remove(fs::path{first} / ".ccbt-root");
    EXPECT_EQ(state_of(check_root(root)), "offline");
    auto const child = ::fork(); // a mount namespace of its own, gone with it
    if (child == 0) {
        auto const away = ::unshare(CLONE_NEWNS) == 0 &&
                          ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                          ::mount("none", first.c_str(), "tmpfs", MS_RDONLY, nullptr) == 0;
        ::_exit(away ? (check_root(root).state == root_state::online ? 0 : 1) : 77);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no mount namespaces here";
    EXPECT_EQ(status, 0) << "a read-only file system takes no marker, and no mistaken write either";
}

// ---- where output_dir lies

struct resolving : roots {
    store_roots all;
    model::torrent_id first_id, second_id;
    resolving() {
        auto const opened = all.open({}, {first, second});
        first_id = opened.fresh[0].id;
        second_id = opened.fresh[1].id;
    }
    std::string folder(std::string const& output_dir) const {
        auto const place = all.resolve(output_dir);
        if (!place) return said(place) + ' ' + detail(place, "reason");
        return (place->root == first_id ? "1:" : "2:") + place->folder;
    }
};

TEST_F(resolving, no_output_dir_is_the_first_root) {
    EXPECT_EQ(all.resolve(std::nullopt)->root, first_id);
    EXPECT_EQ(all.resolve(std::nullopt)->folder, "");
    EXPECT_EQ(folder(""), "1:");
}

TEST_F(resolving, a_path_inside_is_its_root_and_the_rest) {
    EXPECT_EQ(folder(first), "1:");
    EXPECT_EQ(folder(first + "/"), "1:");
    EXPECT_EQ(folder(second + "/a/b"), "2:a/b");
    EXPECT_EQ(folder(second + "//a/./b/"), "2:a/b");
    EXPECT_EQ(folder("films/new"), "1:films/new") << "relative to the default root";
    EXPECT_EQ(folder(second + "/a/../b"), "2:b");
    EXPECT_EQ(folder(first + "/../second/x"), "2:x");
    fs::create_directories(fs::path{second} / "there");
    EXPECT_EQ(folder(second + "/there/not yet"), "2:there/not yet");
}

TEST_F(resolving, a_path_outside_is_403_with_its_reason) {
    auto const refused = "403 ADD_TORRENT_ERROR path_not_allowed";
    for (auto const& outside :
         {std::string{"/"}, std::string{"/etc"}, at.path(), first + "er", first + "/..", first + "/a/../../b",
          std::string{"../x"}, std::string{"a/../../second-not"}, std::string{"x\0y", 3}})
        EXPECT_EQ(folder(outside), refused) << outside;
    EXPECT_EQ(detail(all.resolve("/etc"), "field"), "output_dir");
}

TEST_F(resolving, links_on_the_way_are_refused_wherever_they_lead) {
    auto const refused = "403 ADD_TORRENT_ERROR path_not_allowed";
    fs::create_directory_symlink("/tmp", fs::path{first} / "out");
    fs::create_directories(fs::path{first} / "real");
    fs::create_directory_symlink("real", fs::path{first} / "in");
    fs::create_symlink("/nowhere/at/all", fs::path{first} / "dangling");
    EXPECT_EQ(folder(first + "/out"), refused);
    EXPECT_EQ(folder(first + "/out/deep/er"), refused);
    EXPECT_EQ(folder(first + "/in"), refused);
    EXPECT_EQ(folder(first + "/in/x"), refused);
    EXPECT_EQ(folder(first + "/dangling/x"), refused);
    EXPECT_EQ(folder(first + "/real/x"), "1:real/x");
}

TEST_F(resolving, a_file_in_the_way_is_400_and_no_matter_of_permission) {
    write_file(fs::path{first} / "file");
    EXPECT_EQ(folder(first + "/file"), "400 ADD_TORRENT_ERROR ");
    EXPECT_EQ(folder(first + "/file/below"), "400 ADD_TORRENT_ERROR ");
}

TEST_F(roots, the_longest_root_above_a_path_is_its_root) {
    store_roots all;
    auto const inner = first + "/inner";
    auto const opened = all.open({}, {first, inner});
    EXPECT_EQ(all.resolve(inner + "/x")->root, opened.fresh[1].id);
    EXPECT_EQ(all.resolve(inner + "/x")->folder, "x");
    EXPECT_EQ(all.resolve(first + "/innermost")->root, opened.fresh[0].id);
    EXPECT_EQ(all.resolve(first + "/innermost")->folder, "innermost");
}

TEST_F(roots, the_root_of_all_folders_can_be_a_root) {
    // Not opened, since that would mark this machine's /: known from before, its marker missing.
    store_roots all;
    model::storage_root const slash{{1, 2}, "/"};
    auto const opened = all.open({slash}, {"/"});
    EXPECT_EQ(state_of(opened.known[0]), "offline");
    EXPECT_EQ(all.resolve("/some/where")->folder, "some/where");
    EXPECT_EQ(all.resolve("/")->folder, "");
    EXPECT_EQ(all.resolve("some/where")->folder, "some/where");
}

TEST_F(roots, without_any_folder_nothing_is_taken) {
    store_roots const none;
    EXPECT_EQ(said(none.resolve(std::nullopt)), "403 ADD_TORRENT_ERROR");
}

} // namespace
} // namespace ccbt::executor
