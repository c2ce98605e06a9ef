// What a daemon of many torrents answers, and takes, before its engine has them.
#include "faults/gate.hpp"
#include "support/many_torrents.hpp"
#include "swarm/swarm.hpp"

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

constexpr int many = 10'000;

std::map<std::string, int> counts_of(std::map<std::string, std::string> const& statuses) {
    std::map<std::string, int> out;
    for (auto const& [hash, status] : statuses) ++out[status];
    return out;
}

TEST(start, ten_thousand_torrents_are_listed_at_once_and_what_is_asked_before_the_engine_has_them_holds) {
    swarm in;
    auto plan = in.seeder();
    make_files(plan.folder / "downloads" / "files", {{"a", 40'000}, {"b", 40'000}}, 91);
    auto const files = in.torrent_of(plan.folder / "downloads" / "files");
    daemon with{plan};
    with.add(files);
    auto const hashes = add_many(with, {.count = many});
    wait_until_loaded(with);
    ASSERT_EQ(counts_of(statuses_of(with)), (std::map<std::string, int>{{"seeding", many + 1}}));
    ASSERT_EQ(with.terminate(), 0);

    gate closed;
    closed.close_before(with);
    auto const began = clock::now();
    with.start();
    auto const all = with.get("/torrents");
    auto const took = std::chrono::duration_cast<milliseconds>(clock::now() - began);
    RecordProperty("listed_after_ms", static_cast<int>(took.count()));
    EXPECT_LT(took.count(), 1000) << "about 100 ms where nothing else runs";
    EXPECT_EQ(all.json.list_or_empty("torrents").size(), many + 1U);
    EXPECT_EQ(counts_of(statuses_of(with)), (std::map<std::string, int>{{"starting", many + 1}}));
    EXPECT_EQ(with.row(hashes[5]).number_or("progress", -1), 1.0) << "as it was last saved";

    auto const at = [&](int n) { return "/torrents/" + hashes[static_cast<std::size_t>(n)]; };
    ASSERT_EQ(with.post(at(1) + "/pause").status, 200);
    ASSERT_EQ(with.del(at(2)).status, 200);
    ASSERT_EQ(with.del(at(3) + "?delete_files=true").status, 200);
    ASSERT_EQ(with.del(at(4)).status, 200);
    add_many(with, {.first = 4, .count = 1}); // the same torrent again
    ASSERT_EQ(with.post(at(5) + "/rate-limits", R"({"download_kib":0,"upload_kib":77})").status, 200);
    ASSERT_EQ(
        with.post("/torrents/" + files.hash() + "/files/deselect", R"({"file_indices":[1]})").status, 200);
    ASSERT_EQ(with.post(at(6) + "/pause").status, 200);
    ASSERT_EQ(with.post(at(6) + "/resume").status, 200);
    add_many(with, {.first = many, .count = 1}); // a new one
    EXPECT_EQ(with.get(at(2)).code(), "TORRENT_NOT_FOUND");
    EXPECT_EQ(state_of(with.row(hashes[1])), "paused");

    closed.open();
    wait_until_loaded(with);
    auto const now = statuses_of(with);
    EXPECT_EQ(counts_of(now), (std::map<std::string, int>{{"paused", 1}, {"seeding", many - 1}}));
    EXPECT_EQ(now.at(hashes[1]), "paused");
    EXPECT_FALSE(now.contains(hashes[2]));
    EXPECT_FALSE(now.contains(hashes[3]));
    EXPECT_TRUE(now.contains(hashes[4]));
    EXPECT_TRUE(fs::exists(with.downloads() / name_of_many(2)));
    EXPECT_FALSE(fs::exists(with.downloads() / name_of_many(3)));
    auto const limited = with.row(hashes[5]);
    EXPECT_EQ(limited.number_or("upload_limit_kib", -1), 77) << to_text(limited);
    auto const listed = with.get("/torrents/" + files.hash() + "/files").json.list_or_empty("files");
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[1].text_or("priority", ""), "do_not_download") << to_text(listed[1]);
}

} // namespace

} // namespace ccbt::support
