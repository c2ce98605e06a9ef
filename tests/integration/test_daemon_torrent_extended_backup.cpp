// Export and import, over real daemons: what one knew the other has, where it lies, without fetching any of it again.
#include "base/text.hpp"
#include "integration/state_files.hpp"
#include "swarm/swarm.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;
using testing::MatchesRegex;

struct daemon_torrent_extended_backup : testing::Test {
    temp_folder root;
    [[nodiscard]] daemon_plan plan(
        std::string const& name, std::map<std::string, std::string> settings = {}) const {
        // What lies in the first daemon's folder, every one may use.
        settings["disk.allowed_paths"] = "[\"" + (root / name / "downloads").string() + "\", \"" +
                                         (root / "one" / "downloads").string() + "\"]";
        return {.folder = root / name, .settings = std::move(settings)};
    }
    [[nodiscard]] fs::path data(std::string const& name) const { return root / "one" / "downloads" / name; }
    [[nodiscard]] torrent whole(std::string const& name, std::uint64_t size, std::uint64_t seed) const {
        make_file(data(name), size, seed);
        return make_torrent(data(name), {.piece_size = 16 << 10});
    }
    static void add(daemon const& to, torrent const& what, std::string const& more) {
        auto const base64 = text::to_base64(std::vector<std::uint8_t>(what.bytes.begin(), what.bytes.end()));
        auto const said = to.post("/torrents/add", R"({"torrent_data":")" + base64 + "\"" + more + '}');
        ASSERT_EQ(said.status, 200) << said.body;
    }
    static void wait_until_settled(daemon const& all) {
        auto const rows = all.get("/torrents").json;
        for (auto const& row : rows.list_or_empty("torrents"))
            all.wait_for(std::string{row.text_or("info_hash", "")}, &is_settled);
    }
    static double session_downloaded(daemon const& of) {
        return of.get("/session/stats").json.find("stats")->number_or("session_downloaded", -1);
    }
};

TEST_F(daemon_torrent_extended_backup, two_hundred_torrents_of_every_kind_are_the_same_in_another_daemon) {
    daemon one{plan("one")};
    for (int i = 0; i < 150; ++i) {
        auto const name = "whole-" + std::to_string(i);
        auto const what = whole(name, 40'000 + static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(i));
        auto const kind = i % 5;
        if (kind == 3) { // the second half is not there
            fs::resize_file(data(name), 16 << 10);
            fs::resize_file(data(name), what.size);
        }
        if (kind == 4) fs::remove(data(name));
        add(one, what,
            std::string{kind == 1 ? R"(,"paused":true)" : ""} +
                (kind == 2 ? R"(,"labels":["a label","ä"],"sequential":true)" : ""));
    }
    for (int i = 0; i < 30; ++i) {
        make_files(
            data("many-" + std::to_string(i)), {{"a", 20'000}, {"b/c", 50'000}},
            static_cast<std::uint64_t>(i));
        add(one,
            make_torrent(
                data("many-" + std::to_string(i)), {.kind = torrent_kind(i % 3), .piece_size = 16 << 10}),
            R"(,"output_dir":")" + one.downloads().string() + '"');
    }
    for (int i = 0; i < 20; ++i)
        one.add_magnet(
            "magnet:?xt=urn:btih:00112233445566778899aabbccddeeff001122" + std::to_string(10 + i) + "&dn=m" +
            std::to_string(i));
    ASSERT_EQ(one.post("/security/blacklist", R"({"ip":"10.9.0.0/16","reason":"noise"})").status, 200);
    ASSERT_EQ(one.post("/security/whitelist", R"({"ip":"10.9.1.1"})").status, 200);
    wait_until_settled(one);

    int n = 0;
    auto const listed = one.get("/torrents").json;
    for (auto const& row : listed.list_or_empty("torrents")) {
        ++n;
        auto const down = n % 3 == 0 ? n : 0, up = n % 4 == 0 ? n : 0;
        if (down == 0 && up == 0) continue;
        auto const body =
            R"({"download_kib":)" + std::to_string(down) + R"(,"upload_kib":)" + std::to_string(up) + '}';
        auto const path = "/torrents/" + std::string{row.text_or("info_hash", "")} + "/rate-limits";
        ASSERT_EQ(one.post(path, body).status, 200);
    }

    // What the API cannot set yet, or only by moving bytes.
    auto state = read_state(exported(one));
    ASSERT_EQ(state.list_or_empty("torrents").size(), 200U);
    auto& head = *member(state, "state");
    *member(head, "settings") = *wire::parse(
        R"([{"key":"limits.global_up_kib","value":2000},{"key":"queue.default_priority","value":"low"}])");
    *member(head, "removed_downloaded") = std::int64_t{123'456};
    n = 0;
    for (auto& t : *member(state, "torrents")->get_if<value::array>()) {
        ++n;
        if (n % 6 == 0) *member(t, "priority") = "high";
        if (n % 7 == 0) *member(t, "in_queue") = false;
        *member(t, "downloaded") = std::int64_t{1000} * n;
        *member(t, "uploaded") = std::int64_t{2000} * n;
        if (t.text_or("name", "") == "many-1") *member(t, "file_priorities") = *wire::parse("[4,7]");
    }
    write_state(one.downloads() / "all.json", state);

    daemon two{plan("two")};
    auto told = two.events({"torrent_added"});
    auto const said = import_of(two, one.downloads() / "all.json");
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.json.number_or("imported", -1), 200);
    EXPECT_EQ(said.json.number_or("skipped", -1), 0);
    EXPECT_THAT(said.json.list_or_empty("failed"), IsEmpty()) << said.body;
    EXPECT_EQ(said.json.find("state")->text_or("version", ""), "1.0");
    EXPECT_EQ(said.json.find("state")->find("torrents")->get_if<value::object>()->size(), 200U);
    EXPECT_EQ(said.body.find("metainfo"), std::string::npos);
    std::set<std::string> added;
    deadline const soon{milliseconds{10'000}};
    while (added.size() < 200) {
        auto const event = told.next(soon);
        ASSERT_TRUE(event) << "one event for each";
        added.emplace(event->find("data")->text_or("info_hash", ""));
    }

    wait_until_settled(two);
    n = 0;
    auto const rows = one.get("/torrents").json.list_or_empty("torrents");
    auto const theirs = two.get("/torrents").json.list_or_empty("torrents");
    ASSERT_EQ(theirs.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        ++n;
        for (auto const& [key, held] : *rows[i].get_if<value::object>()) {
            if (key == "downloaded" || key == "uploaded") continue;
            EXPECT_EQ(to_text(*theirs[i].find(key)), to_text(held)) << key << " of " << to_text(rows[i]);
        }
        EXPECT_EQ(theirs[i].number_or("downloaded", -1), 1000.0 * n);
        EXPECT_EQ(theirs[i].number_or("uploaded", -1), 2000.0 * n);
    }
    EXPECT_EQ(session_downloaded(two), 0);
    auto const totals = two.get("/session/stats").json;
    EXPECT_EQ(totals.number_or("total_downloaded", -1), 1000.0 * 200 * 201 / 2 + 123'456);
    EXPECT_EQ(totals.number_or("total_uploaded", -1), 2000.0 * 200 * 201 / 2);
    EXPECT_EQ(to_text(two.get("/security/blacklist").json), to_text(one.get("/security/blacklist").json));
    EXPECT_EQ(to_text(two.get("/security/whitelist").json), to_text(one.get("/security/whitelist").json));
    EXPECT_EQ(essence(read_state(exported(two))), essence(state)) << "an export of it is the same";

    two.kill9(); // what was answered is durable
    two.start();
    wait_until_settled(two);
    EXPECT_EQ(essence(read_state(exported(two))), essence(state));
    auto const again = import_of(two, one.downloads() / "all.json");
    EXPECT_EQ(again.json.number_or("imported", -1), 0);
    EXPECT_EQ(again.json.number_or("skipped", -1), 200) << "what is there is not doubled";
    EXPECT_EQ(two.get("/torrents").json.list_or_empty("torrents").size(), 200U);
    EXPECT_EQ(to_text(two.get("/session/stats").json), to_text(two.get("/session/stats").json));
    EXPECT_EQ(
        two.get("/session/stats").json.number_or("total_downloaded", -1), 1000.0 * 200 * 201 / 2 + 123'456);
    EXPECT_EQ(session_downloaded(two), 0);
}

TEST_F(daemon_torrent_extended_backup, a_download_goes_on_in_another_daemon_where_it_stood) {
    swarm in;
    make_mixed_files(in.data("half"), 24 * mib, 31);
    auto const what = in.torrent_of(in.data("half"));
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    fs::path file;
    {
        daemon leecher{in.leecher({{"limits.per_torrent_down_kib", "4096"}})};
        leecher.add(what);
        leecher.wait_for(what.hash(), has_progress(0.3));
        ASSERT_EQ(leecher.post("/torrents/" + what.hash() + "/pause").status, 200);
        file = leecher.downloads() / "state.json";
        fs::copy_file(exported(leecher), file);
    }
    auto const state = read_state(file);
    auto const progress = state.list_or_empty("torrents").at(0).number_or("progress", 0);
    ASSERT_GE(progress, 0.3);
    ASSERT_LT(progress, 1.0) << "it was to be stopped in mid-download";

    auto plan = in.leecher();
    plan.folder = in.root / "other";
    plan.settings["disk.allowed_paths"] = "[\"" + (in.root / "leecher" / "downloads").string() + "\"]";
    daemon const other{plan};
    auto const said = import_of(other, file);
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.json.number_or("imported", -1), 1) << said.body;
    // It rests from the first moment; what lies there is hashed behind the answer.
    auto const here =
        other.wait_for(what.hash(), [](value const& row) { return is_settled(row) && progress_of(row) > 0; });
    EXPECT_EQ(state_of(here), "paused");
    EXPECT_NEAR(progress_of(here), progress, 0.02);
    ASSERT_EQ(other.post("/torrents/" + what.hash() + "/resume").status, 200);
    other.wait_until_seeding(what.hash());
    EXPECT_EQ(digests_of(in.root / "leecher" / "downloads" / "half"), digests_of(in.data("half")));
    EXPECT_LE(session_downloaded(other), (1.0 - progress) * static_cast<double>(what.size) + 2.0 * mib);
}

TEST_F(daemon_torrent_extended_backup, a_piece_at_the_border_of_a_file_that_is_not_wanted_is_found_again) {
    swarm in;
    make_files(in.data("two"), {{"a", 300'000}, {"b", 300'000}}, 5); // a piece and a half of them meet
    auto const what = in.torrent_of(in.data("two"), {.piece_size = 64 << 10});
    daemon const seeder{in.seeder()};
    seeder.add(what);
    seeder.wait_until_seeding(what.hash());
    auto const file = in.root / "leecher" / "downloads" / "state.json";
    {
        daemon const leecher{in.leecher()};
        write_file(in.root / "the.torrent", what.bytes);
        auto const said = leecher.post(
            "/torrents/resume-checkpoint",
            R"({"info_hash":")" + what.hash() + R"(","torrent_path":")" + (in.root / "the.torrent").string() +
                R"(","checkpoint":{"file_selections":{"1":{"selected":false}}}})");
        ASSERT_EQ(said.status, 200) << said.body;
        leecher.wait_until_seeding(what.hash());
        fs::copy_file(exported(leecher), file);
    }
    auto plan = in.leecher();
    plan.folder = in.root / "other";
    plan.settings["disk.allowed_paths"] = "[\"" + (in.root / "leecher" / "downloads").string() + "\"]";
    daemon const other{plan};
    ASSERT_EQ(import_of(other, file).status, 200);
    other.wait_until_seeding(what.hash());
    EXPECT_EQ(
        other.get("/torrents/" + what.hash() + "/checkpoint").json.list_or_empty("verified_pieces").size(),
        5U);
    EXPECT_EQ(session_downloaded(other), 0);
}

TEST_F(daemon_torrent_extended_backup, what_a_file_claims_wrongly_is_not_believed) {
    daemon one{plan("one")};
    auto const what = whole("claimed", 200'000, 1);
    one.add(what);
    one.wait_until_seeding(what.hash());
    auto const file = exported(one);
    ASSERT_EQ(one.terminate(), 0);
    make_file(data("claimed"), 100'000, 2); // other bytes, and half of them
    fs::resize_file(data("claimed"), 200'000);
    fs::copy_file(file, one.downloads() / "x.json");
    daemon const two{plan("two")};
    ASSERT_EQ(import_of(two, one.downloads() / "x.json").status, 200);
    auto const row = two.wait_for(what.hash(), &is_settled);
    EXPECT_EQ(state_of(row), "downloading") << "not seeding what it does not have";
    EXPECT_EQ(row.number_or("progress", 1), 0.0);
}

TEST_F(daemon_torrent_extended_backup, a_folder_that_the_new_daemon_may_not_use_becomes_one_below_its_own) {
    daemon one{plan("one")};
    make_file(one.downloads() / "sub" / "moved", 50'000, 1);
    auto const what = make_torrent(one.downloads() / "sub" / "moved", {.piece_size = 16 << 10});
    add(one, what, R"(,"output_dir":")" + (one.downloads() / "sub").string() + '"');
    one.wait_until_seeding(what.hash());
    auto const file = exported(one);

    daemon const two{{.folder = root / "two"}};
    fs::create_directories(two.downloads() / "sub");
    fs::copy_file(one.downloads() / "sub" / "moved", two.downloads() / "sub" / "moved");
    fs::copy_file(file, two.downloads() / "x.json");
    ASSERT_EQ(import_of(two, two.downloads() / "x.json").status, 200);
    auto const row = two.wait_until_seeding(what.hash());
    EXPECT_EQ(row.text_or("output_dir", ""), (two.downloads() / "sub").string());
    EXPECT_EQ(session_downloaded(two), 0);
}

TEST_F(daemon_torrent_extended_backup, a_torrent_that_cannot_come_in_does_not_keep_the_others_out) {
    daemon one{plan("one")};
    add(one, whole("good", 20'000, 1), "");
    add(one, whole("bad", 20'000, 2), "");
    add(one, whole("swapped", 20'000, 3), "");
    wait_until_settled(one);
    auto state = read_state(exported(one));
    auto& torrents = *member(state, "torrents")->get_if<value::array>();
    *member(torrents.at(1), "metainfo") = "ZGF0YQ==";
    *member(torrents.at(2), "metainfo") = std::string{torrents.at(0).text_or("metainfo", "")};
    write_state(one.downloads() / "x.json", state);
    daemon const two{plan("two")};
    auto const said = import_of(two, one.downloads() / "x.json");
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.json.number_or("imported", -1), 1);
    auto const& failed = said.json.list_or_empty("failed");
    ASSERT_EQ(failed.size(), 2U);
    EXPECT_EQ(failed.at(0).text_or("info_hash", ""), torrents.at(1).text_or("v1", ""));
    EXPECT_FALSE(failed.at(1).text_or("error", "").empty());
    EXPECT_EQ(two.get("/torrents").json.list_or_empty("torrents").size(), 1U);
}

TEST_F(daemon_torrent_extended_backup, a_damaged_foreign_or_newer_file_changes_nothing) {
    daemon one{plan("one")};
    for (int i = 0; i < 3; ++i) add(one, whole("d" + std::to_string(i), 20'000, 1), "");
    ASSERT_EQ(one.post("/security/blacklist", R"({"ip":"10.9.0.0/16"})").status, 200);
    wait_until_settled(one);
    auto const text = read_file(exported(one));
    daemon const two{plan("two", {{"limits.state_files_per_minute", "600"}})};
    two.add_magnet("magnet:?xt=urn:btih:00112233445566778899aabbccddeeff00112233");
    wait_until_settled(two);
    auto const before = two.get("/torrents");

    auto const file = two.downloads() / "x.json";
    auto const refused = [&](std::string const& bytes, std::string_view reason, std::string const& why) {
        write_file(file, bytes);
        auto const said = import_of(two, file);
        EXPECT_EQ(said.status, 422) << why << ' ' << said.body;
        EXPECT_EQ(said.code(), "IMPORT_ERROR") << why;
        if (!reason.empty()) {
            EXPECT_EQ(said.json.find("details")->text_or("reason", ""), reason) << why;
        }
    };
    for (std::size_t i = 0; i < 20; ++i)
        refused(text.substr(0, text.size() * i / 20), "", "cut to " + std::to_string(i) + " of 20");
    refused(text.substr(0, text.size() - 1), "damaged", "its last byte is gone");
    for (std::size_t i = 0; i < 100; ++i) {
        auto const at = (text.size() - 1) * i / 99;
        auto flipped = text;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x20);
        refused(flipped, "", "byte " + std::to_string(at));
    }
    refused("", "not_a_state_file", "empty");
    refused(R"({"version":"1.0","torrents":{}})", "not_a_state_file", "somebody else's JSON");
    auto newer = text;
    newer.replace(newer.find("\"version\":1"), 11, "\"version\":2");
    refused(newer, "newer_version", "newer");
    refused(text + "x", "damaged", "more behind it");

    fs::remove(file);
    fs::create_directory(file);
    EXPECT_EQ(import_of(two, file).status, 422) << "a folder";
    fs::remove(file);
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    EXPECT_EQ(import_of(two, file).status, 422) << "a pipe that nobody writes to";
    fs::remove(file);
    EXPECT_EQ(import_of(two, file).status, 404);
    EXPECT_EQ(import_of(two, file).code(), "IMPORT_ERROR");
    EXPECT_EQ(two.get("/torrents").body, before.body);
    EXPECT_EQ(two.get("/torrents").header("etag"), before.header("etag")) << "nothing has changed";
    EXPECT_EQ(two.get("/security/blacklist").json.number_or("count", -1), 0);

    write_file(file, text);
    EXPECT_EQ(import_of(two, file).status, 200) << "the whole one is taken";
}

TEST_F(daemon_torrent_extended_backup, paths_outside_the_folders_are_refused_and_links_are_not_followed) {
    daemon const one{plan("one")};
    auto const exports = one.state() / "exports";
    auto const outside = root / "outside";
    fs::create_directories(outside);
    fs::create_directories(exports / "sub");
    fs::create_symlink(outside, exports / "link");
    write_file(exports / "mine.txt", "not an export");
    auto const to = [&](std::string const& path) {
        return one.post("/torrents/export-state", R"({"path":)" + to_text(value{path}) + '}');
    };
    for (auto const& path :
         {(outside / "x").string(), (exports / ".." / "state.db").string(), std::string{"../x"},
          std::string{"link/x"}, (exports / "link" / "x").string(), exports.string(),
          std::string{"sub/../../x"}, std::string("a\0b", 3), (one.downloads() / "x.json").string()}) {
        auto const said = to(path);
        EXPECT_EQ(said.status, 403) << path << said.body;
        EXPECT_EQ(said.code(), "EXPORT_ERROR") << path;
        EXPECT_EQ(said.json.find("details")->text_or("reason", ""), "path_not_allowed") << path;
    }
    EXPECT_EQ(to("missing/x").json.find("details")->text_or("reason", ""), "no_such_folder");
    EXPECT_EQ(to("sub").json.find("details")->text_or("reason", ""), "not_a_file");
    EXPECT_EQ(to("mine.txt").json.find("details")->text_or("reason", ""), "file_exists");
    EXPECT_EQ(read_file(exports / "mine.txt"), "not an export");
    EXPECT_EQ(to("sub").status, 403);
    EXPECT_TRUE(fs::is_empty(outside));

    auto const said = to("sub/x.json");
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.json.text_or("path", ""), (exports / "sub" / "x.json").string());
    EXPECT_EQ(to("sub/x.json").status, 200) << "an export of before is replaced";

    write_file(outside / "x.json", read_file(exports / "sub" / "x.json"));
    fs::create_symlink(exports / "sub" / "x.json", exports / "x");
    for (auto const& path :
         {(outside / "x.json").string(), std::string{"/etc/passwd"}, std::string{"link/x.json"},
          std::string{"x"}, std::string{"../api_key"}}) {
        auto const refused = import_of(one, path);
        EXPECT_EQ(refused.status, 403) << path << refused.body;
        EXPECT_EQ(refused.code(), "IMPORT_ERROR");
        EXPECT_EQ(refused.json.find("details")->text_or("reason", ""), "path_not_allowed") << path;
    }
    EXPECT_EQ(import_of(one, "sub/x.json").status, 200);
    EXPECT_EQ(one.post("/torrents/import-state", "{}").code(), "VALIDATION_ERROR");
}

TEST_F(
    daemon_torrent_extended_backup,
    without_a_path_a_new_private_file_is_made_and_the_seventh_in_a_minute_has_to_wait) {
    daemon const one{plan("one")};
    auto const exports = one.state() / "exports";
    std::set<std::string> names;
    for (int i = 0; i < 6; ++i) {
        auto const said = one.post("/torrents/export-state", i == 0 ? R"({"path":null})" : "");
        ASSERT_EQ(said.status, 200) << said.body;
        EXPECT_TRUE(said.json.flag_or("exported", false));
        EXPECT_EQ(said.json.number_or("torrents", -1), 0);
        fs::path const path{std::string{said.json.text_or("path", "")}};
        EXPECT_EQ(path.parent_path(), exports);
        EXPECT_EQ(static_cast<double>(fs::file_size(path)), said.json.number_or("bytes", -1));
        EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
        names.insert(path.string());
    }
    EXPECT_EQ(names.size(), 6U);
    EXPECT_EQ(fs::status(exports).permissions(), fs::perms::owner_all);
    auto const said = one.post("/torrents/export-state");
    EXPECT_EQ(said.status, 429);
    EXPECT_EQ(said.code(), "RATE_LIMITED");
    EXPECT_THAT(said.header("retry-after"), MatchesRegex("[1-5]?[0-9]|60"));
    EXPECT_EQ(std::distance(fs::directory_iterator{exports}, fs::directory_iterator{}), 6)
        << "nothing else is left there";

    // Imports are counted for themselves.
    for (int i = 0; i < 6; ++i) EXPECT_EQ(import_of(one, *names.begin()).status, 200);
    EXPECT_EQ(import_of(one, *names.begin()).code(), "RATE_LIMITED");
}

TEST_F(daemon_torrent_extended_backup, on_a_full_disk_507_is_answered_and_no_half_file_is_left) {
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        GTEST_SKIP() << "a small disk can only be made by root";
    auto const disk = root / "small";
    fs::create_directories(disk);
    ASSERT_EQ(::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=16k"), 0);
    {
        daemon const one{plan("one", {{"daemon.export_dir", '"' + disk.string() + '"'}})};
        add(one, whole("large", 20 * mib, 1), R"(,"paused":true)");
        wait_until_settled(one);
        auto const said = one.post("/torrents/export-state", R"({"path":"x.json"})");
        EXPECT_EQ(said.status, 507) << said.body;
        EXPECT_EQ(said.code(), "EXPORT_ERROR");
        EXPECT_TRUE(fs::is_empty(disk));
        ASSERT_EQ(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=4m"), 0);
        EXPECT_EQ(one.post("/torrents/export-state", R"({"path":"x.json"})").status, 200);
        EXPECT_TRUE(fs::exists(disk / "x.json"));
    }
    EXPECT_EQ(::umount(disk.c_str()), 0);
}

} // namespace

} // namespace ccbt::support
