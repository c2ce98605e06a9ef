#include "base/temporary_folder_test.hpp"
#include "client/connection.hpp"
#include "client/local.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sys/wait.h>
#include <unistd.h>

namespace ccbt::client {
namespace {

namespace fs = std::filesystem;

struct local_files : ::testing::Test {
    void write(fs::path const& file, std::string_view content) const {
        fs::create_directories((home / file).parent_path());
        std::ofstream{home / file} << content;
    }
    local_daemon find(local_search search = {}) {
        environment["HOME"] = home.string();
        search.environment = [this](char const* name) {
            auto const at = environment.find(name);
            return at == environment.end() ? nullptr : at->second.c_str();
        };
        search.working_directory = home / "here";
        return find_local_daemon(search);
    }
    ccbt::temporary_folder root;
    fs::path const home = root.path();
    std::map<std::string, std::string> environment;
};

TEST_F(local_files, nothing_there_gives_the_defaults) {
    auto const found = find();
    EXPECT_EQ(found.how.url, "http://127.0.0.1:64124");
    EXPECT_EQ(found.how.api_key, "");
    EXPECT_EQ(found.state_dir, home / ".ccbt/daemon");
    EXPECT_EQ(found.pid, std::nullopt);
}

TEST_F(local_files, daemon_json_and_api_key_of_the_state_directory_are_used) {
    write(
        ".ccbt/daemon/daemon.json", R"({"url":"http://127.0.0.1:4711","pid":)" + std::to_string(::getpid()) +
                                        R"(,"version":"1","started_at":1.0})");
    write(".ccbt/daemon/api_key", "abcdef\n");
    auto const found = find();
    EXPECT_EQ(found.how.url, "http://127.0.0.1:4711");
    EXPECT_EQ(found.how.api_key, "abcdef");
    EXPECT_EQ(found.pid, ::getpid());
}

TEST_F(local_files, words_go_before_environment_before_files) {
    write("s/daemon.json", R"({"url":"http://127.0.0.1:1"})");
    write("s/api_key", "file");
    EXPECT_EQ(find({.state_dir = (home / "s").string()}).how.url, "http://127.0.0.1:1");
    environment["CCBT_STATE_DIR"] = (home / "s").string();
    EXPECT_EQ(find().how.api_key, "file");
    environment["CCBT_URL"] = "http://127.0.0.1:2";
    environment["CCBT_DAEMON_API_KEY"] = "environment";
    EXPECT_EQ(find().how.url, "http://127.0.0.1:2");
    EXPECT_EQ(find().how.api_key, "environment");
    auto const told = find({.url = "http://127.0.0.1:3", .api_key = "told"});
    EXPECT_EQ(told.how.url, "http://127.0.0.1:3");
    EXPECT_EQ(told.how.api_key, "told");
}

TEST_F(local_files, the_configuration_file_names_the_state_directory_and_the_key) {
    write(
        "c.toml", "[disk]\nstate_dir = \"wrong\"\n[daemon] # x\nstate_dir = \"~/other\" # here\n"
                  "api_key = 'from-config'\n");
    write("other/daemon.json", R"({"url":"http://127.0.0.1:5"})");
    auto const found = find({.config = (home / "c.toml").string()});
    EXPECT_EQ(found.state_dir, home / "other");
    EXPECT_EQ(found.how.url, "http://127.0.0.1:5");
    EXPECT_EQ(found.how.api_key, "from-config");
    write("here/ccbt.toml", "daemon.state_dir = \"" + (home / "third").string() + "\"\n");
    EXPECT_EQ(find().state_dir, home / "third");
}

TEST_F(local_files, the_key_of_this_machine_is_not_sent_to_another) {
    write(".ccbt/daemon/api_key", "abcdef");
    EXPECT_EQ(find({.url = "http://192.0.2.1:64124"}).how.api_key, "");
    EXPECT_EQ(find({.url = "http://127.0.0.1:9"}).how.api_key, "abcdef");
    EXPECT_EQ(find({.url = "http://127.evil.example:9"}).how.api_key, "");
}

TEST_F(local_files, the_key_does_not_go_to_a_port_that_a_daemon_had_before_it_was_killed) {
    auto const gone = ::fork();
    if (gone == 0) ::_exit(0);
    ::waitpid(gone, nullptr, 0);
    write(
        ".ccbt/daemon/daemon.json",
        R"({"url":"http://127.0.0.1:4711","pid":)" + std::to_string(gone) + R"(,"started_at":1.0})");
    write(".ccbt/daemon/api_key", "abcdef\n");
    EXPECT_EQ(find().how.api_key, "");
    EXPECT_EQ(find({.api_key = "told"}).how.api_key, "told");
}

TEST(url, parts_and_mistakes) {
    auto const plain = parse_url("http://localhost");
    EXPECT_EQ(plain->host_header(), "localhost:64124");
    auto const v6 = parse_url("http://[::1]:80/");
    EXPECT_EQ(v6->host, "::1");
    EXPECT_EQ(v6->host_header(), "[::1]:80");
    EXPECT_EQ(parse_url("http://h:1/proxy/api/v1/")->prefix, "/proxy");
    EXPECT_FALSE(plain->tls);
    EXPECT_TRUE(parse_url("HTTPS://h:1")->tls);
    auto const by_path = parse_url("unix:///run/a b/ccbtd.sock");
    EXPECT_EQ(by_path->unix_path, "/run/a b/ccbtd.sock");
    EXPECT_EQ(by_path->host_header(), "localhost");
    EXPECT_TRUE(by_path->is_loopback());
    for (auto const* wrong :
         {"", "localhost:1", "ftp://h", "unix://relative", "https://", "http://", "http://h:0",
          "http://h:65536", "http://h:x", "http://[::1", "http://u@h", "http://h/\r\nX: y", "http://h/?a"})
        EXPECT_FALSE(parse_url(wrong)) << wrong;
}

} // namespace
} // namespace ccbt::client
