#include "cli/top_view.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>

namespace ccbt::cli {
namespace {

using contract::torrent_state;
using contract::torrent_status;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

torrent_status row(int number, torrent_state status = torrent_state::seeding) {
    torrent_status made;
    made.info_hash = fmt::format("{:040d}", number);
    made.name = fmt::format("torrent {:02}", number);
    made.status = status;
    made.progress = status == torrent_state::seeding ? 1 : 0.5;
    made.total_size = 1024 * number;
    return made;
}

struct top : ::testing::Test {
    top_view view{top_view::column::name};
    top_view::rows rows;

    void have(std::vector<torrent_status> const& all) {
        rows.clear();
        for (auto const& one : all) rows.emplace(one.info_hash, one);
    }
    void have_so_many(int count) {
        std::vector<torrent_status> all;
        for (int n = 1; n <= count; ++n) all.push_back(row(n));
        have(all);
    }
    std::vector<std::string> frame(std::size_t height = 24, std::string_view note = "") {
        return view.frame(rows, "head", note, {.width = 120, .height = height});
    }
    // The numbers of the torrents that are shown, in order; the marked one with a ">".
    std::vector<std::string> shown(std::size_t height = 24) {
        std::vector<std::string> out;
        for (auto const& line : frame(height))
            if (auto const at = line.find("torrent "); at != line.npos)
                out.push_back((line.starts_with(">") ? ">" : "") + line.substr(at + 8, 2));
        return out;
    }
    void press(std::string_view keys) {
        for (auto const key : keys_in(keys)) EXPECT_EQ(view.press(key), top_view::wish::nothing) << key;
    }
};

TEST_F(top, a_key_sorts_by_its_column_and_the_same_again_the_other_way_round) {
    auto fast = row(2, torrent_state::downloading), slow = row(3, torrent_state::downloading);
    fast.download_rate = 2048;
    slow.download_rate = 1;
    have({row(1), fast, slow});
    EXPECT_THAT(shown(), ElementsAre(">01", "02", "03"));
    press("d");
    EXPECT_THAT(frame()[1], HasSubstr("DOWN v"));
    EXPECT_THAT(shown(), ElementsAre("02", "03", ">01")) << "the marked one stays marked";
    press("d");
    EXPECT_THAT(frame()[1], HasSubstr("DOWN ^"));
    EXPECT_THAT(shown(), ElementsAre(">01", "03", "02"));
    press("e"); // the nearest end first, those without one last
    EXPECT_THAT(shown(), ElementsAre("02", "03", ">01"));
    press("n\x1b[C\x1b[C"); // from name to status to done
    EXPECT_THAT(frame()[1], HasSubstr("DONE v"));
    EXPECT_THAT(shown(), ElementsAre(">01", "02", "03"));
    press("r");
    EXPECT_THAT(shown(), ElementsAre("02", "03", ">01"));
}

TEST_F(top, the_mark_moves_and_the_table_with_it) {
    have_so_many(10);
    EXPECT_THAT(shown(6), ElementsAre(">01", "02", "03")) << "three lines are taken by what stands around";
    press("j\x1b[B\x1b[B");
    EXPECT_THAT(shown(6), ElementsAre("02", "03", ">04"));
    press("k");
    EXPECT_THAT(shown(6), ElementsAre("02", ">03", "04")) << "it does not jump";
    press("\x1b[6~");
    EXPECT_THAT(shown(6), ElementsAre("04", "05", ">06"));
    press("\x1b[F");
    EXPECT_THAT(shown(6), ElementsAre("08", "09", ">10"));
    press("j");
    EXPECT_THAT(shown(6), ElementsAre("08", "09", ">10"));
    press("\x1b[5~");
    EXPECT_THAT(shown(6), ElementsAre(">07", "08", "09"));
    press("\x1b[H");
    EXPECT_THAT(shown(6), ElementsAre(">01", "02", "03"));
    EXPECT_EQ(view.selected(), row(1).info_hash);
}

TEST_F(top, what_goes_leaves_the_mark_in_the_table) {
    have_so_many(5);
    press("\x1b[F");
    EXPECT_THAT(shown(5), ElementsAre("04", ">05"));
    have_so_many(2);
    auto const left = shown(5);
    EXPECT_EQ(left.size(), 2U);
    EXPECT_THAT(left, ::testing::Contains(StartsWith(">")));
    rows.clear();
    EXPECT_THAT(shown(5), IsEmpty());
    EXPECT_EQ(view.selected(), "");
    EXPECT_THAT(frame(5), ::testing::Contains(HasSubstr("no torrents")));
}

TEST_F(top, names_are_found_while_they_are_typed) {
    auto other = row(3);
    other.name = "Größe torrent 03";
    have({row(1), row(2), other});
    press("/GR");
    EXPECT_THAT(shown(), ElementsAre(">03"));
    EXPECT_EQ(frame().back(), "find: GR_");
    press("ö");
    EXPECT_THAT(shown(), ElementsAre(">03"));
    press("\x7fx"); // a letter of two bytes is one key
    EXPECT_EQ(frame().back(), "find: GRx_");
    EXPECT_THAT(shown(), IsEmpty());
    press("\x7f\r");
    EXPECT_THAT(frame().back(), HasSubstr("1 of 3, with \"GR\""));
    press("\x1b");
    EXPECT_THAT(shown(), ElementsAre(">03", "01", "02"));
    press("/q"); // a letter, while it is typed
    EXPECT_THAT(shown(), IsEmpty());
}

TEST_F(top, only_active_ones_where_that_is_asked) {
    auto with_peers = row(2);
    with_peers.num_peers = 1;
    have({row(1), with_peers, row(3, torrent_state::checking)});
    press("a");
    EXPECT_THAT(shown(), ElementsAre(">02", "03"));
    press("a");
    EXPECT_THAT(shown(), ElementsAre("01", ">02", "03"));
}

TEST_F(top, it_never_takes_more_than_the_screen_has) {
    have_so_many(50);
    for (std::size_t height : {1U, 2U, 3U, 4U, 24U}) EXPECT_LE(frame(height).size(), height);
    press("?");
    for (std::size_t height : {1U, 4U, 24U}) EXPECT_LE(frame(height).size(), height);
    EXPECT_THAT(frame(), ::testing::Contains(HasSubstr("leave")));
    press("?");
    EXPECT_EQ(frame(24, "lost: x\x1b[2J").back(), "lost: x\\u001b[2J") << "a note drives no terminal";
}

TEST_F(top, q_leaves_and_p_is_for_the_marked_one) {
    have_so_many(3);
    press("j");
    frame();
    EXPECT_EQ(view.press("p"), top_view::wish::pause_or_resume);
    EXPECT_EQ(view.selected(), row(2).info_hash);
    EXPECT_EQ(view.press("q"), top_view::wish::leave);
    EXPECT_EQ(view.press("\x03"), top_view::wish::leave);
}

TEST(sums, say_how_many_do_what) {
    auto moving = row(2, torrent_state::downloading);
    moving.download_rate = 2048;
    EXPECT_EQ(
        sums_of({{"1", row(1)}, {"2", moving}}),
        "2 torrents: 1 downloading, 1 seeding   2.0 KiB/s down   0 B/s up");
    EXPECT_EQ(sums_of({}), "0 torrents   0 B/s down   0 B/s up");
}

TEST(keys, come_one_by_one) {
    EXPECT_THAT(keys_in("ab\x1b[A\x1b[5~\x1bOBq"), ElementsAre("a", "b", "\x1b[A", "\x1b[5~", "\x1bOB", "q"));
    EXPECT_THAT(keys_in("é\x1b"), ElementsAre("é", "\x1b"));
    EXPECT_THAT(keys_in("\x1b["), ElementsAre("\x1b["));
}

} // namespace
} // namespace ccbt::cli
