#include "server/dispatch.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace ccbt::server {
namespace {

struct leaf {
    std::string name;
    static constexpr auto fields = contract::described_as{contract::field<&leaf::name>{"a name"}};
};
using row = contract::prepared<leaf>;

std::vector<row> large_rows() {
    std::vector<row> out;
    for (int n = 0; n < 20; ++n) out.emplace_back(leaf{std::string(std::size_t{8} << 20, 'a')});
    return out;
}

// Asks for its turn again and again until the rows are rendered.
struct somebody_else {
    loop& on;
    bool is_over = false;
    int turns = 0;
    void ask() {
        on.post([this] {
            if (is_over) return;
            ++turns;
            ask();
        });
    }
};

task<> rendered(std::vector<row> rows, somebody_else& other, loop& on) {
    co_await render(rows);
    for (auto const& one : rows) EXPECT_EQ(one.text()->size(), (std::size_t{8} << 20) + 11);
    other.is_over = true;
    on.stop();
}

TEST(render, lets_others_go_between_what_takes_long_and_keeps_nobody_waiting_for_what_is_there) {
    loop on;
    somebody_else other{on};
    auto const rows = large_rows(); // each takes over a millisecond
    spawn(on, rendered(rows, other, on));
    other.ask();
    on.run();
    EXPECT_GE(other.turns, 15);

    loop again;
    somebody_else nobody{again};
    spawn(again, rendered(rows, nobody, again));
    nobody.ask();
    again.run();
    EXPECT_LE(nobody.turns, 1);
}

} // namespace
} // namespace ccbt::server
