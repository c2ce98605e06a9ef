// Checkpoints over real daemons and real peers: what is claimed is hashed, what is right is kept, the rest is fetched.
#include "integration/state_files.hpp"
#include "swarm/swarm.hpp"

#include <fstream>
#include <gmock/gmock.h>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int piece = 64 << 10, pieces = 64;

struct daemon_torrent_extended_backup_checkpoint : testing::Test {
    swarm in;
    torrent what;
    std::unique_ptr<daemon> seeder;

    void share(std::string const& name = "data") {
        make_file(in.data(name), std::uint64_t{piece} * pieces, 41);
        what = in.torrent_of(in.data(name), {.piece_size = piece});
        seeder = std::make_unique<daemon>(in.seeder());
        seeder->add(what);
        seeder->wait_until_seeding(what.hash());
    }
    /// The first half of the data, with these pieces spoilt.
    void lay_half(fs::path const& file, std::vector<int> const& spoilt = {}) const {
        fs::create_directories(file.parent_path());
        fs::copy_file(in.data("data"), file);
        fs::resize_file(file, std::uint64_t{piece} * pieces / 2);
        std::fstream to{file, std::ios::binary | std::ios::in | std::ios::out};
        for (auto const one : spoilt) {
            to.seekp(std::int64_t{one} * piece + 100);
            to << "spoilt";
        }
    }
    [[nodiscard]] value::object checkpoint(int verified) const {
        value::array list;
        value::object states;
        for (int i = 0; i < verified; ++i) {
            list.emplace_back(std::int64_t{i});
            states.emplace_back(std::to_string(i), "verified");
        }
        return {
            {"version", "1.0"},
            {"info_hash", what.hash()},
            {"torrent_name", "data"},
            {"created_at", 1.5},
            {"updated_at", 2.5},
            {"total_pieces", std::int64_t{pieces}},
            {"piece_length", std::int64_t{piece}},
            {"total_length", std::int64_t{piece} * pieces},
            {"verified_pieces", std::move(list)},
            {"piece_states", std::move(states)},
            {"download_stats",
             *wire::parse(R"({"bytes_downloaded":2097152,"download_time":1.0,"average_speed":5.0,
                                              "start_time":1.0,"last_update":2.0})")},
            {"output_dir", ""},
            {"files", *wire::parse(R"([{"path":"data","size":4194304,"exists":true,"attributes":null}])")},
            {"peer_info", nullptr},
            {"endgame_mode", false},
            {"torrent_file_path", nullptr},
            {"magnet_uri", nullptr},
            {"announce_urls", value::array{}},
            {"display_name", nullptr},
            {"resume_data", nullptr},
            {"file_selections", nullptr}};
    }
    static void set(value::object& of, std::string_view name, value to) {
        for (auto& [key, held] : of)
            if (key == name) held = std::move(to);
    }
    [[nodiscard]] answer resume(
        daemon const& at, value::object said, std::string const& torrent_path = {},
        std::string hash = {}) const {
        value::object body{{"info_hash", hash.empty() ? what.hash() : hash}, {"checkpoint", std::move(said)}};
        if (!torrent_path.empty()) body.emplace_back("torrent_path", torrent_path);
        return at.post("/torrents/resume-checkpoint", to_text(value{std::move(body)}));
    }
    [[nodiscard]] std::string torrent_file() const {
        auto const file = in.root / "the.torrent";
        write_file(file, what.bytes);
        return file.string();
    }
    /// Whole, and with no more fetched than these pieces.
    void is_completed(daemon const& at, int fetched) const {
        auto const row = at.wait_until_seeding(what.hash());
        EXPECT_EQ(sha256_of(at.downloads() / "data"), sha256_of(in.data("data")));
        auto const stats = at.get("/session/stats").json;
        EXPECT_GE(row.number_or("downloaded", 0), double{piece} * fetched);
        EXPECT_LE(stats.find("stats")->number_or("session_downloaded", 1e18), double{piece} * (fetched + 2));
    }
};

TEST_F(daemon_torrent_extended_backup_checkpoint, right_pieces_are_kept_and_wrong_and_missing_ones_fetched) {
    share();
    daemon const leecher{in.leecher()};
    lay_half(leecher.downloads() / "data", {5, 31});
    auto told = leecher.events({"torrent_added"});
    auto const said = resume(leecher, checkpoint(pieces / 2), torrent_file());
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.body, R"({"info_hash":")" + what.hash() + "\"}");
    told.wait_for(
        "torrent_added", [&](value const& data) { return data.text_or("info_hash", "") == what.hash(); });
    is_completed(leecher, pieces / 2 + 2);
}

TEST_F(
    daemon_torrent_extended_backup_checkpoint, the_torrent_is_found_by_the_path_that_the_checkpoint_names) {
    share();
    daemon const leecher{in.leecher()};
    lay_half(leecher.downloads() / "data");
    auto said = checkpoint(pieces / 2);
    set(said, "torrent_file_path", torrent_file());
    ASSERT_EQ(resume(leecher, said).status, 200);
    is_completed(leecher, pieces / 2);
}

TEST_F(
    daemon_torrent_extended_backup_checkpoint, of_a_magnet_the_pieces_are_hashed_when_the_metadata_is_here) {
    share();
    daemon const leecher{in.leecher()};
    lay_half(leecher.downloads() / "data", {7});
    auto said = checkpoint(pieces / 2);
    set(said, "magnet_uri", "magnet:?xt=urn:btih:" + what.hash() + "&dn=data");
    set(said, "announce_urls", value::array{value{what.trackers.at(0)}});
    auto const answered = resume(leecher, said);
    ASSERT_EQ(answered.status, 200) << answered.body;
    is_completed(leecher, pieces / 2 + 1);
}

TEST_F(daemon_torrent_extended_backup_checkpoint, files_that_are_not_selected_are_not_fetched) {
    make_files(in.data("two"), {{"a", 300'000}, {"b", 300'000}, {"c", 300'000}}, 7);
    what = in.torrent_of(in.data("two"), {.piece_size = 16 << 10});
    daemon const one{in.seeder()};
    one.add(what);
    one.wait_until_seeding(what.hash());
    daemon const leecher{in.leecher()};
    value::object const said{
        {"info_hash", what.hash()},
        {"torrent_name", "two"},
        {"file_selections", *wire::parse(R"({"0":{"selected":true,"priority":"high","bytes_downloaded":0},
                          "1":{"selected":false,"priority":"normal"},"2":{"priority":"do_not_download"}})")}};
    auto const answered = resume(leecher, said, torrent_file());
    ASSERT_EQ(answered.status, 200) << answered.body;
    leecher.wait_until_seeding(what.hash());
    auto const made = leecher.get("/torrents/" + what.hash() + "/checkpoint").json;
    auto const& files = made.list_or_empty("files"); // in the order of their indices
    ASSERT_EQ(files.size(), 3U);
    std::string const first{files.at(0).text_or("path", "")}, last{files.at(2).text_or("path", "")};
    EXPECT_EQ(sha256_of(leecher.downloads() / first), sha256_of(in.data(first)));
    EXPECT_TRUE(files.at(0).flag_or("exists", false));
    EXPECT_FALSE(fs::exists(leecher.downloads() / last));
    EXPECT_FALSE(files.at(2).flag_or("exists", true));
    EXPECT_EQ(
        to_text(*made.find("file_selections")),
        R"({"0":{"selected":true,"priority":"high"},"1":{"selected":false,"priority":"do_not_download"},)"
        R"("2":{"selected":false,"priority":"do_not_download"}})");
}

TEST_F(daemon_torrent_extended_backup_checkpoint, what_is_wrong_is_refused_and_nothing_is_added) {
    share();
    daemon const leecher{in.leecher()};
    auto const file = torrent_file();
    auto const other = make_torrent(in.data("data"), {.piece_size = 2 * piece});
    write_file(in.root / "other.torrent", other.bytes);
    auto const refused = [&](value::object said, int status, std::string const& code,
                             std::string const& field, std::string const& path,
                             std::string const& hash = {}) {
        auto const answered = resume(leecher, std::move(said), path, hash);
        EXPECT_EQ(answered.status, status) << field << ' ' << answered.body;
        EXPECT_EQ(answered.code(), code) << field << ' ' << answered.body;
        if (!field.empty() && answered.json.find("details") != nullptr) {
            EXPECT_EQ(answered.json.find("details")->text_or("field", ""), field) << answered.body;
        }
    };
    auto const with = [&](std::string_view name, value to) {
        auto said = checkpoint(pieces / 2);
        set(said, name, std::move(to));
        return said;
    };
    auto const list = [](std::int64_t n) { return value{value::array{value{n}}}; };
    auto const bad = "RESUME_ERROR";
    refused(checkpoint(1), 400, bad, "info_hash", (in.root / "other.torrent").string());
    refused(with("info_hash", other.hash()), 400, bad, "checkpoint.info_hash", file);
    refused(with("info_hash", "xyz"), 400, bad, "checkpoint.info_hash", file);
    refused(checkpoint(1), 400, "INVALID_INFO_HASH", "info_hash", file, "xyz");
    refused(with("verified_pieces", list(pieces)), 400, bad, "checkpoint.verified_pieces", file);
    refused(with("verified_pieces", list(-1)), 400, bad, "checkpoint.verified_pieces[0]", file);
    refused(with("verified_pieces", "all"), 400, bad, "checkpoint.verified_pieces", file);
    refused(with("total_pieces", std::int64_t{pieces + 1}), 400, bad, "checkpoint.total_pieces", file);
    refused(with("total_pieces", "64"), 400, bad, "checkpoint.total_pieces", file);
    refused(with("piece_length", std::int64_t{16384}), 400, bad, "checkpoint.piece_length", file);
    refused(with("version", "9.9"), 400, bad, "checkpoint.version", file);
    refused(with("output_dir", std::int64_t{5}), 400, bad, "checkpoint.output_dir", file);
    refused(with("output_dir", "/etc"), 403, bad, "", file);
    refused(
        with("file_selections", *wire::parse(R"({"1":{"selected":true}})")), 400, bad,
        "checkpoint.file_selections.1", file);
    refused(checkpoint(1), 404, bad, "torrent_path", (in.root / "missing.torrent").string());
    refused(with("torrent_file_path", "/nowhere/x.torrent"), 404, bad, "checkpoint.torrent_file_path", {});
    refused(with("magnet_uri", "http://x/"), 400, bad, "checkpoint.magnet_uri", {});
    refused(with("magnet_uri", "magnet:?xt=urn:btih:" + other.hash()), 400, bad, "info_hash", {});
    refused(checkpoint(1), 400, bad, "", {});
    refused(checkpoint(1), 400, bad, "torrent_path", in.data("data").string());
    for (auto const* const body :
         {R"({"checkpoint":{}})", R"({"info_hash":"00112233445566778899aabbccddeeff00112233"})",
          R"({"info_hash":"00112233445566778899aabbccddeeff00112233","checkpoint":[]})",
          R"({"info_hash":"00112233445566778899aabbccddeeff00112233","checkpoint":"x"})"})
        EXPECT_EQ(leecher.post("/torrents/resume-checkpoint", body).code(), "VALIDATION_ERROR") << body;
    EXPECT_EQ(leecher.get("/torrents").body, R"({"torrents":[]})");
}

TEST_F(
    daemon_torrent_extended_backup_checkpoint,
    is_written_true_to_what_is_here_and_taken_up_by_another_daemon) {
    share();
    what = make_torrent(in.data("data"), {.trackers = {in.announce.http()}, .piece_size = piece});
    auto plan = in.leecher();
    plan.settings["discovery.enable_http_trackers"] = "false"; // it finds nobody
    daemon one{plan};
    lay_half(one.downloads() / "data", {3, 9});
    one.add(what);
    one.wait_for(what.hash(), [](value const& row) { return is_settled(row) && progress_of(row) > 0.4; });
    auto const said = one.get("/torrents/" + what.hash() + "/checkpoint");
    ASSERT_EQ(said.status, 200) << said.body;
    auto const& c = said.json;
    EXPECT_EQ(c.text_or("version", ""), "1.0");
    EXPECT_EQ(c.text_or("info_hash", ""), what.hash());
    EXPECT_EQ(c.text_or("torrent_name", ""), "data");
    EXPECT_EQ(c.number_or("total_pieces", 0), pieces);
    EXPECT_EQ(c.number_or("piece_length", 0), piece);
    EXPECT_EQ(c.number_or("total_length", 0), double{piece} * pieces);
    EXPECT_EQ(c.text_or("output_dir", ""), one.downloads().string());
    EXPECT_EQ(to_text(*c.find("files")), R"([{"path":"data","size":4194304,"exists":true}])");
    EXPECT_EQ(to_text(*c.find("announce_urls")), "[\"" + in.announce.http() + "\"]");
    EXPECT_THAT(std::string{c.text_or("magnet_uri", "")}, HasSubstr("xt=urn:btih:" + what.hash()));
    std::string verified = "[", states = "{";
    for (int i = 0; i < pieces / 2; ++i)
        if (i != 3 && i != 9) {
            verified += (i == 0 ? "" : ",") + std::to_string(i);
            states += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"verified\"";
        }
    EXPECT_EQ(to_text(*c.find("verified_pieces")), verified + ']');
    EXPECT_EQ(to_text(*c.find("piece_states")), states + '}');
    EXPECT_EQ(one.get("/torrents/" + std::string(40, '0') + "/checkpoint").code(), "TORRENT_NOT_FOUND");
    ASSERT_EQ(one.terminate(), 0);

    // It goes on in the same folder, by the link in the checkpoint, from those who have it.
    daemon const other{
        {.folder = in.root / "other",
         .interface = "127.0.0.4",
         .settings = {{"disk.allowed_paths", "[\"" + (in.root / "leecher" / "downloads").string() + "\"]"}}}};
    ASSERT_EQ(resume(other, *c.get_if<value::object>()).status, 200);
    other.wait_until_seeding(what.hash());
    EXPECT_EQ(sha256_of(in.root / "leecher" / "downloads" / "data"), sha256_of(in.data("data")));
    EXPECT_LE(
        other.get("/session/stats").json.find("stats")->number_or("session_downloaded", 1e18),
        double{piece} * (pieces / 2 + 4));
}

TEST_F(
    daemon_torrent_extended_backup_checkpoint,
    of_a_torrent_that_is_here_finds_what_was_laid_there_meanwhile) {
    share();
    auto plan = in.leecher();
    plan.settings["discovery.enable_http_trackers"] = "false";
    daemon const one{plan};
    one.add(what, true);
    one.wait_for(what.hash(), [](value const& row) { return state_of(row) == "paused"; });
    fs::remove(one.downloads() / "data");
    lay_half(one.downloads() / "data", {0});
    auto const said = resume(one, checkpoint(pieces / 2)); // no source but what is here
    ASSERT_EQ(said.status, 200) << said.body;
    auto const row = one.wait_for(
        what.hash(), [](value const& r) { return state_of(r) == "downloading" && progress_of(r) > 0.4; });
    EXPECT_NEAR(progress_of(row), 31.0 / 64, 1e-9);
    EXPECT_EQ(one.get("/torrents").json.list_or_empty("torrents").size(), 1U);
    EXPECT_EQ(
        one.get("/torrents/" + what.hash() + "/checkpoint").json.list_or_empty("verified_pieces").size(),
        31U);
    auto const again = resume(one, checkpoint(pieces / 4));
    EXPECT_EQ(again.status, 200);
    EXPECT_NEAR(progress_of(one.row(what.hash())), 31.0 / 64, 1e-9)
        << "a poorer checkpoint takes nothing away";
    auto wrong = checkpoint(1);
    set(wrong, "total_pieces", std::int64_t{3});
    EXPECT_EQ(resume(one, wrong).status, 400);
}

TEST_F(daemon_torrent_extended_backup_checkpoint, of_a_magnet_without_metadata_names_no_pieces) {
    daemon const one{in.leecher()};
    std::string const link = "magnet:?xt=urn:btih:00112233445566778899aabbccddeeff00112233&dn=name";
    auto const hash = one.add_magnet(link);
    one.wait_for(hash, &is_settled);
    auto const said = one.get("/torrents/" + hash + "/checkpoint");
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.json.number_or("total_pieces", -1), 0);
    EXPECT_EQ(said.json.number_or("piece_length", 0), 16384);
    EXPECT_EQ(said.json.text_or("magnet_uri", ""), link);
    EXPECT_TRUE(said.json.list_or_empty("verified_pieces").empty());
    daemon const other{{.folder = in.root / "other"}};
    auto checkpoint = *said.json.get_if<value::object>();
    set(checkpoint, "output_dir", "");
    auto const resumed = resume(other, checkpoint, {}, hash);
    EXPECT_EQ(resumed.status, 200) << resumed.body;
    EXPECT_EQ(other.row(hash).text_or("name", ""), "name");
}

} // namespace

} // namespace ccbt::support
