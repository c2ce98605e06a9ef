// The WebSocket of events, as a watcher meets it over a real socket.
#include "client/watch.hpp"
#include "journeys/worlds.hpp"

#include <gmock/gmock.h>

namespace ccbt::journeys {
namespace {

using contract::torrent_state;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct events : ::testing::Test {
    std::string hex(std::uint64_t n) const { return fmt::format("{:040x}", n); }
    static void add(through_client& by, std::uint64_t n) {
        contract::add_torrent::request request;
        request.path_or_magnet = fmt::format("magnet:?xt=urn:btih:{:040x}", n);
        EXPECT_EQ(by.call<contract::add_torrent>(request).said(), "ok");
    }
    static std::string told(std::optional<wire::value> const& message) {
        return message ? wire::to_text(*message) : std::string{"nothing"};
    }
    static std::string type_of(std::optional<contract::event> const& e) {
        return e ? std::string{contract::name_of(e->type)} : std::string{"nothing"};
    }
};

TEST_F(events, a_watcher_subscribes_unsubscribes_pings_and_errs_and_the_connection_stays) {
    house in;
    socket_watch watch{in, {}};
    auto const ask = [&](std::string_view text) {
        watch.send(text);
        return told(watch.message(seconds{20}));
    };
    EXPECT_EQ(ask(R"({"action":"ping"})"), R"({"action":"pong"})");
    EXPECT_EQ(
        ask(R"({"action":"subscribe","data":{"event_types":["shutdown","resync"]}})"),
        R"({"action":"subscribed","event_types":["shutdown","resync"]})");
    EXPECT_THAT(
        ask(R"({"action":"unsubscribe","data":{"event_types":["resync"]}})"),
        HasSubstr(R"("action":"unsubscribed")"));
    watch.send(R"({"action":"pong"})"); // taken in silence
    for (auto const* wrong :
         {"not json", "[]", "{}", "7", R"({"action":"dance"})", R"({"action":"subscribe"})",
          R"({"action":"subscribe","data":null})",
          R"({"action":"subscribe","data":{"event_types":"shutdown"}})",
          R"({"action":"subscribe","data":{"event_types":["no_such_event"]}})",
          R"({"action":"subscribe","data":{"event_types":[7]}})"}) {
        auto const answer = ask(wrong);
        EXPECT_THAT(answer, HasSubstr(R"("action":"error")")) << wrong;
        EXPECT_THAT(answer, HasSubstr(R"("error":")")) << wrong;
    }
    EXPECT_EQ(ask(R"({"action":"ping"})"), R"({"action":"pong"})");
    EXPECT_FALSE(watch.closing());
}

TEST_F(events, without_a_subscription_the_original_eight_come_and_no_others) {
    house in;
    through_client by{in};
    socket_watch watch{in, {}};
    add(by, 1);
    in.on_loop([&] {
        in.fake().tell(model::config_changed{{"limits.global_down_kib"}});
        auto const root = in.running().state().torrents().first()->asked->root;
        in.fake().tell(model::root_offline{root}); // storage_offline is this project's own
        in.running().state().tell_changes(1);      // and so is torrents_changed
        in.fake().tell(model::stopping_now{});
    });
    std::vector<std::string> types;
    do types.push_back(type_of(watch.next(seconds{20})));
    while (types.back() != "shutdown" && types.back() != "nothing");
    EXPECT_THAT(types, ElementsAre("torrent_added", "config_updated", "torrent_status_changed", "shutdown"));
}

TEST_F(events, a_subscription_brings_what_it_names_and_can_be_taken_back) {
    house in;
    through_client by{in};
    socket_watch watch{in, {event_type::torrent_removed, event_type::torrent_added}};
    add(by, 1);
    EXPECT_EQ(by.call<contract::pause_torrent>({*contract::info_hash::parse(hex(1))}).said(), "ok");
    EXPECT_EQ(by.call<contract::remove_torrent>({*contract::info_hash::parse(hex(1)), false}).said(), "ok");
    EXPECT_EQ(type_of(watch.next(seconds{20})), "torrent_added");
    EXPECT_EQ(type_of(watch.next(seconds{20})), "torrent_removed");
    watch.send(R"({"action":"unsubscribe","data":{"event_types":["torrent_added"]}})");
    watch.expect_action("unsubscribed");
    add(by, 2);
    EXPECT_EQ(by.call<contract::remove_torrent>({*contract::info_hash::parse(hex(2)), false}).said(), "ok");
    EXPECT_EQ(type_of(watch.next(seconds{20})), "torrent_removed");
}

TEST_F(events, kept_events_are_numbered_one_by_one_for_every_watcher_alike) {
    house in;
    through_client by{in};
    socket_watch first{in, {}}, second{in, {event_type::torrent_added}};
    for (std::uint64_t n = 1; n <= 20; ++n) add(by, n);
    std::int64_t last = 0;
    std::vector<std::int64_t> of_first, of_second;
    for (int i = 0; i < 20; ++i) {
        auto const e = first.next(seconds{20});
        ASSERT_EQ(type_of(e), "torrent_added");
        if (last != 0) {
            EXPECT_EQ(e->seq, last + 1);
        }
        last = e->seq;
        of_first.push_back(e->seq);
        EXPECT_GT(e->timestamp, 1.6e9);
        auto const other = second.next(seconds{20});
        ASSERT_TRUE(other);
        of_second.push_back(other->seq);
    }
    EXPECT_EQ(of_first, of_second);
}

TEST_F(events, a_wrong_key_or_none_closes_with_4001_and_says_nothing) {
    house in;
    through_client by{in};
    for (auto const& [target, headers] :
         {std::pair<std::string, support::headers>{"/api/v1/events", {}},
          std::pair<std::string, support::headers>{"/api/v1/events", {{"X-CCBT-API-Key", "wrong"}}},
          std::pair<std::string, support::headers>{"/api/v1/events?api_key=wrong", {}}}) {
        support::web_socket watch{"127.0.0.1", in.port(), target, headers};
        add(by, in.on_loop([&] { return in.running().torrents() + 1; }));
        EXPECT_FALSE(watch.next(support::deadline{seconds{20}})) << target;
        ASSERT_TRUE(watch.closing()) << target;
        EXPECT_EQ(watch.closing()->first, 4001);
        EXPECT_EQ(watch.closing()->second, "Unauthorized");
    }
    support::web_socket by_query{"127.0.0.1", in.port(), std::string{"/api/v1/events?api_key="} + house::key};
    by_query.send(R"({"action":"ping"})");
    EXPECT_EQ(told(by_query.next(support::deadline{seconds{20}})), R"({"action":"pong"})");
}

TEST_F(events, a_heartbeat_comes_at_its_interval_and_is_no_event) {
    house in{{.heartbeat_seconds = 1}};
    socket_watch watch{in, {}};
    EXPECT_EQ(told(watch.message(seconds{20})), R"({"action":"ping"})");
    auto const first = steady::now();
    EXPECT_EQ(told(watch.message(seconds{20})), R"({"action":"ping"})");
    EXPECT_GT(steady::now() - first, milliseconds{500});
}

TEST_F(events, that_rows_changed_is_told_once_a_second_at_most_and_names_a_revision_to_ask_from) {
    house in{{.engine_period = milliseconds{20}}};
    through_client by{in};
    add(by, 1);
    auto const before = by.call<contract::list_torrents>({.since = "x"});
    in.engine_does(hex(1), [](auto& engine, auto, model::torrent_seen seen) {
        seen.state = torrent_state::seeding; // so that each tick moves it
        engine.see(seen);
    });
    socket_watch watch{in, {event_type::torrents_changed}};
    std::vector<double> at;
    for (int i = 0; i < 3; ++i) {
        auto const e = watch.next(seconds{20});
        ASSERT_EQ(type_of(e), "torrents_changed");
        at.push_back(e->timestamp);
        ASSERT_TRUE(e->data.revision);
        EXPECT_NE(e->data.revision, before->value.revision);
    }
    EXPECT_GT(at[1] - at[0], 0.9);
    EXPECT_GT(at[2] - at[1], 0.9);
}

// ---- only what is committed is told

// A change that goes on in another thread, as a client asks for it.
template <class E> std::future<std::string> begin(house& in, typename E::request request) {
    return std::async(std::launch::async, [&in, request = std::move(request)] {
        through_client by{in};
        return by.call<E>(request).said();
    });
}

struct change {
    std::string what;
    std::function<std::future<std::string>(house&)> begin;
    std::vector<event_type> told;
};

std::vector<change> changes(std::string const& hex) {
    contract::add_torrent::request added;
    added.path_or_magnet = "magnet:?xt=urn:btih:" + hex;
    auto const hash = *contract::info_hash::parse(hex);
    return {
        {"add",
         [=](house& in) { return begin<contract::add_torrent>(in, added); },
         {event_type::torrent_added}},
        {"pause",
         [=](house& in) { return begin<contract::pause_torrent>(in, {hash}); },
         {event_type::torrent_status_changed}},
        {"blacklist",
         [](house& in) {
             return begin<contract::add_to_blacklist>(in, {"192.0.2.1", {}});
         },
         {event_type::security_blacklist_updated}},
        {"whitelist",
         [](house& in) {
             return begin<contract::add_to_whitelist>(in, {"192.0.2.2", {}});
         },
         {event_type::security_whitelist_updated}},
        {"remove",
         [=](house& in) {
             return begin<contract::remove_torrent>(in, {hash, false});
         },
         {event_type::torrent_removed}}};
}

TEST_F(events, each_change_is_told_when_it_is_committed_and_not_before) {
    house in;
    socket_watch watch{in, {}};
    for (auto const& one : changes(hex(7))) {
        in.on_loop([&] { in.kept().hold(); });
        auto answer = one.begin(in);
        support::deadline const by{seconds{20}};
        while (in.on_loop([&] { return in.kept().waiting(); }) == 0 && !by.is_over()) continue;
        in.settle();
        watch.settle(); // a word of it would have come before the pong
        EXPECT_EQ(answer.wait_for(seconds{0}), std::future_status::timeout) << one.what << " is not answered";
        in.on_loop([&] { in.kept().release(); });
        EXPECT_EQ(answer.get(), "ok") << one.what;
        for (auto const type : one.told)
            EXPECT_EQ(type_of(watch.next(seconds{20})), contract::name_of(type)) << one.what;
        watch.settle();
    }
}

TEST_F(events, a_change_that_could_not_be_committed_is_not_told) {
    house in;
    through_client by{in};
    add(by, 7);
    socket_watch watch{in, {}};
    for (auto const& one : changes(hex(7))) {
        if (one.what == "add") continue;
        in.on_loop(
            [&] { in.kept().fail_next(store::outcome::full, 1'000); }); // progress is kept meanwhile, too
        EXPECT_EQ(one.begin(in).get(), "507 STATE_STORAGE_FULL") << one.what;
        watch.settle();
    }
    in.on_loop([&] { in.kept().fail_next(store::outcome::io_error, 1'000); });
    EXPECT_EQ(changes(hex(8)).front().begin(in).get(), "503 STATE_IO_ERROR");
    watch.settle();
    in.on_loop([&] { in.kept().fail_next(store::outcome::committed, 0); });
    add(by, 9);
    auto const first = watch.next(seconds{20});
    ASSERT_EQ(type_of(first), "torrent_added");
    EXPECT_EQ(first->data.info_hash, hex(9)) << "numbers of events are taken by what is told only";
}

TEST_F(events, who_missed_more_than_the_log_keeps_is_told_once_to_read_anew_and_from_where) {
    house in;
    through_client by{in};
    add(by, 1);
    std::int64_t seen = 0;
    {
        socket_watch first{in, {event_type::torrent_added}};
        add(by, 2);
        auto const e = first.next(seconds{20});
        ASSERT_EQ(type_of(e), "torrent_added");
        seen = e->seq;
    }
    auto const kept = [&] { return in.on_loop([&] { return in.running().state().events().kept().size(); }); };
    constexpr std::size_t most = 10'000;
    in.on_loop([&] {
        auto const id = in.running().state().torrents().find(*contract::info_hash::parse(hex(1)))->asked->id;
        for (std::size_t i = 0; i < most; ++i)
            in.fake().tell(
                i % 2 == 0 ? model::fact{model::torrent_failed{id, "x"}}
                           : model::fact{model::torrent_recovered{id}});
    });
    in.settle();
    ASSERT_EQ(kept(), most);

    std::vector<event_type> const wanted{
        event_type::torrent_added, event_type::torrent_status_changed, event_type::resync};
    auto back = client::event_stream::open({.url = in.url(), .api_key = house::key}, wanted, seen - 1);
    ASSERT_TRUE(back) << back.error().message;
    auto const next = [&] {
        auto got = back->next(seconds{20});
        return got ? std::move(*got) : std::nullopt;
    };
    auto const told = next();
    ASSERT_EQ(type_of(told), "resync");
    EXPECT_EQ(told->seq, seen + static_cast<std::int64_t>(most)) << "of the last event";
    ASSERT_TRUE(told->data.revision);
    contract::list_torrents::request from;
    from.since = told->data.revision;
    auto const since = by.call<contract::list_torrents>(from);
    EXPECT_EQ(since->value.full, false) << "the revision is one to start from";
    EXPECT_TRUE(since->value.torrents.empty()) << "and nothing came after it";
    add(by, 3);
    auto const after = next();
    ASSERT_EQ(type_of(after), "torrent_added") << "one resync, and none of what the log still has";
    EXPECT_EQ(after->seq, told->seq + 1);

    contract::get_event_log::request request;
    request.since = seen - 1;
    auto const page = by.call<contract::get_event_log>(request);
    EXPECT_TRUE(page->resync) << "who asks for pages is told, too";
}

// ---- one who does not read

// Makes events of 16 KiB each: the torrent has a long name, and its status goes to and fro.
struct loud_torrent {
    house& in;
    model::torrent_id id{5, 5};
    bool fails = true;

    void begin() { // beside a torrent whose storage root it takes
        in.on_loop([&] {
            model::torrent_asked asked;
            asked.id = id;
            asked.hashes.v1 = *contract::info_hash::parse(std::string(40, 'e'));
            asked.name = std::string(16'384, 'n');
            asked.root = in.running().state().torrents().first()->asked->root;
            asked.has_metainfo = true;
            in.fake().tell(model::torrent_put{std::make_shared<model::torrent_asked const>(asked)});
        });
        in.settle();
    }
    void speak(int times) {
        in.on_loop([&] {
            for (int i = 0; i < times; ++i) {
                in.fake().tell(
                    fails ? model::fact{model::torrent_failed{id, "x"}}
                          : model::fact{model::torrent_recovered{id}});
                fails = !fails;
            }
        });
    }
};

TEST_F(events, one_who_never_reads_is_told_to_resync_and_let_go_while_another_gets_every_event_in_order) {
    house in;
    through_client by{in};
    add(by, 1);
    loud_torrent loud{in};
    loud.begin();
    std::vector<event_type> const wanted{event_type::torrent_status_changed, event_type::resync};
    socket_watch reader{in, wanted}, sleeper{in, wanted};

    std::int64_t last = 0;
    auto const resynced = [&] { return in.on_loop([&] { return in.door().watchers_resynced; }); };
    int batches = 0;
    for (; batches < 200 && resynced() == 0;
         ++batches) { // the kernel's buffers take some MiB before the daemon's do
        loud.speak(16);
        for (int i = 0; i < 16; ++i) {
            auto const e = reader.next(seconds{20});
            ASSERT_EQ(type_of(e), "torrent_status_changed");
            ASSERT_TRUE(last == 0 || e->seq == last + 1) << e->seq << " after " << last;
            last = e->seq;
        }
    }
    ASSERT_EQ(resynced(), 1U) << "after " << batches << " batches";

    std::int64_t heard = 0;
    std::optional<contract::event> e;
    while ((e = sleeper.next(seconds{20})) && e->type != event_type::resync) {
        ASSERT_TRUE(heard == 0 || e->seq == heard + 1) << "what did come, came in order";
        heard = e->seq;
    }
    ASSERT_EQ(type_of(e), "resync");
    EXPECT_LT(heard, last) << "some were dropped";
    EXPECT_FALSE(sleeper.next(seconds{20}));
    ASSERT_TRUE(sleeper.closing());
    EXPECT_EQ(sleeper.closing()->first, 1013);

    loud.speak(2);
    EXPECT_EQ(type_of(reader.next(seconds{20})), "torrent_status_changed") << "the other goes on";
    socket_watch back{in, wanted};
    loud.speak(2);
    EXPECT_EQ(type_of(back.next(seconds{20})), "torrent_status_changed") << "and may come back";
}

} // namespace
} // namespace ccbt::journeys
