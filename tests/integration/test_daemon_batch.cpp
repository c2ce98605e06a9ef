// POST /torrents/batch/…: many at once, one commit, an outcome each.
#include "base/text.hpp"
#include "client/client.hpp"
#include "swarm/swarm.hpp"

#include <set>

namespace ccbt::support {

namespace {

struct daemon_batch : testing::Test {
    temp_folder root{};
    daemon one{{.folder = root / "one"}};

    torrent makes(std::string const& name) {
        make_file(one.downloads() / name, 50'000, std::hash<std::string>{}(name));
        return make_torrent(one.downloads() / name, {});
    }
    static std::string item(torrent const& what) {
        return R"({"torrent_data":")" +
               text::to_base64(
                   {reinterpret_cast<std::uint8_t const*>(what.bytes.data()), what.bytes.size()}) +
               R"("})";
    }
    static std::string naming(std::vector<std::string> const& hashes, std::string const& more = "") {
        std::string list;
        for (auto const& hash : hashes) list += (list.empty() ? "\"" : ",\"") + hash + '"';
        return R"({"info_hashes":[)" + list + "]" + more + "}";
    }
    static std::vector<std::string> codes(answer const& said) {
        std::vector<std::string> out;
        for (auto const& one_result : said.json.list_or_empty("results"))
            out.push_back(
                one_result.flag_or("success", false) ? "ok" : std::string{one_result.text_or("code", "")});
        return out;
    }
};

using testing::ElementsAre;

TEST_F(daemon_batch, each_item_has_an_outcome_of_its_own_and_what_was_done_survives_a_kill) {
    auto const a = makes("a");
    auto const b = makes("b");
    auto const c = makes("c");
    one.add(c);
    auto told = one.events({"torrent_added", "torrent_removed", "torrent_status_changed"});
    auto const added = one.post(
        "/torrents/batch/add", R"({"torrents":[)" + item(a) + "," + item(b) + "," + item(c) + "," + item(a) +
                                   R"(,{"path_or_magnet":"/nowhere"},{}]})");
    ASSERT_EQ(added.status, 200) << added.body;
    EXPECT_THAT(
        codes(added),
        ElementsAre("ok", "ok", "TORRENT_EXISTS", "TORRENT_EXISTS", "ADD_TORRENT_ERROR", "VALIDATION_ERROR"));
    auto const& results = added.json.list_or_empty("results");
    EXPECT_EQ(results[0].text_or("info_hash", ""), a.hash());
    EXPECT_EQ(results[2].text_or("info_hash", ""), c.hash());
    EXPECT_TRUE(results[4].find("info_hash")->is_null());
    EXPECT_NE(results[4].text_or("error", ""), "");
    for (auto const& hash : {a.hash(), b.hash()})
        told.wait_for("torrent_added", [&](auto const& d) { return d.text_or("info_hash", "") == hash; });
    one.kill9();
    one.start();
    one.wait_until_seeding(a.hash());
    one.wait_until_seeding(b.hash());

    auto again = one.events({"torrent_removed", "torrent_status_changed"});
    auto const paused =
        one.post("/torrents/batch/pause", naming({a.hash(), b.hash(), a.hash(), std::string(40, '0'), "12"}));
    ASSERT_EQ(paused.status, 200) << paused.body;
    EXPECT_THAT(codes(paused), ElementsAre("ok", "ok", "ok", "TORRENT_NOT_FOUND", "INVALID_INFO_HASH"));
    std::set<std::string> told_paused; // in whichever order
    again.wait_for("torrent_status_changed", [&](auto const& d) {
        if (d.text_or("status", "") == "paused") told_paused.emplace(d.text_or("info_hash", ""));
        return told_paused.size() == 2;
    });
    for (auto const& hash : {a.hash(), b.hash()}) {
        EXPECT_TRUE(told_paused.contains(hash));
        EXPECT_EQ(state_of(one.row(hash)), "paused");
    }
    EXPECT_EQ(state_of(one.row(c.hash())), "seeding");
    one.kill9();
    one.start();
    EXPECT_EQ(state_of(one.row(a.hash())), "paused");

    auto const resumed = one.post("/torrents/batch/resume", naming({a.hash(), b.hash()}));
    EXPECT_THAT(codes(resumed), ElementsAre("ok", "ok"));
    one.wait_until_seeding(a.hash());
    one.wait_until_seeding(b.hash());

    auto const gone = one.post(
        "/torrents/batch/remove",
        naming({a.hash(), c.hash(), std::string(40, '0')}, R"(,"remove_data":true)"));
    EXPECT_THAT(codes(gone), ElementsAre("ok", "ok", "TORRENT_NOT_FOUND"));
    EXPECT_FALSE(std::filesystem::exists(one.downloads() / "a"));
    EXPECT_FALSE(std::filesystem::exists(one.downloads() / "c"));
    EXPECT_TRUE(std::filesystem::exists(one.downloads() / "b"));
    EXPECT_EQ(one.get("/torrents/" + a.hash()).status, 404);
}

TEST_F(daemon_batch, files_that_two_of_a_batch_share_go_with_both_and_stay_with_one) {
    auto const a = makes("same");
    auto const b = make_torrent(one.downloads() / "same", {.piece_size = 32 << 10});
    ASSERT_NE(a.hash(), b.hash());
    one.add(a);
    one.add(b);
    one.wait_until_seeding(a.hash());
    auto const said =
        one.post("/torrents/batch/remove", naming({a.hash(), b.hash()}, R"(,"remove_data":true)"));
    EXPECT_THAT(codes(said), ElementsAre("ok", "ok"));
    EXPECT_FALSE(std::filesystem::exists(one.downloads() / "same"));
}

TEST_F(daemon_batch, what_is_malformed_or_too_much_changes_nothing) {
    auto const a = makes("a");
    auto const field_of = [&](std::string_view path, std::string const& body) {
        auto const said = one.post(path, body);
        EXPECT_EQ(said.status, 400) << body.substr(0, 100);
        EXPECT_EQ(said.code(), "VALIDATION_ERROR");
        return std::string{said.json.find("details")->text_or("field", "")};
    };
    EXPECT_EQ(field_of("/torrents/batch/add", "{}"), "torrents");
    EXPECT_EQ(
        field_of("/torrents/batch/add", R"({"torrents":[)" + item(a) + R"(,{"labels":3}]})"),
        "torrents[1].labels");
    EXPECT_EQ(field_of("/torrents/batch/pause", R"({"info_hashes":"x"})"), "info_hashes");
    EXPECT_EQ(
        field_of("/torrents/batch/remove", naming(std::vector<std::string>(1001, a.hash()))), "info_hashes");
    EXPECT_TRUE(one.get("/torrents").json.list_or_empty("torrents").empty());
    EXPECT_EQ(to_text(one.post("/torrents/batch/resume", R"({"info_hashes":[]})").json), R"({"results":[]})");
}

TEST_F(daemon_batch, three_hundred_torrents_are_added_paused_and_removed_by_the_client) {
    client::client asks{{.url = one.url(), .api_key = one.key()}};
    std::vector<contract::add_torrent::request> all;
    std::vector<std::string> hashes;
    for (int i = 0; i < 300; ++i) {
        auto hash = std::string(37, 'a') + std::to_string(100 + i);
        auto& request = all.emplace_back();
        request.path_or_magnet = "magnet:?xt=urn:btih:" + hash;
        hashes.push_back(std::move(hash));
    }
    auto const good = [](auto const& results) {
        return results
                   ? std::count_if(results->begin(), results->end(), [](auto const& r) { return r.success; })
                   : -1;
    };
    EXPECT_EQ(good(asks.batch_add(all)), 300);
    EXPECT_EQ(asks.torrents()->size(), 300U);
    EXPECT_EQ(good(asks.batch_pause(hashes)), 300);
    EXPECT_EQ(
        state_of(one.wait_for(hashes.back(), [](auto const& r) { return state_of(r) == "paused"; })),
        "paused");
    EXPECT_EQ(good(asks.batch_resume(hashes)), 300);
    EXPECT_EQ(good(asks.batch_remove(hashes)), 300);
    EXPECT_EQ(asks.torrents()->size(), 0U);
}

} // namespace

} // namespace ccbt::support
