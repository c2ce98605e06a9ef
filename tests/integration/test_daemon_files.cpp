// /torrents/{ih}/files: what is selected is what comes, in the order that priorities ask for, through restarts; and
// verifying says what lies on the disk.
#include "client/client.hpp"
#include "swarm/swarm.hpp"

#include <fstream>
#include <sys/stat.h>
#include <thread>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr int piece = 64 << 10;

/// Five files whose ends lie within pieces. Their order in a v1 torrent is that in which the folder lists them.
void make_five(fs::path const& folder) {
    make_files(
        folder, {{"a", 700'001}, {"b", 900'002}, {"c", 30'003}, {"d", 1'200'004}, {"sub/e", 800'005}}, 11);
}

std::string of(torrent const& what, std::string const& rest = "") {
    return "/torrents/" + what.hash() + "/files" + rest;
}

/// The files by name, without the torrent's own folder.
std::map<std::string, value> files_of(daemon const& at, torrent const& what) {
    auto const said = at.get(of(what));
    if (said.status != 200) throw std::runtime_error{said.body};
    std::map<std::string, value> out;
    for (auto const& one : said.json.list_or_empty("files"))
        out.emplace(one.text_or("name", "").substr(what.name.size() + 1), one);
    return out;
}
std::string index_of(daemon const& at, torrent const& what, std::string const& name) {
    return std::to_string(static_cast<int>(files_of(at, what).at(name).number_or("index", -1)));
}
std::vector<std::string> names(value const& answer, std::string_view list, fs::path const& below) {
    std::vector<std::string> out;
    for (auto const& one : answer.list_or_empty(list)) {
        auto const* path = one.get_if<std::string>();
        if (path == nullptr || !path->starts_with(below.string() + '/'))
            throw std::runtime_error{"no path below " + below.string()};
        out.push_back(path->substr(below.string().size() + 1));
    }
    return out;
}

struct daemon_files : testing::Test {
    swarm in;
    torrent what;
    std::unique_ptr<daemon> seeder;

    void share(torrent_kind kind = torrent_kind::v1) {
        make_five(in.data("five"));
        what = in.torrent_of(in.data("five"), {.kind = kind, .piece_size = piece});
        seeder = std::make_unique<daemon>(in.seeder());
        seeder->add(what);
        seeder->wait_until_seeding(what.hash());
    }
    [[nodiscard]] std::string ones(daemon const& at, std::vector<std::string> const& which) const {
        std::string list;
        for (auto const& name : which) list += (list.empty() ? "" : ",") + index_of(at, what, name);
        return R"({"file_indices":[)" + list + "]}";
    }
};

struct daemon_files_of : daemon_files, testing::WithParamInterface<torrent_kind> {};
INSTANTIATE_TEST_SUITE_P(
    each, daemon_files_of, testing::Values(torrent_kind::v1, torrent_kind::hybrid),
    [](auto const& made) { return made.param == torrent_kind::v1 ? "v1" : "hybrid"; });

TEST_P(daemon_files_of, what_is_deselected_does_not_come_until_it_is_selected_again) {
    share(GetParam());
    daemon leecher{in.leecher()};
    auto told = leecher.events({"file_selection_changed", "torrent_completed"});
    leecher.add(what, true);
    auto const unwanted = ones(leecher, {"b", "d"});
    auto said = leecher.post(of(what, "/deselect"), unwanted);
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.body, R"({"status":"deselected",)" + unwanted.substr(1));
    auto const event = told.wait_for("file_selection_changed", [](auto const&) { return true; });
    EXPECT_EQ(event.find("data")->text_or("info_hash", ""), what.hash());
    EXPECT_EQ(event.find("data")->text_or("action", ""), "deselected");
    EXPECT_EQ(event.find("data")->list_or_empty("file_indices").size(), 2);
    ASSERT_EQ(leecher.post("/torrents/" + what.hash() + "/resume").status, 200);
    auto const row = leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(progress_of(row), 1.0) << "all that is wanted is here";
    told.wait_for("torrent_completed", [](auto const&) { return true; });

    auto const at = leecher.downloads() / "five";
    auto const look = [&] {
        for (auto const* name : {"a", "c", "sub/e"})
            EXPECT_EQ(sha256_of(at / name), sha256_of(in.data("five") / name)) << name;
        EXPECT_FALSE(fs::exists(at / "b"));
        EXPECT_FALSE(fs::exists(at / "d"));
        for (auto const& [name, file] : files_of(leecher, what)) {
            bool const wanted = name != "b" && name != "d";
            EXPECT_EQ(file.flag_or("selected", !wanted), wanted) << name;
            EXPECT_EQ(file.text_or("priority", ""), wanted ? "normal" : "do_not_download") << name;
            if (wanted)
                EXPECT_EQ(progress_of(file), 1.0) << name;
            else
                EXPECT_LT(progress_of(file), 0.2) << name << ": what pieces at its ends have of it";
        }
        auto const verified = leecher.get(of(what, "/verify"));
        EXPECT_EQ(verified.status, 200);
        EXPECT_THAT(names(verified.json, "verified_files", at), UnorderedElementsAre("a", "c", "sub/e"));
        EXPECT_THAT(verified.json.list_or_empty("failed_files"), IsEmpty()) << verified.body;
    };
    look();
    ASSERT_EQ(leecher.terminate(), 0);
    leecher.start();
    leecher.wait_until_seeding(what.hash());
    look();

    auto again = leecher.events({"torrent_completed"});
    said = leecher.post(of(what, "/select"), unwanted);
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.body, R"({"status":"selected",)" + unwanted.substr(1));
    again.wait_for("torrent_completed", [](auto const&) { return true; });
    EXPECT_EQ(progress_of(leecher.wait_until_seeding(what.hash())), 1.0);
    for (auto const* name : {"a", "b", "c", "d", "sub/e"})
        EXPECT_EQ(sha256_of(at / name), sha256_of(in.data("five") / name)) << name;
    auto const stats = leecher.get("/session/stats").json;
    EXPECT_LE(stats.find("stats")->number_or("session_downloaded", 1e18), 900'002 + 1'200'004 + 2 * piece)
        << "what was here is not fetched again";
    auto const verified = leecher.get(of(what, "/verify")).json;
    EXPECT_EQ(verified.number_or("verified_count", 0), 5);
    EXPECT_EQ(verified.number_or("failed_count", 9), 0);
}

TEST_F(daemon_files, one_that_is_deselected_while_it_runs_stops_and_what_is_there_of_it_stays) {
    make_files(in.data("two"), {{"a", 1 * mib}, {"b", 36 * mib}}, 3);
    what = in.torrent_of(in.data("two"), {.piece_size = piece});
    seeder = std::make_unique<daemon>(in.seeder());
    seeder->add(what);
    seeder->wait_until_seeding(what.hash());
    daemon leecher{in.leecher({{"limits.global_down_kib", "3072"}})};
    leecher.add(what);
    leecher.wait_for(what.hash(), has_progress(0.1));
    ASSERT_EQ(leecher.post(of(what, "/deselect"), ones(leecher, {"b"})).status, 200);
    auto const row = leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(progress_of(row), 1.0) << wire::to_text(row);
    EXPECT_EQ(sha256_of(leecher.downloads() / "two/a"), sha256_of(in.data("two") / "a"));
    auto const b = files_of(leecher, what).at("b");
    EXPECT_GT(progress_of(b), 0.05);
    EXPECT_LT(progress_of(b), 0.9) << "libtorrent takes it in behind what it has to write";
    EXPECT_TRUE(fs::exists(leecher.downloads() / "two/b"));
    leecher.kill9();
    leecher.plan().settings.erase("limits.global_down_kib");
    leecher.start();
    leecher.wait_until_seeding(what.hash());
    EXPECT_FALSE(files_of(leecher, what).at("b").flag_or("selected", true));
    auto again = leecher.events({"torrent_completed"});
    ASSERT_EQ(leecher.post(of(what, "/select"), ones(leecher, {"b"})).status, 200);
    again.wait_for("torrent_completed", [](auto const&) { return true; });
    EXPECT_EQ(sha256_of(leecher.downloads() / "two/b"), sha256_of(in.data("two") / "b"));
}

TEST_F(daemon_files, the_one_of_higher_priority_comes_first_and_a_kill_forgets_none) {
    make_files(in.data("three"), {{"a", 5 * mib}, {"b", 5 * mib}, {"c", 5 * mib}}, 5);
    what = in.torrent_of(in.data("three"), {.piece_size = piece});
    seeder = std::make_unique<daemon>(in.seeder());
    seeder->add(what);
    seeder->wait_until_seeding(what.hash());
    daemon leecher{in.leecher({{"limits.global_down_kib", "4096"}})};
    leecher.add(what, true);
    auto told = leecher.events({"file_priority_changed"});
    auto const set = [&](std::string const& name, std::string const& how) {
        return leecher.post(
            of(what, "/priority"),
            R"({"file_index":)" + index_of(leecher, what, name) + R"(,"priority":")" + how + "\"}");
    };
    auto const said = set("c", "Maximum");
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(
        said.body, R"({"status":"priority_set","file_index":)" + index_of(leecher, what, "c") +
                       R"(,"priority":"maximum"})");
    auto const event = told.wait_for("file_priority_changed", [](auto const&) { return true; });
    EXPECT_EQ(event.find("data")->text_or("priority", ""), "maximum");
    ASSERT_EQ(set("a", "LOW").status, 200);
    leecher.kill9();
    leecher.start();
    auto const kept = files_of(leecher, what);
    EXPECT_EQ(kept.at("a").text_or("priority", ""), "low");
    EXPECT_EQ(kept.at("b").text_or("priority", ""), "normal");
    EXPECT_EQ(kept.at("c").text_or("priority", ""), "maximum");
    ASSERT_EQ(leecher.post("/torrents/" + what.hash() + "/resume").status, 200);
    std::map<std::string, value> then;
    leecher.wait_for(what.hash(), [&](value const&) {
        then = files_of(leecher, what);
        return progress_of(then.at("c")) == 1;
    });
    EXPECT_LT(progress_of(then.at("a")), 0.5) << "the last that is wanted";
    leecher.wait_until_seeding(what.hash());
    EXPECT_EQ(digests_of(leecher.downloads() / "three"), digests_of(in.data("three")));
}

TEST_F(daemon_files, padding_is_not_shown_and_cannot_be_selected) {
    share(torrent_kind::hybrid);
    auto const files = files_of(*seeder, what);
    ASSERT_EQ(files.size(), 5);
    EXPECT_EQ(files.at("a").number_or("index", -1), 0);
    EXPECT_EQ(files.at("b").number_or("index", -1), 2) << "what pads a is 1";
    EXPECT_EQ(files.at("b").number_or("size", 0), 900'002);
    EXPECT_EQ(files.at("b").find("attributes")->is_null(), true);
    auto const refused = seeder->post(of(what, "/select"), R"({"file_indices":[0,1]})");
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(refused.code(), "FILE_SELECT_FAILED");
    EXPECT_EQ(refused.json.find("details")->text_or("field", ""), "file_indices");
}

TEST_F(daemon_files, mistakes_are_answered_and_apply_nothing) {
    share();
    struct mistake {
        std::string path, body, code, field;
    };
    for (auto const& [path, body, code, field] : std::vector<mistake>{
             {"/select", R"({"file_indices":[0,5]})", "FILE_SELECT_FAILED", "file_indices"},
             {"/deselect", R"({"file_indices":[0,-1]})", "FILE_DESELECT_FAILED", "file_indices"},
             {"/deselect", R"({"file_indices":[0,9007199254740993]})", "FILE_DESELECT_FAILED",
              "file_indices"},
             {"/deselect", R"({"file_indices":"0"})", "VALIDATION_ERROR", "file_indices"},
             {"/deselect", R"({"file_indices":[0,"1"]})", "VALIDATION_ERROR", "file_indices[1]"},
             {"/deselect", R"({"file_indices":[0.5]})", "VALIDATION_ERROR", "file_indices[0]"},
             {"/deselect", "", "VALIDATION_ERROR", "file_indices"},
             {"/priority", R"({"file_index":5,"priority":"low"})", "FILE_PRIORITY_FAILED", "file_index"},
             {"/priority", R"({"file_index":0,"priority":"huge"})", "VALIDATION_ERROR", "priority"},
             {"/priority", R"({"file_index":0})", "VALIDATION_ERROR", "priority"},
             {"/priority", R"({"priority":"low"})", "VALIDATION_ERROR", "file_index"},
             {"/select", "{", "INVALID_JSON", ""}}) {
        auto const said = seeder->post(of(what, path), body);
        EXPECT_EQ(said.status, 400) << body;
        EXPECT_EQ(said.code(), code) << said.body;
        if (!field.empty()) {
            EXPECT_EQ(said.json.find("details")->text_or("field", ""), field) << said.body;
        }
    }
    for (auto const& [name, file] : files_of(*seeder, what))
        EXPECT_EQ(file.text_or("priority", ""), "normal") << name;
    auto const nowhere = "/torrents/" + std::string(40, 'a') + "/files";
    EXPECT_EQ(seeder->get(nowhere).code(), "TORRENT_NOT_FOUND");
    EXPECT_EQ(seeder->get(nowhere + "/verify").status, 404);
    EXPECT_EQ(seeder->post(nowhere + "/select", R"({"file_indices":[0]})").status, 404);
    EXPECT_EQ(seeder->get(of(what, "/select")).status, 405);

    auto const magnet = seeder->add_magnet("magnet:?xt=urn:btih:" + std::string(40, 'b'));
    auto const unknown = seeder->get("/torrents/" + magnet + "/files");
    EXPECT_EQ(unknown.status, 409);
    EXPECT_EQ(unknown.code(), "FILE_LIST_FAILED");
    auto const verified = seeder->get("/torrents/" + magnet + "/files/verify");
    EXPECT_EQ(verified.status, 409);
    EXPECT_EQ(verified.code(), "FILE_VERIFY_FAILED");
    EXPECT_EQ(
        seeder->post("/torrents/" + magnet + "/files/select", R"({"file_indices":[0]})").code(),
        "FILE_SELECT_FAILED");
}

TEST_F(daemon_files, verifying_finds_what_was_done_to_the_files_and_changes_nothing) {
    share();
    auto const at = seeder->downloads() / "five";
    client::client by{{.url = seeder->url(), .api_key = seeder->key()}};
    auto const failed = [&] {
        auto const said = by.verify_files(what.hash());
        EXPECT_TRUE(said) << said.error().message;
        EXPECT_EQ(said->status, "completed");
        EXPECT_EQ(said->total_files, said->verified_count + said->failed_count);
        std::vector<std::string> out;
        for (auto const& path : said->failed_files) out.push_back(fs::path{path}.lexically_relative(at));
        return out;
    };
    EXPECT_THAT(failed(), IsEmpty());
    {
        std::fstream to{at / "d", std::ios::binary | std::ios::in | std::ios::out};
        to.seekg(600'000);
        auto const was = static_cast<char>(to.get());
        to.seekp(600'000);
        to.put(static_cast<char>(was ^ 1));
    }
    EXPECT_THAT(failed(), ElementsAre("d"));
    {
        std::ofstream to{at / "sub/e", std::ios::binary | std::ios::app};
        to << 'x';
    }
    EXPECT_THAT(failed(), UnorderedElementsAre("d", "sub/e")) << "longer than it should be";
    auto const d = std::stoll(index_of(*seeder, what, "d"));
    ASSERT_TRUE(by.deselect_files(what.hash(), {d}));
    EXPECT_THAT(failed(), ElementsAre("sub/e")) << "what is not selected is left out";
    ASSERT_TRUE(by.select_files(what.hash(), {d}));
    EXPECT_EQ(state_of(seeder->row(what.hash())), "seeding") << "it only reports";
    // From here on the daemon may find out by itself, with its next save, that b is lost.
    fs::remove(at / "b");
    ASSERT_EQ(::mkfifo((at / "b").c_str(), 0600), 0);
    EXPECT_THAT(failed(), testing::IsSupersetOf({"b", "d", "sub/e"})) << "a FIFO is not waited for";
    fs::remove(at / "b");
    EXPECT_THAT(failed(), testing::IsSupersetOf({"b", "d", "sub/e"})) << "missing";
    auto const listed = by.get_torrent_files(what.hash());
    ASSERT_TRUE(listed);
    EXPECT_EQ(listed->files.at(static_cast<std::size_t>(d)).name, "five/d");
    ASSERT_TRUE(by.set_file_priority(what.hash(), d, contract::file_priority::high));
    EXPECT_EQ(files_of(*seeder, what).at("d").text_or("priority", ""), "high");
}

TEST_F(daemon_files, a_daemon_that_is_told_to_stop_does_not_wait_for_what_it_verifies) {
    daemon one{in.seeder()};
    // 16 GiB that have none of its hashes: longer than anybody waits for.
    constexpr std::int64_t size = std::int64_t{16} << 30, of_piece = 16 << 20;
    auto const pieces = std::string(std::size_t{20} * (size / of_piece), '\7');
    what.bytes = "d4:infod6:lengthi" + std::to_string(size) + "e4:name3:big12:piece lengthi" +
                 std::to_string(of_piece) + "e6:pieces" + std::to_string(pieces.size()) + ':' + pieces + "ee";
    auto const hash = one.add(what, true);
    auto const file = one.downloads() / "big";
    write_file(file, "x");
    fs::resize_file(file, size);
    {
        std::fstream to{file, std::ios::binary | std::ios::in | std::ios::out};
        for (std::int64_t at = 0; at < size; at += of_piece) { // none is a hole
            to.seekp(at);
            to << 'x';
        }
    }
    auto told = one.events({"progress_updated"});
    std::thread asks{[url = one.url(), key = one.key(), hash] {
        client::client by{{.url = url, .api_key = key, .timeout = std::chrono::minutes{2}}};
        (void)by.verify_files(hash);
    }};
    auto const event = told.wait_for("progress_updated", [&](value const& data) {
        return data.text_or("what", "") == "verify " + hash && data.number_or("done", 0) > 0;
    });
    EXPECT_EQ(event.find("data")->number_or("total", 0), size / of_piece);
    EXPECT_EQ(one.get("/status").status, 200) << "it answers others meanwhile";
    EXPECT_EQ(one.terminate(milliseconds{5'000}), 0);
    asks.join();
}

} // namespace

} // namespace ccbt::support
