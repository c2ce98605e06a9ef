#include "gateway/nat_pmp.hpp"

#include "gateway/test_support.hpp"

#include <array>
#include <functional>
#include <gtest/gtest.h>
#include <poll.h>
#include <thread>

namespace ccbt::gateway {

namespace {

using namespace std::chrono_literals;

// At an address of loopback that nobody else has.
class pmp_server {
public:
    using answering = std::function<std::string(std::string const& request)>;
    explicit pmp_server(answering how) : how_{std::move(how)} {
        bound(udp_.get(), own, 5351);
        thread_ = std::jthread{[this](std::stop_token const& stop) {
            while (!stop.stop_requested()) {
                pollfd one{udp_.get(), POLLIN, 0};
                if (::poll(&one, 1, 20) <= 0) continue;
                std::array<char, 64> text{};
                sockaddr_in who{};
                socklen_t size = sizeof who;
                auto* const base = reinterpret_cast<sockaddr*>(&who);
                auto const got = ::recvfrom(udp_.get(), text.data(), text.size(), 0, base, &size);
                if (got <= 0) continue;
                auto const said = how_({text.data(), static_cast<std::size_t>(got)});
                if (!said.empty()) (void)::sendto(udp_.get(), said.data(), said.size(), 0, base, size);
            }
        }};
    }
    static constexpr char const* own = "127.0.77.7";

private:
    answering how_;
    descriptor udp_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    std::jthread thread_;
};

std::string bytes(std::initializer_list<int> of) {
    std::string out;
    for (auto const one : of) out += static_cast<char>(one);
    return out;
}

struct nat_pmp_gateway : ::testing::Test, conversation_of_test {
    nat_pmp it{{.at = address(pmp_server::own)}};
    static std::string granting(std::string const& asked, int external, int lease, int result = 0) {
        return bytes({0, asked[1] + 128, 0, result, 0, 0, 0, 9}) + asked.substr(4, 2) +
               bytes({external >> 8, external & 255, 0, 0, lease >> 8, lease & 255});
    }
};

TEST_F(nat_pmp_gateway, tells_the_external_address) {
    pmp_server const router{[](std::string const&) {
        return bytes({0, 128, 0, 0, 0, 0, 0, 9, 25, 0, 0, 1});
    }};
    EXPECT_EQ(it.find(within()), "25.0.0.1");
}

TEST_F(nat_pmp_gateway, asks_again_where_an_answer_is_lost) {
    int asked = 0;
    pmp_server const router{[&](std::string const&) {
        return ++asked < 3 ? std::string{} : bytes({0, 128, 0, 0, 0, 0, 0, 9, 25, 0, 0, 1});
    }};
    EXPECT_EQ(it.find(within()), "25.0.0.1");
}

TEST_F(nat_pmp_gateway, maps_as_the_rfc_has_it) {
    std::string seen;
    pmp_server const router{[&](std::string const& asked) {
        seen = asked;
        return granting(asked, 6881, 600);
    }};
    auto const got = it.map({transport::tcp, 6881}, 900s, within());
    ASSERT_TRUE(got);
    EXPECT_EQ(got->external_port, 6881);
    EXPECT_EQ(got->lease, 600s) << "what the gateway grants, where that is shorter";
    EXPECT_EQ(seen, bytes({0, 2, 0, 0, 0x1a, 0xe1, 0x1a, 0xe1, 0, 0, 0x03, 0x84}));
    ASSERT_TRUE(it.unmap({transport::udp, 6881, 6881}, within()));
    EXPECT_EQ(seen, bytes({0, 1, 0, 0, 0x1a, 0xe1, 0, 0, 0, 0, 0, 0}));
}

TEST_F(nat_pmp_gateway, believes_no_longer_lease_than_it_asked_for) {
    pmp_server const router{[](std::string const& asked) {
        return granting(asked, 6881, 0).substr(0, 12) + bytes({255, 255, 255, 255});
    }};
    EXPECT_EQ(it.map({transport::tcp, 6881}, 900s, within())->lease, 900s);
    EXPECT_EQ(it.map({transport::tcp, 6881}, 0s, within())->lease, 7200s) << "it knows none without an end";
}

TEST_F(nat_pmp_gateway, another_port_than_the_named_one_is_given_back) {
    std::vector<std::string> seen;
    pmp_server const router{[&](std::string const& asked) {
        seen.push_back(asked);
        return granting(asked, 7000, asked.ends_with(bytes({0, 0})) ? 0 : 600);
    }};
    EXPECT_EQ(it.map({transport::tcp, 6881}, 601s, within())->external_port, 7000);
    EXPECT_EQ(why(it.map({transport::tcp, 6881, 6881, true}, 601s, within())), "taken");
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen.back(), bytes({0, 2, 0, 0, 0x1a, 0xe1, 0, 0, 0, 0, 0, 0}));
}

TEST_F(nat_pmp_gateway, what_it_cannot_use_is_a_refusal) {
    for (auto const& [how, name] : std::vector<std::pair<pmp_server::answering, std::string>>{
             {[](auto const& asked) { return granting(asked, 0, 600); }, "refused"},
             {[](auto const& asked) { return granting(asked, 6881, 0); }, "refused"},
             {[](auto const& asked) { return granting(asked, 6881, 600, 2); }, "refused"},
             {[](auto const& asked) { return granting(asked, 6881, 600, 3); }, "refused"},
             {[](auto const& asked) { return granting(asked, 6881, 600, 4); }, "refused"},
             {[](auto const& asked) { return granting(asked, 6881, 600, 99); }, "refused"},
             {[](auto const& asked) {
                  return granting(bytes({0, 1}) + asked.substr(2), 6881, 600);
              },
              "refused"},
             {[](auto const& asked) {
                  return granting(asked.substr(0, 4) + bytes({1, 1}) + asked.substr(6), 6881, 600);
              },
              "refused"},
             {[](auto const&) { return std::string{}; }, "no_answer"}}) {
        pmp_server const router{how};
        EXPECT_EQ(why(it.map({transport::tcp, 6881}, 900s, within(900ms))), name);
    }
}

TEST_F(nat_pmp_gateway, where_nobody_is_there_it_is_soon_known) {
    auto const began = steady::now();
    EXPECT_FALSE(it.find(within()));
    EXPECT_LT(steady::now() - began, 1s);
    by.call_off();
    EXPECT_FALSE(it.find(within(60s)));
}

} // namespace

} // namespace ccbt::gateway
