#include "model/event_log.hpp"

#include <gmock/gmock.h>

namespace ccbt::model {
namespace {

using contract::event_data;
using contract::event_type;
using ::testing::ElementsAre;

struct event_log : ::testing::Test {
    model::event_log log{500, 3};
    std::vector<std::pair<event_type, std::int64_t>> told;
    event_log() {
        log.listen([this](contract::event_view const& e) { told.emplace_back(e->type, e->seq); });
    }
    std::vector<std::int64_t> kept() const {
        std::vector<std::int64_t> out;
        for (auto const& e : log.kept()) out.push_back(e.seq);
        return out;
    }
};

TEST_F(event_log, kept_events_are_numbered_without_a_gap_from_the_first_that_was_given) {
    log.record(event_type::torrent_added, {}, 1);
    log.record(event_type::torrent_removed, {}, 2);
    EXPECT_THAT(
        told,
        ElementsAre(std::pair{event_type::torrent_added, 500}, std::pair{event_type::torrent_removed, 501}));
    EXPECT_EQ(log.last_seq(), 501);
}

TEST_F(event_log, an_event_that_is_not_kept_carries_the_number_of_the_last_that_was) {
    log.record(event_type::torrent_added, {}, 1);
    log.pass_on(event_type::torrents_changed, {}, 2);
    log.pass_on(event_type::torrents_changed, {}, 3);
    log.record(event_type::torrent_added, {}, 4);
    EXPECT_THAT(
        told, ElementsAre(
                  std::pair{event_type::torrent_added, 500}, std::pair{event_type::torrents_changed, 500},
                  std::pair{event_type::torrents_changed, 500}, std::pair{event_type::torrent_added, 501}));
    EXPECT_THAT(kept(), ElementsAre(500, 501));
}

TEST_F(event_log, the_oldest_go_when_it_is_full) {
    for (int i = 0; i < 5; ++i) log.record(event_type::torrent_added, {}, i);
    EXPECT_THAT(kept(), ElementsAre(502, 503, 504));
}

TEST_F(event_log, what_is_kept_is_the_text_of_what_was_told) {
    log.write_by([](contract::event_view const& e) {
        return shared_text{*e->data.info_hash + ' ' + std::to_string(e->seq)};
    });
    event_data data;
    data.info_hash = "ab";
    log.record(event_type::torrent_added, data, 12.5);
    log.pass_on(event_type::torrents_changed, data, 12.5);
    ASSERT_EQ(log.kept().size(), 1U);
    EXPECT_EQ(log.kept().front().type, event_type::torrent_added);
    EXPECT_EQ(log.kept().front().text.view(), "ab 500");
    EXPECT_EQ(log.since(499, 10).events.at(0).text, log.kept().front().text) << "not copied";
}

} // namespace
} // namespace ccbt::model
