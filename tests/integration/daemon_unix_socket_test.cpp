// The Unix socket: whose it is, who needs no key there, and what becomes of its file.
#include "daemon_door.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

std::string const status_path = "http://localhost/api/v1/status";

struct daemon_unix_socket : testing::Test {
    temp_folder root{};
    [[nodiscard]] daemon_plan plan() const { return {.folder = root / "one", .interface = "127.0.0.3"}; }
    [[nodiscard]] std::string cli(door_daemon const& one, std::vector<std::string> words) const {
        words.insert(words.begin(), {program("ccbt"), "--state-dir", one.state().string()});
        auto const ran = run(std::move(words), milliseconds{20'000}, {"HOME=" + root.path().string()});
        return ran.code == 0 ? ran.out : "exit " + std::to_string(ran.code) + ' ' + ran.err;
    }
};

TEST_F(daemon_unix_socket, its_own_user_needs_no_key_and_a_wrong_one_is_still_wrong) {
    door_daemon one{plan()};
    EXPECT_EQ(one.told().text_or("unix_socket", ""), one.socket());
    struct stat is {};
    ASSERT_EQ(::lstat(one.socket().c_str(), &is), 0);
    EXPECT_TRUE(S_ISSOCK(is.st_mode));
    EXPECT_EQ(is.st_mode & 07777U, 0600U);

    auto const said = curl({"--unix-socket", one.socket(), status_path});
    EXPECT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(curl({"--unix-socket", one.socket(), "http://localhost/api/v1/keys"}).status, 200) << "admin";
    auto const wrong = curl({"--unix-socket", one.socket(), "-H", "X-CCBT-API-Key: no", status_path});
    EXPECT_EQ(wrong.status, 401);
    EXPECT_THAT(wrong.body, HasSubstr(R"("code":"AUTH_REQUIRED")"));
    EXPECT_EQ(curl({one.url + "/api/v1/status"}).status, 401) << "a TCP peer has no user";
}

TEST_F(daemon_unix_socket, a_key_of_fewer_scopes_is_what_it_is_there_too) {
    door_daemon one{plan()};
    auto const made = curl(
        {"--unix-socket", one.socket(), "-H", "Content-Type: application/json", "-d",
         R"({"name":"reader","scopes":["read"]})", "http://localhost/api/v1/keys"});
    ASSERT_EQ(made.status, 200) << made.body;
    auto const json = wire::parse(made.body);
    auto const header = "X-CCBT-API-Key: " + std::string{json->text_or("secret", "")};
    EXPECT_EQ(curl({"--unix-socket", one.socket(), "-H", header, status_path}).status, 200);
    auto const refused =
        curl({"--unix-socket", one.socket(), "-H", header, "-X", "POST", "http://localhost/api/v1/shutdown"});
    EXPECT_EQ(refused.status, 403);
    EXPECT_THAT(refused.body, HasSubstr("FORBIDDEN_SCOPE"));
}

TEST_F(daemon_unix_socket, who_comes_through_a_proxy_or_from_a_page_is_not_its_user) {
    door_daemon one{plan()};
    for (auto const* header : {"X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4", "X-Real-IP: 1.2.3.4"}) {
        auto const said = curl({"--unix-socket", one.socket(), "-H", header, status_path});
        EXPECT_EQ(said.status, 401) << header;
    }
    auto const rebound = curl({"--unix-socket", one.socket(), "http://evil.example/api/v1/status"});
    EXPECT_EQ(rebound.status, 421);
    EXPECT_THAT(rebound.body, HasSubstr("HOST_NOT_ALLOWED"));
    auto const page = curl({"--unix-socket", one.socket(), "-H", "Origin: http://evil.example", status_path});
    EXPECT_EQ(page.status, 403);
    EXPECT_THAT(page.body, HasSubstr("ORIGIN_NOT_ALLOWED"));
}

TEST_F(daemon_unix_socket, another_user_cannot_connect_and_where_he_is_let_in_he_needs_a_key) {
    if (::geteuid() != 0) GTEST_SKIP() << "takes another user's part only as root";
    auto with = plan();
    auto const place = root / "open";
    fs::create_directories(place);
    for (auto at = place; at != at.parent_path() && at != "/tmp"; at = at.parent_path())
        fs::permissions(at, fs::perms{0755});
    auto const path = (place / "s").string();
    with.settings["daemon.unix_socket"] = '"' + path + '"';
    door_daemon one{with};
    std::vector<std::string> const as_nobody{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    EXPECT_EQ(curl({"--unix-socket", path, status_path}, as_nobody).status, 0) << "0600";
    fs::permissions(path, fs::perms{0666});
    auto const refused = curl({"--unix-socket", path, status_path}, as_nobody);
    EXPECT_EQ(refused.status, 401) << refused.body << refused.err;
    EXPECT_EQ(
        curl({"--unix-socket", path, "-H", "X-CCBT-API-Key: " + one.key, status_path}, as_nobody).status,
        200);
    EXPECT_EQ(curl({"--unix-socket", path, status_path}).status, 200);
}

TEST_F(daemon_unix_socket, the_command_line_prefers_it_and_needs_no_key_file) {
    door_daemon one{plan()};
    fs::rename(one.state() / "api_key", root / "elsewhere");
    EXPECT_THAT(cli(one, {"--json", "status"}), HasSubstr(R"("status":"running")"));
    EXPECT_THAT(cli(one, {"daemon", "status"}), HasSubstr(one.url)) << "shown as others reach it";
    EXPECT_THAT(cli(one, {"--url", "unix://" + one.socket(), "--json", "status"}), HasSubstr("running"));
    EXPECT_THAT(cli(one, {"--url", one.url, "--json", "status"}), StartsWith("exit 4")) << "no key";
    EXPECT_THAT(cli(one, {"daemon", "stop"}), HasSubstr("stopped"));
    EXPECT_EQ(one.running().wait(milliseconds{10'000}), 0);
    EXPECT_FALSE(fs::exists(one.socket()));
}

TEST_F(daemon_unix_socket, what_a_killed_daemon_left_is_replaced_and_what_is_another_s_is_left_alone) {
    door_daemon one{plan()};
    one.running().kill9();
    EXPECT_TRUE(fs::exists(one.socket()));
    one.start();
    EXPECT_EQ(curl({"--unix-socket", one.socket(), status_path}).status, 200);

    auto two = plan();
    two.folder = root / "two";
    two.settings["daemon.unix_socket"] = '"' + one.socket() + '"';
    try {
        door_daemon const thief{two};
        FAIL() << "two daemons at one socket";
    } catch (std::runtime_error const& why) {
        EXPECT_THAT(why.what(), HasSubstr("exit 78"));
        EXPECT_THAT(why.what(), HasSubstr("daemon.unix_socket"));
    }
    EXPECT_EQ(curl({"--unix-socket", one.socket(), status_path}).status, 200);

    write_file(root / "file", "precious");
    two.settings["daemon.unix_socket"] = '"' + (root / "file").string() + '"';
    EXPECT_THROW((door_daemon{two}), std::runtime_error);
    EXPECT_EQ(read_file(root / "file"), "precious");
    EXPECT_EQ(one.terminate(), 0);
    EXPECT_FALSE(fs::exists(one.socket()));
}

TEST_F(
    daemon_unix_socket, a_path_that_no_socket_can_have_is_78_where_it_was_asked_for_and_a_warning_where_not) {
    auto with = plan();
    with.settings["daemon.unix_socket"] = "\"/tmp/" + std::string(110, 'x') + '"';
    try {
        door_daemon const one{with};
        FAIL() << "a path of 115 bytes";
    } catch (std::runtime_error const& why) {
        EXPECT_THAT(why.what(), HasSubstr("exit 78"));
        EXPECT_THAT(why.what(), HasSubstr("daemon.unix_socket"));
        EXPECT_THAT(why.what(), HasSubstr("107 bytes"));
    }
    with.settings.erase("daemon.unix_socket");
    with.settings["daemon.state_dir"] = '"' + (root / std::string(110, 'd')).string() + '"';
    door_daemon deep{with};
    EXPECT_THAT(deep.log(), HasSubstr("the path has over 107 bytes"));

    auto without = plan();
    without.folder = root / "none";
    without.settings["daemon.unix_socket"] = "\"none\"";
    door_daemon none{without};
    EXPECT_FALSE(fs::exists(none.socket()));
    EXPECT_EQ(none.told().text_or("unix_socket", "-"), "-");
}

} // namespace

} // namespace ccbt::support
