// Disks that are full, read-only or failing under a running daemon: the contract's errors, an unchanged state, reads
// that go on, and what it takes until changes succeed again.
#include "faults/small_disk.hpp"
#include "support/slow_disk.hpp"
#include "swarm/swarm.hpp"

#include <csignal>
#include <fmt/core.h>

namespace ccbt::support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct request {
    std::string method, path, body;
};
std::string name_of(request const& r) { return r.method + ' ' + r.path + ' ' + r.body; }

std::string magnet(int n) { return fmt::format("magnet:?xt=urn:btih:{:040x}&dn=number-{}", n, n); }
std::string hash(int n) { return fmt::format("{:040x}", n); }
std::string const wide = "203.0.113.7";

struct bad_disk : testing::Test {
    temp_folder root{};
    std::unique_ptr<small_disk> disk;
    std::unique_ptr<daemon> house;
    torrent what;

    void begin() {
        disk = std::make_unique<small_disk>(root / "house" / "state", 8);
        house = std::make_unique<daemon>(daemon_plan{.folder = root / "house"});
        make_files(root / "data" / "set", {{"a", 70'000}, {"b", 70'000}}, 5);
        what = make_torrent(root / "data" / "set", {});
        house->add(what, true);
        for (int n = 1; n < 4; ++n) house->add_magnet(magnet(n));
        ASSERT_EQ(
            house->post("/security/blacklist", R"({"ip":"198.51.100.1","reason":"noise"})").status, 200);
        ASSERT_EQ(house->post("/security/whitelist", R"({"ip":"198.51.100.2"})").status, 200);
        ASSERT_EQ(house->post("/keys", R"({"name":"phone","scopes":["read"]})").status, 200);
    }
    /// One of each family of routes that change what is kept.
    [[nodiscard]] std::vector<request> changes() const {
        auto const t = "/torrents/" + what.hash();
        return {
            {"POST", "/torrents/add", R"({"path_or_magnet":")" + magnet(9) + "\"}"},
            {"POST", "/torrents/batch/add", R"({"torrents":[{"path_or_magnet":")" + magnet(9) + "\"}]}"},
            {"POST", "/torrents/batch/pause", R"({"info_hashes":[")" + hash(1) + "\"]}"},
            {"POST", "/torrents/" + hash(1) + "/pause", ""},
            {"POST", t + "/resume", ""},
            {"DELETE", "/torrents/" + hash(2), ""},
            {"POST", t + "/rate-limits", R"({"download_kib":5,"upload_kib":6})"},
            {"POST", t + "/files/deselect", R"({"file_indices":[0]})"},
            {"POST", t + "/files/priority", R"({"file_index":0,"priority":"high"})"},
            {"POST", "/queue/add", R"({"info_hash":")" + hash(1) + R"(","priority":"high"})"},
            {"POST", "/queue/" + hash(3) + "/move", R"({"new_position":0})"},
            {"DELETE", "/queue/" + hash(1), ""},
            {"POST", "/queue/clear", ""},
            {"POST", "/security/blacklist", R"({"ip":")" + wide + "\"}"},
            {"POST", "/security/whitelist", R"({"ip":")" + wide + "\"}"},
            {"DELETE", "/security/blacklist/198.51.100.1", ""},
            {"DELETE", "/security/whitelist/198.51.100.2", ""},
            {"PUT", "/config", R"({"limits":{"global_down_kib":77}})"},
            {"POST", "/keys", R"({"name":"second","scopes":["read"]})"},
            {"DELETE", "/keys/phone", ""},
            {"POST", "/torrents/batch/remove", R"({"info_hashes":[")" + hash(3) + "\"]}"}};
    }
    /// What it answers of all that is kept; without what moves by itself.
    [[nodiscard]] std::string told() const {
        std::string out;
        for (auto const* const path :
             {"/queue", "/config", "/security/blacklist", "/security/whitelist", "/keys"}) {
            auto const said = house->get(path);
            EXPECT_EQ(said.status, 200) << path << said.body;
            out += said.body + '\n';
        }
        auto const rows = house->get("/torrents?fields=info_hash,name,labels,output_dir");
        EXPECT_EQ(rows.status, 200) << rows.body;
        auto const list = rows.body.find("\"torrents\"");
        out += rows.body.substr(list == std::string::npos ? 0 : list);
        auto const files = house->get("/torrents/" + what.hash() + "/files");
        EXPECT_EQ(files.status, 200);
        out += files.body;
        for (auto const& h : {what.hash(), hash(1), hash(2), hash(3)})
            out += '\n' + state_of(house->row(h)).substr(0, 6);
        return out;
    }
    void each_is(int status, std::string const& code) const {
        for (auto const& one : changes()) {
            auto const said = house->call(one.method, one.path, one.body);
            EXPECT_EQ(said.status, status) << name_of(one) << said.body;
            EXPECT_EQ(said.code(), code) << name_of(one);
        }
    }
    [[nodiscard]] int health() const { return house->get("/health").status; }
    [[nodiscard]] fs::path log_file() const { return house->state() / "ccbt.db-wal"; }
};

TEST_F(bad_disk, a_full_state_disk_is_507_for_every_change_and_the_next_one_succeeds_when_there_is_space) {
    CCBT_NEEDS_OWN_MOUNTS;
    begin();
    auto const before = told();
    disk->fill();
    each_is(507, "STATE_STORAGE_FULL");
    auto const exported = house->post("/torrents/export-state");
    EXPECT_EQ(exported.status, 507) << exported.body;
    EXPECT_EQ(exported.code(), "EXPORT_ERROR");
    EXPECT_EQ(told(), before);
    EXPECT_EQ(health(), 200) << "nothing is broken";

    disk->make_room();
    EXPECT_EQ(told(), before);
    for (auto const& one : changes()) {
        if (one.path == "/torrents/batch/add" || one.path == "/queue/clear")
            continue; // it is there; others need it
        auto const said = house->call(one.method, one.path, one.body);
        EXPECT_EQ(said.status, 200) << name_of(one) << said.body;
    }
    EXPECT_EQ(house->post("/torrents/export-state").status, 200);

    house->kill9();
    house->start();
    EXPECT_EQ(house->get("/torrents/" + hash(9)).status, 200);
    for (auto const gone : {2, 3}) EXPECT_EQ(house->get("/torrents/" + hash(gone)).status, 404);
    EXPECT_THAT(house->get("/config").body, HasSubstr("\"global_down_kib\":77"));
    EXPECT_THAT(
        house->get("/keys").body, testing::AllOf(HasSubstr("second"), testing::Not(HasSubstr("phone"))));
    EXPECT_THAT(house->get("/security/blacklist").body, HasSubstr(wide));
}

TEST_F(bad_disk, a_daemon_that_ends_on_a_full_disk_loses_nothing) {
    CCBT_NEEDS_OWN_MOUNTS;
    begin();
    disk->fill();
    EXPECT_EQ(house->post("/torrents/" + hash(1) + "/pause").status, 507);
    EXPECT_EQ(house->terminate(), 0);
    disk->make_room();
    house->start();
    for (auto const& h : {what.hash(), hash(1), hash(2), hash(3)})
        EXPECT_EQ(house->get("/torrents/" + h).status, 200);
    EXPECT_THAT(house->get("/security/blacklist").body, HasSubstr("198.51.100.1"));
}

TEST_F(bad_disk, after_a_failed_fsync_it_is_503_and_degraded_until_a_restart) {
    CCBT_NEEDS_OWN_MOUNTS;
    begin();
    auto const before = told();
    EXPECT_EQ(health(), 200);
    {
        failing_calls broken{house->running().pid(), log_file(), "fsync,fdatasync", "EIO"};
        each_is(503, "STATE_IO_ERROR");
        EXPECT_EQ(health(), 503);
        EXPECT_EQ(house->get("/health").body, R"({"status":"degraded"})");
        EXPECT_EQ(told(), before);
        broken.end();
    }
    each_is(503, "STATE_IO_ERROR"); // the disk answers again; what it lost it does not say
    EXPECT_EQ(health(), 503);
    EXPECT_EQ(told(), before) << "reads go on";
    EXPECT_THAT(house->log(), HasSubstr("it takes no changes until a restart"));
    EXPECT_EQ(house->terminate(), 0);
    house->start();
    EXPECT_EQ(health(), 200);
    EXPECT_EQ(house->post("/torrents/" + hash(2) + "/pause").status, 200);
}

TEST_F(bad_disk, a_disk_that_turns_read_only_is_503_until_a_restart_and_a_start_on_it_ends_with_73) {
    CCBT_NEEDS_OWN_MOUNTS;
    begin();
    auto const before = told();
    {
        failing_calls broken{house->running().pid(), log_file(), "pwrite64,ftruncate", "EROFS"};
        each_is(503, "STATE_IO_ERROR");
        EXPECT_EQ(health(), 503);
        EXPECT_EQ(told(), before);
        broken.end();
    }
    EXPECT_EQ(house->post("/torrents/" + hash(2) + "/pause").status, 503)
        << "mounted rw again: not without a restart";
    EXPECT_EQ(house->terminate(), 0);

    ASSERT_TRUE(disk->read_only(true));
    auto const refused =
        run({program("ccbtd"), "--config", house->config_file().string()}, milliseconds{20'000},
            {"HOME=" + root.path().string()});
    EXPECT_EQ(refused.code, 73) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("state"));
    ASSERT_TRUE(disk->read_only(false));
    house->start();
    EXPECT_EQ(told(), before);
    EXPECT_EQ(house->post("/torrents/" + hash(2) + "/pause").status, 200);
}

TEST_F(bad_disk, a_start_on_a_full_disk_ends_with_73_and_changes_nothing) {
    CCBT_NEEDS_OWN_MOUNTS;
    begin();
    house->kill9();
    disk->fill();
    auto const file = read_file(house->state() / "ccbt.db"), log = read_file(log_file());
    auto const refused =
        run({program("ccbtd"), "--config", house->config_file().string()}, milliseconds{20'000},
            {"HOME=" + root.path().string()});
    EXPECT_EQ(refused.code, 73) << refused.err;
    EXPECT_EQ(read_file(house->state() / "ccbt.db"), file);
    EXPECT_EQ(read_file(log_file()).substr(0, log.size()), log);
    disk->make_room();
    house->start();
    EXPECT_EQ(house->get("/torrents/" + hash(3)).status, 200);
}

TEST_F(bad_disk, a_log_that_cannot_be_written_harms_nothing) {
    auto const full = "exec \"$0\" \"$@\" 2>/dev/full";
    fs::create_directories(root / "quiet" / "downloads");
    write_file(root / "quiet" / "ccbt.toml", configuration({.folder = root / "quiet"}));
    process loud{
        {.argv =
             {"/bin/sh", "-c", full, program("ccbtd"), "--config", (root / "quiet" / "ccbt.toml").string()},
         .env = {"HOME=" + root.path().string()}}};
    auto const line = loud.next_line(milliseconds{30'000});
    ASSERT_TRUE(line && line->starts_with("ready ")) << line.value_or("nothing");
    auto const port = static_cast<std::uint16_t>(std::stoi(line->substr(line->rfind(':') + 1)));
    http_connection ask{"127.0.0.1", port};
    EXPECT_EQ(ask.ask("GET", "/health", {{"Host", "127.0.0.1:" + std::to_string(port)}}).status, 200);
    loud.signal(SIGTERM);
    EXPECT_EQ(loud.wait(milliseconds{20'000}), 0);
}

TEST(full_payload_disk, is_an_error_of_its_torrent_alone_and_resume_goes_on_when_there_is_space) {
    CCBT_NEEDS_OWN_MOUNTS;
    swarm in;
    make_file(in.data("large.bin"), 6 * mib, 41);
    make_file(in.data("small.bin"), mib / 4, 42);
    auto const large = in.torrent_of(in.data("large.bin")), small = in.torrent_of(in.data("small.bin"));
    daemon const seeder{in.seeder()};
    seeder.add(large);
    seeder.add(small);
    seeder.wait_until_seeding(large.hash());

    auto plan = in.leecher();
    small_disk const payload{plan.folder / "downloads", 10};
    auto const other = plan.folder / "other";
    fs::create_directories(other);
    plan.settings["disk.allowed_paths"] =
        fmt::format(R"(["{}", "{}"])", (plan.folder / "downloads").string(), other.string());
    daemon const leecher{plan};
    write_file(plan.folder / "downloads" / "ballast", std::string(6 * mib, 'b'));
    leecher.add(large);
    auto const failed =
        leecher.wait_for(large.hash(), [](value const& row) { return state_of(row) == "error"; });
    EXPECT_THAT(failed.text_or("error", ""), HasSubstr("no space left on the disk"));
    EXPECT_EQ(leecher.get("/health").status, 200);

    auto const said = leecher.post(
        "/torrents/add",
        fmt::format(R"({{"path_or_magnet":"{}","output_dir":"{}"}})", small.magnet(), other.string()));
    ASSERT_EQ(said.status, 200) << said.body;
    leecher.wait_until_seeding(small.hash());
    EXPECT_EQ(state_of(leecher.row(large.hash())), "error");

    fs::remove(plan.folder / "downloads" / "ballast");
    ASSERT_EQ(leecher.post("/torrents/" + large.hash() + "/resume").status, 200);
    leecher.wait_until_seeding(large.hash());
    EXPECT_EQ(sha256_of(plan.folder / "downloads" / "large.bin"), sha256_of(in.data("large.bin")));
}

// libtorrent has many writes under way at once: those that failed before there was space may say so after it.
TEST(full_payload_disk, is_no_error_again_for_writes_that_failed_before_the_resume) {
    CCBT_NEEDS_OWN_MOUNTS;
    swarm in;
    make_file(in.data("large.bin"), 6 * mib, 41);
    auto const large = in.torrent_of(in.data("large.bin"));
    daemon const seeder{in.seeder()};
    seeder.add(large);
    seeder.wait_until_seeding(large.hash());

    auto plan = in.leecher();
    small_disk const payload{plan.folder / "downloads", 10};
    slow_disk const slow{plan, milliseconds{400}, "downloads", slow_disk::what::failures};
    slow.begin();
    daemon const leecher{plan};
    write_file(plan.folder / "downloads" / "ballast", std::string(6 * mib, 'b'));
    leecher.add(large);
    leecher.wait_for(large.hash(), [](value const& row) { return state_of(row) == "error"; });
    fs::remove(plan.folder / "downloads" / "ballast");
    ASSERT_EQ(leecher.post("/torrents/" + large.hash() + "/resume").status, 200);
    leecher.wait_until_seeding(large.hash());
    EXPECT_EQ(sha256_of(plan.folder / "downloads" / "large.bin"), sha256_of(in.data("large.bin")));
}

// The kernel says so once: the next sync of these files would tell that all is well.
TEST(failing_payload_disk, is_an_error_of_its_torrent_which_is_hashed_before_it_claims_anything) {
    swarm in;
    make_file(in.data("large.bin"), 2 * mib, 43);
    make_file(in.data("small.bin"), mib / 4, 44);
    auto const large = in.torrent_of(in.data("large.bin")), small = in.torrent_of(in.data("small.bin"));
    daemon const seeder{in.seeder()};
    seeder.add(large);
    seeder.add(small);
    seeder.wait_until_seeding(large.hash());
    auto const plan = in.leecher();
    daemon leecher{plan};
    auto const file = plan.folder / "downloads" / "large.bin";
    {
        failing_calls broken{leecher.running().pid(), file, "fsync,fdatasync", "EIO"};
        leecher.add(large);
        auto const failed =
            leecher.wait_for(large.hash(), [](value const& row) { return state_of(row) == "error"; });
        EXPECT_THAT(failed.text_or("error", ""), HasSubstr("Input/output error"));
        leecher.add(small);
        leecher.wait_until_seeding(small.hash());
        broken.end();
    }
    make_file(file, 2 * mib, 45); // what the disk has is something else
    ASSERT_EQ(leecher.post("/torrents/" + large.hash() + "/resume").status, 200);
    leecher.wait_until_seeding(large.hash());
    EXPECT_EQ(sha256_of(file), sha256_of(in.data("large.bin")));
}

} // namespace
} // namespace ccbt::support
