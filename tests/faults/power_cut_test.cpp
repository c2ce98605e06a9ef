// P1 and P2 at a power cut: the daemon runs under a shim that writes down each write, sync and rename and each answer;
// then, for many moments of that log, the state is built as a cut may have left it, and a daemon is started from it.
#include "base/text.hpp"
#include "faults/rounds.hpp"
#include "support/ledger.hpp"
#include "support/power_cut.hpp"
#include "support/temp_folder.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace ccbt::support {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> const settings{"limits.global_down_kib", "limits.per_torrent_down_kib"};

struct deed {
    holding_changes what;
    std::string method, path, body;
};

std::string hash_of(int n) {
    auto const digits = std::to_string(n);
    return std::string(40 - digits.size(), 'b') + digits;
}

/// What one client asks, one after another: each deed may touch what those before made.
std::vector<deed> workload(int count) {
    std::vector<deed> out;
    std::vector<std::string> order;
    auto const ordered = [&] {
        std::string text;
        for (auto const& hash : order) text += (text.empty() ? "" : " ") + hash;
        return text.empty() ? std::nullopt : std::optional{text};
    };
    auto const row = [](bool paused, int down) {
        return (paused ? "paused" : "running") + (" down=" + std::to_string(down)) +
               " up=0 priority=normal labels=";
    };
    for (int n = 0; static_cast<int>(out.size()) < count; ++n) {
        auto const a = hash_of(10 * n + 1), b = hash_of(10 * n + 2), number = std::to_string(n + 1);
        order.push_back(a);
        out.push_back(
            {{{"t/" + a, row(true, 0)}, {"order/", ordered()}},
             "POST",
             "/torrents/add",
             R"({"paused":true,"path_or_magnet":"magnet:?xt=urn:btih:)" + a + "\"}"});
        out.push_back(
            {{{"b/10.0.0." + number, "r"}},
             "POST",
             "/security/blacklist",
             R"({"ip":"10.0.0.)" + number + R"(","reason":"r"})"});
        order.push_back(b);
        auto const c = hash_of(10 * n + 3);
        order.push_back(c);
        out.push_back(
            {{{"t/" + b, row(true, 0)}, {"t/" + c, row(true, 0)}, {"order/", ordered()}},
             "POST",
             "/torrents/batch/add",
             R"({"torrents":[{"paused":true,"path_or_magnet":"magnet:?xt=urn:btih:)" + b +
                 R"("},{"paused":true,"path_or_magnet":"magnet:?xt=urn:btih:)" + c + "\"}]}"});
        out.push_back(
            {{{"t/" + a, row(true, n + 5)}},
             "POST",
             "/torrents/" + a + "/rate-limits",
             R"({"download_kib":)" + std::to_string(n + 5) + R"(,"upload_kib":0})"});
        out.push_back({{{"t/" + b, row(false, 0)}}, "POST", "/torrents/" + b + "/resume", ""});
        out.push_back(
            {{{"c/limits.global_down_kib", number}, {"c/limits.per_torrent_down_kib", number}},
             "PUT",
             "/config",
             R"({"limits":{"global_down_kib":)" + number + R"(,"per_torrent_down_kib":)" + number + "}}"});
        out.push_back(
            {{{"k/k" + number, "read"}},
             "POST",
             "/keys",
             R"({"name":"k)" + number + R"(","scopes":["read"]})"});
        std::erase(order, c);
        out.push_back({{{"t/" + c, std::nullopt}, {"order/", ordered()}}, "DELETE", "/torrents/" + c, ""});
        if (n % 2 == 1)
            out.push_back(
                {{{"b/10.0.0." + number, std::nullopt}},
                 "DELETE",
                 "/security/blacklist/10.0.0." + number,
                 ""});
    }
    out.resize(static_cast<std::size_t>(count));
    return out;
}

TEST(power_cut, at_any_moment_what_was_acknowledged_is_there_and_the_rest_is_whole_or_not) {
    auto const is_long = faults::is_long();
    auto const seed = faults::seed();
    std::mt19937_64 random{seed};
    temp_folder folder;
    auto const disk = folder / "disk", log = folder / "log";
    fs::create_directories(disk);
    daemon_plan plan{
        .folder = disk,
        .settings =
            {{"observability.log_level", "\"WARNING\""},
             // made by the daemon itself
             {"disk.download_path", '"' + (disk / "made/by/itself").string() + '"'}},
        .env = {
            "LD_PRELOAD=" POWER_CUT_SHIM, "POWER_CUT_ROOT=" + disk.string(),
            "POWER_CUT_LOG=" + log.string()}};
    auto const deeds = workload(is_long ? 120 : 24);
    daemon under{plan};
    for (std::size_t n = 0; n < deeds.size(); ++n) {
        auto const said = under.call(deeds[n].method, deeds[n].path, deeds[n].body);
        ASSERT_EQ(said.status, 200) << deeds[n].path << ' ' << said.body;
        if (n != deeds.size() / 2) continue;
        ASSERT_EQ(under.terminate(), 0); // a clean end writes the log into the file
        under.start();
    }
    under.kill9();
    under.plan().env.clear();

    power_cut_log const written{log};
    auto const answers = written.behind_answers();
    ASSERT_EQ(answers.size(), deeds.size()) << "each answer is in the log, and no other";
    auto const chance = [&] { return std::vector{0.0, 0.1, 0.5, 0.9, 1.0}[random() % 5]; };
    std::vector<std::pair<std::size_t, chances>> cuts;
    for (auto const at : answers)
        if (is_long || random() % 3 == 0 || at == answers.back()) cuts.emplace_back(at, chances{});
    for (int n = 0; n < (is_long ? 400 : 16); ++n)
        cuts.emplace_back(random() % (written.size() + 1), chances{chance(), chance(), chance()});

    findings all;
    std::size_t done = 0;
    for (auto const& [cut, survives] : cuts) {
        written.leave(disk, cut, survives, random);
        ledger kept;
        auto const acknowledged = static_cast<std::size_t>(
            std::count_if(answers.begin(), answers.end(), [c = cut](auto a) { return a <= c; }));
        for (std::size_t n = 0; n < acknowledged; ++n) kept.acknowledge(kept.ask(deeds[n].what));
        if (acknowledged < deeds.size()) kept.ask(deeds[acknowledged].what);
        ASSERT_NO_THROW(under.start()) << "cut at " << cut << " of " << written.size() << ", seed " << seed;
        kept.compare(under, settings);
        auto const found = kept.found();
        under.kill9();
        ASSERT_TRUE(found.is_clean())
            << found.first << "\ncut at " << cut << " of " << written.size() << ", " << acknowledged
            << " acknowledged, what was not synced survives by " << survives.data << ' ' << survives.sizes
            << ' ' << survives.names << ", seed " << seed << '\n'
            << under.log();
        all.acknowledged += found.acknowledged;
        all.unanswered += found.unanswered;
        all.kept += found.kept;
        if (++done % 50 == 0) faults::say("power cut", "{} of {} cuts", done, cuts.size());
    }
    faults::say(
        "power cut",
        "{} cuts in {} records of {} changes: {} acknowledged before them, lost 0, resurrected 0, half done 0; of {} under "
        "way {} were there; seed {}",
        cuts.size(), written.size(), deeds.size(), all.acknowledged, all.unanswered, all.kept, seed);
}

} // namespace

} // namespace ccbt::support
