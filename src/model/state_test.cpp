#include "model/state.hpp"

#include <gmock/gmock.h>
#include <random>

namespace ccbt::model {
namespace {

using contract::torrent_state;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

info_hash hash_of(std::uint8_t first, std::size_t size = 20) {
    std::vector<std::uint8_t> bytes(size, 0);
    bytes[0] = first;
    return info_hash{bytes};
}

// A line an event: "torrent_added 01 ubuntu", "torrent_status_changed 01 ubuntu paused".
std::string line(contract::event const& e) {
    std::string out{contract::name_of(e.type)};
    if (e.data.info_hash) out += ' ' + e.data.info_hash->substr(0, 2);
    if (e.data.name) out += ' ' + *e.data.name;
    if (e.data.status) out += ' ' + *e.data.status;
    if (e.data.ip) out += ' ' + *e.data.ip + ' ' + e.data.action.value_or("");
    if (e.data.path) out += ' ' + *e.data.path;
    if (e.data.keys)
        for (auto const& key : *e.data.keys) out += ' ' + key;
    return out;
}

struct state : ::testing::Test {
    storage_root const root{{7, 7}, "/data"};
    storage_root const other_root{{8, 8}, "/more"};
    model::state it{
        {.incarnation = 0xabc, .first_seq = 100, .removed_downloaded = 1000, .removed_uploaded = 50}};
    std::vector<std::string> told;
    std::vector<contract::event_view> events;
    double now = 1'700'000'000;

    state() {
        it.know_root(root);
        it.know_root(other_root);
        it.events().listen([this](contract::event_view const& e) {
            told.push_back(line(*e));
            events.push_back(e);
        });
    }
    std::vector<std::string> take() { return std::exchange(told, {}); }
    void apply(fact const& one) { it.apply(one, ++now); }

    torrent_asked asked(std::uint8_t n) const {
        torrent_asked a;
        a.id = {1, n};
        a.hashes.v1 = hash_of(n);
        a.name = "t" + std::to_string(n);
        a.has_metainfo = true;
        a.total_size = 1000;
        a.root = root.id;
        return a;
    }
    void put(torrent_asked a) { apply(torrent_put{std::make_shared<torrent_asked const>(std::move(a))}); }
    void restore(torrent_asked a, torrent_done done = {}) {
        it.restore(std::make_shared<torrent_asked const>(std::move(a)), done);
    }
    torrent_seen seen(std::uint8_t n, torrent_state s, double progress = 0) const {
        torrent_seen sample;
        sample.id = {1, n};
        sample.state = s;
        sample.progress = progress;
        sample.finished = progress >= 1;
        return sample;
    }
    void see(std::uint8_t n, torrent_state s, double progress = 0) {
        apply(torrents_seen{{seen(n, s, progress)}});
    }
    torrent_state status(std::uint8_t n) const { return it.torrents().find(torrent_id{1, n})->view->status; }
};

// ---- events

TEST_F(state, a_torrent_that_is_added_is_told_once_with_hash_and_name) {
    put(asked(1));
    EXPECT_THAT(take(), ElementsAre("torrent_added 01 t1"));
    EXPECT_EQ(events[0]->seq, 100);
    EXPECT_EQ(events[0]->timestamp, now);
    EXPECT_EQ(events[0]->data.info_hash, "0100000000000000000000000000000000000000");
    EXPECT_EQ(status(1), torrent_state::starting);
}

TEST_F(state, each_change_of_status_is_told_and_nothing_else_of_a_row) {
    put(asked(1));
    take();
    see(1, torrent_state::downloading, 0.1);
    see(1, torrent_state::downloading, 0.2);
    EXPECT_THAT(take(), ElementsAre("torrent_status_changed 01 t1 downloading"));
    auto paused = asked(1);
    paused.paused = true;
    put(paused);
    EXPECT_THAT(take(), ElementsAre("torrent_status_changed 01 t1 paused"));
    see(1, torrent_state::paused, 0.2);
    put(paused);
    EXPECT_THAT(take(), IsEmpty());
    put(asked(1));
    EXPECT_THAT(take(), ElementsAre("torrent_status_changed 01 t1 downloading"));
    auto labelled = asked(1);
    labelled.labels = {"iso"};
    put(labelled);
    EXPECT_THAT(take(), IsEmpty());
}

TEST_F(state, a_finished_torrent_is_told_once_and_then_seeds) {
    put(asked(1));
    see(1, torrent_state::downloading, 0.9);
    take();
    apply(torrent_finished{{1, 1}});
    see(1, torrent_state::seeding, 1);
    EXPECT_THAT(take(), ElementsAre("torrent_completed 01 t1", "torrent_status_changed 01 t1 seeding"));
}

TEST_F(state, a_failure_is_an_error_until_it_is_over) {
    put(asked(1));
    see(1, torrent_state::downloading);
    take();
    apply(torrent_failed{{1, 1}, "no space left"});
    EXPECT_THAT(take(), ElementsAre("torrent_status_changed 01 t1 error"));
    EXPECT_EQ(it.torrents().find(torrent_id{1, 1})->view->error, "no space left");
    see(1, torrent_state::downloading);
    EXPECT_THAT(take(), IsEmpty()) << "samples do not end it";
    apply(torrent_recovered{{1, 1}});
    EXPECT_THAT(take(), ElementsAre("torrent_status_changed 01 t1 downloading"));
    EXPECT_EQ(it.torrents().find(torrent_id{1, 1})->view->error, std::nullopt);
    apply(torrent_failed{{1, 1}, ""});
    EXPECT_EQ(it.torrents().find(torrent_id{1, 1})->view->error, "unknown error")
        << "never an error without a reason";
}

TEST_F(state, a_removed_torrent_is_told_and_gone) {
    put(asked(1));
    take();
    apply(torrent_gone{{1, 1}});
    EXPECT_THAT(take(), ElementsAre("torrent_removed 01 t1"));
    EXPECT_EQ(it.torrents().size(), 0U);
    apply(torrent_gone{{1, 1}});
    EXPECT_THAT(take(), IsEmpty()) << "once";
}

TEST_F(state, facts_of_torrents_that_are_gone_say_nothing) {
    see(9, torrent_state::seeding, 1);
    apply(torrent_finished{{1, 9}});
    apply(torrent_failed{{1, 9}, "x"});
    apply(torrent_recovered{{1, 9}});
    EXPECT_THAT(told, IsEmpty());
    EXPECT_EQ(it.torrents().size(), 0U);
}

TEST_F(state, a_magnet_that_learns_its_metadata_is_told_with_its_new_name) {
    auto magnet = asked(1);
    magnet.has_metainfo = false;
    magnet.name.clear();
    put(magnet);
    see(1, torrent_state::metadata);
    EXPECT_THAT(take(), ElementsAre("torrent_added 01 0100000000000000000000000000000000000000"));
    EXPECT_EQ(status(1), torrent_state::metadata) << "from the first";
    put(asked(1));
    EXPECT_THAT(take(), ElementsAre("metadata_ready 01 t1"));
    put(asked(1));
    EXPECT_THAT(take(), IsEmpty());
}

TEST_F(state, a_magnet_whose_download_outruns_its_metadata_is_told_complete_after_it) {
    auto magnet = asked(1);
    magnet.has_metainfo = false;
    put(magnet);
    see(1, torrent_state::seeding, 1);
    take();
    apply(torrent_finished{{1, 1}});
    EXPECT_THAT(take(), IsEmpty());
    put(asked(1));
    EXPECT_THAT(take(), ElementsAre("metadata_ready 01 t1", "torrent_completed 01 t1"));
}

TEST_F(state, a_change_of_configuration_and_the_end_are_told) {
    apply(config_changed{{"limits.global_down_kib", "queue.max_active_torrents"}});
    EXPECT_THAT(take(), ElementsAre("config_updated limits.global_down_kib queue.max_active_torrents"));
    EXPECT_FALSE(it.stopping());
    apply(stopping_now{});
    EXPECT_THAT(take(), ElementsAre("shutdown"));
    EXPECT_TRUE(it.stopping());
}

TEST_F(state, torrents_of_before_get_going_without_a_word_and_then_speak) {
    torrent_done done;
    done.progress = 0.5;
    done.downloaded = 500;
    restore(asked(1), done);
    auto paused = asked(2);
    paused.paused = true;
    restore(paused);
    EXPECT_EQ(status(1), torrent_state::starting);
    EXPECT_EQ(it.torrents().find(torrent_id{1, 1})->view->progress, 0.5);
    EXPECT_EQ(it.torrents().find(torrent_id{1, 1})->view->downloaded, 500);
    see(1, torrent_state::downloading, 0.5);
    see(2, torrent_state::paused);
    EXPECT_THAT(told, IsEmpty());
    see(1, torrent_state::seeding, 1);
    EXPECT_THAT(take(), ElementsAre("torrent_status_changed 01 t1 seeding"));
}

// ---- storage

TEST_F(state, a_storage_root_that_goes_offline_takes_its_own_torrents_with_it_and_brings_them_back) {
    put(asked(1));
    auto elsewhere = asked(2);
    elsewhere.root = other_root.id;
    put(elsewhere);
    see(1, torrent_state::seeding, 1);
    see(2, torrent_state::seeding, 1);
    take();
    apply(root_offline{root.id});
    EXPECT_THAT(take(), ElementsAre("torrent_status_changed 01 t1 error", "storage_offline /data"));
    EXPECT_TRUE(it.is_offline(root.id));
    EXPECT_FALSE(it.is_offline(other_root.id));
    EXPECT_EQ(status(2), torrent_state::seeding);
    EXPECT_THAT(*it.torrents().find(torrent_id{1, 1})->view->error, ::testing::HasSubstr("/data"));
    apply(root_offline{root.id});
    EXPECT_THAT(take(), IsEmpty()) << "told once";

    put(asked(3)); // added while it is away
    EXPECT_EQ(status(3), torrent_state::error);
    take();
    apply(root_online{root.id});
    EXPECT_THAT(
        take(), ElementsAre(
                    "torrent_status_changed 01 t1 seeding", "torrent_status_changed 03 t3 starting",
                    "storage_online /data"));
}

TEST_F(state, torrents_of_before_whose_drive_is_away_are_listed_as_errors) {
    apply(root_offline{root.id});
    take();
    restore(asked(1));
    EXPECT_EQ(status(1), torrent_state::error);
    EXPECT_EQ(it.torrents().find(torrent_id{1, 1})->view->output_dir, "/data");
    EXPECT_THAT(told, IsEmpty());
}

TEST_F(state, a_folder_is_the_roots_path_and_the_torrents_own) {
    auto a = asked(1);
    EXPECT_EQ(it.folder_of(a), "/data");
    a.folder = "x/y";
    EXPECT_EQ(it.folder_of(a), "/data/x/y");
    it.know_root({{9, 9}, "/"});
    a.root = {9, 9};
    EXPECT_EQ(it.folder_of(a), "/x/y");
    a.root = {5, 5};
    EXPECT_EQ(it.folder_of(a), "");
    EXPECT_TRUE(it.is_offline({5, 5})) << "nothing is written below a root that nobody knows";
    EXPECT_EQ(it.root({5, 5}), nullptr);
}

// ---- revisions

TEST_F(state, every_application_is_a_revision_of_this_run) {
    auto const before = it.revision();
    EXPECT_EQ(before.incarnation, 0xabcU);
    put(asked(1));
    EXPECT_EQ(it.revision().number, before.number + 1);
    fact const both[]{torrents_seen{{seen(1, torrent_state::downloading)}}, session_seen{5, 6, 7}};
    it.apply(both, ++now);
    EXPECT_EQ(it.revision().number, before.number + 2) << "one for all the facts of a turn";
    EXPECT_EQ(it.torrents().find(torrent_id{1, 1})->changed, before.number + 2);
}

TEST_F(state, that_rows_moved_is_told_once_and_with_the_revision_to_ask_from) {
    it.tell_changes(now);
    EXPECT_THAT(told, IsEmpty()) << "what was restored is no change";
    put(asked(1));
    take();
    it.tell_changes(now);
    it.tell_changes(now);
    EXPECT_THAT(take(), ElementsAre("torrents_changed"));
    EXPECT_EQ(events.back()->data.revision, it.revision().token());
    EXPECT_EQ(events.back()->seq, 100) << "it is not kept: it carries the last that was";
    apply(session_seen{1, 2, 3});
    it.tell_changes(now);
    EXPECT_THAT(take(), IsEmpty()) << "no row moved";
    see(1, torrent_state::starting, 0.5);
    it.tell_changes(now);
    EXPECT_THAT(take(), ElementsAre("torrents_changed")) << "progress alone is a change of a row";
    apply(torrent_gone{{1, 1}});
    take();
    it.tell_changes(now);
    EXPECT_THAT(take(), ElementsAre("torrents_changed"));
}

TEST_F(state, torrents_of_before_are_rows_of_the_first_revision) {
    restore(asked(1));
    it.tell_changes(now);
    EXPECT_THAT(told, IsEmpty());
    EXPECT_THAT(it.torrents().changes_since(it.revision().number)->rows, IsEmpty());
}

// ---- totals

TEST_F(state, totals_keep_what_removed_torrents_have_moved) {
    EXPECT_EQ(it.totals().downloaded, 1000);
    EXPECT_EQ(it.totals().uploaded, 50);
    put(asked(1));
    auto sample = seen(1, torrent_state::downloading);
    sample.downloaded = 300;
    sample.uploaded = 20;
    apply(torrents_seen{{sample}});
    EXPECT_EQ(it.totals().downloaded, 1300);
    apply(torrent_gone{{1, 1}});
    EXPECT_EQ(it.totals().downloaded, 1300);
    EXPECT_EQ(it.totals().uploaded, 70);
    apply(session_seen{11, 22, 33});
    EXPECT_EQ(it.totals().dht_nodes, 11);
    EXPECT_EQ(it.totals().session_downloaded, 22);
    EXPECT_EQ(it.totals().session_uploaded, 33);
}

TEST_F(state, totals_never_fall_through_a_thousand_random_facts) {
    std::mt19937_64 random{77};
    auto const below = [&](std::uint64_t n) { return random() % n; };
    std::map<std::uint8_t, std::int64_t> moved; // of those that are here
    std::int64_t of_removed = 1000;
    std::int64_t last_seq = 99;
    for (int step = 0; step < 1000; ++step) {
        auto const n = static_cast<std::uint8_t>(1 + below(20));
        if (!moved.contains(n)) {
            put(asked(n));
            moved[n] = 0;
        } else if (below(8) == 0) {
            apply(torrent_gone{{1, n}});
            of_removed += moved[n];
            moved.erase(n);
        } else {
            auto sample = seen(n, static_cast<torrent_state>(below(9)));
            sample.downloaded = moved[n] += static_cast<std::int64_t>(below(10'000));
            apply(torrents_seen{{sample}});
        }
        std::int64_t expected = of_removed;
        for (auto const& [_, bytes] : moved) expected += bytes;
        ASSERT_EQ(it.totals().downloaded, expected) << "at step " << step;
        for (auto const& e : std::exchange(events, {})) ASSERT_EQ(e->seq, ++last_seq);
    }
    EXPECT_GT(of_removed, 1000);
}

TEST_F(state, lists_are_told_of_by_what_was_added_or_removed) {
    auto const net = *ip_range::parse("10.0.0.0/8"), friendly = *ip_range::parse("10.0.0.5");
    it.restore(address_list::blacklist, {*ip_range::parse("::1"), "from before", 5});
    EXPECT_THAT(take(), IsEmpty());
    apply(list_changed{address_list::blacklist, {net, "noise", 1}, true});
    EXPECT_THAT(take(), ElementsAre("security_blacklist_updated 10.0.0.0/8 added"));
    apply(list_changed{address_list::whitelist, {friendly, "", 2}, true});
    EXPECT_THAT(take(), ElementsAre("security_whitelist_updated 10.0.0.5 added"));
    apply(list_changed{address_list::blacklist, {net, "more noise", 1}, true});
    EXPECT_THAT(take(), IsEmpty()) << "another reason changes nothing that matters to others";
    EXPECT_EQ(it.list(address_list::blacklist).at(net).reason, "more noise");
    EXPECT_EQ(it.list(address_list::blacklist).size(), 2U);
    apply(list_changed{address_list::blacklist, {net, "", 0}, false});
    EXPECT_THAT(take(), ElementsAre("security_blacklist_updated 10.0.0.0/8 removed"));
    apply(list_changed{address_list::blacklist, {net, "", 0}, false});
    EXPECT_THAT(take(), IsEmpty());
    apply(list_changed{address_list::whitelist, {friendly, "", 2}, false});
    EXPECT_THAT(take(), ElementsAre("security_whitelist_updated 10.0.0.5 removed"));
    EXPECT_EQ(it.list(address_list::blacklist).size(), 1U);
    EXPECT_TRUE(it.list(address_list::whitelist).empty());
}

TEST_F(state, connections_blocked_and_let_through_are_counted_of_this_start) {
    apply(session_seen{.blocked_connections = 3, .allowed_connections = 4});
    EXPECT_EQ(it.totals().blocked_connections, 3);
    EXPECT_EQ(it.totals().allowed_connections, 4);
}

} // namespace
} // namespace ccbt::model
