#include "engine/content.hpp"
#include "engine/lt_convert.hpp"
#include "engine/lt_source.hpp"
#include "engine/lt_test_support.hpp"

#include <gmock/gmock.h>
#include <libtorrent/write_resume_data.hpp>
#include <sys/stat.h>

namespace {

using namespace ccbt::engine;
using namespace ccbt::engine::testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr int piece = 65536;

struct lt_content : ::testing::TestWithParam<kind> {
    temporary_folder dir;
    fs::path data = dir / "data";
    std::string torrent;
    verify_watch watch;

    lt_content() {
        // a ends within a piece that b begins in, b in one that c is wholly in.
        write_file(data / "a", random_bytes(3 * piece + 1000, 1));
        write_file(data / "b", random_bytes(2 * piece, 2));
        write_file(data / "c", random_bytes(500, 3));
        write_file(data / "empty", "");
        // In this order: what a folder lists comes in none.
        auto files = libtorrent::file_storage{};
        for (auto const* name : {"a", "b", "c", "empty"})
            files.add_file(
                std::string{"data/"} + name, static_cast<std::int64_t>(fs::file_size(data / name)));
        auto flags = libtorrent::create_flags_t{};
        if (GetParam() == kind::v1) flags = libtorrent::create_torrent::v1_only;
        if (GetParam() == kind::v2) flags = libtorrent::create_torrent::v2_only;
        auto made = libtorrent::create_torrent{files, piece, flags};
        libtorrent::set_piece_hashes(made, dir.path());
        libtorrent::bencode(std::back_inserter(torrent), made.generate());
    }
    [[nodiscard]] bool pieces_are_shared() const { return GetParam() == kind::v1; }
    [[nodiscard]] std::int64_t index_of(std::string const& name) const {
        auto const files = read_content(torrent);
        for (std::size_t i = 0; i < files->size(); ++i)
            if ((*files)[i].path == "data/" + name) return static_cast<std::int64_t>(i);
        throw std::runtime_error{"no file " + name};
    }
    [[nodiscard]] std::vector<std::string> failed(std::vector<std::string> const& unwanted = {}) {
        std::vector<std::uint8_t> levels;
        for (auto const& name : unwanted) {
            auto const at = static_cast<std::size_t>(index_of(name));
            if (levels.size() <= at) levels.resize(at + 1, 4);
            levels[at] = 0;
        }
        auto const found = verify(torrent, dir.path(), levels, watch);
        EXPECT_FALSE(found->stopped);
        EXPECT_EQ(found->verified.size() + found->failed.size() + unwanted.size(), 4);
        std::vector<std::string> names;
        for (auto const& path : found->failed) {
            EXPECT_TRUE(path.starts_with(data.string() + '/')) << path;
            names.push_back(path.substr(data.string().size() + 1));
        }
        return names;
    }
    void flip(std::string const& name, std::size_t at) const {
        auto bytes = read_file(data / name);
        bytes[at] = static_cast<char>(bytes[at] ^ 1);
        write_file(data / name, bytes);
    }
    /// As libtorrent writes it: a header of slots by piece, then the pieces.
    void keep_in_part_file(int which, std::string const& bytes, std::size_t within) const {
        auto const info = *parse_torrent(torrent);
        auto const number = [](std::uint32_t n) {
            std::string out;
            for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift & 0xffU);
            return out;
        };
        auto header = number(static_cast<std::uint32_t>(info->num_pieces())) + number(piece);
        for (int i = 0; i < info->num_pieces(); ++i) header += number(i == which ? 0 : 0xffffffffU);
        header.resize((header.size() + 1023) / 1024 * 1024, '\0');
        auto slot = std::string(piece, '\0');
        slot.replace(within, bytes.size(), bytes);
        auto const hash = to_hashes(info->info_hashes()).canonical().hex().substr(0, 40);
        write_file(dir / ('.' + hash + ".parts"), header + slot);
    }
};
INSTANTIATE_TEST_SUITE_P(of, lt_content, ::testing::Values(kind::v1, kind::v2, kind::hybrid));

TEST_P(lt_content, files_are_named_with_their_sizes_and_padding_is_told) {
    auto const files = read_content(torrent);
    ASSERT_TRUE(files);
    std::vector<std::string> real;
    for (auto const& one : *files) {
        if (one.is_padding) {
            EXPECT_EQ(one.attributes, "p");
            continue;
        }
        EXPECT_EQ(one.attributes, "");
        EXPECT_EQ(one.size, fs::file_size(dir / one.path));
        real.push_back(one.path);
    }
    EXPECT_THAT(real, UnorderedElementsAre("data/a", "data/b", "data/c", "data/empty"));
    EXPECT_EQ(files->size() > 4, !pieces_are_shared());
}

TEST_P(lt_content, whole_files_are_verified_and_an_empty_one_by_being_there) {
    EXPECT_THAT(failed(), IsEmpty());
    EXPECT_EQ(watch.finished, watch.total);
    EXPECT_GT(watch.total, 5);
    fs::remove(data / "empty");
    EXPECT_THAT(failed(), ElementsAre("empty"));
}

TEST_P(lt_content, a_flipped_byte_fails_each_file_of_its_piece) {
    flip("a", 10);
    EXPECT_THAT(failed(), ElementsAre("a"));
    flip("a", 10);
    flip("a", 3 * piece + 10);
    if (pieces_are_shared())
        EXPECT_THAT(failed(), UnorderedElementsAre("a", "b"));
    else
        EXPECT_THAT(failed(), ElementsAre("a"));
}

TEST_P(lt_content, what_is_missing_shorter_longer_a_link_or_a_fifo_fails) {
    auto const bytes = read_file(data / "c");
    auto const fails_now = [&](char const* how) {
        EXPECT_THAT(failed(), ::testing::Contains("c")) << how;
        fs::remove(data / "c");
    };
    fs::remove(data / "c");
    fails_now("missing");
    write_file(data / "c", bytes + 'x');
    fails_now("longer");
    write_file(data / "c", bytes.substr(1));
    fails_now("shorter");
    write_file(dir / "elsewhere", bytes);
    fs::create_symlink(dir / "elsewhere", data / "c");
    fails_now("a link");
    ASSERT_EQ(::mkfifo((data / "c").c_str(), 0600), 0);
    fails_now("a FIFO");
    write_file(data / "c", bytes);
    EXPECT_THAT(failed(), IsEmpty());
    fs::rename(data, dir / "moved");
    fs::create_directory_symlink(dir / "moved", data);
    EXPECT_THAT(failed(), UnorderedElementsAre("a", "b", "c", "empty")) << "reached through a link";
}

TEST_P(lt_content, a_piece_shared_with_an_unwanted_file_is_judged_by_the_part_file) {
    auto const b = read_file(data / "b");
    EXPECT_THAT(failed({"b"}), IsEmpty()) << "what is there of b is used";
    fs::remove(data / "b");
    if (!pieces_are_shared()) {
        EXPECT_THAT(failed({"b"}), IsEmpty()) << "no piece has bytes of two files";
        return;
    }
    EXPECT_THAT(failed({"b"}), UnorderedElementsAre("a", "c")) << "nothing of b to judge the piece by";
    keep_in_part_file(3, b.substr(0, piece - 1000), 1000);
    EXPECT_THAT(failed({"b"}), ElementsAre("c"));
    keep_in_part_file(5, b.substr(2 * piece - 1000), 0);
    EXPECT_THAT(failed({"b"}), ElementsAre("a"));
}

TEST_P(lt_content, it_gives_up_when_told) {
    watch.stop = true;
    auto const found = verify(torrent, dir.path(), {}, watch);
    EXPECT_TRUE(found->stopped);
    EXPECT_THAT(found->verified, IsEmpty());
    EXPECT_THAT(found->failed, IsEmpty());
}

TEST_P(lt_content, saved_progress_is_that_of_the_claimed_pieces) {
    auto params = libtorrent::add_torrent_params{};
    params.ti = *parse_torrent(torrent);
    params.info_hashes = params.ti->info_hashes();
    params.have_pieces.resize(params.ti->num_pieces(), false);
    params.have_pieces.set_bit(libtorrent::piece_index_t{0});
    params.have_pieces.set_bit(libtorrent::piece_index_t{3});
    auto const buffer = libtorrent::write_resume_data_buf(params);
    auto const saved = saved_file_progress(torrent, {buffer.data(), buffer.size()});
    EXPECT_EQ(saved.at(static_cast<std::size_t>(index_of("a"))), piece + 1000);
    EXPECT_EQ(saved.at(static_cast<std::size_t>(index_of("b"))), pieces_are_shared() ? piece - 1000 : 0);
    auto const share = [&](std::vector<std::uint8_t> const& levels) {
        return claimed_progress(*params.ti, params, levels);
    };
    EXPECT_DOUBLE_EQ(share({}), (pieces_are_shared() ? 2.0 * piece : piece + 1000) / (5 * piece + 1500));
    auto levels = std::vector<std::uint8_t>(static_cast<std::size_t>(params.ti->num_files()), 4);
    levels[static_cast<std::size_t>(index_of("b"))] = 0;
    EXPECT_DOUBLE_EQ(share(levels), (piece + 1000.0) / (3 * piece + 1500)) << "b is not wanted";
    for (auto const whole : {0, 1}) { // a block of one that is whole does not count again
        auto& blocks = params.unfinished_pieces[libtorrent::piece_index_t{whole}];
        blocks.resize(4, false);
        blocks.set_bit(2);
    }
    EXPECT_DOUBLE_EQ(share(levels), (piece + 1000.0 + 16384) / (3 * piece + 1500));
    EXPECT_THAT(saved_file_progress(torrent, "d1:ae"), IsEmpty());
    EXPECT_THAT(saved_file_progress("nonsense", {buffer.data(), buffer.size()}), IsEmpty());
}

} // namespace
