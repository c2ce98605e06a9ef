#include "backup/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ccbt::backup {

namespace {

using testing::ElementsAre;

TEST(checkpoint, as_the_python_daemon_writes_it_is_read) {
    auto const read =
        read_checkpoint(R"({"version":"1.0","info_hash":"aa","torrent_name":"n","created_at":1.5,
        "updated_at":2,"total_pieces":4,"piece_length":16384,"total_length":65536,"verified_pieces":[3,0,3],
        "piece_states":{"0":"verified","3":"verified"},"download_stats":{"bytes_downloaded":5,"start_time":1},
        "output_dir":"/srv","files":[{"path":"a","size":65536,"exists":true,"attributes":null}],
        "peer_info":null,"endgame_mode":false,"torrent_file_path":null,"magnet_uri":"magnet:?x","announce_urls":[],
        "display_name":null,"resume_data":null,
        "file_selections":{"0":{"selected":true,"priority":"HIGH","bytes_downloaded":1},"2":{"selected":false}}})");
    ASSERT_TRUE(read) << read.error().field << ' ' << read.error().message;
    EXPECT_THAT(read->verified, ElementsAre(0, 3)) << "in order, none twice";
    EXPECT_EQ(read->said.magnet_uri, "magnet:?x");
    EXPECT_EQ(read->said.download_stats.bytes_downloaded, 5);
    ASSERT_TRUE(read->selections);
    ASSERT_EQ(read->selections->size(), 2U);
    EXPECT_EQ(read->selections->at(0).priority, 6);
    EXPECT_EQ(read->selections->at(1).index, 2);
    EXPECT_EQ(read->selections->at(1).priority, 0);
}

TEST(checkpoint, with_little_in_it_or_older_habits_is_read) {
    EXPECT_TRUE(read_checkpoint("{}"));
    EXPECT_TRUE(read_checkpoint(R"({"piece_states":[],"download_stats":null,"file_selections":null})"));
}

TEST(checkpoint, names_the_field_that_is_wrong) {
    for (auto const& [text, field] : std::initializer_list<std::pair<char const*, char const*>>{
             {"[]", "checkpoint"},
             {R"({"version":"2.0"})", "checkpoint.version"},
             {R"({"total_pieces":"4"})", "checkpoint.total_pieces"},
             {R"({"total_pieces":-1})", "checkpoint.total_pieces"},
             {R"({"piece_length":0.5})", "checkpoint.piece_length"},
             {R"({"total_pieces":4,"verified_pieces":[4]})", "checkpoint.verified_pieces"},
             {R"({"verified_pieces":[0]})", "checkpoint.verified_pieces"},
             {R"({"total_pieces":4,"verified_pieces":[-1]})", "checkpoint.verified_pieces[0]"},
             {R"({"total_pieces":4,"verified_pieces":["0"]})", "checkpoint.verified_pieces[0]"},
             {R"({"total_pieces":4,"verified_pieces":"all"})", "checkpoint.verified_pieces"},
             {R"({"output_dir":5})", "checkpoint.output_dir"},
             {R"({"files":{}})", "checkpoint.files"},
             {R"({"announce_urls":[1]})", "checkpoint.announce_urls[0]"},
             {R"({"file_selections":[]})", "checkpoint.file_selections"},
             {R"({"file_selections":{"x":{}}})", "checkpoint.file_selections.x"},
             {R"({"file_selections":{"-1":{}}})", "checkpoint.file_selections.-1"},
             {R"({"file_selections":{"0":{},"00":{}}})", "checkpoint.file_selections.00"},
             {R"({"file_selections":{"an answer has no such long name":{}}})", "checkpoint.file_selections"},
             {R"({"file_selections":{"0":true}})", "checkpoint.file_selections.0"},
             {R"({"file_selections":{"0":{"selected":1}}})", "checkpoint.file_selections.0.selected"},
             {R"({"file_selections":{"0":{"priority":"best"}}})", "checkpoint.file_selections.0.priority"}}) {
        auto const read = read_checkpoint(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().field, field) << text;
    }
}

TEST(checkpoint, selections_and_states_are_written_as_they_are_read) {
    EXPECT_EQ(selections_of({}).text, "null");
    EXPECT_EQ(selections_of({4, 4}).text, "null");
    EXPECT_EQ(
        selections_of({0, 1, 4, 6, 7}).text,
        R"({"0":{"selected":false,"priority":"do_not_download"},"1":{"selected":true,"priority":"low"},)"
        R"("2":{"selected":true,"priority":"normal"},"3":{"selected":true,"priority":"high"},)"
        R"("4":{"selected":true,"priority":"maximum"}})");
    auto const back = read_checkpoint(R"({"file_selections":)" + selections_of({0, 7, 4}).text + '}');
    ASSERT_TRUE(back && back->selections);
    EXPECT_EQ(back->selections->at(1).priority, 7);
    EXPECT_EQ(piece_states_of({0, 12}).text, R"({"0":"verified","12":"verified"})");
}

} // namespace

} // namespace ccbt::backup
