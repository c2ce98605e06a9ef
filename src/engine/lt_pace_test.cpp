#include "engine/lt_pace.hpp"

#include "engine/lt_settings.hpp"

#include <gtest/gtest.h>
#include <libtorrent/session.hpp>

namespace {

namespace lt = libtorrent;
using namespace ccbt;
using namespace ccbt::engine;

struct lt_pace_of_a_session : testing::Test {
    lt::session session{lt::session_params{make_settings_pack({}, false), {}}};
    // NOLINTNEXTLINE(cppcoreguidelines-slicing): a handle is what is wanted
    lt_pace pace{lt::session_handle{session}, {}};
    [[nodiscard]] int tick() const {
        return session.get_settings().get_int(lt::settings_pack::tick_interval);
    }
};

TEST_F(lt_pace_of_a_session, is_slow_while_nothing_is_limited) { EXPECT_EQ(tick(), 100); }

TEST_F(lt_pace_of_a_session, is_fast_from_the_start_under_a_limit_that_is_there) {
    // NOLINTNEXTLINE(cppcoreguidelines-slicing): a handle is what is wanted
    lt_pace const from_the_start{lt::session_handle{session}, {.global_down_kib = 1}};
    EXPECT_EQ(tick(), 20);
}

TEST_F(lt_pace_of_a_session, is_fast_under_a_limit_of_the_session) {
    pace.session_limits({.global_up_kib = 1});
    EXPECT_EQ(tick(), 20);
    pace.session_limits({});
    EXPECT_EQ(tick(), 100);
    pace.session_limits({.global_down_kib = 1});
    EXPECT_EQ(tick(), 20);
}

TEST_F(lt_pace_of_a_session, is_fast_until_the_last_limited_torrent_has_no_limit_any_more) {
    pace.torrent_limited(1, true);
    pace.torrent_limited(2, true);
    pace.torrent_limited(2, true);
    pace.torrent_limited(3, false);
    EXPECT_EQ(tick(), 20);
    pace.torrent_limited(2, false);
    EXPECT_EQ(tick(), 20);
    pace.torrent_limited(1, false);
    EXPECT_EQ(tick(), 100);
}

} // namespace
