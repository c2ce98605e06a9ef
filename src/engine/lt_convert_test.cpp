#include "engine/lt_convert.hpp"

#include <gtest/gtest.h>
#include <libtorrent/torrent_status.hpp>

namespace {

using namespace ccbt;
using contract::torrent_state;

TEST(lt_convert, what_lacks_a_wanted_piece_is_not_seeding_whatever_libtorrent_calls_it) {
    auto said = libtorrent::torrent_status{};
    said.has_metadata = true;
    said.state = libtorrent::torrent_status::finished;
    said.total_wanted = 64;
    said.total_wanted_done = 63;
    auto const lacking = engine::to_seen({1, 1}, said, false, {});
    EXPECT_EQ(lacking.state, torrent_state::downloading);
    EXPECT_FALSE(lacking.finished);
    EXPECT_EQ(lacking.progress, 63.0 / 64);
    said.is_finished = true;
    auto const whole = engine::to_seen({1, 1}, said, false, {});
    EXPECT_EQ(whole.state, torrent_state::seeding);
    EXPECT_EQ(whole.progress, 1.0);
}

} // namespace
