// A torrent that is removed in whatever state, and added again at once, ends where a new one would.
#include "base/text.hpp"
#include "faults/gate.hpp"
#include "swarm/swarm.hpp"

namespace ccbt::support {

namespace {

struct subject {
    std::string body; // of POST /torrents/add
    std::string hash;
    bool with_files = true; // may be removed with them
    std::vector<std::string> ends_as;
};

std::string body_of(torrent const& what, bool paused = false) {
    auto const base64 = text::to_base64(std::vector<std::uint8_t>(what.bytes.begin(), what.bytes.end()));
    return R"({"torrent_data":")" + base64 + R"(","paused":)" + (paused ? "true" : "false") + '}';
}

class removal : public testing::Test {
protected:
    removal() {
        for (auto const& name : {"loads", "waits"}) make_file(in.data(name), 64 * mib, 150);
        make_file(in.data("whole"), 1 * mib, 151);
        make_file(in.data("checked"), 48 * mib, 152);
        make_file(in.data("rests"), 1 * mib, 153);
        make_file(in.data("larger"), 1 * mib, 154);
        seeder = std::make_unique<daemon>(in.seeder());
        for (auto const& name : {"loads", "waits", "whole", "checked", "rests", "larger"}) {
            auto const what = in.torrent_of(in.data(name));
            seeder->add(what);
            seeder->wait_until_seeding(what.hash());
            all.emplace(name, subject{body_of(what, name == std::string{"rests"}), what.hash(), true, {}});
        }
        auto const nowhere = std::string(39, '0') + '7';
        all.emplace(
            "magnet",
            subject{R"({"path_or_magnet":"magnet:?xt=urn:btih:)" + nowhere + "\"}", nowhere, true, {}});
        // Two slots for those that download: one of these three waits, whoever came last.
        for (auto const& name : {"loads", "waits", "magnet"})
            all.at(name).ends_as = {"downloading", "metadata", "queued"};
        all.at("whole").ends_as = {"seeding"};
        all.at("checked").ends_as = {"seeding"};
        all.at("rests").ends_as = {"paused"};
        all.at("larger").ends_as = {"error"};
        all.at("larger").with_files = false; // what is in the way is not the torrent's
        for (auto const& name : {"checked", "whole"})
            all.at(name).with_files = false; // they would wait for a slot
    }
    void prepare_leecher() {
        auto plan = in.leecher(
            {{"limits.per_torrent_down_kib", "512"},
             {"queue.auto_manage_queue", "true"},
             {"queue.max_active_torrents", "20"},
             {"queue.max_active_seeding", "10"},
             {"queue.max_active_downloading", "2"}});
        auto const downloads = plan.folder / "downloads";
        make_file(downloads / "larger", 2 * mib, 154);
        make_file(downloads / "checked", 48 * mib, 152);
        make_file(downloads / "whole", 1 * mib, 151);
        leecher = std::make_unique<daemon>(std::move(plan));
        for (auto const& [name, one] : all)
            ASSERT_EQ(leecher->post("/torrents/add", one.body).status, 200) << name;
    }
    void again(std::string const& name, bool with_files) const {
        auto const& one = all.at(name);
        auto const files = with_files && one.with_files ? "?delete_files=true" : "";
        auto const gone = leecher->del("/torrents/" + one.hash + files);
        ASSERT_EQ(gone.status, 200) << name << gone.body;
        ASSERT_EQ(leecher->get("/torrents/" + one.hash).status, 404) << name;
        auto const back = leecher->post("/torrents/add", one.body);
        ASSERT_EQ(back.status, 200) << name << back.body;
        ASSERT_EQ(back.json.text_or("info_hash", ""), one.hash) << name;
    }
    void expect_ends() const {
        EXPECT_EQ(leecher->get("/torrents").json.list_or_empty("torrents").size(), all.size());
        for (auto const& [name, one] : all) {
            auto const row = leecher->wait_for(one.hash, [&one = one](value const& r) {
                return std::find(one.ends_as.begin(), one.ends_as.end(), state_of(r)) != one.ends_as.end();
            });
            EXPECT_EQ(row.text_or("error", "").empty(), name != "larger") << to_text(row);
        }
        auto const now = leecher->get("/torrents").json.list_or_empty("torrents");
        auto const count = [&](std::string const& state) {
            return std::count_if(
                now.begin(), now.end(), [&](auto const& row) { return state_of(row) == state; });
        };
        EXPECT_EQ(count("downloading") + count("metadata"), 2);
        EXPECT_EQ(count("queued"), 1);
    }

    swarm in;
    std::unique_ptr<daemon> seeder, leecher;
    std::map<std::string, subject> all;
};

TEST_F(removal, and_adding_again_at_once_ends_as_the_first_add_did_twenty_times_in_every_state) {
    prepare_leecher();
    expect_ends();
    auto const larger = sha256_of(leecher->downloads() / "larger");
    for (int round = 0; round < 20; ++round)
        for (auto const& [name, one] : all) ASSERT_NO_FATAL_FAILURE(again(name, round % 3 == 2)) << round;
    expect_ends();
    EXPECT_EQ(sha256_of(leecher->downloads() / "larger"), larger);
    EXPECT_EQ(sha256_of(leecher->downloads() / "whole"), sha256_of(in.data("whole")));

    // And while all of them are starting.
    ASSERT_EQ(leecher->terminate(), 0);
    gate closed;
    closed.close_before(*leecher);
    leecher->start();
    for (auto const& name : {"checked", "larger", "whole"})
        EXPECT_EQ(state_of(leecher->row(all.at(name).hash)), "starting") << name;
    for (int round = 0; round < 4; ++round)
        for (auto const& [name, one] : all) ASSERT_NO_FATAL_FAILURE(again(name, round % 2 == 1)) << round;
    closed.open();
    expect_ends();
}

} // namespace

} // namespace ccbt::support
