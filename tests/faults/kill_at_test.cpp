// P2 at each step: the daemon is killed at the n-th fsync, write, rename or unlink of one change, of a first start and
// of a migration, for every n until one goes through.
#include "base/text.hpp"
#include "faults/rounds.hpp"
#include "support/ledger.hpp"
#include "support/strace.hpp"
#include "support/temp_folder.hpp"

#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <stdexcept>
#include <sys/file.h>
#include <unistd.h>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;

constexpr int too_many = 400;

std::vector<std::string> const settings{"limits.global_down_kib", "limits.per_torrent_down_kib"};

/// What is killed at: all of it in ./dev faults, in short only `in_short`.
std::vector<std::string> calls_of(std::vector<std::string> in_short) {
    if (!faults::is_long()) return in_short;
    // One by one: strace counts each call for itself, and the first to come would hide the others.
    return {"fdatasync", "fsync", "write",  "pwrite64", "ftruncate", "rename",
            "renameat",  "link",  "unlink", "unlinkat", "mkdir"};
}

bool lock_is_free(fs::path const& file) {
    auto const fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return true; // it did not come to that
    auto const is_free = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
    ::close(fd);
    return is_free;
}

struct killing : testing::Test {
    temp_folder folder;
    int killed = 0;

    void SetUp() override {
        if (!no_strace().empty()) GTEST_SKIP() << no_strace();
    }
    [[nodiscard]] daemon_plan plan() const {
        return {.folder = folder.path(), .settings = {{"observability.log_level", "\"WARNING\""}}};
    }
    /// Kills at each call of one change, made anew for each. `prepare` tells what is asked and how.
    struct request {
        holding_changes what;
        std::string method, path, body;
    };
    void at_each_step_of(
        char const* name, std::vector<std::string> const& in_short,
        std::function<request(daemon&, ledger&, int)> const& prepare) {
        daemon under{plan()};
        ledger kept;
        kept.begin(holdings_of(under, settings));
        int made = 0;
        for (auto const& calls : calls_of(in_short)) {
            int n = 1;
            for (;; ++n) {
                ASSERT_LT(n, too_many) << calls;
                auto const asked = prepare(under, kept, ++made);
                injection into{
                    under.running().pid(), folder.path(), calls, "signal=KILL:when=" + std::to_string(n)};
                auto const ticket = kept.ask(asked.what);
                auto const said = under.call(asked.method, asked.path, asked.body);
                if (said.status == 200) kept.acknowledge(ticket);
                into.end();
                // A connection ends a moment before its process does.
                auto const survived = said.status == 200 ? under.running().is_running()
                                                         : !under.running().wait(milliseconds{10'000});
                ASSERT_TRUE(said.status == 200 || !survived) << said.status << ' ' << said.body;
                under.kill9();
                under.start();
                kept.compare(under, settings);
                ASSERT_TRUE(kept.found().is_clean())
                    << "killed at " << calls << ' ' << n << ": " << kept.found().first;
                if (survived) break;
                ++killed;
            }
            if (n > 1) faults::say("kill at", "{}: {} 1 to {} of it", name, calls, n - 1);
        }
        auto const found = kept.found();
        faults::say(
            "kill at",
            "{}: killed {} times, acknowledged {}, unanswered {} (of which kept {}), lost 0, resurrected 0, half done 0",
            name, killed, found.acknowledged, found.unanswered, found.kept);
        EXPECT_GT(killed, 0);
    }
    /// Kills at each call of a start, in a folder made anew for each; `holds` looks at the daemon that is started then.
    void at_each_step_of_a_start(
        char const* name, std::vector<std::string> const& in_short,
        std::function<void(fs::path const&)> const& lay, std::function<void(daemon const&)> const& holds) {
        for (auto const& calls : calls_of(in_short)) {
            int n = 1;
            for (bool is_through = false; !is_through; ++n) {
                ASSERT_LT(n, too_many) << calls;
                temp_folder fresh;
                lay(fresh.path());
                daemon_plan with = plan();
                with.folder = fresh.path();
                with.under = strace_flags(calls, "signal=KILL:when=" + std::to_string(n));
                with.under.insert(with.under.end(), {"-o", (fresh / "strace.calls").string()});
                try {
                    daemon const through{with};
                    is_through = true;
                } catch (std::exception const& e) {
                    ASSERT_NE(std::string{e.what()}.find("ended with 137"), std::string::npos) << e.what();
                    ++killed;
                }
                with.under.clear();
                // Its parent strace is gone before it is.
                auto const is_let_go = [&] { return lock_is_free(fresh / "state/ccbtd.lock"); };
                ASSERT_TRUE(eventually(milliseconds{20'000}, is_let_go));
                daemon const again{with};
                holds(again);
                ASSERT_FALSE(HasFailure()) << "killed at " << calls << ' ' << n << '\n' << again.log();
            }
            if (n > 2) faults::say("kill at", "{}: {} 1 to {} of it", name, calls, n - 2);
        }
        faults::say("kill at", "{}: killed {} times, and each time the next start was whole", name, killed);
        EXPECT_GT(killed, 0);
    }
};

std::string base64(std::string const& bytes) {
    return text::to_base64(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
}

TEST_F(killing, at_each_step_of_an_add_leaves_it_whole_or_not_there) {
    std::string order;
    at_each_step_of("add", {"fdatasync"}, [&](daemon& under, ledger& kept, int n) {
        auto const source = folder / ("new-" + std::to_string(n));
        make_file(source, 50'000, static_cast<std::uint64_t>(n));
        auto const torrent = make_torrent(source, {});
        auto const now = kept.acknowledged();
        auto const at = now.find("order/");
        static_cast<void>(under);
        return request{
            {{"t/" + torrent.hash(), "paused down=0 up=0 priority=normal labels="},
             {"order/", (at == now.end() ? "" : at->second + ' ') + torrent.hash()}},
            "POST",
            "/torrents/add",
            R"({"paused":true,"torrent_data":")" + base64(torrent.bytes) + "\"}"};
    });
}

TEST_F(killing, at_each_step_of_a_removal_with_data_leaves_all_of_it_or_nothing) {
    at_each_step_of("removal with data", {"fdatasync", "unlinkat"}, [&](daemon& under, ledger& kept, int n) {
        for (auto const& [left, what] : holdings_of(under)) // of the one before, where it stayed
            if (left.starts_with("t/") && under.del("/torrents/" + left.substr(2)).status != 200)
                throw std::runtime_error("it stays: " + left);
        fs::remove_all(under.downloads() / ("data-" + std::to_string(n - 1)));
        auto const name = "data-" + std::to_string(n);
        make_files(
            under.downloads() / name, {{"a", 20'000}, {"b/c", 20'000}, {"b/d", 100}},
            static_cast<std::uint64_t>(n));
        auto const torrent = make_torrent(under.downloads() / name, {});
        under.add(torrent, true);
        kept.begin(holdings_of(under, settings));
        EXPECT_TRUE(kept.acknowledged().contains("f/" + name + "/b/d"));
        return request{
            {{"t/" + torrent.hash(), std::nullopt},
             {"order/", std::nullopt},
             {"f/" + name, std::nullopt},
             {"f/" + name + "/a", std::nullopt},
             {"f/" + name + "/b", std::nullopt},
             {"f/" + name + "/b/c", std::nullopt},
             {"f/" + name + "/b/d", std::nullopt}},
            "DELETE",
            "/torrents/" + torrent.hash() + "?delete_files=true",
            ""};
    });
}

TEST_F(killing, at_each_step_of_a_config_change_leaves_both_keys_or_none) {
    at_each_step_of("config change", {"fdatasync"}, [&](daemon&, ledger&, int n) {
        auto const a = std::to_string(n * 10), b = std::to_string(n * 10 + 1);
        return request{
            {{"c/limits.global_down_kib", a}, {"c/limits.per_torrent_down_kib", b}},
            "PUT",
            "/config",
            R"({"limits":{"global_down_kib":)" + a + R"(,"per_torrent_down_kib":)" + b + "}}"};
    });
}

TEST_F(killing, at_each_step_of_a_first_start_leaves_what_the_next_one_starts_from) {
    at_each_step_of_a_start(
        "first start", {"rename", "renameat"}, [](fs::path const&) {},
        [](daemon const& again) {
            EXPECT_TRUE(again.get("/torrents").json.list_or_empty("torrents").empty());
            EXPECT_EQ(again.key().size(), 64U);
            EXPECT_EQ(again.post("/security/blacklist", R"({"ip":"10.1.2.3"})").status, 200);
        });
}

TEST_F(killing, at_each_step_of_a_migration_leaves_the_old_store_or_the_new_and_the_backup) {
    auto const old = read_file(std::string{CCBT_SOURCE_DIR} + "/tests/faults/version-2.sql");
    ASSERT_FALSE(old.empty());
    at_each_step_of_a_start(
        "migration", {"link", "unlink"},
        [&](fs::path const& into) {
            fs::create_directories(into / "state");
            fs::permissions(into / "state", fs::perms::owner_all);
            auto const made =
                run({"sqlite3", "-bail", (into / "state/ccbt.db").string(),
                     ".read " + std::string{CCBT_SOURCE_DIR} + "/tests/faults/version-2.sql"},
                    milliseconds{10'000});
            ASSERT_EQ(made.code, 0) << made.err;
        },
        [](daemon const& again) {
            auto const now = holdings_of(again);
            EXPECT_TRUE(now.contains("t/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01"));
            EXPECT_TRUE(now.contains("t/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa02"));
            EXPECT_TRUE(now.contains("b/10.9.8.0/24"));
            auto const backup = again.state() / "ccbt.db.version-2.backup";
            ASSERT_TRUE(fs::exists(backup)) << "P5: with a backup";
            auto const version =
                run({"sqlite3", backup.string(),
                     "PRAGMA user_version; PRAGMA quick_check; SELECT count(*) FROM torrents"},
                    milliseconds{10'000});
            EXPECT_EQ(version.out, "2\nok\n2\n") << version.err;
        });
}

} // namespace

} // namespace ccbt::support
