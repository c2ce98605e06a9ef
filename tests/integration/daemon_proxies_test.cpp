// X-Forwarded-For is nobody's word but a configured proxy's, and then it says whose wrong keys are counted.
#include "daemon_door.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace ccbt::support {

namespace {

struct daemon_proxies : testing::Test {
    temp_folder root{};
    daemon one{
        {.folder = root / "one",
         .interface = "127.0.0.6",
         .settings = {{"daemon.trusted_proxies", R"(["127.8.0.1"])"}, {"limits.failed_keys", "1"}}}};

    // A wrong key through `from`, which says that it comes from another.
    [[nodiscard]] int wrong(std::string const& from, std::string const& forwarded) {
        http_connection line{"127.0.0.1", one.port(), from};
        return line
            .ask(
                "GET", "/api/v1/status",
                {{"Host", "127.0.0.1:" + std::to_string(one.port())},
                 {"X-CCBT-API-Key", "wrong"},
                 {"X-Forwarded-For", forwarded}})
            .status;
    }
};

TEST_F(daemon_proxies, one_that_is_listed_tells_whose_guesses_they_are) {
    EXPECT_EQ(wrong("127.8.0.1", "198.51.100.1"), 401);
    EXPECT_EQ(wrong("127.8.0.1", "198.51.100.1"), 429);
    EXPECT_EQ(wrong("127.8.0.1", "198.51.100.2"), 401) << "another's first";
    EXPECT_EQ(wrong("127.8.0.1", "198.51.100.3, 198.51.100.2"), 429) << "the first is the client's own word";
    EXPECT_EQ(wrong("127.8.0.1", "198.51.100.2, 127.8.0.1"), 429) << "a chain of ours";
}

TEST_F(daemon_proxies, one_that_is_not_listed_is_the_source_itself_whatever_it_says) {
    EXPECT_EQ(wrong("127.8.0.2", "198.51.100.9"), 401);
    EXPECT_EQ(wrong("127.8.0.2", "198.51.100.10"), 429);
    EXPECT_EQ(wrong("127.8.0.1", "198.51.100.9"), 401) << "and it counted for nobody else";
}

// In a network of the test's own, where an address that is not loopback is this machine's all the same.
struct daemon_sources : testing::Test {
    temp_folder root{};
    [[nodiscard]] std::string third_of_three(std::map<std::string, std::string> settings) const {
        settings["daemon.ipc_host"] = "\"10.9.9.1\"";
        settings["daemon.allow_insecure_bind"] = "true";
        settings["limits.connections_per_source"] = "2";
        door_daemon one{
            {.folder = root / "one", .interface = "127.0.0.8", .settings = std::move(settings)},
            {"unshare", "--net", "sh", "-c",
             "ip link set lo up && ip addr add 10.9.9.1/32 dev lo && exec \"$@\"", "sh"}};
        return run({"nsenter", "--net=/proc/" + std::to_string(one.running().pid()) + "/ns/net", "python3",
                    "-c",
                    "import socket, sys\n"
                    "host = ('10.9.9.1', int(sys.argv[1])); held = []\n"
                    "for i in range(3):\n"
                    "    s = socket.create_connection(host, 10, ('10.9.9.1', 0)); held.append(s)\n"
                    "    s.sendall(b'GET /health HTTP/1.1\\r\\nHost: 10.9.9.1:%d\\r\\n\\r\\n' % host[1])\n"
                    "    said = s.recv(4096)\n"
                    "print(said.decode())\n",
                    one.port()},
                   milliseconds{30'000})
            .out;
    }
};

TEST_F(daemon_sources, one_connection_too_many_of_an_address_beyond_loopback_is_503) {
    if (::geteuid() != 0) GTEST_SKIP() << "a network of its own needs root";
    auto const said = third_of_three({});
    EXPECT_THAT(said, testing::StartsWith("HTTP/1.1 503"));
    EXPECT_THAT(said, testing::HasSubstr("TOO_MANY_CONNECTIONS"));
}

TEST_F(daemon_sources, a_trusted_proxy_brings_many_and_is_not_counted) {
    if (::geteuid() != 0) GTEST_SKIP() << "a network of its own needs root";
    EXPECT_THAT(
        third_of_three({{"daemon.trusted_proxies", R"(["10.9.9.1"])"}}), testing::StartsWith("HTTP/1.1 200"));
}

} // namespace

} // namespace ccbt::support
