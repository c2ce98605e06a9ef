// Stores of every released version, as they were written, under the daemon of today.
#include "faults/small_disk.hpp"
#include "store/sqlite_connection.hpp"
#include "store/sqlite_schema.hpp"
#include "support/daemon.hpp"
#include "support/temp_folder.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace ccbt::support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string const magnets = "00000000000000000000000000000000000000b1";
std::string const files = "6d4720c7dda46ebd4ad13cc260ccebda10614781";

struct migration : testing::TestWithParam<int> {
    temp_folder root{};
    fs::path const state = root / "house" / "state", file = state / "ccbt.db";
    fs::path const backup = state / fmt::format("ccbt.db.version-{}.backup", GetParam());

    void lay() const {
        fs::create_directories(state);
        store::connection by;
        ASSERT_EQ(by.open(file.string(), true), SQLITE_OK);
        auto const sql =
            read_file(fmt::format("{}/tests/faults/fixtures/version-{}.sql", CCBT_SOURCE_DIR, GetParam()));
        ASSERT_EQ(by.run(sql.c_str()), SQLITE_OK) << by.message();
        by.close();
        ASSERT_EQ(version_of(file), GetParam());
    }
    static int version_of(fs::path const& store) {
        return static_cast<unsigned char>(read_file(store).at(63));
    }
    void is_all_there(daemon const& house) const {
        auto const magnet = house.row(magnets), whole = house.row(files);
        EXPECT_EQ(magnet.text_or("name", ""), "first");
        EXPECT_THAT(to_text(magnet), HasSubstr("\"labels\":[\"old\"]"));
        EXPECT_EQ(whole.text_or("name", ""), "kept.bin");
        EXPECT_EQ(house.get("/torrents/" + files + "/files").status, 200) << "its metainfo is there";
        EXPECT_THAT(house.get("/config").body, HasSubstr("\"global_down_kib\":123"));
        if (GetParam() >= 2) {
            EXPECT_THAT(house.get("/security/blacklist").body, HasSubstr("198.51.100.0/24"));
        }
        if (GetParam() >= 3) {
            EXPECT_THAT(house.get("/keys").body, HasSubstr("\"phone\""));
        }
        EXPECT_EQ(house.get("/torrents").json.list_or_empty("torrents").size(), 2U);
        EXPECT_THAT(house.get("/metrics").body, HasSubstr("ccbt_store_quarantined_rows 0\n"));
    }
};

TEST_P(migration, keeps_all_that_was_there_and_a_backup_that_opens) {
    lay();
    daemon house{{.folder = root / "house"}};
    is_all_there(house);
    EXPECT_EQ(house.post("/security/blacklist", R"({"ip":"203.0.113.0/24"})").status, 200);
    EXPECT_EQ(house.post("/keys", R"({"name":"new","scopes":["read"]})").status, 200);
    ASSERT_EQ(house.terminate(), 0);
    auto const now = store::current_schema().version;
    EXPECT_EQ(version_of(file), now);
    ASSERT_EQ(fs::exists(backup), GetParam() < now);
    house.start();
    is_all_there(house);
    EXPECT_THAT(house.get("/security/blacklist").body, HasSubstr("203.0.113.0/24"));
    if (!fs::exists(backup)) return;

    // The way back: the backup in the store's place, as an older daemon would find it.
    ASSERT_EQ(house.terminate(), 0);
    struct stat facts {};
    ASSERT_EQ(::stat(backup.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U);
    EXPECT_EQ(version_of(backup), GetParam());
    fs::copy_file(backup, file, fs::copy_options::overwrite_existing);
    house.start();
    is_all_there(house);
}

TEST_P(migration, on_a_full_disk_ends_with_73_and_leaves_the_old_store) {
    CCBT_NEEDS_OWN_MOUNTS;
    if (GetParam() == store::current_schema().version) GTEST_SKIP() << "nothing to migrate";
    small_disk const disk{state, 4};
    lay();
    auto const house =
        std::make_unique<daemon>(daemon_plan{.folder = root / "other"}); // for its configuration alone
    auto const argv = std::vector<std::string>{
        program("ccbtd"), "--config", house->config_file().string(), "--state-dir", state.string()};
    auto const before = read_file(file);
    write_file(state / "api_key", std::string(64, 'a')); // before the disk is full
    disk.fill();
    auto const refused = run(argv, milliseconds{20'000}, {"HOME=" + root.path().string()});
    EXPECT_EQ(refused.code, 73) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("full"));
    EXPECT_EQ(read_file(file), before);
    for (auto const& one : fs::directory_iterator{state})
        EXPECT_THAT(one.path().filename().string(), testing::Not(HasSubstr("backup"))) << "it takes no space";
    disk.make_room();
    daemon now{{.folder = root / "house"}};
    is_all_there(now);
}

INSTANTIATE_TEST_SUITE_P(versions, migration, testing::Values(1, 2, 3), [](auto const& of) {
    return "of_version_" + std::to_string(of.param);
});

} // namespace
} // namespace ccbt::support
