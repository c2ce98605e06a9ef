// A whole executor for the unit tests of this room: a folder, a loop that turns only while something is waited for, and
// the fakes behind the ports, which a test names: test_house<store::memory_store, engine::fake_engine>. Test code only.
#pragma once

#include "base/temporary_folder_test.hpp"
#include "executor/executor.hpp"
#include "executor/roots.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ccbt::executor::testing {

namespace fs = std::filesystem;

using ccbt::temporary_folder;

inline void write_file(fs::path const& path, std::string_view bytes = "data") {
    fs::create_directories(path.parent_path());
    std::ofstream{path, std::ios::binary} << bytes;
}
inline std::string read_file(fs::path const& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

inline std::string bencoded(std::string_view s) { return std::to_string(s.size()) + ':' + std::string{s}; }

/// A v1 .torrent: one file where there is one name, else files below a folder. 100 bytes each. No data has its hashes.
inline std::string metainfo(std::string_view name, std::vector<std::vector<std::string>> const& files = {}) {
    std::string info = "d";
    if (files.empty()) {
        info += "6:lengthi100e";
    } else {
        info += "5:filesl";
        for (auto const& path : files) {
            info += "d6:lengthi100e4:pathl";
            for (auto const& part : path) info += bencoded(part);
            info += "ee";
        }
        info += "e";
    }
    info +=
        "4:name" + bencoded(name) + "12:piece lengthi16384e6:pieces" + bencoded(std::string(20, '\7')) + "e";
    return "d4:info" + info + "e";
}

inline constexpr char const* magnet_v1 =
    "magnet:?xt=urn:btih:00112233445566778899AABBCCDDEEFF00112233&dn=some+name";
inline constexpr char const* hash_v1 = "00112233445566778899aabbccddeeff00112233";
inline constexpr char const* magnet_v2 =
    "magnet:?xt=urn:btmh:122000112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
inline constexpr char const* hash_v2 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

[[nodiscard]] inline contract::info_hash hash(std::string_view hex) {
    return contract::info_hash::parse(hex).value_or(contract::info_hash{});
}

/// "409 TORRENT_EXISTS", as the wire shows a failure; "ok" where it is none.
template <class T> std::string said(result<T> const& r) {
    if (r) return "ok";
    auto const& row = contract::row_of(r.error().code);
    return std::to_string(row.status) + ' ' + std::string{row.name};
}
/// A detail's text, "" where there is none.
template <class T> std::string detail(result<T> const& of, std::string_view name) {
    if (!of)
        for (auto const& one : of.error().details)
            if (one.name == name)
                if (auto const* text = std::get_if<std::string>(&one.value)) return *text;
    return {};
}

template <class Store, class Engine> struct test_house {
    temporary_folder folder;
    std::string const downloads = (folder / "downloads").string();
    metrics::door door;
    loop on{2};
    Store store{on};
    model::state state{{.incarnation = 0xabc, .first_seq = 1}};
    ccbt::executor::roots roots;
    Engine engine{{on, [this](std::vector<model::fact> facts) { take_facts(std::move(facts)); }, {}}};
    contract::settings settings;
    identity self{
        .version = "1.2.3",
        .url = "http://127.0.0.1:1",
        .lineage = store.asked_now().lineage,
        .node_id = "bb",
        .pid = 42};
    int shutdowns = 0;
    context house{
        .on = on,
        .state = state,
        .truth = store,
        .journal = store,
        .engine = engine,
        .roots = roots,
        .settings = settings,
        .self = self,
        .door = door,
        .openapi = [] { return std::string{"{}"}; },
        .begin_shutdown = [this] { ++shutdowns; }};
    executor deeds{house};
    caller who;
    std::vector<std::string> events; // "torrent_added 00112233"

    test_house() {
        for (auto const& check : roots.open({}, {downloads}).known) state.know_root(check.root);
        house.rules.start();
        state.events().listen([this](contract::event_view const& e) {
            events.push_back(
                std::string{contract::name_of(e->type)} + ' ' + e->data.info_hash.value_or("").substr(0, 8));
        });
    }

    /// Turns the loop until it is so.
    template <class Condition> void run_until(Condition is_so) {
        auto const give_up = steady::now() + std::chrono::seconds{20};
        while (!is_so()) {
            on.context().run_one_for(std::chrono::milliseconds{100});
            if (steady::now() > give_up) throw std::runtime_error{"it did not come to be within 20 s"};
        }
    }
    /// Everything that is posted runs, and what it posts.
    void settle() { on.context().poll(); }

    template <class T> using answer = std::shared_ptr<std::optional<T>>;
    /// Starts a deed; its answer is filled in when it comes.
    template <class T> answer<T> start(task<T> what) {
        auto const into = std::make_shared<std::optional<T>>();
        spawn(on, fill(std::move(what), into));
        settle();
        return into;
    }
    template <class T> T wait(task<T> what) { return finish(start(std::move(what))); }
    void wait(task<> what) {
        auto const done = std::make_shared<bool>(false);
        spawn(on, mark(std::move(what), done));
        run_until([&] { return *done; });
    }
    template <class T> T finish(answer<T> const& of) {
        run_until([&] { return of->has_value(); });
        settle();
        return std::move(**of);
    }

    auto add(contract::add_torrent::request request) { return wait(deeds.handle(std::move(request), who)); }
    auto start_add(contract::add_torrent::request request) {
        return start(deeds.handle(std::move(request), who));
    }
    auto add(std::string link) {
        contract::add_torrent::request request;
        request.path_or_magnet = std::move(link);
        return add(std::move(request));
    }
    auto pause(std::string_view hex) {
        return wait(deeds.handle(contract::pause_torrent::request{hash(hex)}, who));
    }
    auto resume(std::string_view hex) {
        return wait(deeds.handle(contract::resume_torrent::request{hash(hex)}, who));
    }
    auto start_remove(std::string_view hex, bool files) {
        contract::remove_torrent::request request{hash(hex), files};
        return start(deeds.handle(request, who));
    }
    auto remove(std::string_view hex, bool files = false) { return finish(start_remove(hex, files)); }

    [[nodiscard]] model::torrent_row const* row(std::string_view hex) const {
        return state.torrents().find(hash(hex));
    }
    /// What the three who must agree say of it: "" where they do not know it.
    [[nodiscard]] std::string paused_everywhere(std::string_view hex) {
        auto const* r = row(hex);
        if (r == nullptr) return {};
        std::string out = r->asked->paused ? "paused" : "running";
        for (auto const& asked : store.asked_now().torrents)
            if (asked->id == r->asked->id) out += asked->paused ? " paused" : " running";
        if (auto const* wish = engine.wished(r->asked->id))
            out += wish->asked->paused ? " paused" : " running";
        return out;
    }

private:
    template <class T> static task<> fill(task<T> what, answer<T> into) {
        auto made = co_await std::move(what);
        into->emplace(std::move(made));
    }
    static task<> mark(task<> what, std::shared_ptr<bool> done) {
        co_await std::move(what);
        *done = true;
    }
    void take_facts(std::vector<model::fact> facts) {
        for (auto& one : facts)
            if (auto* metadata = std::get_if<model::metadata_arrived>(&one))
                spawn(on, deeds.learn_metadata(*metadata));
        house.apply(facts);
    }
};

} // namespace ccbt::executor::testing
