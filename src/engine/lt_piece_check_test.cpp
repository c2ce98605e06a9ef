#include "engine/lt_piece_check.hpp"
#include "engine/lt_source.hpp"
#include "engine/lt_sync.hpp"
#include "engine/lt_test_support.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

namespace {

using namespace ccbt::engine;
using namespace ccbt::engine::testing;

struct lt_piece_check : ::testing::TestWithParam<kind> {
    temporary_folder dir;
    fs::path payload = make_payload(dir.path(), 1'000'000);
    std::shared_ptr<libtorrent::torrent_info> torrent = *parse_torrent(make_torrent(payload, GetParam()));
    std::atomic<bool> stop = false;

    [[nodiscard]] piece_set all() const { return piece_set{torrent->num_pieces(), true}; }
    piece_check check(piece_set const& which) const {
        return check_pieces(*torrent, dir.path(), which, {}, stop);
    }
    [[nodiscard]] std::vector<int> bad() const {
        auto const found = check(all());
        auto list = std::vector<int>{};
        for (auto const p : torrent->piece_range())
            if (!found.good.get_bit(p)) list.push_back(static_cast<int>(p));
        return list;
    }
};

INSTANTIATE_TEST_SUITE_P(of, lt_piece_check, ::testing::Values(kind::v1, kind::v2, kind::hybrid));

TEST_P(lt_piece_check, whole_files_are_all_good) { EXPECT_THAT(bad(), ::testing::IsEmpty()); }

TEST_P(lt_piece_check, a_flipped_byte_makes_its_piece_bad_and_no_other) {
    auto bytes = read_file(payload / "a.bin");
    bytes[3 * 65536 + 5] = static_cast<char>(bytes[3 * 65536 + 5] ^ 1);
    write_file(payload / "a.bin", bytes);
    EXPECT_THAT(bad(), ::testing::ElementsAre(3));
}

TEST_P(lt_piece_check, only_what_is_asked_for_is_judged) {
    auto which = piece_set{torrent->num_pieces(), false};
    which.set_bit(libtorrent::piece_index_t{2});
    auto const found = check(which);
    EXPECT_EQ(found.good.count(), 1);
    EXPECT_TRUE(found.good.get_bit(libtorrent::piece_index_t{2}));
    EXPECT_EQ(found.bytes_read, 65536);
}

TEST_P(lt_piece_check, a_missing_file_and_a_short_one_make_their_pieces_bad) {
    auto const before = check(all()).good.count();
    fs::remove(payload / "sub" / "b.bin");
    auto const without_b = check(all()).good.count();
    EXPECT_LT(without_b, before);
    EXPECT_GE(without_b, 7); // a.bin's
    fs::resize_file(payload / "a.bin", 65536 * 2 + 1);
    EXPECT_EQ(check(all()).good.get_bit(libtorrent::piece_index_t{1}), true);
    EXPECT_EQ(check(all()).good.get_bit(libtorrent::piece_index_t{2}), false);
}

TEST_P(lt_piece_check, holes_are_not_read) {
    auto const size = fs::file_size(payload / "a.bin");
    fs::remove(payload / "a.bin");
    write_file(payload / "a.bin", "");
    fs::resize_file(payload / "a.bin", size);
    fs::remove(payload / "sub" / "b.bin");
    auto const found = check(all());
    EXPECT_LE(found.bytes_read, 5); // c.txt
    EXPECT_LE(found.good.count(), 1);
}

TEST_P(lt_piece_check, it_stops_when_told_and_tells_how_far_it_is) {
    auto judged_last = 0;
    auto const told = check_pieces(
        *torrent, dir.path(), all(), [&](int judged, int, int) { judged_last = judged; }, stop);
    EXPECT_EQ(judged_last, torrent->num_pieces());
    EXPECT_FALSE(told.stopped);
    stop = true;
    auto const stopped = check(all());
    EXPECT_TRUE(stopped.stopped);
    EXPECT_EQ(stopped.good.count(), 0);
}

TEST_P(lt_piece_check, zeros_in_a_hole_are_good_where_zeros_are_meant) {
    auto const zeros = dir / "zeros.bin";
    write_file(zeros, std::string(200'000, '\0'));
    auto const of_zeros = *parse_torrent(make_torrent(zeros, GetParam()));
    write_file(zeros, "");
    fs::resize_file(zeros, 200'000);
    auto const found = check_pieces(*of_zeros, dir.path(), piece_set{of_zeros->num_pieces(), true}, {}, stop);
    EXPECT_TRUE(found.good.all_set());
    EXPECT_EQ(found.bytes_read, 0);
}

TEST_P(lt_piece_check, what_is_no_regular_file_is_never_waited_for) {
    fs::remove(payload / "a.bin");
    ASSERT_EQ(::mkfifo((payload / "a.bin").c_str(), 0600), 0);
    EXPECT_FALSE(check(all()).good.get_bit(libtorrent::piece_index_t{0}));
    fs::remove(payload / "a.bin");
    fs::create_symlink("/etc/passwd", payload / "a.bin");
    EXPECT_FALSE(check(all()).good.get_bit(libtorrent::piece_index_t{0}));
}

TEST_P(lt_piece_check, pieces_are_synced_where_their_files_are) {
    auto const synced = [&](std::size_t times) {
        auto const info = std::shared_ptr<lt::torrent_info const>{torrent};
        auto many = std::vector<claimed_pieces>(times, {info, dir.path(), all()});
        auto them = std::vector<claimed_pieces*>{};
        for (auto& one : many) them.push_back(&one);
        sync_pieces(them);
        return std::all_of(many.begin(), many.end(), [](auto const& one) { return one.ok; });
    };
    EXPECT_TRUE(synced(1));
    EXPECT_TRUE(synced(100)); // together
    fs::remove(payload / "a.bin");
    fs::create_symlink(payload / "sub" / "b.bin", payload / "a.bin");
    EXPECT_FALSE(synced(1)); // a link is none of ours
    EXPECT_FALSE(synced(100));
}

} // namespace
