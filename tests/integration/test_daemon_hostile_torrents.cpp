// Torrents that would write elsewhere, by file and by magnet, downloaded from a peer that has them as they are: nothing
// is written but below the download folder, what is deleted is the torrent's own, and the daemon lives.
#include "base/text.hpp"
#include "support/daemon.hpp"
#include "support/metadata_peer.hpp"
#include "support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using words = std::vector<std::string>;

std::string text_of(std::string const& s) { return std::to_string(s.size()) + ':' + s; }
std::string number_of(std::string const& digits) { return 'i' + digits + 'e'; }
std::string hex_of(std::string const& raw) {
    return text::to_hex(std::vector<std::uint8_t>(raw.begin(), raw.end()));
}

struct file {
    words path;
    std::string content = "evil";
    std::string more_before{}, more_after{}; // other keys, where bencode's order wants them
    std::string length{};                    // where it is not that of the content
};

// As it is: what no maker of torrents would write.
struct hostile {
    std::string label, info, payload;
    [[nodiscard]] std::string hash() const { return hex_of(sha1(info)); }
    [[nodiscard]] std::string magnet() const { return "magnet:?xt=urn:btih:" + hash(); }
    [[nodiscard]] std::string bytes() const { return "d4:info" + info + "e"; }
};

std::string pieces_of(std::string const& payload) {
    std::string out;
    for (std::size_t at = 0; at < payload.size(); at += 16384) out += sha1(payload.substr(at, 16384));
    return out;
}

hostile many(std::string label, std::string const& name, std::vector<file> const& files) {
    hostile out{std::move(label), {}, {}};
    std::string list;
    for (auto const& one : files) {
        list += 'd' + one.more_before + "6:length" +
                number_of(one.length.empty() ? std::to_string(one.content.size()) : one.length) + "4:pathl";
        for (auto const& part : one.path) list += text_of(part);
        list += 'e' + one.more_after + 'e';
        out.payload += one.content;
    }
    out.info = "d5:filesl" + list + "e4:name" + text_of(name) + "12:piece lengthi16384e6:pieces" +
               text_of(pieces_of(out.payload)) + 'e';
    return out;
}

hostile single(std::string label, std::string const& name, std::string const& content = "evil") {
    return {
        std::move(label),
        "d6:length" + number_of(std::to_string(content.size())) + "4:name" + text_of(name) +
            "12:piece lengthi16384e6:pieces" + text_of(pieces_of(content)) + 'e',
        content};
}

// What lies below a folder: path -> kind, and the content of files.
std::map<std::string, std::string> tree_of(fs::path const& folder, fs::path const& but_for = {}) {
    std::map<std::string, std::string> out;
    for (auto at = fs::recursive_directory_iterator{folder}; at != fs::recursive_directory_iterator{}; ++at) {
        if (at->path() == but_for) {
            at.disable_recursion_pending();
            continue;
        }
        auto const is_link = at->is_symlink();
        out[at->path().lexically_relative(folder).string()] =
            is_link                 ? "link to " + fs::read_symlink(at->path()).string()
            : at->is_directory()    ? "folder"
            : at->is_regular_file() ? "file " + read_file(at->path())
                                    : "special";
    }
    return out;
}

struct daemon_hostile_torrents : testing::Test {
    temp_folder root{};
    std::string const here = "127.0.0.21";
    std::uint16_t const port = free_port(here);
    fs::path const outside = root / "outside";
    daemon one{
        {.folder = root / "one",
         .interface = here,
         .settings = {{"network.listen_port_tcp", std::to_string(port)}}}};
    std::map<std::string, std::string> before;

    void SetUp() override {
        fs::create_directories(outside);
        write_file(outside / "victim", "mine");
        write_file(root / "victim", "mine");
        before = elsewhere();
    }
    void TearDown() override {
        EXPECT_TRUE(one.running().is_running());
        EXPECT_EQ(one.terminate(), 0);
        EXPECT_EQ(elsewhere(), before);
    }

    // All but the daemon's own folder; of that one, what lies beside state and downloads.
    [[nodiscard]] std::map<std::string, std::string> elsewhere() const {
        auto out = tree_of(root.path(), root / "one");
        for (auto const& entry : fs::directory_iterator{root / "one"})
            out["one/" + entry.path().filename().string()] = "is there";
        return out;
    }
    // But for the marker of the root, which is the daemon's own.
    [[nodiscard]] std::map<std::string, std::string> downloaded() const {
        auto out = tree_of(one.downloads());
        out.erase(".ccbt-root");
        return out;
    }
    [[nodiscard]] answer add_file(hostile const& what) const {
        auto const whole = what.bytes();
        text::bytes_view const raw{reinterpret_cast<std::uint8_t const*>(whole.data()), whole.size()};
        return one.post("/torrents/add", R"({"torrent_data":")" + text::to_base64(raw) + "\"}");
    }
    [[nodiscard]] metadata_peer peer_of(hostile const& what) const {
        static int last = 30; // an address of its own each, as peers are told apart by it
        last = last == 250 ? 30 : last + 1;
        return {"127.0.1." + std::to_string(last), here, port, {what.hash(), what.info, what.payload}};
    }
    value settled(std::string const& hash) const {
        return one.wait_for(
            hash, [](value const& row) { return state_of(row) == "seeding" || state_of(row) == "error"; },
            milliseconds{20'000});
    }
    void goes_with_its_data(hostile const& what) const {
        EXPECT_EQ(one.del("/torrents/" + what.hash() + "?delete_files=true").status, 200);
        EXPECT_THAT(downloaded(), IsEmpty());
        EXPECT_EQ(elsewhere(), before);
    }
    /// What it wrote lies in the download folder, as files and folders.
    void is_confined() const {
        EXPECT_EQ(elsewhere(), before);
        for (auto const& [path, kind] : downloaded())
            EXPECT_TRUE(kind == "folder" || kind.starts_with("file ")) << path << ": " << kind;
    }
    /// All that is in it is there to be used: looked at, verified.
    void is_used(hostile const& what) const {
        auto const at = "/torrents/" + what.hash();
        EXPECT_THAT(one.get(at + "/files").status, AnyOf(200, 409));
        EXPECT_THAT(one.get(at + "/files/verify").status, AnyOf(200, 409));
    }

    /// Taken, and downloaded without a file elsewhere.
    [[nodiscard]] std::vector<hostile> odd_but_taken() const {
        auto const deep = [](std::size_t folders) { return words(folders, "d"); };
        return {
            single("up as the name", "../../victim"),
            single("absolute name", (outside / "evil").string()),
            many("up as a folder", "t", {{{"..", "..", "..", "victim"}}}),
            many("up in one part", "t", {{{"../../../victim"}}}),
            many("up as folder and name", "..", {{{"..", "victim"}}}),
            many("absolute part", "t", {{{(outside / "evil").string()}}}),
            many("separators", "a/b", {{{"c/d"}}, {{"c\\d"}}, {{"..\\..\\victim"}}}),
            many("a NUL", "t", {{{"a\0/../../victim"s}}}),
            many("255 bytes", "t", {{{std::string(255, 'n')}}}),
            many("31 folders below the name", "t", {{deep(31)}}),
            many("case twins", "t", {{{"A"}, "one"}, {{"a"}, "two"}}),
            many("one name twice", "t", {{{"a"}, "one"}, {{"a"}, "two"}}),
            many("a file that is a folder", "t", {{{"a"}, "one"}, {{"a", "b"}, "two"}}),
            many("devices", "t", {{{"CON"}}, {{"NUL"}}, {{"dev", "null"}}, {{"/dev/null"}}}),
            many("dots and blanks", "t", {{{"."}}, {{"..."}}, {{" a "}}, {{"b. "}}, {{".", "..", "c"}}}),
            many("control characters", "t", {{{"a\nb\x1b[2J\x7f"}}}),
            many("no UTF-8", "t", {{{"\xff\xfe\xc0\xaf..\xc0\xaf"}}}),
            many("from right to left", "t", {{{"gpj\xe2\x80\xae.exe"}}}),
            many(
                "only a link up", "t",
                {{{"a"}}, {{"link"}, "", "4:attr1:l", "12:symlink pathl2:..2:..6:victime", "0"}}),
            many(
                "a link up", "t",
                {{{"a"}},
                 {{"link"}, "", "4:attr1:l", "12:symlink pathl2:..2:..6:victime", "0"},
                 {{"link", "through"}, "evil"}}),
            many(
                "an absolute link", "t",
                {{{"a"}},
                 {{"link"}, "", "4:attr1:l", "12:symlink pathl" + text_of(outside.string()) + "e", "0"},
                 {{"link", "victim"}, "evil"}}),
        };
    }
    /// Refused by its file.
    [[nodiscard]] static std::vector<hostile> refused() {
        auto const with = [](hostile out, std::string const& old, std::string const& now) {
            out.info.replace(out.info.find(old), old.size(), now);
            return out;
        };
        return {
            single("one up as the name", ".."),
            many("256 bytes", "t", {{{std::string(256, 'n')}}}),
            single("a name of 256 bytes", std::string(256, 'n')),
            many("32 folders below the name", "t", {{words(32, "d")}}),
            with(single("no piece length", "a"), "lengthi16384e", "lengthi0e"),
            with(single("a huge piece length", "a"), "lengthi16384e", "lengthi1099511627776e"),
            with(single("of 2^63 bytes", "a"), "6:lengthi4e", "6:lengthi9223372036854775807e"),
            with(single("of less than none", "a"), "6:lengthi4e", "6:lengthi-4e"),
            many("huge padding", "t", {{{"a"}}, {{".pad", "1"}, "", "4:attr1:p", "", "9223372036854775807"}}),
        };
    }
};

TEST_F(daemon_hostile_torrents, by_file_write_nothing_outside_and_go_with_what_they_wrote) {
    std::vector<std::string> failed;
    for (auto const& what : odd_but_taken()) {
        SCOPED_TRACE(what.label);
        auto const added = add_file(what);
        ASSERT_EQ(added.status, 200) << added.body;
        auto const peer = peer_of(what);
        if (state_of(settled(what.hash())) == "error") failed.push_back(what.label);
        is_confined();
        is_used(what);
        goes_with_its_data(what);
    }
    EXPECT_THAT(failed, IsEmpty()) << "all others are downloaded";
}

TEST_F(daemon_hostile_torrents, by_magnet_write_nothing_outside_and_go_with_what_they_wrote) {
    std::vector<std::string> failed;
    for (auto const& what : odd_but_taken()) {
        SCOPED_TRACE(what.label);
        one.add_magnet(what.magnet());
        auto const peer = peer_of(what);
        if (state_of(settled(what.hash())) == "error") failed.push_back(what.label);
        EXPECT_GT(peer.asked_for_metadata(), 0);
        is_confined();
        is_used(what);
        goes_with_its_data(what);
    }
    // Those whose names only a torrent file's reading tells apart.
    EXPECT_THAT(
        failed, ElementsAre(
                    "separators", "case twins", "one name twice", "a file that is a folder", "a link up",
                    "an absolute link"));
}

TEST_F(daemon_hostile_torrents, are_exported_and_imported_together_and_write_nothing_outside) {
    auto const all = odd_but_taken();
    for (auto const& what : all) ASSERT_EQ(add_file(what).status, 200) << what.label;
    auto const exported = one.post("/torrents/export-state");
    ASSERT_EQ(exported.status, 200) << exported.body;
    for (auto const& what : all) ASSERT_EQ(one.del("/torrents/" + what.hash()).status, 200) << what.label;
    auto const imported = one.post(
        "/torrents/import-state", R"({"path":")" + std::string{exported.json.text_or("path", "")} + "\"}");
    ASSERT_EQ(imported.status, 200) << imported.body;
    EXPECT_EQ(one.get("/torrents").json.list_or_empty("torrents").size(), all.size());
    is_confined();
}

TEST_F(daemon_hostile_torrents, by_file_beyond_the_limits_are_400_and_change_nothing) {
    auto const empty = one.get("/torrents").body;
    for (auto const& what : refused()) {
        SCOPED_TRACE(what.label);
        auto const said = add_file(what);
        EXPECT_EQ(said.status, 400) << said.body;
        EXPECT_EQ(said.code(), "ADD_TORRENT_ERROR");
        EXPECT_EQ(one.get("/torrents").body, empty);
        EXPECT_THAT(downloaded(), IsEmpty());
    }
}

TEST_F(daemon_hostile_torrents, by_magnet_beyond_the_limits_are_an_error_and_no_piece_is_asked_for) {
    for (auto const& what : refused()) {
        SCOPED_TRACE(what.label);
        one.add_magnet(what.magnet());
        auto const peer = peer_of(what);
        auto const row = settled(what.hash());
        EXPECT_EQ(state_of(row), "error");
        EXPECT_NE(row.text_or("error", ""), "");
        EXPECT_EQ(peer.asked_for_pieces(), 0);
        EXPECT_THAT(downloaded(), IsEmpty());
        goes_with_its_data(what);
    }
}

TEST_F(
    daemon_hostile_torrents,
    metadata_of_a_size_that_nobody_should_hold_is_asked_for_once_and_others_do_better) {
    auto const what = single("claims much", "a");
    one.add_magnet(what.magnet());
    metadata_peer const liar{
        "127.0.1.20", here, port, {what.hash(), what.info, "", 16384, (std::size_t{16} << 20) + 1}};
    ASSERT_TRUE(eventually(milliseconds{10'000}, [&] { return liar.has_shaken_hands(); }));
    auto const honest = peer_of(what);
    EXPECT_EQ(state_of(settled(what.hash())), "seeding") << "another peer does better";
    EXPECT_LE(liar.asked_for_metadata(), 1) << "one block of 16 KiB, whatever is claimed";
    EXPECT_EQ(downloaded()["a"], "file evil");
}

TEST_F(daemon_hostile_torrents, a_larger_file_of_somebody_elses_is_neither_cut_nor_deleted) {
    auto const what = many("foreign", "t", {{{"a"}, "evil"}, {{"b"}, "evil"}});
    for (bool const by_file : {true, false}) {
        SCOPED_TRACE(by_file ? "by file" : "by magnet");
        fs::create_directories(one.downloads() / "t");
        write_file(one.downloads() / "t" / "a", "much larger, and mine");
        if (by_file) {
            ASSERT_EQ(add_file(what).status, 200);
        } else {
            one.add_magnet(what.magnet());
        }
        auto const peer = peer_of(what);
        auto const row = settled(what.hash());
        EXPECT_EQ(state_of(row), "error");
        EXPECT_THAT(row.text_or("error", ""), HasSubstr("larger than the torrent's"));
        EXPECT_EQ(one.del("/torrents/" + what.hash() + "?delete_files=true").status, 200);
        EXPECT_EQ(downloaded()["t/a"], "file much larger, and mine");
        fs::remove_all(one.downloads() / "t");
    }
}

} // namespace

} // namespace ccbt::support
