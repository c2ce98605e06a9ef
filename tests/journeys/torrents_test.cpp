// The torrents' journeys, each written once and made in every world.
#include "journeys/worlds.hpp"
#include "support/payload.hpp"

#include <gmock/gmock.h>
#include <map>
#include <random>

namespace ccbt::journeys {
namespace {

using contract::torrent_state;
using std::chrono::seconds;
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

std::string magnet(std::uint64_t n) { return fmt::format("magnet:?xt=urn:btih:{:040x}&dn=torrent+{}", n, n); }
std::string hex(std::uint64_t n) { return fmt::format("{:040x}", n); }
contract::info_hash hash(std::string_view of) {
    return contract::info_hash::parse(of).value_or(contract::info_hash{});
}

template <class World> struct journey : ::testing::Test {
    house in;
    World world{in};

    template <class E> auto call(typename E::request request) {
        return world.template call<E>(std::move(request));
    }
    auto add(contract::add_torrent::request request) {
        return call<contract::add_torrent>(std::move(request));
    }
    auto add(std::string link) {
        contract::add_torrent::request request;
        request.path_or_magnet = std::move(link);
        return add(std::move(request));
    }
    auto pause(std::string_view of) { return call<contract::pause_torrent>({hash(of)}); }
    auto resume(std::string_view of) { return call<contract::resume_torrent>({hash(of)}); }
    auto remove(std::string_view of, bool files = false) {
        return call<contract::remove_torrent>({hash(of), files});
    }
    auto get(std::string_view of) { return call<contract::get_torrent>({hash(of), std::nullopt}); }
    auto list(contract::list_torrents::request request = {}) {
        return call<contract::list_torrents>(std::move(request));
    }
    std::string status(std::string_view of) {
        auto const got = get(of);
        return got.value ? std::string{contract::name_of(got->value->status)} : got.said();
    }
    /// The next event: "torrent_status_changed 0000 paused".
    static std::string next(watching& from) {
        auto const e = from.next(seconds{20});
        if (!e) return "none";
        auto line = std::string{contract::name_of(e->type)};
        if (e->data.info_hash) line += ' ' + e->data.info_hash->substr(0, 4);
        if (e->data.status) line += ' ' + *e->data.status;
        return line;
    }
};

using worlds = ::testing::Types<in_process, through_client, by_catalogue>;
struct names_of_worlds {
    template <class World> static std::string GetName(int) {
        if constexpr (std::same_as<World, in_process>)
            return "in_process";
        else if constexpr (std::same_as<World, through_client>)
            return "through_client";
        else
            return "by_catalogue";
    }
};
TYPED_TEST_SUITE(journey, worlds, names_of_worlds);

TYPED_TEST(journey, a_torrent_is_added_pauses_goes_on_finishes_counts_and_goes_with_its_files) {
    auto& my = *this;
    support::make_files(my.in / "seed", {{"album/one", 70'000}, {"album/two", 300}}, 7);
    auto const made = support::make_torrent(my.in / "seed/album", {});
    auto const events = my.world.watch();

    contract::add_torrent::request request;
    request.torrent_data = base64(made.bytes);
    request.labels = {"music"};
    auto const added = my.add(request);
    ASSERT_EQ(added.said(), "ok");
    EXPECT_EQ(added->info_hash, made.v1);
    EXPECT_EQ(added->status, "added");
    auto const start = made.v1.substr(0, 4);
    EXPECT_EQ(my.next(*events), "torrent_added " + start);
    EXPECT_EQ(my.next(*events), "torrent_status_changed " + start + " downloading");

    auto const listed = my.list();
    ASSERT_THAT(listed->value.torrents, SizeIs(1));
    auto const& row = *listed->value.torrents[0];
    EXPECT_EQ(row.info_hash, made.v1);
    EXPECT_EQ(row.name, "album");
    EXPECT_EQ(row.total_size, 70'300);
    EXPECT_EQ(row.output_dir, my.in.downloads());
    EXPECT_THAT(row.labels, ElementsAre("music"));
    EXPECT_EQ(row.status, torrent_state::downloading);

    EXPECT_EQ(my.pause(made.v1)->status, "paused");
    EXPECT_EQ(my.status(made.v1), "paused");
    EXPECT_EQ(my.next(*events), "torrent_status_changed " + start + " paused");
    EXPECT_EQ(my.resume(made.v1)->status, "resumed");
    EXPECT_EQ(my.status(made.v1), "downloading");
    EXPECT_EQ(my.next(*events), "torrent_status_changed " + start + " downloading");

    my.in.engine_does(made.v1, [](auto& engine, auto, model::torrent_seen seen) {
        seen.progress = 0.5;
        seen.downloaded = 35'000;
        seen.download_rate = 12'345.5;
        seen.num_peers = 2;
        engine.see(seen);
    });
    EXPECT_EQ(my.get(made.v1)->value->progress, 0.5);
    auto const halfway = my.template call<contract::get_global_stats>({});
    EXPECT_EQ(halfway->total_download_rate, 12'345.5);
    EXPECT_EQ(halfway->total_downloaded, 35'000);
    EXPECT_EQ(halfway->num_active, 1);
    EXPECT_EQ(halfway->stats.num_peers, 2);
    EXPECT_DOUBLE_EQ(halfway->stats.average_progress, 0.5);
    auto const peers = my.template call<contract::get_peers>({hash(made.v1)});
    EXPECT_EQ(peers->info_hash, made.v1);
    EXPECT_EQ(peers->count, 2);
    EXPECT_THAT(peers->peers, SizeIs(2));

    my.in.engine_does(made.v1, [](auto& engine, auto id, auto const&) { engine.finish(id); });
    EXPECT_THAT(
        (std::vector{my.next(*events), my.next(*events)}),
        ::testing::UnorderedElementsAre(
            "torrent_completed " + start, "torrent_status_changed " + start + " seeding"));
    EXPECT_EQ(my.status(made.v1), "seeding");
    auto const done = my.template call<contract::get_global_stats>({});
    EXPECT_EQ(done->stats.num_seeding, 1);
    EXPECT_EQ(done->num_active, 0);
    EXPECT_EQ(done->total_downloaded, 70'300);

    std::filesystem::copy(my.in / "seed/album", my.in.downloads() + "/album");
    EXPECT_EQ(my.remove(made.v1, true)->status, "removed");
    EXPECT_FALSE(std::filesystem::exists(my.in.downloads() + "/album"));
    EXPECT_EQ(my.next(*events), "torrent_removed " + start);
    EXPECT_THAT(my.list()->value.torrents, IsEmpty());
    EXPECT_EQ(my.get(made.v1).said(), "404 TORRENT_NOT_FOUND");
    auto const after = my.template call<contract::get_global_stats>({});
    EXPECT_EQ(after->num_torrents, 0);
    EXPECT_EQ(after->total_downloaded, 70'300) << "of all time";
}

TYPED_TEST(journey, a_magnet_becomes_a_hybrid_torrent_and_answers_to_both_its_hashes) {
    auto& my = *this;
    support::make_files(my.in / "seed", {{"film", 100'000}}, 3);
    auto const made = support::make_torrent(my.in / "seed/film", {.kind = support::torrent_kind::hybrid});
    auto const events = my.world.watch({event_type::torrent_added, event_type::metadata_ready});
    ASSERT_EQ(my.add("magnet:?xt=urn:btih:" + made.v1).said(), "ok");
    EXPECT_EQ(my.status(made.v1), "metadata");
    EXPECT_EQ(my.get(made.v1)->value->name, made.v1);
    my.in.engine_does(made.v1, [&](auto& engine, auto id, auto const&) { engine.metadata(id, made.bytes); });
    EXPECT_EQ(my.next(*events), "torrent_added " + made.v1.substr(0, 4));
    EXPECT_EQ(my.next(*events), "metadata_ready " + made.v1.substr(0, 4));
    EXPECT_EQ(my.get(made.v2)->value->info_hash, made.v1);
    EXPECT_EQ(my.get(made.v2)->value->name, "film");
    EXPECT_EQ(my.get(made.v1)->value->total_size, 100'000);
    EXPECT_EQ(my.add("magnet:?xt=urn:btmh:1220" + made.v2).said(), "409 TORRENT_EXISTS");
    EXPECT_EQ(my.remove(made.v2).said(), "ok");
    EXPECT_EQ(my.get(made.v1).said(), "404 TORRENT_NOT_FOUND");
}

TYPED_TEST(journey, what_cannot_be_added_is_refused_by_its_code_and_nothing_changes) {
    auto& my = *this;
    ASSERT_EQ(my.add(magnet(1)).said(), "ok");
    auto const before = my.list()->etag;

    auto const again = my.add(magnet(1));
    EXPECT_EQ(again.said(), "409 TORRENT_EXISTS");
    EXPECT_EQ(again.detail("info_hash"), hex(1));
    EXPECT_EQ(my.add("magnet:?xt=urn:btih:zz").said(), "400 ADD_TORRENT_ERROR");
    EXPECT_EQ(my.add("/no/such/file.torrent").said(), "400 ADD_TORRENT_ERROR");
    EXPECT_EQ(my.add("/dev/zero").said(), "400 ADD_TORRENT_ERROR");
    EXPECT_EQ(my.add("").said(), "400 VALIDATION_ERROR");

    contract::add_torrent::request request;
    request.torrent_data = "this is not base64!";
    EXPECT_EQ(my.add(request).said(), "400 VALIDATION_ERROR");
    request.torrent_data = base64("no torrent");
    EXPECT_EQ(my.add(request).said(), "400 ADD_TORRENT_ERROR");
    request.path_or_magnet = magnet(2);
    EXPECT_EQ(my.add(request).said(), "400 VALIDATION_ERROR");
    request.torrent_data.reset();
    request.output_dir = "/etc";
    auto const outside = my.add(request);
    EXPECT_EQ(outside.said(), "403 ADD_TORRENT_ERROR");
    EXPECT_EQ(outside.detail("reason"), "path_not_allowed");

    for (auto const& [how, wanted] :
         {std::pair{store::outcome::full, "507 STATE_STORAGE_FULL"},
          std::pair{store::outcome::io_error, "503 STATE_IO_ERROR"},
          std::pair{store::outcome::unavailable, "503 SHUTTING_DOWN"}}) {
        my.in.on_loop([&, with = how] { my.in.kept().fail_next(with); });
        EXPECT_EQ(my.add(magnet(3)).said(), wanted);
    }
    EXPECT_EQ(my.template call<contract::get_health>({}).said(), "503 ")
        << "nothing was kept since the disk failed";
    for (auto const& unknown : {hex(9), std::string(64, 'f')}) {
        EXPECT_EQ(my.get(unknown).said(), "404 TORRENT_NOT_FOUND");
        EXPECT_EQ(my.pause(unknown).said(), "404 TORRENT_NOT_FOUND");
        EXPECT_EQ(my.resume(unknown).said(), "404 TORRENT_NOT_FOUND");
        EXPECT_EQ(my.remove(unknown).said(), "404 TORRENT_NOT_FOUND");
        EXPECT_EQ((my.template call<contract::get_peers>({hash(unknown)}).said()), "404 TORRENT_NOT_FOUND");
    }
    EXPECT_EQ(my.list()->etag, before);
}

TYPED_TEST(journey, a_tag_says_that_nothing_changed) {
    auto& my = *this;
    ASSERT_EQ(my.add(magnet(1)).said(), "ok");
    auto const listed = my.list();
    ASSERT_FALSE(listed->etag.empty());
    auto const again = my.list({.if_none_match = listed->etag});
    EXPECT_TRUE(again->unchanged);
    EXPECT_EQ(again->etag, listed->etag);
    auto const one = my.get(hex(1));
    EXPECT_TRUE((my.template call<contract::get_torrent>({hash(hex(1)), one->etag})->unchanged));
    ASSERT_EQ(my.pause(hex(1)).said(), "ok");
    EXPECT_FALSE(my.list({.if_none_match = listed->etag})->unchanged);
    EXPECT_FALSE((my.template call<contract::get_torrent>({hash(hex(1)), one->etag})->unchanged));
}

TYPED_TEST(journey, a_list_can_be_narrowed_and_sorted) {
    auto& my = *this;
    for (std::uint64_t n = 1; n <= 5; ++n) {
        contract::add_torrent::request request;
        request.path_or_magnet = magnet(n);
        request.paused = n % 2 == 0;
        if (n > 3) request.labels = {"late"};
        ASSERT_EQ(my.add(request).said(), "ok");
    }
    my.in.settle();
    auto const names = [&](contract::list_torrents::request request) {
        std::string out;
        auto const listed = my.list(std::move(request));
        for (auto const& row : listed->value.torrents) out += row->name.back();
        return out;
    };
    EXPECT_EQ(names({}), "12345");
    EXPECT_EQ(names({.status = "paused"}), "24");
    EXPECT_EQ(names({.label = "late"}), "45");
    EXPECT_EQ(names({.sort = "-name", .offset = 1, .limit = 2}), "43");
    auto const narrow = my.list({.fields_wanted = "name"});
    ASSERT_THAT(narrow->value.torrents, SizeIs(5));
    EXPECT_EQ(narrow->value.torrents[0]->name, "torrent 1");
    EXPECT_EQ(my.list({.sort = "size"}).said(), "400 VALIDATION_ERROR");
    EXPECT_EQ(my.list({.sort = "size"}).detail("field"), "sort");
    EXPECT_EQ(my.list({.status = "busy"}).said(), "400 VALIDATION_ERROR");
}

TYPED_TEST(journey, who_keeps_a_table_by_what_changed_has_the_whole_one_after_two_hundred_changes) {
    auto& my = *this;
    std::mt19937_64 random{4711};
    auto const below = [&](std::uint64_t n) { return random() % n; };
    std::map<std::string, std::string> table; // hash -> its row as JSON
    std::string revision = "none yet";
    int full = 0, rows = 0;
    auto const follow = [&] {
        auto const delta = my.list({.since = revision});
        ASSERT_EQ(delta.said(), "ok");
        if (*delta->value.full) {
            table.clear();
            ++full;
        }
        for (auto const& gone : *delta->value.removed) table.erase(gone);
        for (auto const& row : delta->value.torrents) table[row->info_hash] = wire::to_json(*row);
        rows += static_cast<int>(delta->value.torrents.size());
        revision = *delta->value.revision;
    };
    for (int i = 0; i < 200; ++i) {
        auto const n = 1 + below(15);
        auto const is_here = my.get(hex(n)).said() == "ok";
        if (!is_here) {
            ASSERT_EQ(my.add(magnet(n)).said(), "ok");
        } else if (auto const what = below(6); what == 0) {
            ASSERT_EQ(my.remove(hex(n)).said(), "ok");
        } else if (what == 1) {
            ASSERT_EQ(my.pause(hex(n)).said(), "ok");
        } else if (what == 2) {
            ASSERT_EQ(my.resume(hex(n)).said(), "ok");
        } else {
            my.in.engine_does(hex(n), [&](auto& engine, auto, model::torrent_seen seen) {
                seen.state = below(2) == 0 ? torrent_state::downloading : torrent_state::checking;
                seen.progress = static_cast<double>(below(1000)) / 1000;
                seen.download_rate = static_cast<double>(below(100'000));
                engine.see(seen);
            });
        }
        if (below(4) == 0) follow();
    }
    my.in.settle();
    follow();
    std::map<std::string, std::string> whole;
    auto const listed = my.list();
    for (auto const& row : listed->value.torrents) whole[row->info_hash] = wire::to_json(*row);
    EXPECT_EQ(table, whole);
    EXPECT_GT(whole.size(), 5U);
    EXPECT_EQ(full, 1) << "the first, whose revision was unknown";
    EXPECT_LT(rows, 400) << "only what changed";
}

TYPED_TEST(journey, after_a_restart_everything_is_listed_at_once_and_old_revisions_are_unknown) {
    auto& my = *this;
    for (std::uint64_t n = 1; n <= 3; ++n) ASSERT_EQ(my.add(magnet(n)).said(), "ok");
    ASSERT_EQ(my.pause(hex(2)).said(), "ok");
    for (auto const n : {1U, 3U})
        my.in.engine_does(hex(n), [](auto& engine, auto, model::torrent_seen seen) {
            seen.progress = 0.25;
            seen.downloaded = 1234;
            engine.see(seen);
        });
    ASSERT_EQ(my.remove(hex(3)).said(), "ok");
    auto const before = my.list({.since = "x"});
    auto const status = my.template call<contract::get_status>({});
    my.in.restart();

    TypeParam again{my.in};
    auto const listed = again.template call<contract::list_torrents>({.since = *before->value.revision});
    EXPECT_EQ(listed->value.full, true);
    EXPECT_NE(listed->value.revision, before->value.revision);
    ASSERT_THAT(listed->value.torrents, SizeIs(2));
    EXPECT_EQ(listed->value.torrents[0]->info_hash, hex(1));
    EXPECT_EQ(listed->value.torrents[1]->status, torrent_state::paused);
    EXPECT_EQ(again.template call<contract::get_global_stats>({})->total_downloaded, 2468)
        << "of the one that went, and of the one that is here";
    std::map<double, std::int64_t> kept;
    my.in.on_loop([&] {
        for (auto const& done : my.in.kept().done_now().torrents) kept[done.progress] = done.downloaded;
    });
    EXPECT_THAT(kept, ElementsAre(std::pair{0.0, 0}, std::pair{0.25, 1234}));
    EXPECT_EQ(again.template call<contract::get_status>({})->lineage, status->lineage) << "the same store";
    EXPECT_NE(listed->etag, before->etag);
}

TYPED_TEST(journey, the_daemon_says_who_it_is_how_it_does_and_how_to_speak_with_it) {
    auto& my = *this;
    ASSERT_EQ(my.add(magnet(1)).said(), "ok");
    auto const status = my.template call<contract::get_status>({});
    EXPECT_EQ(status->status, "running");
    EXPECT_EQ(status->pid, ::getpid());
    EXPECT_EQ(status->num_torrents, 1);
    EXPECT_EQ(status->ipc_url, my.in.url());
    EXPECT_EQ(status->version, CCBT_VERSION);
    EXPECT_EQ(status->lineage.size(), 32U);
    EXPECT_EQ(my.template call<contract::get_health>({})->status, "ok");
    auto const metrics = my.template call<contract::get_metrics>({});
    EXPECT_THAT(metrics->content_type, ::testing::HasSubstr("text/plain; version=0.0.4"));
    EXPECT_THAT(metrics->text, ::testing::HasSubstr("\nccbt_torrents{status=\"metadata\"} 1\n"));
    auto const document = my.template call<contract::get_openapi>({});
    EXPECT_EQ(document->content_type, "application/json");
    auto const read = wire::parse(document->text, {.depth = 64, .elements = 1'000'000});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->text_or("openapi", ""), "3.1.0");
}

TYPED_TEST(journey, a_shutdown_is_answered_told_and_done) {
    auto& my = *this;
    ASSERT_EQ(my.add(magnet(1)).said(), "ok");
    auto const events = my.world.watch();
    EXPECT_EQ(my.template call<contract::shut_down>({})->status, "shutting_down");
    EXPECT_EQ(my.next(*events), "shutdown");
    EXPECT_TRUE(my.in.has_ended(seconds{20}));
}

} // namespace
} // namespace ccbt::journeys
