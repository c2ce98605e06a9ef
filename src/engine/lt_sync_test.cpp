#include "engine/lt_sync.hpp"

#include "engine/lt_source.hpp"
#include "engine/lt_test_support.hpp"

#include <cerrno>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/utsname.h>

namespace {

using namespace ccbt::engine;
using namespace ccbt::engine::testing;

int whole_syncs = 0;
int counted(int fd) {
    ++whole_syncs;
    return ::syncfs(fd);
}
int failing(int) {
    ++whole_syncs;
    errno = EIO;
    return -1;
}

struct lt_sync : ::testing::Test {
    temporary_folder dir{"/dev/shm"}; // a tmpfs, one of the kinds that are synced together
    fs::path payload = make_payload(dir.path(), 100'000);
    std::shared_ptr<libtorrent::torrent_info const> torrent = *parse_torrent(make_torrent(payload, kind::v1));

    void SetUp() override {
        whole_syncs = 0;
        utsname running{};
        ASSERT_EQ(::uname(&running), 0);
        if (!syncfs_tells_errors(running.release))
            GTEST_SKIP() << "before Linux 5.17 each file is synced by itself, always";
    }

    // As many torrents, all of the same files, at `dir`.
    [[nodiscard]] std::vector<claimed_pieces> many(std::size_t count) const {
        return std::vector<claimed_pieces>(
            count, {torrent, dir.path(), piece_set{torrent->num_pieces(), true}});
    }
    static sync_counts sync(std::vector<claimed_pieces>& all, int (*whole_file_system)(int) = counted) {
        auto them = std::vector<claimed_pieces*>{};
        for (auto& one : all) them.push_back(&one);
        return sync_pieces(them, whole_file_system);
    }
    static bool are_ok(std::vector<claimed_pieces> const& all) {
        return std::all_of(all.begin(), all.end(), [](auto const& one) { return one.ok; });
    }
};

// Of each torrent three files, a part file and three folders: the save path and two below it.
TEST_F(lt_sync, from_64_names_on_all_are_synced_at_once_and_below_each_by_itself) {
    for (auto const& [torrents, together] : {std::pair{9U, 0U}, std::pair{10U, 10U}}) {
        whole_syncs = 0;
        auto all = many(torrents);
        auto const counts = sync(all);
        EXPECT_EQ(counts.alone, torrents - together);
        EXPECT_EQ(counts.together, together);
        EXPECT_EQ(whole_syncs, together == 0 ? 0 : 1);
        EXPECT_TRUE(are_ok(all));
    }
}

TEST_F(lt_sync, where_the_file_system_fails_each_file_is_synced_by_itself) {
    auto ten = many(10);
    auto const counts = sync(ten, failing);
    EXPECT_EQ(counts.alone, 10U);
    EXPECT_EQ(counts.together, 0U);
    EXPECT_EQ(whole_syncs, 1);
    EXPECT_TRUE(are_ok(ten)) << "each was asked for its own";
}

TEST_F(lt_sync, a_torrent_with_a_link_for_a_file_is_synced_by_itself_and_is_not_safe) {
    temporary_folder other{"/dev/shm"};
    auto const linked = make_payload(other.path(), 100'000);
    fs::remove(linked / "a.bin");
    fs::create_symlink(payload / "a.bin", linked / "a.bin");
    auto all = many(11);
    all[3].save_path = other.path();
    auto const counts = sync(all);
    EXPECT_EQ(counts.alone, 1U);
    EXPECT_EQ(counts.together, 10U);
    EXPECT_FALSE(all[3].ok);
    all.erase(all.begin() + 3);
    EXPECT_TRUE(are_ok(all));
}

TEST_F(lt_sync, a_torrent_with_another_file_system_below_it_is_synced_by_itself) {
    temporary_folder below;             // where /tmp is
    temporary_folder other{"/dev/shm"}; // as with a mount: what lies at its data/sub is elsewhere
    struct stat here {
    }, there{};
    ASSERT_EQ(::stat(other.path().c_str(), &here), 0);
    ASSERT_EQ(::stat(below.path().c_str(), &there), 0);
    ASSERT_NE(here.st_dev, there.st_dev);
    make_payload(other.path(), 100'000);
    fs::remove_all(other / "data/sub");
    fs::create_directory_symlink(below.path(), other / "data/sub");
    auto all = many(11);
    all[3].save_path = other.path();
    auto const counts = sync(all);
    EXPECT_EQ(counts.alone, 1U);
    EXPECT_EQ(counts.together, 10U);
    EXPECT_EQ(whole_syncs, 1);
    EXPECT_TRUE(are_ok(all));
}

TEST(syncfs, is_believed_from_the_kernel_on_that_tells_its_errors) {
    EXPECT_TRUE(syncfs_tells_errors("6.1.0-18-amd64"));
    EXPECT_TRUE(syncfs_tells_errors("5.17.0"));
    EXPECT_TRUE(syncfs_tells_errors("5.17"));
    EXPECT_FALSE(syncfs_tells_errors("5.16.12"));
    EXPECT_FALSE(syncfs_tells_errors("5.8.0-63-generic"));
    EXPECT_FALSE(syncfs_tells_errors("4.19.0"));
    EXPECT_FALSE(syncfs_tells_errors("of ours"));
}

} // namespace
