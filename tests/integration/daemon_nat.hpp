// What the NAT tests share: a daemon in the LAN of a test bed, and questions to it.
#pragma once

#include "support/daemon.hpp"
#include "support/nat_bed.hpp"
#include "support/temp_folder.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

namespace ccbt::support {

inline std::string text_of(value const& of, std::string_view name) {
    auto const* const v = of.find(name);
    return v == nullptr ? "(absent)" : to_text(*v);
}

struct daemon_nat : testing::Test {
    temp_folder root{};
    std::optional<nat_bed> bed{};
    std::optional<net_space::stay> at_home{}; // in the LAN, with all that is started

    void SetUp() override {
        if (auto const why = nat_bed::why_not(); !why.empty()) GTEST_SKIP() << "no test bed for NAT: " << why;
        bed.emplace(root / "bed");
        at_home.emplace(bed->lan.descriptor());
    }
    void TearDown() override { at_home.reset(); }

    [[nodiscard]] daemon_plan plan(std::map<std::string, std::string> more = {}) const {
        std::map<std::string, std::string> settings{
            {"nat.enable_upnp", "true"}, {"nat.enable_nat_pmp", "true"}, {"nat.auto_map_ports", "true"}};
        for (auto const& [key, text] : more) settings[key] = text;
        return {.folder = root / "one", .interface = "0.0.0.0", .settings = settings};
    }
    static value status(daemon const& of) { return of.get("/nat/status").json; }
    /// The status, once it is so: asked again whenever the mappings have changed.
    static value wait_for(daemon const& of, std::function<bool(value const&)> const& is_so) {
        deadline const until{milliseconds{15'000}};
        auto told = of.events({"nat_mappings_changed"});
        for (;;) {
            auto now = status(of);
            if (is_so(now)) return now;
            if (!told.next(until))
                throw std::runtime_error("not as it should be: " + to_text(now) + of.log());
        }
    }
    static value wait_until_mapped(daemon const& of, std::size_t count) {
        return wait_for(of, [&](value const& s) { return s.list_or_empty("mappings").size() == count; });
    }
    static int mapped(daemon const& of, listener const& what, std::string const& more = "") {
        auto const said =
            of.post("/nat/map", R"({"internal_port":)" + std::to_string(what.port()) + more + '}');
        EXPECT_EQ(said.status, 200) << said.body;
        auto const* const result = said.json.find("result");
        return result == nullptr ? 0 : static_cast<int>(result->number_or("external_port", 0));
    }
    static answer unmapped(daemon const& of, int port, std::string const& protocol = "tcp") {
        return of.post(
            "/nat/unmap", R"({"port":)" + std::to_string(port) + R"(,"protocol":")" + protocol + R"("})");
    }
};

} // namespace ccbt::support
