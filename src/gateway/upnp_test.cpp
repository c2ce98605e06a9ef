#include "gateway/upnp.hpp"

#include "gateway/test_support.hpp"

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <fmt/core.h>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace ccbt::gateway {

namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view ip_service = "urn:schemas-upnp-org:service:WANIPConnection:1";

std::string description(
    std::string_view control, std::string_view type = ip_service, std::string_view base = "") {
    return fmt::format(
        "<?xml version=\"1.0\"?><root>{}<device><serviceList><service><serviceType>{}</serviceType>"
        "<controlURL>{}</controlURL><eventSubURL>/e</eventSubURL><SCPDURL>/s</SCPDURL></service></serviceList>"
        "</device></root>",
        base.empty() ? "" : fmt::format("<URLBase>{}</URLBase>", base), type, control);
}

std::string ok(std::string_view body) {
    return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}
std::string soap(std::string_view action, std::string_view inner) {
    return ok(fmt::format(
        "<s:Envelope xmlns:s=\"x\"><s:Body><u:{0}Response xmlns:u=\"y\">{1}</u:{0}Response></s:Body></s:Envelope>",
        action, inner));
}
std::string soap_error(int code) {
    auto const body = fmt::format(
        "<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>{}</errorCode></UPnPError></detail>"
        "</s:Fault></s:Body></s:Envelope>",
        code);
    return fmt::format(
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

// A device at 127.0.0.1 that answers the search and, over HTTP, whatever the test says; one thread, until it is gone.
class device {
public:
    using answering = std::function<void(int socket, std::string const& request)>;
    explicit device(answering how) : how_{std::move(how)} {
        udp_at = bound(udp_.get(), "127.0.0.1");
        tcp_at = bound(tcp_.get(), "0.0.0.0"); // all of loopback, to notice who goes elsewhere
        ::listen(tcp_.get(), 16);
        location = fmt::format("http://127.0.0.1:{}/desc.xml", ntohs(tcp_at.sin_port));
        thread_ = std::jthread{[this](std::stop_token const& stop) { serve(stop); }};
    }
    ~device() {
        thread_.request_stop();
        thread_.join();
    }
    /// Answers with texts: the description to a GET, and to an action what stands for its name.
    static answering with(std::string describe, std::map<std::string, std::string> actions) {
        return [describe = std::move(describe),
                actions = std::move(actions)](int socket, std::string const& request) {
            auto text = describe;
            if (request.starts_with("POST"))
                for (auto const& [name, said] : actions)
                    if (request.find('#' + name + '"') != std::string::npos) text = said;
            say(socket, text);
        };
    }
    static bool say(int socket, std::string_view text) {
        return ::send(socket, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
    }
    [[nodiscard]] upnp_options options() const { return {.search_at = udp_at, .search_within = 100ms}; }
    [[nodiscard]] std::vector<std::string> requests() {
        auto const held = std::lock_guard{lock_};
        return requests_;
    }
    void locate_at(std::string url) {
        auto const held = std::lock_guard{lock_};
        location = std::move(url);
    }

    sockaddr_in udp_at{}, tcp_at{};
    std::string location;

private:
    void serve(std::stop_token const& stop) {
        while (!stop.stop_requested()) {
            std::array both{pollfd{udp_.get(), POLLIN, 0}, pollfd{tcp_.get(), POLLIN, 0}};
            if (::poll(both.data(), 2, 20) <= 0) continue;
            if (both[0].revents != 0) answer_search();
            if (both[1].revents != 0) answer_request();
        }
    }
    void answer_search() {
        std::array<char, 2000> text{};
        sockaddr_in who{};
        socklen_t size = sizeof who;
        auto* const base = reinterpret_cast<sockaddr*>(&who);
        if (::recvfrom(udp_.get(), text.data(), text.size(), 0, base, &size) <= 0) return;
        auto const held = std::lock_guard{lock_};
        auto const said = fmt::format("HTTP/1.1 200 OK\r\nST: x\r\nLocation:  {}\r\n\r\n", location);
        (void)::sendto(udp_.get(), said.data(), said.size(), 0, base, size);
    }
    void answer_request() {
        descriptor const one{::accept(tcp_.get(), nullptr, nullptr)};
        timeval const wait{.tv_sec = 0, .tv_usec = 300'000};
        ::setsockopt(one.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
        std::string request;
        std::array<char, 4096> piece{};
        for (;;) {
            auto const head = request.find("\r\n\r\n");
            if (head != std::string::npos &&
                (request.starts_with("GET") || request.find("</s:Envelope>") != std::string::npos))
                break;
            auto const got = ::recv(one.get(), piece.data(), piece.size(), 0);
            if (got <= 0) return;
            request.append(piece.data(), static_cast<std::size_t>(got));
        }
        {
            auto const held = std::lock_guard{lock_};
            requests_.push_back(request);
        }
        how_(one.get(), request);
    }

    answering how_;
    descriptor udp_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    descriptor tcp_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::mutex lock_;
    std::vector<std::string> requests_;
    std::jthread thread_;
};

struct upnp_gateway : ::testing::Test, conversation_of_test {
    std::string const address_reply =
        soap("GetExternalIPAddress", "<NewExternalIPAddress>25.0.0.1</NewExternalIPAddress>");
};

TEST_F(upnp_gateway, finds_a_gateway_and_its_address) {
    device router{device::with(ok(description("/ctl")), {{"GetExternalIPAddress", address_reply}})};
    upnp it{router.options()};
    EXPECT_EQ(it.find(within()), "25.0.0.1");
    EXPECT_EQ(it.external_ip(within()), "25.0.0.1");
    auto const asked = router.requests();
    ASSERT_GE(asked.size(), 2U);
    EXPECT_THAT(asked[0], HasSubstr("GET /desc.xml HTTP/1.1\r\n"));
    EXPECT_THAT(asked[1], HasSubstr("POST /ctl HTTP/1.1\r\n"));
    EXPECT_THAT(asked[1], HasSubstr(fmt::format("SOAPAction: \"{}#GetExternalIPAddress\"\r\n", ip_service)));
}

TEST_F(upnp_gateway, reads_an_answer_in_chunks) {
    auto const body = description("/ctl");
    auto const chunked = fmt::format(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", 20,
        body.substr(0, 20), body.size() - 20, body.substr(20));
    device router{device::with(chunked, {{"GetExternalIPAddress", address_reply}})};
    upnp it{router.options()};
    EXPECT_EQ(it.find(within()), "25.0.0.1");
}

TEST_F(upnp_gateway, maps_to_ourselves_and_to_no_other_host) {
    device router{device::with(
        ok(description("/ctl")), {{"GetExternalIPAddress", address_reply},
                                  {"GetSpecificPortMappingEntry", soap_error(714)},
                                  {"AddPortMapping", soap("AddPortMapping", "")}})};
    upnp it{router.options()};
    ASSERT_TRUE(it.find(within()));
    auto const got = it.map({transport::udp, 6881, 0}, 600s, within());
    ASSERT_TRUE(got);
    EXPECT_EQ(got->external_port, 6881);
    EXPECT_EQ(got->lease, 600s);
    auto const asked = router.requests().back();
    for (auto const* const part :
         {"<NewInternalClient>127.0.0.1</NewInternalClient>", "<NewInternalPort>6881</NewInternalPort>",
          "<NewExternalPort>6881</NewExternalPort>", "<NewProtocol>UDP</NewProtocol>",
          "<NewLeaseDuration>600</NewLeaseDuration>", "<NewRemoteHost></NewRemoteHost>"})
        EXPECT_THAT(asked, HasSubstr(part));
}

TEST_F(upnp_gateway, what_leads_elsewhere_is_neither_taken_nor_removed) {
    auto const theirs = soap(
        "GetSpecificPortMappingEntry",
        "<NewInternalPort>6881</NewInternalPort><NewInternalClient>192.168.1.9</NewInternalClient>");
    device router{device::with(
        ok(description("/ctl")),
        {{"GetExternalIPAddress", address_reply}, {"GetSpecificPortMappingEntry", theirs}})};
    upnp it{router.options()};
    ASSERT_TRUE(it.find(within()));
    EXPECT_EQ(why(it.map({transport::tcp, 6881, 6881, true}, 600s, within())), "taken");
    EXPECT_EQ(why(it.map({transport::tcp, 6881}, 600s, within())), "taken") << "after a few others";
    EXPECT_TRUE(it.unmap({transport::tcp, 6881, 6881}, within())) << "nothing of ours is there";
    for (auto const& one : router.requests()) {
        EXPECT_THAT(one, ::testing::Not(HasSubstr("#AddPortMapping")));
        EXPECT_THAT(one, ::testing::Not(HasSubstr("#DeletePortMapping")));
    }
}

TEST_F(upnp_gateway, removes_what_leads_to_us) {
    auto const ours = soap(
        "GetSpecificPortMappingEntry",
        "<NewInternalPort>6881</NewInternalPort><NewInternalClient>127.0.0.1</NewInternalClient>");
    for (auto const& [answer, outcome] :
         {std::pair{soap("DeletePortMapping", ""), "ok"}, std::pair{soap_error(714), "ok"},
          std::pair{soap_error(606), "refused"}}) {
        device router{device::with(
            ok(description("/ctl")), {{"GetExternalIPAddress", address_reply},
                                      {"GetSpecificPortMappingEntry", ours},
                                      {"DeletePortMapping", answer}})};
        upnp it{router.options()};
        ASSERT_TRUE(it.find(within()));
        EXPECT_EQ(why(it.unmap({transport::tcp, 6881, 6881}, within())), outcome);
    }
}

TEST_F(upnp_gateway, a_refusal_is_told_as_what_it_is) {
    for (auto const& [code, name] :
         {std::pair{718, "taken"}, std::pair{729, "taken"}, std::pair{725, "refused"},
          std::pair{724, "refused"}, std::pair{606, "refused"}, std::pair{0, "refused"}}) {
        device router{device::with(
            ok(description("/ctl")), {{"GetExternalIPAddress", address_reply},
                                      {"GetSpecificPortMappingEntry", soap_error(714)},
                                      {"AddPortMapping", soap_error(code)}})};
        upnp it{router.options()};
        ASSERT_TRUE(it.find(within()));
        EXPECT_EQ(why(it.map({transport::tcp, 6881, 6881, true}, 600s, within())), name) << code;
    }
}

TEST_F(upnp_gateway, a_page_that_is_no_answer_to_the_action_is_no_success) {
    for (auto const& page :
         {ok("<html>Welcome to your router</html>"), soap("GetStatusInfo", ""), ok(""), std::string{}}) {
        device router{device::with(
            ok(description("/ctl")), {{"GetExternalIPAddress", address_reply},
                                      {"GetSpecificPortMappingEntry", soap_error(714)},
                                      {"AddPortMapping", page}})};
        upnp it{router.options()};
        ASSERT_TRUE(it.find(within()));
        EXPECT_NE(why(it.map({transport::tcp, 6881, 6881, true}, 600s, within())), "ok") << page;
    }
}

TEST_F(upnp_gateway, an_external_address_that_is_none_is_not_told) {
    for (std::string const said : {"", "0.0.0.0", "999.1.1.1", "&lt;script&gt;", "25.0.0.1, 25.0.0.2"}) {
        device router{device::with(
            ok(description("/ctl")),
            {{"GetExternalIPAddress",
              soap("GetExternalIPAddress", "<NewExternalIPAddress>" + said + "</NewExternalIPAddress>")}})};
        upnp it{router.options()};
        EXPECT_EQ(it.find(within()), "") << said;
    }
}

TEST_F(upnp_gateway, is_sent_to_no_other_host) {
    device router{device::with(ok(description("/ctl")), {{"GetExternalIPAddress", address_reply}})};
    auto const port = ntohs(router.tcp_at.sin_port);
    for (auto const& url :
         {fmt::format("http://127.0.0.2:{}/desc.xml", port), std::string{"http://169.254.169.254/latest"},
          fmt::format("http://localhost:{}/", port), fmt::format("https://127.0.0.1:{}/", port),
          std::string{"file:///etc/passwd"}, fmt::format("http://user@127.0.0.1:{}/", port),
          std::string{"http://127.0.0.1:0/"}, std::string{"http://127.0.0.1:99999/"},
          fmt::format("http://127.0.0.1:{}/a b", port), std::string{}}) {
        router.locate_at(url);
        upnp it{router.options()};
        EXPECT_EQ(why(it.find(within())), "no_gateway") << url;
    }
    EXPECT_THAT(router.requests(), IsEmpty());
}

TEST_F(upnp_gateway, a_description_names_services_of_its_own_host_alone) {
    std::string const url = "http://192.168.1.1:5000/desc.xml";
    EXPECT_THAT(upnp::services_in(description("/ctl"), url), SizeIs(1));
    EXPECT_EQ(upnp::services_in(description("/ctl"), url)[0].control.host(), "192.168.1.1:5000");
    EXPECT_THAT(upnp::services_in(description("http://192.168.1.1:80/ctl"), url), SizeIs(1));
    EXPECT_THAT(upnp::services_in(description("http://192.168.1.2:80/ctl"), url), IsEmpty());
    EXPECT_THAT(upnp::services_in(description("/ctl", ip_service, "http://10.0.0.1:80"), url), IsEmpty());
    EXPECT_THAT(upnp::services_in(description("/c\r\nX-Evil: 1"), url), IsEmpty());
    EXPECT_THAT(
        upnp::services_in(description("/ctl", "urn:schemas-upnp-org:service:Layer3Forwarding:1"), url),
        IsEmpty());
    EXPECT_THAT(
        upnp::services_in(description("/ctl", "urn:schemas-upnp-org:service:WANIPConnection:1\"x"), url),
        IsEmpty());
}

TEST_F(upnp_gateway, garbage_is_no_gateway) {
    std::string noise;
    for (int i = 0; i < 60'000; ++i) noise += static_cast<char>((i * 7919) % 251 + 1);
    std::string deep;
    for (int i = 0; i < 12'000; ++i) deep += "<serviceType>";
    for (auto const& said :
         {ok(noise), ok(deep), ok("<"), ok("<root><device"), ok("<serviceType><controlURL"), ok(""), noise,
          std::string{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"},
          std::string{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n<root>"},
          std::string{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"},
          ok("<root><device><serviceList><service>")}) {
        device router{device::with(said, {})};
        upnp it{router.options()};
        auto const got = it.find(within());
        EXPECT_FALSE(got) << said.substr(0, 60);
    }
}

TEST_F(upnp_gateway, an_answer_without_end_is_not_read_to_the_end) {
    std::atomic<std::size_t> sent = 0;
    device router{[&](int socket, std::string const&) {
        timeval const wait{.tv_sec = 0, .tv_usec = 200'000};
        ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
        device::say(socket, "HTTP/1.1 200 OK\r\n\r\n");
        std::string const much(65'536, 'x');
        while (sent < (std::size_t{64} << 20) && device::say(socket, much)) sent += much.size();
    }};
    upnp it{router.options()};
    EXPECT_FALSE(it.find(within()));
    EXPECT_LT(sent, std::size_t{16} << 20) << "what the sockets hold, and no more";
}

TEST_F(upnp_gateway, a_header_without_end_is_not_read_to_the_end) {
    device router{[&](int socket, std::string const&) {
        device::say(socket, "HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x'));
    }};
    upnp it{router.options()};
    EXPECT_FALSE(it.find(within()));
}

TEST_F(upnp_gateway, one_byte_at_a_time_gets_no_more_time) {
    device router{[&](int socket, std::string const&) {
        device::say(socket, "HTTP/1.1 200 OK\r\n\r\n");
        while (device::say(socket, "x")) ::poll(nullptr, 0, 50);
    }};
    upnp it{router.options()};
    auto const began = steady::now();
    EXPECT_FALSE(it.find(within()));
    EXPECT_LT(steady::now() - began, 2s);
}

TEST_F(upnp_gateway, one_that_says_nothing_is_left_when_it_is_called_off) {
    std::atomic<bool> asked = false;
    device router{[&](int socket, std::string const&) {
        asked = true;
        std::array<char, 1> byte{};
        (void)::recv(socket, byte.data(), 1, 0);
    }};
    upnp it{router.options()};
    std::jthread const calls{[&] {
        while (!asked) ::poll(nullptr, 0, 5);
        by.call_off();
    }};
    auto const began = steady::now();
    EXPECT_FALSE(it.find(within(60s)));
    EXPECT_LT(steady::now() - began, 700ms);
}

TEST_F(upnp_gateway, a_flood_of_answers_to_the_search_ends_it) {
    descriptor const flooder{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    auto const where = bound(flooder.get(), "127.0.0.1");
    std::jthread const floods{[&](std::stop_token const& stop) {
        std::array<char, 2000> text{};
        sockaddr_in who{};
        socklen_t size = sizeof who;
        auto* const base = reinterpret_cast<sockaddr*>(&who);
        timeval const wait{.tv_sec = 0, .tv_usec = 50'000};
        ::setsockopt(flooder.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
        if (::recvfrom(flooder.get(), text.data(), text.size(), 0, base, &size) <= 0) return;
        for (int i = 0; i < 100'000 && !stop.stop_requested(); ++i) {
            auto const said = fmt::format("HTTP/1.1 200 OK\r\nLOCATION: http://127.0.0.1:1/{}\r\n\r\n", i);
            (void)::sendto(flooder.get(), said.data(), said.size(), 0, base, size);
        }
    }};
    upnp it{{.search_at = where, .search_within = 1s}};
    auto const began = steady::now();
    EXPECT_EQ(why(it.find(within())), "no_gateway");
    EXPECT_LT(steady::now() - began, 1s) << "eight devices are enough";
}

} // namespace

} // namespace ccbt::gateway
