// The store's file and its log, cut and flipped in 500 places: an open loads what the checksums prove or refuses and
// leaves every byte, and --recover then gives back all that did not lie on what was damaged. Never a wrong row.
#include "base/log.hpp"
#include "store/sqlite_recover.hpp"
#include "store/sqlite_store.hpp"
#include "store/store_test_world.hpp"
#include "support/daemon.hpp"

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <netinet/in.h>
#include <set>
#include <sys/socket.h>
#include <unistd.h>

namespace ccbt {
namespace {

namespace fs = std::filesystem;
using namespace store;
using namespace store::test;
using support::read_file;
using testing::HasSubstr;

constexpr int torrents_in_all = 200;
constexpr std::size_t page_size = 4096, rows_of_a_page = 25;

// A folder in memory: 500 stores are opened, mended and opened again, each with its fsyncs.
class memory_folder {
public:
    memory_folder() {
        std::string name = "/dev/shm/ccbt-damaged-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no folder in /dev/shm"};
        path = name;
    }
    ~memory_folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    memory_folder(memory_folder const&) = delete;
    memory_folder& operator=(memory_folder const&) = delete;
    fs::path path;
};

struct files {
    std::string database, log;
    bool operator==(files const&) const = default;
};

struct damaged_store : testing::Test {
    loop_thread on;
    std::mt19937_64 random{20260};
    std::map<torrent_id, std::vector<torrent_asked>> versions; // all that ever were, the newest last
    std::set<torrent_id> removed;
    std::map<torrent_id, std::string> metainfo;
    files after_stop, after_kill;
    std::size_t refused = 0, opened = 0, given_back = 0;

    void SetUp() override {
        log::set_level(log::level::off);
        make();
    }
    void TearDown() override { log::set_level(log::level::info); }

    static fs::path database(memory_folder const& in) { return in.path / "ccbt.db"; }
    static files files_in(memory_folder const& in) {
        auto const log = in.path / "ccbt.db-wal";
        return {read_file(database(in)), fs::exists(log) ? read_file(log) : ""};
    }
    static void lay(memory_folder const& in, files const& what) {
        support::write_file(database(in), what.database);
        if (what.log.empty())
            fs::remove(in.path / "ccbt.db-wal");
        else
            support::write_file(in.path / "ccbt.db-wal", what.log);
    }
    sqlite_store::opened open(memory_folder const& in) {
        return sqlite_store::open({.on = on.get(), .directory = in.path});
    }
    void put(sqlite_store& into, torrent_asked const& t) {
        std::vector<change> changes{put_torrent{std::make_shared<torrent_asked const>(t)}};
        if (!versions.contains(t.id)) {
            metainfo[t.id] = some_bytes(random, 100 + random() % 6000);
            changes.emplace_back(put_metainfo{t.id, text(metainfo[t.id])});
        }
        versions[t.id].push_back(t);
        ASSERT_EQ(commit_now(on, into, std::move(changes)), outcome::committed);
        ASSERT_EQ(
            keep_now(on, into, {{{.id = t.id, .downloaded = 1}, text(some_bytes(random, 500))}}),
            outcome::committed);
    }
    void make() {
        memory_folder at;
        auto store = std::move(*open(at));
        for (int i = 0; i < torrents_in_all; ++i) {
            put(*store, some_torrent(random));
            if (i == torrents_in_all / 2) {
                ASSERT_EQ(
                    on.ask<outcome>([&](auto done) { store->close(std::move(done)); }), outcome::committed);
                store = std::move(*open(at));
            }
        }
        int n = 0;
        for (auto const& [id, all] : std::map{versions}) {
            if (++n % 7 == 0) {
                auto again = all.back();
                again.paused = !again.paused;
                put(*store, again);
            }
            if (n % 20 == 0) {
                ASSERT_EQ(commit_now(on, *store, {forget_torrent{id}}), outcome::committed);
                removed.insert(id);
            }
        }
        // The last commit of a log cannot be told from one that was under way: nobody misses this one.
        ASSERT_EQ(commit_now(on, *store, {put_setting{"last", "1"}}), outcome::committed);
        after_kill = files_in(at);
        ASSERT_EQ(on.ask<outcome>([&](auto done) { store->close(std::move(done)); }), outcome::committed);
        after_stop = files_in(at);
        ASSERT_EQ(after_stop.log, "");
        ASSERT_GT(after_kill.log.size(), 100 * page_size);
    }

    struct held {
        std::size_t missing = 0, stale = 0, back = 0, named = 0;
    };
    /// Every row that is there is one that was written.
    held judge(sqlite_store& of) {
        held out;
        std::set<torrent_id> there;
        for (auto const& t : of.loaded().torrents) {
            there.insert(t->id);
            auto const known = versions.find(t->id);
            if (known == versions.end() ||
                std::find(known->second.begin(), known->second.end(), *t) == known->second.end()) {
                ADD_FAILURE() << "a row that nobody wrote: " << t->name;
                continue;
            }
            if (removed.contains(t->id))
                ++out.back;
            else if (*t != known->second.back())
                ++out.stale;
            if (auto const bytes = metainfo_now(on, of, t->id); bytes && *bytes != metainfo[t->id])
                ADD_FAILURE() << "metainfo that nobody wrote";
        }
        for (auto const& [id, all] : versions)
            if (!removed.contains(id) && !there.contains(id)) ++out.missing;
        for (auto const& line : of.loaded().quarantined)
            if (line.starts_with("torrents ")) ++out.named;
        return out;
    }

    /// `cut`: pages that are gone altogether; -1 where an end of the log is.
    void look_at(files const& damaged, int cut = 0) {
        memory_folder at;
        lay(at, damaged);
        if (auto store = open(at)) {
            ++opened;
            auto const found = judge(**store);
            if (cut == 0) {
                EXPECT_LE(found.missing, found.named) << "what is missing is named";
                EXPECT_EQ(found.stale, 0U);
            }
            if (cut >= 0) {
                EXPECT_EQ(found.back, 0U);
            }
        } else {
            ++refused;
            EXPECT_EQ(store.error().exit_code(), 65) << store.error().message;
            EXPECT_TRUE(files_in(at) == damaged) << "a refused file is left as it is";
        }
        lay(at, damaged);
        auto const done = recover(database(at), [](std::string const&) {});
        if (!done) { // a number of version that was flipped
            EXPECT_THAT(
                done.error().message, testing::AnyOf(HasSubstr("newer ccbtd"), HasSubstr("no store")));
            EXPECT_TRUE(files_in(at) == damaged);
            return;
        }
        if (done->needed) {
            EXPECT_TRUE(read_file(done->kept) == damaged.database);
            EXPECT_FALSE(fs::exists(at.path / "ccbt.db-wal"));
        }
        auto store = open(at);
        ASSERT_TRUE(store) << store.error().message;
        EXPECT_THAT((*store)->loaded().quarantined, testing::IsEmpty());
        auto const found = judge(**store);
        if (cut >= 0) {
            EXPECT_LE(found.missing, rows_of_a_page * static_cast<std::size_t>(1 + cut));
            EXPECT_LE(found.stale + found.back, rows_of_a_page * static_cast<std::size_t>(1 + cut));
        }
        given_back += versions.size() - removed.size() - found.missing;
    }
    std::string flipped(std::string bytes) {
        auto const at = random() % bytes.size();
        bytes[at] = static_cast<char>(bytes[at] ^ (1 + random() % 255));
        return bytes;
    }
};

TEST_F(damaged_store, flipped_after_a_clean_stop_no_row_is_wrong_and_none_is_lost_in_silence) {
    for (int i = 0; i < 200; ++i) {
        SCOPED_TRACE(i);
        look_at({flipped(after_stop.database), ""});
        if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
    for (std::size_t at = 0; at < 100; at += 4) { // the head of the file
        SCOPED_TRACE(at);
        auto bytes = after_stop.database;
        bytes[at] = static_cast<char>(bytes[at] ^ 0x11);
        look_at({bytes, ""});
        if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
    EXPECT_GT(refused, 0U);
    EXPECT_GT(opened, 0U);
}

TEST_F(damaged_store, flipped_after_a_kill_file_and_log_give_back_what_was_acknowledged) {
    for (int i = 0; i < 100; ++i) {
        SCOPED_TRACE(i);
        look_at({flipped(after_kill.database), after_kill.log});
        look_at({after_kill.database, flipped(after_kill.log)});
        if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
    EXPECT_GE(refused, 95U) << "those of the log are noticed";
    EXPECT_GT(opened, 0U);
}

TEST_F(damaged_store, cut_anywhere_the_rest_is_given_back) {
    for (int i = 0; i < 40; ++i) {
        SCOPED_TRACE(i);
        auto const size = 100 + random() % (after_stop.database.size() - 100);
        look_at(
            {after_stop.database.substr(0, size), ""},
            static_cast<int>((after_stop.database.size() - size) / page_size + 1));
        if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
    for (int i = 0; i < 35; ++i) {
        SCOPED_TRACE(i);
        look_at({after_kill.database, after_kill.log.substr(0, random() % after_kill.log.size())}, -1);
        if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
}

// ---- the same with the daemon as users have it

struct damaged_state : testing::Test {
    temporary_folder folder;
    std::vector<std::string> hashes;

    std::unique_ptr<support::daemon> filled(int torrents) {
        auto made = std::make_unique<support::daemon>(support::daemon_plan{.folder = folder.path()});
        for (int i = 0; i < torrents; ++i)
            hashes.push_back(
                made->add_magnet(fmt::format("magnet:?xt=urn:btih:{:040x}&dn=torrent-number-{}", i + 1, i)));
        return made;
    }
    support::outcome run(support::daemon const& of, std::vector<std::string> flags) {
        std::vector<std::string> argv{support::program("ccbtd"), "--config", of.config_file().string()};
        argv.insert(argv.end(), flags.begin(), flags.end());
        return support::run(argv, std::chrono::milliseconds{20'000}, {"HOME=" + folder.path()});
    }
    std::size_t listed(support::daemon const& by) {
        auto const said = by.get("/torrents");
        EXPECT_EQ(said.status, 200);
        std::size_t there = 0;
        for (auto const& hash : hashes)
            if (said.body.find(hash) != std::string::npos) ++there;
        return there;
    }
};

TEST_F(damaged_state, is_refused_untouched_with_the_way_out_named_and_recover_takes_it) {
    auto house = filled(40);
    auto const file = house->state() / "ccbt.db", log = house->state() / "ccbt.db-wal";
    house->kill9();
    auto const taken = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in place{.sin_family = AF_INET, .sin_addr = {::htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof place;
    ASSERT_EQ(::bind(taken, reinterpret_cast<sockaddr*>(&place), size), 0);
    ASSERT_EQ(::listen(taken, 1), 0);
    ASSERT_EQ(::getsockname(taken, reinterpret_cast<sockaddr*>(&place), &size), 0);
    auto const no_port =
        fmt::format("daemon.ipc_port={}", ::ntohs(place.sin_port)); // a start that goes on ends there
    auto const database = read_file(file), written = read_file(log);
    ASSERT_GT(written.size(), 40 * page_size);
    std::vector<std::pair<std::string, std::string>> damages;
    for (auto const at : {0U, 17U, 18U, 4096U * 2 + 4, 4096U * 4})
        damages.emplace_back(database, written), damages.back().first[at] ^= 0x55;
    for (auto const at : {3U, 17U, 32U + 4120 * 9 + 2000, 32U + 4120 * 20 + 16})
        damages.emplace_back(database, written), damages.back().second[at] ^= 0x55;
    damages.emplace_back(database.substr(0, database.size() / 2), written);
    int refusals = 0;
    for (auto const& [as_file, as_log] : damages) {
        support::write_file(file, as_file);
        support::write_file(log, as_log);
        auto const refused = run(*house, {"--set", no_port});
        EXPECT_THAT(refused.code, testing::AnyOf(65, 78));
        if (refused.code == 65) {
            ++refusals;
            EXPECT_THAT(refused.err, HasSubstr("ccbtd --recover"));
            EXPECT_EQ(read_file(file), as_file);
            EXPECT_EQ(read_file(log), as_log);
        }
        support::write_file(file, as_file);
        support::write_file(log, as_log);
        SCOPED_TRACE(refused.err);
        auto const mended = run(*house, {"--recover"});
        ASSERT_EQ(mended.code, 0) << mended.out << mended.err;
        house->start();
        EXPECT_EQ(listed(*house), 40U) << mended.out;
        house->kill9();
    }
    EXPECT_GE(refusals, 7);
    ::close(taken);
}

TEST_F(damaged_state, recover_cut_short_at_any_step_leaves_the_old_the_new_or_the_way_back) {
    auto house = filled(12);
    auto const state = house->state(), file = state / "ccbt.db", log = state / "ccbt.db-wal";
    house->kill9();
    auto const database = read_file(file);
    auto written = read_file(log);
    written[32 + 4120 * 5 + 2000] ^= 0x55;
    int ways_back = 0, steps = 0;
    std::vector<std::string> calls{"link", "unlink", "rename"}; // strace counts each by itself
    for (int n = 1; !calls.empty(); ++n) {
        auto const call = calls.back();
        SCOPED_TRACE(fmt::format("{} {}", call, n));
        ASSERT_LT(++steps, 40);
        for (auto const& one : fs::directory_iterator{state}) // what the round before left
            if (one.path().filename().string().starts_with("ccbt.db")) fs::remove_all(one.path());
        support::write_file(file, database);
        support::write_file(log, written);
        auto const killed = support::run(
            {"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
             fmt::format("inject={}:signal=KILL:when={}", call, n), support::program("ccbtd"), "--config",
             house->config_file().string(), "--recover"},
            std::chrono::milliseconds{30'000}, {"HOME=" + folder.path()});
        auto const file_is_there = fs::exists(file);
        if (!file_is_there) {
            EXPECT_EQ(run(*house, {}).code, 65) << "not taken for a first start";
        }
        auto again = run(*house, {"--recover"});
        if (!file_is_there) {
            ++ways_back;
            EXPECT_THAT(again.err, HasSubstr("an earlier --recover was cut short"));
        }
        ASSERT_EQ(again.code, 0) << again.err;
        house->start();
        EXPECT_EQ(listed(*house), 12U);
        house->kill9();
        if (killed.code != 0) continue;
        calls.pop_back(); // it came to its end
        n = 0;
    }
    EXPECT_GE(steps, 10);
    EXPECT_GE(ways_back, 1);
}

TEST_F(damaged_state, one_damaged_row_hides_no_other_and_is_told) {
    auto house = filled(10);
    auto const file = house->state() / "ccbt.db";
    ASSERT_EQ(house->terminate(), 0);
    auto bytes = read_file(file);
    auto const at = bytes.find("torrent-number-4");
    ASSERT_NE(at, std::string::npos);
    for (auto from = at; from != std::string::npos; from = bytes.find("torrent-number-4", from + 1))
        bytes[from] = 'T';
    support::write_file(file, bytes);
    house->start();
    EXPECT_EQ(listed(*house), 9U);
    EXPECT_THAT(house->log(), HasSubstr("torrents row 5: its checksum does not match"));
    EXPECT_THAT(house->get("/metrics").body, HasSubstr("\nccbt_store_quarantined_rows 1\n"));
    EXPECT_EQ(house->get("/health").status, 200) << "it takes changes";
    // Added again it is there, and the damaged row too.
    EXPECT_EQ(house->add_magnet(fmt::format("magnet:?xt=urn:btih:{:040x}", 5)), hashes[4]);
    EXPECT_EQ(listed(*house), 10U);

    EXPECT_EQ(run(*house, {"--recover"}).code, 75) << "a daemon runs";
    ASSERT_EQ(house->terminate(), 0);
    EXPECT_NE(read_file(file).find("Torrent-number-4"), std::string::npos);
    auto const mended = run(*house, {"--recover"});
    EXPECT_EQ(mended.code, 0) << mended.err;
    EXPECT_THAT(mended.out, HasSubstr("lost: torrents row 5 \"Torrent-number-4\" " + hashes[4]));
    auto const again = run(*house, {"--recover"});
    EXPECT_EQ(again.code, 0);
    EXPECT_THAT(again.out, HasSubstr("is not damaged: nothing was changed"));
    house->start();
    EXPECT_EQ(listed(*house), 10U);
}

TEST_F(damaged_state, of_a_newer_version_is_not_recovered) {
    auto house = filled(1);
    ASSERT_EQ(house->terminate(), 0);
    auto const file = house->state() / "ccbt.db";
    auto bytes = read_file(file);
    bytes[63] = 99;
    support::write_file(file, bytes);
    auto const refused = run(*house, {"--recover"});
    EXPECT_EQ(refused.code, 65);
    EXPECT_THAT(refused.err, HasSubstr("version 99 was made by a newer ccbtd; nothing was changed"));
    EXPECT_EQ(read_file(file), bytes);
    auto const nothing = run(*house, {"--recover", "--state-dir", folder / "nothing"});
    EXPECT_EQ(nothing.code, 65);
    EXPECT_FALSE(fs::exists(folder / "nothing"));
}

} // namespace
} // namespace ccbt
