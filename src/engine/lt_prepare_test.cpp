#include "engine/lt_prepare.hpp"
#include "engine/lt_source.hpp"
#include "engine/lt_test_support.hpp"

#include <gtest/gtest.h>
#include <libtorrent/write_resume_data.hpp>

namespace {

using namespace ccbt;
using namespace ccbt::engine::testing;
namespace lt = libtorrent;

TEST(lt_prepare, a_piece_that_is_claimed_as_whole_and_as_unfinished_is_whole) {
    auto const dir = temporary_folder{};
    auto const bytes = make_torrent(make_payload(dir.path(), 1'000'000), kind::v1);
    auto said = lt::add_torrent_params{};
    said.ti = *engine::parse_torrent(bytes);
    said.info_hashes = said.ti->info_hashes();
    said.have_pieces.resize(said.ti->num_pieces(), true);
    said.have_pieces.clear_bit(lt::piece_index_t{5});
    for (auto const piece : {3, 5}) {
        auto blocks = lt::bitfield{4, false};
        blocks.set_bit(1);
        said.unfinished_pieces[lt::piece_index_t{piece}] = blocks;
    }
    auto const resume = lt::write_resume_data_buf(said);

    auto asked = model::torrent_asked{};
    asked.hashes = engine::read_torrent(bytes)->hashes;
    asked.has_metainfo = true;
    auto const how = engine::wish{std::make_shared<model::torrent_asked const>(asked), dir.path(), false};
    auto first = engine::load{};
    first.metainfo = std::make_shared<std::string const>(bytes);
    first.resume = std::make_shared<std::string const>(resume.begin(), resume.end());
    auto const made = engine::prepare(how, first, {}, {});

    EXPECT_EQ(made.refused, "");
    EXPECT_TRUE(made.params.have_pieces.get_bit(lt::piece_index_t{3}));
    ASSERT_EQ(made.params.unfinished_pieces.size(), 1);
    EXPECT_EQ(made.params.unfinished_pieces.begin()->first, lt::piece_index_t{5});
}

} // namespace
