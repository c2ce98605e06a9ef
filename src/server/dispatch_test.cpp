#include "server/dispatch.hpp"

#include "contract/torrents.hpp"

#include <algorithm>
#include <functional>
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
    for (auto const& one : rows) EXPECT_EQ(one.text().size(), (std::size_t{8} << 20) + 11);
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

// Answers a list, and knows when one is being rendered.
struct lister {
    std::shared_ptr<int> renderings = std::make_shared<int>(0);
    std::vector<contract::torrent_row_view> rows;

    [[nodiscard]] static contract::revision revision() { return {}; }
    auto rendering() {
        ++*renderings;
        auto const over = [](int* all) { --*all; };
        return std::unique_ptr<int, decltype(over)>{renderings.get(), over};
    }
    task<contract::result<contract::list_torrents::response>> handle(
        contract::list_torrents::request, contract::caller const&) {
        contract::list_torrents::response made;
        made.value.torrents = rows;
        co_return made;
    }
};

task<> listed(lister& from, loop& on) {
    auto asked = serve<contract::list_torrents>(from, call{}, wire::json_limits{});
    auto const said = co_await std::move(asked);
    EXPECT_EQ(said.status, 200);
    EXPECT_GT(said.body.size(), std::size_t{24} << 20);
    on.stop();
}

TEST(serve, says_that_a_list_is_rendered_as_long_as_it_is) {
    loop on;
    lister from;
    for (int n = 0; n < 3; ++n) {
        contract::torrent_status one;
        one.name = std::string(std::size_t{8} << 20, 'a');
        from.rows.emplace_back(std::move(one));
    }
    auto most = 0;
    std::function<void()> look = [&] {
        most = std::max(most, *from.renderings);
        on.post([&] { look(); });
    };
    look();
    spawn(on, listed(from, on));
    on.run();
    EXPECT_EQ(most, 1);
    EXPECT_EQ(*from.renderings, 0);
}

} // namespace
} // namespace ccbt::server
