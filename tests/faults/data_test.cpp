// What the daemon makes of data that is taken away, cut, or made unreadable while it has it in use.
#include "base/text.hpp"
#include "swarm/swarm.hpp"

#include <linux/capability.h>
#include <sched.h>
#include <set>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

[[nodiscard]] auto is_in(std::string state) {
    return [state = std::move(state)](value const& row) { return state_of(row) == state; };
}

/// What is started from here on is bound by modes of files though it is root.
void let_modes_bind() {
    ASSERT_EQ(::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE), 0);
    ASSERT_EQ(::prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH), 0);
}

struct fault {
    std::string name;
    std::string says; // the error of the torrent
    void (*strike)(fs::path const& file);
};

void replace_by_folder(fs::path const& file) {
    fs::remove(file);
    fs::create_directory(file);
}
void forbid(fs::path const& file) { fs::permissions(file, fs::perms::none); }
void cut(fs::path const& file) { fs::resize_file(file, 300'000); }
void take_away(fs::path const& file) { fs::remove(file); }

void repair(fs::path const& file, fs::path const& from) {
    if (fs::is_directory(file)) fs::remove(file);
    if (fs::exists(file)) fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    fs::copy_file(from, file, fs::copy_options::overwrite_existing);
}

TEST(
    data,
    of_seeds_that_is_damaged_is_an_error_of_those_torrents_alone_until_it_is_repaired_and_they_are_resumed) {
    if (::geteuid() == 0) let_modes_bind();
    std::vector<fault> const faults{
        {"deleted", "lost.bin is missing", take_away},
        {"cut", "lost.bin", cut},
        {"folder", "lost.bin", replace_by_folder},
        {"forbidden", "no permission to open forbidden/lost.bin", forbid}};
    swarm in;
    std::map<std::string, torrent> all;
    for (auto const& name : {"deleted", "cut", "folder", "forbidden", "healthy"}) {
        auto const seed = 100 + all.size();
        make_files(in.data(name), {{"kept.bin", 1 * mib}, {"lost.bin", 2 * mib}}, seed);
        make_files(in.root / "copy" / name, {{"kept.bin", 1 * mib}, {"lost.bin", 2 * mib}}, seed);
        all.emplace(name, in.torrent_of(in.data(name)));
    }
    daemon const seeder{in.seeder()};
    for (auto const& [name, what] : all) seeder.add(what);
    for (auto const& [name, what] : all) seeder.wait_until_seeding(what.hash());
    for (auto const& one : faults) one.strike(in.data(one.name) / "lost.bin");

    daemon const leecher{in.leecher()};
    for (auto const& [name, what] : all) leecher.add(what);
    for (auto const& one : faults) {
        auto const row = seeder.wait_for(all.at(one.name).hash(), is_in("error"));
        EXPECT_THAT(row.text_or("error", ""), HasSubstr(one.says)) << one.name;
    }
    leecher.wait_until_seeding(all.at("healthy").hash());
    EXPECT_EQ(state_of(seeder.row(all.at("healthy").hash())), "seeding");

    for (auto const& one : faults) {
        repair(in.data(one.name) / "lost.bin", in.root / "copy" / one.name / "lost.bin");
        ASSERT_EQ(seeder.post("/torrents/" + all.at(one.name).hash() + "/resume").status, 200);
    }
    for (auto const& one : faults) {
        EXPECT_EQ(seeder.wait_until_seeding(all.at(one.name).hash()).text_or("error", ""), "");
        leecher.wait_until_seeding(all.at(one.name).hash());
        EXPECT_EQ(digests_of(leecher.downloads() / one.name), digests_of(in.root / "copy" / one.name));
        EXPECT_EQ(leecher.row(all.at(one.name).hash()).number_or("downloaded", 1e18), 3.0 * mib)
            << one.name << ": nothing bad was sent, so that nothing came twice";
    }
}

TEST(data, of_a_download_that_is_taken_away_is_an_error_until_it_is_resumed_and_comes_again) {
    swarm in;
    std::map<std::string, torrent> all;
    for (auto const& name : {"deleted", "folder", "healthy"}) {
        make_files(in.data(name), {{"first.bin", 6 * mib}, {"second.bin", 10 * mib}}, 110 + all.size());
        all.emplace(name, in.torrent_of(in.data(name)));
    }
    daemon const seeder{in.seeder()};
    for (auto const& [name, what] : all) seeder.add(what);
    for (auto const& [name, what] : all) seeder.wait_until_seeding(what.hash());
    daemon const leecher{
        in.leecher({{"limits.per_torrent_down_kib", "4096"}, {"daemon.auto_save_interval", "2"}})};
    for (auto const& [name, what] : all) leecher.add(what);
    for (auto const& [name, what] : all) leecher.wait_for(what.hash(), has_progress(0.2));
    take_away(leecher.downloads() / "deleted" / "first.bin");
    replace_by_folder(leecher.downloads() / "folder" / "first.bin");
    for (auto const& name : {"deleted", "folder"}) {
        auto const row = leecher.wait_for(all.at(name).hash(), is_in("error"));
        EXPECT_THAT(row.text_or("error", ""), HasSubstr("first.bin")) << name;
    }
    leecher.wait_until_seeding(all.at("healthy").hash());
    fs::remove(leecher.downloads() / "folder" / "first.bin");
    for (auto const& name : {"deleted", "folder"})
        ASSERT_EQ(leecher.post("/torrents/" + all.at(name).hash() + "/resume").status, 200);
    for (auto const& name : {"deleted", "folder"}) {
        leecher.wait_until_seeding(all.at(name).hash());
        EXPECT_EQ(digests_of(leecher.downloads() / name), digests_of(in.data(name)));
    }
}

/// A mount namespace of this test's own, and of what it starts; false where the system forbids one.
bool enter_own_mounts() {
    return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

std::set<std::string> names_below(fs::path const& folder) {
    std::set<std::string> out;
    for (auto const& one : fs::recursive_directory_iterator{folder})
        out.insert(one.path().lexically_relative(folder).string());
    return out;
}

TEST(data, on_a_drive_that_is_unmounted_waits_for_it_and_nothing_is_written_below_its_mount_point) {
    if (!enter_own_mounts()) GTEST_SKIP() << "no mount namespace can be made here";
    swarm in;
    auto const away = in.root / "drive";
    for (auto const& name : {"here", "there", "half"})
        make_files(
            in.data(name), {{"a.bin", 3 * mib}, {"b.bin", 3 * mib}, {"c.bin", 18 * mib}},
            120 + std::string_view{name}.size());
    auto const here = in.torrent_of(in.data("here"));
    auto const there = in.torrent_of(in.data("there"));
    auto const half = in.torrent_of(in.data("half"));
    daemon const seeder{in.seeder({{"limits.per_torrent_up_kib", "8192"}})};
    for (auto const* const one : {&here, &there, &half}) {
        seeder.add(*one);
        seeder.wait_until_seeding(one->hash());
    }

    fs::create_directories(away);
    ASSERT_EQ(::mount("tmpfs", away.c_str(), "tmpfs", 0, "size=256m"), 0);
    auto const drive = in.root / "same-drive"; // what the drive holds, wherever it is mounted
    fs::create_directories(drive);
    ASSERT_EQ(::mount(away.c_str(), drive.c_str(), nullptr, MS_BIND, nullptr), 0);
    daemon leecher{in.leecher(
        {{"disk.allowed_paths", "[\"" + away.string() + "\"]"},
         {"queue.auto_manage_queue", "true"},
         {"queue.max_active_seeding", "5"}})};
    auto const add_there = [&](torrent const& what) {
        auto const base64 = text::to_base64(std::vector<std::uint8_t>(what.bytes.begin(), what.bytes.end()));
        ASSERT_EQ(
            leecher
                .post(
                    "/torrents/add",
                    R"({"torrent_data":")" + base64 + R"(","output_dir":")" + away.string() + "\"}")
                .status,
            200);
    };
    add_there(there);
    leecher.wait_until_seeding(there.hash());
    leecher.add(here);
    add_there(half);
    leecher.wait_for(half.hash(), has_progress(0.2));

    auto const mount_again = [&] {
        auto told = leecher.events({"storage_online"});
        ASSERT_EQ(::mount(drive.c_str(), away.c_str(), nullptr, MS_BIND, nullptr), 0);
        told.wait_for(
            "storage_online", [&](value const& data) { return data.text_or("path", "") == away.string(); });
    };
    auto told = leecher.events({"storage_offline"});
    ASSERT_EQ(::umount2(away.c_str(), MNT_DETACH), 0);
    told.wait_for(
        "storage_offline", [&](value const& data) { return data.text_or("path", "") == away.string(); });
    for (auto const* const one : {&there, &half}) {
        auto const row = leecher.wait_for(one->hash(), is_in("error"));
        EXPECT_THAT(row.text_or("error", ""), HasSubstr("is the drive mounted?"));
    }
    leecher.wait_until_seeding(here.hash()); // others go on, for seconds
    EXPECT_EQ(names_below(away), std::set<std::string>{});
    EXPECT_EQ(leecher.get("/torrents").json.list_or_empty("torrents").size(), 3U);

    mount_again();
    leecher.wait_until_seeding(there.hash());
    auto const before = progress_of(leecher.row(half.hash()));
    leecher.wait_for(half.hash(), [&](value const& row) {
        return state_of(row) == "downloading" && progress_of(row) > before;
    });

    ASSERT_EQ(::umount2(away.c_str(), MNT_DETACH), 0);
    leecher.kill9(); // rows stay, and a start without the drive is no other
    leecher.start();
    EXPECT_EQ(state_of(leecher.row(half.hash())), "error");
    EXPECT_EQ(names_below(away), std::set<std::string>{});

    mount_again();
    leecher.wait_until_seeding(there.hash());
    leecher.wait_until_seeding(half.hash());
    EXPECT_EQ(digests_of(away / "half"), digests_of(in.data("half")));
    EXPECT_EQ(leecher.row(there.hash()).number_or("downloaded", 1e18), 24.0 * mib) << "none of it came again";
    ASSERT_EQ(leecher.terminate(), 0);
    ASSERT_EQ(::umount2(away.c_str(), MNT_DETACH), 0);
    ASSERT_EQ(::umount2(drive.c_str(), MNT_DETACH), 0);
}

} // namespace

} // namespace ccbt::support
