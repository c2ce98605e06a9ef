#include "executor/torrents.hpp"

#include "executor/test_house.hpp"

#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <random>

namespace ccbt::executor {
namespace {

using namespace testing;
using contract::torrent_state;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using request = contract::list_torrents::request;

struct torrent_list : ::testing::Test {
    model::state state{{.incarnation = 0xabc, .first_seq = 1}};
    double now = 1;

    torrent_list() {
        state.know_root({{7, 7}, "/data"});
        // hash, name, status, progress, labels: five torrents, added in this order
        add(1, "e", torrent_state::downloading, 0.5, {"iso"});
        add(2, "d", torrent_state::seeding, 1, {"iso", "old"});
        add(3, "c", torrent_state::paused, 0.25, {});
        add(4, "b", torrent_state::downloading, 0.75, {"old"});
        add(5, "a", torrent_state::checking, 0, {});
    }
    static model::torrent_id id(std::uint8_t n) { return {1, n}; }
    void add(
        std::uint8_t n, std::string name, torrent_state s, double progress, std::vector<std::string> labels) {
        model::torrent_asked a;
        a.id = id(n);
        std::vector<std::uint8_t> bytes(20, n);
        a.hashes.v1 = contract::info_hash{bytes};
        a.name = std::move(name);
        a.has_metainfo = true;
        a.paused = s == torrent_state::paused;
        a.labels = std::move(labels);
        a.root = {7, 7};
        state.apply(model::torrent_put{std::make_shared<model::torrent_asked const>(a)}, ++now);
        see(n, s, progress);
    }
    void see(std::uint8_t n, torrent_state s, double progress) {
        model::torrent_seen sample;
        sample.id = id(n);
        sample.state = s;
        sample.progress = progress;
        state.apply(model::torrents_seen{{sample}}, ++now);
    }
    contract::list_torrents::response get(request const& r) const {
        auto made = list(state, r);
        EXPECT_EQ(said(made), "ok");
        return made ? std::move(*made) : contract::list_torrents::response{};
    }
    std::string names(request const& r) const {
        std::string out;
        for (auto const& row : get(r).value.torrents) out += row->name;
        return out;
    }
    std::string refusal(request const& r) const {
        auto const made = list(state, r);
        return said(made) + ' ' + detail(made, "field");
    }
    std::string now_token() const { return state.revision().token(); }
};

TEST_F(torrent_list, all_rows_come_in_order_of_adding_and_say_nothing_of_deltas) {
    auto const all = get({});
    EXPECT_EQ(names({}), "edcba");
    EXPECT_EQ(all.value.revision, std::nullopt);
    EXPECT_EQ(all.value.full, std::nullopt);
    EXPECT_EQ(all.value.removed, std::nullopt);
    EXPECT_FALSE(all.unchanged);
}

TEST_F(torrent_list, filters_by_status_and_by_label_narrow_it) {
    EXPECT_EQ(names({.status = "downloading"}), "eb");
    EXPECT_EQ(names({.status = "seeding, checking"}), "da");
    EXPECT_EQ(names({.status = "error"}), "");
    EXPECT_EQ(names({.label = "iso"}), "ed");
    EXPECT_EQ(names({.status = "downloading", .label = "old"}), "b");
    EXPECT_EQ(names({.label = "is"}), "");
}

TEST_F(torrent_list, any_field_sorts_it_both_ways_and_equals_keep_their_order) {
    EXPECT_EQ(names({.sort = "name"}), "abcde");
    EXPECT_EQ(names({.sort = "-name"}), "edcba");
    EXPECT_EQ(names({.sort = "progress"}), "acebd");
    EXPECT_EQ(names({.sort = "-progress"}), "dbeca");
    EXPECT_EQ(names({.sort = "num_peers"}), "edcba") << "all the same";
    EXPECT_EQ(names({.sort = "-num_peers"}), "edcba");
    EXPECT_EQ(names({.sort = ""}), "edcba");
}

TEST_F(torrent_list, what_is_only_to_be_written_comes_in_pages_where_all_of_a_page_is_asked_for) {
    auto const has_pages = [&](request r) {
        r.as_text = true;
        auto const got = get(r).value.torrents;
        return got.size() == 1 && got[0].several() != nullptr && got[0].several()->size() == 5;
    };
    for (auto const& whole :
         {request{}, request{.limit = 5}, request{.fields_wanted = "name"}, request{.since = "unknown"},
          request{.status = "downloading,seeding,paused,checking"}})
        EXPECT_TRUE(has_pages(whole));
    for (auto const& other :
         {request{.status = "paused"}, request{.label = "old"}, request{.sort = "name"}, request{.offset = 1},
          request{.limit = 4}, request{.since = state.revision().token()}})
        EXPECT_FALSE(has_pages(other));
    EXPECT_EQ(names({}), "edcba") << "who reads the rows gets them one by one";
}

// The same by the plainest means: each row looked at, a stable sort, a cut.
struct plainly {
    std::optional<torrent_state> status;
    int sorted = 0; // by progress; -1: the greatest first
    std::size_t offset = 0, limit = 1000;

    [[nodiscard]] std::string operator()(model::torrent_table const& table) const {
        std::vector<contract::torrent_row_view> rows;
        for (auto const* row = table.first(); row != nullptr; row = row->added_after)
            if (!status || row->view->status == *status) rows.push_back(row->view);
        if (sorted != 0)
            std::stable_sort(rows.begin(), rows.end(), [this](auto const& a, auto const& b) {
                return sorted > 0 ? a->progress < b->progress : b->progress < a->progress;
            });
        std::string out;
        for (auto at = offset; at < rows.size() && at - offset < limit; ++at) out += rows[at]->name + ' ';
        return out;
    }
};

TEST_F(torrent_list, filters_sorts_and_cuts_are_those_of_the_plainest_means_whatever_changed_before) {
    std::mt19937 random{11};
    for (std::uint8_t n = 6; n < 250; ++n) add(n, "t" + std::to_string(n), torrent_state::downloading, 0, {});
    constexpr std::array states{
        torrent_state::downloading, torrent_state::seeding, torrent_state::checking, torrent_state::metadata};
    for (int round = 0; round < 400; ++round) {
        auto const n = static_cast<std::uint8_t>(6 + random() % 244);
        see(n, states[random() % (round % 100 < 50 ? 1 : states.size())],
            static_cast<double>(random() % 4) / 4);
        plainly plain{
            .sorted = static_cast<int>(random() % 3) - 1, .offset = random() % 300, .limit = random() % 200};
        if (random() % 3 != 0) plain.status = states[random() % states.size()];
        request r{
            .offset = static_cast<std::int64_t>(plain.offset),
            .limit = static_cast<std::int64_t>(plain.limit)};
        if (plain.status) r.status = std::string{contract::name_of(*plain.status)};
        if (plain.sorted != 0) r.sort = plain.sorted > 0 ? "progress" : "-progress";
        std::string got;
        for (auto const& row : get(r).value.torrents) got += row->name + ' ';
        ASSERT_EQ(got, plain(state.torrents())) << "in round " << round;
    }
}

TEST_F(torrent_list, offset_and_limit_cut_what_was_sorted) {
    EXPECT_EQ(names({.sort = "name", .offset = 1, .limit = 2}), "bc");
    EXPECT_EQ(names({.offset = 4, .limit = 9}), "a");
    EXPECT_EQ(names({.offset = 5}), "");
    EXPECT_EQ(names({.offset = 1'000'000'000}), "");
    EXPECT_EQ(names({.limit = 0}), "");
    EXPECT_EQ(names({.status = "downloading", .offset = 1}), "b");
}

TEST_F(torrent_list, fields_narrow_a_row_and_its_hash_is_always_there) {
    EXPECT_EQ(get({.fields_wanted = "name,progress"}).value.torrents[0].mask, 0b1011U);
    EXPECT_EQ(get({.fields_wanted = " info_hash "}).value.torrents[0].mask, 1U);
    EXPECT_EQ(get({}).value.torrents[0].mask, 0U);
}

TEST_F(torrent_list, what_names_nothing_is_400_and_says_which) {
    EXPECT_EQ(refusal({.fields_wanted = "name,nome"}), "400 VALIDATION_ERROR fields");
    EXPECT_EQ(refusal({.fields_wanted = ""}), "400 VALIDATION_ERROR fields");
    EXPECT_EQ(refusal({.status = "idle"}), "400 VALIDATION_ERROR status");
    EXPECT_EQ(refusal({.status = "Seeding"}), "400 VALIDATION_ERROR status");
    EXPECT_EQ(refusal({.sort = "-"}), "400 VALIDATION_ERROR sort");
    EXPECT_EQ(refusal({.sort = "size"}), "400 VALIDATION_ERROR sort");
    EXPECT_EQ(refusal({.sort = "size", .if_none_match = "*"}), "400 VALIDATION_ERROR sort");
}

// ---- ETag

TEST_F(torrent_list, its_tag_holds_until_a_row_changes) {
    auto const tag = get({}).etag;
    EXPECT_EQ(tag.front(), '"');
    EXPECT_EQ(tag.back(), '"');
    for (auto const& sent : {tag, "W/" + tag, "\"x\", " + tag, std::string{"*"}}) {
        auto const again = get({.if_none_match = sent});
        EXPECT_TRUE(again.unchanged) << sent;
        EXPECT_EQ(again.etag, tag);
        EXPECT_THAT(again.value.torrents, IsEmpty());
    }
    EXPECT_FALSE(get({.if_none_match = "\"x\""}).unchanged);
    state.apply(model::session_seen{1, 2, 3}, ++now);
    EXPECT_TRUE(get({.if_none_match = tag}).unchanged) << "the truth moved on, no row did";
    see(1, torrent_state::downloading, 0.6);
    auto const changed = get({.if_none_match = tag});
    EXPECT_FALSE(changed.unchanged);
    EXPECT_NE(changed.etag, tag);
    state.apply(model::torrent_gone{id(1)}, ++now);
    EXPECT_FALSE(get({.if_none_match = changed.etag}).unchanged);
}

// ---- since

TEST_F(torrent_list, since_the_present_nothing_changed) {
    auto const delta = get({.since = now_token()}).value;
    EXPECT_THAT(delta.torrents, IsEmpty());
    EXPECT_EQ(delta.revision, now_token());
    EXPECT_EQ(delta.full, false);
    EXPECT_THAT(*delta.removed, IsEmpty());
}

TEST_F(torrent_list, since_a_revision_only_what_changed_comes_oldest_change_first) {
    auto const then = now_token();
    see(4, torrent_state::seeding, 1);
    see(2, torrent_state::seeding, 0.9);
    state.apply(model::torrent_gone{id(3)}, ++now);
    EXPECT_EQ(names({.since = then}), "bd");
    auto const delta = get({.since = then}).value;
    EXPECT_EQ(delta.full, false);
    EXPECT_THAT(*delta.removed, ElementsAre("0303030303030303030303030303030303030303"));
    EXPECT_EQ(delta.revision, now_token());
    EXPECT_EQ(names({.since = then, .offset = 1, .limit = 1}), "bd") << "a delta is never cut";
    EXPECT_EQ(names({.since = then, .sort = "-name"}), "db");
}

TEST_F(torrent_list, what_a_filter_no_longer_takes_is_removed_for_its_asker) {
    auto const then = now_token();
    see(1, torrent_state::seeding, 1);
    auto const delta = get({.since = then, .status = "downloading"}).value;
    EXPECT_THAT(delta.torrents, IsEmpty());
    EXPECT_THAT(*delta.removed, ElementsAre("0101010101010101010101010101010101010101"));
}

TEST_F(torrent_list, a_revision_that_is_not_known_gets_everything) {
    auto const number = state.revision().number;
    for (auto const& since :
         {contract::revision{0xabc, number + 1}.token(), contract::revision{0xabd, number}.token(),
          std::string{"gibberish"}, std::string{}}) {
        auto const all = get({.since = since}).value;
        EXPECT_EQ(all.full, true) << since;
        EXPECT_EQ(all.torrents.size(), 5U) << since;
        EXPECT_THAT(*all.removed, IsEmpty());
        EXPECT_EQ(all.revision, now_token());
    }
    EXPECT_EQ(get({.since = contract::revision{0xabc, 0}.token()}).value.full, false);
}

} // namespace
} // namespace ccbt::executor
