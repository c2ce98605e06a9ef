#include "model/torrent_table.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <random>

namespace ccbt::model {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

info_hash hash_of(std::uint8_t first, std::size_t size = 20, std::uint8_t second = 0) {
    std::vector<std::uint8_t> bytes(size, 0);
    bytes[0] = first;
    bytes[1] = second;
    return info_hash{bytes};
}

std::shared_ptr<torrent_asked const> asked(std::uint64_t n, info_hashes hashes) {
    torrent_asked a;
    a.id = {1, n};
    a.hashes = hashes;
    a.has_metainfo = true;
    return std::make_shared<torrent_asked const>(std::move(a));
}
std::shared_ptr<torrent_asked const> asked(std::uint64_t n) {
    return asked(n, {hash_of(static_cast<std::uint8_t>(n), 20, static_cast<std::uint8_t>(n >> 8)), {}});
}
std::string hex(std::uint64_t n) { return asked(n)->hashes.v1.hex(); }

void add(torrent_table& to, std::shared_ptr<torrent_asked const> what, std::uint64_t at) {
    auto& row = to.insert(std::move(what), at);
    to.refresh(row, "/d", at);
}
void add(torrent_table& to, std::uint64_t n, std::uint64_t at) { add(to, asked(n), at); }
void see(torrent_table& in, std::uint64_t n, double progress, std::uint64_t at) {
    auto* row = in.row({1, n});
    row->seen.progress = progress;
    in.refresh(*row, "/d", at);
}
std::vector<std::string> hashes_of(std::vector<torrent_row const*> const& rows) {
    std::vector<std::string> out;
    for (auto const* row : rows) out.push_back(row->view->info_hash);
    return out;
}
std::vector<std::string> in_order(torrent_table const& of) {
    std::vector<std::string> out;
    for (auto const* row = of.first(); row != nullptr; row = row->added_after)
        out.push_back(row->view->info_hash);
    return out;
}

// ---- the status, from what was asked and what was seen

struct mapping {
    bool paused;
    torrent_state seen;
    bool finished, has_metainfo;
    torrent_state shown;
};

TEST(status_of, asked_and_seen_together_say_what_a_torrent_is_doing) {
    using enum torrent_state;
    mapping const cases[]{
        {false, starting, false, true, starting},
        {false, starting, false, false, metadata},
        {true, starting, false, true, paused},
        {false, downloading, false, true, downloading},
        {false, seeding, true, true, seeding},
        {false, checking, false, true, checking},
        {false, metadata, false, false, metadata},
        {false, queued, false, true, queued},
        // as asked at once, whatever the engine still does
        {true, downloading, false, true, paused},
        {true, seeding, true, true, paused},
        {true, metadata, false, false, paused},
        {true, queued, false, true, paused},
        {true, paused, false, true, paused},
        {true, checking, false, true, checking},
        {false, paused, false, true, downloading},
        {false, paused, true, true, seeding},
        {false, paused, false, false, metadata},
    };
    for (auto const& c : cases) {
        torrent_row row;
        torrent_asked a;
        a.paused = c.paused;
        a.has_metainfo = c.has_metainfo;
        row.asked = std::make_shared<torrent_asked const>(a);
        row.seen.state = c.seen;
        row.seen.finished = c.finished;
        auto const said = contract::name_of(status_of(row));
        EXPECT_EQ(said, contract::name_of(c.shown))
            << "paused " << c.paused << ", seen " << contract::name_of(c.seen);
        row.failed = "disk on fire";
        EXPECT_EQ(status_of(row), error);
        row.failed.clear();
        row.offline = true;
        EXPECT_EQ(status_of(row), error);
    }
}

TEST(torrent_table, what_does_not_move_shows_no_rates_and_no_peers) {
    torrent_table table;
    auto& row = table.insert(asked(1), 1);
    row.seen.state = torrent_state::downloading;
    row.seen.download_rate = 1000;
    row.seen.upload_rate = 10;
    row.seen.num_peers = 4;
    row.seen.num_seeds = 2;
    row.seen.downloaded = 77;
    table.refresh(row, "/d", 2);
    EXPECT_THAT(row.view->download_rate, DoubleEq(1000));
    EXPECT_EQ(row.view->num_peers, 4);

    row.failed = "no space";
    table.refresh(row, "/d", 3);
    EXPECT_EQ(row.view->status, torrent_state::error);
    EXPECT_EQ(row.view->error, "no space");
    EXPECT_EQ(row.view->download_rate, 0);
    EXPECT_EQ(row.view->upload_rate, 0);
    EXPECT_EQ(row.view->num_peers, 0);
    EXPECT_EQ(row.view->num_seeds, 0);
    EXPECT_EQ(row.view->downloaded, 77) << "totals stay";
}

TEST(torrent_table, a_row_shows_a_name_and_a_folder_always_and_progress_from_nought_to_one) {
    torrent_table table;
    auto a = *asked(7);
    a.folder = "films/new";
    auto& row = table.insert(std::make_shared<torrent_asked const>(a), 1);
    row.seen.progress = 1.0000001;
    table.refresh(row, "/data", 1);
    EXPECT_EQ(row.view->name, "0700000000000000000000000000000000000000");
    EXPECT_EQ(row.view->output_dir, "/data/films/new");
    EXPECT_EQ(row.view->progress, 1.0);
    EXPECT_EQ(row.view->error, std::nullopt);

    a.folder = "";
    a.name = "a name";
    table.replace_asked(row, std::make_shared<torrent_asked const>(a), 2);
    table.refresh(row, "/", 2);
    EXPECT_EQ(row.view->name, "a name");
    EXPECT_EQ(row.view->output_dir, "/");
}

// ---- names

TEST(torrent_table, a_hybrid_is_found_by_both_hashes_and_listed_by_the_first) {
    torrent_table table;
    add(table, asked(1, {hash_of(1), hash_of(2, 32)}), 1);
    auto const* row = table.find(torrent_id{1, 1});
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(table.find(hash_of(1)), row);
    EXPECT_EQ(table.find(hash_of(2, 32)), row);
    EXPECT_EQ(table.find(hash_of(3)), nullptr);
    EXPECT_EQ(row->view->info_hash, "0100000000000000000000000000000000000000");
    table.erase({1, 1}, 2);
    EXPECT_EQ(table.find(hash_of(1)), nullptr);
    EXPECT_EQ(table.find(hash_of(2, 32)), nullptr);
    EXPECT_EQ(table.size(), 0U);
}

TEST(torrent_table, a_second_hash_learned_later_is_found_too) {
    torrent_table table;
    add(table, asked(1, {hash_of(1), {}}), 1);
    auto* row = table.row({1, 1});
    table.replace_asked(*row, asked(1, {hash_of(1), hash_of(2, 32)}), 2);
    table.refresh(*row, "/d", 2);
    EXPECT_EQ(table.find(hash_of(2, 32)), row);
    auto const delta = table.changes_since(1);
    ASSERT_TRUE(delta);
    EXPECT_THAT(delta->removed, IsEmpty());
}

// ---- order

TEST(torrent_table, rows_stand_in_order_of_adding_whatever_changes) {
    torrent_table table;
    for (std::uint64_t n = 1; n <= 4; ++n) add(table, n, n);
    see(table, 1, 0.5, 5);
    EXPECT_THAT(in_order(table), ElementsAre(hex(1), hex(2), hex(3), hex(4)));
    table.erase({1, 1}, 6);
    table.erase({1, 3}, 7);
    EXPECT_THAT(in_order(table), ElementsAre(hex(2), hex(4)));
    table.erase({1, 4}, 8);
    add(table, 1, 9);
    EXPECT_THAT(in_order(table), ElementsAre(hex(2), hex(1)));
    table.erase({1, 2}, 10);
    table.erase({1, 1}, 11);
    EXPECT_EQ(table.first(), nullptr);
    add(table, 3, 12);
    EXPECT_THAT(in_order(table), ElementsAre(hex(3)));
}

// ---- deltas

TEST(torrent_table, a_delta_has_what_changed_newest_first_and_nothing_else) {
    torrent_table table;
    for (std::uint64_t n = 1; n <= 3; ++n) add(table, n, n);
    EXPECT_THAT(hashes_of(table.changes_since(2)->rows), ElementsAre(hex(3)));
    EXPECT_THAT(hashes_of(table.changes_since(0)->rows), ElementsAre(hex(3), hex(2), hex(1)));
    EXPECT_THAT(table.changes_since(3)->rows, IsEmpty());
    see(table, 1, 0.25, 4);
    EXPECT_THAT(hashes_of(table.changes_since(3)->rows), ElementsAre(hex(1)));
    EXPECT_THAT(hashes_of(table.changes_since(2)->rows), ElementsAre(hex(1), hex(3)));
    EXPECT_EQ(table.changed(), 4U);
}

TEST(torrent_table, a_sample_that_says_nothing_new_is_no_change) {
    torrent_table table;
    add(table, 1, 1);
    see(table, 1, 0.5, 2);
    auto const before = table.row({1, 1})->view;
    EXPECT_FALSE(table.refresh(*table.row({1, 1}), "/d", 3));
    EXPECT_EQ(&*before, &*table.row({1, 1})->view);
    EXPECT_EQ(table.changed(), 2U);
    EXPECT_EQ(table.row({1, 1})->changed, 2U);
}

TEST(torrent_table, whatever_a_row_shows_is_a_change_when_it_changes) {
    using ask = void (*)(torrent_asked&);
    using see = void (*)(torrent_row&);
    torrent_table table;
    add(table, 1, 1);
    auto& row = *table.row({1, 1});
    row.seen.state = torrent_state::downloading;
    table.refresh(row, "/d", 2);
    std::uint64_t at = 2;
    for (ask const change :
         {ask{[](torrent_asked& a) { a.name = "n"; }}, ask{[](torrent_asked& a) { a.total_size = 1; }},
          ask{[](torrent_asked& a) { a.is_private = true; }}, ask{[](torrent_asked& a) { a.labels = {"l"}; }},
          ask{[](torrent_asked& a) { a.folder = "f"; }}, ask{[](torrent_asked& a) { a.added_at = 1; }}}) {
        auto a = *row.asked;
        change(a);
        table.replace_asked(row, std::make_shared<torrent_asked const>(a), ++at);
        EXPECT_TRUE(table.refresh(row, "/d", at)) << "change " << at;
    }
    for (see const change :
         {see{[](torrent_row& r) { r.seen.progress = 0.5; }},
          see{[](torrent_row& r) { r.seen.num_peers = 1; }},
          see{[](torrent_row& r) { r.seen.num_seeds = 1; }},
          see{[](torrent_row& r) { r.seen.downloaded = 1; }},
          see{[](torrent_row& r) { r.seen.uploaded = 1; }},
          see{[](torrent_row& r) { r.seen.upload_rate = 1; }},
          see{[](torrent_row& r) { r.seen.download_rate = 1; }}, see{[](torrent_row& r) { r.failed = "a"; }},
          see{[](torrent_row& r) { r.failed = "b"; }}}) {
        change(row);
        EXPECT_TRUE(table.refresh(row, "/d", ++at)) << "change " << at;
        EXPECT_EQ(row.changed, at);
    }
}

TEST(torrent_table, a_view_that_was_handed_out_never_changes) {
    torrent_table table;
    add(table, 1, 1);
    auto const before = table.row({1, 1})->view;
    see(table, 1, 0.5, 2);
    EXPECT_EQ(before->progress, 0);
    EXPECT_EQ(table.row({1, 1})->view->progress, 0.5);
}

TEST(torrent_table, what_was_removed_is_named_to_those_who_knew_it) {
    torrent_table table;
    add(table, 1, 1);
    add(table, 2, 2);
    table.erase({1, 1}, 3);
    EXPECT_THAT(table.changes_since(2)->removed, ElementsAre(hex(1)));
    EXPECT_THAT(table.changes_since(2)->rows, IsEmpty());
    EXPECT_THAT(table.changes_since(3)->removed, IsEmpty());
    EXPECT_EQ(table.changed(), 3U);
}

TEST(torrent_table, what_was_removed_and_added_again_is_a_row_and_not_removed) {
    torrent_table table;
    add(table, 1, 1);
    table.erase({1, 1}, 2);
    auto again = *asked(1);
    again.id = {1, 99};
    add(table, std::make_shared<torrent_asked const>(again), 3);
    auto const delta = table.changes_since(1);
    EXPECT_THAT(hashes_of(delta->rows), ElementsAre(hex(1)));
    EXPECT_THAT(delta->removed, IsEmpty());
    table.erase({1, 99}, 4);
    EXPECT_THAT(table.changes_since(1)->removed, ElementsAre(hex(1))) << "named once";
    EXPECT_THAT(table.changes_since(1)->rows, IsEmpty());
}

TEST(torrent_table, a_removed_v2_torrent_stays_removed_when_its_hash_comes_back_as_a_hybrids_second) {
    torrent_table table;
    add(table, asked(1, {{}, hash_of(9, 32)}), 1);
    table.erase({1, 1}, 2);
    add(table, asked(2, {hash_of(5), hash_of(9, 32)}), 3);
    auto const delta = table.changes_since(1);
    EXPECT_THAT(hashes_of(delta->rows), ElementsAre(hash_of(5).hex()));
    EXPECT_THAT(delta->removed, ElementsAre(hash_of(9, 32).hex()));
}

TEST(torrent_table, a_v2_magnet_that_turns_out_hybrid_goes_by_its_new_hash_and_the_old_one_goes) {
    torrent_table table;
    add(table, asked(1, {{}, hash_of(9, 32)}), 1);
    auto* row = table.row({1, 1});
    table.replace_asked(*row, asked(1, {hash_of(5), hash_of(9, 32)}), 2);
    table.refresh(*row, "/d", 2);
    auto const delta = table.changes_since(1);
    EXPECT_THAT(hashes_of(delta->rows), ElementsAre(hash_of(5).hex()));
    EXPECT_THAT(delta->removed, ElementsAre(hash_of(9, 32).hex()));
    EXPECT_EQ(table.find(hash_of(9, 32)), row) << "it still answers to it";
}

TEST(torrent_table, what_was_removed_too_long_ago_makes_a_delta_unknown_and_never_wrong) {
    torrent_table table;
    add(table, 1, 1);
    std::uint64_t at = 1;
    for (int i = 0; i < 20'000; ++i) { // as many as are kept
        add(table, 2, ++at);
        table.erase({1, 2}, ++at);
    }
    EXPECT_TRUE(table.changes_since(1)) << "all of them are known";
    table.erase({1, 1}, ++at);
    EXPECT_FALSE(table.changes_since(2)) << "the first of them is forgotten: it was at 3";
    EXPECT_TRUE(table.changes_since(3));
    EXPECT_THAT(table.changes_since(at - 1)->removed, ElementsAre(hex(1)));
}

// ---- sums

struct sums_by_hand {
    table_sums all;
    explicit sums_by_hand(torrent_table const& of) {
        for (auto const* row = of.first(); row != nullptr; row = row->added_after) {
            auto const& v = *row->view;
            ++all.by_state[static_cast<std::size_t>(v.status)];
            all.downloaded += v.downloaded;
            all.uploaded += v.uploaded;
            all.num_peers += v.num_peers;
            all.download_rate += v.download_rate;
            all.upload_rate += v.upload_rate;
            all.progress += v.progress;
        }
    }
};

TEST(torrent_table, sums_and_deltas_hold_after_a_thousand_random_changes) {
    std::mt19937_64 random{20'240'611};
    auto const below = [&](std::uint64_t n) { return random() % n; };
    torrent_table table;
    std::map<std::string, std::pair<torrent_state, std::int64_t>> follower; // one who asks for changes only
    std::uint64_t follows_to = 0;
    for (std::uint64_t at = 1; at <= 1000; ++at) {
        auto const n = 1 + below(40);
        auto* row = table.row({1, n});
        if (row == nullptr) {
            add(table, n, at);
        } else if (below(6) == 0) {
            table.erase({1, n}, at);
        } else {
            auto& s = row->seen;
            s.state = static_cast<torrent_state>(below(9));
            s.progress = static_cast<double>(below(1001)) / 1000;
            s.downloaded = static_cast<std::int64_t>(below(1U << 30));
            s.uploaded = static_cast<std::int64_t>(below(1U << 30));
            s.download_rate = static_cast<double>(below(1U << 20));
            s.upload_rate = static_cast<double>(below(1U << 20));
            s.num_peers = static_cast<std::int64_t>(below(50));
            row->failed = below(8) == 0 ? "it failed" : "";
            row->offline = below(8) == 0;
            auto a = *row->asked;
            a.paused = below(3) == 0;
            table.replace_asked(*row, std::make_shared<torrent_asked const>(a), at);
            table.refresh(*row, "/d", at);
        }
        auto const expected = sums_by_hand{table}.all;
        auto const& got = table.sums();
        ASSERT_EQ(got.by_state, expected.by_state) << "at step " << at;
        ASSERT_EQ(got.downloaded, expected.downloaded);
        ASSERT_EQ(got.uploaded, expected.uploaded);
        ASSERT_EQ(got.num_peers, expected.num_peers);
        ASSERT_DOUBLE_EQ(got.download_rate, expected.download_rate);
        ASSERT_DOUBLE_EQ(got.upload_rate, expected.upload_rate);
        ASSERT_NEAR(got.progress, expected.progress, 1e-9);

        if (below(10) != 0) continue;
        auto const delta = table.changes_since(follows_to);
        ASSERT_TRUE(delta);
        for (auto const& gone : delta->removed) follower.erase(gone);
        for (auto const* changed : delta->rows)
            follower[changed->view->info_hash] = {changed->view->status, changed->view->downloaded};
        follows_to = at;
        std::map<std::string, std::pair<torrent_state, std::int64_t>> whole;
        for (auto const* r = table.first(); r != nullptr; r = r->added_after)
            whole[r->view->info_hash] = {r->view->status, r->view->downloaded};
        ASSERT_EQ(follower, whole) << "at step " << at;
    }
    EXPECT_GT(follower.size(), 5U);
}

// ---- pages: all rows, many in one view

std::vector<std::string> paged(torrent_table const& of) {
    std::vector<std::string> out;
    for (auto const& page : of.pages())
        for (auto const& row : *torrent_table::joined(page).several())
            out.push_back(row->info_hash + ' ' + std::to_string(row->progress));
    return out;
}
std::vector<std::string> row_by_row(torrent_table const& of) {
    std::vector<std::string> out;
    for (auto const* row = of.first(); row != nullptr; row = row->added_after)
        out.push_back(row->view->info_hash + ' ' + std::to_string(row->view->progress));
    return out;
}

TEST(pages, hold_all_rows_in_order_whatever_comes_changes_and_goes) {
    std::mt19937 random{7};
    torrent_table table;
    EXPECT_THAT(table.pages(), IsEmpty());
    std::vector<std::uint64_t> here;
    std::uint64_t at = 0;
    for (std::uint64_t n = 1; n <= 2'000; ++n) {
        auto const what = random() % 10;
        if (here.empty() || what < 5) {
            here.push_back(n);
            add(table, n, ++at);
        } else if (what < 8) {
            see(table, here[random() % here.size()], static_cast<double>(random() % 1000) / 1000, ++at);
        } else {
            auto const gone = here.begin() + static_cast<std::ptrdiff_t>(random() % here.size());
            table.erase({1, *gone}, ++at);
            here.erase(gone);
        }
        if (n % 50 == 0) {
            ASSERT_EQ(paged(table), row_by_row(table)) << n;
        }
    }
    EXPECT_LT(table.pages().size(), here.size() / 10);
    while (!here.empty()) {
        table.erase({1, here.back()}, ++at);
        here.pop_back();
    }
    EXPECT_THAT(table.pages(), IsEmpty());
}

TEST(pages, are_kept_narrowed_to_the_fields_last_asked_for) {
    torrent_table table;
    for (std::uint64_t n = 1; n <= 100; ++n) add(table, n, n);
    auto const joined = [&](std::size_t page, std::uint64_t mask) {
        return torrent_table::joined(
            *std::next(table.pages().begin(), static_cast<std::ptrdiff_t>(page)), mask);
    };
    auto const first = joined(0, 0b10), second = joined(1, 0b10);
    EXPECT_EQ(first.several()->at(0).mask, 0b10U);
    EXPECT_EQ(joined(0, 0b10), first);
    EXPECT_EQ(joined(0, 0).several()->at(0).mask, 0U) << "whole ones are kept beside it";
    EXPECT_EQ(joined(1, 0b10), second);
    see(table, 1, 0.5, 101);
    EXPECT_NE(joined(0, 0b10), first);
    EXPECT_EQ(joined(1, 0b10), second);
    EXPECT_EQ(joined(1, 0b11).several()->at(0).mask, 0b11U);
}

TEST(pages, only_the_page_of_what_changed_is_made_again) {
    torrent_table table;
    for (std::uint64_t n = 1; n <= 500; ++n) add(table, n, n);
    auto const views = [&] {
        std::vector<torrent_row_view> out; // held, so that no other gets its address
        for (auto const& page : table.pages()) out.push_back(torrent_table::joined(page));
        return out;
    };
    auto const before = views();
    EXPECT_EQ(views(), before);
    see(table, 250, 0.5, 501);
    auto const after = views();
    ASSERT_EQ(after.size(), before.size());
    int changed = 0;
    for (std::size_t i = 0; i < after.size(); ++i) changed += after[i] == before[i] ? 0 : 1;
    EXPECT_EQ(changed, 1);
    see(table, 250, 0.5, 502); // nothing moved
    EXPECT_EQ(views(), after);
}

} // namespace
} // namespace ccbt::model
