#include "cli/progress.hpp"

#include "cli/terminal.hpp"

#include <gtest/gtest.h>

namespace ccbt::cli {
namespace {

using contract::torrent_state;

contract::torrent_status row(double progress, torrent_state status = torrent_state::downloading) {
    contract::torrent_status made;
    made.info_hash = "aa";
    made.name = "debian-12.iso";
    made.status = status;
    made.progress = progress;
    made.total_size = 1000 * 1024;
    made.download_rate = 100 * 1024;
    made.num_peers = 3;
    return made;
}

TEST(progress_bar, says_percent_rates_peers_and_the_time_left) {
    EXPECT_EQ(
        progress_bar(row(0.5), 100),
        "debian-12.iso  [############------------]  50.0 %  100.0 KiB/s down  0 B/s up  3 peers  ETA 5 s");
}

TEST(progress_bar, fits_every_width) {
    auto wide = row(0.25);
    wide.name = "名前名前名前名前名前名前 \x1b[2J";
    for (std::size_t width = 1; width < 200; ++width) EXPECT_LE(columns(progress_bar(wide, width)), width);
    EXPECT_EQ(progress_bar(wide, 150).find('\x1b'), std::string::npos);
}

TEST(percent, is_whole_only_when_it_is) {
    EXPECT_EQ(percent(0), "0.0 %");
    EXPECT_EQ(percent(0.99999), "99.9 %");
    EXPECT_EQ(percent(1), "100 %");
}

TEST(outcome, of_each_state) {
    EXPECT_EQ(outcome_of(row(1, torrent_state::seeding)), outcome::complete);
    EXPECT_EQ(outcome_of(row(1, torrent_state::paused)), outcome::complete);
    EXPECT_EQ(outcome_of(row(0.5, torrent_state::paused)), outcome::going);
    EXPECT_EQ(outcome_of(row(1, torrent_state::checking)), outcome::going);
    EXPECT_EQ(outcome_of(row(0, torrent_state::metadata)), outcome::going);
    EXPECT_EQ(outcome_of(row(0.5, torrent_state::error)), outcome::failed);
}

TEST(progress_log, a_line_each_ten_percent_and_at_each_status) {
    progress_log log;
    EXPECT_EQ(log.line_for(row(0, torrent_state::checking)), "debian-12.iso: checking 0.0 %");
    EXPECT_EQ(log.line_for(row(0, torrent_state::checking)), std::nullopt);
    EXPECT_EQ(log.line_for(row(0)), "debian-12.iso: downloading 0.0 %, 100.0 KiB/s down, 3 peers, ETA 10 s");
    EXPECT_EQ(log.line_for(row(0.05)), std::nullopt);
    EXPECT_TRUE(log.line_for(row(0.11)));
    EXPECT_EQ(log.line_for(row(0.19)), std::nullopt);
    EXPECT_TRUE(log.line_for(row(0.55)));
    auto broken = row(0.55, torrent_state::error);
    broken.error = "disk\nfull";
    EXPECT_EQ(log.line_for(broken), "debian-12.iso: error 55.0 %: disk\\u000afull");
}

} // namespace
} // namespace ccbt::cli
