#include "executor/torrents.hpp"

#include "base/text.hpp"
#include "engine/fake_engine.hpp"
#include "executor/test_house.hpp"
#include "store/memory_store.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ccbt::executor {
namespace {

using namespace testing;
using contract::torrent_state;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string base64(std::string_view bytes) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    unsigned held = 0;
    int bits = 0;
    for (char const c : bytes) {
        held = held << 8 | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 6; bits -= 6) out += letters[held >> (bits - 6) & 63U];
    }
    if (bits > 0) out += letters[held << (6 - bits) & 63U];
    while (out.size() % 4 != 0) out += '=';
    return out;
}

struct torrents : ::testing::Test, test_house<store::memory_store, engine::fake_engine> {
    static contract::add_torrent::request by_content(std::string_view bytes) {
        contract::add_torrent::request request;
        request.torrent_data = base64(bytes);
        return request;
    }
    static contract::add_torrent::request by_link(std::string link) {
        contract::add_torrent::request request;
        request.path_or_magnet = std::move(link);
        return request;
    }
    /// Nothing is here, nowhere.
    void expect_nothing_added() {
        EXPECT_EQ(state.torrents().size(), 0U);
        EXPECT_THAT(store.asked_now().torrents, IsEmpty());
        EXPECT_THAT(engine.wishes(), IsEmpty());
        EXPECT_THAT(events, IsEmpty());
    }
};

// ---- adding

TEST_F(torrents, a_magnet_is_listed_kept_and_given_to_the_engine) {
    auto const added = add(magnet_v1);
    ASSERT_EQ(said(added), "ok");
    EXPECT_EQ(added->info_hash, hash_v1) << "in lower case";
    EXPECT_EQ(added->status, "added");
    ASSERT_NE(row(hash_v1), nullptr);
    EXPECT_EQ(row(hash_v1)->view->name, "some name");
    EXPECT_EQ(row(hash_v1)->view->output_dir, downloads);
    EXPECT_EQ(row(hash_v1)->view->status, torrent_state::metadata);
    ASSERT_THAT(store.asked_now().torrents, SizeIs(1));
    EXPECT_EQ(store.asked_now().torrents[0]->magnet, magnet_v1);
    ASSERT_THAT(engine.wishes(), SizeIs(1));
    EXPECT_EQ(engine.wishes()[0].save_path, downloads);
    EXPECT_FALSE(engine.wishes()[0].blocked);
    EXPECT_EQ(events.front(), "torrent_added 00112233");
}

TEST_F(torrents, a_torrents_content_comes_in_base64) {
    auto const bytes = metainfo("album", {{"cd1", "one.flac"}, {"two.flac"}});
    auto request = by_content(bytes);
    request.paused = true;
    request.sequential = true;
    request.labels = {"music", "new"};
    auto const added = add(request);
    ASSERT_EQ(said(added), "ok");
    auto const* r = row(added->info_hash);
    EXPECT_EQ(r->view->name, "album");
    EXPECT_EQ(r->view->total_size, 200);
    EXPECT_EQ(r->view->status, torrent_state::paused);
    EXPECT_THAT(r->view->labels, ElementsAre("music", "new"));
    EXPECT_TRUE(r->asked->sequential);
    EXPECT_EQ(*engine.loaded(r->asked->id)->metainfo, bytes);
    EXPECT_EQ(store.asked_now().torrents[0]->paused, true);
}

TEST_F(torrents, a_torrent_file_is_read_where_it_lies) {
    auto const path = folder / "some.torrent";
    write_file(path, metainfo("film.mkv"));
    auto const added = add(path.string());
    ASSERT_EQ(said(added), "ok");
    EXPECT_EQ(row(added->info_hash)->view->name, "film.mkv");
    EXPECT_TRUE(row(added->info_hash)->asked->has_metainfo);
}

TEST_F(torrents, only_a_regular_file_of_a_torrents_size_is_opened) {
    auto const too_large = folder / "large.torrent", fifo = folder / "fifo", link = folder / "dangling";
    write_file(too_large, metainfo("x"));
    fs::resize_file(too_large, (16U << 20) + 1);
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    fs::create_symlink("/nowhere/at/all", link);
    write_file(folder / "text", "this is no torrent");
    write_file(folder / "empty", "");
    for (auto const& path :
         {too_large.string(), fifo.string(), link.string(), folder.path(), std::string{"/dev/zero"},
          (folder / "text").string(), (folder / "empty").string(), (folder / "text/below").string(),
          (folder / "not there").string(), std::string{"/etc/hostname\0.torrent", 22}}) {
        auto const added = add(path);
        EXPECT_EQ(said(added), "400 ADD_TORRENT_ERROR") << path;
        EXPECT_EQ(added.error().message.find("this is no torrent\n"), std::string::npos);
    }
    expect_nothing_added();
}

TEST_F(torrents, v2_and_hybrid_magnets_are_taken_and_found_by_each_hash) {
    auto const v2 = add(magnet_v2);
    ASSERT_EQ(said(v2), "ok");
    EXPECT_EQ(v2->info_hash, hash_v2);
    EXPECT_EQ(row(hash_v2)->view->name, hash_v2) << "without a dn";
    auto const hybrid =
        add("magnet:?xt=urn:btih:" + std::string(40, 'a') + "&xt=urn:btmh:1220" + std::string(64, 'b'));
    ASSERT_EQ(said(hybrid), "ok");
    EXPECT_EQ(hybrid->info_hash, std::string(40, 'a'));
    EXPECT_EQ(row(std::string(64, 'b')), row(std::string(40, 'a')));
    EXPECT_EQ(said(pause(std::string(64, 'b'))), "ok");
    EXPECT_TRUE(row(std::string(40, 'a'))->asked->paused);
}

TEST_F(torrents, a_request_that_names_nothing_or_two_things_is_400) {
    auto const nothing = add(contract::add_torrent::request{});
    EXPECT_EQ(said(nothing), "400 VALIDATION_ERROR");
    EXPECT_EQ(detail(nothing, "field"), "path_or_magnet");
    auto both = by_content(metainfo("x"));
    both.path_or_magnet = magnet_v1;
    EXPECT_EQ(said(add(both)), "400 VALIDATION_ERROR");
    EXPECT_EQ(detail(add(both), "field"), "torrent_data");
    contract::add_torrent::request garbled;
    garbled.torrent_data = "this is not base64!";
    EXPECT_EQ(said(add(garbled)), "400 VALIDATION_ERROR");
    EXPECT_EQ(detail(add(garbled), "field"), "torrent_data");
    EXPECT_EQ(said(add(by_content("d4:infoe"))), "400 ADD_TORRENT_ERROR");
    EXPECT_EQ(said(add("magnet:?xt=urn:btih:123")), "400 ADD_TORRENT_ERROR");
    EXPECT_EQ(said(add("magnet:?dn=nothing")), "400 ADD_TORRENT_ERROR");
    expect_nothing_added();
}

TEST_F(torrents, what_is_here_already_is_409_and_names_it) {
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    auto const again = add(magnet_v1);
    EXPECT_EQ(said(again), "409 TORRENT_EXISTS");
    EXPECT_EQ(detail(again, "info_hash"), hash_v1);
    auto const as_hybrid = add(std::string{magnet_v1} + "&xt=urn:btmh:1220" + std::string(64, 'b'));
    EXPECT_EQ(said(as_hybrid), "409 TORRENT_EXISTS");
    EXPECT_EQ(state.torrents().size(), 1U);
    EXPECT_THAT(store.asked_now().torrents, SizeIs(1));
}

TEST_F(torrents, of_the_same_torrent_added_twice_at_once_one_is_added) {
    store.hold();
    auto const first = start_add(by_link(magnet_v1)), second = start_add(by_link(magnet_v1));
    EXPECT_EQ(store.waiting(), 2U);
    store.release();
    EXPECT_EQ(said(finish(first)), "ok");
    auto const other = finish(second);
    EXPECT_EQ(said(other), "409 TORRENT_EXISTS");
    EXPECT_EQ(detail(other, "info_hash"), hash_v1);
    EXPECT_EQ(state.torrents().size(), 1U);
    EXPECT_THAT(engine.wishes(), SizeIs(1));
}

TEST_F(torrents, output_dir_says_where_below_the_allowed_folders) {
    auto request = by_link(magnet_v1);
    request.output_dir = downloads + "/films";
    ASSERT_EQ(said(add(request)), "ok");
    EXPECT_EQ(row(hash_v1)->view->output_dir, downloads + "/films");
    EXPECT_EQ(engine.wishes()[0].save_path, downloads + "/films");
    EXPECT_EQ(store.asked_now().torrents[0]->folder, "films");
    EXPECT_FALSE(fs::exists(downloads + "/films")) << "the engine makes it";

    request = by_link(magnet_v2);
    for (auto const& outside : {folder.path(), downloads + "/..", std::string{"../x"}, std::string{"/etc"}}) {
        request.output_dir = outside;
        auto const refused = add(request);
        EXPECT_EQ(said(refused), "403 ADD_TORRENT_ERROR") << outside;
        EXPECT_EQ(detail(refused, "reason"), "path_not_allowed");
    }
    EXPECT_EQ(state.torrents().size(), 1U);
}

TEST_F(torrents, a_torrent_may_not_bring_a_file_of_the_markers_name) {
    EXPECT_EQ(said(add(by_content(metainfo(".ccbt-root")))), "400 ADD_TORRENT_ERROR");
    EXPECT_EQ(said(add(by_content(metainfo("x", {{"a"}, {"b", ".ccbt-root"}})))), "400 ADD_TORRENT_ERROR");
    expect_nothing_added();
}

TEST_F(torrents, nothing_is_added_below_a_folder_that_is_offline) {
    state.apply(model::root_offline{roots.all()[0].id}, 1);
    events.clear();
    auto const refused = add(magnet_v1);
    EXPECT_EQ(said(refused), "400 ADD_TORRENT_ERROR");
    EXPECT_EQ(detail(refused, "reason"), "storage_offline");
    expect_nothing_added();
}

TEST_F(torrents, each_is_added_at_the_end_of_the_queue) {
    for (char const digit : {'c', 'a', 'b'})
        ASSERT_EQ(said(add("magnet:?xt=urn:btih:" + std::string(40, digit))), "ok");
    auto const at = [&](char digit) { return row(std::string(40, digit))->asked->queue_order; };
    EXPECT_LT(at('c'), at('a'));
    EXPECT_LT(at('a'), at('b'));
}

// ---- durable, then public

TEST_F(torrents, nothing_is_answered_listed_or_begun_before_the_store_has_it) {
    store.hold();
    auto const added = start_add(by_link(magnet_v1));
    EXPECT_EQ(store.waiting(), 1U);
    EXPECT_FALSE(added->has_value());
    expect_nothing_added();
    store.release();
    EXPECT_EQ(said(finish(added)), "ok");

    auto const before = state.revision();
    store.hold();
    auto const paused = start(deeds.handle(contract::pause_torrent::request{hash(hash_v1)}, who));
    auto const asked_so_far = engine.wishes().size();
    EXPECT_FALSE(paused->has_value());
    EXPECT_FALSE(row(hash_v1)->asked->paused);
    EXPECT_EQ(state.revision(), before);
    store.release();
    EXPECT_EQ(said(finish(paused)), "ok");
    EXPECT_EQ(engine.wishes().size(), asked_so_far + 1);

    store.hold();
    auto const removed = start_remove(hash_v1, false);
    EXPECT_FALSE(removed->has_value());
    EXPECT_NE(row(hash_v1), nullptr);
    EXPECT_THAT(engine.forgotten(), IsEmpty());
    store.release();
    EXPECT_EQ(said(finish(removed)), "ok");
    EXPECT_EQ(row(hash_v1), nullptr);
}

TEST_F(torrents, a_store_that_fails_is_told_as_what_it_is_and_changes_nothing) {
    std::pair<store::outcome, std::string> const cases[]{
        {store::outcome::full, "507 STATE_STORAGE_FULL"},
        {store::outcome::io_error, "503 STATE_IO_ERROR"},
        {store::outcome::unknown, "503 STATE_IO_ERROR"},
        {store::outcome::unavailable, "503 SHUTTING_DOWN"}};
    for (auto const& [how, wanted] : cases) {
        store.fail_next(how);
        auto const added = add(magnet_v1);
        EXPECT_EQ(said(added), wanted);
        EXPECT_EQ(added.error().message.find('/'), std::string::npos) << "no path in a 5xx";
        expect_nothing_added();
    }
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    for (auto const& [how, wanted] : cases) {
        auto const before = state.revision();
        store.fail_next(how);
        EXPECT_EQ(said(pause(hash_v1)), wanted);
        EXPECT_EQ(paused_everywhere(hash_v1), "running running running");
        store.fail_next(how, 2); // the last totals, and the removal itself
        EXPECT_EQ(said(remove(hash_v1, true)), wanted);
        EXPECT_NE(row(hash_v1), nullptr);
        EXPECT_THAT(store.asked_now().torrents, SizeIs(1));
        EXPECT_THAT(engine.forgotten(), IsEmpty());
        EXPECT_EQ(state.revision(), before);
    }
}

// ---- reading

TEST_F(torrents, one_torrent_has_a_tag_that_holds_until_it_changes) {
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    ASSERT_EQ(said(add(magnet_v2)), "ok");
    auto const get = [&](std::optional<std::string> tag) {
        contract::get_torrent::request request{hash(hash_v1), std::move(tag)};
        return wait(deeds.handle(request, who));
    };
    auto const first = get(std::nullopt);
    EXPECT_EQ(first->value->info_hash, hash_v1);
    EXPECT_TRUE(get(first->etag)->unchanged);
    EXPECT_FALSE(get(first->etag)->value) << "a 304 has no row";
    ASSERT_EQ(said(pause(hash_v2)), "ok");
    EXPECT_TRUE(get(first->etag)->unchanged) << "another's change is not its own";
    ASSERT_EQ(said(pause(hash_v1)), "ok");
    EXPECT_FALSE(get(first->etag)->unchanged);
    contract::get_torrent::request unknown{hash(std::string(40, 'f')), std::nullopt};
    EXPECT_EQ(said(wait(deeds.handle(unknown, who))), "404 TORRENT_NOT_FOUND");
}

TEST_F(torrents, peers_are_that_torrents_own) {
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    contract::peer one;
    one.ip = "192.0.2.7";
    one.port = 6881;
    engine.set_peers(row(hash_v1)->asked->id, {one});
    auto const peers = wait(deeds.handle(contract::get_peers::request{hash(hash_v1)}, who));
    EXPECT_EQ(peers->info_hash, hash_v1);
    EXPECT_EQ(peers->count, 1);
    ASSERT_THAT(peers->peers, SizeIs(1));
    EXPECT_EQ(peers->peers[0].ip, "192.0.2.7");
    EXPECT_EQ(
        said(wait(deeds.handle(contract::get_peers::request{hash(hash_v2)}, who))), "404 TORRENT_NOT_FOUND");
}

TEST_F(torrents, a_listed_torrent_that_the_engine_does_not_have_yet_has_no_peers) {
    model::torrent_asked of_before;
    of_before.id = {1, 1};
    of_before.hashes.v1 = hash(hash_v1);
    of_before.root = roots.all()[0].id;
    state.restore(std::make_shared<model::torrent_asked const>(of_before), {});
    house.not_loaded.insert({1, 1});
    auto const peers = wait(deeds.handle(contract::get_peers::request{hash(hash_v1)}, who));
    ASSERT_EQ(said(peers), "ok");
    EXPECT_EQ(peers->count, 0);
    ASSERT_EQ(said(pause(hash_v1)), "ok");
    EXPECT_THAT(engine.wishes(), IsEmpty()) << "it is handed over as it is asked then";
}

// ---- stopping and going on

TEST_F(torrents, pausing_and_resuming_are_told_to_all_and_can_be_repeated) {
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    settle();
    events.clear();
    EXPECT_EQ(said(pause(hash_v1)), "ok");
    EXPECT_EQ(paused_everywhere(hash_v1), "paused paused paused");
    EXPECT_THAT(events, ElementsAre("torrent_status_changed 00112233"));
    auto const changes = store.counters().changes;
    EXPECT_EQ(pause(hash_v1)->status, "paused");
    EXPECT_EQ(store.counters().changes, changes) << "nothing to keep";
    EXPECT_THAT(events, SizeIs(1));
    EXPECT_EQ(resume(hash_v1)->status, "resumed");
    EXPECT_EQ(resume(hash_v1)->status, "resumed");
    EXPECT_EQ(paused_everywhere(hash_v1), "running running running");
    EXPECT_THAT(events, SizeIs(2));
    EXPECT_EQ(said(pause(hash_v2)), "404 TORRENT_NOT_FOUND");
    EXPECT_EQ(said(resume(hash_v2)), "404 TORRENT_NOT_FOUND");
}

TEST_F(torrents, pauses_and_resumes_at_once_happen_one_after_another_and_the_last_one_holds) {
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    for (bool const last_is_pause : {true, false}) {
        store.hold();
        std::vector<answer<result<contract::done>>> all;
        for (int i = 0; i < 6; ++i) {
            bool const pauses = (i % 2 == 1) == last_is_pause;
            auto const which = hash(hash_v1);
            all.push_back(
                pauses ? start(deeds.handle(contract::pause_torrent::request{which}, who))
                       : start(deeds.handle(contract::resume_torrent::request{which}, who)));
        }
        EXPECT_LE(store.waiting(), 1U) << "each waits for its turn";
        store.release();
        for (auto const& one : all) EXPECT_EQ(said(finish(one)), "ok");
        EXPECT_EQ(
            paused_everywhere(hash_v1), last_is_pause ? "paused paused paused" : "running running running");
    }
}

TEST_F(torrents, metadata_that_arrives_during_a_pause_loses_neither) {
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    store.hold();
    auto const paused = start(deeds.handle(contract::pause_torrent::request{hash(hash_v1)}, who));
    model::metadata_arrived learned;
    learned.id = row(hash_v1)->asked->id;
    learned.metainfo = std::make_shared<std::string const>(metainfo("film"));
    learned.hashes = {hash(hash_v1), hash(hash_v2)};
    learned.name = "film";
    learned.total_size = 100;
    engine.tell(learned);
    settle();
    EXPECT_EQ(row(hash_v1)->view->name, "some name") << "not public before it is kept";
    store.release();
    EXPECT_EQ(said(finish(paused)), "ok");
    run_until([&] { return row(hash_v1)->asked->has_metainfo; });
    EXPECT_EQ(paused_everywhere(hash_v1), "paused paused paused");
    EXPECT_EQ(row(hash_v1)->view->name, "film");
    EXPECT_EQ(row(hash_v1)->view->total_size, 100);
    EXPECT_EQ(row(hash_v2), row(hash_v1)) << "it turned out hybrid";
    EXPECT_EQ(store.asked_now().torrents[0]->name, "film");
    EXPECT_THAT(events, ::testing::Contains("metadata_ready 00112233"));
}

TEST_F(torrents, metadata_of_a_torrent_that_was_removed_meanwhile_is_forgotten) {
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    model::metadata_arrived learned;
    learned.id = row(hash_v1)->asked->id;
    learned.metainfo = std::make_shared<std::string const>(metainfo("film"));
    store.hold();
    auto const removed = start_remove(hash_v1, false);
    engine.tell(learned);
    settle();
    store.release();
    EXPECT_EQ(said(finish(removed)), "ok");
    settle();
    EXPECT_EQ(state.torrents().size(), 0U);
    EXPECT_THAT(store.asked_now().torrents, IsEmpty());
}

TEST_F(torrents, a_magnet_that_turns_out_to_be_another_torrent_here_is_an_error_of_its_own) {
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    ASSERT_EQ(said(add(magnet_v2)), "ok");
    model::metadata_arrived learned;
    learned.id = row(hash_v2)->asked->id;
    learned.metainfo = std::make_shared<std::string const>(metainfo("film"));
    learned.hashes = {hash(hash_v1), hash(hash_v2)};
    learned.name = "film";
    engine.tell(learned);
    run_until([&] { return row(hash_v2)->view->status == torrent_state::error; });
    EXPECT_EQ(row(hash_v1)->view->status, torrent_state::metadata);
    EXPECT_EQ(row(hash_v1)->view->name, "some name");
}

TEST_F(torrents, resuming_has_an_error_tried_again) {
    ASSERT_EQ(said(add(magnet_v1)), "ok");
    engine.fail(row(hash_v1)->asked->id, "no space left");
    settle();
    EXPECT_EQ(row(hash_v1)->view->status, torrent_state::error);
    EXPECT_EQ(row(hash_v1)->view->error, "no space left");
    EXPECT_EQ(said(resume(hash_v1)), "ok");
    EXPECT_EQ(row(hash_v1)->view->status, torrent_state::metadata);
    EXPECT_EQ(row(hash_v1)->view->error, std::nullopt);
}

} // namespace
} // namespace ccbt::executor
